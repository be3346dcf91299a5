"""Dynamic management on the real database: the daily review, cases of teachers and of bases, decisions and their reversal."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus, StatusNotPossible
from server.institutions import requests
from server.institutions import service as institutions
from server.institutions.qualifications import Decision as BaseDecision
from server.institutions.requests import RequestDraft
from server.institutions.rules import QualificationStatus, RequestPurpose
from server.invitations.rules import State as InvitationState
from server.kernel.clock import FixedClock
from server.kernel.errors import Forbidden, Invalid, NotFound
from server.kernel.hearings import TooEarly, Unheard
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.progress import desk
from server.qualification import base_requests, review, service
from server.qualification.coming import Coming, coming
from server.qualification.documents import Case, CaseFilter
from server.qualification.rules import (
    CaseSettled,
    Grade,
    Outcome,
    Rule,
    State,
    StatementOver,
    Subject,
)
from server.qualification.service import DecisionDraft, ReversalDraft, StatementDraft
from server.wechat.simulator import Simulator
from tests import cast, progressing, reviewing, stage
from tests.reviewing import CENTRE, HEBEI, JIANGSU, TODAY, XINGTAI, YANGZHOU
from tests.services.test_tasks_of_teachers import a_task, keep

DAY = timedelta(days=1)
LONG = date(2023, 6, 1)
SAID = StatementDraft(text="去年因病住院，附有证明。")


def deciding(outcome: Outcome, on: date = TODAY) -> DecisionDraft:
    return DecisionDraft(outcome=outcome, effective_on=on, reason="经部指导中心研究决定。")


def reversing(on: date = TODAY) -> ReversalDraft:
    return ReversalDraft(effective_on=on, reason="复核认为原决定依据不足。")


def withdrawing() -> RequestDraft:
    return RequestDraft(
        purpose=RequestPurpose.WITHDRAWAL,
        institution_code=cast.XINGTAI,
        qualification_number=1,
        reason="两年内未开展工学一体化教师培训，申请取消。",
    )


# ---- the review


async def test_the_review_opens_a_case_once_and_tells_the_teacher(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await reviewing.registered(platform, date(2021, 3, 1), tasks=(date(2023, 5, 10),))
    assert dict(await review.review(platform)) == {"核查": 48, "立案": 1, "预警": 0}
    [case] = await reviewing.cases(platform)
    assert (case.subject, case.subject_id, case.rule) == (Subject.TEACHER, teacher, Rule.NO_TASK)
    assert (case.first, case.last, case.key) == (date(2023, 5, 10), date(2025, 5, 10), "2023-05-10")
    assert case.state_until == TODAY + timedelta(days=15)
    told = {"person_id": teacher, "template": "qualification-case"}
    [message] = await platform["outbox"].find(told).to_list(None)
    assert message["data"]["case_id"] == case.id
    for _ in range(3):
        clock.advance(DAY)
        await review.review(platform)
    assert await reviewing.cases(platform) == [case]
    assert await platform["outbox"].count_documents(told) == 1


async def test_what_a_case_rests_on_is_frozen(platform: Platform) -> None:
    teacher = await reviewing.registered(platform, date(2021, 3, 1), tasks=(date(2023, 5, 10),))
    await review.review(platform)
    [before] = await reviewing.cases(platform)
    facts = {fact.title: fact.value for fact in before.facts}
    assert facts["登记入库"] == "2021-03-01"
    assert "2023-04培训班" in facts["最近一次任务"] and "2023-05-10" in facts["最近一次任务"]
    assert facts["两年起止"] == "2023-05-10 至 2025-05-10"
    await keep(platform, a_task(teacher, date(2025, 4, 1)))
    await review.review(platform)
    assert await reviewing.cases(platform) == [before]


async def test_two_reviews_at_once_open_one_case(platform: Platform) -> None:
    for seed in range(1, 6):
        await reviewing.registered(platform, LONG, cast.person(seed))
    await asyncio.gather(*(review.review(platform) for _ in range(3)))
    found = await reviewing.cases(platform)
    assert len(found) == 5 and len({one.subject_id for one in found}) == 5
    assert await platform["outbox"].count_documents({"template": "qualification-case"}) == 5


async def test_a_review_that_is_cut_off_is_finished_by_the_next(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(1, 6):
        await reviewing.registered(platform, LONG, cast.person(seed))
    monkeypatch.setattr(review, "IN_ONE_TRANSACTION", 2)
    monkeypatch.setattr(review, "BATCH", 3)
    write, written = review._write, 0

    async def cut_off(*args: object) -> object:
        nonlocal written
        written += 1
        if written == 2:
            raise ConnectionError
        return await write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(review, "_write", cut_off)
    with pytest.raises(ConnectionError):
        await review.review(platform)
    assert 0 < len(await reviewing.cases(platform)) < 5
    await review.review(platform)
    assert len(await reviewing.cases(platform)) == 5


async def test_early_warnings_come_at_six_and_at_three_months_once_each(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await reviewing.registered(platform, date(2024, 9, 17))
    await review.review(platform)
    assert await reviewing.warnings(platform) == []
    clock.advance(DAY)  # 17 March: six months before 17 September
    await review.review(platform)
    clock.advance(DAY)
    await review.review(platform)
    [six] = await reviewing.warnings(platform)
    assert (six.grade, six.subject_id, six.last) == (Grade.SIX_MONTHS, teacher, date(2026, 9, 17))
    clock.advance(timedelta(days=91))  # 17 June
    await review.review(platform)
    assert [one.grade for one in await reviewing.warnings(platform)] == [
        Grade.SIX_MONTHS,
        Grade.THREE_MONTHS,
    ]
    told = {"person_id": teacher, "template": "qualification-warning"}
    messages = await platform["outbox"].find(told).to_list(None)
    assert len(messages) == 2
    assert "2026-09-17" in messages[0]["data"]["advice"]
    assert await reviewing.cases(platform) == []


async def test_a_warning_is_answered_by_a_task(platform: Platform) -> None:
    teacher = await reviewing.registered(platform, date(2024, 5, 1))
    await review.review(platform)
    given = await reviewing.warnings(platform)
    assert await service.still_holding(platform, given) == {given[0].id}
    await keep(platform, a_task(teacher, TODAY - 3 * DAY))
    assert await service.still_holding(platform, given) == set()


@pytest.mark.parametrize(
    ("begins", "said"),
    [(date(2026, 5, 1), "开班后预警自动解除"), (date(2026, 5, 2), "请在 2026-05-01 前承担任务")],
)
async def test_an_accepted_class_to_come_is_told_beside_the_warning(
    platform: Platform, wechat: Simulator, begins: date, said: str
) -> None:
    teacher = await reviewing.registered(platform, date(2024, 5, 1))
    later, agreed = a_task(teacher, date(2026, 7, 1)), a_task(teacher, begins)
    await keep(platform, later, agreed, a_task(teacher, TODAY + DAY, state=InvitationState.DECLINED))
    await reviewing.base_since(platform, date(2024, 5, 1))
    opened = await stage.open_class(
        platform,
        stage.actor(cast.XINGTAI_OFFICER),
        stage.class_draft(starts_on=begins, ends_on=begins + 11 * DAY),
    )
    await review.review(platform)
    given = {
        one.subject: one
        for one in await reviewing.warnings(platform)
        if one.subject_id in (teacher, reviewing.XINGTAI_BASE)
    }
    found = await coming(platform, list(given.values()))
    assert found[given[Subject.TEACHER].id] == Coming(agreed.class_name, begins)
    assert found[given[Subject.BASE].id] == Coming(opened.name, begins)
    told = await platform["outbox"].find_one({"person_id": teacher, "template": "qualification-warning"})
    assert told is not None
    assert (
        f"“{agreed.class_name}”将于 {begins} 开班" in told["data"]["advice"]
        and said in told["data"]["advice"]
    )
    phone = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    [warning] = (standing := await service.my_standing(platform, phone.actor)).warnings
    assert standing.coming[warning.id].starts_on == begins
    await platform["invitations"].update_one({"_id": agreed.id}, {"$set": {"starts_on": TODAY.isoformat()}})
    assert await service.still_holding(platform, [warning]) == set(), "once it has begun, it is answered"


async def test_one_bad_year_warns_and_two_in_a_row_open_a_case(platform: Platform, clock: FixedClock) -> None:
    clock.advance(timedelta(days=30))  # 15 April
    recent = (date(2026, 2, 10),)
    once = await reviewing.registered(
        platform, LONG, cast.person(1), tasks=recent, scores={2024: 2.4, 2025: 1.98}
    )
    twice = await reviewing.registered(
        platform, LONG, cast.person(2), tasks=recent, scores={2024: 1.9, 2025: 1.98}
    )
    await reviewing.registered(platform, LONG, cast.person(3), tasks=recent, scores={2025: 2.0})
    await review.review(platform)
    [warning] = await reviewing.warnings(platform)
    assert (warning.subject_id, warning.grade, warning.key) == (once, Grade.BAD_YEAR, "2025")
    [case] = await reviewing.cases(platform)
    assert (case.subject_id, case.rule) == (twice, Rule.LOW_SATISFACTION)
    assert (case.first, case.last) == (date(2024, 1, 1), date(2025, 12, 31))
    assert [fact.title for fact in case.facts] == ["登记入库", "2024 年度满意度", "2025 年度满意度"]


async def test_suspended_time_is_not_held_against_a_teacher(platform: Platform, clock: FixedClock) -> None:
    teacher = await reviewing.registered(platform, date(2024, 3, 20))
    await reviewing.set_status(platform, CENTRE, teacher, PoolStatus.SUSPENDED, TODAY)
    clock.advance(timedelta(days=400))
    await review.review(platform)
    assert await reviewing.cases(platform) == []
    await reviewing.set_status(platform, CENTRE, teacher, PoolStatus.ACTIVE, TODAY + timedelta(days=400))
    clock.advance(timedelta(days=4))  # the four days that were left are over
    await review.review(platform)
    assert await reviewing.cases(platform) == []
    clock.advance(DAY)
    await review.review(platform)
    assert len(await reviewing.cases(platform)) == 1


async def test_only_accepted_tasks_count_and_a_running_class_does(platform: Platform) -> None:
    declined = await reviewing.registered(platform, LONG, cast.person(1))
    running = await reviewing.registered(platform, LONG, cast.person(2))
    planned = await reviewing.registered(platform, LONG, cast.person(3))
    await keep(
        platform,
        a_task(declined, TODAY - 60 * DAY, state=InvitationState.DECLINED),
        a_task(running, TODAY - DAY),
        a_task(planned, TODAY + DAY),
    )
    await review.review(platform)
    assert {one.subject_id for one in await reviewing.cases(platform)} == {declined, planned}


async def test_a_base_without_a_class_gets_a_case_and_one_with_a_class_none(platform: Platform) -> None:
    for code in (cast.XINGTAI, cast.YANGZHOU):
        await reviewing.base_since(platform, LONG, code)
    await stage.open_class(
        platform, YANGZHOU, stage.class_draft(starts_on=date(2026, 3, 9), ends_on=date(2026, 3, 18))
    )
    await review.review(platform)
    [case] = await reviewing.cases(platform)
    assert (case.subject, case.subject_id, case.name) == (Subject.BASE, "009-1", "邢台技师学院")
    assert case.facts[1].value.startswith("没有开展过培训")


async def test_a_suspended_or_expired_base_is_left_alone(platform: Platform, clock: FixedClock) -> None:
    await reviewing.base_since(platform, date(2024, 3, 20))
    asked = await base_requests.submit(
        platform, HEBEI, withdrawing().model_copy(update={"purpose": RequestPurpose.SUSPENSION})
    )
    await base_requests.carry_out(
        platform, CENTRE, asked.id, BaseDecision(effective_on=TODAY, reason="实训楼改造")
    )
    clock.advance(timedelta(days=300))
    await review.review(platform)
    assert await reviewing.cases(platform) == []


# ---- a teacher's case


async def test_a_teacher_states_the_case_and_the_same_words_again_change_nothing(
    platform: Platform, wechat: Simulator
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    first = await service.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    again = await service.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    assert first == again and first.state is State.STATED and len(first.statements) == 1
    more = await service.state_own(
        platform, stood.teacher.actor, stood.case.id, StatementDraft(text="补充：复诊记录。")
    )
    assert [one.text for one in more.statements] == [SAID.text, "补充：复诊记录。"]


async def test_nobody_else_states_a_teachers_case(platform: Platform, wechat: Simulator) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    with pytest.raises(NotFound):
        await service.state_own(platform, other.actor, stood.case.id, SAID)
    for officer in (CENTRE, HEBEI):
        with pytest.raises(Forbidden):
            await service.state_for_base(platform, officer, stood.case.id, SAID)


async def test_a_statement_has_its_last_day(platform: Platform, wechat: Simulator, clock: FixedClock) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    clock.advance(timedelta(days=15))
    await service.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    clock.advance(DAY)
    with pytest.raises(StatementOver):
        await service.state_own(platform, stood.teacher.actor, stood.case.id, StatementDraft(text="再补充。"))


async def test_what_burdens_waits_and_what_relieves_does_not(platform: Platform, wechat: Simulator) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    for outcome in (Outcome.WARNED, Outcome.CANCELLED):
        with pytest.raises(TooEarly):
            await service.decide(platform, CENTRE, stood.case.id, deciding(outcome))
    kept = await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.KEPT))
    assert kept.state is State.DECIDED and kept.decision is not None


async def test_a_cancellation_takes_the_title_on_its_day_and_lists_what_runs(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    teacher = stood.teacher.actor.id
    await keep(platform, a_task(teacher, TODAY + 30 * DAY), a_task(teacher, TODAY + 10 * DAY))
    await service.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    later = TODAY + 5 * DAY
    decided = await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.CANCELLED, later))
    assert decided.decision is not None and decided.decision.number == "2026-0001"
    member = await backbone.teacher_in_pool(platform, teacher)
    assert member is not None and member.active and member.history[-1].case_id == decided.id
    listed = (await service.running(platform, CENTRE, decided)).tasks
    assert [one.starts_on for one in listed] == [TODAY + 10 * DAY, TODAY + 30 * DAY]
    clock.advance(5 * DAY)
    await backbone.apply_due(platform)
    member = await backbone.teacher_in_pool(platform, teacher)
    assert member is not None and member.status is PoolStatus.CANCELLED
    templates = [one["template"] async for one in platform["outbox"].find({"person_id": teacher})]
    assert templates.count("qualification-decided") == 1
    await review.review(platform)
    assert len(await reviewing.cases(platform)) == 1


async def test_a_decision_names_the_teacher_as_on_its_day(platform: Platform, wechat: Simulator) -> None:
    @transactional
    async def rename(unit: UnitOfWork, name: str) -> None:
        await backbone.rename(unit, stood.case.subject_id, name)
        unit.audit("corrections:apply", stood.case.subject_id)

    stood = await reviewing.teacher_case(platform, wechat)
    await rename(platform, CENTRE, "古丽·试例")
    decided = await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.KEPT))
    await rename(platform, CENTRE, "古丽·再试")
    found = await service.case(platform, CENTRE, stood.case.id)
    assert decided.name == found.name == "古丽·试例", "what was published does not change any more"


async def test_the_decision_on_a_base_names_it_as_on_its_day(platform: Platform) -> None:
    @transactional
    async def rename(unit: UnitOfWork) -> None:
        await institutions.rename(unit, cast.XINGTAI, "邢台示例技师学院")
        unit.audit("corrections:apply", cast.XINGTAI)

    case = await reviewing.base_case(platform)
    filed = await base_requests.submit(platform, HEBEI, withdrawing())
    await service.state_for_base(platform, XINGTAI, case.id, SAID)
    await rename(platform, CENTRE)
    await base_requests.carry_out(
        platform, CENTRE, filed.id, BaseDecision(effective_on=TODAY, reason="经研究同意取消。")
    )
    assert (await service.case(platform, CENTRE, case.id)).name == "邢台示例技师学院"


async def test_a_later_decision_reverses_and_nothing_is_deleted(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    clock.advance(16 * DAY)
    day = TODAY + 16 * DAY
    cancelled = await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.CANCELLED, day))
    restored = await service.reverse(platform, CENTRE, stood.case.id, reversing(day))
    assert restored.state is State.REVERSED
    first, second = restored.decisions
    assert [first] == cancelled.decisions and second.reverses == first.number
    member = await backbone.teacher_in_pool(platform, restored.subject_id)
    assert member is not None and member.active and len(member.history) == 2
    with pytest.raises(CaseSettled):
        await service.reverse(platform, CENTRE, stood.case.id, reversing(day))
    clock.advance(DAY)
    await review.review(platform)
    assert len(await reviewing.cases(platform)) == 1, "what a decision settled does not count again"


async def test_a_cancellation_that_has_not_taken_effect_can_be_taken_back(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    await service.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.CANCELLED, TODAY + 20 * DAY))
    await service.reverse(platform, CENTRE, stood.case.id, reversing())
    clock.advance(30 * DAY)
    await backbone.apply_due(platform)
    member = await backbone.teacher_in_pool(platform, stood.case.subject_id)
    assert member is not None and member.active


async def test_what_kept_the_title_cannot_be_reversed_and_a_past_day_is_refused(
    platform: Platform, wechat: Simulator
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    with pytest.raises(Invalid):
        await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.KEPT, TODAY - DAY))
    with pytest.raises(Invalid):
        await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.REVERSED))
    await service.decide(platform, CENTRE, stood.case.id, deciding(Outcome.KEPT))
    with pytest.raises(CaseSettled):
        await service.reverse(platform, CENTRE, stood.case.id, reversing())


async def test_a_decision_that_the_pool_refuses_leaves_no_trace(
    platform: Platform, wechat: Simulator
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    stated = await service.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    await reviewing.set_status(platform, CENTRE, stated.subject_id, PoolStatus.CANCELLED, TODAY)
    with pytest.raises(StatusNotPossible):
        await service.decide(platform, CENTRE, stated.id, deciding(Outcome.CANCELLED))
    assert await reviewing.cases(platform) == [stated]
    assert await platform["sequences"].find_one({"_id": "qualification-decisions:2026"}) is None


async def test_two_years_after_a_case_was_dismissed_there_is_another(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    await service.dismiss(platform, CENTRE, stood.case.id, "经核实登记有误，终止。")
    teachers = CaseFilter(subject=Subject.TEACHER)
    clock.advance(timedelta(days=365 * 2 + 1))  # 16 March 2028
    await review.review(platform)
    assert len(await service.list_cases(platform, CENTRE, teachers)) == 1
    clock.advance(DAY)
    await review.review(platform)
    second, first = await service.list_cases(platform, CENTRE, teachers)
    assert second.first == first.settled_on == TODAY


async def test_only_the_centre_decides(platform: Platform, wechat: Simulator) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    with pytest.raises(Forbidden):
        await service.decide(platform, HEBEI, stood.case.id, deciding(Outcome.KEPT))
    with pytest.raises(Forbidden):
        await service.dismiss(platform, HEBEI, stood.case.id, "没有理由的终止")
    with pytest.raises(Forbidden):
        await service.reverse(platform, HEBEI, stood.case.id, reversing())


async def test_a_neighbour_sees_neither_case_nor_warning(platform: Platform, wechat: Simulator) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    await reviewing.base_since(platform, date(2024, 5, 1))
    await review.review(platform)
    assert {one.subject for one in await reviewing.warnings(platform, HEBEI)} == {Subject.BASE}
    assert len(await reviewing.warnings(platform, XINGTAI)) == 1
    assert len(await reviewing.cases(platform, HEBEI)) == 1
    for neighbour in (JIANGSU, YANGZHOU, XINGTAI):
        assert await reviewing.cases(platform, neighbour) == []
        with pytest.raises(NotFound):
            await service.case(platform, neighbour, stood.case.id)
    for neighbour in (JIANGSU, YANGZHOU):
        assert await reviewing.warnings(platform, neighbour) == []


# ---- a base's case


async def test_a_base_is_heard_before_its_title_is_withdrawn(platform: Platform, clock: FixedClock) -> None:
    agreed = BaseDecision(effective_on=TODAY + 16 * DAY, reason="同意取消")
    case = await reviewing.base_case(platform)
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    clock.advance(15 * DAY)  # the last day of the statement
    with pytest.raises(TooEarly):
        await base_requests.carry_out(platform, CENTRE, asked.id, agreed)
    school = await institutions.institution(platform, CENTRE, cast.XINGTAI)
    assert school.qualifications[0].status is QualificationStatus.ACTIVE
    assert [one.count for one in await progressing.waits(platform, XINGTAI, Case)] == [1]
    stated = await service.state_for_base(platform, XINGTAI, case.id, SAID)
    assert (stated.state, len(stated.statements)) == (State.FILED, 1), "the application stands"
    await base_requests.carry_out(platform, CENTRE, asked.id, agreed)
    assert (await service.case(platform, CENTRE, case.id)).state is State.DECIDED


async def test_the_days_of_a_base_that_says_nothing_end(platform: Platform, clock: FixedClock) -> None:
    case = await reviewing.base_case(platform)
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    clock.advance(16 * DAY)
    with pytest.raises(StatementOver):
        await service.state_for_base(platform, XINGTAI, case.id, SAID)
    agreed = BaseDecision(effective_on=TODAY + 16 * DAY, reason="同意取消")
    await base_requests.carry_out(platform, CENTRE, asked.id, agreed)
    assert (await service.case(platform, CENTRE, case.id)).state is State.DECIDED


async def test_the_request_of_the_province_carries_the_case_of_a_base(platform: Platform) -> None:
    case = await reviewing.base_case(platform)
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    [filed] = await reviewing.cases(platform)
    assert (filed.state, filed.request_id) == (State.FILED, asked.id)
    await requests.decline(platform, CENTRE, asked.id, "请补充核实材料。")
    [still] = await reviewing.cases(platform)
    assert still == filed
    await requests.resubmit(platform, HEBEI, asked.id, withdrawing())
    await service.state_for_base(platform, XINGTAI, case.id, SAID)
    await base_requests.carry_out(
        platform, CENTRE, asked.id, BaseDecision(effective_on=TODAY, reason="同意取消")
    )
    [decided] = await reviewing.cases(platform)
    assert decided.id == case.id and decided.state is State.DECIDED
    assert decided.decision is not None and decided.decision.outcome is Outcome.CANCELLED
    school = await institutions.institution(platform, CENTRE, cast.XINGTAI)
    assert school.qualifications[0].status is QualificationStatus.WITHDRAWN
    assert school.versions[-1].request_id == decided.request_id
    await review.review(platform)
    assert len(await reviewing.cases(platform)) == 1


async def test_a_request_taken_back_ends_the_case(platform: Platform) -> None:
    await reviewing.base_case(platform)
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    await base_requests.retract(platform, HEBEI, asked.id)
    [ended] = await reviewing.cases(platform)
    assert ended.state is State.DISMISSED and "撤回" in ended.history[-1].reason


async def test_another_request_leaves_the_case_alone(platform: Platform) -> None:
    case = await reviewing.base_case(platform)
    asked = await base_requests.submit(
        platform, HEBEI, withdrawing().model_copy(update={"purpose": RequestPurpose.SUSPENSION})
    )
    await base_requests.retract(platform, HEBEI, asked.id)
    assert await reviewing.cases(platform) == [case]


async def test_a_request_that_answers_no_case_opens_a_hearing_of_its_own(
    platform: Platform, clock: FixedClock
) -> None:
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    [opened] = await reviewing.cases(platform, XINGTAI)
    assert (opened.rule, opened.state, opened.request_id) == (Rule.ASKED_FOR, State.FILED, asked.id)
    assert [one.count for one in await progressing.waits(platform, XINGTAI, Case)] == [1]
    agreed = BaseDecision(effective_on=TODAY + 16 * DAY, reason="同意取消")
    clock.advance(15 * DAY)  # the last day of the statement
    with pytest.raises(TooEarly):
        await base_requests.carry_out(platform, CENTRE, asked.id, agreed)
    school = await institutions.institution(platform, CENTRE, cast.XINGTAI)
    assert school.qualifications[0].status is QualificationStatus.ACTIVE
    assert (await requests.request(platform, CENTRE, asked.id)).open
    clock.advance(DAY)
    await base_requests.carry_out(platform, CENTRE, asked.id, agreed)
    assert (await service.case(platform, CENTRE, opened.id)).state is State.DECIDED


async def test_a_base_whose_hearing_is_open_gets_no_second_case(platform: Platform) -> None:
    await base_requests.submit(platform, HEBEI, withdrawing())
    await reviewing.base_since(platform, LONG)
    await review.review(platform)
    assert [one.rule for one in await reviewing.cases(platform)] == [Rule.ASKED_FOR]


async def test_a_request_of_an_earlier_version_is_heard_from_the_next_review_on(platform: Platform) -> None:
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    await platform["qualification_cases"].delete_many({})
    with pytest.raises(Unheard):
        await base_requests.carry_out(
            platform, CENTRE, asked.id, BaseDecision(effective_on=TODAY, reason="同意取消")
        )
    assert (await review.review(platform))["立案"] == 1
    [heard] = await reviewing.cases(platform)
    assert (heard.rule, heard.state, heard.request_id) == (Rule.ASKED_FOR, State.FILED, asked.id)
    assert (await review.review(platform))["立案"] == 0


async def test_a_request_older_than_the_case_decides_it_too(platform: Platform) -> None:
    asked = await base_requests.submit(platform, HEBEI, withdrawing())
    await platform["qualification_cases"].delete_many({})  # an earlier version opened no hearing
    await platform["base_requests"].update_one({"_id": asked.id}, {"$set": {"state": "DECLINED"}})
    case = await reviewing.base_case(platform)
    assert case.request_id is None
    await platform["base_requests"].update_one({"_id": asked.id}, {"$set": {"state": "SUBMITTED"}})
    await service.state_for_base(platform, XINGTAI, case.id, SAID)
    await base_requests.carry_out(
        platform, CENTRE, asked.id, BaseDecision(effective_on=TODAY, reason="同意取消")
    )
    [decided] = await reviewing.cases(platform)
    assert (decided.state, decided.request_id) == (State.DECIDED, asked.id)


async def test_a_base_states_its_case_and_its_province_dismisses_it(platform: Platform) -> None:
    case = await reviewing.base_case(platform)
    stated = await service.state_for_base(platform, XINGTAI, case.id, SAID)
    assert stated.state is State.STATED
    with pytest.raises(NotFound):
        await service.state_for_base(platform, YANGZHOU, case.id, StatementDraft(text="邻省的话。"))
    with pytest.raises(Forbidden):
        await service.dismiss(platform, CENTRE, case.id, "由省级管理部门办理")
    ended = await service.dismiss(platform, HEBEI, case.id, "该基地下月开班，不申请取消。")
    assert ended.state is State.DISMISSED and not ended.open


async def test_the_running_classes_of_a_base_are_listed(platform: Platform) -> None:
    case = await reviewing.base_case(platform)
    new = await stage.open_class(
        platform, XINGTAI, stage.class_draft(starts_on=TODAY + DAY, ends_on=TODAY + 9 * DAY)
    )
    assert [one.id for one in (await service.running(platform, CENTRE, case)).classes] == [new.id]


# ---- what waits


async def waits(platform: Platform) -> dict[str, int]:
    actors = {"centre": CENTRE, "hebei": HEBEI, "jiangsu": JIANGSU, "xingtai": XINGTAI}
    found = {name: await progressing.waits(platform, actor, Case) for name, actor in actors.items()}
    return {name: lines[0].count for name, lines in found.items() if lines}


async def test_it_waits_for_whoever_has_to_act(platform: Platform, clock: FixedClock) -> None:
    await reviewing.base_since(platform, LONG)
    teacher = await reviewing.registered(platform, LONG)
    await review.review(platform)
    assert await waits(platform) == {"hebei": 1, "xingtai": 1}
    stated_by = TODAY + 15 * DAY
    [line] = [one for one in (await desk.desk(platform, XINGTAI)).mine if "陈述" in one.title]
    assert (line.since, line.due) == (TODAY, stated_by)
    clock.advance(16 * DAY)
    assert await waits(platform) == {"centre": 1, "hebei": 1}
    [line] = [one for one in (await desk.desk(platform, CENTRE)).mine if "待决定" in one.title]
    assert (line.since, line.due) == (TODAY + 16 * DAY, TODAY + 21 * DAY)
    clock.advance(11 * DAY)
    [late] = (await desk.desk(platform, CENTRE)).late
    assert late.who == "河北省级管理部门" and "待处理的教师培训基地" in late.title
    [listed] = await service.list_cases(platform, CENTRE, CaseFilter(), todo=True)
    assert listed.subject_id == teacher
    await base_requests.submit(platform, HEBEI, withdrawing())
    assert await waits(platform) == {"centre": 1}


async def test_a_teacher_reads_the_own_standing(platform: Platform, wechat: Simulator) -> None:
    await reviewing.registered(platform, date(2024, 5, 1), scores={2024: 2.5})
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    await review.review(platform)
    standing = await service.my_standing(platform, teacher.actor)
    assert (standing.idle_since, standing.full_on) == (date(2024, 5, 1), date(2026, 5, 1))
    assert [one.grade for one in standing.warnings] == [Grade.THREE_MONTHS]
    assert standing.holding == {standing.warnings[0].id} and standing.cases == []
    stranger = await stage.phone(platform, wechat, "openid-nobody")
    with pytest.raises(NotFound):
        await service.my_standing(platform, stranger.actor)


# ---- what it costs


async def test_what_everybody_did_last_is_read_off_indexes_alone(platform: Platform) -> None:
    """As MongoDB's profiler saw the review: no task, no class and no tally is fetched."""
    for seed in range(1, 4):
        await reviewing.registered(
            platform, LONG, cast.person(seed), tasks=(date(2025, 9, 10),), scores={2024: 2.4}
        )
    await stage.open_class(platform, XINGTAI, stage.class_draft())
    await platform.db.command("profile", 2)
    try:
        await review.review(platform)
    finally:
        await platform.db.command("profile", 0)
    for collection in ("invitations", "classes", "satisfaction_tallies"):
        seen = await platform.db["system.profile"].find({"command.aggregate": collection}).to_list(None)
        assert seen, collection
        assert {one["docsExamined"] for one in seen} == {0}, collection
        assert not any("COLLSCAN" in one["planSummary"] for one in seen)
    await platform.db.drop_collection("system.profile")
