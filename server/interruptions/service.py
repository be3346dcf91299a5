"""What an institution asks for when a class cannot run as it was planned, and how it is called off (articles 4.6, 4.7 and 25.4).

Requests are filed here and carried out, in the transaction of their approval, by `carrying_out`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from pymongo.errors import DuplicateKeyError

from server.attendance import timetable, work
from server.attendance.documents import TeachingSession
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Condition, Stage
from server.interruptions import carrying_out, revoking, rules, store
from server.interruptions.documents import ChangeFilter, ClassChange, LaterClass, Move
from server.interruptions.requests import (
    CallOff,
    Postponement,
    Revocation,
    Suspension,
    Termination,
    Transfer,
    Wanted,
)
from server.interruptions.rules import Action, Course, Days, Kind, Placed, State
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

ASKED = {
    Kind.SUSPEND: "interruptions:ask-suspend",
    Kind.POSTPONE: "interruptions:ask-postpone",
    Kind.TRANSFER: "interruptions:ask-transfer",
    Kind.TERMINATE: "interruptions:ask-terminate",
    Kind.REVOKE: "interruptions:ask-revoke",
}
CARRIED_OUT = {
    Kind.SUSPEND: "interruptions:suspend",
    Kind.POSTPONE: "interruptions:postpone",
    Kind.TRANSFER: "interruptions:transfer",
    Kind.TERMINATE: "interruptions:terminate",
    Kind.REVOKE: "interruptions:revoke",
}
"""What the trail of the class notes."""


@dataclass(frozen=True)
class ChangesOfClass:
    """What befell a class, newest first, and what may be asked for now."""

    training_class: TrainingClass
    changes: list[ClassChange]
    offered: list[Kind]


# ---- asking


async def suspend(platform: Platform, actor: Actor, class_id: str, wanted: Suspension) -> ClassChange:
    """Asks to suspend a class and to hold what falls into the suspension at other times. Raises Invalid, ChangeOpen, and what says that
    the class is frozen, and DatesClash for people who are in another class on the new days."""
    return await _once(_suspend(platform, actor, class_id, wanted))


async def postpone(platform: Platform, actor: Actor, class_id: str, wanted: Postponement) -> ClassChange:
    """Asks for later days of a class, with make-up sessions up to the new last day. Raises as `suspend`."""
    return await _once(_postpone(platform, actor, class_id, wanted))


async def transfer(platform: Platform, actor: Actor, class_id: str, wanted: Transfer) -> ClassChange:
    """Asks that people of a class finish in a later one; the institution of that class agrees first, if it is another. Raises NotLater,
    ChangeOpen, NotFound for a class that does not exist, Invalid for people who are not of the class."""
    return await _once(_transfer(platform, actor, class_id, wanted))


async def terminate(platform: Platform, actor: Actor, class_id: str, wanted: Termination) -> ClassChange:
    """Asks that a class ends as it is. Raises ChangeOpen, and what says that the class is frozen."""
    return await _once(_terminate(platform, actor, class_id, wanted))


async def revoke(platform: Platform, actor: Actor, change_id: str, wanted: Revocation) -> ClassChange:
    """Asks that an approved 暂停 or 延期 is undone before anything of it has happened. Raises CannotBeRevoked, NotInThisState, ChangeOpen,
    NotFound for anybody else's."""
    return await _once(_revoke(platform, actor, change_id, wanted))


async def _once(asking: Awaitable[ClassChange]) -> ClassChange:
    try:
        return await asking
    except DuplicateKeyError:
        raise rules.ChangeOpen() from None


@transactional
async def _suspend(unit: UnitOfWork, class_id: str, wanted: Suspension) -> ClassChange:
    training_class = await _changeable(unit, class_id)
    days = days_of(training_class)
    today = beijing_date(unit.now)
    most_days = (await policies.on(unit, today)).suspension_days_most
    rules.check_suspension(wanted.first, wanted.last, days, wanted.ends_on, today, most_days=most_days)
    sessions = await timetable.all_sessions(unit, class_id)
    there = {one.id: one for one, _ in sessions}
    hit = rules.inside([placed(*one) for one in sessions], wanted.first, wanted.last)
    rules.check_moves(hit, wanted.moves)
    dropped = {one.id for one in hit} - wanted.moves.keys()
    _check_lengthened(training_class, wanted, [there[one] for one in there.keys() - dropped])
    await enrolment.require_days_free(unit, training_class, training_class.starts_on, wanted.ends_on)
    return await _file(
        unit,
        training_class,
        Kind.SUSPEND,
        wanted,
        suspended_from=wanted.first,
        suspended_until=wanted.last,
        starts_on=training_class.starts_on,
        ends_on=wanted.ends_on,
        moves=[Move.of(there[one.id], wanted.moves.get(one.id)) for one in hit],
    )


