"""The timetable of a class: its sessions arranged, changed and cancelled, one by one or many at once (article 4.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.attendance import naming, rules, service, store, words, work
from server.attendance.documents import Geofence, TeachingSession
from server.attendance.hours import hours_misfit
from server.attendance.rules import Datum, HalfDay, Slot, Times
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel import policies
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.venues import service as venues

CHANGED = "课次安排调整"
"""Why another teacher stands in a session that is changed as a whole, whose form asks for no reason."""


class SessionInUse(Conflict):
    slug = "session-in-use"
    title = "已有人签到"
    default_detail = "本课次已有签到记录，不能再修改或取消。个别学员未能签到的，请用“补签”登记。"


class SessionOver(Conflict):
    slug = "session-over"
    title = "课次已经结束"
    default_detail = "本课次已经结束，名称、时间、地点、教师都不能再改。没有举办的，请取消这个课次；按培训方案上课的班请申请延期。"


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
    teacher_id: Annotated[str, Field(pattern=r"^([0-9a-f]{24})?$")] = ""
    """Who teaches it, one of the class's 授课 teachers; without one it is that of all of them."""

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


# ---- arranging sessions


@transactional
async def add_session(unit: UnitOfWork, class_id: str, draft: SessionDraft) -> TeachingSession:
    """Adds a session to a class of one's own that has no approved scheme.

    Raises SchemeGoverns, ResultsReleased, and Invalid for times, a course that is not of the class, or an overlap.
    """
    classes.require_no_scheme(await classes.get_class(unit, unit.actor, class_id))
    [new] = await make_sessions(unit, class_id, [draft])
    unit.audit("attendance:add-session", new.id, class_id=class_id, **words.facts(new))
    return new


