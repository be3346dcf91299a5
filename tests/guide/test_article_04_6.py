"""第四条（六）培训考核实施: 培训机构应组织参训教师进行过程性考核和终结性考核，向通过考核的参训教师核发合格证书."""

from __future__ import annotations

import pytest

from server.assessment import grading, service, submissions
from server.assessment.documents import Result
from server.assessment.rules import TaskKind
from server.assessment.service import ResultsNotReady
from server.kernel.identity import Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.assessing import assess_everybody, attend, grade, graded, hand_in, release, set_task


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