@transactional
async def _postpone(unit: UnitOfWork, class_id: str, wanted: Postponement) -> ClassChange:
    training_class = await _changeable(unit, class_id)
    sessions = await timetable.all_sessions(unit, class_id)
    there = {one.id: one for one, _ in sessions}
    movable = rules.movable(placed(*one) for one in sessions)
    begun = any(used or (one.starts_at <= unit.now and not one.cancelled_at) for one, used in sessions)
    today = beijing_date(unit.now)
    new, moved = (wanted.starts_on, wanted.ends_on), bool(wanted.moves)
    rules.check_postponement(*new, days_of(training_class), today, begun=begun, moved=moved)
    rules.check_moves(movable, wanted.moves)
    stranded = [
        one
        for one in movable
        if not one.cancelled and beijing_date(one.starts_at) < wanted.starts_on and one.id not in wanted.moves
    ]
    if stranded and wanted.starts_on != training_class.starts_on:
        said = f"“{stranded[0].title}”在新的开始日期以前，请安排新的时间。"
        raise Invalid(fields=[FieldError("moves", said)])
    _check_lengthened(training_class, wanted, there.values())
    await enrolment.require_days_free(unit, training_class, wanted.starts_on, wanted.ends_on)
    return await _file(
        unit,
        training_class,
        Kind.POSTPONE,
        wanted,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        moves=[Move.of(there[session_id], moment) for session_id, moment in wanted.moves.items()],
    )


def _check_lengthened(
    training_class: TrainingClass, wanted: Suspension | Postponement, kept: Iterable[TeachingSession]
) -> None:
    planned = sum(one.hours for one in kept if one.cancelled_at is None)
    moved = [beijing_date(moment) for moment in wanted.moves.values()]
    rules.check_lengthened(
        days_of(training_class), wanted.ends_on, moved, training_class.class_hours - planned
    )


@transactional
async def _transfer(unit: UnitOfWork, class_id: str, wanted: Transfer) -> ClassChange:
    training_class = await classes.get_class(unit, unit.actor, class_id)
    if training_class.condition is not Condition.TERMINATED:
        await classes.exclude_release(unit, training_class)
    later = await later_class(unit, training_class, wanted.class_id, wanted.person_ids)
    known = {one.person_id for one in await classes.trainees(unit, class_id)}
    chosen = list(dict.fromkeys(wanted.person_ids))
    if not known.issuperset(chosen):
        raise Invalid(fields=[FieldError("person_ids", "有人不在本班名册中，请刷新后重新选择。")])
    own = later.institution_code == training_class.institution_code
    return await _file(
        unit,
        training_class,
        Kind.TRANSFER,
        wanted,
        later=LaterClass(
            class_id=later.id,
            class_name=later.name,
            institution_code=later.institution_code,
            institution_name=later.institution_name,
        ),
        person_ids=chosen,
        state=State.SUBMITTED if own else State.ASKED,
    )


@transactional
async def _revoke(unit: UnitOfWork, change_id: str, wanted: Revocation) -> ClassChange:
    found = await change(unit, unit.actor, change_id)
    if found.institution_code != unit.actor.institution_code:
        raise NotFound("没有这件变更申请，或不由您单位撤销。")
    rules.STEPS.require_seen(wanted.seen, found.history)
    training_class = await _changeable(unit, found.class_id)
    await revoking.check(unit, training_class, found)
    await enrolment.require_days_free(unit, training_class, *found.before)
    why = Wanted(ground=found.ground, reason=wanted.reason)
    return await _file(
        unit,
        training_class,
        Kind.REVOKE,
        why,
        revokes=found.id,
        revoked_words=found.words,
        starts_on=found.before[0],
        ends_on=found.before[1],
        moves=await revoking.moves_back(unit, found),
    )


@transactional
async def _terminate(unit: UnitOfWork, class_id: str, wanted: Termination) -> ClassChange:
    return await _file(unit, await _changeable(unit, class_id), Kind.TERMINATE, wanted)


