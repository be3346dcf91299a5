"""Where a demonstration is worth moving to: the next session, tomorrow morning, the last day of a class, a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from server.attendance import service as attendance
from server.attendance.documents import TeachingSession
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import system
from server.kernel.platform import Platform

LOOKER = system("demonstration")
MORNING, EVENING = time(8), time(18)
Aim = Literal["session", "morning", "last-day", "day"]


@dataclass(frozen=True)
class Wish:
    """Where to; `class_id` for a session or a last day, `day` for a date."""

    aim: Aim
    class_id: str = ""
    day: date | None = None


async def classes_ahead(platform: Platform) -> list[TrainingClass]:
    """The classes that are not over by the clock of the demonstration, the next to end first."""
    now = platform.clock.now()
    current = await classes.current_classes(platform, LOOKER)
    ahead = [one.item for one in current if _evening_of(one.item.ends_on) > now]
    return sorted(ahead, key=lambda one: (one.ends_on, one.id))


async def moment_of(platform: Platform, wish: Wish) -> datetime:
    """Raises Invalid for a wish without its class or day, or for a class that has no session left."""
    now = platform.clock.now()
    match wish.aim:
        case "morning":
            return _at(beijing_date(now) + timedelta(days=1), MORNING)
        case "day":
            if wish.day is None:
                raise Invalid(fields=[FieldError("to", "请填写要到的日期。")])
            return _at(wish.day, MORNING)
        case "session":
            sessions = await _sessions(platform, wish.class_id)
            opens = min((one.opens_at for one in sessions if one.opens_at > now), default=None)
            if opens is None:
                raise Invalid(fields=[FieldError("class_id", "这个班没有还未开始签到的课次。")])
            return opens
        case "last-day":
            sessions = await _sessions(platform, wish.class_id)
            held = await classes.get_class(platform, LOOKER, wish.class_id)
            return max([_evening_of(held.ends_on), *(one.ends_at for one in sessions)])


async def _sessions(platform: Platform, class_id: str) -> list[TeachingSession]:
    if not class_id:
        raise Invalid(fields=[FieldError("class_id", "请选择培训班。")])
    return [row.item for row in (await attendance.sessions_of_class(platform, LOOKER, class_id)).rows]


def _evening_of(day: date) -> datetime:
    return _at(day, EVENING)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, BEIJING).astimezone(UTC)
