"""学习成果 and 考核: what a trainee hands in, how a backbone teacher grades it, and the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Page, Paging, Response, operation
from miniprogram_api.screening import flag, screen
from miniprogram_api.work_remarks import WorkRemarkAnswer
from server.accounts.binding import PhoneRests
from server.assessment import grading, reading, remarks, service, shown, submissions, tasks
from server.assessment.documents import Grade, Result, Submission, Task, WorkRemark, is_graded
from server.assessment.grading import GradeRequest, NewerVersion, NothingSubmitted
from server.assessment.rules import GradingOneself, TaskKind
from server.assessment.service import ResultsNotReleased
from server.assessment.submissions import TaskWork, TraineeWork
from server.assessment.uploads import Limits
from server.classes.rules import NotArrived, NotYourPart
from server.classes.service import ResultsReleased
from server.kernel import downloads
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.web import Route
from server.uploads.file_types import ACCEPTED
from server.wechat.content import ContentRefused, Mark

NO_MARKS: Mapping[str, Mark] = {}
NO_REMARKS: Mapping[str, Sequence[WorkRemark]] = {}
"""By id of the submission."""


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
    picture: str | None = None
    """Of a picture: its address for `<image>`, for 10 to 20 minutes and without a token; with `&width=320` or `&width=1080` it is drawn
    smaller."""


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


class SavedGradeAnswer(GradeAnswer):
    next_ungraded: str | None
    """The submission of the same task to grade next; null: everything is graded."""


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
    links: Platform | None = None,
) -> SubmissionAnswer | None:
    """`marks`: what the content check says of the parts, for who teaches the class. With `links` pictures can be shown."""
    if submission is None:
        return None
    told = SubmissionAnswer.model_validate(submission)
    files = [
        file.model_copy(
            update={
                "content_check": _title(marks.get(file.id)),
                "picture": shown.link(links, submission, kept) if links else None,
            }
        )
        for file, kept in zip(told.files, submission.files, strict=True)
    ]
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
        answers={200: SavedGradeAnswer},
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
        following = await reading.next_ungraded(self.platform, self.actor, submission_id)
        self.answer(SavedGradeAnswer(**grade_answer(grade).model_dump(), next_ungraded=following))


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
    (rf"/api/v1/teaching/classes/(?P<class_id>{_ID})/tasks", TaughtTasks),
    (rf"/api/v1/teaching/tasks/(?P<task_id>{_ID})/submissions", TaughtSubmissions),
    (rf"/api/v1/teaching/tasks/(?P<task_id>{_ID})/trainees/(?P<person_id>{_ID})/grade", GradeTrainee),
    (rf"/api/v1/teaching/submissions/(?P<submission_id>{_ID})/files/(?P<file_id>{_ID})", TaughtFile),
    (rf"/api/v1/teaching/submissions/(?P<submission_id>{_ID})/grade", GradeSubmission),
]
