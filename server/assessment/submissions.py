"""What trainees hand in: files streamed into GridFS while they arrive, versions kept, nothing left behind by what was broken off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.assessment import file_types, rules, store
from server.assessment.documents import Grade, Submission, SubmittedFile, Task, is_graded
from server.assessment.file_types import FileType, Recogniser, safe_name
from server.assessment.tasks import attended_task, task_in_reach, taught_task
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.kernel import hostile, policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound, Problem
from server.kernel.files import NewFile
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.wechat import content
from server.wechat.content import Mark, Picture, Scene, Screened

TEXT_LONGEST = 20_000
ABANDONED_AFTER = timedelta(days=1)
SWEPT_AT_ONCE = 100


hostile.reads_here(file_types.__name__)


class FileTooLarge(Problem):
    status = 413
    slug = "file-too-large"
    title = "文件太大"
    default_detail = "文件超过大小上限，请压缩或拆分后再提交。"


class QuotaReached(Conflict):
    slug = "quota-reached"
    title = "已达到提交上限"


class SubmissionDraft(BaseModel):
    """What stands beside the files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    own_work: bool = False
    text: Annotated[str, Field(max_length=TEXT_LONGEST)] = ""
    nonce: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")] = None


@dataclass(frozen=True)
class Limits:
    file_bytes: int
    files: int


class Upload:
    """The files of one submission on their way in. Each file: `begin`, `write` as often as needed, `end`.

    `give_up` removes whatever has arrived; a file is noted in `uploads` before its first byte, so that it can be removed even when the
    server dies. Nothing is ever whole in memory.
    """

    def __init__(self, platform: Platform, actor: Actor, limits: Limits) -> None:
        self.limits = limits
        self.files: list[SubmittedFile] = []
        self._platform = platform
        self._owner = actor.person_id
        self._begun: list[str] = []
        self._open: _OpenFile | None = None
        self._given_up = False
        self._one_at_a_time = asyncio.Lock()

    async def begin(self, name: str) -> None:
        """Raises Invalid for one file more than the policy lets in."""
        if len(self.files) >= self.limits.files:
            raise Invalid(fields=[FieldError("files", f"一次最多提交 {self.limits.files} 个文件。")])
        content = self._platform.files.create(name[:200], {"person_id": self._owner})
        self._begun.append(content.id)
        await store.note_upload(self._platform, content.id, self._platform.machine.now())
        self._open = _OpenFile(name, content)

    async def write(self, data: bytes) -> None:
        """Raises FileTooLarge, FileTypeRefused."""
        file = self._open
        assert file is not None
        file.size += len(data)
        if file.size > self.limits.file_bytes:
            raise FileTooLarge(
                f"单个文件不能超过 {self.limits.file_bytes // 2**20} MiB，请压缩或拆分后再提交。"
            )
        file.recogniser.feed(data)
        async with self._one_at_a_time:
            if not self._given_up:
                await file.content.write(data)

    async def end(self) -> None:
        """Raises FileTypeRefused."""
        file = self._open
        assert file is not None
        known = await recognised(self._platform, self._owner, file.recogniser)
        async with self._one_at_a_time:
            if self._given_up:
                return
            await file.content.close()
            self._open = None
        self.files.append(
            SubmittedFile(
                id=file.content.id,
                name=safe_name(file.name, known),
                media_type=known.media_type,
                size=file.size,
            )
        )

    async def give_up(self) -> None:
        """Removes everything that has arrived. Once is enough, twice does no harm."""
        async with self._one_at_a_time:
            self._given_up = True
            if self._open is not None:
                await self._open.content.abort()
                self._open = None
            for file_id in self._begun:
                await self._platform.files.delete(file_id)
            await store.forget_uploads(self._platform, self._begun)
            self._begun = []


@dataclass
class _OpenFile:
    """The file that is arriving."""

    name: str
    content: NewFile
    size: int = 0
    recogniser: Recogniser = field(default_factory=Recogniser)


# ---- handing in


