"""Tasks of a class: set by its institution, seen by its trainees and teachers.

`task_in_reach`, `taught_task` and `attended_task` fetch and authorise in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, JsonValue, StringConstraints

from server.assessment import rules, store
from server.assessment.documents import Extension, Grade, Submission, Task
from server.assessment.rules import CRITERIA_MOST, POINTS_MOST, Criterion, TaskKind
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

FURTHEST_DEADLINE = timedelta(days=732)
Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class TaskInUse(Conflict):
    slug = "task-in-use"
    title = "任务已有提交或评分"
    default_detail = "已有学员提交或被评分，任务内容不能再改，只能延长截止时间。"


class CriterionDraft(BaseModel):
    title: Annotated[Text, Field(min_length=2, max_length=60)]
    points: Annotated[int, Field(ge=1, le=POINTS_MOST)]


class TaskDraft(BaseModel):
    title: Annotated[Text, Field(min_length=2, max_length=60)]
    instructions: Annotated[Text, Field(max_length=4000)] = ""
    kind: TaskKind
    deadline: AwareDatetime
    criteria: Annotated[list[CriterionDraft], Field(min_length=1, max_length=CRITERIA_MOST)]
    assessor_id: Annotated[str, Field(pattern=r"^([0-9a-f]{24})?$")] = ""


class DeadlineExtension(BaseModel):
    deadline: AwareDatetime
    reason: Reason


class MyTask(BaseModel):
    """A task as one trainee sees it: with the newest own version and, after the release, the grade."""

    task: Task
    submission: Submission | None
    grade: Grade | None


# ---- fetching


async def task_in_reach(
    scope: Scope, actor: Actor, class_id: str, task_id: str
) -> tuple[Task, TrainingClass]:
    """A task of a class in a staff actor's jurisdiction. Raises NotFound for any other."""
    task = await store.task_in_reach(scope, actor.jurisdiction, class_id, task_id)
    if task is None:
        raise NotFound("没有这项任务，或不在您的管理范围内。")
    return task, await classes.get_class(scope, actor, class_id)


async def taught_task(
    scope: Scope, actor: Actor, task_id: str, kind: Kind | None = None
) -> tuple[Task, TrainingClass]:
    """A task of a class in which the actor is a teacher, of this kind where one is named. Raises NotFound for any other, NotYourPart."""
    task = await store.task(scope, task_id)
    if task is None:
        raise NotFound("没有这项任务，或您不是该班的授课、考核教师。")
    return task, await classes.taught_class(scope, actor, task.class_id, kind)


async def attended_task(scope: Scope, actor: Actor, task_id: str) -> tuple[Task, TrainingClass]:
    """A task of a class in which the actor is enrolled. Raises NotFound for any other."""
    task = await store.task(scope, task_id)
    if task is None:
        raise NotFound("没有这项任务，或您不在该班的名册中。")
    return task, await classes.attended_class(scope, actor, task.class_id)


# ---- the institution


@transactional
async def create_task(unit: UnitOfWork, class_id: str, draft: TaskDraft) -> Task:
    """Sets a task in a class without an approved scheme. Raises SchemeGoverns, Invalid for its deadline or criteria, ResultsReleased."""
    classes.require_no_scheme(await classes.get_class(unit, unit.actor, class_id))
    new = await make_task(unit, class_id, draft)
    unit.audit("assessment:create-task", new.id, class_id=class_id, title=new.title, kind=new.kind.value)
    return new


