"""Tasks, submissions, grading and the release on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.assessment import grading, service, submissions, tasks
from server.assessment.documents import Submission
from server.assessment.grading import GradeRequest, NewerVersion, NothingSubmitted
from server.assessment.rules import OwnWorkNotDeclared, TaskKind
from server.assessment.service import ResultsNotReady, ResultsNotReleased
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import DeadlineExtension, TaskInUse
from server.classes import service as classes
from server.classes.service import ResultsReleased
from server.kernel import policies
from server.kernel.errors import Invalid, NotFound, Problem
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.uploads.file_types import FileTypeRefused
from server.uploads.service import FileTooLarge
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.assessing import (
    PDF,
    PNG,
    assess_everybody,
    attend,
    clock_of,
    docx,
    grade,
    graded,
    hand_in,
    release,
    set_task,
    task_draft,
)

# ---- helpers


async def files_kept(platform: Platform) -> tuple[int, int, int]:
    """Files, chunks and uploads under way."""
    return (
        await platform.db["files.files"].count_documents({}),
        await platform.db["files.chunks"].count_documents({}),
        await platform["uploads"].count_documents({}),
    )


async def audit_actions(platform: Platform) -> list[str]:
    return [row["action"] async for row in platform["audit"].find({}).sort("_id", 1)]


# ---- tasks


async def test_a_task_may_change_until_somebody_hands_something_in(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    changed = await tasks.change_task(
        platform, opened.officer, opened.id, task.id, task_draft(platform, title="学习任务策划")
    )
    assert changed.title == "学习任务策划" and changed.id == task.id
    await hand_in(platform, opened.trainees[0], task)
    for refused in (
        tasks.change_task(platform, opened.officer, opened.id, task.id, task_draft(platform)),
        tasks.withdraw_task(platform, opened.officer, opened.id, task.id),
    ):
        with pytest.raises(TaskInUse):
            await refused


async def test_a_task_that_nobody_used_can_be_taken_back(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    await tasks.withdraw_task(platform, opened.officer, opened.id, task.id)
    assert (await submissions.class_work(platform, opened.officer, opened.id)).tasks == []
    with pytest.raises(NotFound):
        await hand_in(platform, opened.trainees[0], task)


async def test_a_deadline_is_extended_with_a_reason_and_what_was_late_stays_late(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    clock_of(platform).set(task.deadline)
    in_time = await hand_in(platform, opened.trainees[0], task)
    clock_of(platform).advance(timedelta(milliseconds=1))
    late = await hand_in(platform, opened.trainees[0], task)
    assert (in_time.late, late.late) == (False, True)
    later = task.deadline + timedelta(days=1)
    await tasks.extend_deadline(
        platform, opened.officer, opened.id, task.id, DeadlineExtension(deadline=later, reason="停电一天")
    )
    again = await hand_in(platform, opened.trainees[0], task)
    versions = await submissions.my_versions(platform, opened.trainees[0].actor, task.id)
    assert [(one.version, one.late) for one in versions] == [(3, False), (2, True), (1, False)]
    assert again.version == 3
    [kept] = (await submissions.class_work(platform, opened.officer, opened.id)).tasks
    assert kept.task.deadline == later and kept.task.extensions[0].reason == "停电一天"


async def test_nobody_of_another_place_sees_a_task_or_its_work(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task = await set_task(platform, opened)
    submission = await hand_in(platform, opened.trainees[0], task, files=[("成果.pdf", PDF)])
    [file] = submission.files
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    other_class = await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, other_class.id, [cast.TRAINEE])
    teacher = await stage.phone(platform, wechat, "openid-other-teacher", cast.SECOND_BACKBONE_TEACHER)
    trainee = await stage.phone(platform, wechat, "openid-other-trainee", cast.TRAINEE)
    classmate = opened.trainees[1]
    for refused in (
        tasks.create_task(platform, neighbour, opened.id, task_draft(platform)),
        tasks.change_task(platform, neighbour, opened.id, task.id, task_draft(platform)),
        tasks.withdraw_task(platform, neighbour, opened.id, task.id),
        submissions.class_work(platform, neighbour, opened.id),
        submissions.work_in_reach(platform, neighbour, opened.id, task.id),
        submissions.trainee_record(platform, neighbour, opened.id, task.id, submission.person_id),
        submissions.file_in_reach(platform, neighbour, opened.id, submission.id, file.id),
        service.class_results(platform, neighbour, opened.id),
        service.release(platform, neighbour, opened.id),
        service.export_results(platform, neighbour, opened.id),
        tasks.taught_tasks(platform, teacher.actor, opened.id),
        submissions.taught_work(platform, teacher.actor, task.id),
        submissions.taught_file(platform, teacher.actor, submission.id, file.id),
        grading.grade_submission(platform, teacher.actor, submission.id, graded(1, 1)),
        tasks.my_tasks(platform, trainee.actor, opened.id),
        submissions.begin_upload(platform, trainee.actor, task.id),
        submissions.my_versions(platform, trainee.actor, task.id),
        service.my_result(platform, trainee.actor, opened.id),
        submissions.my_file(platform, classmate.actor, submission.id, file.id),
        submissions.my_versions(platform, classmate.actor, task.id, before=submission.id),
    ):
        with pytest.raises(NotFound):
            await refused


# ---- handing in


async def test_each_submission_is_a_new_version_with_its_files(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    first = await hand_in(platform, phone, task, files=[("教案.doc", docx()), ("照片", PNG)])
    second = await hand_in(platform, phone, task, text="改过的")
    assert (first.version, second.version) == (1, 2)
    assert [file.name for file in first.files] == ["教案.doc.docx", "照片.png"]
    download = await submissions.my_file(platform, phone.actor, first.id, first.files[1].id)
    assert b"".join([chunk async for chunk in download.content]) == PNG
    assert (download.media_type, download.size) == ("image/png", len(PNG))
    assert await files_kept(platform) == (2, 2, 0)


async def test_copies_sent_at_once_become_different_versions(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    made = await asyncio.gather(*(hand_in(platform, phone, task, text=f"第 {n} 份") for n in range(5)))
    assert sorted(one.version for one in made) == [1, 2, 3, 4, 5]


async def test_the_same_nonce_answers_the_same_and_leaves_no_orphan(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    made: list[Submission] = await asyncio.gather(
        *(hand_in(platform, phone, task, files=[("成果.pdf", PDF)], nonce="nonce-0001") for _ in range(4))
    )
    assert len({one.id for one in made}) == 1
    assert await files_kept(platform) == (1, 1, 0)


async def test_work_that_is_not_declared_ones_own_is_refused(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    upload = await submissions.begin_upload(platform, phone.actor, task.id)
    await upload.begin("成果.pdf")
    await upload.write(PDF)
    await upload.end()
    with pytest.raises(OwnWorkNotDeclared):
        await submissions.hand_in(platform, phone.actor, task.id, SubmissionDraft(text="我的"), upload)
    assert await files_kept(platform) == (0, 0, 0)


async def test_an_empty_submission_is_refused(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    with pytest.raises(Invalid):
        await hand_in(platform, opened.trainees[0], task, text=" \n")


async def test_the_limits_of_the_policy_hold(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    today = opened.training_class.starts_on
    for key in ("upload_mebibytes", "upload_files"):
        change = PolicyChange(key=key, value=1, effective_from=today, reason="试验需要")
        await policies.change(platform, stage.actor(cast.CENTRE), change)
    exact = await submissions.begin_upload(platform, phone.actor, task.id)
    await exact.begin("成果.pdf")
    await exact.write(PDF + bytes(2**20 - len(PDF)))
    await exact.end()
    with pytest.raises(Invalid):
        await exact.begin("多一个.pdf")
    await exact.give_up()
    too_large = await submissions.begin_upload(platform, phone.actor, task.id)
    await too_large.begin("成果.pdf")
    await too_large.write(PDF + bytes(2**20 - len(PDF)))
    with pytest.raises(FileTooLarge):
        await too_large.write(b"\0")
    await too_large.give_up()
    await too_large.give_up()
    assert await files_kept(platform) == (0, 0, 0)


async def test_a_file_that_is_no_document_is_refused_and_nothing_of_it_stays(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    upload = await submissions.begin_upload(platform, opened.trainees[0].actor, task.id)
    await upload.begin("作业.pdf")
    with pytest.raises(FileTypeRefused):
        await upload.write(b"MZ" + bytes(300_000))
    await upload.give_up()
    assert await files_kept(platform) == (0, 0, 0)


async def test_what_a_killed_server_had_half_received_is_removed_after_a_day(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task, phone = await set_task(platform, opened), opened.trainees[0]
    kept = await hand_in(platform, phone, task, files=[("成果.pdf", PDF)])
    upload = await submissions.begin_upload(platform, phone.actor, task.id)
    await upload.begin("半份.pdf")
    await upload.write(PDF + bytes(600_000))  # two chunks are written, and the server dies
    clock_of(platform).advance(timedelta(hours=24))
    assert await submissions.remove_abandoned(platform) == 0
    clock_of(platform).advance(timedelta(milliseconds=1))
    assert await submissions.remove_abandoned(platform) == 1
    assert await files_kept(platform) == (1, 1, 0)
    download = await submissions.my_file(platform, phone.actor, kept.id, kept.files[0].id)
    assert b"".join([chunk async for chunk in download.content]) == PDF


# ---- grading


async def test_a_grade_is_given_once_however_often_it_is_sent(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    submission = await hand_in(platform, opened.trainees[0], await set_task(platform, opened))
    first = await grade(platform, opened.teacher, submission, 50, 30)
    again = await grade(platform, opened.teacher, submission, 50, 30)
    assert first == again and first.current.points == 80
    assert (await audit_actions(platform)).count("assessment:grade") == 1


async def test_a_change_needs_a_reason_and_keeps_before_and_after(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    submission = await hand_in(platform, opened.trainees[0], await set_task(platform, opened))
    await grade(platform, opened.teacher, submission, 50, 30)
    with pytest.raises(Invalid) as caught:
        await grade(platform, opened.teacher, submission, 55, 30)
    assert [field.place for field in caught.value.fields] == ["reason"]
    changed = await grading.grade_submission(
        platform, opened.teacher.actor, submission.id, graded(55, 30, reason="漏算附件")
    )
    assert [(mark.points, mark.reason) for mark in changed.marks] == [(80, ""), (85, "漏算附件")]
    entry = await platform["audit"].find_one({"action": "assessment:grade"}, sort=[("_id", -1)])
    assert entry is not None
    assert entry["facts"]["scores_before"] == {"c1": 50, "c2": 30}
    assert entry["facts"]["scores"] == {"c1": 55, "c2": 30}
    assert entry["facts"]["reason"] == "漏算附件"


async def test_only_the_newest_version_is_graded(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    first = await hand_in(platform, opened.trainees[0], task)
    await grade(platform, opened.teacher, first)
    second = await hand_in(platform, opened.trainees[0], task, text="第二版")
    with pytest.raises(NewerVersion) as caught:
        await grade(platform, opened.teacher, first, 60, 40)
    assert "第 2 版" in caught.value.detail
    [row] = (await submissions.taught_work(platform, opened.teacher.actor, task.id)).rows
    assert row.grade is not None and row.grade.current.version == 1
    regraded = await grade(platform, opened.teacher, second, 60, 40)
    assert [mark.version for mark in regraded.marks] == [1, 2]


async def test_who_has_not_handed_in_is_listed_too(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    task = await set_task(platform, opened)
    await hand_in(platform, opened.trainees[1], task)
    work = await submissions.taught_work(platform, opened.teacher.actor, task.id)
    assert [row.submission is not None for row in work.rows] == [False, True, False]


async def test_a_practical_test_is_graded_without_a_submission(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    formative = await set_task(platform, opened)
    summative = await set_task(platform, opened, TaskKind.SUMMATIVE)
    person_id = opened.trainees[0].actor.person_id
    teacher = opened.teacher.actor
    shown = await grading.grade_trainee(platform, teacher, summative.id, person_id, graded(40, 40))
    assert shown.current.version is None and shown.current.points == 80
    with pytest.raises(NothingSubmitted):
        await grading.grade_trainee(platform, teacher, formative.id, person_id, graded(40, 40))
    with pytest.raises(NotFound):
        await grading.grade_trainee(platform, teacher, summative.id, teacher.person_id, graded(40, 40))
    await hand_in(platform, opened.trainees[0], summative)
    with pytest.raises(NewerVersion):
        await grading.grade_trainee(platform, teacher, summative.id, person_id, graded(60, 40))


async def test_points_outside_a_criterion_are_refused(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    submission = await hand_in(platform, opened.trainees[0], await set_task(platform, opened))
    for scores in ({"c1": 61, "c2": 0}, {"c1": 10}, {"c1": 1, "c2": 1, "c3": 1}, {"c1": -1, "c2": 0}):
        with pytest.raises(Invalid):
            await grading.grade_submission(
                platform, opened.teacher.actor, submission.id, GradeRequest(scores=scores)
            )


# ---- results


async def test_results_are_frozen_told_and_shown(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    await assess_everybody(platform, opened, [85, 60, 59])
    before = await tasks.my_tasks(platform, opened.trainees[0].actor, opened.id)
    assert all(one.grade is None for one in before)
    with pytest.raises(ResultsNotReleased):
        await service.my_result(platform, opened.trainees[0].actor, opened.id)
    assert await service.released_results(platform, opened.id) == {}

    results = await release(platform, opened)
    assert [(one.total, one.passed) for one in results] == [(85.0, True), (60.0, True), (59.0, False)]
    frozen = await service.released_results(platform, opened.id)
    assert list(frozen) == [phone.actor.person_id for phone in opened.trainees]
    mine = await service.my_result(platform, opened.trainees[2].actor, opened.id)
    assert (mine.reason, mine.attendance_ok) == ("总评未达合格线", True)
    after = await tasks.my_tasks(platform, opened.trainees[0].actor, opened.id)
    assert [one.grade and one.grade.current.points for one in after] == [85, 85]
    told = [row["person_id"] async for row in platform["outbox"].find({"template": "results-released"})]
    assert sorted(told) == sorted(frozen)
    with pytest.raises(ResultsReleased):
        await release(platform, opened)


async def test_a_submission_without_a_grade_stops_the_release_and_is_named(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task, _ = await assess_everybody(platform, opened)
    await hand_in(platform, opened.trainees[1], task, text="又一版")
    with pytest.raises(ResultsNotReady) as caught:
        await release(platform, opened)
    name = opened.trainees[1].actor.name
    assert f"{name}《{task.title}》" in caught.value.detail
    assert opened.trainees[0].actor.name not in caught.value.detail
    assert await service.released_results(platform, opened.id) == {}
    found = await classes.get_class(platform, opened.officer, opened.id)
    assert found.results_released_at is None


async def test_a_class_without_tasks_attendance_or_trainees_has_no_results(
    platform: Platform, wechat: Simulator
) -> None:
    empty = await stage.class_in_session(platform, wechat, trainees=0)
    with pytest.raises(ResultsNotReady) as caught:
        await release(platform, empty)
    for words in ("还没有学员", "过程性考核", "终结性考核", "无法核算出勤"):
        assert words in caught.value.detail


async def test_missing_work_counts_nothing_and_missing_hours_exclude(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    formative = await set_task(platform, opened)
    summative = await set_task(platform, opened, TaskKind.SUMMATIVE)
    for phone in opened.trainees[:2]:
        await grade(platform, opened.teacher, await hand_in(platform, phone, formative), 60, 40)
    for phone in opened.trainees:
        person_id = phone.actor.person_id
        await grading.grade_trainee(platform, opened.teacher.actor, summative.id, person_id, graded(60, 30))
    await attend(platform, opened, [opened.trainees[0], opened.trainees[2]])
    seen = await service.class_results(platform, opened.officer, opened.id)
    assert seen.assessment is not None
    missing_of = [[task.id for task in one.missing] for one in seen.assessment.standings]
    assert missing_of == [[], [], [formative.id]]
    full, absent, missing = await release(platform, opened)
    assert (full.total, full.passed) == (94.0, True)
    assert (absent.total, absent.passed, absent.reason) == (94.0, False, "出勤不足")
    assert (missing.total, missing.passed) == (54.0, False)
    assert missing.marks[0].points is None


async def test_the_policies_of_the_first_day_of_the_class_apply(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    first_day = opened.training_class.starts_on
    for value, day in ((75, first_day + timedelta(days=1)), (70, first_day)):
        change = PolicyChange(key="pass_mark", value=value, effective_from=day, reason="试验需要")
        await policies.change(platform, stage.actor(cast.CENTRE), change)
    await assess_everybody(platform, opened, [70])
    [result] = await release(platform, opened)
    assert (result.policy.pass_mark, result.passed) == (70, True)


async def test_a_submission_and_the_release_at_the_same_moment_exclude_each_other(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    task, _ = await assess_everybody(platform, opened)
    outcomes = await asyncio.gather(
        *(hand_in(platform, phone, task, text="最后一刻") for phone in opened.trainees),
        release(platform, opened),
        return_exceptions=True,
    )
    handed_in = [one for one in outcomes[:3] if isinstance(one, Submission)]
    refused = [one for one in outcomes if isinstance(one, Problem)]
    if isinstance(outcomes[3], list):
        assert handed_in == [] and all(isinstance(one, ResultsReleased) for one in refused)
    else:
        assert handed_in and isinstance(outcomes[3], ResultsNotReady)


async def test_of_two_releases_at_the_same_moment_one_releases(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    await assess_everybody(platform, opened)
    outcomes = await asyncio.gather(
        release(platform, opened), release(platform, opened), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["ResultsReleased", "list"]
    assert await platform["results"].count_documents({}) == 2
