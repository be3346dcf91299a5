"""What staff and teachers put right afterwards, until the results are released: who was there, what a flag meant, how long one may
check in (article 4.7: 培训过程可追溯). What was recorded first stays on the record, with who changed it, when and why.

`class_id` names the class that staff look at; None is a teacher of it, on the phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from pymongo.errors import DuplicateKeyError

from server.attendance import rolls, rules, service, store, words
from server.attendance.documents import CheckIn, FlagVerdict, StatusChange, TeachingSession
from server.attendance.rolls import AlreadyCheckedIn
from server.attendance.rules import Status, Verdict
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason, ShortReason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import UnitOfWork, transactional

TRIES = 4
"""A phone that checks in between makes the whole list start again, and whoever it was is in by then."""
PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


class StatusUnchanged(Conflict):
    slug = "check-in-unchanged"
    title = "签到已是这个状态"


class NothingFlagged(Conflict):
    slug = "nothing-flagged"
    title = "没有待核对的标记"
    default_detail = "该学员的签到没有待核对的标记。请刷新名单，看看现在的情况。"


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LateRegistrations(_Wanted):
    """补签 of several people for one reason."""

    person_ids: Annotated[list[PersonId], Field(title="学员", min_length=1, max_length=500)]
    status: Annotated[Status, Field(title="登记为")] = Status.PRESENT
    reason: ShortReason

    @field_validator("status")
    @classmethod
    def _was_there(cls, status: Status) -> Status:
        return rolls.was_there(status)


class CheckInChange(_Wanted):
    person_id: PersonId
    status: Annotated[Status, Field(title="更正为")]
    reason: ShortReason


class VerdictDraft(_Wanted):
    """What was found out about the flags of a check-in. A verdict takes nothing away: who was not there is changed to 作废."""

    person_id: PersonId
    verdict: Annotated[Verdict, Field(title="核对结论")]
    words: Annotated[Reason, Field(title="核对说明")]


class Closing(_Wanted):
    closes_at: Annotated[AwareDatetime, Field(title="签到结束")]


@dataclass(frozen=True)
class Registered:
    """Who is in by this request, and how many were in before."""

    new: list[CheckIn]
    there: int


async def register_all(
    platform: Platform, actor: Actor, class_id: str | None, session_id: str, wanted: LateRegistrations
) -> Registered:
    """Registers several people by hand, all or nobody; who is in already stays as they are, so it may be sent again.

    Raises NotFound for somebody who is not of the class, NotArrived, NotYetThere, SessionNotOpen, AttendanceFrozen, AlreadyCheckedIn
    where a check-in is void, each naming whom it concerns.
    """
    for _ in range(TRIES - 1):
        try:
            return await _register_all(platform, actor, class_id, session_id, wanted)
        except DuplicateKeyError:
            continue
    return await _register_all(platform, actor, class_id, session_id, wanted)


@transactional
async def _register_all(
    unit: UnitOfWork, class_id: str | None, session_id: str, wanted: LateRegistrations
) -> Registered:
    session = await _kept_session(unit, class_id, session_id)
    ids = list(dict.fromkeys(wanted.person_ids))
    there = await store.check_ins_of(unit, [(session_id, one) for one in ids])
    names = {one.person_id: one.name for one in await classes.trainees(unit, session.class_id)}
    if void := [names.get(one.person_id, "该学员") for one in there.values() if not one.attended]:
        raise AlreadyCheckedIn(f"{'、'.join(void)}的签到已作废。确已到课的，请用“更正”改为出勤或迟到。")
    missing = [one for one in ids if (session_id, one) not in there]
    if not missing:
        unit.nothing_written()
        return Registered([], len(there))
    await rolls.require_registrable(unit, session, missing)
    new = [rolls.registration(unit, session, one, wanted.status, wanted.reason) for one in missing]
    await store.register_many(unit, new)
    for one in new:
        rolls.audit_registration(unit, one)
    return Registered(new, len(there))


@transactional
async def change_check_in(
    unit: UnitOfWork, class_id: str | None, session_id: str, wanted: CheckInChange, seen: str = ""
) -> CheckIn:
    """Makes a check-in, by code or by hand, present, late or void, and back; the trainee is told. Sent again, it answers the same.

    Raises ResultsReleased, StatusUnchanged, SessionNotOpen before the session begins, NotYetThere for who came after it had ended, and
    NotFound where nobody has checked in.
    """
    session, training_class, found = await _kept_check_in(unit, class_id, session_id, wanted.person_id)
    if found.status is wanted.status:
        if found.changes and found.changes[-1].reason == wanted.reason:
            unit.nothing_written()
            return found
        raise StatusUnchanged(f"该学员的签到现在就是“{found.status.label}”，没有可更正的。")
    await require_seen(unit, found, seen, subject=session_id, what="这条签到")
    if session.starts_at > unit.now:
        raise rules.SessionNotOpen("课次还没有开始，签到还不能更正。请在上课以后核对到课情况再更正。")
    if not found.attended:
        whose = await enrolment.on_record(unit, session.class_id, wanted.person_id)
        rules.check_there(session.ends_at, {whose.name: whose.there_since})
        await rolls.require_needed(unit, training_class, session, {whose.person_id: whose.name})
    change = StatusChange(
        at=unit.now,
        by_id=unit.actor.id,
        by=unit.actor.name,
        before=found.status,
        after=wanted.status,
        reason=wanted.reason,
    )
    changed = found.model_copy(update={"status": wanted.status, "changes": [*found.changes, change]})
    await store.replace_check_in(unit, changed)
    facts = {"before": change.before.value, "after": change.after.value, "reason": change.reason}
    unit.audit("attendance:change-check-in", session_id, person_id=wanted.person_id, **facts)
    unit.notify(
        wanted.person_id,
        "check-in-changed",
        class_id=training_class.id,
        class_name=training_class.name,
        session_id=session.id,
        title=session.title,
        before=change.before.label,
        after=change.after.label,
        reason=change.reason,
    )
    return changed


@transactional
async def judge_flags(
    unit: UnitOfWork, class_id: str | None, session_id: str, wanted: VerdictDraft, seen: str = ""
) -> CheckIn:
    """Says what the flags of a check-in meant: a phone lent to a colleague is no violation. A flag that comes later is open again.

    A later verdict holds instead of an earlier one, which stays on the record with who said it.

    Raises ResultsReleased, NothingFlagged, NotFound where nobody has checked in.
    """
    session, _, found = await _kept_check_in(unit, class_id, session_id, wanted.person_id)
    last = found.verdicts[-1] if found.verdicts else None
    [entry] = [
        one
        for one in (await rolls.entries_of(unit, session))
        if one.check_in is not None and one.trainee.person_id == wanted.person_id
    ]
    if last and not entry.open_flags and (last.verdict, last.words) == (wanted.verdict, wanted.words):
        unit.nothing_written()
        return found
    if not entry.flags:
        raise NothingFlagged()
    await require_seen(unit, found, seen, subject=session_id, what="这条签到")
    verdict = FlagVerdict(
        at=unit.now,
        by_id=unit.actor.id,
        by=unit.actor.name,
        flags=list(entry.flags),
        verdict=wanted.verdict,
        words=wanted.words,
    )
    judged = found.model_copy(update={"verdicts": [*found.verdicts, verdict]})
    await store.replace_check_in(unit, judged)
    unit.audit(
        "attendance:judge-flags",
        session_id,
        person_id=wanted.person_id,
        flags=[one.value for one in verdict.flags],
        verdict=verdict.verdict.value,
        reason=verdict.words,
    )
    return judged


@transactional
async def move_closing(
    unit: UnitOfWork, class_id: str | None, session_id: str, wanted: Closing, seen: str = ""
) -> TeachingSession:
    """Lets people check in for longer, to the end of the session at most, also after the first has checked in or the window has closed;
    and for shorter again, to a moment that is still to come. Who has checked in stays.

    Raises ResultsReleased, and Invalid for a moment that has passed or lies outside the session.
    """
    session = await _kept_session(unit, class_id, session_id)
    await _exclude_release(unit, session)
    if session.closes_at == wanted.closes_at:
        unit.nothing_written()
        return session
    await require_seen(unit, session, seen, wanted, what=f"课次“{session.title}”")
    rules.check_closing(session.times, wanted.closes_at, unit.now)
    moved = session.model_copy(update={"closes_at": wanted.closes_at})
    await store.replace_session(unit, moved)
    unit.audit(
        "attendance:extend-window" if moved.closes_at > session.closes_at else "attendance:shorten-window",
        session_id,
        before=words.minute(session.closes_at),
        after=words.minute(moved.closes_at),
    )
    return moved


# ---- parts


async def _kept_session(unit: UnitOfWork, class_id: str | None, session_id: str) -> TeachingSession:
    """The session, for staff of its class or a teacher of it. Raises NotFound for anybody else."""
    if class_id is None:
        return await service.taught_session(unit, unit.actor, session_id)
    return await service.session_in_reach(unit, unit.actor, class_id, session_id)


async def _exclude_release(unit: UnitOfWork, session: TeachingSession) -> TrainingClass:
    training_class = (await classes.classes_of(unit, [session.class_id]))[session.class_id]
    await classes.exclude_release(unit, training_class)
    return training_class


async def _kept_check_in(
    unit: UnitOfWork, class_id: str | None, session_id: str, person_id: str
) -> tuple[TeachingSession, TrainingClass, CheckIn]:
    session = await _kept_session(unit, class_id, session_id)
    training_class = await _exclude_release(unit, session)
    found = (await store.check_ins_of(unit, [(session_id, person_id)])).get((session_id, person_id))
    if found is None:
        raise NotFound("该学员在本课次没有签到记录。确已到课的，请用“补签”登记。")
    return session, training_class, found
