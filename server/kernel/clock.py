"""The injected clock: stored in UTC, reckoned in Asia/Shanghai."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
WEEKDAYS = tuple(f"周{name}" for name in "一二三四五六日")


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, aware, in UTC, in whole milliseconds (what BSON keeps)."""


class SystemClock:
    def now(self) -> datetime:
        return whole_milliseconds(datetime.now(UTC))


class AheadClock:
    """Another clock that goes `ahead` of this one by as much as it is told: the civil time of a demonstration."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()
        self._moved_at: datetime | None = None

    @property
    def ahead(self) -> timedelta:
        return self._ahead

    @ahead.setter
    def ahead(self, ahead: timedelta) -> None:
        if ahead != self._ahead:
            self._ahead, self._moved_at = ahead, self._clock.now()

    def moved_within(self, span: timedelta) -> bool:
        """Whether it was moved so lately, by the other clock."""
        return self._moved_at is not None and self._clock.now() - self._moved_at <= span

    def now(self) -> datetime:
        return self._clock.now() + self.ahead


class FixedClock:
    """A clock that moves only when it is told to: tests and simulations."""

    def __init__(self, moment: datetime) -> None:
        self.set(moment)

    def now(self) -> datetime:
        return self._moment

    def set(self, moment: datetime) -> None:
        self._moment = whole_milliseconds(moment.astimezone(UTC))

    def advance(self, by: timedelta) -> None:
        self.set(self._moment + by)


def whole_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def beijing_date(moment: datetime) -> date:
    """The calendar day in Beijing on which `moment` falls."""
    return moment.astimezone(BEIJING).date()


def span(starts_at: datetime, ends_at: datetime) -> str:
    """When something takes place, in Beijing time: "03-17 周二 09:00–12:00"."""
    starts, ends = starts_at.astimezone(BEIJING), ends_at.astimezone(BEIJING)
    last = f"{ends:%H:%M}" if ends.date() == starts.date() else f"{ends:%m-%d %H:%M}"
    return f"{starts:%m-%d} {WEEKDAYS[starts.weekday()]} {starts:%H:%M}–{last}"


def months_before(moment: datetime, months: int) -> datetime:
    """The same time of day `months` calendar months earlier in Beijing; the last day of a month that is too short."""
    there = moment.astimezone(BEIJING)
    year, month = divmod(there.year * 12 + there.month - 1 - months, 12)
    day = min(there.day, calendar.monthrange(year, month + 1)[1])
    return there.replace(year=year, month=month + 1, day=day).astimezone(UTC)