async def begin_upload(platform: Platform, actor: Actor, task_id: str) -> Upload:
    """Opens the way in for files, before any of them arrives. Raises NotFound, NotArrived, ResultsReleased."""
    _, training_class = await attended_task(platform, actor, task_id)
    await classes.require_arrived(platform, training_class.id, actor.person_id)
    if training_class.frozen:
        raise classes.ResultsReleased()
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    return Upload(platform, actor, Limits(in_force.upload_mebibytes * 2**20, in_force.upload_files))


async def hand_in(
    platform: Platform, actor: Actor, task_id: str, draft: SubmissionDraft, upload: Upload
) -> tuple[Submission, bool]:
    """Keeps a new version with its files, and says whether it is new: the same nonce gives the same version again.

    Raises OwnWorkNotDeclared (article 13), ContentRefused, Invalid when there is neither text nor file, ResultsReleased. Unless a
    new version came to be, no file stays. (A database that fails to answer is no proof that nothing was kept: then
    `remove_abandoned` decides.)
    """
    try:
        screened = await content.screen(platform, actor, Scene.LOG, {"text": draft.text})
        kept, is_new = await _keep(platform, actor, task_id, draft, upload.files, screened)
    except Problem:
        await upload.give_up()
        raise
    if not is_new:
        await upload.give_up()
    return kept, is_new


@transactional
async def _keep(
    unit: UnitOfWork, task_id: str, draft: SubmissionDraft, files: list[SubmittedFile], screened: Screened
) -> tuple[Submission, bool]:
    task, training_class = await attended_task(unit, unit.actor, task_id)
    person_id = unit.actor.person_id
    if draft.nonce and (known := await store.submission_by_nonce(unit, task_id, person_id, draft.nonce)):
        unit.nothing_written()
        return known, False
    await classes.require_arrived(unit, training_class.id, person_id)
    rules.check_own_work(draft.own_work)
    if not files and not draft.text.strip():
        raise Invalid(fields=[FieldError("text", "请填写内容或上传文件。")])
    await classes.exclude_release(unit, training_class)
    last = await store.versions(unit, task_id, person_id, limit=1)
    await _within_quotas(unit, task, person_id, last[0].version if last else 0, files)
    new = Submission(
        task_id=task_id,
        class_id=task.class_id,
        institution_code=task.institution_code,
        province_code=task.province_code,
        person_id=person_id,
        person_name=unit.actor.name,
        version=last[0].version + 1 if last else 1,
        text=draft.text,
        files=files,
        own_work=True,
        nonce=draft.nonce,
        submitted_at=unit.now,
        late=rules.is_late(unit.now, task.deadline),
    )
    await store.insert_submission(unit, new)
    await store.set_task_in_use(unit, task_id)
    await store.forget_uploads(unit, [file.id for file in files])
    subject = content.of_class(training_class, content_key(new.id), f"学习成果《{task.title}》")
    await content.note(unit, screened, subject)
    pictures = [Picture(file.id, file.name, file.media_type, file.size) for file in files]
    await content.note_pictures(unit, Scene.LOG, subject, pictures)
    unit.audit(
        "assessment:submit", new.id, task_id=task_id, version=new.version, files=len(files), late=new.late
    )
    return new, True


async def _within_quotas(
    unit: UnitOfWork, task: Task, person_id: str, versions: int, files: Sequence[SubmittedFile]
) -> None:
    """Raises QuotaReached. Two of one class come one after the other (classes.exclude_release), so none slips past."""
    in_force = await policies.on(unit, beijing_date(unit.now))
    if versions >= in_force.upload_versions:
        raise QuotaReached(
            f"这项任务已提交 {versions} 次，最多 {in_force.upload_versions} 次。如确需再交，请联系培训机构。"
        )
    size = sum(file.size for file in files)
    if not size:
        return
    of_person = await store.add_bytes(unit, f"{task.class_id}:{person_id}", size)
    if of_person > in_force.upload_person_mebibytes * 2**20:
        raise QuotaReached(
            f"您在本班提交的文件总量已到 {in_force.upload_person_mebibytes} MiB 的上限，请压缩文件后再提交。"
        )
    if await store.add_bytes(unit, task.class_id, size) > in_force.upload_class_gibibytes * 2**30:
        raise QuotaReached(
            f"本班提交的文件总量已到 {in_force.upload_class_gibibytes} GiB 的上限，请联系培训机构。"
        )


