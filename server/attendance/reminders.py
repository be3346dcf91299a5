"""Sessions that are about to begin: trainees and teachers are told the evening before (articles 4.5 and 12: 教学活动日).

One message a person, class and day, about the first session of that day: four half-days are one journey. What was announced is the
key: another time or place is announced anew, and whoever came into the class since is told in the morning.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from server.attendance import store
from server.attendance.documents import TeachingSession
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel import reminders
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional

EVENING = time(19)
"""From this hour in Beijing the next day is announced, before it only the day itself."""

Day = tuple[str, date]
"""A class and a day of its timetable."""


async def remind_of_sessions(platform: Platform) -> Counts:
    """Tells everybody of a class of the day's first session, as far as it has not begun and they have not heard of it."""
    now = platform.clock.now()
    begins = datetime.combine(beijing_date(now), time(), BEIJING)
    ends = end_of_tomorrow(now) if now.astimezone(BEIJING).time() >= EVENING else begins + timedelta(days=1)
    days = by_day(await store.sessions_between(platform, begins, ends))
    coming = {day: sessions for day, sessions in days.items() if sessions[0].starts_at > now}
    known = await reminders.told(platform, [_key(sessions[0]) for sessions in coming.values()])
    found = await classes.classes_of(platform, [class_id for class_id, _ in coming])
    told = []
    for (class_id, _), sessions in coming.items():
        people = await enrolment.everybody(platform, found[class_id])
        if not set(people) <= known.get(_key(sessions[0]), set()):
            told.append(await _remind(platform, system("attendance"), found[class_id], sessions))
    return {"培训班": sum(people > 0 for people in told), "提醒": sum(told)}


def end_of_tomorrow(now: datetime) -> datetime:
    return datetime.combine(beijing_date(now) + timedelta(days=2), time(), BEIJING)


def by_day(sessions: Sequence[TeachingSession]) -> dict[Day, list[TeachingSession]]:
    """In the order of the timetable."""
    days: dict[Day, list[TeachingSession]] = {}
    for one in sorted(sessions, key=lambda session: session.starts_at):
        days.setdefault((one.class_id, beijing_date(one.starts_at)), []).append(one)
    return days


def _key(first: TeachingSession) -> str:
    """What the message says of when and where."""
    return f"session-soon:{first.class_id}:{first.starts_at.isoformat()}:{first.place}"


@transactional
async def _remind(
    unit: UnitOfWork, training_class: TrainingClass, sessions: Sequence[TeachingSession]
) -> int:
    first = sessions[0]
    people = await enrolment.everybody(unit, training_class)
    new = await reminders.tell_once(unit, _key(first), people)
    if not new:
        unit.nothing_written()
        return 0
    title = first.title if len(sessions) == 1 else f"{first.title}等 {len(sessions)} 次课"
    for person_id in new:
        unit.notify(
            person_id,
            "session-soon",
            class_id=training_class.id,
            class_name=training_class.name,
            title=title,
            starts_at=f"{first.starts_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
            place=first.place,
        )
    day = beijing_date(first.starts_at)
    unit.audit("attendance:remind", training_class.id, day=day.isoformat(), people=len(new))
    return len(new)
