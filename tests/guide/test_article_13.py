"""第十三条: 自己完成学习成果及考核，不准请人代劳、不准抄袭；严禁违规帮助通过考核或违规修改参训教师成绩."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.assessment import grading, service, submissions, tasks
from server.assessment.rules import GradingOneself, OwnWorkNotDeclared, TaskKind
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import DeadlineExtension
from server.classes.service import ResultsReleased
from server.kernel.errors import Invalid, NotFound
from server.kernel.identity import Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.assessing import assess_everybody, grade, graded, hand_in, release, set_task, task_draft


async def test_every_version_is_declared_ones_own_work(platform: Platform, wechat: Simulator) -> None:
    """自己完成培训要求的学习成果及培训考核."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    for declared in (True, False):
        upload = await submissions.begin_upload(platform, phone.actor, task.id)
        draft = SubmissionDraft(own_work=declared, text="我的学习成果")
        if declared:
            kept, _ = await submissions.hand_in(platform, phone.actor, task.id, draft, upload)
            assert kept.own_work is True
            continue
        with pytest.raises(OwnWorkNotDeclared) as refused:
            await submissions.hand_in(platform, phone.actor, task.id, draft, upload)
        assert "不准请他人代劳" in refused.value.detail and "不准抄袭" in refused.value.detail


async def test_nobody_hands_in_for_somebody_else(platform: Platform, wechat: Simulator, site: str) -> None:
    """不准请他人代劳: a submission is the bound person's own; the call has no field for another's name."""
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task = await set_task(platform, opened)
    kept = await hand_in(platform, opened.trainees[0], task)
    assert kept.person_id == opened.trainees[0].actor.person_id
    described = (await call(site, "GET", "/openapi.json")).json
    form = described["paths"]["/api/v1/tasks/{task_id}/submissions"]["post"]["requestBody"]["content"]
    assert set(form["multipart/form-data"]["schema"]["properties"]) == {"own_work", "text", "nonce", "files"}


async def test_nobody_copies_from_a_classmate_through_the_platform(
    platform: Platform, wechat: Simulator
) -> None:
    """不准抄袭他人成果: a trainee sees the own work only."""
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task = await set_task(platform, opened)
    theirs = await hand_in(platform, opened.trainees[0], task, files=[("成果.pdf", b"%PDF-1.7 ...")])
    curious = opened.trainees[1].actor
    assert await submissions.my_versions(platform, curious, task.id) == []
    with pytest.raises(NotFound):
        await submissions.my_file(platform, curious, theirs.id, theirs.files[0].id)


async def test_a_grade_changes_with_a_reason_only_and_both_values_stay(
    platform: Platform, wechat: Simulator
) -> None:
    """严禁以任何形式…违规修改参训教师成绩: before, after, who, when and why are kept, in the grade and in the audit trail."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    submission = await hand_in(platform, opened.trainees[0], await set_task(platform, opened))
    await grade(platform, opened.teacher, submission, 30, 20)
    with pytest.raises(Invalid):
        await grade(platform, opened.teacher, submission, 60, 40)
    changed = await grading.grade_submission(
        platform, opened.teacher.actor, submission.id, graded(40, 20, reason="复核时发现漏评")
    )
    assert [mark.points for mark in changed.marks] == [50, 60]
    entries = [row async for row in platform["audit"].find({"action": "assessment:grade"}).sort("_id", 1)]
    assert [entry["facts"].get("reason") for entry in entries] == [None, "复核时发现漏评"]
    assert entries[1]["facts"]["scores_before"] == {"c1": 30, "c2": 20}
    assert entries[1]["actor_name"] == opened.teacher.actor.name


async def test_after_the_release_no_grade_changes_whoever_asks(platform: Platform, wechat: Simulator) -> None:
    """Neither the teacher nor the institution can help somebody over the mark once the results are out."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    formative, summative = await assess_everybody(platform, opened, [59])
    work = await submissions.taught_work(platform, opened.teacher.actor, formative.id)
    await release(platform, opened)
    submission = work.rows[0].submission
    assert submission is not None
    with pytest.raises(ResultsReleased):
        await grading.grade_submission(
            platform, opened.teacher.actor, submission.id, graded(60, 40, reason="照顾一下")
        )
    with pytest.raises(ResultsReleased):
        await release(platform, opened)
    [result] = (await service.released_results(platform, opened.id)).values()
    assert (result.total, result.passed) == (59.0, False)
    assert summative.kind is TaskKind.SUMMATIVE


