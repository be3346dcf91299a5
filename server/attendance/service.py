"""Sessions of a class and who attended them (article 4.7: 参训教师全实名，培训过程可追溯).

Staff arrange sessions and show the code on the classroom's screen; backbone teachers show it on their phone; both see who is in,
late and missing, and register by hand, with a reason, whoever could not scan. Checking in itself is `check_in`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pymongo.errors import DuplicateKeyError

from server.attendance import rules, store
from server.attendance.documents import CheckIn, Geofence, RefusedScan, Source, TeachingSession
from server.attendance.rules import Code, Datum, Flag, HalfDay, Slot, Status, Times, Window
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import Stage
from server.kernel import audit, policies
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, State, entry_of
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

REFUSALS_SHOWN = 200


class SessionInUse(Conflict):
    slug = "session-in-use"
    title = "已有人签到"
    default_detail = "本课次已有签到记录，不能再修改或取消。个别学员未能签到的，请用“补签”登记。"


class AlreadyCheckedIn(Conflict):
    slug = "already-checked-in"
    title = "已经签到"
    default_detail = "该学员在本课次已有签到记录，无需补签。"


class AttendanceFrozen(Conflict):
    slug = "attendance-frozen"
    title = "成绩已公布"
    default_detail = "本班成绩已公布，考勤不能再改动。"


# ---- what is asked for


class FenceDraft(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    datum: Datum = Datum.GCJ_02
    radius_m: Annotated[int, Field(ge=20, le=5000)] = 200


class SessionDraft(BaseModel):
    """A session. The window that is not given is the usual one (rules.usual_times)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=2, max_length=40)]
    course: Annotated[str, Field(max_length=40)] = ""
    place: Annotated[str, Field(min_length=2, max_length=100)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    hours: Annotated[int, Field(ge=1, le=12)]
    opens_at: AwareDatetime | None = None
    late_after: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    geofence: FenceDraft | None = None

    def times(self) -> Times:
        usual = rules.usual_times(self.starts_at, self.ends_at)
        return Times(
            self.starts_at,
            self.ends_at,
            self.opens_at or usual.opens_at,
            self.late_after or usual.late_after,
            self.closes_at or usual.closes_at,
        )


class HalfDayDraft(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=10)]
    starts: time
    ends: time
    hours: Annotated[int, Field(ge=1, le=12)]


class TimetableDraft(BaseModel):
    """A timetable: `half_days` on each of `weekdays` (0 is Monday); the courses follow one another in equal parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_day: date
    last_day: date
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7)]
    half_days: Annotated[list[HalfDayDraft], Field(max_length=4)]
    courses: Annotated[list[str], Field(max_length=8)]
    place: Annotated[str, Field(min_length=2, max_length=100)]
    geofence: FenceDraft | None = None


class LateRegistration(BaseModel):
    """补签: who was there but could not scan, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
    status: Status = Status.PRESENT
    reason: Annotated[str, Field(min_length=2, max_length=200)]


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

    @property
    def hours(self) -> int:
        return sum(row.item.hours for row in self.rows)


@dataclass(frozen=True)
class MySession:
    """A session as a trainee sees it, with the own check-in."""

    item: TeachingSession
    window: Window
    check_in: CheckIn | None


@dataclass(frozen=True)
class RollEntry:
    """One trainee in one session. `flags` are those of the check-in, and SHARED_DEVICE as far as is known by now."""

    trainee: Enrolment
    check_in: CheckIn | None
    flags: tuple[Flag, ...]

    @property
    def late(self) -> bool:
        return self.check_in is not None and self.check_in.status is Status.LATE

    @property
    def by_hand(self) -> bool:
        return self.check_in is not None and self.check_in.source is Source.MANUAL


