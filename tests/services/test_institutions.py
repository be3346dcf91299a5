"""Institution management on the real database (article 5): requests of a province, decisions of the centre, versions, codes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.institutions import qualifications, requests, rules, service
from server.institutions.annex1 import INSTITUTIONS
from server.institutions.documents import BaseRequest, InstitutionFilter
from server.institutions.qualifications import CentreDraft, CodeTaken, Confirmation, Decision
from server.institutions.requests import Grant, RequestDraft, RequestOpen
from server.institutions.rules import (
    Level,
    QualificationAction,
    QualificationFixed,
    QualificationKind,
    QualificationStatus,
    RequestAction,
    RequestPurpose,
    RequestState,
)
from server.kernel import policies
from server.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import NotInThisState
from server.qualification import base_requests
from tests import cast, reviewing, stage
from tests.examples import examples
from tests.progressing import waits

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
TODAY = date(2026, 3, 16)
"""The day of the test's clock."""


def new_base(**changes: object) -> RequestDraft:
    draft: dict[str, object] = {
        "purpose": RequestPurpose.NEW_BASE,
        "institution_name": "河北示例技师学院",
        "majors": ["01", "03"],
        "reason": "实训条件达到要求，师资力量充足，近三年承担省级师资培训。",
    }
    return RequestDraft.model_validate(draft | changes)


def about_xingtai(purpose: RequestPurpose, **changes: object) -> RequestDraft:
    same: dict[str, object] = {"purpose": purpose, "institution_code": "009", "institution_name": ""}
    number = {} if purpose is RequestPurpose.ADDITION else {"qualification_number": 1}
    return new_base(**(same | number | changes))


def grant(**changes: object) -> Grant:
    draft: dict[str, object] = {
        "code": "052",
        "majors": ["01"],
        "valid_from": TODAY,
        "valid_to": date(2029, 3, 15),
        "reason": "专家组审核通过，中心〔2026〕5 号公布。",
    }
    return Grant.model_validate(draft | changes)


DECISION = Decision(effective_on=TODAY, reason="两年内未开展培训，中心〔2026〕6 号。")


async def withdrawn_base(platform: Platform) -> BaseRequest:
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))
    await reviewing.hear_xingtai(platform)
    return await base_requests.carry_out(platform, CENTRE, asked.id, DECISION)


# ---- a new base


async def test_an_approved_school_is_an_institution_with_its_code_majors_and_validity(
    platform: Platform,
) -> None:
    asked = await base_requests.submit(platform, HEBEI, new_base())
    assert [one.count for one in await waits(platform, CENTRE, BaseRequest)] == [1]
    settled = await requests.grant(platform, CENTRE, asked.id, grant())
    assert (settled.state, settled.institution_code) == (RequestState.APPROVED, "052")
    found = await service.institution(platform, HEBEI, "052")
    [held] = found.qualifications
    assert (found.name, found.province_code) == ("河北示例技师学院", "13")
    assert (held.kind, held.majors, held.valid_to) == (
        QualificationKind.TRAINING_BASE,
        ("01",),
        date(2029, 3, 15),
    )
    [version] = found.versions
    assert (version.action, version.actor_name, version.request_id) == ("PUBLISH", CENTRE.name, asked.id)
    assert rules.qualified(found.qualifications, Level.THREE, "01", TODAY)
    assert not rules.qualified(found.qualifications, Level.ONE, "01", TODAY)
    assert await waits(platform, CENTRE, BaseRequest) == []


async def test_a_code_is_never_given_twice_also_not_after_a_withdrawal(platform: Platform) -> None:
    await withdrawn_base(platform)
    asked = await base_requests.submit(platform, HEBEI, new_base())
    for code in ("009", "001", "000", "52", ""):
        with pytest.raises((CodeTaken, Invalid)):
            await requests.grant(platform, CENTRE, asked.id, grant(code=code))
    assert (await requests.proposal(platform)).code == "052"
    assert (await requests.request(platform, CENTRE, asked.id)).state is RequestState.SUBMITTED
    assert len(await service.list_institutions(platform, CENTRE)) == len(INSTITUTIONS)