def test_the_institution_cannot_grade_at_all() -> None:
    """培训机构严禁以任何形式违规帮助参训教师通过培训考核: it has no way to give or change points."""
    for role in (Role.TRAINING_CENTRE, Role.TRAINING_BASE, Role.PROVINCE, Role.NATIONAL_CENTRE):
        assert Permission.ASSESSMENT_GRADE not in ROLE_PERMISSIONS[role]


async def test_a_teacher_who_attends_the_class_does_not_grade_themself(
    platform: Platform, wechat: Simulator
) -> None:
    """不准请他人代劳、公平公正: neither on site nor what was handed in."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await stage.assess(platform, opened)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.BACKBONE_TEACHER])
    task = await set_task(platform, opened, TaskKind.SUMMATIVE)
    own = opened.teacher.actor.person_id
    with pytest.raises(GradingOneself):
        await grading.grade_trainee(platform, opened.teacher.actor, task.id, own, graded(60, 40))
    submission = await hand_in(platform, opened.teacher, task)
    with pytest.raises(GradingOneself):
        await grade(platform, opened.teacher, submission)


async def test_after_the_release_nothing_changes_any_more(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, summative = await assess_everybody(platform, opened)
    phone, teacher = opened.trainees[0], opened.teacher.actor
    [newest] = await submissions.my_versions(platform, phone.actor, task.id)
    await release(platform, opened)
    extension = DeadlineExtension(deadline=task.deadline + timedelta(days=9), reason="再给几天")
    for refused in (
        hand_in(platform, phone, task),
        grading.grade_submission(platform, teacher, newest.id, graded(1, 1, reason="改低一点")),
        tasks.create_task(platform, opened.officer, opened.id, task_draft(platform)),
        tasks.extend_deadline(platform, opened.officer, opened.id, summative.id, extension),
        tasks.withdraw_task(platform, opened.officer, opened.id, task.id),
    ):
        with pytest.raises(ResultsReleased):
            await refused
    assert (await service.my_result(platform, phone.actor, opened.id)).total == 80.0


async def test_a_grade_and_the_release_at_the_same_moment_exclude_each_other(
    platform: Platform, wechat: Simulator
) -> None:
    """违规修改参训教师成绩: what is frozen is what stands, whoever was quicker."""
    opened = await stage.class_in_session(platform, wechat, trainees=4)
    task, _ = await assess_everybody(platform, opened)
    work = await submissions.taught_work(platform, opened.teacher.actor, task.id)
    changes = [
        grading.grade_submission(
            platform, opened.teacher.actor, row.submission.id, graded(number, 0, reason="重新评阅")
        )
        for number, row in enumerate(work.rows)
        if row.submission
    ]
    outcomes = await asyncio.gather(
        *changes[:2], release(platform, opened), *changes[2:], return_exceptions=True
    )
    unexpected = [
        one for one in outcomes if isinstance(one, Exception) and not isinstance(one, ResultsReleased)
    ]
    assert unexpected == [] and isinstance(outcomes[2], list)

    frozen = await service.released_results(platform, opened.id)
    after = await submissions.taught_work(platform, opened.teacher.actor, task.id)
    for row in after.rows:
        assert row.grade is not None
        in_the_result = {mark.task_id: mark.points for mark in frozen[row.trainee.person_id].marks}
        assert in_the_result[task.id] == row.grade.current.points
