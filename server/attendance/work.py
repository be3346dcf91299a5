"""What the sessions of a class say of who worked in it (classes.work), kept with the tasks of its teachers.

Each change of a timetable and a release keep it in the same transaction; the daily work does it again for every class that is not
released, since a teacher may have come or gone meanwhile, and a session may have passed to which nobody came.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from server.attendance import store
from server.attendance.documents import TeachingSession
from server.attendance.hours import held
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import LONGEST_DAYS, Kind
from server.classes.work import Days, Taught, names_nobody, own_days
from server.invitations import engagements
from server.kernel.clock import beijing_date
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork


async def follow_timetable(unit: UnitOfWork, class_id: str) -> None:
    """Part of every use case that changes sessions, and of a release: the tasks of the class's teachers know their own days."""
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    await _keep(unit, training_class)


async def reconcile(platform: Platform) -> int:
    """The daily work over the classes of the country that are not released; returns how many tasks knew other days.

    It only writes what the sessions say, so that it is no use case of its own and may be done again at any time.
    """
    today = beijing_date(platform.clock.now())
    ended_from = today - timedelta(days=LONGEST_DAYS)
    return sum(
        [await _keep(platform, one) async for one in classes.unreleased(platform, ended_from=ended_from)]
    )


async def _keep(scope: Scope, training_class: TrainingClass) -> int:
    """Of what was held, and of what is still to come."""
    now = scope.platform.clock.now()
    sessions = await store.sessions_of_class(scope, training_class.id)
    taught = [*await _held(scope, sessions), *(one for one in sessions if one.ends_at > now)]
    own = await _own_days(scope, taught, training_class)
    return await engagements.set_taught(scope, training_class.id, own)


async def _held(scope: Scope, sessions: Sequence[TeachingSession]) -> list[TeachingSession]:
    came = await store.count_check_ins(scope, [one.id for one in sessions])
    return held(
        sessions, {session_id for session_id, count in came.items() if count}, scope.platform.clock.now()
    )


async def _own_days(
    scope: Scope, sessions: Sequence[TeachingSession], training_class: TrainingClass
) -> dict[str, Days]:
    teaching = [one.person_id for one in training_class.who(Kind.TEACHING)]
    nobodys = {one.id for one in await without_teacher(scope, training_class, sessions)}
    theirs = (one for one in sessions if one.id not in nobodys)
    return dict(own_days((Taught(beijing_date(one.starts_at), one.teacher_id) for one in theirs), teaching))


async def without_teacher(
    scope: Scope, training_class: TrainingClass, sessions: Sequence[TeachingSession]
) -> list[TeachingSession]:
    """Those of these sessions of a class that are nobody's (classes.work.names_nobody): its institution is to name who teaches them."""
    teaching = {one.person_id for one in training_class.who(Kind.TEACHING)}
    others = [one for one in sessions if one.teacher_id not in ("", *teaching)]
    if not others:
        return []
    left = (await engagements.left_of(scope, [training_class.id])).get(training_class.id, {})
    now = scope.platform.clock.now()
    return [one for one in others if names_nobody(one.teacher_id, one.starts_at, teaching, left, now)]


async def who_taught(
    scope: Scope, training_class: TrainingClass, *, after: datetime | None = None
) -> set[str]:
    """Who has held a session of this class (with `after`, one that ended later than then, or of which another teacher was named later);
    one that names nobody was held by all who teach the class."""
    sessions = await store.sessions_of_class(scope, training_class.id)
    later = [one for one in sessions if after is None or one.settled_at > after]
    return set(await _own_days(scope, await _held(scope, later), training_class))


async def session_rows(scope: Scope, class_id: str) -> list[Row]:
    """The sessions of a class as they are stored, for whoever seals or checks what was held."""
    return await store.session_rows(scope, class_id)


async def trained_days(scope: Scope, class_id: str) -> Days | None:
    """The first and the last day of sessions that were held; None where there is no such session."""
    sessions = await _held(scope, await store.sessions_of_class(scope, class_id))
    days = [beijing_date(one.starts_at) for one in sessions]
    return (min(days), max(days)) if days else None


async def last_day_of(scope: Scope, class_id: str, person_ids: Collection[str]) -> date | None:
    """The day of the last session of a class to which any of these people came; None where they came to none."""
    sessions = {one.id: one for one in await store.sessions_of_class(scope, class_id)}
    came = {
        session_id for session_id, who in await store.attended(scope, list(sessions)) if who in person_ids
    }
    return max((beijing_date(sessions[one].ends_at) for one in came), default=None)


async def last_end(scope: Scope, class_id: str) -> datetime | None:
    """When the last session of the timetable ends; None without any."""
    return max((one.ends_at for one in await store.sessions_of_class(scope, class_id)), default=None)


async def classes_taught_since(scope: Scope, since: datetime) -> set[str]:
    """Ids of the classes of the country with a session that began since then and has ended."""
    now = scope.platform.clock.now()
    return {one.class_id for one in await store.sessions_between(scope, since, now) if one.ends_at <= now}