async def recognised(platform: Platform, whom: str, recogniser: Recogniser) -> FileType:
    """What a file is that has passed by. Raises FileTypeRefused, FileUnreadable."""
    if not recogniser.looks_inside:
        return recogniser.end()
    return await hostile.read_apart(platform, whom, recogniser.end)


async def note_begun(platform: Platform, file_id: str) -> None:
    """For a chapter that takes files by itself: notes one before its first byte, so that `remove_abandoned` finds what stayed behind."""
    await store.note_upload(platform, file_id, platform.machine.now())


async def let_go(unit: UnitOfWork, file_ids: Sequence[str]) -> None:
    """Part of a use case after which no document names these files: `remove_abandoned` removes them a day later."""
    for file_id in file_ids:
        await store.note_upload(unit, file_id, unit.platform.machine.now())


async def note_kept(scope: Scope, file_ids: Sequence[str]) -> None:
    """Such files are named by a document now, or were removed."""
    await store.forget_uploads(scope, file_ids)


def content_key(submission_id: str) -> str:
    """Under which the content checks of a submission are kept."""
    return f"submission:{submission_id}"


async def marks(platform: Platform, submission_ids: Sequence[str]) -> dict[str, dict[str, Mark]]:
    """Submission → "text" or file id → what the content check says of it, where it did not pass at once."""
    found = await content.marks(platform, [content_key(one) for one in submission_ids])
    return {key.partition(":")[2]: parts for key, parts in found.items()}


async def remove_abandoned(platform: Platform) -> int:
    """Removes files that for over a day have been named by nothing: cut off as they came, or let go; returns how many."""
    before = platform.machine.now() - ABANDONED_AFTER
    file_ids = await store.uploads_before(platform, before, SWEPT_AT_ONCE)
    for file_id in file_ids:
        await platform.files.delete(file_id)
    if file_ids:
        await store.forget_uploads(platform, file_ids)
    return len(file_ids)


# ---- looking at it


@dataclass(frozen=True)
class TraineeWork:
    """One trainee and one task: the newest version, if any, and the grade, if any."""

    trainee: Enrolment
    submission: Submission | None
    grade: Grade | None


@dataclass(frozen=True)
class TaskWork:
    """Everybody's work on a task, in the order of the roster; who has handed in nothing is there too."""

    task: Task
    training_class: TrainingClass
    rows: list[TraineeWork]


@dataclass(frozen=True)
class TraineeRecord:
    """One trainee and one task with everything that was handed in, newest first, and every grade."""

    task: Task
    training_class: TrainingClass
    trainee: Enrolment
    versions: list[Submission]
    grade: Grade | None


@dataclass(frozen=True)
class TaskCounts:
    """A task and how many of the class have handed something in, had the newest version graded, or were graded on site."""

    task: Task
    submitted: int
    late: int
    graded: int


@dataclass(frozen=True)
class ClassWork:
    training_class: TrainingClass
    trainees: int
    tasks: list[TaskCounts]


async def class_work(platform: Platform, actor: Actor, class_id: str) -> ClassWork:
    """For staff: the tasks of a class in the order in which they were set. Raises NotFound outside their jurisdiction."""
    training_class = await classes.get_class(platform, actor, class_id)
    latest = await store.latest_of_class(platform, class_id)
    grades = await store.grades_of_class(platform, class_id)
    trainees = await classes.trainees(platform, class_id)
    counts = []
    for task in await store.tasks(platform, class_id):
        keys = [(one.person_id, task.id) for one in trainees]
        handed_in = [latest[key] for key in keys if key in latest]
        counts.append(
            TaskCounts(
                task,
                submitted=len(handed_in),
                late=sum(version.late for version in handed_in),
                graded=sum(is_graded(latest.get(key), grades.get(key)) for key in keys),
            )
        )
    return ClassWork(training_class, len(trainees), counts)