@dataclass(frozen=True)
class Roll:
    """Who is in, late and missing, in the order of the roster."""

    session: TeachingSession
    window: Window
    entries: list[RollEntry]
    refused: list[RefusedScan]

    @property
    def missing(self) -> list[RollEntry]:
        return [entry for entry in self.entries if entry.check_in is None]

    @property
    def late(self) -> list[RollEntry]:
        return [entry for entry in self.entries if entry.late]

    @property
    def present(self) -> list[RollEntry]:
        return [entry for entry in self.entries if entry.check_in and not entry.late]

    @property
    def flagged(self) -> list[RollEntry]:
        return [entry for entry in self.entries if entry.flags]


@dataclass(frozen=True)
class CodeOnScreen:
    """The code of this moment: accepted until `expires_at`; the next one comes in `next_in` seconds."""

    code: str
    expires_at: datetime
    next_in: float


@dataclass(frozen=True)
class ClassAttendance:
    """Class hours (课时) of the sessions that have begun, and of those that each trainee attended; late counts."""

    hours_total: int
    hours_attended: dict[str, int]


@dataclass(frozen=True)
class ClassSheet:
    """All of a class's attendance, for a spreadsheet."""

    training_class: TrainingClass
    sessions: list[TeachingSession]
    trainees: list[Enrolment]
    check_ins: dict[tuple[str, str], CheckIn]
    """By (session, person)."""
    attendance: ClassAttendance
    made_at: datetime


# ---- arranging sessions


@transactional
async def add_session(unit: UnitOfWork, class_id: str, draft: SessionDraft) -> TeachingSession:
    """Adds a session to a class of one's own that has no approved scheme.

    Raises SchemeGoverns, ResultsReleased, and Invalid for times, a course that is not of the class, or an overlap.
    """
    classes.require_no_scheme(await classes.get_class(unit, unit.actor, class_id))
    [new] = await make_sessions(unit, class_id, [draft])
    unit.audit("attendance:add-session", new.id, class_id=class_id, **_facts(new))
    return new


async def make_sessions(
    unit: UnitOfWork, class_id: str, drafts: Sequence[SessionDraft]
) -> list[TeachingSession]:
    """Part of a use case: adds sessions, all or none, to a class in the actor's reach. Raises ResultsReleased, Invalid as `add_session`."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    in_force = await policies.on(unit, beijing_date(unit.now))
    new = [_session(training_class, draft, in_force, unit.now) for draft in drafts]
    await _check_no_overlap(unit, class_id, new)
    if new:
        await store.insert_sessions(unit, new)
    return new


async def move_session(unit: UnitOfWork, session: TeachingSession, title: str, place: str) -> None:
    """Part of an approval (schemes): another name or room for a session that has not begun."""
    await store.replace_session(unit, session.model_copy(update={"title": title, "place": place}))


async def drop_session(unit: UnitOfWork, session: TeachingSession) -> None:
    """Part of an approval (schemes): takes a session that has not begun out of the timetable."""
    await store.cancel_session(unit, session.id, unit.now)


async def timetable_of_class(scope: Scope, class_id: str) -> list[tuple[TeachingSession, bool]]:
    """The sessions of a class that the caller has fetched already, and of each whether it can still be planned anew: not
    once its check-in has opened or somebody has checked in."""
    sessions = await store.sessions_of_class(scope, class_id)
    counts = await store.count_check_ins(scope, [one.id for one in sessions])
    now = scope.platform.clock.now()
    return [(one, one.opens_at > now and not counts.get(one.id)) for one in sessions]


@transactional
async def change_session(
    unit: UnitOfWork, class_id: str, session_id: str, draft: SessionDraft
) -> TeachingSession:
    """Changes a session to which nobody has checked in; under an approved scheme its room, window and fence only.

    Raises SessionInUse, SchemeGoverns, ResultsReleased, and Invalid as `add_session` does.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    before = await _unused_session(unit, class_id, session_id)
    if _teaching(draft) != _teaching(before):
        classes.require_no_scheme(training_class)
    made = _session(training_class, draft, await policies.on(unit, beijing_date(unit.now)), unit.now)
    after = made.model_copy(update={"id": before.id, "created_at": before.created_at})
    await _check_no_overlap(unit, class_id, [after], but=session_id)
    await store.replace_session(unit, after)
    unit.audit("attendance:change-session", session_id, before=_facts(before), after=_facts(after))
    return after


