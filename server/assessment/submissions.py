"""What trainees hand in: versions kept, each with its files, and who may look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import DuplicateKeyError

from server.assessment import rules, store
from server.assessment.documents import Grade, Result, Submission, SubmittedFile, Task, is_graded
from server.assessment.table import CellState
from server.assessment.tasks import attended_task, task_in_reach, taught_task
from server.assessment.uploads import Limits, QuotaReached, Upload, limits_of, versions_full, within_quotas
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import FieldError, Invalid, NonceReused, NotFound, Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.uploads import service as uploads
from server.wechat import content
from server.wechat.content import Mark, Picture, Scene, Screened

TEXT_LONGEST = 20_000
ABANDONED_AFTER = timedelta(days=1)
SWEPT_AT_ONCE = 100


class SubmissionDraft(BaseModel):
    """What stands beside the files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    own_work: bool = False
    text: Annotated[str, Field(max_length=TEXT_LONGEST)] = ""
    nonce: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")] = None


# ---- handing in


async def begin_upload(
    platform: Platform, actor: Actor, task_id: str, announced: int | None = None
) -> Upload:
    """Opens the way in for files, before any of them arrives; `announced` are the bytes of all of them, where somebody has said so.

    Raises NotFound, NotArrived, ResultsReleased.
    """
    _, training_class = await attended_task(platform, actor, task_id)
    await classes.require_arrived(platform, training_class.id, actor.person_id)
    if training_class.frozen:
        raise classes.ResultsReleased()
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    upload = Upload(platform, actor, training_class.id, limits_of(in_force), announced)
    last = await store.versions(platform, task_id, actor.person_id, limit=1)
    if last and last[0].version >= in_force.upload_versions:
        upload.refused = versions_full(in_force, last[0].version)
    return upload


async def limits(platform: Platform) -> Limits:
    """What one submission may carry today."""
    return limits_of(await policies.on(platform, beijing_date(platform.clock.now())))


async def hand_in(
    platform: Platform, actor: Actor, task_id: str, draft: SubmissionDraft, upload: Upload
) -> tuple[Submission, bool]:
    """Keeps a new version with its files, and says whether it is new: the same nonce gives the same version again.

    Raises OwnWorkNotDeclared (article 13), ContentRefused, Invalid when there is neither text nor file, ResultsReleased. Unless a
    new version came to be, no file stays. (A database that fails to answer is no proof that nothing was kept: then
    `remove_abandoned` decides.)
    """
    try:
        texts = await content.kept_by(
            {"text": draft.text}, _keep, platform, actor, task_id, draft, upload, content.UNASKED
        )
        screened = await content.screen(platform, actor, Scene.LOG, texts)
        kept, is_new = await _keep(platform, actor, task_id, draft, upload, screened)
    except Problem:
        await upload.give_up()
        raise
    if not is_new:
        await upload.give_up()
    return kept, is_new


@dataclass(frozen=True)
class Named:
    """Files that were sent before the form that names them."""

    ids: Sequence[str]
    refused: QuotaReached | None = None

    async def taken(self, unit: UnitOfWork) -> list[SubmittedFile]:
        return [SubmittedFile(**vars(one)) for one in await uploads.take(unit, self.ids)]


class NamedDraft(SubmissionDraft):
    """What a phone hands in once its files are there."""

    uploads: Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]], Field(max_length=50)] = []
    """Ids of uploads, each once; one that is still being looked at may be named."""


async def hand_in_named(
    platform: Platform, actor: Actor, task_id: str, draft: NamedDraft
) -> tuple[Submission, bool]:
    """As `hand_in`, with files that were sent before. Raises what it does, NonceReused, and NotWhole, FileTypeRefused of a file."""
    if draft.nonce and (
        known := await store.submission_by_nonce(platform, task_id, actor.person_id, draft.nonce)
    ):
        if (known.text, [one.id for one in known.files]) != (draft.text, list(dict.fromkeys(draft.uploads))):
            raise NonceReused()
        return known, False
    await attended_task(platform, actor, task_id)
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    if len(draft.uploads) > in_force.upload_files:
        raise Invalid(fields=[FieldError("uploads", f"一次最多提交 {in_force.upload_files} 个文件。")])
    await uploads.prepare(platform, actor, draft.uploads)
    named = Named(draft.uploads)
    texts = await content.kept_by(
        {"text": draft.text}, _keep, platform, actor, task_id, draft, named, content.UNASKED
    )
    screened = await content.screen(platform, actor, Scene.LOG, texts)
    try:
        return await _keep(platform, actor, task_id, draft, named, screened)
    except DuplicateKeyError:  # it came twice at once, or somebody was first with the same content
        return await _keep(platform, actor, task_id, draft, named, screened)


@transactional
async def _keep(
    unit: UnitOfWork, task_id: str, draft: SubmissionDraft, upload: Upload | Named, screened: Screened
) -> tuple[Submission, bool]:
    task, training_class = await attended_task(unit, unit.actor, task_id)
    person_id = unit.actor.person_id
    if draft.nonce and (known := await store.submission_by_nonce(unit, task_id, person_id, draft.nonce)):
        unit.nothing_written()
        return known, False
    await classes.require_arrived(unit, training_class.id, person_id)
    if upload.refused:
        raise upload.refused
    rules.check_own_work(draft.own_work)
    files = await upload.taken(unit)
    if not files and not draft.text.strip():
        raise Invalid(fields=[FieldError("text", "请填写内容或上传文件。")])
    await classes.exclude_release(unit, training_class)
    last = await store.versions(unit, task_id, person_id, limit=1)
    await within_quotas(unit, task, person_id, last[0].version if last else 0, files)
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
    pictures = [Picture(file.id, file.name, file.media_type, file.size, file.content) for file in files]
    await content.note_pictures(unit, Scene.LOG, subject, pictures)
    unit.audit(
        "assessment:submit", new.id, task_id=task_id, version=new.version, files=len(files), late=new.late
    )
    return new, True


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
class WorkOnTask:
    """What one person has handed in on a task, and what it brought."""

    task: Task
    latest: Submission | None
    grade: Grade | None

    def said_at(self, now: datetime) -> str:
        """Its points or, in the words of the results, why there are none."""
        if self.grade is not None and is_graded(self.latest, self.grade):
            return str(self.grade.current.points)
        if self.latest is not None:
            return CellState.WAITING.label
        return (CellState.OPEN if rules.is_open(self.task.deadline, now) else CellState.MISSING).label


@dataclass(frozen=True)
class WorkOfPerson:
    """By class."""

    tasks: dict[str, list[WorkOnTask]]
    results: dict[str, Result]
    """As far as released."""


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


async def of_person(scope: Scope, person_id: str, class_ids: Sequence[str]) -> WorkOfPerson:
    """One person's work in classes that the caller has fetched already."""
    tasks = await store.whole_tasks(scope, class_ids)
    ids = [one.id for one in tasks]
    latest = await store.latest_of_person(scope, ids, person_id)
    grades = await store.grades_of_person(scope, ids, person_id)
    found: dict[str, list[WorkOnTask]] = {class_id: [] for class_id in class_ids}
    for one in tasks:
        found[one.class_id].append(WorkOnTask(one, latest.get(one.id), grades.get(one.id)))
    return WorkOfPerson(found, await store.results_of_person(scope, class_ids, person_id))


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
            return Download(file.name, file.media_type, file.size, platform.files.read(file.content_id))
    raise NotFound("没有这个文件。")