async def my_versions(
    platform: Platform, actor: Actor, task_id: str, *, before: str | None = None, limit: int = 20
) -> list[Submission]:
    """The actor's own versions, newest first, older than the submission `before`."""
    await attended_task(platform, actor, task_id)
    below = None
    if before is not None:
        below = (await _own(platform, actor, before)).version
    return await store.versions(platform, task_id, actor.person_id, below=below, limit=limit)


async def taught_work(platform: Platform, actor: Actor, task_id: str) -> TaskWork:
    """For a teacher of the class. Raises NotFound."""
    return await _work(platform, *await taught_task(platform, actor, task_id))


async def work_in_reach(platform: Platform, actor: Actor, class_id: str, task_id: str) -> TaskWork:
    """For staff. Raises NotFound outside their jurisdiction."""
    return await _work(platform, *await task_in_reach(platform, actor, class_id, task_id))


async def _work(scope: Scope, task: Task, training_class: TrainingClass) -> TaskWork:
    latest = await store.latest_of_task(scope, task.id)
    called = await classes.teachers_called(scope, training_class)
    grades = {who: one.naming(called) for who, one in (await store.grades_of_task(scope, task.id)).items()}
    rows = [
        TraineeWork(one, latest.get(one.person_id), grades.get(one.person_id))
        for one in await classes.trainees(scope, task.class_id)
    ]
    return TaskWork(task, training_class, rows)


async def trainee_record(
    platform: Platform, actor: Actor, class_id: str, task_id: str, person_id: str
) -> TraineeRecord:
    """For staff. Raises NotFound outside their jurisdiction and for a person who is not in the class."""
    task, training_class = await task_in_reach(platform, actor, class_id, task_id)
    trainee = await classes.trainee(platform, class_id, person_id)
    grade = await store.grade(platform, task_id, person_id)
    called = await classes.teachers_called(platform, training_class)
    return TraineeRecord(
        task,
        training_class,
        trainee,
        await store.versions(platform, task_id, person_id),
        grade and grade.naming(called),
    )


async def _own(scope: Scope, actor: Actor, submission_id: str) -> Submission:
    submission = await store.submission(scope, submission_id)
    if submission is None or submission.person_id != actor.person_id:
        raise NotFound("没有这份提交。")
    await classes.attended_class(scope, actor, submission.class_id)
    return submission


async def my_file(platform: Platform, actor: Actor, submission_id: str, file_id: str) -> Download:
    """A file of one's own. Raises NotFound."""
    return _download(platform, await _own(platform, actor, submission_id), file_id)


async def taught_file(platform: Platform, actor: Actor, submission_id: str, file_id: str) -> Download:
    """A file that a trainee of a class of the teacher's handed in. Raises NotFound."""
    submission = await store.submission(platform, submission_id)
    if submission is None:
        raise NotFound("没有这份提交，或您不是该班的授课教师。")
    await taught_task(platform, actor, submission.task_id)
    return _download(platform, submission, file_id)


async def file_in_reach(
    platform: Platform, actor: Actor, class_id: str, submission_id: str, file_id: str
) -> Download:
    """For staff. Raises NotFound outside their jurisdiction."""
    submission = await store.submission(platform, submission_id)
    if submission is None:
        raise NotFound("没有这份提交，或不在您的管理范围内。")
    await task_in_reach(platform, actor, class_id, submission.task_id)
    return _download(platform, submission, file_id)


def _download(platform: Platform, submission: Submission, file_id: str) -> Download:
    for file in submission.files:
        if file.id == file_id:
            return Download(file.name, file.media_type, file.size, platform.files.read(file_id))
    raise NotFound("没有这个文件。")
