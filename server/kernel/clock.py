"""The injected clock: stored in UTC, reckoned in Asia/Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, aware, in UTC, in whole milliseconds (what BSON keeps)."""


class SystemClock:
    def now(self) -> datetime:
        return whole_milliseconds(datetime.now(UTC))


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
