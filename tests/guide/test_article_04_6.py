"""第四条（六）培训考核实施: 培训机构应组织参训教师进行过程性考核和终结性考核，向通过考核的参训教师核发合格证书."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.assessment import grading, service, submissions
from server.assessment.documents import Result
from server.assessment.rules import TaskKind, Verdict
from server.assessment.service import ResultsNotReady
from server.attendance import rolls
from server.attendance import service as attendance
from server.attendance import store as attendance_store
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.rolls import LateRegistration
from server.attendance.rules import SETTLES_AFTER, Status
from server.certificates.rules import HoursNotHeld
from server.kernel.identity import Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import certifying, stage
from tests.assessing import assess_everybody, attend, clock_of, grade, graded, hand_in, release, set_task


@pytest.mark.parametrize("kind", TaskKind)
async def test_results_need_both_formative_and_summative_assessment(
    platform: Platform, wechat: Simulator, kind: TaskKind
) -> None:
    """进行过程性考核和终结性考核: a class that has only one of them has no results."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    submission = await hand_in(platform, opened.trainees[0], await set_task(platform, opened, kind))
    await grade(platform, opened.teacher, submission)
    await attend(platform, opened)
    with pytest.raises(ResultsNotReady) as refused:
        await release(platform, opened)
    [other] = set(TaskKind) - {kind}
    assert other.label in refused.value.detail


async def test_who_passed_and_who_did_not_is_settled_for_each_trainee(
    platform: Platform, wechat: Simulator
) -> None:
    """向通过考核的参训教师核发: who passed is a frozen fact that the certificates build on."""
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    await assess_everybody(platform, opened, [60, 59, 100])
    await release(platform, opened)
    results: dict[str, Result] = await service.released_results(platform, opened.id)
    passed = [results[phone.actor.person_id].passed for phone in opened.trainees]
    assert passed == [True, False, True]


async def test_a_practical_summative_test_needs_no_paper(platform: Platform, wechat: Simulator) -> None:
    """终结性考核 may be held on site: the teacher grades what was shown."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    formative = await set_task(platform, opened)
    practical = await set_task(platform, opened, TaskKind.SUMMATIVE)
    phone = opened.trainees[0]
    await grade(platform, opened.teacher, await hand_in(platform, phone, formative), 60, 40)
    await grading.grade_trainee(
        platform, opened.teacher.actor, practical.id, phone.actor.person_id, graded(50, 30)
    )
    await attend(platform, opened)
    [result] = await release(platform, opened)
    assert (result.formative, result.summative, result.total) == (100.0, 80.0, 88.0)


async def test_the_institution_organises_and_the_backbone_teacher_grades(
    platform: Platform, wechat: Simulator
) -> None:
    """第六条: 由骨干教师承担授课和考核任务; 第八条（四）2: 确保考核公平公正."""
    may_grade = {role for role in Role if Permission.ASSESSMENT_GRADE in ROLE_PERMISSIONS[role]}
    may_set_tasks = {role for role in Role if Permission.ASSESSMENT_MANAGE in ROLE_PERMISSIONS[role]}
    assert may_grade == {Role.BACKBONE_TEACHER}
    assert may_set_tasks == {Role.TRAINING_CENTRE, Role.TRAINING_BASE}
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    await grade(platform, opened.teacher, await hand_in(platform, opened.trainees[0], task))
    [row] = (await submissions.work_in_reach(platform, opened.officer, opened.id, task.id)).rows
    assert row.grade is not None and row.grade.current.grader_name == opened.teacher.actor.name


# ---- released only after what the scheme promised


async def test_a_class_that_held_twelve_of_its_eighty_hours_has_no_results(
    platform: Platform, wechat: Simulator
) -> None:
    """Everybody was there, everything is graded, and 68 hours are owed: the paper would state what never happened."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    phone = opened.trainees[0]
    for kind in TaskKind:
        await grade(
            platform, opened.teacher, await hand_in(platform, phone, await set_task(platform, opened, kind))
        )
    for day in range(3):
        starts = platform.clock.now() + timedelta(days=1)
        session = await stage.teaching_session(
            platform, opened, title=f"第 {day + 2} 天", starts_at=starts, ends_at=starts + timedelta(hours=3)
        )
        clock_of(platform).set(session.starts_at)
        await CheckInDesk(platform).check_in(phone.actor, Scan(stage.code_of(platform, session), "1"))
        clock_of(platform).set(session.ends_at + SETTLES_AFTER)
    with pytest.raises(ResultsNotReady) as refused:
        await release(platform, opened)
    assert refused.value.detail == "本班应完成 80 课时，已完成 12 课时，还差 68 课时。"
    seen = (await service.class_results(platform, opened.officer, opened.id)).assessment
    assert seen is not None and seen.verdict_of(seen.standings[0]) is Verdict.PENDING


