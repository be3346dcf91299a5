"""What counts as work, said once: duties, pool, recommendation, invitations and dynamic management all read it here. Pure.

Articles 5.3 (两年内未开展培训), 8.4 (授课 不少于2次, 考核) and 9.1 (未承担授课及考核任务). The rule:

- 授课 is own sessions that were held (attendance.hours.held), 考核 own grades. A task that somebody accepted and did nothing of is no
  work, and an acceptance alone never was.
- A task counts in its year as done once its class is over and own work was done in it, and as planned until then. What lapsed is neither.
- A base has 开展培训 by a class in which people arrived, sessions were held and results are released; it dates from the sessions.
- While a class runs nobody of it is idle, and neither while it awaits its release, for `release_days` at most (policy, 待核): the work
  is done then, and the paper is not. Of a base only a class that people came to awaits anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from server.kernel.titled import Titled

Expression = dict[str, Any]
"""A part of an aggregation. It stands beside the rule that it repeats; a test compares them."""
Days = tuple[date, date]
"""The first and the last day of somebody's own work in a class."""


class Progress(Titled):
    """What has become of a task that somebody accepted."""

    PLANNED = "PLANNED", "已安排"
    DONE = "DONE", "已完成"
    LAPSED = "LAPSED", "没有履行"

    @property
    def tone(self) -> str:
        return {"PLANNED": "info", "DONE": "success", "LAPSED": "danger"}[self]


def progress(work_last: date | None, ends_on: date, today: date) -> Progress:
    """Of a task in a class that ends on `ends_on`; `work_last` is the last day of own work in it, None where there is none."""
    if today <= ends_on:
        return Progress.PLANNED
    return Progress.LAPSED if work_last is None else Progress.DONE


def progress_is(wanted: Progress, task: str, today: date) -> Expression:
    """The same as a condition of an aggregation; `task` is the path of the task, "$$task."."""
    over = {"$lt": [f"{task}ends_on", today]}
    worked = {"$gt": [f"{task}work_last", None]}
    match wanted:
        case Progress.PLANNED:
            return {"$gte": [f"{task}ends_on", today]}
        case Progress.DONE:
            return {"$and": [over, worked]}
        case Progress.LAPSED:
            return {"$and": [over, {"$not": [worked]}]}


def at_work_until(
    starts_on: date,
    ends_on: date,
    *,
    closed: bool,
    work_last: date | None,
    today: date,
    release_days: int,
) -> date | None:
    """The last day so far on which a task kept somebody from being idle; None for a task that never did.

    `closed`: the results of the class are released.
    """
    if starts_on > today:
        return None
    if not closed and today <= ends_on + timedelta(days=release_days):
        return today
    return None if work_last is None else min(work_last, today)


def at_work(today: date, release_days: int) -> Expression:
    """The same as an expression of an aggregation over tasks that have begun."""
    awaits = {"$gte": ["$ends_on", today - timedelta(days=release_days)]}
    worked = {"$cond": [{"$gt": ["$work_last", None]}, {"$min": ["$work_last", today]}, None]}
    return {"$cond": [{"$and": [{"$ne": ["$closed", True]}, awaits]}, today, worked]}


def trained_until(
    starts_on: date,
    ends_on: date,
    *,
    released: bool,
    trained_to: date | None,
    today: date,
    release_days: int,
) -> date | None:
    """The last day so far on which a base was giving training by one class; None for a class that is none.

    `trained_to` is the last day of a session that was held and to which people came.
    """
    if released:
        return trained_to
    if starts_on <= today <= ends_on:
        return today
    awaits = ends_on < today <= ends_on + timedelta(days=release_days)
    return today if awaits and trained_to else None


# ---- whose a session is


@dataclass(frozen=True)
class Taught:
    """A session of a timetable: its day, and who is named to teach it; "" for nobody."""

    day: date
    teacher_id: str


def names_nobody(
    teacher_id: str, begins: datetime, teaching: Collection[str], left: Mapping[str, datetime], now: datetime
) -> bool:
    """Whether a session names somebody who taught the class no more when it began (articles 6 and 8.4): it is nobody's, until one of
    those who teach the class is named.

    `left` says when whose 授课 was cancelled; of anybody else who is not of `teaching` it is not known, and only what is still to come is
    nobody's. Who left later than the session began has held it.
    """
    return teacher_id not in ("", *teaching) and begins >= left.get(teacher_id, now)


def own_days(sessions: Iterable[Taught], teaching: Sequence[str]) -> Mapping[str, Days]:
    """By teacher the first and the last day of own sessions.

    A session in which nobody is named (of a class without a scheme, or of before sessions named anybody) is that of all who teach the
    class: `teaching`.
    """
    days: dict[str, list[date]] = {}
    for one in sessions:
        for teacher_id in [one.teacher_id] if one.teacher_id else teaching:
            days.setdefault(teacher_id, []).append(one.day)
    return {teacher_id: (min(found), max(found)) for teacher_id, found in days.items()}
