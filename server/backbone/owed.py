"""What a calendar year owes of 授课 (article 8.4.1: 每年承担授课任务不少于 2 次). Pure.

The guide does not say what is owed of a year in which somebody was not in the pool from the first day to the last; `required_tasks`
says what we do (待核). Who recommends a teacher and who reckons the duties up ask the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from server.backbone.rules import Decided, PoolStatus, status_on

YEARLY_TEACHING = 2
"""每年承担授课任务不少于 2 次 (article 8.4.1)."""


def days_in_pool(registered_on: date, history: Sequence[Decided], first: date, last: date) -> int:
    """How many of the days from `first` to `last`, both counted, somebody was registered and neither suspended nor cancelled."""
    begin = max(first, registered_on)
    begins = sorted({begin, *(one.effective_on for one in history if begin < one.effective_on <= last)})
    ends = [*begins[1:], last + timedelta(days=1)]
    return sum(
        (end - start).days
        for start, end in zip(begins, ends, strict=True)
        if start < end and status_on(history, start) is PoolStatus.ACTIVE
    )


def required_tasks(registered_on: date, history: Sequence[Decided], year: int) -> int:
    """授课 tasks owed of a calendar year: two (article 8.4.1), less for whoever was not in the pool all the year (待核).

    Time before registration and time of suspension are not held against anybody: the two tasks are shared out over the days in the pool,
    halves up. From three quarters of the year on it is two, from one quarter on one, below that none. What is decided already for days
    to come counts.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    whole = (last - first).days + 1
    share = YEARLY_TEACHING * days_in_pool(registered_on, history, first, last)
    return (2 * share + whole) // (2 * whole)
