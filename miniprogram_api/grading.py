"""One task and one piece of work, for who handed it in and for who grades it."""

from __future__ import annotations

from datetime import datetime

from miniprogram_api.assessment import (
    GradeAnswer,
    MyTaskAnswer,
    SubmissionAnswer,
    TaskAnswer,
    grade_answer,
    submission_answer,
    task_facts,
    upload_limits,
)
from miniprogram_api.handler import ApiHandler, Page, Paging, Response, operation
from server.assessment import reading, remarks, submissions, tasks
from server.assessment.documents import Submission
from server.assessment.reading import Only, WorkRow
from server.kernel.permissions import Permission
from server.kernel.web import Route


class WorkQuery(Paging):
    only: Only | None = None
    """"ungraded": handed in, and the newest version is not graded; "mine": graded by me; "late"."""


class WorkItem(Response):
    person_id: str
    name: str
    id_number_masked: str
    """Tells namesakes apart."""
    submission_id: str | None
    """The newest version; null: nothing handed in."""
    version: int | None
    submitted_at: datetime | None
    late: bool
    graded: bool
    """The newest version is the graded one."""
    points: int | None


class WorkPageAnswer(Page[WorkItem]):
    ungraded: int
    """In the whole class."""


class OneWorkAnswer(Response):
    task: TaskAnswer
    person_id: str
    name: str
    id_number_masked: str
    submission: SubmissionAnswer
    """The version that was asked for."""
    newest: bool
    """Only the newest version is graded."""
    newer_id: str | None
    older_id: str | None
    versions: list[SubmissionAnswer]
    """All of the same person, newest first."""
    grade: GradeAnswer | None
    next_ungraded: str | None
    """The submission to grade next; null: everything is graded."""


class MyTask(ApiHandler):
    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="One task of mine, with my newest version and, after the release, my grade",
        answers={200: MyTaskAnswer},
    )
    async def get(self, task_id: str) -> None:
        one = await reading.my_task(self.platform, self.actor, task_id)
        said = await remarks.shown(self.platform, [one.submission] if one.submission else [])
        told = {
            "limits": upload_limits(await submissions.limits(self.platform)),
            "submission": submission_answer(one.submission, said, links=self.platform),
            "grade": one.grade and grade_answer(one.grade),
        }
        self.answer(MyTaskAnswer.model_validate(task_facts(one.task) | told))


class MySubmission(ApiHandler):
    @operation(
        Permission.ASSESSMENT_SUBMIT, summary="One version that I handed in", answers={200: SubmissionAnswer}
    )
    async def get(self, submission_id: str) -> None:
        found = await reading.my_submission(self.platform, self.actor, submission_id)
        told = submission_answer(found, await remarks.shown(self.platform, [found]), links=self.platform)
        assert told is not None
        self.answer(told)


class TaughtTask(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE, summary="One task of a class that I teach", answers={200: TaskAnswer}
    )
    async def get(self, task_id: str) -> None:
        task, _ = await tasks.taught_task(self.platform, self.actor, task_id)
        self.answer(TaskAnswer.model_validate(task_facts(task)))


class Work(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE,
        summary="Who has handed in what and what is graded, by pages and without the content",
        query=WorkQuery,
        answers={200: WorkPageAnswer},
    )
    async def get(self, task_id: str) -> None:
        asked = self.query(WorkQuery)
        found = await reading.work_page(
            self.platform, self.actor, task_id, asked.only, after=asked.cursor, limit=asked.limit
        )
        self.answer(
            WorkPageAnswer(
                items=[work_item(one) for one in found.rows], next=found.next, ungraded=found.ungraded
            )
        )


def work_item(one: WorkRow) -> WorkItem:
    latest = one.latest
    return WorkItem(
        person_id=one.trainee.person_id,
        name=one.trainee.name,
        id_number_masked=one.trainee.id_number_masked,
        submission_id=latest.submission_id if latest else None,
        version=latest.version if latest else None,
        submitted_at=latest.submitted_at if latest else None,
        late=bool(latest and latest.late),
        graded=one.grade is not None and not one.ungraded,
        points=one.grade.current.points if one.grade else None,
    )


class TaughtSubmission(ApiHandler):
    @operation(
        Permission.ASSESSMENT_GRADE,
        summary="One version of a trainee's work with the others, its grade, and whose work comes next",
        answers={200: OneWorkAnswer},
    )
    async def get(self, submission_id: str) -> None:
        found = await reading.taught_submission(self.platform, self.actor, submission_id)
        marks = await submissions.marks(self.platform, [one.id for one in found.versions])
        said = await remarks.shown(self.platform, found.versions)

        def told(one: Submission) -> SubmissionAnswer:
            answer = submission_answer(one, said, marks.get(one.id, {}), self.platform)
            assert answer is not None
            return answer

        ids = [one.id for one in found.versions]
        place = ids.index(found.shown.id)
        self.answer(
            OneWorkAnswer(
                task=TaskAnswer.model_validate(task_facts(found.task)),
                person_id=found.trainee.person_id,
                name=found.trainee.name,
                id_number_masked=found.trainee.id_number_masked,
                submission=told(found.shown),
                newest=place == 0,
                newer_id=ids[place - 1] if place else None,
                older_id=ids[place + 1] if place + 1 < len(ids) else None,
                versions=[told(one) for one in found.versions],
                grade=found.grade and grade_answer(found.grade),
                next_ungraded=found.next_ungraded,
            )
        )


_ID = "[0-9a-f]{24}"
ROUTES: list[Route] = [
    (rf"/api/v1/tasks/(?P<task_id>{_ID})", MyTask),
    (rf"/api/v1/submissions/(?P<submission_id>{_ID})", MySubmission),
    (rf"/api/v1/teaching/tasks/(?P<task_id>{_ID})", TaughtTask),
    (rf"/api/v1/teaching/tasks/(?P<task_id>{_ID})/work", Work),
    (rf"/api/v1/teaching/submissions/(?P<submission_id>{_ID})", TaughtSubmission),
]
