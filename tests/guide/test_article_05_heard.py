"""第五条、第九条（一）: a title is taken from a base, a 师资研修中心 or a 骨干教师 after they were heard, whatever the path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.institutions import qualifications, requests
from server.institutions import service as institutions
from server.institutions.qualifications import Confirmation, Decision
from server.institutions.rules import (
    QualificationAction,
    QualificationFixed,
    QualificationStatus,
    RequestPurpose,
)
from server.kernel.clock import FixedClock
from server.kernel.errors import Forbidden, Invalid
from server.kernel.hearings import TooEarly, Unheard
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.qualification import base_requests, opening, review, service
from server.qualification.documents import Case
from server.qualification.opening import CaseOpen, Intent
from server.qualification.rules import Outcome, State
from server.qualification.service import DecisionDraft, StatementDraft
from server.wechat.simulator import Simulator
from tests import cast, progressing, reviewing, stage
from tests.acts.overseen import about_xingtai
from tests.planning import CENTRE, CHANGZHOU, HEBEI

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
WHY = "经核查，不再具备承担培训的条件。"
SAID = StatementDraft(text="正在整改，请予考虑。")
INTENT = Intent(reason=WHY)
LATER = timedelta(days=16)
"""One day more than the days for a statement (policy `statement_days`)."""


@dataclass(frozen=True)
class Loss:
    """How a title is lost on one path, how whom it is about answers, and whether it stands."""

    take: Callable[[date], Awaitable[object]]
    answer: Callable[[], Awaitable[object]]
    stands: Callable[[], Awaitable[bool]]


def institution_loses(
    platform: Platform, code: str, case: Case, take: Callable[[date], Awaitable[object]]
) -> Loss:
    officer = XINGTAI if code == cast.XINGTAI else CHANGZHOU

    async def stands() -> bool:
        found = await institutions.institution(platform, CENTRE, code)
        return found.qualifications[0].status is not QualificationStatus.WITHDRAWN

    return Loss(take, lambda: service.state_for_base(platform, officer, case.id, SAID), stands)


async def base_by_request(platform: Platform) -> Loss:
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))

    def take(day: date) -> Awaitable[object]:
        decision = Decision(effective_on=day, reason=WHY)
        return base_requests.carry_out(platform, CENTRE, asked.id, decision)

    [case] = [one for one in await reviewing.cases(platform) if one.open]
    return institution_loses(platform, cast.XINGTAI, case, take)


async def a_base_that_no_case_was_open_about(platform: Platform, wechat: Simulator) -> Loss:
    return await base_by_request(platform)


async def a_base_whose_case_the_review_opened(platform: Platform, wechat: Simulator) -> Loss:
    await reviewing.base_case(platform)
    return await base_by_request(platform)


async def a_base_whose_case_was_dismissed_before(platform: Platform, wechat: Simulator) -> Loss:
    case = await reviewing.base_case(platform)
    await service.state_for_base(platform, XINGTAI, case.id, SAID)
    await service.dismiss(platform, HEBEI, case.id, "已安排下半年开班。")
    return await base_by_request(platform)


async def a_base_that_was_suspended_before(platform: Platform, wechat: Simulator) -> Loss:
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.SUSPENSION))
    decision = Decision(effective_on=reviewing.TODAY, reason=WHY)
    await base_requests.carry_out(platform, CENTRE, asked.id, decision)
    return await base_by_request(platform)


async def a_training_centre(platform: Platform, wechat: Simulator) -> Loss:
    case = await opening.about_centre(platform, CENTRE, cast.CHANGZHOU, 1, INTENT)

    def take(day: date) -> Awaitable[object]:
        return service.decide(platform, CENTRE, case.id, cancelling(day))

    return institution_loses(platform, cast.CHANGZHOU, case, take)


async def a_training_centre_that_was_suspended_before(platform: Platform, wechat: Simulator) -> Loss:
    decision = Decision(effective_on=reviewing.TODAY, reason=WHY)
    await qualifications.decide(platform, CENTRE, cast.CHANGZHOU, 1, QualificationAction.SUSPEND, decision)
    return await a_training_centre(platform, wechat)


async def a_backbone_teacher(platform: Platform, wechat: Simulator) -> Loss:
    stood = await reviewing.teacher_case(platform, wechat)

    async def stands() -> bool:
        member = await backbone.teacher_in_pool(platform, stood.case.subject_id)
        return member is not None and member.status is not PoolStatus.CANCELLED

    return Loss(
        lambda day: service.decide(platform, CENTRE, stood.case.id, cancelling(day)),
        lambda: service.state_own(platform, stood.teacher.actor, stood.case.id, SAID),
        stands,
    )


def cancelling(day: date) -> DecisionDraft:
    return DecisionDraft(outcome=Outcome.CANCELLED, effective_on=day, reason=WHY)


PATHS = [
    a_base_that_no_case_was_open_about,
    a_base_whose_case_the_review_opened,
    a_base_whose_case_was_dismissed_before,
    a_base_that_was_suspended_before,
    a_training_centre,
    a_training_centre_that_was_suspended_before,
    a_backbone_teacher,
]


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "silent"])
@pytest.mark.parametrize("path", PATHS)
async def test_no_title_falls_before_the_hearing_is_over(
    platform: Platform,
    wechat: Simulator,
    clock: FixedClock,
    path: Callable[[Platform, Simulator], Awaitable[Loss]],
    answers: bool,
) -> None:
    loss = await path(platform, wechat)
    with pytest.raises(TooEarly):
        await loss.take(reviewing.TODAY)
    assert await loss.stands()
    if answers:
        await loss.answer()
    else:
        clock.advance(LATER)
    await loss.take(reviewing.TODAY if answers else reviewing.TODAY + LATER)
    assert not await loss.stands()


async def test_nothing_else_takes_a_title(platform: Platform) -> None:
    """The ways that lead past a case are closed where the title is given up, not in front of each of them."""
    today = Decision(effective_on=reviewing.TODAY, reason=WHY)
    withdraw = QualificationAction.WITHDRAW
    with pytest.raises(Unheard):
        await qualifications.decide(platform, CENTRE, cast.CHANGZHOU, 1, withdraw, today)
    with pytest.raises(QualificationFixed):
        await qualifications.decide(platform, CENTRE, cast.XINGTAI, 1, withdraw, today)
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    with pytest.raises(Unheard):
        await cancel_past_any_case(platform, CENTRE, teacher)
    ended = {"valid_from": date(2025, 1, 1), "valid_to": date(2026, 3, 15)}
    confirmation = Confirmation.model_validate({"majors": ["01"], "reason": WHY} | ended)
    with pytest.raises(Invalid) as refused:
        await qualifications.confirm(platform, CENTRE, cast.XINGTAI, 1, confirmation)
    assert "按取消资格的程序办理" in refused.value.fields[0].message
    for code in (cast.CHANGZHOU, cast.XINGTAI):
        found = await institutions.institution(platform, CENTRE, code)
        assert found.qualifications[0].status is QualificationStatus.ACTIVE


@transactional
async def cancel_past_any_case(unit: UnitOfWork, teacher_id: str) -> None:
    await backbone.change_status(unit, teacher_id, PoolStatus.CANCELLED, reviewing.TODAY, WHY)


async def test_a_request_of_before_hearings_waits_for_the_next_review(platform: Platform) -> None:
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))
    await platform["qualification_cases"].delete_many({})
    decision = Decision(effective_on=reviewing.TODAY, reason=WHY)
    with pytest.raises(Unheard):
        await base_requests.carry_out(platform, CENTRE, asked.id, decision)
    assert (await requests.request(platform, CENTRE, asked.id)).state.open
    await review.review(platform)
    with pytest.raises(TooEarly):
        await base_requests.carry_out(platform, CENTRE, asked.id, decision)


async def test_a_training_centre_is_heard_once_by_whom_it_concerns_and_decided_by_the_centre(
    platform: Platform,
) -> None:
    """（一）师资研修中心 is the ministry's own affair: no province, no second case, and it reads why before it answers."""
    for nobody in (stage.actor(cast.JIANGSU_OFFICER), CHANGZHOU):
        with pytest.raises(Forbidden):
            await opening.about_centre(platform, nobody, cast.CHANGZHOU, 1, INTENT)
    with pytest.raises(QualificationFixed, match="第五条"):
        await opening.about_centre(platform, CENTRE, cast.XINGTAI, 1, INTENT)
    case = await opening.about_centre(platform, CENTRE, cast.CHANGZHOU, 1, INTENT)
    with pytest.raises(CaseOpen):
        await opening.about_centre(platform, CENTRE, cast.CHANGZHOU, 1, INTENT)
    [waits] = await progressing.waits(platform, CHANGZHOU, Case)
    assert waits.count == 1 and await progressing.waits(platform, CENTRE, Case) == []
    read = await service.case(platform, CHANGZHOU, case.id)
    assert [fact.value for fact in read.facts if "理由" in fact.title] == [WHY]
    await service.state_for_base(platform, CHANGZHOU, case.id, SAID)
    [waits] = await progressing.waits(platform, CENTRE, Case)
    assert waits.count == 1
    warned = DecisionDraft(outcome=Outcome.WARNED, effective_on=reviewing.TODAY, reason=WHY)
    with pytest.raises(Invalid):
        await service.decide(platform, CENTRE, case.id, warned)
    kept = DecisionDraft(outcome=Outcome.KEPT, effective_on=reviewing.TODAY, reason="整改到位。")
    assert (await service.decide(platform, CENTRE, case.id, kept)).state is State.DECIDED
    again = await opening.about_centre(platform, CENTRE, cast.CHANGZHOU, 1, INTENT)
    assert again.state is State.OPEN
    download = await service.decision_paper(platform, CENTRE, case.id, "2026-0001")
    assert download.media_type == "application/pdf"