def _teaching(session: SessionDraft | TeachingSession) -> tuple[object, ...]:
    """What the scheme says of a session; room, window and fence are the institution's daily work."""
    return session.title, session.course, session.starts_at, session.ends_at, session.hours


@transactional
async def cancel_session(unit: UnitOfWork, class_id: str, session_id: str) -> None:
    """Cancels a session to which nobody has checked in; its code serves no more. Raises SessionInUse, SchemeGoverns."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    classes.require_no_scheme(training_class)
    await classes.exclude_release(unit, training_class)
    before = await _unused_session(unit, class_id, session_id)
    await store.cancel_session(unit, session_id, unit.now)
    unit.audit("attendance:cancel-session", session_id, class_id=class_id, **_facts(before))


async def preview_timetable(
    platform: Platform, actor: Actor, class_id: str, draft: TimetableDraft
) -> list[Slot]:
    """The sessions that a timetable would add; nothing is written. Raises SchemeGoverns, Invalid as `add_timetable` does."""
    training_class = await classes.get_class(platform, actor, class_id)
    classes.require_no_scheme(training_class)
    slots = _slots(draft)
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    new = [_session(training_class, _of_slot(draft, slot), in_force, platform.clock.now()) for slot in slots]
    await _check_no_overlap(platform, class_id, new)
    return slots


@transactional
async def add_timetable(unit: UnitOfWork, class_id: str, draft: TimetableDraft) -> int:
    """Adds all sessions of a timetable or none; returns how many.

    Raises SchemeGoverns, and Invalid for an empty timetable, times outside the class, a foreign course, or an overlap with a
    session there is.
    """
    classes.require_no_scheme(await classes.get_class(unit, unit.actor, class_id))
    new = await make_sessions(unit, class_id, [_of_slot(draft, slot) for slot in _slots(draft)])
    unit.audit(
        "attendance:add-timetable",
        class_id,
        sessions=len(new),
        hours=sum(one.hours for one in new),
        first_day=draft.first_day.isoformat(),
        last_day=draft.last_day.isoformat(),
    )
    return len(new)


def _slots(draft: TimetableDraft) -> list[Slot]:
    if draft.last_day < draft.first_day:
        raise Invalid(fields=[FieldError("last_day", "结束日期不能早于开始日期。")])
    half_days = [HalfDay(one.title, one.starts, one.ends, one.hours) for one in draft.half_days]
    return rules.timetable(draft.first_day, draft.last_day, draft.weekdays, half_days, draft.courses)


def _of_slot(draft: TimetableDraft, slot: Slot) -> SessionDraft:
    return SessionDraft(
        title=slot.title,
        course=slot.course,
        place=draft.place,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        hours=slot.hours,
        geofence=draft.geofence,
    )


def _session(
    training_class: TrainingClass, draft: SessionDraft, in_force: Policies, now: datetime
) -> TeachingSession:
    """The session that a draft makes of the class. Raises Invalid."""
    times = draft.times()
    rules.check_times(times, training_class.starts_on, training_class.ends_on)
    if draft.course and draft.course not in training_class.courses:
        raise Invalid(fields=[FieldError("course", "请从本班的课程中选择。")])
    return TeachingSession(
        class_id=training_class.id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        title=draft.title,
        course=draft.course,
        place=draft.place,
        hours=draft.hours,
        geofence=Geofence(**draft.geofence.model_dump()) if draft.geofence else None,
        code_step_seconds=in_force.code_step_seconds,
        code_grace_seconds=in_force.code_grace_seconds,
        created_at=now,
        **vars(times),
    )


async def _check_no_overlap(
    scope: Scope, class_id: str, new: Sequence[TeachingSession], *, but: str | None = None
) -> None:
    """Raises Invalid when two sessions of the class would overlap. In a transaction, two people who add sessions to one
    class at once come one after the other."""
    if isinstance(scope, UnitOfWork):
        await classes.take_turn(scope, class_id)
    others = [one for one in await store.sessions_of_class(scope, class_id) if one.id != but]
    if len(others) + len(new) > rules.MOST_SESSIONS:
        raise Invalid(fields=[FieldError("last_day", f"一个培训班最多 {rules.MOST_SESSIONS} 个课次。")])
    pair = rules.overlapping((one.starts_at, one.ends_at) for one in [*others, *new])
    if pair:
        one, other = (f"{moment.astimezone(BEIJING):%m月%d日 %H:%M}" for moment in pair)
        raise Invalid(fields=[FieldError("starts_at", f"{one} 和 {other} 开始的两个课次时间重叠。")])


async def _unused_session(unit: UnitOfWork, class_id: str, session_id: str) -> TeachingSession:
    found = await session_in_reach(unit, unit.actor, class_id, session_id)
    await classes.take_turn(unit, class_id)  # nobody is registered by hand meanwhile
    if await store.any_check_in(unit, session_id):
        raise SessionInUse()
    return found


def _facts(session: TeachingSession) -> dict[str, JsonValue]:
    return {
        "title": session.title,
        "starts_at": session.starts_at.isoformat(),
        "ends_at": session.ends_at.isoformat(),
        "opens_at": session.opens_at.isoformat(),
        "late_after": session.late_after.isoformat(),
        "closes_at": session.closes_at.isoformat(),
        "hours": session.hours,
    }


# ---- who may see a session


async def session_in_reach(scope: Scope, actor: Actor, class_id: str, session_id: str) -> TeachingSession:
    """A session of a class in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.session_in_reach(scope, actor.jurisdiction, class_id, session_id)
    if found is None:
        raise NotFound("没有这个课次，或已取消，或不在您的管理范围内。")
    return found


