"""Rules of the pool of backbone teachers (article 9.1): its statuses, who may change them, and what was in force on a day.

部指导中心对骨干教师实行动态管理: a status is changed by a decision that takes effect on a day; what was decided stays on record,
and a later decision can reverse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.titled import Titled


class PoolStatus(Titled):
    ACTIVE = "ACTIVE", "在库"
    SUSPENDED = "SUSPENDED", "暂停"
    CANCELLED = "CANCELLED", "已取消资格"


CHANGES: dict[PoolStatus, frozenset[PoolStatus]] = {
    PoolStatus.ACTIVE: frozenset({PoolStatus.SUSPENDED, PoolStatus.CANCELLED}),
    PoolStatus.SUSPENDED: frozenset({PoolStatus.ACTIVE, PoolStatus.CANCELLED}),
    PoolStatus.CANCELLED: frozenset({PoolStatus.ACTIVE}),
}
"""What each status may become. A cancellation is reversed by a later decision; nobody goes from cancelled to suspended."""


class StatusNotPossible(Conflict):
    slug = "status-not-possible"
    title = "状态不能这样变更"


class Decided(Protocol):
    """A decision about a status, as far as the rules read it."""

    @property
    def status(self) -> PoolStatus: ...
    @property
    def effective_on(self) -> date: ...


def status_on(history: Sequence[Decided], day: date) -> PoolStatus:
    """The status in force on `day`: that of the decision taken last among those in effect by then.

    `history` is in the order of the decisions, which need not be that of their days: a decision that was taken later stands, also
    against an earlier one whose day had not come. Without any decision a member is ACTIVE: registration itself is none.
    """
    in_effect = [one.status for one in history if one.effective_on <= day]
    return in_effect[-1] if in_effect else PoolStatus.ACTIVE


def in_force_since(history: Sequence[Decided], day: date) -> date | None:
    """The day on which the decision in force on `day` took effect; None where none is."""
    days = [one.effective_on for one in history if one.effective_on <= day]
    return days[-1] if days else None


def next_change(history: Sequence[Decided], today: date) -> date | None:
    """The first day after today on which the status will be another one than today's, as things are decided; None for never."""
    now = status_on(history, today)
    days = sorted(one.effective_on for one in history if one.effective_on > today)
    return next((day for day in days if status_on(history, day) is not now), None)


def cancelled_from(history: Sequence[Decided], today: date) -> date | None:
    """The first day from today on on which the title is cancelled, as things are decided; None where it stays."""
    days = sorted({today, *(one.effective_on for one in _to_come(history, today))})
    return next((day for day in days if status_on(history, day) is PoolStatus.CANCELLED), None)


def check_change(history: Sequence[Decided], status: PoolStatus, effective_on: date, today: date) -> None:
    """Whether a decision taken today may set this status from `effective_on` on.

    Raises StatusNotPossible when the status that would be in force on that day cannot become it and nothing decided for a later day is
    taken back by it, or when a cancellation is decided, which only a reversal takes back; Invalid for a day that has passed.
    """
    if effective_on < today:
        raise Invalid(fields=[FieldError("effective_on", "生效日期不能早于今天。")])
    cancelled = cancelled_from(history, today)
    if cancelled and status is not PoolStatus.ACTIVE:
        raise StatusNotPossible(f"已决定自 {cancelled} 起取消该骨干教师的资格。如须改变，请先撤销该决定。")
    there = status_on(history, effective_on)
    if status is there:
        if any(one.status is not there for one in _to_come(history, effective_on)):
            return
        raise StatusNotPossible(f"该骨干教师的状态已是“{there.label}”，无需再次办理。")
    if status not in CHANGES[there]:
        raise StatusNotPossible(f"该骨干教师目前为“{there.label}”，不能变更为“{status.label}”。")


def _to_come(history: Sequence[Decided], day: date) -> Iterable[Decided]:
    return (one for one in history if one.effective_on > day)


# ---- what a registration rests on


class Proof(Titled):
    """What shows that a member was trained (article 9.1: 将培训考核合格的骨干教师登记入库)."""

    LEDGER = "LEDGER", "证书台账"
    PAPER = "PAPER", "平台建立以前的培训证明"
    UNCHECKED = "UNCHECKED", "登记时未核对证书"
    """Of an earlier version, which took a number without looking; nobody is registered so any more."""


def check_paper(number: str, dated_on: date | None, today: date) -> None:
    """Raises Invalid unless a paper from before the platform is named by its number and its day, which has come."""
    problems = []
    if len(number) < SHORTEST_PAPER_NUMBER:
        problems.append(FieldError("paper_number", "请填写证明（合格证书、合格名单文件等）的编号或文号。"))
    if dated_on is None:
        problems.append(FieldError("paper_dated_on", "请填写证明的日期。"))
    elif dated_on > today:
        problems.append(FieldError("paper_dated_on", "证明的日期不能晚于今天。"))
    if problems:
        raise Invalid(fields=problems)


SHORTEST_PAPER_NUMBER = 3


# ---- the figures of a year, and what the pool is searched by


class YearFigures(BaseModel):
    """What the pool shows of a member's year: tasks done (article 8.4.1), and satisfaction where it may be shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    year: int
    teaching: int = 0
    assessment: int = 0
    mean_hundredths: int | None = None
    """The mean of the year in hundredths of a point; None while no survey reaches its smallest group."""
    answers: int = 0
    meets_mark: bool = False
    """Whether the exact mean is not below 2 of 3."""

    @property
    def tasks(self) -> int:
        return self.teaching + self.assessment

    @property
    def mean(self) -> str:
        """With two decimals; empty where there is none to show."""
        return "" if self.mean_hundredths is None else f"{self.mean_hundredths / 100:.2f}"


TASKS_SOUGHT = (1, 2, 3, 4, 6)
"""At least so many tasks in a year can be searched for."""


class Sought(StrEnum):
    """What else of a year can be searched for."""

    NO_TASK = "no-task"
    MET = "met"
    GOOD = "good"
    BELOW = "below"
    UNRATED = "unrated"


GOOD_HUNDREDTHS = 250


def mark(year: int, sought: str) -> str:
    """A word in the index of the pool: 2026:tasks-2, 2026:met."""
    return f"{year}:{sought}"


def tasks_mark(year: int, at_least: int) -> str:
    return mark(year, f"tasks-{at_least}")


def marks(figures: Iterable[YearFigures]) -> list[str]:
    """All that a member with these figures is found by."""
    found = []
    for one in figures:
        found += [tasks_mark(one.year, least) for least in TASKS_SOUGHT if one.tasks >= least]
        found += [mark(one.year, sought) for sought in _sought_of(one)]
    return found


def _sought_of(one: YearFigures) -> Iterator[Sought]:
    if not one.tasks:
        yield Sought.NO_TASK
    if one.mean_hundredths is None:
        yield Sought.UNRATED
        return
    yield Sought.MET if one.meets_mark else Sought.BELOW
    if one.mean_hundredths >= GOOD_HUNDREDTHS:
        yield Sought.GOOD
