"""Sessions and who was in them, tasks and grades, until the results are released."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.assessment import grading, remarks, tasks
from server.attendance import added, changes, naming, rolls, timetable
from server.attendance.added import MakeUp, Voiding
from server.attendance.changes import CheckInChange, Closing, VerdictDraft
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.naming import Naming
from server.attendance.rolls import LateRegistration
from server.attendance.rules import Status, Verdict
from server.kernel.clock import beijing_date
from tests import assessing, cast, stage
from tests.acts.walking import World, way_back
from tests.stage import ClassInSession

REASON = "看错了名单，已核对。"


async def a_morning(world: World) -> tuple[ClassInSession, TeachingSession]:
    """A class and a session of it, in the middle of which the clock stands."""
    held = await stage.class_in_session(world.platform, world.wechat)
    session = await stage.teaching_session(world.platform, held)
    world.now_is(session.starts_at + timedelta(hours=1))
    return held, session


# ---- sessions


@way_back("attendance:add-session", "attendance:cancel-session", keeps={"teaching_sessions"})
async def a_session(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    yield
    session = await stage.teaching_session(world.platform, held)
    yield
    await timetable.cancel_session(world.platform, held.officer, held.id, session.id, REASON)


@way_back("attendance:change-session", "attendance:change-session")
async def a_moved_session(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    session = await stage.teaching_session(world.platform, held)
    planned, day = stage.session_draft(), timedelta(days=1)
    moved = stage.session_draft(starts_at=planned.starts_at + day, ends_at=planned.ends_at + day)
    yield
    await timetable.change_session(world.platform, held.officer, held.id, session.id, moved)
    yield
    await timetable.change_session(world.platform, held.officer, held.id, session.id, planned)


@way_back("attendance:name-teacher", "attendance:name-teacher")
async def another_teacher(world: World) -> AsyncIterator[None]:
    held, session = await a_morning(world)
    await stage.register_backbone(world.platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(world.platform, world.wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(world.platform, held.officer, held.id, second)
    wanted = Naming(session_ids=[session.id], teacher_id=held.teacher.actor.id, reason="原定授课教师")
    await naming.name_teacher(world.platform, held.officer, held.id, wanted)
    yield
    other = wanted.model_copy(update={"teacher_id": second.actor.id, "reason": "突发疾病，由其代课"})
    await naming.name_teacher(world.platform, held.officer, held.id, other)
    yield
    await naming.name_teacher(world.platform, held.officer, held.id, wanted)


# ---- who was there


def registered(held: ClassInSession) -> LateRegistration:
    return LateRegistration(person_id=held.trainees[0].actor.person_id, reason="手机没电，现场核对身份")


def corrected(held: ClassInSession, status: Status) -> CheckInChange:
    return CheckInChange(person_id=held.trainees[0].actor.person_id, status=status, reason=REASON)


@way_back("attendance:register-late", "attendance:change-check-in", keeps={"check_ins"})
async def a_late_registration(world: World) -> AsyncIterator[None]:
    held, session = await a_morning(world)
    yield
    await rolls.register_late(world.platform, held.officer, held.id, session.id, registered(held))
    yield
    void = corrected(held, Status.VOID)
    await changes.change_check_in(world.platform, held.officer, held.id, session.id, void)


@way_back("attendance:change-check-in", "attendance:change-check-in")
async def a_voided_check_in(world: World) -> AsyncIterator[None]:
    held, session = await a_morning(world)
    await rolls.register_late(world.platform, held.officer, held.id, session.id, registered(held))
    yield
    void, there = corrected(held, Status.VOID), corrected(held, Status.PRESENT)
    await changes.change_check_in(world.platform, held.officer, held.id, session.id, void)
    yield
    await changes.change_check_in(world.platform, held.teacher.actor, None, session.id, there)


@way_back("attendance:judge-flags", "attendance:judge-flags")
async def a_verdict(world: World) -> AsyncIterator[None]:
    """The last one holds; those before it stay with who said them."""
    held, session = await a_scan_of_one_phone(world)
    who = held.trainees[0].actor.person_id
    fine = VerdictDraft(person_id=who, verdict=Verdict.FINE, words="借同事手机，本人在场")
    wrong = VerdictDraft(person_id=who, verdict=Verdict.WRONG, words="他人代签")
    await changes.judge_flags(world.platform, held.officer, held.id, session.id, fine)
    yield
    await changes.judge_flags(world.platform, held.officer, held.id, session.id, wrong)
    yield
    judged = await changes.judge_flags(world.platform, held.teacher.actor, None, session.id, fine)
    assert [one.verdict for one in judged.verdicts] == [fine.verdict, wrong.verdict, fine.verdict]


async def a_scan_of_one_phone(world: World) -> tuple[ClassInSession, TeachingSession]:
    """Two people have checked in with one phone."""
    held, session = await a_morning(world)
    world.now_is(session.starts_at)
    for number, one in enumerate(held.trainees[:2]):
        scan = Scan(stage.code_of(world.platform, session), f"nonce-{number}", device="one-phone")
        await CheckInDesk(world.platform).check_in(one.actor, scan)
    return held, session


@way_back("attendance:extend-window", "attendance:shorten-window")
async def a_longer_window(world: World) -> AsyncIterator[None]:
    held, session = await a_morning(world)
    world.now_is(session.starts_at)
    yield
    longer, as_before = Closing(closes_at=session.ends_at), Closing(closes_at=session.closes_at)
    await changes.move_closing(world.platform, held.officer, held.id, session.id, longer)
    yield
    await changes.move_closing(world.platform, held.teacher.actor, None, session.id, as_before)


@way_back("attendance:make-up", "attendance:void-make-up", keeps={"added_hours"})
async def hours_made_up(world: World) -> AsyncIterator[None]:
    held, session = await a_morning(world)
    world.now_is(session.starts_at)
    somebody = Scan(stage.code_of(world.platform, session), "who-was-there")
    await CheckInDesk(world.platform).check_in(held.trainees[1].actor, somebody)
    world.now_is(session.ends_at + timedelta(hours=1))
    made_up = MakeUp(
        person_id=held.trainees[0].actor.person_id,
        hours=session.hours,
        held_on=beijing_date(session.ends_at),
        taught="补讲教学策划",
        taught_by=held.training_class.teachers[0].name,
    )
    yield
    recorded = await added.make_up(world.platform, held.officer, held.id, made_up)
    yield
    await added.void(world.platform, held.officer, held.id, recorded.id, Voiding(reason=REASON))


# ---- tasks and grades


@way_back("assessment:create-task", "assessment:withdraw-task", keeps={"tasks"})
async def a_task(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    await stage.assess(world.platform, held)
    yield
    task = await assessing.set_task(world.platform, held)
    yield
    await tasks.withdraw_task(world.platform, held.officer, held.id, task.id)


@way_back("assessment:grade", "assessment:grade")
async def a_grade(world: World) -> AsyncIterator[None]:
    """The last mark counts; those before it stay (article 13)."""
    held = await stage.class_in_session(world.platform, world.wechat)
    task = await assessing.set_task(world.platform, held)
    submission = await assessing.hand_in(world.platform, held.trainees[0], task)
    await assessing.grade(world.platform, held.teacher, submission, 50, 30)
    wrong, right = assessing.graded(20, 10, reason="看错分数"), assessing.graded(50, 30, reason=REASON)
    yield
    await grading.grade_submission(world.platform, held.teacher.actor, submission.id, wrong)
    yield
    again = await grading.grade_submission(world.platform, held.teacher.actor, submission.id, right)
    assert [one.points for one in again.marks] == [80, 30, 80]


@way_back("assessment:remark", "assessment:take-back-remark", keeps={"work_remarks"})
async def a_remark(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    task = await assessing.set_task(world.platform, held)
    submission = await assessing.hand_in(world.platform, held.trainees[0], task)
    yield
    said = remarks.RemarkDraft(text="教学策划还缺评价环节。")
    remark, _ = await remarks.remark(world.platform, held.teacher.actor, submission.id, said)
    yield
    wanted = remarks.TakingBack(reason=REASON)
    await remarks.take_back(world.platform, held.teacher.actor, remark.id, wanted)