async def make_task(unit: UnitOfWork, class_id: str, draft: TaskDraft) -> Task:
    """Part of a use case: sets a task in a class in the actor's reach. Raises Invalid, ResultsReleased as `create_task` does."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    new = Task(
        class_id=class_id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        created_at=unit.now,
        created_by=unit.actor.name,
        **_checked(draft, unit.now),
        **_assessor(draft, training_class),
    )
    await store.insert_task(unit, new)
    return new


async def drop_task(unit: UnitOfWork, task_id: str) -> None:
    """Part of an approval (schemes): takes back a task that nobody has used."""
    await store.set_task_withdrawn(unit, task_id, unit.now)


async def tasks_of_class(scope: Scope, class_id: str) -> list[Task]:
    """The tasks of a class that the caller has fetched already."""
    return await store.tasks(scope, class_id)


@transactional
async def change_task(
    unit: UnitOfWork, class_id: str, task_id: str, draft: TaskDraft, seen: str = ""
) -> Task:
    """Changes a task that nobody has used yet. Raises SchemeGoverns, TaskInUse, Invalid, ResultsReleased."""
    task, training_class = await task_in_reach(unit, unit.actor, class_id, task_id)
    classes.require_no_scheme(training_class)
    await classes.exclude_release(unit, training_class)
    if task.in_use:
        raise TaskInUse()
    await require_seen(unit, task, seen, draft, what=f"任务“{task.title}”")
    changed = task.model_copy(update=_checked(draft, unit.now) | _assessor(draft, training_class))
    await store.replace_task(unit, changed)
    unit.audit(
        "assessment:change-task",
        task_id,
        title=changed.title,
        task_before=_facts(task),
        task_after=_facts(changed),
    )
    return changed


@transactional
async def extend_deadline(
    unit: UnitOfWork, class_id: str, task_id: str, wanted: DeadlineExtension, seen: str = ""
) -> None:
    """Moves a deadline to a later moment, for everybody. What was late stays marked. Raises Invalid, ResultsReleased."""
    task, training_class = await task_in_reach(unit, unit.actor, class_id, task_id)
    await classes.exclude_release(unit, training_class)
    await require_seen(unit, task, seen, wanted, what=f"任务“{task.title}”")
    after = wanted.deadline.astimezone(UTC)
    _check_deadline(after, unit.now, previous=task.deadline)
    extension = Extension(
        before=task.deadline, after=after, reason=wanted.reason, at=unit.now, by=unit.actor.name
    )
    await store.extend_deadline(unit, task_id, extension)
    unit.audit(
        "assessment:extend-deadline",
        task_id,
        title=task.title,
        deadline_before=task.deadline.isoformat(),
        deadline_after=after.isoformat(),
        reason=wanted.reason,
    )


@transactional
async def withdraw_task(unit: UnitOfWork, class_id: str, task_id: str) -> None:
    """Takes back a task that nobody has used yet. Raises SchemeGoverns, TaskInUse, ResultsReleased."""
    task, training_class = await task_in_reach(unit, unit.actor, class_id, task_id)
    classes.require_no_scheme(training_class)
    await classes.exclude_release(unit, training_class)
    if task.in_use:
        raise TaskInUse("已有学员提交或被评分，任务不能撤回。")
    await store.set_task_withdrawn(unit, task_id, unit.now)
    unit.audit("assessment:withdraw-task", task_id, title=task.title)


def _checked(draft: TaskDraft, now: datetime) -> dict[str, object]:
    """What a draft says of a task, checked, each criterion under its key."""
    deadline = draft.deadline.astimezone(UTC)
    _check_deadline(deadline, now)
    criteria = [
        Criterion(key=f"c{number}", title=one.title, points=one.points)
        for number, one in enumerate(draft.criteria, start=1)
    ]
    rules.check_criteria(criteria)
    return {
        "title": draft.title,
        "instructions": draft.instructions,
        "kind": draft.kind,
        "deadline": deadline,
        "criteria": criteria,
    }


def _assessor(draft: TaskDraft, training_class: TrainingClass) -> dict[str, object]:
    """Who is named to assess the task. Raises Invalid for whoever does not assess this class."""
    assessors = {one.person_id: one.name for one in training_class.who(Kind.ASSESSMENT)}
    if draft.assessor_id and draft.assessor_id not in assessors:
        raise Invalid(fields=[FieldError("assessor_id", "请从本班承担考核的骨干教师中选择。")])
    return {"assessor_id": draft.assessor_id, "assessor_name": assessors.get(draft.assessor_id, "")}


def _check_deadline(deadline: datetime, now: datetime, *, previous: datetime | None = None) -> None:
    rules.check_deadline(deadline, now, furthest=now + FURTHEST_DEADLINE, previous=previous)


def _facts(task: Task) -> dict[str, JsonValue]:
    return {
        "title": task.title,
        "kind": task.kind.value,
        "deadline": task.deadline.isoformat(),
        "maximum": task.maximum,
    }


# ---- trainees and teachers


async def my_tasks(
    platform: Platform, actor: Actor, class_id: str, *, after: str | None = None, limit: int = 20
) -> list[MyTask]:
    """The tasks of a class that the actor attends. Grades are shown once the results are released."""
    training_class = await classes.attended_class(platform, actor, class_id)
    tasks = await store.tasks(platform, class_id, after=after, limit=limit)
    task_ids = [task.id for task in tasks]
    mine = await store.latest_of_person(platform, task_ids, actor.person_id)
    released = training_class.results_released_at is not None
    grades = await store.grades_of_person(platform, task_ids, actor.person_id) if released else {}
    return [MyTask(task=task, submission=mine.get(task.id), grade=grades.get(task.id)) for task in tasks]


async def due_of_person(scope: Scope, person_id: str, class_ids: Sequence[str]) -> list[Task]:
    """What one person has not handed in for these classes and still can on time."""
    now = scope.platform.clock.now()
    due = [one for one in await store.whole_tasks(scope, class_ids) if now <= one.deadline]
    done = await store.latest_of_person(scope, [one.id for one in due], person_id)
    return [one for one in due if one.id not in done]


async def taught_tasks(
    platform: Platform, actor: Actor, class_id: str, *, after: str | None = None, limit: int = 20
) -> list[Task]:
    """The tasks of a class that the actor teaches."""
    await classes.taught_class(platform, actor, class_id)
    return await store.tasks(platform, class_id, after=after, limit=limit)
