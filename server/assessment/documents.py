"""Tasks (学习成果 / 考核任务), what trainees handed in, how it was graded, and the results of a class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.assessment.rules import Criterion, TaskKind
from server.kernel.mongo import Document


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Extension(_Part):
    """A deadline that was moved to a later moment."""

    before: datetime
    after: datetime
    reason: str
    at: datetime
    by: str


class Task(Document):
    class_id: str
    institution_code: str
    province_code: str
    title: str
    instructions: str
    kind: TaskKind
    deadline: datetime
    criteria: list[Criterion]
    created_at: datetime
    created_by: str
    assessor_id: str = ""
    assessor_name: str = ""
    """Who is to assess it (article 6); nobody is named where the class has no scheme, or of before tasks named anybody."""
    in_use: bool = False
    """Somebody handed something in, or was graded: from then on only the deadline may move, to a later moment."""
    extensions: list[Extension] = Field(default_factory=list)
    withdrawn_at: datetime | None = None
    """Taken back before anybody used it; it counts for nothing."""

    @property
    def maximum(self) -> int:
        return sum(criterion.points for criterion in self.criteria)


class SubmittedFile(_Part):
    """A file in GridFS; `name` and `media_type` are what the content says, not what the sender said."""

    id: str
    name: str
    media_type: str
    size: int
    """Bytes."""
    content: str = ""
    """Id of the file in GridFS where that is another: the same content is kept once (server.uploads)."""

    @property
    def content_id(self) -> str:
        return self.content or self.id


class Submission(Document):
    """One version of one person's work on a task. A version is never changed. Unique by task, person and version."""

    task_id: str
    class_id: str
    institution_code: str
    province_code: str
    person_id: str
    person_name: str
    version: int
    text: str
    files: list[SubmittedFile]
    own_work: Literal[True]
    """本人独立完成 (article 13), declared with this version."""
    nonce: str | None
    submitted_at: datetime
    late: bool


class WorkRemark(Document):
    """What a teacher of the class said about one version of somebody's work. Its text is never changed; it may be taken back."""

    task_id: str
    class_id: str
    institution_code: str
    province_code: str
    submission_id: str
    person_id: str
    version: int
    text: str
    author_id: str
    author_name: str
    said_at: datetime
    nonce: str | None = None
    """The phone's: the same remark sent twice is one."""
    taken_back_at: datetime | None = None
    taken_back_reason: str = ""


class Mark(_Part):
    """One grading: who gave how much for which version (None: for what was shown on site), and why it replaced the one before."""

    scores: dict[str, int]
    points: int
    comment: str
    version: int | None
    grader_id: str
    grader_name: str
    at: datetime
    reason: str

    def says_the_same(self, other: Mark) -> bool:
        return (self.scores, self.comment, self.version) == (other.scores, other.comment, other.version)


class Grade(Document):
    """One person's grade for a task with all its history: the last mark counts. Unique by task and person."""

    task_id: str
    class_id: str
    institution_code: str
    province_code: str
    person_id: str
    marks: list[Mark] = Field(min_length=1)

    def naming(self, called: Mapping[str, str]) -> Grade:
        """The same with these graders (by id) as they are called."""
        marks = [
            one.model_copy(update={"grader_name": called.get(one.grader_id, one.grader_name)})
            for one in self.marks
        ]
        return self.model_copy(update={"marks": marks})

    @property
    def current(self) -> Mark:
        return self.marks[-1]


class ResultMark(_Part):
    """What one task brought; points is None where nothing was graded, which counts as 0."""

    task_id: str
    title: str
    kind: TaskKind
    points: int | None
    maximum: int


class ResultPolicy(_Part):
    """The policies of the first day of the class, as they were applied."""

    formative_weight: int
    pass_mark: int
    attendance_needed: int


class Result(Document):
    """考核结果 of one person, frozen at the release. Unique by class and person. Percentages are kept in tenths."""

    class_id: str
    institution_code: str
    province_code: str
    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    marks: list[ResultMark]
    formative_tenths: int
    summative_tenths: int
    total_tenths: int
    hours_attended: int
    hours_total: int
    attendance_ok: bool
    passed: bool
    reason: str
    """Why not passed; empty for who passed."""
    policy: ResultPolicy
    released_at: datetime
    released_by: str

    @property
    def formative(self) -> float:
        return self.formative_tenths / 10

    @property
    def summative(self) -> float:
        return self.summative_tenths / 10

    @property
    def total(self) -> float:
        """Of 100, with one decimal."""
        return self.total_tenths / 10


class EarlierResult(Result):
    """What had been released before the release was opened again: kept, and valid no more."""

    reopened_at: datetime


class LatestVersion(_Part):
    """The newest version of somebody's work on a task, without its content."""

    submission_id: str
    version: int
    submitted_at: datetime
    late: bool


PersonTask = tuple[str, str]
"""(person_id, task_id)"""


def is_graded(latest: LatestVersion | Submission | None, grade: Grade | None) -> bool:
    """Whether the newest version is the one that was graded; without any submission, whether there is a grade at all."""
    if grade is None:
        return False
    return latest is None or grade.current.version == latest.version
