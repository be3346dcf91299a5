"""Assessment for the tests: tasks, work handed in and graded, attendance and the release, through the platform's services."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import timedelta

from server.assessment import grading, service, submissions, tasks
from server.assessment.documents import Grade, Result, Submission, Task
from server.assessment.grading import GradeRequest
from server.assessment.rules import TaskKind
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import TaskDraft
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.platform import Platform
from tests import stage
from tests.memory import remembered
from tests.stage import ClassInSession, Phone

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(64)
PDF = b"%PDF-1.7\n" + b"1 0 obj\n<<>>\nendobj\n"


def clock_of(platform: Platform) -> FixedClock:
    assert isinstance(platform.clock, FixedClock)
    return platform.clock


def zip_of(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, f"content of {name}")
    return file.getvalue()


def docx() -> bytes:
    return zip_of("_rels/.rels", "word/document.xml", "[Content_Types].xml")


def task_draft(platform: Platform, kind: TaskKind = TaskKind.FORMATIVE, **changes: object) -> TaskDraft:
    """Two criteria of 60 and 40 points, due in three days."""
    draft: dict[str, object] = {
        "title": "学习任务分析" if kind is TaskKind.FORMATIVE else "说课答辩",
        "instructions": "结合本专业的典型工作任务撰写。",
        "kind": kind,
        "deadline": platform.clock.now() + timedelta(days=3),
        "criteria": [{"title": "任务描述", "points": 60}, {"title": "教学策划", "points": 40}],
    }
    return TaskDraft.model_validate(draft | changes)


async def set_task(
    platform: Platform, opened: ClassInSession, kind: TaskKind = TaskKind.FORMATIVE, **changes: object
) -> Task:
    """A task of the class, whose teacher is there to grade it."""
    await stage.assess(platform, opened)
    return await tasks.create_task(platform, opened.officer, opened.id, task_draft(platform, kind, **changes))


async def hand_in(
    platform: Platform,
    phone: Phone,
    task: Task,
    text: str = "我的学习成果",
    files: Sequence[tuple[str, bytes]] = (),
    nonce: str | None = None,
) -> Submission:
    upload = await submissions.begin_upload(platform, phone.actor, task.id)
    for name, content in files:
        await upload.begin(name)
        await upload.write(content)
        await upload.end()
    draft = SubmissionDraft(own_work=True, text=text, nonce=nonce)
    kept, _ = await submissions.hand_in(platform, phone.actor, task.id, draft, upload)
    return kept


def graded(first: int, second: int, comment: str = "", reason: str = "") -> GradeRequest:
    return GradeRequest(scores={"c1": first, "c2": second}, comment=comment, reason=reason)


async def grade(
    platform: Platform, teacher: Phone, submission: Submission, first: int = 48, second: int = 32
) -> Grade:
    return await grading.grade_submission(platform, teacher.actor, submission.id, graded(first, second))


async def attend(platform: Platform, opened: ClassInSession, phones: Sequence[Phone] | None = None) -> None:
    """The whole class is held from tomorrow on, all 80 hours, with these phones (all of the class) and nobody else;
    the clock moves to its end."""
    there = [one.actor.person_id for one in (opened.trainees if phones is None else phones)]
    tomorrow = beijing_date(platform.clock.now()) + timedelta(days=1)
    clock_of(platform).set(await stage.hold(platform, opened.training_class, there, tomorrow))


@remembered
async def assess_everybody(
    platform: Platform, opened: ClassInSession, scores: Sequence[int] | None = None
) -> tuple[Task, Task]:
    """Both kinds of task, handed in and graded with `scores` of 100 by trainee (80 each), everybody having attended."""
    formative = await set_task(platform, opened, TaskKind.FORMATIVE)
    summative = await set_task(platform, opened, TaskKind.SUMMATIVE)
    for number, phone in enumerate(opened.trainees):
        points = 80 if scores is None else scores[number]
        for task in (formative, summative):
            submission = await hand_in(platform, phone, task)
            await grade(platform, opened.teacher, submission, min(points, 60), max(points - 60, 0))
    await attend(platform, opened)
    return formative, summative


@remembered
async def release(platform: Platform, opened: ClassInSession) -> list[Result]:
    return await service.release(platform, opened.officer, opened.id)