async def test_two_approvals_at_once_never_share_a_code(platform: Platform) -> None:
    first = await base_requests.submit(platform, HEBEI, new_base())
    second = await base_requests.submit(platform, JIANGSU, new_base(institution_name="江苏示例技师学院"))
    outcomes = await asyncio.gather(
        *(requests.grant(platform, CENTRE, one.id, grant()) for one in (first, second)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["BaseRequest", "CodeTaken"]


async def test_what_was_amended_since_it_was_read_is_neither_granted_nor_declined(platform: Platform) -> None:
    """Approving names the version that was seen: the centre read one request and would publish another."""
    asked = await base_requests.submit(platform, HEBEI, new_base())
    await requests.decline(platform, CENTRE, asked.id, "请补充材料", seen=1)
    await requests.resubmit(platform, HEBEI, asked.id, new_base(majors=["02"]))
    for seen in (1, 2):
        with pytest.raises(Conflict, match="数据已被修改"):
            await requests.grant(platform, CENTRE, asked.id, grant(majors=["02"]), seen=seen)
        with pytest.raises(Conflict, match="数据已被修改"):
            await requests.decline(platform, CENTRE, asked.id, "请补充材料", seen=seen)
    granted = await requests.grant(platform, CENTRE, asked.id, grant(majors=["02"]), seen=3)
    assert granted.state is RequestState.APPROVED


async def test_a_declined_request_goes_back_to_the_province_and_may_come_again_or_be_retracted(
    platform: Platform,
) -> None:
    asked = await base_requests.submit(platform, HEBEI, new_base())
    declined = await requests.decline(platform, CENTRE, asked.id, "请补充信息类的实训条件。")
    assert declined.decision is not None and declined.decision.reason == "请补充信息类的实训条件。"
    [line] = await waits(platform, HEBEI, BaseRequest)
    assert line.count == 1 and await waits(platform, CENTRE, BaseRequest) == []
    again = await requests.resubmit(platform, HEBEI, asked.id, new_base(majors=["01"]))
    assert (again.state, again.majors) == (RequestState.SUBMITTED, ["01"])
    await base_requests.retract(platform, HEBEI, asked.id)
    with pytest.raises(NotInThisState, match="request-settled: "):
        await requests.grant(platform, CENTRE, asked.id, grant())
    steps = [step.action for step in (await requests.request(platform, HEBEI, asked.id)).history]
    assert steps == ["SUBMIT", "DECLINE", "RESUBMIT", "RETRACT"]


async def test_one_school_has_one_open_request(platform: Platform) -> None:
    asked = await base_requests.submit(platform, HEBEI, new_base())
    with pytest.raises(RequestOpen):
        await base_requests.submit(platform, HEBEI, new_base())
    await base_requests.retract(platform, HEBEI, asked.id)
    await base_requests.submit(platform, HEBEI, new_base())


@pytest.mark.parametrize(
    "draft",
    [
        new_base(institution_name="邢台技师学院"),
        new_base(institution_name="某校"),
        new_base(majors=[]),
        new_base(majors=["99"]),
        about_xingtai(RequestPurpose.ADDITION),  # holds every 专业大类 already
        about_xingtai(RequestPurpose.ADDITION, institution_code="017"),
        about_xingtai(RequestPurpose.RESUMPTION),
        about_xingtai(RequestPurpose.WITHDRAWAL, qualification_number=2),
    ],
)
async def test_what_cannot_be_asked_is_refused_at_its_field(platform: Platform, draft: RequestDraft) -> None:
    with pytest.raises(Invalid) as refusal:
        await base_requests.submit(platform, HEBEI, draft)
    assert refusal.value.fields


async def test_the_centre_approves_nothing_that_was_not_recommended(platform: Platform) -> None:
    asked = await base_requests.submit(platform, HEBEI, new_base())
    for changes in (
        {"majors": ["05"]},
        {"valid_from": date(2026, 3, 15)},
        {"valid_to": date(2026, 3, 15)},
    ):
        with pytest.raises(Invalid):
            await requests.grant(platform, CENTRE, asked.id, grant(**changes))


async def test_the_neighbours_see_nothing_and_nobody_else_acts(platform: Platform) -> None:
    asked = await base_requests.submit(platform, HEBEI, new_base())
    assert await requests.list_requests(platform, JIANGSU) == []
    with pytest.raises(NotFound):
        await requests.request(platform, JIANGSU, asked.id)
    with pytest.raises(NotFound):
        await base_requests.retract(platform, JIANGSU, asked.id)
    with pytest.raises(NotFound):
        await requests.request(platform, XINGTAI, asked.id)
    with pytest.raises(Forbidden):
        await requests.grant(platform, HEBEI, asked.id, grant())
    for nobody in (CENTRE, XINGTAI):
        with pytest.raises(Forbidden):
            await base_requests.submit(platform, nobody, new_base())


# ---- an addition, and what happens to a qualification


async def test_a_withdrawn_base_may_be_recommended_again_and_gets_another_qualification(
    platform: Platform,
) -> None:
    await withdrawn_base(platform)
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.ADDITION))
    await requests.grant(platform, CENTRE, asked.id, grant(code="", majors=["03"]))
    found = await service.institution(platform, CENTRE, "009")
    assert [one.status for one in found.qualifications] == [
        QualificationStatus.WITHDRAWN,
        QualificationStatus.ACTIVE,
    ]
    assert [version.action for version in found.versions] == ["ENTER", "WITHDRAW", "PUBLISH"]
    assert not rules.qualified(found.qualifications, Level.THREE, "01", TODAY)
    assert rules.qualified(found.qualifications, Level.TWO, "03", TODAY)