async def make_sessions(
    unit: UnitOfWork, class_id: str, drafts: Sequence[SessionDraft]
) -> list[TeachingSession]:
    """Part of a use case: adds sessions, all or none, to a class in the actor's reach.

    Raises ResultsReleased, PlaceUnresolved for a place that waits for the province's words (article 11), Invalid as `add_session`.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    await _check_hours(unit, training_class, drafts)
    in_force = await policies.on(unit, beijing_date(unit.now))
    new = [_session(training_class, draft, in_force, unit.now) for draft in drafts]
    await venues.require_resolved(unit, training_class, (draft.place for draft in drafts))
    await _check_no_overlap(unit, class_id, new)
    if new:
        await store.insert_sessions(unit, new)
    await work.follow_timetable(unit, class_id)
    return new


async def move_session(
    unit: UnitOfWork, session: TeachingSession, title: str, place: str, teacher: tuple[str, str]
) -> None:
    """Part of an approval (schemes): another name, room or teacher (id, name) for a session that has not begun."""
    teacher_id, teacher_name = teacher
    changes = {"title": title, "place": place, "teacher_id": teacher_id, "teacher_name": teacher_name}
    await store.replace_session(unit, session.model_copy(update=changes))
    await work.follow_timetable(unit, session.class_id)


async def drop_session(unit: UnitOfWork, session: TeachingSession) -> None:
    """Part of an approval (schemes): takes a session that has not begun out of the timetable."""
    await store.cancel_session(unit, session.id, unit.now)
    await work.follow_timetable(unit, session.class_id)


# ---- what befalls a class (decided in server.interruptions)


async def rearrange(
    unit: UnitOfWork,
    training_class: TrainingClass,
    moves: Mapping[str, datetime],
    cancelled: Collection[str] = (),
) -> None:
    """Part of an approval: these sessions begin at other moments, also such as were cancelled before, and `cancelled` are not held.

    `training_class` has its new days, and the caller holds it. Raises SessionInUse for one with check-ins, CheckInUnderWay, and Invalid for
    a moment that has passed, lies outside of the class or in a suspension, or overlaps.
    """
    there = {one.id: one for one in await store.all_sessions_of_class(unit, training_class.id)}
    touched = [there[one] for one in {*moves, *cancelled} if one in there]
    rules.check_not_under_way(((one.opens_at, one.closes_at) for one in touched), unit.now)
    if await store.with_check_ins(unit, [one.id for one in touched]):
        raise SessionInUse(
            "要调整的课次中有的已有签到记录，这些课次照常有效，不能再调整。请退回，由培训机构核对后重新申请。"
        )
    opens_before = _opens_before(await policies.on(unit, beijing_date(unit.now)))
    for one in touched:
        if one.id not in moves:
            await store.cancel_session(unit, one.id, unit.now)
            continue
        times = rules.moved(one.times, moves[one.id].astimezone(UTC), opens_before)
        if times.opens_at - rules.CHECK_INS_SETTLE <= unit.now:
            raise Invalid(
                fields=[FieldError("moves", f"“{one.title}”的新时间已经过去或即将开始签到，请重新安排。")]
            )
        rules.check_times(times, training_class.starts_on, training_class.ends_on, opens_before)
        require_not_suspended(training_class, times.starts_at)
        await store.replace_session(unit, one.model_copy(update={**vars(times), "cancelled_at": None}))
    await _check_no_overlap(unit, training_class.id, [])
    await work.follow_timetable(unit, training_class.id)


async def drop_unheld(unit: UnitOfWork, class_id: str) -> int:
    """Part of a use case that ends a class: what has no check-in and has not ended is not held; returns how many sessions.

    Raises CheckInUnderWay, so that no check-in is lost.
    """
    sessions = await store.sessions_of_class(unit, class_id)
    rules.check_not_under_way(((one.opens_at, one.closes_at) for one in sessions), unit.now)
    used = await store.with_check_ins(unit, [one.id for one in sessions])
    dropped = [one for one in sessions if one.ends_at > unit.now and one.id not in used]
    for one in dropped:
        await store.cancel_session(unit, one.id, unit.now)
    await work.follow_timetable(unit, class_id)
    return len(dropped)


async def all_sessions(scope: Scope, class_id: str) -> list[tuple[TeachingSession, bool]]:
    """The sessions of a class that the caller has fetched already, those that were cancelled included, and of each whether anybody has
    checked in, also where that is void."""
    sessions = await store.all_sessions_of_class(scope, class_id)
    used = await store.with_check_ins(scope, [one.id for one in sessions])
    return [(one, one.id in used) for one in sessions]


async def timetable_of_class(scope: Scope, class_id: str) -> list[tuple[TeachingSession, bool]]:
    """The sessions of a class that the caller has fetched already, and of each whether it can still be planned anew: not
    once its check-in has opened or somebody has checked in."""
    sessions = await store.sessions_of_class(scope, class_id)
    used = await store.with_check_ins(scope, [one.id for one in sessions])
    now = scope.platform.clock.now()
    return [(one, one.opens_at > now and one.id not in used) for one in sessions]


async def has_session_on(scope: Scope, class_id: str, day: date) -> bool:
    """Whether a class that the caller has fetched already meets on this day."""
    return any(beijing_date(one.starts_at) == day for one in await store.sessions_of_class(scope, class_id))


@transactional
async def change_session(
    unit: UnitOfWork, class_id: str, session_id: str, draft: SessionDraft, seen: str = ""
) -> TeachingSession:
    """Changes a session that has not ended and to which nobody has checked in; under an approved scheme its room, teacher (代课), window
    and fence only.

    Raises SessionOver, SessionInUse, SchemeGoverns, ResultsReleased, PlaceUnresolved (article 11), and Invalid as `add_session` does.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    before = await _unused_session(unit, class_id, session_id)
    if before.ends_at <= unit.now:
        raise SessionOver()
    await require_seen(unit, before, seen, draft, what=f"课次“{before.title}”")
    if _teaching(draft) != _teaching(before):
        classes.require_no_scheme(training_class)
        await _check_hours(unit, training_class, [draft])
    if draft.place != before.place:
        await venues.require_resolved(unit, training_class, [draft.place])
    if (
        training_class.scheme_version is not None
    ):  # each session of a scheme has its teacher, though perhaps another one
        draft = draft.model_copy(update={"teacher_id": draft.teacher_id or before.teacher_id})
    in_force = await policies.on(unit, beijing_date(unit.now))
    made = _session(training_class, draft, in_force, unit.now, before)
    who = made.teacher_id, made.teacher_name, CHANGED
    handed = [naming.change_of(unit, before, *who)] if made.teacher_id != before.teacher_id else []
    kept = {"id": before.id, "created_at": before.created_at, "changes": [*before.changes, *handed]}
    after = made.model_copy(update=kept)
    await _check_no_overlap(unit, class_id, [after], but=session_id)
    await store.replace_session(unit, after)
    await work.follow_timetable(unit, class_id)
    if _when_and_where(before) != _when_and_where(after) and after.ends_at > unit.now:
        await _tell(unit, training_class, "session-moved", after, before=words.minute(before.starts_at))
    if handed:
        naming.tell(unit, training_class, [before], *who)
    changes = words.changes(before, after)
    unit.audit("attendance:change-session", session_id, class_id=class_id, title=after.title, changes=changes)
    return after


def _teaching(session: SessionDraft | TeachingSession) -> tuple[object, ...]:
    """What the scheme says of a session; room, window and fence are the institution's daily work."""
    return session.title, session.course, session.starts_at, session.ends_at, session.hours


