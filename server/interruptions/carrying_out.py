"""What a decision does to the class, its sessions, its people and its teachers. Parts of the use cases of `service`."""

from __future__ import annotations

from server.admissions import places
from server.applications import service as applications
from server.applications.rules import Action as ApplicationAction
from server.attendance import added, timetable
from server.attendance import service as attendance
from server.classes import enrolment, interrupted
from server.classes import service as classes
from server.classes.documents import Enrolment, Suspension, TrainingClass
from server.interruptions import rules
from server.interruptions.documents import ClassChange, Move
from server.interruptions.rules import Kind
from server.invitations import service as invitations
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.schemes import ways_back as schemes
from server.selection import training
from server.surveys import opening as survey_opening


async def moves_at_last(scope: Scope, change: ClassChange) -> list[Move]:
    """What an approval moves and drops: also what was added to the days of a suspension since it was asked for."""
    if change.kind is not Kind.SUSPEND or change.suspended_from is None or change.suspended_until is None:
        return change.moves
    known = {one.session_id for one in change.moves}
    there = {one.id: one for one, used in await timetable.all_sessions(scope, change.class_id) if not used}
    placed = (
        rules.Placed(one.id, one.title, one.starts_at, False, one.cancelled_at is not None)
        for one in there.values()
    )
    hit = rules.inside(placed, change.suspended_from, change.suspended_until)
    return [*change.moves, *(Move.of(there[one.id], None) for one in hit if one.id not in known)]


async def rearrange(unit: UnitOfWork, training_class: TrainingClass, change: ClassChange) -> None:
    """暂停 and 延期: the new days, the sessions moved or cancelled, and everybody told."""
    assert change.starts_on is not None and change.ends_on is not None, "both kinds name the days"
    suspension = None
    if change.suspended_from and change.suspended_until:
        suspension = Suspension(
            first=change.suspended_from, last=change.suspended_until, reason=change.reason
        )
    changed = await interrupted.postpone(unit, training_class, change.starts_on, change.ends_on, suspension)
    moves = {one.session_id: one.after for one in change.moves if one.after}
    cancelled = {one.session_id for one in change.moves if not one.after}
    await timetable.rearrange(unit, changed, moves, cancelled)
    await survey_opening.keep_open(unit, changed.id)
    await invitations.follow_class(unit, changed)
    said = {
        "class_id": changed.id,
        "class_name": changed.name,
        "ends_on": changed.ends_on.isoformat(),
        "reason": change.reason,
    }
    for one in await classes.trainees(unit, changed.id):
        if suspension:
            days = {"starts_on": suspension.first.isoformat(), "until": suspension.last.isoformat()}
            unit.notify(one.person_id, "class-suspended", **said, **days)
        else:
            unit.notify(one.person_id, "class-postponed", **said, starts_on=changed.starts_on.isoformat())


async def terminate(unit: UnitOfWork, training_class: TrainingClass, reason: str) -> TrainingClass:
    """终止培训: what was held stays, nothing follows; the item of the plan is free again, and everybody is told."""
    await timetable.drop_unheld(unit, training_class.id)
    ended = await interrupted.terminate(unit, training_class, reason)
    await applications.give_up(unit, training_class, ApplicationAction.TERMINATE, reason)
    await places.close_all(unit, training_class.id, reason)
    await schemes.close(unit, training_class.id, reason)
    await invitations.close_all(unit, ended, reason, accepted=False)
    people = [one.person_id for one in await classes.trainees(unit, training_class.id)]
    for person_id in [*people, *(one.person_id for one in training_class.teachers)]:
        unit.notify(person_id, "class-terminated", **_news(ended), reason=reason)
    return ended


async def call_off(unit: UnitOfWork, training_class: TrainingClass, reason: str) -> list[str]:
    """取消开班: as if there had been no class, but for its record. Returns who was enrolled. Raises ClassBegun."""
    sessions = [one for one, _ in await timetable.all_sessions(unit, training_class.id)]
    rules.check_not_begun((one.opens_at for one in sessions if one.cancelled_at is None), unit.now)
    await timetable.drop_unheld(unit, training_class.id)
    await applications.give_up(unit, training_class, ApplicationAction.CALL_OFF, reason)
    await places.close_all(unit, training_class.id, reason, admitted=True)
    await schemes.close(unit, training_class.id, reason)
    await training.leave_all(unit, training_class.id, reason)
    await invitations.close_all(unit, training_class, reason, accepted=True)
    enrolled = await interrupted.call_off(unit, training_class, reason)
    for one in enrolled:
        unit.notify(one.person_id, "class-called-off", **_news(training_class), reason=reason)
    return [one.person_id for one in enrolled]


async def transfer(
    unit: UnitOfWork, held_in: TrainingClass, counts_in: TrainingClass, change: ClassChange
) -> None:
    """转班补学: the class ends, if it has not; its people are enrolled in the later class, and what each held here counts there."""
    if not held_in.condition.ended:
        held_in = await terminate(unit, held_in, f"转班补学：{change.reason}")
    await classes.exclude_release(unit, counts_in)
    wanted = set(change.person_ids)
    moving = [one for one in await classes.trainees(unit, held_in.id) if one.person_id in wanted]
    there = {one.person_id for one in await classes.trainees(unit, counts_in.id)}
    newcomers = [_enrolment(unit, counts_in, one) for one in moving if one.person_id not in there]
    if newcomers:
        await enrolment.enrol(unit, counts_in, newcomers)
    held = await attendance.hours_of_class(unit, held_in)
    hours = {one.person_id: held.attended.get(one.person_id, 0) for one in moving}
    counted = await added.credit(unit, held_in, counts_in, hours)
    for one in moving:
        unit.notify(
            one.person_id,
            "class-transferred",
            class_id=counts_in.id,
            class_name=held_in.name,
            title=counts_in.name,
            hours=str(counted[one.person_id]),
            starts_on=counts_in.starts_on.isoformat(),
            ends_on=counts_in.ends_on.isoformat(),
            place=counts_in.place,
        )


def _enrolment(unit: UnitOfWork, training_class: TrainingClass, known: Enrolment) -> Enrolment:
    said = known.model_dump(
        include={"person_id", "name", "id_number_masked", "work_unit", "post", "major_taught"}
    )
    return Enrolment(
        **said,
        class_id=training_class.id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        enrolled_at=unit.now,
        arrival_required=training_class.arrival_required,
    )


def _news(training_class: TrainingClass) -> dict[str, str]:
    return {
        "class_id": training_class.id,
        "class_name": training_class.name,
        "starts_on": training_class.starts_on.isoformat(),
        "ends_on": training_class.ends_on.isoformat(),
        "institution": training_class.institution_name,
    }
