"""The sessions of a class as staff, teachers and trainees see them, and the hours that came of them (article 4.7: 培训过程可追溯).

Arranging sessions is `timetable`, the code on the screen `codes`, checking in `check_in`, who is in and registering by hand `rolls`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.attendance import store
from server.attendance.documents import AddedKind, CheckIn, TeachingSession
from server.attendance.hours import ClassHours, Lesson, Taught, class_hours, taught
from server.attendance.rules import SETTLES_AFTER, Window
from server.attendance.sheet import SigningDay, attendance_sheet, signing_days
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import Kind, Stage
from server.kernel import audit
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, State, entry_of
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope

# ---- what is shown


@dataclass(frozen=True)
class SessionRow:
    """A session in the list of staff."""

    item: TeachingSession
    window: Window
    checked_in: int


@dataclass(frozen=True)
class SessionsOfClass:
    training_class: TrainingClass
    rows: list[SessionRow]
    trainees: int

    held: int
    """Class hours of the sessions that were held."""

    @property
    def hours(self) -> int:
        return sum(row.item.hours for row in self.rows)


@dataclass(frozen=True)
class MySession:
    """A session as a trainee sees it, with the own check-in."""

    item: TeachingSession
    window: Window
    check_in: CheckIn | None


# ---- who may see a session


async def session_in_reach(scope: Scope, actor: Actor, class_id: str, session_id: str) -> TeachingSession:
    """A session of a class in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.session_in_reach(scope, actor.jurisdiction, class_id, session_id)
    if found is None:
        raise NotFound("没有这个课次，或已取消，或不在您的管理范围内。")
    return found


async def taught_session(scope: Scope, actor: Actor, session_id: str) -> TeachingSession:
    """A session of a class that the actor teaches: its code and its roll are theirs (article 6). Raises NotFound, NotYourPart."""
    found = await store.session(scope, session_id)
    if found is None:
        raise NotFound("没有这个课次，或已取消。")
    await classes.taught_class(scope, actor, found.class_id, Kind.TEACHING)
    return found


# ---- lists


async def sessions_of_class(platform: Platform, actor: Actor, class_id: str) -> SessionsOfClass:
    """The timetable of a class in the actor's jurisdiction, with how many have checked in."""
    training_class = await classes.get_class(platform, actor, class_id)
    sessions = await store.sessions_of_class(platform, class_id)
    counts = await store.count_check_ins(platform, [one.id for one in sessions])
    came = [(session_id, "") for session_id, count in counts.items() if count]
    now = platform.clock.now()
    return SessionsOfClass(
        training_class,
        [SessionRow(one, one.window(now), counts.get(one.id, 0)) for one in sessions],
        len(await classes.trainees(platform, class_id)),
        class_hours(training_class.class_hours, (one.lesson for one in sessions), came, now).held,
    )


async def taught_sessions(
    platform: Platform, actor: Actor, class_id: str, *, after: str | None = None, limit: int = 20
) -> list[SessionRow]:
    """The timetable of a class that the actor teaches, from the session `after` on."""
    await classes.taught_class(platform, actor, class_id)
    sessions = await _page(platform, class_id, after, limit)
    counts = await store.count_check_ins(platform, [one.id for one in sessions])
    now = platform.clock.now()
    return [SessionRow(one, one.window(now), counts.get(one.id, 0)) for one in sessions]


async def my_session(platform: Platform, actor: Actor, session_id: str) -> tuple[TrainingClass, MySession]:
    """One session of a class that the actor attends. Raises NotFound."""
    found = await store.session(platform, session_id)
    if found is None:
        raise NotFound("没有这个课次，或已取消。")
    held_in = await classes.attended_class(platform, actor, found.class_id, applied=True)
    mine = await store.check_ins_of(platform, [(session_id, actor.person_id)])
    window = found.window(platform.clock.now())
    return held_in, MySession(found, window, mine.get((session_id, actor.person_id)))