async def _changeable(unit: UnitOfWork, class_id: str) -> TrainingClass:
    """A class of the actor's that is not frozen. Raises NotFound, ResultsReleased, ClassEnded."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    return training_class


async def _file(
    unit: UnitOfWork, training_class: TrainingClass, kind: Kind, wanted: Wanted, **said: object
) -> ClassChange:
    """Keeps a request; one that came back gives way to it. Raises ChangeOpen."""
    rules.STEPS.require_right(Action.FILE, unit.actor.roles)
    earlier = await store.waiting_of(unit, training_class.id)
    if earlier is not None:
        if earlier.open:
            raise rules.ChangeOpen()
        await take(unit, rules.STEPS, earlier, Action.REPLACE)
    new = _new(unit, training_class, kind, wanted, Action.FILE, **said)
    await store.insert(unit, new)
    unit.audit(
        ASKED[kind],
        training_class.id,
        change=new.id,
        wanted=new.words,
        reason=wanted.reason,
    )
    return new


def _new(
    unit: UnitOfWork,
    training_class: TrainingClass,
    kind: Kind,
    wanted: Wanted,
    action: Action,
    **said: object,
) -> ClassChange:
    return ClassChange.model_validate(
        {
            "kind": kind,
            "class_id": training_class.id,
            "class_name": training_class.name,
            "institution_code": training_class.institution_code,
            "institution_name": training_class.institution_name,
            "province_code": training_class.province_code,
            "level": training_class.level,
            "ground": wanted.ground,
            "reason": wanted.reason,
            "before": (training_class.starts_on, training_class.ends_on),
            "history": [step(unit, action)],
            "filed_at": unit.now,
            **said,
        }
    )


def days_of(training_class: TrainingClass) -> Days:
    suspended = tuple((one.first, one.last) for one in training_class.suspensions)
    return Days(training_class.starts_on, training_class.ends_on, suspended)


def placed(session: TeachingSession, used: bool) -> Placed:
    return Placed(session.id, session.title, session.starts_at, used, session.cancelled_at is not None)


async def later_class(
    scope: Scope, held_in: TrainingClass, class_id: str, person_ids: Collection[str]
) -> TrainingClass:
    """The class of the country in which these people of another are to finish. Raises NotFound, NotLater."""
    found = (await classes.classes_of(scope, [class_id])).get(class_id)
    if found is None:
        raise NotFound("没有转入的这个培训班。")
    today = beijing_date(scope.platform.clock.now())
    held_to = await work.last_day_of(scope, held_in.id, person_ids)
    rules.check_later_class(course_of(held_in, today), course_of(found, today), held_to)
    return found


def course_of(one: TrainingClass, today: date) -> Course:
    over = one.results_released_at is not None or one.stage_on(today) is Stage.FINISHED
    return Course(one.id, one.name, one.level, one.major, one.starts_on, over)


# ---- the institution of the later class, the own institution, the province


@transactional
async def accept(unit: UnitOfWork, change_id: str, review: Review) -> ClassChange:
    """The institution of the later class agrees; now the province decides. Raises NotFound for anybody else's, NotInThisState."""
    found = await _asked(unit, change_id)
    unit.audit("interruptions:accept", found.class_id, change=found.id)
    return await take(unit, rules.STEPS, found, Action.ACCEPT, review.comment, seen=review.seen)


@transactional
async def decline(unit: UnitOfWork, change_id: str, wanted: Return) -> ClassChange:
    """The institution of the later class does not agree; the request comes back. Raises as `accept`."""
    found = await _asked(unit, change_id)
    unit.audit("interruptions:decline", found.class_id, change=found.id, reason=wanted.reason)
    closed = {"open": False}
    return await take(
        unit, rules.STEPS, found, Action.DECLINE, wanted.reason, seen=wanted.seen, changes=closed
    )


async def _asked(unit: UnitOfWork, change_id: str) -> ClassChange:
    found = await change(unit, unit.actor, change_id)
    if found.later is None or found.later.institution_code != unit.actor.institution_code:
        raise NotFound("没有这件变更申请，或不由您单位答复。")
    return found


@transactional
async def withdraw(unit: UnitOfWork, change_id: str, review: Review) -> ClassChange:
    """The institution takes its request back while it waits, or after it came back. Raises NotInThisState."""
    found = await change(unit, unit.actor, change_id)
    if found.institution_code != unit.actor.institution_code:
        raise NotFound("没有这件变更申请，或不由您单位撤回。")
    unit.audit("interruptions:withdraw", found.class_id, change=found.id)
    closed = {"open": False}
    return await take(unit, rules.STEPS, found, Action.WITHDRAW, seen=review.seen, changes=closed)


@transactional
async def send_back(unit: UnitOfWork, change_id: str, wanted: Return) -> ClassChange:
    """The province returns a request with a reason. Raises NotInThisState, Overtaken."""
    found = await change(unit, unit.actor, change_id)
    unit.audit("interruptions:return", found.class_id, change=found.id, reason=wanted.reason)
    closed = {"open": False}
    return await take(
        unit, rules.STEPS, found, Action.RETURN, wanted.reason, seen=wanted.seen, changes=closed
    )


async def approve(platform: Platform, actor: Actor, change_id: str, review: Review) -> ClassChange:
    """The province approves, and it is carried out at once; everybody concerned is told.

    Raises NotInThisState, Overtaken, ResultsReleased, ClassEnded, CheckInUnderWay while somebody may be checking in, SessionInUse for a
    session that was held meanwhile, TeacherBusy, DatesClash, NoPlaceLeft, CannotBeRevoked, Invalid for days that have passed.
    """
    try:
        return await _approve(platform, actor, change_id, review)
    except DuplicateKeyError:
        raise Conflict(
            "有学员在这个班的课时已经计入另一个班，不能重复计入。请退回，由培训机构核对后重新申请。"
        ) from None


