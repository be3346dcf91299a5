"""Sessions that are about to begin: trainees and teachers are told the evening before (articles 4.5 and 12: 教学活动日).

One message a person, class and day, about the first session of that day: four half-days are one journey.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from server.attendance import store
from server.attendance.documents import TeachingSession
from server.classes import service as classes
from server.kernel import reminders
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional

Day = tuple[str, date]
"""A class and a day of its timetable."""


async def remind_of_sessions(platform: Platform) -> Counts:
    """Tells everybody of a class of the next day's first session; of today's too, if the evening before was missed."""
    now = platform.clock.now()
    days = by_day(await store.sessions_between(platform, now, end_of_tomorrow(now)))
    known = await reminders.sent(platform, [_key(day) for day in days])
    told = [
        await _remind(platform, system("attendance"), day, sessions)
        for day, sessions in days.items()
        if _key(day) not in known
    ]
    return {"培训班": sum(people > 0 for people in told), "提醒": sum(told)}


def end_of_tomorrow(now: datetime) -> datetime:
    return datetime.combine(beijing_date(now) + timedelta(days=2), time(), BEIJING)


def by_day(sessions: Sequence[TeachingSession]) -> dict[Day, list[TeachingSession]]:
    """In the order of the timetable."""
    days: dict[Day, list[TeachingSession]] = {}
    for one in sorted(sessions, key=lambda session: session.starts_at):
        days.setdefault((one.class_id, beijing_date(one.starts_at)), []).append(one)
    return days


def _key(day: Day) -> str:
    return f"session-soon:{day[0]}:{day[1]}"


@transactional
async def _remind(unit: UnitOfWork, day: Day, sessions: Sequence[TeachingSession]) -> int:
    class_id, date_of_day = day
    if not await reminders.mark(unit, _key(day)):
        unit.nothing_written()
        return 0
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    trainees = [one.person_id for one in await classes.trainees(unit, class_id)]
    people = dict.fromkeys([*trainees, *(one.person_id for one in training_class.teachers)])
    first = sessions[0]
    title = first.title if len(sessions) == 1 else f"{first.title}等 {len(sessions)} 次课"
    for person_id in people:
        unit.notify(
            person_id,
            "session-soon",
            class_id=class_id,
            class_name=training_class.name,
            title=title,
            starts_at=f"{first.starts_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
            place=first.place,
        )
    unit.audit("attendance:remind", class_id, day=date_of_day.isoformat(), people=len(people))
    return len(people)
