"""When scheduled work is due: pure reckoning of slots, in Beijing's calendar. `server/jobs.py` has the table.

A slot is a moment at which a job was to run. What runs is the latest slot that is due: slots that nobody was there to
run are one run, not many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from server.kernel.clock import BEIJING
from server.kernel.platform import Platform

Counts = Mapping[str, int]
"""What a run did, by the Chinese words that the page of jobs shows: {"发出提醒": 3}."""
Work = Callable[[Platform], Awaitable[int | Counts | None]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PUNCTUAL = timedelta(hours=1)
"""A slot of a job that does not catch up is dropped when it is later than this."""

HURRIED = (time(0), time(20))
"""When a job that runs every few minutes runs on a day of which only seconds are lived: what ended with a day is noted as it ends, and
what ends tomorrow is told in the evening, outside the quiet hours."""


@dataclass(frozen=True)
class Job:
    """One line of the table of jobs: exactly one of `every` and `at` is given.

    `work` does all there is to do and may be repeated: a run that was cut off is run again. `lease`: how long a run counts as
    alive without a sign of life; a living one renews it, so it need not be as long as the run. `catch_up`: whether
    a daily slot that was missed is run at the next chance, once, however many days were missed.
    """

    name: str
    title: str
    article: str
    work: Work
    every: timedelta | None = None
    at: time | None = None
    """Time of day in Beijing."""
    lease: timedelta = timedelta(minutes=5)
    catch_up: bool = True

    def __post_init__(self) -> None:
        if (self.every is None) == (self.at is None):
            raise ValueError(f"{self.name}: either every or at")

    def due_slot(self, now: datetime) -> datetime:
        """The latest slot not after `now`, in UTC. Slots of `every` are counted from 1970, on all machines alike."""
        if self.every is not None:
            return now - (now - EPOCH) % self.every
        assert self.at is not None
        day = now.astimezone(BEIJING).date()
        slot = datetime.combine(day, self.at, BEIJING)
        if slot > now:
            slot = datetime.combine(day - timedelta(days=1), self.at, BEIJING)
        return slot.astimezone(UTC)

    def next_slot(self, now: datetime) -> datetime:
        """The first slot after `now`, in UTC."""
        return self.due_slot(now) + (self.every or timedelta(days=1))

    def too_late(self, slot: datetime, now: datetime) -> bool:
        return self.at is not None and not self.catch_up and now - slot > PUNCTUAL

    def times_of_day(self) -> tuple[time, ...]:
        """When it runs on a day that a demonstration lives through in seconds. What runs each few seconds goes on by itself."""
        if self.at is not None:
            return (self.at,)
        assert self.every is not None
        return HURRIED if self.every >= timedelta(minutes=1) else ()

    @property
    def frequency(self) -> str:
        """How often, in Chinese."""
        if self.at is not None:
            return f"每天 {self.at:%H:%M}"
        assert self.every is not None
        seconds = int(self.every.total_seconds())
        for unit, words in ((3600, "小时"), (60, "分钟")):
            if seconds % unit == 0:
                return f"每 {seconds // unit} {words}"
        return f"每 {seconds} 秒"


@dataclass(frozen=True)
class Stop:
    """A moment at which jobs are due."""

    moment: datetime
    jobs: tuple[Job, ...]


def stops(jobs: Sequence[Job], after: datetime, until: datetime) -> Iterator[Stop]:
    """The moments after `after`, up to and with `until`, at which jobs are due, in their order: for a demonstration that is moved on.
    At `until` itself whatever runs more often than daily is due as well."""
    day, last = after.astimezone(BEIJING).date(), until.astimezone(BEIJING).date()
    while day <= last:
        for at in sorted({at for job in jobs for at in job.times_of_day()}):
            moment = datetime.combine(day, at, BEIJING).astimezone(UTC)
            if after < moment < until:
                yield Stop(moment, tuple(job for job in jobs if at in job.times_of_day()))
        day += timedelta(days=1)
    here = until.astimezone(BEIJING).time()
    yield Stop(until, tuple(job for job in jobs if job.at == here or (job.every and job.times_of_day())))