async def test_a_session_to_which_nobody_came_was_not_held_whatever_the_timetable_says(
    platform: Platform, wechat: Simulator
) -> None:
    """A void check-in is nobody either; and the refusal names the rooms that stood empty."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await assess_everybody(platform, opened)
    *_, before, last = await attendance_store.sessions_of_class(platform, opened.id)
    gone = {"session_id": before.id}, {"session_id": last.id}
    await platform["check_ins"].delete_one(gone[0])
    await platform["check_ins"].update_one(gone[1], {"$set": {"status": Status.VOID}})
    with pytest.raises(ResultsNotReady) as refused:
        await release(platform, opened)
    assert "应完成 80 课时，已完成 60 课时，还差 20 课时" in refused.value.detail
    assert all(one.lesson.called in refused.value.detail for one in (before, last))
    seen = await attendance.sessions_of_class(platform, opened.officer, opened.id)
    assert (seen.held, seen.hours) == (60, 80)
    await platform["check_ins"].update_one(gone[1], {"$set": {"status": Status.PRESENT}})
    wanted = LateRegistration(person_id=opened.trainees[0].actor.person_id, reason="签到屏故障，现场点名在场")
    await rolls.register_late(platform, opened.officer, opened.id, before.id, wanted)
    assert len(await release(platform, opened)) == 1


async def test_results_wait_until_the_last_session_has_ended_and_a_minute_more(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await assess_everybody(platform, opened)
    for early in (timedelta(seconds=1), timedelta(seconds=59), timedelta(hours=9)):
        clock_of(platform).advance(-early)
        with pytest.raises(ResultsNotReady) as refused:
            await release(platform, opened)
        assert "还有 1 个课次没有结束" in refused.value.detail and "还差 8 课时" in refused.value.detail
        clock_of(platform).advance(early)
    [result] = await release(platform, opened)
    assert (result.hours_attended, result.hours_total, result.passed) == (80, 80, True)


async def test_results_wait_for_a_task_that_somebody_may_still_hand_in(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    deadline = platform.clock.now() + timedelta(days=20)
    later = await set_task(platform, opened, title="课后研究", deadline=deadline)
    await assess_everybody(platform, opened)
    first, second = opened.trainees
    await grade(platform, opened.teacher, await hand_in(platform, first, later))
    with pytest.raises(ResultsNotReady) as refused:
        await release(platform, opened)
    assert "《课后研究》2026-04-05\u00a012:00 截止，还有 1 人没有提交。" in refused.value.detail
    await grade(platform, opened.teacher, await hand_in(platform, second, later))
    assert len(await release(platform, opened)) == 2


async def test_no_certificate_states_more_hours_than_were_held_whatever_brought_the_class_there(
    platform: Platform, wechat: Simulator
) -> None:
    """共计80课时 is a fact on a paper: a result that was released without them certifies nobody."""
    opened = await certifying.passed_class(platform, wechat, trainees=1)
    session = await platform["teaching_sessions"].find_one({"class_id": opened.id})
    assert session is not None
    await platform["teaching_sessions"].update_one(
        {"_id": session["_id"]}, {"$set": {"cancelled_at": platform.clock.now()}}
    )
    with pytest.raises(HoursNotHeld) as refused:
        await certifying.issued(platform, opened)
    assert f"只有 {80 - session['hours']} 课时" in refused.value.detail
    await platform["teaching_sessions"].update_one({"_id": session["_id"]}, {"$set": {"cancelled_at": None}})
    [paper] = await certifying.issued(platform, opened)
    assert paper.printed.class_hours == 80
