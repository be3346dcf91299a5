"""An approved change of which nothing has happened yet is undone (撤销变更): asked for and approved like the change itself.

Parts of the use cases of `service`. Its sessions go back to where the change found them; what was held meanwhile stays held, and then
nothing is undone.
"""

from __future__ import annotations

from server.attendance import service as attendance
from server.attendance import timetable
from server.classes import interrupted
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.interruptions import rules, store
from server.interruptions.documents import ClassChange, Move
from server.interruptions.rules import Action, Days, InForce, Kind, State
from server.invitations import service as invitations
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.reviewed import take
from server.kernel.unit_of_work import Scope, UnitOfWork


async def check(scope: Scope, training_class: TrainingClass, change: ClassChange) -> None:
    """Raises NotInThisState unless it is approved, CannotBeRevoked where something of it has happened, or something else after it."""
    if not rules.STEPS.has(change.state, Action.REVOKE):
        raise rules.STEPS.not_now(change.state, Action.REVOKE)
    approved = [one for one in await store.of_class(scope, training_class.id) if one.state is State.APPROVED]
    in_the_way = [one.id for one in approved if one.kind is not Kind.REVOKE]
    suspended = tuple((one.first, one.last) for one in training_class.suspensions)
    rules.check_revocable(
        InForce(
            kind=change.kind,
            before=change.before,
            after=(change.starts_on, change.ends_on),
            suspended_from=change.suspended_from,
            newest=in_the_way[:1] == [change.id],
        ),
        Days(training_class.starts_on, training_class.ends_on, suspended),
        beijing_date(scope.platform.clock.now()),
    )


async def moves_back(scope: Scope, change: ClassChange) -> list[Move]:
    """Each session that the change moved or dropped, to where it was. Raises CannotBeRevoked where one was held or moved since."""
    there = {one.id: (one, used) for one, used in await timetable.all_sessions(scope, change.class_id)}
    now = scope.platform.clock.now()
    back = []
    for move in change.moves:
        session, used = there[move.session_id]
        dropped = move.after is None
        if (
            used
            or dropped != (session.cancelled_at is not None)
            or session.starts_at != (move.after or move.before)
        ):
            raise rules.CannotBeRevoked(f"“{session.title}”已有签到，或此后又有调整，不能恢复原来的安排。")
        if session.starts_at <= now or (move.before <= now and not move.was_cancelled):
            raise rules.CannotBeRevoked(f"“{session.title}”的时间已过，不能恢复原来的安排。")
        back.append(Move.of(session, None if move.was_cancelled else move.before))
    return back


async def carry_out(unit: UnitOfWork, training_class: TrainingClass, wanted: ClassChange) -> None:
    """The days, the sessions and the letters of the teachers are as before the change, and everybody is told.

    Raises what `check`, `moves_back` and a 延期 raise.
    """
    assert wanted.revokes is not None and wanted.starts_on is not None and wanted.ends_on is not None
    revoked = next(
        (one for one in await store.of_class(unit, training_class.id) if one.id == wanted.revokes), None
    )
    if revoked is None:
        raise NotFound("没有要撤销的变更。")
    await check(unit, training_class, revoked)
    back = await moves_back(unit, revoked)
    await take(unit, rules.STEPS, revoked, Action.REVOKE, wanted.reason)
    changed = await interrupted.take_back(
        unit, training_class, wanted.starts_on, wanted.ends_on, revoked.suspended_from
    )
    moves = {one.session_id: one.after for one in back if one.after}
    await timetable.rearrange(unit, changed, moves, {one.session_id for one in back if not one.after})
    if await attendance.sessions_outside(unit, changed.id, changed.starts_on, changed.ends_on):
        raise rules.CannotBeRevoked("有后来安排的课次在恢复后的日期以外。请退回，由培训机构先调整这些课次。")
    await invitations.follow_class(unit, changed)
    for one in await classes.trainees(unit, changed.id):
        unit.notify(
            one.person_id,
            "class-change-revoked",
            class_id=changed.id,
            class_name=changed.name,
            changes=revoked.kind.label,
            starts_on=changed.starts_on.isoformat(),
            ends_on=changed.ends_on.isoformat(),
            reason=wanted.reason,
        )
