"""Class hours (课时): what a session can give, what a class has held, and what a person has of it (articles 4.6 and 17). Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from server.attendance.rules import SETTLES_AFTER
from server.kernel.errors import Conflict


def hours_misfit(hours: int, length: timedelta, class_hour_minutes: int) -> str:
    """Why a session of this length cannot give so many class hours (policy `class_hour_minutes`), and what would fit; empty when it can."""
    minutes = max(length // timedelta(minutes=1), 0)
    fitting, needed = minutes // class_hour_minutes, hours * class_hour_minutes
    if hours <= fitting:
        return ""
    most = f"最多 {fitting} 课时" if fitting else "不足 1 课时"
    return (
        f"{minutes} 分钟放不下 {hours} 课时：按每课时 {class_hour_minutes} 分钟{most}；"
        f"{hours} 课时至少需要 {needed} 分钟。"
    )


def has_ended(ends_at: datetime, now: datetime) -> bool:
    """Whether a session is over, and so is every check-in to it: see SETTLES_AFTER."""
    return now >= ends_at + SETTLES_AFTER


class Session(Protocol):
    """A session that is not cancelled, as far as it matters to whether it was held."""

    @property
    def id(self) -> str: ...
    @property
    def ends_at(self) -> datetime: ...


S = TypeVar("S", bound=Session)


def held(sessions: Iterable[S], came: Container[str], by: datetime) -> list[S]:
    """Those that were held by this moment: they had ended, and somebody came (`came`: ids of sessions in which a check-in counts).

    The one definition, of what a paper states (articles 4.6, 17), of a teacher's duty (8.4) and of a base's training (5.3): to a room
    with nobody in it nothing was taught.
    """
    return [one for one in sessions if one.ends_at <= by and one.id in came]


@dataclass(frozen=True)
class Lesson:
    """What the hours are reckoned from: a session that is not cancelled."""

    id: str
    ends_at: datetime
    hours: int
    called: str = ""
    """Its day and title, for whoever is told that nobody came."""


@dataclass(frozen=True)
class Taught:
    """How far a class has come with its hours."""

    held: int = 0
    missing: int = 0
    """What it still owes beside what is yet to come: nothing can be released before it is held."""
    not_held: int = 0
    """Of what is missing, what was planned and is over, and nobody came to."""
    empty: int = 0
    """In so many sessions,"""
    since: datetime | None = None
    """the first of which ended then."""
    over_since: datetime | None = None
    """When the last session ended, where all have and nothing is owed."""


def taught(owed: int, lessons: Iterable[Lesson], came: Container[str], now: datetime) -> Taught:
    """What was held, and what is missing of what is owed; `came`: ids of sessions in which a check-in counts. A session that nobody came to
    matters as long as the class is short of its hours by it (articles 4.6, 17)."""
    lessons = list(lessons)
    over = [one for one in lessons if has_ended(one.ends_at, now)]
    all_held = sum(one.hours for one in held(over, came, now))
    to_come = sum(one.hours for one in lessons) - sum(one.hours for one in over)
    empty = [one for one in over if one.id not in came]
    missing = max(owed - all_held - to_come, 0)
    not_held = min(sum(one.hours for one in empty), missing)
    if not not_held:
        done = lessons and len(over) == len(lessons) and all_held >= owed
        return Taught(all_held, missing, over_since=max(one.ends_at for one in over) if done else None)
    return Taught(all_held, missing, not_held, len(empty), min(one.ends_at for one in empty))


@dataclass(frozen=True)
class ClassHours:
    """Class hours (课时) of a class and of its people."""

    held: int
    """Of the sessions that were held: all that a paper may state (articles 4.6, 17)."""
    owed: int
    """Of its approved scheme, against which attendance is reckoned."""
    unfinished: int
    """Sessions that have not ended."""
    attended: Mapping[str, int]
    """By person, what counts of them: check-ins that stand in sessions that were held, late ones too, 补课, and what another class
    credits. Never more than could be had (`class_hours`)."""
    empty: tuple[str, ...] = ()
    """What the sessions are called that have ended and to which nobody came: they were not held."""

    @property
    def missing(self) -> int:
        """How many hours are still to be held."""
        return max(self.owed - self.held, 0)

    @property
    def complete(self) -> bool:
        """Whether the class held what it promised, and nothing of it is still to come."""
        return not self.unfinished and not self.missing


def class_hours(
    owed: int,
    lessons: Iterable[Lesson],
    check_ins: Iterable[tuple[str, str]],
    now: datetime,
    credited: Mapping[str, int] | None = None,
    made_up: Mapping[str, int] | None = None,
) -> ClassHours:
    """The one reckoning of hours (article 4.6), from the sessions, (session, person) of every check-in, and what a person has beside them.

    Check-ins and 补课 together are never more than was held here; with what another class credits, never more than is held or owed: the
    same hours count once.
    """
    lessons, check_ins = list(lessons), list(check_ins)
    over = [one for one in lessons if has_ended(one.ends_at, now)]
    gave = {one.id: one.hours for one in held(over, {session_id for session_id, _ in check_ins}, now)}
    all_held, own, elsewhere = sum(gave.values()), dict(made_up or {}), credited or {}
    for session_id, person_id in check_ins:
        own[person_id] = own.get(person_id, 0) + gave.get(session_id, 0)
    attended = {
        person_id: min(
            min(own.get(person_id, 0), all_held) + elsewhere.get(person_id, 0), max(all_held, owed)
        )
        for person_id in [*elsewhere, *(one for one in own if one not in elsewhere)]
    }
    return ClassHours(
        all_held,
        owed,
        len(lessons) - len(over),
        attended,
        tuple(one.called for one in over if one.id not in gave),
    )


class TooManyHours(Conflict):
    slug = "too-many-made-up-hours"
    title = "补课课时过多"


def check_made_up(hours: int, *, held: int, attended: int) -> None:
    """Raises TooManyHours when more would be made up (补课) than a person missed of what was held."""
    missed = max(held - attended, 0)
    if hours > missed:
        said = f"还缺 {missed} 课时，登记不能超过这个数" if missed else "没有缺课，不需要补课"
        raise TooManyHours(f"本班已上 {held} 课时，该学员已有 {attended} 课时，{said}。")


def check_day_of_make_up(hours: int, *, of_person: int, of_teacher: int, most: int) -> None:
    """Raises TooManyHours when 补课 of so many hours does not fit into its day: `of_person` and `of_teacher` are what both have that day
    already, sessions and 补课 together (policy `make_up_hours_a_day`, 待核)."""
    for who, there in (("该学员", of_person), ("授课教师", of_teacher)):
        if there + hours > most:
            left = max(most - there, 0)
            raise TooManyHours(
                f"{who}当天已有 {there} 课时（上课和补课），一天最多 {most} 课时，这一天最多还能补 {left} 课时。"
            )


def taught_together(made_up: Iterable[tuple[str, int]]) -> int:
    """The hours of a teacher by 补课 of (what was taught, hours): what several people made up together was taught once."""
    longest: dict[str, int] = {}
    for taught, hours in made_up:
        longest[taught] = max(longest.get(taught, 0), hours)
    return sum(longest.values())


def credited(held: int, missing: int) -> int:
    """What of the hours that a person has in an interrupted class counts in a later one (转班补学): never more than were held here, or
    than the person is missing there of what is owed."""
    return max(min(held, missing), 0)