async def taught_session(scope: Scope, actor: Actor, session_id: str) -> TeachingSession:
    """A session of a class that the actor teaches. Raises NotFound for any other."""
    found = await store.session(scope, session_id)
    if found is None:
        raise NotFound("没有这个课次，或已取消。")
    await classes.taught_class(scope, actor, found.class_id)
    return found


# ---- lists


async def sessions_of_class(platform: Platform, actor: Actor, class_id: str) -> SessionsOfClass:
    """The timetable of a class in the actor's jurisdiction, with how many have checked in."""
    training_class = await classes.get_class(platform, actor, class_id)
    sessions = await store.sessions_of_class(platform, class_id)
    counts = await store.count_check_ins(platform, [one.id for one in sessions])
    now = platform.clock.now()
    return SessionsOfClass(
        training_class,
        [SessionRow(one, one.window(now), counts.get(one.id, 0)) for one in sessions],
        len(await classes.trainees(platform, class_id)),
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


async def my_sessions(
    platform: Platform, actor: Actor, class_id: str, *, after: str | None = None, limit: int = 20
) -> list[MySession]:
    """The timetable of a class that the actor attends, with the own check-ins, from the session `after` on."""
    await classes.attended_class(platform, actor, class_id)
    sessions = await _page(platform, class_id, after, limit)
    mine = await store.check_ins_of(platform, [(one.id, actor.person_id) for one in sessions])
    now = platform.clock.now()
    return [MySession(one, one.window(now), mine.get((one.id, actor.person_id))) for one in sessions]


async def _page(platform: Platform, class_id: str, after: str | None, limit: int) -> list[TeachingSession]:
    last = await store.session(platform, after) if after else None
    return await store.sessions_of_class(platform, class_id, after=last, limit=limit)


async def roll(platform: Platform, actor: Actor, class_id: str, session_id: str) -> Roll:
    """Who is in, late and missing in a session of one's own jurisdiction, what is flagged, and which scans were refused."""
    return await roll_of(platform, await session_in_reach(platform, actor, class_id, session_id))


async def taught_roll(platform: Platform, actor: Actor, session_id: str) -> Roll:
    """The same for a teacher of the class."""
    return await roll_of(platform, await taught_session(platform, actor, session_id))


async def roll_of(platform: Platform, session: TeachingSession) -> Roll:
    """The roll of a session that the caller has fetched already."""
    check_ins = await store.check_ins_of_session(platform, session.id)
    by_person = {one.person_id: one for one in check_ins}
    sharing = rules.sharing((one.person_id, one.device) for one in check_ins)
    entries = [
        RollEntry(one, by_person.get(one.person_id), _flags(by_person.get(one.person_id), sharing))
        for one in await classes.trainees(platform, session.class_id)
    ]
    refused = await store.refused_scans(platform, session.id, limit=REFUSALS_SHOWN)
    return Roll(session, session.window(platform.clock.now()), entries, refused)


def _flags(check_in: CheckIn | None, sharing: Collection[str]) -> tuple[Flag, ...]:
    if check_in is None:
        return ()
    return (*check_in.flags, *([Flag.SHARED_DEVICE] if check_in.person_id in sharing else []))


# ---- the code on the screen


async def code_for_screen(
    platform: Platform, actor: Actor, class_id: str, session_id: str
) -> tuple[TeachingSession, Window, CodeOnScreen | None]:
    """The code of this moment for the classroom's screen; None outside of the session's window."""
    session = await session_in_reach(platform, actor, class_id, session_id)
    now = platform.clock.now()
    state = session.window(now)
    return session, state, _code(platform, session, now) if state is Window.OPEN else None


async def code_for_phone(platform: Platform, actor: Actor, session_id: str) -> CodeOnScreen:
    """The code of this moment for a teacher's phone. Raises SessionNotOpen outside of the session's window."""
    session = await taught_session(platform, actor, session_id)
    now = platform.clock.now()
    rules.require_open(session.opens_at, session.closes_at, now)
    return _code(platform, session, now)


def _code(platform: Platform, session: TeachingSession, now: datetime) -> CodeOnScreen:
    key = rules.code_key(platform.settings.code_secret.get_secret_value())
    step = rules.step_at(now, session.code_step_seconds)
    ends = rules.step_starts(step + 1, session.code_step_seconds)
    return CodeOnScreen(
        rules.write_code(Code(session.id, step), key),
        rules.expires_at(step, session.code_step_seconds, session.code_grace_seconds),
        (ends - now).total_seconds(),
    )


# ---- registering by hand


async def register_late(
    platform: Platform, actor: Actor, class_id: str, session_id: str, wanted: LateRegistration
) -> tuple[CheckIn, bool]:
    """补签 by staff of the institution; the same request again answers the same, with False.

    Raises AlreadyCheckedIn, SessionNotOpen before the session's window, AttendanceFrozen once results are released, and
    NotFound for a person who is not in the class.
    """
    await session_in_reach(platform, actor, class_id, session_id)
    return await _register(platform, actor, session_id, wanted)


async def register_late_as_teacher(
    platform: Platform, actor: Actor, session_id: str, wanted: LateRegistration
) -> tuple[CheckIn, bool]:
    """The same by a teacher of the class."""
    await taught_session(platform, actor, session_id)
    return await _register(platform, actor, session_id, wanted)


async def _register(
    platform: Platform, actor: Actor, session_id: str, wanted: LateRegistration
) -> tuple[CheckIn, bool]:
    try:
        return await _write_registration(platform, actor, session_id, wanted)
    except DuplicateKeyError:  # the phone, or a colleague, was quicker
        raise AlreadyCheckedIn() from None


@transactional
async def _write_registration(
    unit: UnitOfWork, session_id: str, wanted: LateRegistration
) -> tuple[CheckIn, bool]:
    key = session_id, wanted.person_id
    there = (await store.check_ins_of(unit, [key])).get(key)
    if there and (there.source, there.reason, there.status) == (Source.MANUAL, wanted.reason, wanted.status):
        unit.nothing_written()
        return there, False
    if there:
        raise AlreadyCheckedIn()
    session = await _session_to_register(unit, session_id, wanted.person_id)
    new = CheckIn(
        session_id=session_id,
        class_id=session.class_id,
        person_id=wanted.person_id,
        status=wanted.status,
        source=Source.MANUAL,
        checked_in_at=unit.now,
        registered_by=unit.actor.name,
        reason=wanted.reason,
    )
    await store.insert_check_in(unit, new)
    unit.audit(
        "attendance:register-late",
        session_id,
        person_id=wanted.person_id,
        status=wanted.status.value,
        reason=wanted.reason,
    )
    return new, True


async def _session_to_register(unit: UnitOfWork, session_id: str, person_id: str) -> TeachingSession:
    """The session, if this person may be registered for it now; until this transaction ends it is neither cancelled nor
    are the results of its class released."""
    session = await store.session(unit, session_id)
    if session is None:
        raise NotFound("没有这个课次。")
    if (await classes.trainee(unit, session.class_id, person_id)).awaits_arrival:
        raise rules.NotArrived("该学员还没有报到，请先由培训机构核对证件、办理报到，再补签。")
    if session.window(unit.now) is Window.UPCOMING:
        raise rules.SessionNotOpen("课次还没有开始签到，不能补签。")
    await classes.take_turn(unit, session.class_id)
    training_class = (await classes.classes_of(unit, [session.class_id]))[session.class_id]
    if training_class.results_released_at is not None:
        raise AttendanceFrozen()
    return session


# ---- what other chapters and the spreadsheet need


async def attendance_of_class(scope: Scope, class_id: str) -> ClassAttendance:
    """The attendance of everybody in a class that the caller has fetched already, over the sessions that have begun."""
    sessions = await store.sessions_of_class(scope, class_id)
    trainees = await classes.trainees(scope, class_id)
    now = scope.platform.clock.now()
    begun = {one.id: one.hours for one in sessions if one.starts_at <= now}
    attended = rules.hours_attended(begun, await store.attended(scope, list(begun)))
    return ClassAttendance(
        sum(begun.values()), {one.person_id: attended.get(one.person_id, 0) for one in trainees}
    )


async def sheet_of_class(platform: Platform, actor: Actor, class_id: str) -> ClassSheet:
    """Everything for the spreadsheet of a class in the actor's jurisdiction."""
    training_class = await classes.get_class(platform, actor, class_id)
    sessions = await store.sessions_of_class(platform, class_id)
    check_ins = await store.check_ins_of_sessions(platform, [one.id for one in sessions])
    return ClassSheet(
        training_class,
        sessions,
        await classes.trainees(platform, class_id),
        {(one.session_id, one.person_id): one for one in check_ins},
        await attendance_of_class(platform, class_id),
        platform.clock.now(),
    )


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """开课: from the timetable to the last day of the class."""
    sessions = await store.sessions_of_class(platform, training_class.id)
    entries = await audit.of_subject(platform, training_class.id)
    who, _ = entry_of(entries, "attendance:add-timetable")
    stage = training_class.stage_on(beijing_date(platform.clock.now()))
    states: dict[Stage, State] = {
        Stage.NOT_STARTED: "todo",
        Stage.ONGOING: "current",
        Stage.FINISHED: "done",
    }
    when = min((one.created_at for one in sessions), default=None)
    detail = f"{len(sessions)} 次课" if sessions else "还没有排课"
    return [
        LifeStep("开课", states[stage], who, when, f"/admin/classes/{training_class.id}/sessions", detail)
    ]
