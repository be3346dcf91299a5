"""What backbone teachers have taken on and done, for the chapters that count it (articles 8 and 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from server.classes.rules import Kind
from server.classes.work import Days
from server.invitations import rules, store
from server.invitations.documents import Invitation
from server.invitations.rules import DoneTask, State, Task
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.unit_of_work import Scope, UnitOfWork


async def tasks_done(scope: Scope, teacher_ids: Sequence[str], first: date, last: date) -> list[DoneTask]:
    """The tasks of these teachers whose classes ended from `first` to `last` and that are done today (classes.work), by teacher and end.

    `year` of each says in which calendar year it counts, which for a class over the turn of the year is not that of its end. Read off
    an index without fetching a document; ask for some hundred teachers at a time.
    """
    yesterday = beijing_date(scope.platform.clock.now()) - timedelta(days=1)
    rows = await store.tasks_ended(scope, teacher_ids, first, min(last, yesterday))
    return [DoneTask(**store.task_fields(row)) for row in rows if row["work_last"]]


async def tasks_of_year(scope: Scope, teacher_ids: Sequence[str], year: int) -> list[Task]:
    """All that these teachers have accepted and that counts in this calendar year, done or not, by teacher and end."""
    rows = await store.tasks_begun(scope, teacher_ids, *rules.task_days(year))
    return [Task(**store.task_fields(row)) for row in rows]


async def last_days(scope: Scope, teacher_ids: Sequence[str]) -> dict[str, date]:
    """The last day so far on which each of these teachers was at work by a task of either kind (classes.work); who never was is left out.

    Read off an index; ask for some hundred teachers at a time.
    """
    today = beijing_date(scope.platform.clock.now())
    return await store.last_days(scope, teacher_ids, today, (await policies.on(scope, today)).release_days)


async def next_tasks(scope: Scope, teacher_ids: Sequence[str]) -> dict[str, Task]:
    """By teacher the accepted task that begins next, after today; who has none before them is left out. Read off an index."""
    today = beijing_date(scope.platform.clock.now())
    found: dict[str, Task] = {}
    for row in await store.tasks_to_come(scope, teacher_ids, today):
        found.setdefault(row["teacher_id"], Task(**store.task_fields(row)))
    return found


async def unfinished_tasks(scope: Scope, teacher_id: str) -> list[Invitation]:
    """What a teacher has accepted in classes that run or are still to come."""
    return await store.accepted_from(scope, teacher_id, beijing_date(scope.platform.clock.now()))


# ---- what the chapters above say of the work in a class


async def set_taught(scope: Scope, class_id: str, days: Mapping[str, Days]) -> int:
    """Keeps with the accepted 授课 tasks of a class the days of own sessions; returns how many knew other days."""
    return await store.set_taught(scope, class_id, days)


async def note_assessed(unit: UnitOfWork, class_id: str, teacher_id: str) -> None:
    """Part of a grading: the 考核 task of this teacher was worked at today."""
    await store.note_assessed(unit, class_id, teacher_id, beijing_date(unit.now))


async def close(unit: UnitOfWork, class_id: str) -> None:
    """Part of a release: the tasks of this class wait for nothing any more."""
    await store.set_closed(unit, class_id, True)


async def reopen(unit: UnitOfWork, class_id: str) -> None:
    """Part of a reopening: the tasks of this class wait for its release again."""
    await store.set_closed(unit, class_id, False)


async def who_assessed(scope: Scope, class_id: str) -> set[str]:
    """Who has given a grade in this class as its 考核 task."""
    return {
        one.teacher_id
        for one in await store.of_class(scope, class_id)
        if one.kind is Kind.ASSESSMENT and one.work_last
    }


async def left_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, dict[str, datetime]]:
    """By class, id → when the 授课 task in it was cancelled last, also of those who have accepted another since."""
    found: dict[str, dict[str, datetime]] = {}
    for (class_id, kind), letters in (await store.letters_by_task(scope, class_ids)).items():
        if kind == Kind.TEACHING:
            cancelled = [one for one in letters if one.state is State.CANCELLED]
            found[class_id] = {one.teacher_id: one.history[-1].at for one in cancelled}
    return found


async def names(scope: Scope, class_id: str) -> dict[str, str]:
    """Id → name of everybody who was ever invited to this class, also of those who have left it."""
    return {one.teacher_id: one.teacher_name for one in reversed(await store.of_class(scope, class_id))}
