"""What befalls a class: suspended, put off, moved to another, ended, called off; and hours made up."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from server.attendance import added
from server.attendance.added import MakeUp, Voiding
from server.classes import service as classes
from server.interruptions import service as interruptions
from server.interruptions.documents import ClassChange
from server.interruptions.requests import CallOff, Postponement, Suspension, Termination, Transfer
from server.interruptions.rules import Ground
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.reviews import Review
from tests import cast
from tests.life.story import DAY, OWED, WHY, Life, Move, NothingToDo, act

TYPHOON: dict[str, Any] = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


@act("institution")
async def ask_to_suspend(life: Life, move: Move) -> None:
    present = await life.present(move.held)
    first = beijing_date(life.now) + move.dice % 3 * DAY
    said = {"first": first, "last": first + DAY, "ends_on": present.ends_on + move.dice % 4 * DAY}
    wanted = Suspension.model_validate(TYPHOON | said)
    await interruptions.suspend(life.platform, move.actor, move.held.id, wanted)


@act("institution")
async def ask_to_postpone(life: Life, move: Move) -> None:
    """With one session, of those that were cancelled too, on a day after the planned last."""
    present = await life.present(move.held)
    ends_on = present.ends_on + (2 + move.dice % 4) * DAY
    placeable = await interruptions.sessions_to_place(life.platform, life.people["institution"], move.held.id)
    session = move.one_of(placeable)
    moves = {session.id: datetime.combine(ends_on, time(9), BEIJING)}
    said = {"starts_on": present.starts_on, "ends_on": ends_on, "moves": moves}
    wanted = Postponement.model_validate(TYPHOON | said)
    await interruptions.postpone(life.platform, move.actor, move.held.id, wanted)


@act("institution")
async def ask_to_transfer(life: Life, move: Move) -> None:
    march, april = life.classes
    chosen = [
        one.person_id
        for number, one in enumerate(await classes.trainees(life.platform, march.id))
        if not move.dice >> number & 1
    ]
    if not chosen:
        raise NothingToDo
    wanted = Transfer.model_validate(TYPHOON | {"class_id": april.id, "person_ids": chosen})
    await interruptions.transfer(life.platform, move.actor, march.id, wanted)


@act("institution")
async def ask_to_terminate(life: Life, move: Move) -> None:
    wanted = Termination.model_validate(TYPHOON)
    await interruptions.terminate(life.platform, move.actor, move.held.id, wanted)


@act("province")
async def approve_the_change(life: Life, move: Move) -> None:
    found = await waiting_change(life, move)
    await interruptions.approve(life.platform, move.actor, found.id, Review(seen=len(found.history)))


@act("institution")
async def withdraw_the_change(life: Life, move: Move) -> None:
    found = await waiting_change(life, move)
    await interruptions.withdraw(life.platform, move.actor, found.id, Review(seen=len(found.history)))


async def waiting_change(life: Life, move: Move) -> ClassChange:
    seen = await interruptions.changes_of_class(life.platform, life.people["institution"], move.held.id)
    return move.one_of([one for one in seen.changes if one.open])


@act("institution")
async def call_off(life: Life, move: Move) -> None:
    name = (await life.present(move.held)).name
    wanted = CallOff(ground=Ground.ENROLMENT, reason="报名人数不足，不再举办。", typed=name)
    await interruptions.call_off(life.platform, move.actor, move.held.id, wanted)


@act("institution")
async def make_up(life: Life, move: Move) -> None:
    wanted = MakeUp(
        person_id=life.phones[move.dice % 3].actor.person_id,
        hours=1 + move.dice % OWED,
        held_on=beijing_date(life.now),
        taught=WHY,
        taught_by=cast.BACKBONE_TEACHER.name,
    )
    await added.make_up(life.platform, move.actor, move.held.id, wanted)


@act("institution")
async def void_what_was_made_up(life: Life, move: Move) -> None:
    there = await added.of_class(life.platform, life.people["institution"], move.held.id)
    await added.void(life.platform, move.actor, move.held.id, move.one_of(there).id, Voiding(reason=WHY))