@transactional
async def cancel_session(
    unit: UnitOfWork, class_id: str, session_id: str, reason: str, seen: str = ""
) -> None:
    """Cancels a session to which nobody has checked in; its code serves no more, and everybody of the class is told.

    Raises SessionInUse, SchemeGoverns.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    classes.require_no_scheme(training_class)
    await classes.exclude_release(unit, training_class)
    before = await _unused_session(unit, class_id, session_id)
    await require_seen(unit, before, seen, what=f"课次“{before.title}”")
    await store.cancel_session(unit, session_id, unit.now)
    await work.follow_timetable(unit, class_id)
    if before.ends_at > unit.now:
        await _tell(unit, training_class, "session-cancelled", before, reason=reason)
    unit.audit(
        "attendance:cancel-session", session_id, class_id=class_id, reason=reason, **words.facts(before)
    )


async def tell_of_changes(unit: UnitOfWork, class_id: str, *, dropped: int, moved: int, made: int) -> None:
    """Part of an approval (schemes): the trainees of a class whose timetable is another one now are told. What is only new takes
    nothing from anybody and is announced when its day comes."""
    counts = ((dropped, "取消 {} 次课"), (made, "新排 {} 次课"), (moved, "{} 次课改名称或地点"))
    if not (dropped or moved):
        return
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    changes = "，".join(said.format(count) for count, said in counts if count)
    for one in await classes.trainees(unit, class_id):
        unit.notify(
            one.person_id,
            "timetable-changed",
            class_id=class_id,
            class_name=training_class.name,
            changes=changes,
        )


async def _tell(
    unit: UnitOfWork, training_class: TrainingClass, kind: str, session: TeachingSession, **more: str
) -> None:
    """Everybody of the class, at once."""
    for person_id in await enrolment.everybody(unit, training_class):
        unit.notify(
            person_id,
            kind,
            class_id=training_class.id,
            class_name=training_class.name,
            session_id=session.id,
            title=session.title,
            starts_at=words.minute(session.starts_at),
            place=session.place,
            **more,
        )


def _when_and_where(session: TeachingSession) -> tuple[datetime, datetime, str]:
    return session.starts_at, session.ends_at, session.place


async def preview_timetable(
    platform: Platform, actor: Actor, class_id: str, draft: TimetableDraft
) -> list[Slot]:
    """The sessions that a timetable would add; nothing is written. Raises SchemeGoverns, Invalid as `add_timetable` does."""
    training_class = await classes.get_class(platform, actor, class_id)
    classes.require_no_scheme(training_class)
    slots = _slots(draft)
    drafts = [_of_slot(draft, slot) for slot in slots]
    await _check_hours(platform, training_class, drafts)
    await venues.require_resolved(platform, training_class, [draft.place])
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    new = [_session(training_class, one, in_force, platform.clock.now()) for one in drafts]
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


async def _check_hours(scope: Scope, training_class: TrainingClass, drafts: Sequence[SessionDraft]) -> None:
    """Raises Invalid unless the class hours of every session fit its length. The policy is that of the first day, as in the scheme."""
    minutes = (await policies.on(scope, training_class.starts_on)).class_hour_minutes
    for one in drafts:
        if one.ends_at > one.starts_at and (
            misfit := hours_misfit(one.hours, one.ends_at - one.starts_at, minutes)
        ):
            raise Invalid(fields=[FieldError("hours", f"“{one.title}”{misfit}")])


def _opens_before(in_force: Policies) -> timedelta:
    return timedelta(minutes=in_force.check_in_opens_before)


def _session(
    training_class: TrainingClass,
    draft: SessionDraft,
    in_force: Policies,
    now: datetime,
    before: TeachingSession | None = None,
) -> TeachingSession:
    """The session that a draft makes of the class. Raises Invalid.

    Who was named `before` may stay, also after they have left the class: a room is changed without naming anybody.
    """
    times = draft.times()
    rules.check_times(times, training_class.starts_on, training_class.ends_on, _opens_before(in_force))
    require_not_suspended(training_class, times.starts_at)
    if draft.course and draft.course not in training_class.courses:
        raise Invalid(fields=[FieldError("course", "请从本班的课程中选择。")])
    if before and draft.teacher_id == before.teacher_id:
        teacher_name = before.teacher_name
    else:
        teacher_name = naming.name_of(training_class, draft.teacher_id) if draft.teacher_id else ""
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
        teacher_id=draft.teacher_id,
        teacher_name=teacher_name,
        **vars(times),
    )


def require_not_suspended(training_class: TrainingClass, starts_at: datetime) -> None:
    """Raises Invalid for a session on a day on which the class is suspended (暂停)."""
    if any(one.covers(beijing_date(starts_at)) for one in training_class.suspensions):
        raise Invalid(fields=[FieldError("starts_at", f"{beijing_date(starts_at)} 本班暂停，不能排课。")])


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
    found = await service.session_in_reach(unit, unit.actor, class_id, session_id)
    await classes.take_turn(unit, class_id)  # nobody is registered by hand meanwhile
    if await store.any_check_in(unit, session_id):
        raise SessionInUse()
    return found