async def my_sessions(
    platform: Platform, actor: Actor, class_id: str, *, after: str | None = None, limit: int = 20
) -> list[MySession]:
    """The timetable of a class that the actor attends, with the own check-ins, from the session `after` on."""
    await classes.attended_class(platform, actor, class_id, applied=True)
    sessions = await _page(platform, class_id, after, limit)
    mine = await store.check_ins_of(platform, [(one.id, actor.person_id) for one in sessions])
    now = platform.clock.now()
    return [MySession(one, one.window(now), mine.get((one.id, actor.person_id))) for one in sessions]


async def _page(platform: Platform, class_id: str, after: str | None, limit: int) -> list[TeachingSession]:
    last = await store.session(platform, after) if after else None
    return await store.sessions_of_class(platform, class_id, after=last, limit=limit)


# ---- what other chapters and the spreadsheet need


async def hours_of_class(scope: Scope, training_class: TrainingClass) -> ClassHours:
    """The hours of a class that the caller has fetched already, and of everybody in it."""
    sessions = await store.sessions_of_class(scope, training_class.id)
    check_ins = await store.attended(scope, [one.id for one in sessions])
    return class_hours(
        training_class.class_hours,
        [one.lesson for one in sessions],
        check_ins,
        scope.platform.clock.now(),
        *await _beside(scope, training_class.id),
    )


