"""学习成果 and 考核: what a trainee hands in, how a backbone teacher grades it, and the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field
from tornado.ioloop import IOLoop
from tornado.web import stream_request_body

from miniprogram_api.handler import ApiHandler, Multipart, Page, Paging, Request, Response, operation
from miniprogram_api.screening import flag, screen
from miniprogram_api.multipart import SubmissionForm
from miniprogram_api.work_remarks import WorkRemarkAnswer
from server.accounts.binding import PhoneRests
from server.assessment import grading, remarks, service, submissions, tasks
from server.assessment.documents import Grade, Result, Submission, Task, WorkRemark, is_graded
from server.assessment.grading import GradeRequest, NewerVersion, NothingSubmitted
from server.assessment.rules import GradingOneself, OwnWorkNotDeclared, TaskKind
from server.assessment.service import ResultsNotReleased
from server.assessment.submissions import TEXT_LONGEST, NamedDraft, TaskWork, TraineeWork
from server.assessment.uploads import Limits, QuotaReached
from server.classes.rules import NotArrived, NotYourPart
from server.classes.service import ResultsReleased
from server.kernel import downloads
from server.kernel.errors import FileUnreadable
from server.kernel.front_door import Exchange
from server.kernel.permissions import Permission
from server.kernel.web import Route, parse_json
from server.uploads.file_types import ACCEPTED, FileTypeRefused
from server.uploads.service import FileTooLarge, NonceReused, NotWhole
from server.wechat.content import ContentRefused, Mark

NO_MARKS: Mapping[str, Mark] = {}
NO_REMARKS: Mapping[str, Sequence[WorkRemark]] = {}
"""By id of the submission."""
BODY_BESIDE_FILES = 2**20
"""Bytes that fields, headers and boundaries may take beside the files."""
SLOWEST_UPLOAD = 3600
"""Seconds for all of it: the largest that the policy may ask for, over a slow line. Who falls silent is given up long before."""


class CriterionAnswer(Response):
    key: str
    title: str
    points: int


class UploadLimits(Response):
    """What a submission may carry."""

    files: int
    file_bytes: int
    """Of each."""
    person_bytes: int
    """Of all that one person hands in in the class."""
    types: list[str]
    """Endings of the names of what is accepted."""


class TaskAnswer(Response):
    id: str
    class_id: str
    title: str
    instructions: str
    kind: TaskKind
    kind_title: str
    deadline: datetime
    criteria: list[CriterionAnswer]
    maximum: int


class FileAnswer(Response):
    id: str
    name: str
    media_type: str
    size: int
    """Bytes."""
    content_check: str | None = None
    """What the content check says where the picture did not pass at once: 检查中, 疑似违规 and the like."""


class SubmissionAnswer(Response):
    id: str
    task_id: str
    version: int
    submitted_at: datetime
    late: bool
    text: str
    files: list[FileAnswer]
    content_check: str | None = None
    """The same of the text."""
    remarks: list[WorkRemarkAnswer] = Field(default_factory=list)
    """What the teachers of the class said about this version, oldest first."""


class GradeAnswer(Response):
    scores: dict[str, int]
    points: int
    comment: str
    version: int | None
    """The version that was graded; null: shown on site."""
    graded_at: datetime


class MyTaskAnswer(TaskAnswer):
    limits: UploadLimits
    submission: SubmissionAnswer | None
    """The newest own version."""
    grade: GradeAnswer | None
    """Null until the results are released."""


class MarkAnswer(GradeAnswer):
    grader_name: str
    reason: str


class TraineeWorkAnswer(Response):
    person_id: str
    name: str
    id_number_masked: str
    """Tells namesakes apart."""
    work_unit: str
    graded: bool
    """The newest version is the graded one."""
    submission: SubmissionAnswer | None
    """Null: nothing handed in."""
    grade: GradeAnswer | None
    history: list[MarkAnswer]
    """Every grade that was given, newest first."""


class TaskWorkAnswer(Response):
    task: TaskAnswer
    submitted: int
    graded: int
    items: list[TraineeWorkAnswer]
    """Everybody in the class, in the order of the roster."""


class ResultMarkAnswer(Response):
    task_id: str
    title: str
    kind: TaskKind
    points: int | None
    maximum: int


class ResultPolicyAnswer(Response):
    formative_weight: int
    pass_mark: int
    attendance_needed: int


class ResultAnswer(Response):
    class_id: str
    formative: float
    summative: float
    total: float
    hours_attended: int
    hours_total: int
    attendance_ok: bool
    passed: bool
    reason: str
    marks: list[ResultMarkAnswer]
    policy: ResultPolicyAnswer
    released_at: datetime


def task_facts(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "class_id": task.class_id,
        "title": task.title,
        "instructions": task.instructions,
        "kind": task.kind,
        "kind_title": task.kind.label,
        "deadline": task.deadline,
        "criteria": [CriterionAnswer.model_validate(one) for one in task.criteria],
        "maximum": task.maximum,
    }


def upload_limits(limits: Limits) -> UploadLimits:
    return UploadLimits(
        files=limits.files,
        file_bytes=limits.file_bytes,
        person_bytes=limits.person_bytes,
        types=[ending for known in ACCEPTED for ending in known.extensions],
    )


def submission_answer(
    submission: Submission | None,
    said: Mapping[str, Sequence[WorkRemark]] = NO_REMARKS,
    marks: Mapping[str, Mark] = NO_MARKS,
) -> SubmissionAnswer | None:
    """`marks`: what the content check says of the parts, for who teaches the class."""
    if submission is None:
        return None
    told = SubmissionAnswer.model_validate(submission)
    files = [file.model_copy(update={"content_check": _title(marks.get(file.id))}) for file in told.files]
    remarked = [WorkRemarkAnswer.model_validate(one) for one in said.get(submission.id, ())]
    return told.model_copy(
        update={"files": files, "content_check": _title(marks.get("text")), "remarks": remarked}
    )


def _title(mark: Mark | None) -> str | None:
    return None if mark is None else mark.title


def grade_answer(grade: Grade) -> GradeAnswer:
    mark = grade.current
    return GradeAnswer(
        scores=mark.scores,
        points=mark.points,
        comment=mark.comment,
        version=mark.version,
        graded_at=mark.at,
    )


def trainee_work_answer(
    row: TraineeWork, checks: Mapping[str, Mark], said: Mapping[str, Sequence[WorkRemark]]
) -> TraineeWorkAnswer:
    marks = [] if row.grade is None else row.grade.marks
    return TraineeWorkAnswer(
        person_id=row.trainee.person_id,
        name=row.trainee.name,
        id_number_masked=row.trainee.id_number_masked,
        work_unit=row.trainee.work_unit,
        graded=is_graded(row.submission, row.grade),
        submission=submission_answer(row.submission, said, checks),
        grade=row.grade and grade_answer(row.grade),
        history=[
            MarkAnswer(
                scores=mark.scores,
                points=mark.points,
                comment=mark.comment,
                version=mark.version,
                graded_at=mark.at,
                grader_name=mark.grader_name,
                reason=mark.reason,
            )
            for mark in reversed(marks)
        ],
    )


def task_work_answer(
    work: TaskWork, marks: Mapping[str, Mapping[str, Mark]], said: Mapping[str, Sequence[WorkRemark]]
) -> TaskWorkAnswer:
    """`marks` by submission, then by part."""
    items = [
        trainee_work_answer(row, marks.get(row.submission.id, NO_MARKS) if row.submission else NO_MARKS, said)
        for row in work.rows
    ]
    return TaskWorkAnswer(
        task=TaskAnswer.model_validate(task_facts(work.task)),
        submitted=sum(item.submission is not None for item in items),
        graded=sum(item.graded for item in items),
        items=items,
    )


def next_cursor(ids: Sequence[str], limit: int) -> str | None:
    return ids[-1] if len(ids) == limit else None


# ---- the trainee


class ClassTasks(ApiHandler):
    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="The tasks of a class, each with my newest version and, after the release, my grade",
        query=Paging,
        answers={200: Page[MyTaskAnswer]},
    )
    async def get(self, class_id: str) -> None:
        paging = self.query(Paging)
        found = await tasks.my_tasks(
            self.platform, self.actor, class_id, after=paging.cursor, limit=paging.limit
        )
        said = await remarks.shown(self.platform, [one.submission for one in found if one.submission])
        limits = upload_limits(await submissions.limits(self.platform))
        items = [
            MyTaskAnswer.model_validate(
                task_facts(one.task)
                | {
                    "limits": limits,
                    "submission": submission_answer(one.submission, said),
                    "grade": one.grade and grade_answer(one.grade),
                }
            )
            for one in found
        ]
        self.answer(Page(items=items, next=next_cursor([item.id for item in items], paging.limit)))


SUBMISSION_FORM = Multipart(
    {
        "type": "object",
        "required": ["own_work"],
        "properties": {
            "own_work": {"type": "string", "enum": ["true"], "description": "本人独立完成（指南第十三条）"},
            "text": {"type": "string", "maxLength": TEXT_LONGEST},
            "nonce": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        },
        "additionalProperties": False,
    }
)


class SubmissionRequest(Request, NamedDraft):
    """A version whose files were sent before (`POST /uploads`)."""

    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


@stream_request_body
class TaskSubmissions(ApiHandler):
    form: SubmissionForm | None = None
    named: bytearray | None = None
    """A body of JSON, as far as it has come."""

    @property
    def connection(self) -> Exchange:
        assert isinstance(self.request.connection, Exchange)
        return self.request.connection

    async def prepare(self) -> None:
        """The files go into the database while they arrive, so who sends them is settled before the first byte."""
        await super().prepare()
        if self.request.method != "POST":
            return
        if self.request.headers.get("Content-Type", "").lower().startswith("application/json"):
            self.named = bytearray()
            self.connection.set_max_body_size(BODY_BESIDE_FILES)
        else:
            await self._open_form()

    async def _open_form(self) -> None:
        self.connection.stream_body(self.actor.person_id, SLOWEST_UPLOAD)
        said = self.request.headers.get("Content-Length", "")[:20]
        announced = int(said) if said.isdecimal() else None
        task_id = self.path_kwargs["task_id"]
        upload = await submissions.begin_upload(self.platform, self.actor, task_id, announced)
        largest = upload.limits.upload_bytes + BODY_BESIDE_FILES
        if announced is not None and announced > largest:
            raise FileTooLarge(f"一次提交的文件总共不能超过 {largest // 2**20} MiB，请分次提交或压缩。")
        self.form = SubmissionForm(self.request.headers.get("Content-Type", ""), upload)
        self.connection.set_max_body_size(largest)

    async def data_received(self, chunk: bytes) -> None:
        if self.named is not None:
            self.named += chunk
        elif self.form is not None:
            await self.form.take(chunk)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self.form is not None and self.form.break_off():
            IOLoop.current().add_callback(self.form.upload.give_up)

    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="Hand in a new version, with files that were sent before; the same nonce answers the same version again",
        body=(SubmissionRequest, SUBMISSION_FORM),
        answers={201: SubmissionAnswer, 200: SubmissionAnswer},
        problems=(
            NotArrived,
            OwnWorkNotDeclared,
            ContentRefused,
            FileTooLarge,
            FileTypeRefused,
            FileUnreadable,
            NonceReused,
            NotWhole,
            QuotaReached,
            ResultsReleased,
        ),
        rate="120/hour",
        rate_by="phone",
    )
    async def post(self, task_id: str) -> None:
        if self.named is not None:
            wanted = parse_json(SubmissionRequest, bytes(self.named))
            kept, is_new = await submissions.hand_in_named(self.platform, self.actor, task_id, wanted)
            self.answer(SubmissionAnswer.model_validate(kept), status=201 if is_new else 200)
            return
        assert self.form is not None
        draft = await self.form.finish()
        kept, is_new = await submissions.hand_in(self.platform, self.actor, task_id, draft, self.form.upload)
        self.answer(SubmissionAnswer.model_validate(kept), status=201 if is_new else 200)

    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="My versions, newest first",
        query=Paging,
        answers={200: Page[SubmissionAnswer]},
    )
    async def get(self, task_id: str) -> None:
        paging = self.query(Paging)
        found = await submissions.my_versions(
            self.platform, self.actor, task_id, before=paging.cursor, limit=paging.limit
        )
        said = await remarks.shown(self.platform, found)
        items = [told for one in found if (told := submission_answer(one, said))]
        self.answer(Page(items=items, next=next_cursor([item.id for item in items], paging.limit)))


class MyFile(ApiHandler):
    @operation(Permission.ASSESSMENT_SUBMIT, summary="A file that I handed in", answers={200: "*/*"})
    async def get(self, submission_id: str, file_id: str) -> None:
        file = await submissions.my_file(self.platform, self.actor, submission_id, file_id)
        await downloads.send(self, file)


class MyResult(ApiHandler):
    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="My result, once the results of the class are released",
        answers={200: ResultAnswer},
        problems=(ResultsNotReleased,),
    )
    async def get(self, class_id: str) -> None:
        result: Result = await service.my_result(self.platform, self.actor, class_id)
        self.answer(ResultAnswer.model_validate(result))


# ---- the backbone teacher


class TaughtTasks(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE,
        summary="The tasks of a class that I teach",
        query=Paging,
        answers={200: Page[TaskAnswer]},
    )
    async def get(self, class_id: str) -> None:
        paging = self.query(Paging)
        found = await tasks.taught_tasks(
            self.platform, self.actor, class_id, after=paging.cursor, limit=paging.limit
        )
        items = [TaskAnswer.model_validate(task_facts(task)) for task in found]
        self.answer(Page(items=items, next=next_cursor([item.id for item in items], paging.limit)))


class TaughtSubmissions(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE,
        summary="Everybody's newest version, and who has handed in nothing",
        answers={200: TaskWorkAnswer},
    )
    async def get(self, task_id: str) -> None:
        work = await submissions.taught_work(self.platform, self.actor, task_id)
        handed_in = [row.submission for row in work.rows if row.submission]
        marks = await submissions.marks(self.platform, [one.id for one in handed_in])
        self.answer(task_work_answer(work, marks, await remarks.shown(self.platform, handed_in)))


class TaughtFile(ApiHandler):
    @operation(Permission.ASSESSMENT_GRADE, summary="A file that was handed in", answers={200: "*/*"})
    async def get(self, submission_id: str, file_id: str) -> None:
        file = await submissions.taught_file(self.platform, self.actor, submission_id, file_id)
        await downloads.send(self, file)


GRADING_PROBLEMS = (ContentRefused, GradingOneself, NewerVersion, NotYourPart, PhoneRests, ResultsReleased)


class GradeSubmission(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE,
        summary="Grade somebody's newest version; a change needs a reason",
        body=GradeRequest,
        answers={200: GradeAnswer},
        problems=GRADING_PROBLEMS,
        rate="120/minute",
        rate_by="phone",
    )
    async def put(self, submission_id: str) -> None:
        draft = self.body(GradeRequest)
        screened = await screen(
            self, {"comment": draft.comment}, grading.grade_submission, submission_id, draft
        )
        grade = await grading.grade_submission(self.platform, self.actor, submission_id, draft)
        await flag(self, screened, f"grade:{grade.id}", "评语", grade.class_id)
        self.answer(grade_answer(grade))


class GradeTrainee(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE,
        summary="Grade what a trainee showed on site, without a submission",
        body=GradeRequest,
        answers={200: GradeAnswer},
        problems=(*GRADING_PROBLEMS, NotArrived, NothingSubmitted),
        rate="120/minute",
        rate_by="phone",
    )
    async def put(self, task_id: str, person_id: str) -> None:
        draft = self.body(GradeRequest)
        screened = await screen(
            self, {"comment": draft.comment}, grading.grade_trainee, task_id, person_id, draft
        )
        grade = await grading.grade_trainee(self.platform, self.actor, task_id, person_id, draft)
        await flag(self, screened, f"grade:{grade.id}", "评语", grade.class_id)
        self.answer(grade_answer(grade))


_ID = "[0-9a-f]{24}"
ROUTES: list[Route] = [
    (rf"/api/v1/classes/(?P<class_id>{_ID})/tasks", ClassTasks),
    (rf"/api/v1/classes/(?P<class_id>{_ID})/result", MyResult),
    (rf"/api/v1/tasks/(?P<task_id>{_ID})/submissions", TaskSubmissions),
    (rf"/api/v1/submissions/(?P<submission_id>{_ID})/files/(?P<file_id>{_ID})", MyFile),
    (rf"/api/v1/teaching/classes/(?P<class_id>{_ID})/tasks", TaughtTasks),
    (rf"/api/v1/teaching/tasks/(?P<task_id>{_ID})/submissions", TaughtSubmissions),
    (rf"/api/v1/teaching/tasks/(?P<task_id>{_ID})/trainees/(?P<person_id>{_ID})/grade", GradeTrainee),
    (rf"/api/v1/teaching/submissions/(?P<submission_id>{_ID})/files/(?P<file_id>{_ID})", TaughtFile),
    (rf"/api/v1/teaching/submissions/(?P<submission_id>{_ID})/grade", GradeSubmission),
]
