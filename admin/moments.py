"""Moments in forms: what a `datetime-local` field holds is Beijing time (国标, no daylight saving)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

from server.kernel.clock import BEIJING


def _in_beijing(typed: datetime) -> datetime:
    if not 2000 <= typed.year <= 2100:
        raise ValueError("请填写 2000 年至 2100 年之间的日期。")
    return typed if typed.tzinfo else typed.replace(tzinfo=BEIJING)


BeijingMoment = Annotated[datetime, AfterValidator(_in_beijing)]
"""A form's field: "2026-03-27T17:00" as an aware moment."""


def as_typed(moment: datetime) -> str:
    """The value of the field for a moment, which it gives back unchanged: with its seconds where it has some."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d}T{clock_typed(moment)}"


def proposed(moment: datetime) -> str:
    """The same for a moment that the form proposes: to the minute, as people say times."""
    return as_typed(moment.replace(second=0, microsecond=0))


def clock_typed(moment: datetime) -> str:
    """The clock time of a moment, for a `time` field."""
    there = moment.astimezone(BEIJING).time()
    precise = "milliseconds" if there.microsecond else "seconds" if there.second else "minutes"
    return there.isoformat(precise)
