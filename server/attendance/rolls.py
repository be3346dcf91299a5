"""The roll of a session: who is in, late and missing, and who is registered by hand, with a reason (article 4.7: 参训教师全实名)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.attendance import rules, service, store
from server.attendance.documents import AddedKind, CheckIn, RefusedScan, Source, TeachingSession
from server.attendance.hours import TooManyHours, has_ended
from server.attendance.rules import Flag, Status, Window
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import NotArrived, Stage
from server.classes.service import ResultsReleased
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.namesakes import Listed, told_apart
from server.kernel.platform import Platform
from server.kernel.reasons import ShortReason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

REFUSALS_SHOWN = 200


class AlreadyCheckedIn(Conflict):
    slug = "already-checked-in"
    title = "已经签到"
    default_detail = "该学员在本课次已有签到记录，无需补签。"


VOID_ALREADY = "该学员在本课次的签到已作废。确已到课的，请用“更正”改为出勤或迟到。"


class AttendanceFrozen(ResultsReleased):
    slug = "attendance-frozen"
    default_detail = "本班成绩已公布，考勤不能再改动。"


class LateRegistration(BaseModel):
    """补签: who was there but could not scan, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
    status: Status = Status.PRESENT
    reason: ShortReason

    @field_validator("status")
    @classmethod
    def _was_there(cls, status: Status) -> Status:
        return was_there(status)


def was_there(status: Status) -> Status:
    """Whoever is registered was there. Raises ValueError."""
    if status is Status.VOID:
        raise ValueError("补签只能登记为出勤或迟到。")
    return status


@dataclass(frozen=True)
class RollEntry:
    """One trainee in one session. `flags` are those of the check-in, and SHARED_DEVICE as far as is known by now."""

    trainee: Enrolment
    check_in: CheckIn | None
    flags: tuple[Flag, ...]
    made_up: int = 0
    """Class hours that the trainee made up in this class (补课), whatever session was missed."""

    @property
    def attended(self) -> bool:
        return self.check_in is not None and self.check_in.attended

    @property
    def open_flags(self) -> tuple[Flag, ...]:
        """Those on which nobody has said anything yet."""
        judged = {flag for one in self.check_in.verdicts for flag in one.flags} if self.check_in else set()
        return tuple(flag for flag in self.flags if flag not in judged)

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
        return [entry for entry in self.entries if not entry.attended]

    @property
    def late(self) -> list[RollEntry]:
        return [entry for entry in self.entries if entry.late]

    @property
    def present(self) -> list[RollEntry]:
        return [entry for entry in self.entries if entry.attended and not entry.late]

    @property
    def flagged(self) -> list[RollEntry]:
        """Those whose flags wait for somebody to look at them."""
        return [entry for entry in self.entries if entry.open_flags]


@dataclass(frozen=True)
class SessionToday:
    """A session of this day in short: how many are in, and the names of those who are not."""

    session: TeachingSession
    window: Window
    present: int
    missing: list[str]


def board_of(roll: Roll) -> dict[str, list[str]]:
    """What a classroom sees: names by state, whoever came last first. Nothing else of anybody, for a whole room reads it."""
    everybody = [one.trainee for one in roll.entries]
    called = told_apart([Listed(one.name, one.work_unit, one.id_number_masked) for one in everybody])
    words = {one.person_id: said for one, said in zip(everybody, called, strict=True)}

    def named(entries: Iterable[RollEntry]) -> list[str]:
        return [words[one.trainee.person_id] for one in entries]

    def newest_first(entries: Iterable[RollEntry]) -> list[str]:
        return named(sorted(entries, key=lambda one: one.check_in.checked_in_at, reverse=True))  # type: ignore[union-attr]  # they are in

    return {
        "missing": named(roll.missing),
        "late": newest_first(roll.late),
        "present": newest_first(roll.present),
    }