async def _beside(scope: Scope, class_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """By person what other classes credit, and what was made up."""
    return (
        await store.added_totals(scope, class_id, AddedKind.CREDITED),
        await store.added_totals(scope, class_id, AddedKind.MADE_UP),
    )


async def superfluous(
    scope: Scope, training_class: TrainingClass, session: TeachingSession, person_ids: Collection[str]
) -> list[str]:
    """Those of these people whose check-in in this session would count for less than its hours, because they made them up or have them
    credited already."""
    beside = await _beside(scope, training_class.id)
    concerned = [one for one in person_ids if any(one in totals for totals in beside)]
    if not concerned:
        return []
    sessions = await store.sessions_of_class(scope, training_class.id)
    check_ins = await store.attended(scope, [one.id for one in sessions])
    over = max(scope.platform.clock.now(), session.ends_at + SETTLES_AFTER)
    new = [(session.id, one) for one in concerned]
    lessons = [one.lesson for one in sessions]
    before = class_hours(training_class.class_hours, lessons, check_ins, over, *beside).attended
    after = class_hours(training_class.class_hours, lessons, check_ins + new, over, *beside).attended
    return [one for one in concerned if after[one] - before[one] < session.hours]


async def who_checked_in(scope: Scope, class_id: str) -> set[str]:
    """The person ids of whoever ever checked in to a class that the caller has fetched already, or was registered by hand; void counts too,
    and what was cancelled."""
    sessions = [one.id for one in await store.all_sessions_of_class(scope, class_id)]
    return await store.people_with_check_ins(scope, sessions)


async def unscheduled(scope: Scope, found: Sequence[TrainingClass]) -> dict[str, int]:
    """By class id how many hours of the approved scheme no session gives, held or to come: what a 暂停 or a cancelled session left
    over. Of classes that the caller has fetched already; a class in which nothing is left over is not there."""
    owing = [one for one in found if one.scheme_version is not None and not one.frozen]
    planned = await store.planned(scope, [one.id for one in owing]) if owing else {}
    left = {one.id: one.class_hours - planned.get(one.id, (0, 0))[1] for one in owing}
    return {class_id: hours for class_id, hours in left.items() if hours > 0}


async def taught_in(scope: Scope, found: Sequence[TrainingClass]) -> dict[str, Taught]:
    """By class id what was held, and what is missing, of classes that the caller has fetched already."""
    lessons = await store.lessons(scope, [one.id for one in found])
    now, came = scope.platform.clock.now(), await store.came(scope, [one.id for _, one in lessons])
    of_class: dict[str, list[Lesson]] = {}
    for class_id, lesson in lessons:
        of_class.setdefault(class_id, []).append(lesson)
    return {one.id: taught(one.class_hours, of_class.get(one.id, ()), came, now) for one in found}


async def count_sessions(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """By class id how many sessions its timetable has; a class without any is left out."""
    return {class_id: count for class_id, (count, _) in (await store.planned(scope, class_ids)).items()}


async def left_of_today(scope: Scope, class_ids: Sequence[str]) -> list[TeachingSession]:
    """The sessions of these classes that are on today and not over, in their order."""
    now = scope.platform.clock.now()
    tomorrow = datetime.combine(beijing_date(now) + timedelta(days=1), time(), BEIJING)
    return await store.sessions_of_classes(scope, class_ids, now, tomorrow)


async def on_days(
    scope: Scope, person_id: str, class_ids: Sequence[str], first: date, last: date
) -> list[MySession]:
    """The sessions of these classes from one day to another, in Beijing, with the check-ins of one person, in their order."""
    now = scope.platform.clock.now()
    begin, end = (datetime.combine(day, time(), BEIJING) for day in (first, last + timedelta(days=1)))
    sessions = await store.sessions_of_classes(scope, class_ids, begin, end)
    mine = await store.check_ins_of(scope, [(one.id, person_id) for one in sessions])
    return [MySession(one, one.window(now), mine.get((one.id, person_id))) for one in sessions]


async def sessions_outside(scope: Scope, class_id: str, first: date, last: date) -> list[TeachingSession]:
    """The sessions, held or planned, outside these days, of a class that the caller has fetched already."""
    sessions = await store.sessions_of_class(scope, class_id)
    return [one for one in sessions if not first <= beijing_date(one.starts_at) <= last]


async def sheet_of_class(platform: Platform, actor: Actor, class_id: str) -> Download:
    """The spreadsheet of a class in the actor's jurisdiction. Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    sessions = await store.sessions_of_class(platform, class_id)
    check_ins = await store.check_ins_of_sessions(platform, [one.id for one in sessions])
    sheet = attendance_sheet(
        sessions,
        {(one.session_id, one.person_id): one for one in check_ins},
        class_hours(
            training_class.class_hours,
            [one.lesson for one in sessions],
            [(one.session_id, one.person_id) for one in check_ins if one.attended],
            platform.clock.now(),
            *await _beside(platform, class_id),
        ),
        platform.clock.now(),
    )
    return await sheet.download(await classes.trainees(platform, class_id), training_class.name)


@dataclass(frozen=True)
class SigningSheets:
    training_class: TrainingClass
    days: list[SigningDay]
    trainees: list[Enrolment]


async def signing_sheets(
    platform: Platform, actor: Actor, class_id: str, session_id: str = ""
) -> SigningSheets:
    """签到表 of a class in the actor's jurisdiction, of each day or of one session only. Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    sessions = await store.sessions_of_class(platform, class_id)
    if session_id:
        sessions = [one for one in sessions if one.id == session_id]
    if not sessions:
        raise NotFound("没有这个课次，或还没有安排课次。")
    check_ins = await store.check_ins_of_sessions(platform, [one.id for one in sessions])
    trainees = await classes.trainees(platform, class_id)
    return SigningSheets(training_class, signing_days(sessions, check_ins), trainees)


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """开课: from the timetable to the last day of the class, and on until its hours are held (article 4.6)."""
    sessions = await store.sessions_of_class(platform, training_class.id)
    entries = await audit.of_subject(platform, training_class.id)
    who, _ = entry_of(entries, "attendance:add-timetable")
    known = (await taught_in(platform, [training_class]))[training_class.id]
    now = platform.clock.now()
    begun = any(one.starts_at <= now for one in sessions)
    state: State = "current" if begun and not known.over_since else "done" if begun else "todo"
    match training_class.stage_on(beijing_date(now)):
        case Stage.FINISHED if training_class.condition.ended:
            state = "done" if known.held else "todo"
        case Stage.FINISHED if training_class.frozen or (known.held and not known.missing):
            state = "done"
    when = min((one.created_at for one in sessions), default=None)
    detail = f"{len(sessions)} 次课" if sessions else "还没有排课"
    if known.missing and not training_class.frozen and state != "todo":
        detail += f"，已完成 {known.held} 课时，还差 {known.missing} 课时"
    return [LifeStep("开课", state, who, when, f"/admin/classes/{training_class.id}/sessions", detail)]
