"""One task, one piece of work, and a class's work page by page without its content: what a phone opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.assessment import store
from server.assessment.documents import Grade, LatestVersion, Result, Submission, Task, is_graded
from server.assessment.tasks import MyTask, attended_task, taught_task
from server.attendance import service as attendance
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.kernel import policies
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope


class Only(StrEnum):
    """Which work of a class is listed."""

    UNGRADED = "ungraded"
    """Handed in, and nobody has graded the newest version."""
    MINE = "mine"
    """Whose grade in force the asker gave."""
    LATE = "late"


@dataclass(frozen=True)
class WorkRow:
    """One trainee and one task, without what was handed in."""

    trainee: Enrolment
    latest: LatestVersion | None
    grade: Grade | None

    @property
    def ungraded(self) -> bool:
        return self.latest is not None and not is_graded(self.latest, self.grade)


@dataclass(frozen=True)
class WorkPage:
    rows: list[WorkRow]
    next: str | None
    ungraded: int
    """In the whole class."""


@dataclass(frozen=True)
class OneWork:
    """One version in its place: the others of the same person, newest first, the grade, and whose work to grade next."""

    task: Task
    trainee: Enrolment
    shown: Submission
    versions: list[Submission]
    grade: Grade | None
    next_ungraded: str | None
    """A submission."""


@dataclass(frozen=True)
class MyProgress:
    """What one trainee has done in a class, and what the certificate still asks of them."""

    training_class: TrainingClass
    enrolment: Enrolment
    hours_attended: int
    hours_needed: int
    """Of what the class owes (articles 4.6, 16)."""
    tasks: int
    handed_in: int
    missing: list[str]
    """In words, none where nothing is left to do or the results are released."""
    result: Result | None


async def my_progress(platform: Platform, actor: Actor, class_id: str) -> MyProgress:
    """Of a class that the actor attends. Raises NotFound."""
    item = await classes.attended_class(platform, actor, class_id, applied=True)
    in_force = await policies.on(platform, item.starts_on)
    hours = await attendance.hours_of_class(platform, item)
    attended = hours.attended.get(actor.person_id, 0)
    needed = -(-hours.owed * in_force.attendance_needed // 100)
    tasks = await store.tasks(platform, class_id)
    latest = await store.latest_of_person(platform, [one.id for one in tasks], actor.person_id)
    shown_on_site = await store.grades_of_person(platform, [one.id for one in tasks], actor.person_id)
    open_tasks = [one for one in tasks if one.id not in latest and one.id not in shown_on_site]
    released = item.results_released_at is not None
    results = await store.results_of_person(platform, [class_id], actor.person_id) if released else {}
    row = await classes.trainee(platform, class_id, actor.person_id)
    missing = []
    if not released:
        if row.awaits_arrival:
            missing.append("持身份证原件办理报到")
        if attended < needed:
            missing.append(f"还差 {needed - attended} 课时（至少 {needed} 课时才能参加考核）")
        missing += [f"提交“{one.title}”" for one in open_tasks]
    return MyProgress(
        item, row, attended, needed, len(tasks), len(tasks) - len(open_tasks), missing, results.get(class_id)
    )


async def my_task(platform: Platform, actor: Actor, task_id: str) -> MyTask:
    """A task of a class that the actor attends. Raises NotFound."""
    task, training_class = await attended_task(platform, actor, task_id)
    if task.withdrawn_at is not None:
        raise NotFound("这项任务已经撤销。")
    mine = await store.latest_of_person(platform, [task_id], actor.person_id)
    released = training_class.results_released_at is not None
    grades = await store.grades_of_person(platform, [task_id], actor.person_id) if released else {}
    return MyTask(task=task, submission=mine.get(task_id), grade=grades.get(task_id))


async def my_submission(platform: Platform, actor: Actor, submission_id: str) -> Submission:
    """A version of one's own. Raises NotFound."""
    found = await store.submission(platform, submission_id)
    if found is None or found.person_id != actor.person_id:
        raise NotFound("没有这份提交。")
    await classes.attended_class(platform, actor, found.class_id)
    return found


async def work_page(
    platform: Platform, actor: Actor, task_id: str, only: Only | None, *, after: str | None, limit: int
) -> WorkPage:
    """The work of a class that the actor teaches, in the order of the roster, after this person. Raises NotFound."""
    task, _ = await taught_task(platform, actor, task_id)
    rows = await _rows(platform, task)
    wanted = [one for one in rows if _is_one(one, only, actor.person_id)]
    order = {one.trainee.person_id: place for place, one in enumerate(rows)}
    if after is not None:
        place = order.get(after, -1)  # who has left since begins the list anew
        wanted = [one for one in wanted if order[one.trainee.person_id] > place]
    page = wanted[:limit]
    following = page[-1].trainee.person_id if len(wanted) > limit else None
    return WorkPage(page, following, sum(one.ungraded for one in rows))


def _is_one(row: WorkRow, only: Only | None, teacher_id: str) -> bool:
    match only:
        case None:
            return True
        case Only.UNGRADED:
            return row.ungraded
        case Only.MINE:
            return row.grade is not None and row.grade.current.grader_id == teacher_id
        case Only.LATE:
            return row.latest is not None and row.latest.late


async def _rows(scope: Scope, task: Task) -> list[WorkRow]:
    latest = await store.latest_of_class(scope, task.class_id)
    grades = await store.grades_of_task(scope, task.id)
    return [
        WorkRow(one, latest.get((one.person_id, task.id)), grades.get(one.person_id))
        for one in await classes.trainees(scope, task.class_id)
    ]


async def taught_submission(platform: Platform, actor: Actor, submission_id: str) -> OneWork:
    """A version that a trainee of the actor's class handed in. Raises NotFound."""
    shown = await store.submission(platform, submission_id)
    if shown is None:
        raise NotFound("没有这份提交，或您不是该班的授课、考核教师。")
    task, training_class = await taught_task(platform, actor, shown.task_id)
    rows = await _rows(platform, task)
    row = next((one for one in rows if one.trainee.person_id == shown.person_id), None)
    if row is None:
        raise NotFound("该学员不在本班名册中。")
    called = await classes.teachers_called(platform, training_class)
    return OneWork(
        task,
        row.trainee,
        shown,
        await store.versions(platform, task.id, shown.person_id),
        row.grade and row.grade.naming(called),
        _next(rows, shown.person_id),
    )


async def next_ungraded(platform: Platform, actor: Actor, submission_id: str) -> str | None:
    """Whose work of the same task waits after this one, from the top again at the end; None when everything is graded."""
    shown = await store.submission(platform, submission_id)
    if shown is None:
        raise NotFound("没有这份提交，或您不是该班的授课、考核教师。")
    task, _ = await taught_task(platform, actor, shown.task_id)
    return _next(await _rows(platform, task), shown.person_id)


def _next(rows: Sequence[WorkRow], person_id: str) -> str | None:
    place = next((n for n, one in enumerate(rows) if one.trainee.person_id == person_id), -1)
    round_about = [*rows[place + 1 :], *rows[: max(place, 0)]]
    return next((one.latest.submission_id for one in round_about if one.latest and one.ungraded), None)