async def test_a_base_is_suspended_resumed_and_withdrawn_on_request_and_every_version_can_be_read(
    platform: Platform,
) -> None:
    for purpose in (RequestPurpose.SUSPENSION, RequestPurpose.RESUMPTION, RequestPurpose.WITHDRAWAL):
        asked = await base_requests.submit(platform, HEBEI, about_xingtai(purpose))
        if purpose is RequestPurpose.WITHDRAWAL:
            await reviewing.hear_xingtai(platform)
        await base_requests.carry_out(platform, CENTRE, asked.id, DECISION)
    found = await service.institution(platform, HEBEI, "009")
    told = [(one.action, one.before and one.before.status, one.after.status) for one in found.versions_of(1)]
    active, suspended, withdrawn = QualificationStatus
    assert told == [
        ("ENTER", None, active),
        ("SUSPEND", active, suspended),
        ("RESUME", suspended, active),
        ("WITHDRAW", active, withdrawn),
    ]
    assert found.versions[-1].reason == DECISION.reason
    with pytest.raises(Invalid):
        await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.SUSPENSION))


async def test_a_base_is_not_withdrawn_without_its_province_but_a_centre_is(platform: Platform) -> None:
    with pytest.raises(QualificationFixed, match="第五条"):
        await qualifications.decide(platform, CENTRE, "009", 1, QualificationAction.WITHDRAW, DECISION)
    draft = about_xingtai(RequestPurpose.WITHDRAWAL, institution_code="017")
    with pytest.raises(Invalid):
        await base_requests.submit(platform, JIANGSU, draft)
    with pytest.raises(Forbidden):
        await qualifications.decide(platform, JIANGSU, "017", 1, QualificationAction.SUSPEND, DECISION)
    later = Decision(effective_on=date(2026, 4, 1), reason="按部里公布的名单调整。")
    found = await qualifications.decide(platform, CENTRE, "017", 1, QualificationAction.SUSPEND, later)
    assert rules.qualified(found.qualifications, Level.ONE, "01", date(2026, 3, 31))
    assert not rules.qualified(found.qualifications, Level.ONE, "01", date(2026, 4, 1))


# ---- publishing a 师资研修中心


def new_centre(**changes: object) -> CentreDraft:
    draft: dict[str, object] = {
        "code": "009",
        "majors": ["01"],
        "valid_from": TODAY,
        "reason": "部里公布，中心〔2026〕8 号。",
    }
    return CentreDraft.model_validate(draft | changes)


async def test_the_centre_publishes_a_training_centre_which_may_be_a_base_or_a_new_school(
    platform: Platform,
) -> None:
    both = await qualifications.publish_centre(platform, CENTRE, new_centre())
    for level in Level:
        assert rules.qualified(both.qualifications, level, "01", TODAY)
    new = new_centre(code="052", name="河北示例技师学院", province_code="13")
    published = await qualifications.publish_centre(platform, CENTRE, new)
    assert (published.id, published.province_code) == ("052", "13")
    assert rules.levels_held(published.qualifications, TODAY) == [Level.BACKBONE, Level.ONE]


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "017"},  # is one already for every 专业大类
        {"name": "河北示例技师学院", "province_code": "13"},  # 009 is taken
        {"code": "052", "name": "河北示例技师学院"},
        {"code": "052", "name": "邢台技师学院", "province_code": "13"},
        {"valid_from": date(2026, 3, 15)},
        {"valid_to": date(2026, 3, 15)},
        {"majors": ["99"]},
    ],
)
async def test_a_training_centre_that_cannot_be_is_not_published(
    platform: Platform, changes: dict[str, object]
) -> None:
    with pytest.raises((CodeTaken, Invalid)):
        await qualifications.publish_centre(platform, CENTRE, new_centre(**changes))
    assert len(await service.list_institutions(platform, CENTRE)) == len(INSTITUTIONS)


async def test_nobody_but_the_centre_publishes_a_training_centre(platform: Platform) -> None:
    for nobody in (HEBEI, XINGTAI):
        with pytest.raises(Forbidden):
            await qualifications.publish_centre(platform, nobody, new_centre())
    with pytest.raises(NotFound):
        await qualifications.publish_centre(platform, CENTRE, new_centre(code="999"))


# ---- confirming annex 1


