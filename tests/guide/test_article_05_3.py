"""第五条（三）: 对两年内未开展工学一体化教师培训的教师培训基地，由省级管理部门向我部提出申请取消其教师培训基地资格。"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from server.attendance import work
from server.institutions import service as institutions
from server.institutions.qualifications import Decision
from server.institutions.requests import RequestDraft
from server.institutions.rules import QualificationStatus, RequestPurpose
from server.kernel.clock import FixedClock
from server.kernel.errors import Forbidden
from server.kernel.platform import Platform
from server.qualification import base_requests, review, training
from server.qualification import service as qualification
from server.qualification.rules import Grade, Outcome, Rule, State, Subject
from server.qualification.service import DecisionDraft, StatementDraft
from server.wechat.simulator import Simulator
from tests import cast, reviewing, stage
from tests.assessing import assess_everybody, release
from tests.reviewing import CENTRE, HEBEI, TODAY, XINGTAI

WITHDRAWAL = RequestDraft(
    purpose=RequestPurpose.WITHDRAWAL,
    institution_code=cast.XINGTAI,
    qualification_number=1,
    reason="两年内未开展工学一体化教师培训。",
)


async def test_a_base_without_training_in_two_years_is_looked_at_and_keeps_its_title_until_decided(
    platform: Platform, clock: FixedClock
) -> None:
    """两年内未开展: on the last day of the two years there is no case yet, on the day after there is; nothing is withdrawn by itself."""
    await reviewing.base_since(platform, date(2024, 3, 16))
    await review.review(platform)
    assert await reviewing.cases(platform) == []
    clock.advance(timedelta(days=1))
    await review.review(platform)
    [case] = await reviewing.cases(platform)
    assert (case.subject, case.rule, case.subject_id) == (Subject.BASE, Rule.NO_CLASS, "009-1")
    school = await institutions.institution(platform, CENTRE, cast.XINGTAI)
    assert school.qualifications[0].status is QualificationStatus.ACTIVE


async def test_a_class_of_its_levels_keeps_a_base(platform: Platform) -> None:
    """开展工学一体化教师培训: a class counts, also one that runs on the day of the review."""
    await reviewing.base_since(platform, date(2023, 1, 1))
    await stage.open_class(platform, XINGTAI, stage.class_draft(starts_on=TODAY, ends_on=TODAY))
    await review.review(platform)
    assert await reviewing.cases(platform) == []


async def test_a_class_that_nobody_came_to_is_no_training(platform: Platform) -> None:
    """未开展工学一体化教师培训: a class of last month, approved today, is finished at once and has nobody in it."""
    await reviewing.base_since(platform, date(2023, 1, 1))
    last_month = stage.class_draft(starts_on=date(2026, 2, 2), ends_on=date(2026, 2, 13))
    await stage.open_class(platform, XINGTAI, last_month)
    await review.review(platform)
    [case] = await reviewing.cases(platform)
    assert case.facts[1].value.startswith("没有开展过培训")


async def test_a_base_has_trained_by_a_released_class_and_from_its_sessions_on(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """两年: they begin with the last session that was held, not with the last day that was planned."""
    await reviewing.base_since(platform, date(2023, 1, 1))
    held = await stage.class_in_session(platform, wechat, trainees=1)
    await assess_everybody(platform, held)
    clock.set(datetime(2026, 3, 28, 4, tzinfo=UTC))

    async def trained() -> date | None:
        found = (await training.last_training(platform, [cast.XINGTAI])).get(cast.XINGTAI)
        return found.last if found else None

    assert await trained() == date(2026, 3, 28), "it awaits its release"
    clock.set(datetime(2026, 4, 26, 4, tzinfo=UTC))
    assert await trained() == date(2026, 4, 26), "30 days after its last day"
    clock.set(datetime(2026, 4, 27, 4, tzinfo=UTC))
    assert await trained() is None, "and then it was never released"
    await release(platform, held)
    last = await work.trained_days(platform, held.id)
    assert last is not None and await trained() == last[1] < held.training_class.ends_on
    clock.set(datetime(last[1].year + 2, last[1].month, last[1].day, 4, tzinfo=UTC))
    await review.review(platform)
    assert [one for one in await reviewing.cases(platform) if one.subject_id == "009-1"] == []
    clock.advance(timedelta(days=1))
    await review.review(platform)
    [case] = [one for one in await reviewing.cases(platform) if one.subject_id == "009-1"]
    assert held.training_class.name in case.facts[1].value and str(last[1]) in case.facts[1].value


async def test_the_province_applies_and_the_centre_decides(platform: Platform) -> None:
    """由省级管理部门向我部提出申请: neither the centre by itself nor the base; the case is decided with the request."""
    case = await reviewing.base_case(platform)
    wanted = DecisionDraft(outcome=Outcome.CANCELLED, effective_on=TODAY, reason="没有申请的决定")
    with pytest.raises(Forbidden):
        await qualification.decide(platform, CENTRE, case.id, wanted)
    for nobody in (CENTRE, XINGTAI):
        with pytest.raises(Forbidden):
            await base_requests.submit(platform, nobody, WITHDRAWAL)
    asked = await base_requests.submit(platform, HEBEI, WITHDRAWAL)
    filed = await qualification.case(platform, CENTRE, case.id)
    assert (filed.state, filed.request_id) == (State.FILED, asked.id)
    said = StatementDraft(text="今年计划改由他校承办，没有开班。")
    await qualification.state_for_base(platform, XINGTAI, case.id, said)
    await base_requests.carry_out(platform, CENTRE, asked.id, Decision(effective_on=TODAY, reason="同意取消"))
    decided = await qualification.case(platform, CENTRE, case.id)
    assert decided.decision is not None and decided.decision.outcome is Outcome.CANCELLED
    school = await institutions.institution(platform, CENTRE, cast.XINGTAI)
    assert school.qualifications[0].status is QualificationStatus.WITHDRAWN


async def test_base_and_province_are_warned_six_and_three_months_before(
    platform: Platform, clock: FixedClock
) -> None:
    """日常监管: early enough that a class can still be held."""
    await reviewing.base_since(platform, date(2024, 9, 16))
    await review.review(platform)
    for officer in (HEBEI, XINGTAI):
        [warning] = await reviewing.warnings(platform, officer)
        assert (warning.grade, warning.last) == (Grade.SIX_MONTHS, date(2026, 9, 16))
    clock.advance(timedelta(days=92))
    await review.review(platform)
    assert [one.grade for one in await reviewing.warnings(platform, HEBEI)] == [
        Grade.SIX_MONTHS,
        Grade.THREE_MONTHS,
    ]