async def roll(platform: Platform, actor: Actor, class_id: str, session_id: str) -> Roll:
    """Who is in, late and missing in a session of one's own jurisdiction, what is flagged, and which scans were refused."""
    return await roll_of(platform, await service.session_in_reach(platform, actor, class_id, session_id))


async def taught_roll(platform: Platform, actor: Actor, session_id: str) -> Roll:
    """The same for a teacher of the class."""
    return await roll_of(platform, await service.taught_session(platform, actor, session_id))


async def sessions_of_today(platform: Platform, training_class: TrainingClass) -> list[SessionToday]:
    """The sessions that this day has, in their order; of a class that the caller has fetched already."""
    today = beijing_date(platform.clock.now())
    if training_class.condition.ended or training_class.stage_on(today) is not Stage.ONGOING:
        return []
    found = await store.sessions_of_class(platform, training_class.id)
    seen = [await roll_of(platform, one) for one in found if beijing_date(one.starts_at) == today]
    return [
        SessionToday(one.session, one.window, len(one.present) + len(one.late), board_of(one)["missing"])
        for one in seen
    ]


async def roll_of(platform: Platform, session: TeachingSession) -> Roll:
    """The roll of a session that the caller has fetched already."""
    entries = await entries_of(platform, session)
    refused = await store.refused_scans(platform, session.id, limit=REFUSALS_SHOWN)
    names = {one.trainee.person_id: one.trainee.name for one in entries}
    called = await people.called(platform, names | {one.person_id: one.name for one in refused if one.name})
    told = [one.model_copy(update={"name": called.get(one.person_id, "")}) for one in refused]
    return Roll(session, session.window(platform.clock.now()), entries, told)


async def roll_for_boards(platform: Platform, session: TeachingSession) -> Roll:
    """Who is in, late and missing, and nothing that no board shows: no refused scans, no flags, no hours made up."""
    came, trainees = await asyncio.gather(
        store.check_ins_of_session(platform, session.id), classes.trainees(platform, session.class_id)
    )
    by_person = {one.person_id: one for one in came}
    entries = [RollEntry(one, by_person.get(one.person_id), ()) for one in trainees]
    return Roll(session, session.window(platform.clock.now()), entries, [])


@dataclass(frozen=True)
class Attended:
    """One session for one person."""

    session: TeachingSession
    check_in: CheckIn | None

    def held_at(self, now: datetime) -> bool:
        return self.check_in is not None or has_ended(self.session.ends_at, now)

    def said_at(self, now: datetime) -> str:
        """In a word: nobody is missing before the session is over."""
        if self.check_in is not None:
            return self.check_in.status.label
        return "未到" if has_ended(self.session.ends_at, now) else "未上课"


async def of_person(scope: Scope, person_id: str, class_ids: Sequence[str]) -> dict[str, list[Attended]]:
    """By class what one person came to, session by session; of classes that the caller has fetched already."""
    sessions = await store.timetables(scope, class_ids)
    came = await store.check_ins_of(scope, [(one.id, person_id) for one in sessions])
    found: dict[str, list[Attended]] = {class_id: [] for class_id in class_ids}
    for one in sessions:
        found[one.class_id].append(Attended(one, came.get((one.id, person_id))))
    return found


async def entries_of(scope: Scope, session: TeachingSession) -> list[RollEntry]:
    """In the order of the roster."""
    check_ins = await store.check_ins_of_session(scope, session.id)
    by_person = {one.person_id: one for one in check_ins}
    sharing = rules.sharing((one.person_id, one.device) for one in check_ins)
    made_up = await store.added_totals(scope, session.class_id, AddedKind.MADE_UP)
    return [
        RollEntry(
            one,
            by_person.get(one.person_id),
            _flags(by_person.get(one.person_id), sharing),
            made_up.get(one.person_id, 0),
        )
        for one in await classes.trainees(scope, session.class_id)
    ]


