"""What backbone teachers have taken on and done, for the chapters that count it (articles 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from server.invitations import rules, store
from server.invitations.documents import Invitation
from server.invitations.rules import DoneTask, Task
from server.kernel.clock import beijing_date
from server.kernel.unit_of_work import Scope


async def tasks_done(scope: Scope, teacher_ids: Sequence[str], first: date, last: date) -> list[DoneTask]:
    """The tasks of these teachers whose classes ended from `first` to `last` and are over today, by teacher and end.

    `year` of each says in which calendar year it counts, which for a class over the turn of the year is not that of its end. Read off
    an index without fetching a document; ask for some hundred teachers at a time.
    """
    yesterday = beijing_date(scope.platform.clock.now()) - timedelta(days=1)
    rows = await store.tasks_ended(scope, teacher_ids, first, min(last, yesterday))
    return [DoneTask(**store.task_fields(row)) for row in rows]


async def tasks_of_year(scope: Scope, teacher_ids: Sequence[str], year: int) -> list[Task]:
    """All that these teachers have accepted and that counts in this calendar year, done or not, by teacher and end."""
    rows = await store.tasks_begun(scope, teacher_ids, *rules.task_days(year))
    return [Task(**store.task_fields(row)) for row in rows]


async def last_days(scope: Scope, teacher_ids: Sequence[str]) -> dict[str, date]:
    """The last day so far on which each of these teachers carried out a task of either kind; who never did is left out.

    A class that runs counts until today. Read off an index; ask for some hundred teachers at a time.
    """
    return await store.last_days(scope, teacher_ids, beijing_date(scope.platform.clock.now()))


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
