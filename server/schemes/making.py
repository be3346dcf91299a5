"""What an approved scheme makes of the sessions and tasks of its class (article 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

from server.assessment import tasks
from server.assessment.documents import Task
from server.assessment.tasks import CriterionDraft, TaskDraft
from server.attendance import timetable
from server.attendance.documents import TeachingSession
from server.attendance.timetable import SessionDraft
from server.classes.documents import TrainingClass
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.schemes import rules
from server.schemes.content import HALF_DAY_HOURS, CourseRow, CriterionRow, SessionRow, TaskRow
from server.schemes.documents import SchemeVersion
from server.schemes.rules import Consequences, Held, SetTask


async def consequences(scope: Scope, scheme: SchemeVersion) -> Consequences:
    """What the approval of this version would do at this moment."""
    taught = await timetable.timetable_of_class(scope, scheme.class_id)
    given = await tasks.tasks_of_class(scope, scheme.class_id)
    return rules.consequences(
        scheme.content,
        [Held(one.id, session_row(one), not free) for one, free in taught],
        [SetTask(one.id, task_row(one), one.in_use) for one in given],
        scope.platform.clock.now(),
    )


async def carry_out(unit: UnitOfWork, class_id: str, changes: Consequences) -> None:
    """Makes, moves and drops what `changes` says, and nothing else."""
    held = {one.id: one for one, _ in await timetable.timetable_of_class(unit, class_id)}
    for gone in changes.sessions_drop:
        await timetable.drop_session(unit, held[gone.id])
    for there, row in changes.sessions_move:
        await timetable.move_session(
            unit, held[there.id], row.title, row.place, (row.teacher_id, row.teacher_name)
        )
    drafts = [
        SessionDraft.model_validate(row.model_dump(exclude={"teacher_name"})) for row in changes.sessions_make
    ]
    await timetable.make_sessions(unit, class_id, drafts)
    for dropped in changes.tasks_drop:
        await tasks.drop_task(unit, dropped.id)
    for task in changes.tasks_make:
        criteria = [CriterionDraft(title=one.title, points=one.points) for one in task.criteria]
        draft = TaskDraft(
            title=task.title,
            instructions=task.instructions,
            kind=task.kind,
            deadline=task.deadline,
            criteria=criteria,
            assessor_id=task.assessor_id,
        )
        await tasks.make_task(unit, class_id, draft)


async def present_timetable(scope: Scope, in_force: SchemeVersion) -> list[SessionRow] | None:
    """The sessions as they stand, where their times are other ones than those that the version in force was approved with; else None.

    The version stays as it was approved and signed; what moved the class since (暂停, 延期) moved its sessions.
    """
    taught = await timetable.timetable_of_class(scope, in_force.class_id)
    rows = [session_row(one) for one, _ in taught]
    approved = sorted(one.span for one in in_force.content.sessions)
    return None if sorted(one.span for one in rows) == approved else rows


def session_row(session: TeachingSession) -> SessionRow:
    return SessionRow.model_validate(session.model_dump(include=set(SessionRow.model_fields)))


def task_row(task: Task) -> TaskRow:
    criteria = tuple(CriterionRow(title=one.title, points=one.points) for one in task.criteria)
    return TaskRow(
        title=task.title,
        instructions=task.instructions,
        kind=task.kind,
        deadline=task.deadline,
        criteria=criteria,
        assessor_id=task.assessor_id,
        assessor_name=task.assessor_name,
    )


def even_courses(training_class: TrainingClass, teaching: Mapping[str, str]) -> tuple[CourseRow, ...]:
    """The courses with which the class was opened, its hours in parts that half days fill, by its teacher where it has only one."""
    [(who, name)] = teaching.items() if len(teaching) == 1 else [("", "")]
    hours = rules.shares(training_class.class_hours, len(training_class.courses), HALF_DAY_HOURS)
    pairs = zip(training_class.courses, hours, strict=True)
    return tuple(
        CourseRow(title=title, hours=max(1, count), teacher_id=who, teacher_name=name)
        for title, count in pairs
    )