async def test_the_seeded_qualification_is_to_be_confirmed_until_the_centre_says_majors_and_validity(
    platform: Platform,
) -> None:
    wanted = Confirmation(
        majors=["01", "02"],
        valid_from=date(2026, 1, 1),
        valid_to=date(2028, 12, 31),
        reason="中心〔2026〕1 号",
    )
    assert (await service.institution(platform, CENTRE, "009")).awaits_confirmation(1)
    with pytest.raises(Invalid):
        await qualifications.confirm(platform, CENTRE, "009", 1, wanted.model_copy(update={"valid_to": None}))
    with pytest.raises(Forbidden):
        await qualifications.confirm(platform, XINGTAI, "009", 1, wanted)
    found = await qualifications.confirm(platform, CENTRE, "009", 1, wanted)
    assert not found.to_confirm and found.qualifications[0].majors == ("01", "02")
    with pytest.raises(QualificationFixed):
        await qualifications.confirm(platform, CENTRE, "009", 1, wanted)
    with pytest.raises(NotFound):
        await qualifications.confirm(platform, CENTRE, "009", 2, wanted)
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.ADDITION, majors=["03"]))
    await requests.grant(platform, CENTRE, asked.id, grant(majors=["03"]))
    assert rules.qualified(
        (await service.institution(platform, CENTRE, "009")).qualifications, Level.TWO, "03", TODAY
    )


async def test_the_usual_validity_follows_the_policy(platform: Platform) -> None:
    assert (await requests.proposal(platform)).valid_to == date(2029, 3, 15)
    wanted = PolicyChange(key="base_validity_years", value=5, effective_from=TODAY, reason="中心〔2026〕9 号")
    await policies.change(platform, CENTRE, wanted)
    assert (await requests.proposal(platform)).valid_to == date(2031, 3, 15)


async def test_institutions_are_found_by_what_they_hold(platform: Platform) -> None:
    await withdrawn_base(platform)

    async def codes(**wanted: object) -> list[str]:
        narrowed = InstitutionFilter(**wanted)  # type: ignore[arg-type]  # by name
        return [one.id for one in await service.list_institutions(platform, CENTRE, narrowed)]

    assert await codes(kind=QualificationKind.TRAINING_CENTRE) == ["002", "005", "017", "033"]
    assert await codes(status=QualificationStatus.WITHDRAWN) == ["009"]
    assert await codes(words="邢台") == ["009"] == await codes(words="009")
    assert await codes(words=".*") == []
    assert await codes(province_code="13") == ["008", "009"]
    assert len(await codes(to_confirm=True)) == len(INSTITUTIONS)


# ---- random people

OFFICERS = {"centre": CENTRE, "hebei": HEBEI, "jiangsu": JIANGSU, "xingtai": XINGTAI}
ACTS = [RequestAction.APPROVE, RequestAction.DECLINE, RequestAction.RESUBMIT, RequestAction.RETRACT]
# Those whose act it is come up more often: a story should get somewhere.
who = st.sampled_from([*OFFICERS, "centre", "hebei", "hebei"])


def request_act(
    platform: Platform, officer: Actor, one: BaseRequest, action: RequestAction
) -> Awaitable[BaseRequest]:
    match action:
        case RequestAction.APPROVE:
            return requests.grant(platform, officer, one.id, grant())
        case RequestAction.DECLINE:
            return requests.decline(platform, officer, one.id, "请补充材料。")
        case RequestAction.RESUBMIT:
            return requests.resubmit(platform, officer, one.id, new_base())
        case _:
            return base_requests.retract(platform, officer, one.id)


@examples(20)
@given(st.lists(st.tuples(who, st.sampled_from(ACTS)), min_size=4, max_size=16))
async def test_a_request_goes_only_where_its_table_says_and_leaves_a_trace(
    platform: Platform, story: list[tuple[str, RequestAction]]
) -> None:
    await stage.clear(platform)
    await platform["institutions"].delete_many({"_id": grant().code})
    one = await base_requests.submit(platform, HEBEI, new_base())
    for name, action in story:
        officer, entries = OFFICERS[name], await platform["audit"].count_documents({})
        refused: Problem | None = None
        try:
            await request_act(platform, officer, one, action)
        except Problem as problem:
            refused = problem
        now = await requests.request(platform, CENTRE, one.id)
        written = await platform["audit"].count_documents({}) - entries
        in_reach = name in ("centre", "hebei")
        right = in_reach and officer.roles & rules.REQUEST_STEPS.may_act(action)
        if right and (one.state, action) in rules.REQUEST_STEPS.transitions:
            assert refused is None and written >= 1
            assert now.state is rules.REQUEST_STEPS.transitions[one.state, action]
            assert [*one.history, now.history[-1]] == now.history
            assert now.history[-1].actor_id == officer.id
        else:
            assert refused is not None and now == one and written == 0
            assert isinstance(refused, NotFound) == (not in_reach)
        one = now
    published = await platform["institutions"].count_documents({"_id": grant().code})
    assert published == (1 if one.state is RequestState.APPROVED else 0)
