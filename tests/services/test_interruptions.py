"""Classes that do not run as they were planned, on the real database (articles 4.6, 4.7, 5.3 and 25.4)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.admissions import applying
from server.admissions.rules import State as AdmissionState
from server.applications import service as applications
from server.applications.documents import Application
from server.applications.rules import State as ApplicationState
from server.applications.service import Approval
from server.assessment import service as assessment
from server.attendance import added, rolls, timetable
from server.attendance import service as attendance
from server.attendance.added import AlreadyVoided, MakeUp, Voiding
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import AddedKind, TeachingSession
from server.attendance.hours import TooManyHours
from server.attendance.rolls import LateRegistration
from server.attendance.rules import CheckInUnderWay, CodeInvalid
from server.attendance.timetable import SessionInUse
from server.certificates import issue
from server.classes import service as classes
from server.classes.documents import OpenClassFilter, TrainingClass
from server.classes.rules import Condition, Stage
from server.classes.rules import Kind as InvitationKind
from server.classes.service import ClassEnded, ResultsReleased
from server.interruptions import facts, service
from server.interruptions.documents import ChangeFilter, ClassChange
from server.interruptions.requests import CallOff, Postponement, Suspension, Termination, Transfer
from server.interruptions.rules import ChangeOpen, ClassBegun, Ground, Kind, NameDiffers, NotLater, State
from server.invitations import service as invitations
from server.invitations.rules import State as LetterState
from server.kernel import audit
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotFound, Problem
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, NotYours, Return, Review
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.plans import service as plans
from server.qualification import review as qualification_review
from server.wechat.simulator import Simulator
from tests import admitting, cast, planning, reviewing, stage
from tests.progressing import waits
from tests.stage import ClassInSession, Phone

HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)
TYPHOON: dict[str, Any] = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


def at(day: int, hour: int, month: int = 3) -> datetime:
    """A moment of 2026 in Beijing."""
    return datetime(2026, month, day, hour, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat)


async def morning(platform: Platform, opened: ClassInSession, day: int) -> TeachingSession:
    """Nine to twelve, 4 class hours."""
    changes = {"title": f"{day} 日上午", "starts_at": at(day, 9), "ends_at": at(day, 12)}
    return await stage.teaching_session(platform, opened, **changes)


async def hold(platform: Platform, clock: FixedClock, session: TeachingSession, present: list[Phone]) -> None:
    """Lives through a session with these people in it."""
    clock.set(session.starts_at)
    desk = CheckInDesk(platform)
    for number, one in enumerate(present):
        await desk.check_in(one.actor, Scan(stage.code_of(platform, session), f"{session.id}-{number}"))
    clock.set(session.ends_at + timedelta(minutes=5))


async def the_class(platform: Platform, class_id: str) -> TrainingClass:
    return await classes.get_class(platform, HEBEI, class_id)


async def told(platform: Platform, person_id: str) -> list[str]:
    """The kinds of message a person got, oldest first."""
    rows = platform["outbox"].find({"person_id": person_id}).sort("_id", 1)
    return [row["template"] async for row in rows]


def suspension(**changes: Any) -> Suspension:
    draft = {"first": date(2026, 3, 18), "last": date(2026, 3, 20), "ends_on": date(2026, 3, 31)}
    return Suspension.model_validate(TYPHOON | draft | changes)


def call_off(opened: TrainingClass, **changes: Any) -> CallOff:
    draft = {"ground": Ground.ENROLMENT, "reason": "报名人数不足，不再举办。", "typed": opened.name}
    return CallOff.model_validate(draft | changes)


async def approve(platform: Platform, asked: ClassChange) -> ClassChange:
    return await service.approve(platform, HEBEI, asked.id, Review(seen=len(asked.history)))


# ---- 暂停 and 延期


async def test_a_suspension_moves_or_cancels_what_falls_into_it_and_the_last_day_moves_on(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    before, first, second = [await morning(platform, opened, day) for day in (17, 18, 19)]
    moves = {first.id: at(30, 9)}
    asked = await service.suspend(platform, XINGTAI, opened.id, suspension(moves=moves))
    assert [one.title for one in await waits(platform, HEBEI, ClassChange)] == ["待审核的培训班变更"]
    assert (await the_class(platform, opened.id)).ends_on == date(2026, 3, 27)  # nothing before the approval
    await approve(platform, asked)
    found = await the_class(platform, opened.id)
    assert (found.starts_on, found.ends_on) == (date(2026, 3, 16), date(2026, 3, 31))
    assert (
        found.condition_on(date(2026, 3, 18)) is found.condition_on(date(2026, 3, 20)) is Condition.SUSPENDED
    )
    assert found.condition_on(date(2026, 3, 21)) is Condition.RUNNING
    assert found.standing_on(date(2026, 3, 19)).label == "暂停"
    rows = (await attendance.sessions_of_class(platform, XINGTAI, opened.id)).rows
    assert [(row.item.id, row.item.starts_at) for row in rows] == [
        (before.id, before.starts_at),
        (first.id, at(30, 9)),
    ]
    moved = rows[1].item
    assert moved.ends_at - moved.starts_at == first.ends_at - first.starts_at
    assert moved.opens_at - moved.starts_at == first.opens_at - first.starts_at
    clock.set(second.starts_at)
    scan = Scan(stage.code_of(platform, second), "nonce")
    with pytest.raises(CodeInvalid):
        await CheckInDesk(platform).check_in(opened.trainees[0].actor, scan)
    for one in opened.trainees:
        assert (await told(platform, one.actor.id))[-1] == "class-suspended"
    assert (await told(platform, opened.teacher.actor.id))[-1] == "invitation-corrected"
    [letter] = await invitations.my_invitations(platform, opened.teacher.actor)
    assert letter.ends_on == date(2026, 3, 31)
    with pytest.raises(Invalid):
        await morning(platform, opened, 20)
    trail = [entry["action"] for entry in await audit.of_subject(platform, opened.id)]
    assert trail[:2] == ["interruptions:suspend", "interruptions:ask-suspend"]
    assert await waits(platform, HEBEI, ClassChange) == []


async def test_what_a_suspension_cancelled_is_made_up_after_the_planned_last_day(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    lost = await morning(platform, opened, 18)
    await approve(platform, await service.suspend(platform, XINGTAI, opened.id, suspension()))
    assert (await attendance.sessions_of_class(platform, XINGTAI, opened.id)).rows == []
    clock.set(at(23, 12))
    wanted = Postponement.model_validate(
        TYPHOON
        | {"starts_on": date(2026, 3, 16), "ends_on": date(2026, 4, 3), "moves": {lost.id: at(2, 9, month=4)}}
    )
    await approve(platform, await service.postpone(platform, XINGTAI, opened.id, wanted))
    found = await the_class(platform, opened.id)
    assert (found.starts_on, found.ends_on, found.planned_first_day.month) == (
        date(2026, 3, 16),
        date(2026, 4, 3),
        3,
    )
    [row] = (await attendance.sessions_of_class(platform, XINGTAI, opened.id)).rows
    assert (row.item.id, row.item.starts_at) == (lost.id, at(2, 9, month=4))
    assert (await told(platform, opened.trainees[0].actor.id))[-1] == "class-postponed"


async def test_a_class_that_is_put_off_before_it_began_keeps_the_month_of_its_number(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(
        platform, wechat, starts_on=date(2026, 3, 25), ends_on=date(2026, 4, 3)
    )
    session = await morning(platform, opened, 25)
    wanted = {"starts_on": date(2026, 4, 8), "ends_on": date(2026, 4, 17)}
    with pytest.raises(Invalid):  # the session would lie before the class
        await service.postpone(platform, XINGTAI, opened.id, Postponement.model_validate(TYPHOON | wanted))
    moves = {session.id: at(8, 9, month=4)}
    asked = await service.postpone(
        platform, XINGTAI, opened.id, Postponement.model_validate(TYPHOON | wanted | {"moves": moves})
    )
    await approve(platform, asked)
    found = await the_class(platform, opened.id)
    assert (found.starts_on, found.planned_first_day) == (date(2026, 4, 8), date(2026, 3, 25))


@pytest.mark.parametrize(
    "changes",
    [
        {"first": date(2026, 3, 15)},
        {"last": date(2026, 3, 17)},
        {"ends_on": date(2026, 3, 26)},
        {"last": date(2026, 3, 31)},
        {"reason": "短"},
    ],
)
async def test_a_suspension_whose_days_do_not_fit_is_refused(
    platform: Platform, opened: ClassInSession, changes: dict[str, Any]
) -> None:
    with pytest.raises((Invalid, ValueError)):
        await service.suspend(platform, XINGTAI, opened.id, suspension(**changes))


async def test_a_session_held_in_the_morning_before_the_storm_stays_held(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    held = await morning(platform, opened, 18)
    await hold(platform, clock, held, opened.trainees)
    asked = await service.suspend(platform, XINGTAI, opened.id, suspension())
    assert asked.moves == []
    await approve(platform, asked)
    [row] = (await attendance.sessions_of_class(platform, XINGTAI, opened.id)).rows
    assert (row.item.id, row.checked_in) == (held.id, 2)


async def test_no_session_is_moved_while_somebody_may_be_checking_in_or_after_it_was_held(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await morning(platform, opened, 18)
    asked = await service.suspend(platform, XINGTAI, opened.id, suspension())
    clock.set(session.opens_at - timedelta(seconds=30))
    with pytest.raises(CheckInUnderWay):
        await approve(platform, asked)
    await hold(platform, clock, session, opened.trainees)
    with pytest.raises(SessionInUse):
        await approve(platform, asked)
    assert len(await attendance_rows(platform, session)) == 2
    await service.send_back(platform, HEBEI, asked.id, Return(seen=1, reason="18 日已经上课。"))
    [line] = await waits(platform, XINGTAI, ClassChange)
    assert line.title == "被退回的培训班变更，重新申请或撤回"
    again = await service.suspend(platform, XINGTAI, opened.id, suspension(first=date(2026, 3, 19)))
    assert (await service.change(platform, XINGTAI, asked.id)).state is State.WITHDRAWN
    await approve(platform, again)


async def attendance_rows(platform: Platform, session: TeachingSession) -> list[dict[str, Any]]:
    return await platform["check_ins"].find({"session_id": session.id}).to_list(None)


async def test_of_one_class_one_request_waits_and_only_its_province_decides(
    platform: Platform, opened: ClassInSession
) -> None:
    asking = [service.suspend(platform, XINGTAI, opened.id, suspension()) for _ in range(3)]
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    [asked] = [one for one in outcomes if isinstance(one, ClassChange)]
    assert all(isinstance(one, ClassChange | ChangeOpen) for one in outcomes)
    review = Review(seen=1)
    for stranger in (JIANGSU, YANGZHOU):
        with pytest.raises(NotFound):
            await service.approve(platform, stranger, asked.id, review)
    with pytest.raises(NotYours):
        await service.approve(platform, XINGTAI, asked.id, review)
    await service.withdraw(platform, XINGTAI, asked.id, review)
    with pytest.raises(NotInThisState):
        await approve(platform, asked)
    listed = await service.list_changes(platform, HEBEI, ChangeFilter(kind=Kind.SUSPEND))
    assert [one.id for one in listed] == [asked.id]
    assert await service.list_changes(platform, JIANGSU, ChangeFilter()) == []


# ---- 取消开班


async def test_nobody_stays_enrolled_in_a_called_off_class_and_everybody_is_told(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await morning(platform, opened, 17)
    found = await the_class(platform, opened.id)
    with pytest.raises(NameDiffers):
        await service.call_off(platform, XINGTAI, opened.id, call_off(found, typed="别的班"))
    done = await service.call_off(platform, XINGTAI, opened.id, call_off(found))
    assert (done.state, len(done.person_ids)) == (State.DONE, 2)
    after = await the_class(platform, opened.id)
    assert (after.condition, after.admitted, after.teachers) == (Condition.CALLED_OFF, 0, [])
    assert after.standing_on(date(2026, 3, 17)).label == "已取消"
    assert after.stage_on(date(2026, 3, 16)) is Stage.FINISHED
    assert await classes.trainees(platform, opened.id) == []
    for one in opened.trainees:
        assert (await told(platform, one.actor.id))[-1] == "class-called-off"
        assert (await classes.my_classes(platform, one.actor))[0] == []
    assert (await told(platform, opened.teacher.actor.id))[-1] == "invitation-cancelled"
    [letter] = await invitations.my_invitations(platform, opened.teacher.actor)
    assert letter.state is LetterState.CANCELLED
    clock.set(session.starts_at)
    scan = Scan(stage.code_of(platform, session), "nonce")
    with pytest.raises(CodeInvalid):
        await CheckInDesk(platform).check_in(opened.trainees[0].actor, scan)
    assert await classes.current_classes(platform, XINGTAI) == []


async def test_nothing_more_happens_in_a_class_that_was_called_off(
    platform: Platform, opened: ClassInSession
) -> None:
    found = await the_class(platform, opened.id)
    await service.call_off(platform, XINGTAI, opened.id, call_off(found))
    trying = [
        assessment.release(platform, XINGTAI, opened.id),
        timetable.add_session(platform, XINGTAI, opened.id, stage.session_draft()),
        stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, cast.people(1, 700)),
        service.suspend(platform, XINGTAI, opened.id, suspension()),
        service.call_off(platform, XINGTAI, opened.id, call_off(found)),
        service.terminate(platform, XINGTAI, opened.id, Termination.model_validate(TYPHOON)),
        issue.issue_certificates(platform, XINGTAI, opened.id),
        stage.teach(platform, XINGTAI, opened.id, opened.teacher, InvitationKind.ASSESSMENT),
    ]
    for one in trying:
        with pytest.raises(ClassEnded):
            await one
    seen = await issue.class_certificates(platform, XINGTAI, opened.id)
    assert "取消" in seen.hindrance


async def test_a_class_whose_check_in_has_opened_is_not_called_off(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await morning(platform, opened, 17)
    found = await the_class(platform, opened.id)
    clock.set(session.opens_at - timedelta(seconds=30))
    with pytest.raises(ClassBegun):
        await service.call_off(platform, XINGTAI, opened.id, call_off(found))
    seen = await service.changes_of_class(platform, XINGTAI, opened.id)
    assert seen.offered == [Kind.SUSPEND, Kind.POSTPONE, Kind.TRANSFER, Kind.TERMINATE]


async def approved_application(platform: Platform) -> Application:
    asked = await planning.applied(platform)
    return await applications.approve(platform, HEBEI, asked.id, Approval(seen=1))


@pytest.mark.parametrize("how", ["called off", "terminated"])
async def test_the_plan_item_of_a_class_that_ended_is_free_again(platform: Platform, how: str) -> None:
    done = await approved_application(platform)
    class_id = done.class_id or ""
    if how == "called off":
        found = await the_class(platform, class_id)
        await service.call_off(platform, XINGTAI, class_id, call_off(found))
    else:
        asked = await service.terminate(platform, XINGTAI, class_id, Termination.model_validate(TYPHOON))
        await approve(platform, asked)
    after = await applications.get_application(platform, XINGTAI, done.id)
    expected = ApplicationState.CALLED_OFF if how == "called off" else ApplicationState.TERMINATED
    assert after.state is expected
    plan = await plans.get_plan(platform, XINGTAI, done.plan_id)
    assert (await applications.planned_item(platform, XINGTAI, plan.id, done.item.id)).taken_by is None
    again = await planning.applied(platform, plan)
    assert again.state is ApplicationState.SUBMITTED
    found = await the_class(platform, class_id)
    steps = await applications.life(platform, XINGTAI, found)
    assert [one.title for one in steps] == ["培训计划", "开班申请"]


async def test_calling_off_and_checking_in_never_both_happen(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """The gate is the moment: a minute before the first window opens nobody can call off any more, and before it opens nobody is in."""
    session = await morning(platform, opened, 17)
    found = await the_class(platform, opened.id)
    for moment in (session.opens_at - timedelta(minutes=1), session.opens_at):
        clock.set(moment)
        scan = Scan(stage.code_of(platform, session), "nonce")
        outcomes = await asyncio.gather(
            service.call_off(platform, XINGTAI, opened.id, call_off(found)),
            CheckInDesk(platform).check_in(opened.trainees[0].actor, scan),
            return_exceptions=True,
        )
        assert isinstance(outcomes[0], ClassBegun)
    assert len(await attendance_rows(platform, session)) == 1
    assert (await the_class(platform, opened.id)).condition is Condition.RUNNING


async def test_ending_a_class_and_releasing_it_never_both_happen(
    platform: Platform, opened: ClassInSession
) -> None:
    asked = await service.terminate(platform, XINGTAI, opened.id, Termination.model_validate(TYPHOON))

    outcomes = await asyncio.gather(
        approve(platform, asked), _released(platform, XINGTAI, opened.id), return_exceptions=True
    )
    found = await the_class(platform, opened.id)
    if isinstance(outcomes[0], Problem):
        assert isinstance(outcomes[0], ResultsReleased) and found.condition is Condition.RUNNING
    else:
        assert isinstance(outcomes[1], ClassEnded) and found.results_released_at is None


@transactional
async def _released(unit: UnitOfWork, class_id: str) -> None:
    """Of a release the part that matters here: it freezes the class."""
    await classes.release_results(unit, class_id)
    unit.audit("assessment:release", class_id)


# ---- 终止培训


async def test_what_was_held_in_a_terminated_class_stays_and_nothing_follows(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    held, lost = [await morning(platform, opened, day) for day in (17, 19)]
    await hold(platform, clock, held, opened.trainees)
    asked = await service.terminate(platform, XINGTAI, opened.id, Termination.model_validate(TYPHOON))
    await approve(platform, asked)
    found = await the_class(platform, opened.id)
    assert (found.condition, found.ends_on) == (Condition.TERMINATED, date(2026, 3, 17))
    assert found.standing_on(date(2026, 3, 18)).label == "已终止"
    assert len(await classes.trainees(platform, opened.id)) == 2
    [row] = (await attendance.sessions_of_class(platform, XINGTAI, opened.id)).rows
    assert (row.item.id, row.checked_in) == (held.id, 2)
    wanted = LateRegistration(person_id=opened.trainees[0].actor.id, reason="没带手机")
    with pytest.raises(NotFound):
        await rolls.register_late(platform, XINGTAI, opened.id, lost.id, wanted)
    with pytest.raises(ClassEnded):
        await assessment.release(platform, XINGTAI, opened.id)
    for one in (*opened.trainees, opened.teacher):
        assert (await told(platform, one.actor.id))[-1] == "class-terminated"
    [letter] = await invitations.my_invitations(platform, opened.teacher.actor)
    assert (letter.state, letter.ends_on) == (LetterState.ACCEPTED, date(2026, 3, 17))
    seen = await service.changes_of_class(platform, XINGTAI, opened.id)
    assert seen.offered == [Kind.TRANSFER]


async def test_a_class_that_fell_to_force_majeure_is_a_fact_in_the_case_of_its_base(
    platform: Platform, clock: FixedClock
) -> None:
    found = await stage.open_class(platform, XINGTAI, stage.class_draft(starts_on=date(2026, 3, 20)))
    await service.call_off(
        platform,
        XINGTAI,
        found.id,
        call_off(found, ground=Ground.FORCE_MAJEURE, reason="台风登陆，当地停课。"),
    )
    await reviewing.base_since(platform, date(2024, 3, 10))
    await qualification_review.review(platform)
    [case] = [one for one in await reviewing.cases(platform) if one.subject_id == reviewing.XINGTAI_BASE]
    [fact] = [one for one in case.facts if one.title == "因不可抗力未能举办的培训班"]
    assert found.name in fact.value and "台风" in fact.value


# ---- 转班补学


async def later_class(platform: Platform, **changes: Any) -> TrainingClass:
    draft = {"name": "2026年5月三级教师培训班", "starts_on": date(2026, 5, 11), "ends_on": date(2026, 5, 22)}
    return await stage.open_class(platform, XINGTAI, stage.class_draft(**draft | changes))


def to(later: TrainingClass, opened: ClassInSession) -> Transfer:
    ids = [one.actor.id for one in opened.trainees]
    return Transfer.model_validate(TYPHOON | {"class_id": later.id, "person_ids": ids})


async def test_the_hours_that_a_person_held_here_count_in_a_later_class(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    later = await later_class(platform)
    first, second = [await morning(platform, opened, day) for day in (17, 18)]
    await hold(platform, clock, first, opened.trainees)
    await hold(platform, clock, second, opened.trainees[:1])
    await morning(platform, opened, 24)
    asked = await service.transfer(platform, XINGTAI, opened.id, to(later, opened))
    assert asked.state is State.SUBMITTED  # the class is of the same institution
    await approve(platform, asked)
    assert (await the_class(platform, opened.id)).condition is Condition.TERMINATED
    known = [one.person_id for one in await classes.trainees(platform, later.id)]
    assert known == [one.actor.id for one in opened.trainees]
    credited = await added.of_class(platform, XINGTAI, later.id)
    assert [(one.kind, one.hours, one.taught) for one in credited] == [
        (AddedKind.CREDITED, 8, "2026年3月三级教师培训班"),
        (AddedKind.CREDITED, 4, "2026年3月三级教师培训班"),
    ]
    attended = (await attendance.hours_of_class(platform, later)).attended
    assert list(attended.values()) == [8, 4]
    assert (await told(platform, known[0]))[-1] == "class-transferred"
    [mine] = await added.mine(platform, opened.trainees[0].actor, later.id)
    assert mine.hours == 8
    again = await later_class(
        platform, name="2026年6月三级教师培训班", starts_on=date(2026, 6, 8), ends_on=date(2026, 6, 19)
    )
    asked = await service.transfer(platform, XINGTAI, opened.id, to(again, opened))
    with pytest.raises(Problem, match="conflict"):  # what was held once counts once
        await approve(platform, asked)


async def test_another_institution_agrees_before_the_province_decides(
    platform: Platform, opened: ClassInSession
) -> None:
    draft = stage.class_draft(
        name="扬州2026年5月三级教师培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)
    )
    later = await stage.open_class(platform, YANGZHOU, draft)
    asked = await service.transfer(platform, XINGTAI, opened.id, to(later, opened))
    assert asked.state is State.ASKED
    with pytest.raises(NotInThisState):
        await approve(platform, asked)
    with pytest.raises(NotFound):
        await service.accept(platform, XINGTAI, asked.id, Review(seen=1))
    [asking] = await facts.waiting(platform, YANGZHOU)
    assert (asking.title, asking.count) == ("请求转入本单位培训班的学员", 1)
    agreed = await service.accept(platform, YANGZHOU, asked.id, Review(seen=1))
    await approve(platform, agreed)
    assert len(await classes.trainees(platform, later.id)) == 2


async def test_nobody_finishes_in_a_class_of_another_level_or_one_that_is_over(
    platform: Platform, opened: ClassInSession
) -> None:
    other = await stage.open_class(
        platform, XINGTAI, stage.class_draft(major="02", name="另一专业大类的培训班")
    )
    earlier = await later_class(platform, starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 13))
    for later in (other, earlier):
        with pytest.raises(NotLater):
            await service.transfer(platform, XINGTAI, opened.id, to(later, opened))


# ---- 补课


def make_up(person: Phone, hours: int = 4, **changes: Any) -> MakeUp:
    draft = {
        "person_id": person.actor.id,
        "hours": hours,
        "held_on": date(2026, 3, 17),
        "taught": "补上 17 日上午的课程",
        "taught_by": cast.BACKBONE_TEACHER.name,
    }
    return MakeUp.model_validate(draft | changes)


async def test_missed_hours_are_made_up_by_staff_or_the_teacher_and_never_more_than_were_missed(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await morning(platform, opened, 17)
    there, missing = opened.trainees
    await hold(platform, clock, session, [there])
    with pytest.raises(TooManyHours):
        await added.make_up(platform, XINGTAI, opened.id, make_up(there, 1))
    with pytest.raises(TooManyHours):
        await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 5))
    with pytest.raises(Invalid):
        await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 4, taught_by="路人甲"))
    with pytest.raises(Invalid):
        await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 4, held_on=date(2026, 3, 18)))
    one = await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 3))
    again = await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 3))
    assert again.id == one.id
    taught = make_up(missing, 1, taught="答疑")
    await added.make_up_as_teacher(platform, opened.teacher.actor, opened.id, taught)
    reckoned = await attendance.hours_of_class(platform, opened.training_class)
    assert reckoned.attended == {there.actor.id: 4, missing.actor.id: 4}
    assert (await told(platform, missing.actor.id))[-2:] == ["hours-made-up", "hours-made-up"]
    await added.void(platform, XINGTAI, opened.id, one.id, Voiding(reason="登记错了人"))
    with pytest.raises(AlreadyVoided):
        await added.void(platform, XINGTAI, opened.id, one.id, Voiding(reason="登记错了人"))
    reckoned = await attendance.hours_of_class(platform, opened.training_class)
    assert reckoned.attended[missing.actor.id] == 1
    assert [row.hours for row in await added.mine(platform, missing.actor, opened.id)] == [3, 1]
    with pytest.raises(NotFound):
        await added.make_up(platform, YANGZHOU, opened.id, make_up(missing))


async def test_of_two_teachers_of_one_name_it_is_said_who_made_hours_up_with_somebody(
    platform: Platform, wechat: Simulator, clock: FixedClock, opened: ClassInSession
) -> None:
    one, number = cast.BACKBONE_TEACHER, cast.person(3).id_number
    namesake = cast.Person(one.name, number, one.phone, one.unit)
    await stage.register_backbone(platform, namesake)
    await stage.teach(
        platform, XINGTAI, opened.id, await stage.phone(platform, wechat, "openid-namesake", namesake)
    )
    there, missing = opened.trainees
    await hold(platform, clock, await morning(platform, opened, 17), [there])
    with pytest.raises(Invalid):
        await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 2))
    called = f"{one.name}（尾号 {number[-4:]}）"
    made = await added.make_up(platform, XINGTAI, opened.id, make_up(missing, 2, taught_by=called))
    assert made.taught_by == called


async def test_two_who_record_the_same_missed_hours_at_once_record_them_once(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await morning(platform, opened, 17)
    there, missing = opened.trainees
    await hold(platform, clock, session, [there])
    outcomes = await asyncio.gather(
        added.make_up(platform, XINGTAI, opened.id, make_up(missing)),
        added.make_up_as_teacher(
            platform, opened.teacher.actor, opened.id, make_up(missing, taught="补上上午的课")
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(one, TooManyHours) for one in outcomes) == [False, True]
    reckoned = await attendance.hours_of_class(platform, opened.training_class)
    assert reckoned.attended[missing.actor.id] == 4


# ---- applications that wait


async def test_applications_that_wait_are_closed_with_the_class(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await admitting.open_class(platform, wechat)
    phone, _ = await admitting.apply(platform, wechat, opened.id, cast.people(1)[0])
    found = await the_class(platform, opened.id)
    await service.call_off(platform, XINGTAI, opened.id, call_off(found))
    [(mine, _)] = (await applying.my_applications(platform, phone.actor))[0]
    assert mine.state is AdmissionState.CLOSED and not mine.open
    assert (await told(platform, phone.actor.id))[-1] == "application-closed"
    assert opened.id not in [one.item.id for one in await applying.open_classes(platform, OpenClassFilter())]