@transactional
async def _approve(unit: UnitOfWork, change_id: str, review: Review) -> ClassChange:
    found = await change(unit, unit.actor, change_id)
    changes = {"open": False, "moves": await carrying_out.moves_at_last(unit, found)}
    said = review.comment
    approved = await take(unit, rules.STEPS, found, Action.APPROVE, said, seen=review.seen, changes=changes)
    training_class = await classes.get_class(unit, unit.actor, found.class_id)
    match found.kind:
        case Kind.SUSPEND | Kind.POSTPONE:
            await carrying_out.rearrange(unit, training_class, approved)
        case Kind.TERMINATE:
            await carrying_out.terminate(unit, training_class, found.reason)
        case Kind.REVOKE:
            await revoking.carry_out(unit, training_class, found)
        case _:
            assert found.later is not None, "a transfer names its class"
            later = await later_class(unit, training_class, found.later.class_id, found.person_ids)
            await carrying_out.transfer(unit, training_class, later, found)
    unit.audit(
        CARRIED_OUT[found.kind],
        found.class_id,
        change=found.id,
        wanted=found.words,
        reason=found.reason,
    )
    return approved


# ---- calling off


@transactional
async def call_off(unit: UnitOfWork, class_id: str, wanted: CallOff) -> ClassChange:
    """Calls a class off before its first session (取消开班): its item of the plan is free again, nobody stays enrolled, applications and
    invitations are closed, everybody is told.

    Raises NameDiffers, ClassBegun, ResultsReleased, ClassEnded.
    """
    rules.STEPS.require_right(Action.CALL_OFF, unit.actor.roles)
    training_class = await _changeable(unit, class_id)
    rules.check_typed(wanted.typed, training_class.name)
    waits = await store.waiting_of(unit, class_id)
    if waits is not None:
        await take(unit, rules.STEPS, waits, Action.WITHDRAW, changes={"open": False})
    person_ids = await carrying_out.call_off(unit, training_class, wanted.reason)
    done = _new(
        unit,
        training_class,
        Kind.CALL_OFF,
        wanted,
        Action.CALL_OFF,
        person_ids=person_ids,
        state=State.DONE,
        open=False,
    )
    await store.insert(unit, done)
    unit.audit("interruptions:call-off", class_id, change=done.id, left=len(person_ids), reason=done.reason)
    return done


# ---- reading


async def change(scope: Scope, actor: Actor, change_id: str) -> ClassChange:
    """One that the actor may see. Raises NotFound."""
    found = await store.change(scope, actor, change_id)
    if found is None:
        raise NotFound("没有这件变更申请，或不在您的管理范围内。")
    return found


async def list_changes(
    platform: Platform, actor: Actor, narrowed: ChangeFilter, *, before: str | None = None, limit: int = 20
) -> list[ClassChange]:
    """What the actor may see, newest first."""
    return await store.changes(platform, actor, narrowed, before=before, limit=limit)


async def changes_of_class(platform: Platform, actor: Actor, class_id: str) -> ChangesOfClass:
    """For staff. Raises NotFound outside their jurisdiction."""
    training_class = await classes.get_class(platform, actor, class_id)
    changes = await store.of_class(platform, class_id)
    return ChangesOfClass(training_class, changes, await _offered(platform, training_class, changes))


async def _offered(
    platform: Platform, training_class: TrainingClass, changes: list[ClassChange]
) -> list[Kind]:
    if training_class.results_released_at is not None or any(one.open for one in changes):
        return []
    if training_class.condition.ended:
        return [Kind.TRANSFER] if training_class.condition is Condition.TERMINATED else []
    try:
        rules.check_not_begun(await _openings(platform, training_class.id), platform.clock.now())
    except rules.ClassBegun:
        return [Kind.SUSPEND, Kind.POSTPONE, Kind.TRANSFER, Kind.TERMINATE]
    return [Kind.SUSPEND, Kind.POSTPONE, Kind.CALL_OFF]


async def _openings(scope: Scope, class_id: str) -> list[datetime]:
    return [
        one.opens_at for one, _ in await timetable.all_sessions(scope, class_id) if one.cancelled_at is None
    ]


async def sessions_to_place(scope: Scope, actor: Actor, class_id: str) -> list[TeachingSession]:
    """The sessions of a class in the actor's jurisdiction that may be held at another time, those that were cancelled included."""
    await classes.get_class(scope, actor, class_id)
    return [one for one, used in await timetable.all_sessions(scope, class_id) if not used]