def _flags(check_in: CheckIn | None, sharing: Collection[str]) -> tuple[Flag, ...]:
    if check_in is None:
        return ()
    return (*check_in.flags, *([Flag.SHARED_DEVICE] if check_in.person_id in sharing else []))


# ---- registering by hand


async def register_late(
    platform: Platform, actor: Actor, class_id: str, session_id: str, wanted: LateRegistration
) -> tuple[CheckIn, bool]:
    """补签 by staff of the institution; the same request again answers the same, with False.

    Raises AlreadyCheckedIn, SessionNotOpen before the session's window, NotYetThere for who came after it had ended, TooManyHours for who
    has made up as much, AttendanceFrozen once results are released, and NotFound for a person who is not in the class.
    """
    await service.session_in_reach(platform, actor, class_id, session_id)
    return await _register(platform, actor, session_id, wanted)


async def register_late_as_teacher(
    platform: Platform, actor: Actor, session_id: str, wanted: LateRegistration
) -> tuple[CheckIn, bool]:
    """The same by a teacher of the class."""
    await service.taught_session(platform, actor, session_id)
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
        raise AlreadyCheckedIn() if there.attended else AlreadyCheckedIn(VOID_ALREADY)
    session = await store.session(unit, session_id)
    if session is None:
        raise NotFound("没有这个课次。")
    await require_registrable(unit, session, [wanted.person_id])
    new = registration(unit, session, wanted.person_id, wanted.status, wanted.reason)
    await store.insert_check_in(unit, new)
    audit_registration(unit, new)
    return new, True


async def require_registrable(
    unit: UnitOfWork, session: TeachingSession, person_ids: Collection[str]
) -> None:
    """Raises unless these people may be registered for the session now; until this transaction ends it is neither cancelled nor
    are the results of its class released."""
    trainees = {one.person_id: one for one in await classes.trainees(unit, session.class_id)}
    if not trainees.keys() >= set(person_ids):
        raise NotFound("该学员不在本班名册中。")
    called = await people.called(unit, {one: trainees[one].name for one in person_ids})
    waiting = [called[one] for one in person_ids if trainees[one].awaits_arrival]
    if waiting:
        raise NotArrived(f"{'、'.join(waiting)}还没有报到，请先由培训机构核对证件、办理报到，再补签。")
    rules.check_there(session.ends_at, {called[one]: trainees[one].there_since for one in person_ids})
    if session.window(unit.now) is Window.UPCOMING:
        raise rules.SessionNotOpen("课次还没有开始签到，不能补签。")
    training_class = (await classes.classes_of(unit, [session.class_id]))[session.class_id]
    await classes.exclude_release(unit, training_class, AttendanceFrozen)
    await require_needed(unit, training_class, session, called)


async def require_needed(
    unit: UnitOfWork, training_class: TrainingClass, session: TeachingSession, called: Mapping[str, str]
) -> None:
    """Raises TooManyHours, naming whom it concerns (id → what they are called), where a check-in would make hours superfluous that were
    made up or credited: the same hours do not stand on the record twice."""
    if twice := await service.superfluous(unit, training_class, session, list(called)):
        names = "、".join(called[one] for one in twice)
        raise TooManyHours(
            f"{names}已登记补课或转班计入的课时，再登记到课就超过了本班的课时。请先撤销相应的补课或转班课时，再办理。"
        )


def registration(
    unit: UnitOfWork, session: TeachingSession, person_id: str, status: Status, reason: str
) -> CheckIn:
    return CheckIn(
        session_id=session.id,
        class_id=session.class_id,
        person_id=person_id,
        status=status,
        source=Source.MANUAL,
        checked_in_at=unit.now,
        registered_by=unit.actor.name,
        reason=reason,
    )


def audit_registration(unit: UnitOfWork, new: CheckIn) -> None:
    unit.audit(
        "attendance:register-late",
        new.session_id,
        person_id=new.person_id,
        status=new.status.value,
        reason=new.reason,
    )
