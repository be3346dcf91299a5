"""Who comes into the class and leaves it."""

from __future__ import annotations

from server.admissions import roster
from server.admissions.roster import Entry, Leaving, Reason
from server.classes import service as classes
from server.kernel.clock import beijing_date
from tests.life.story import WHY, Life, Move, act


@act("institution")
async def add_somebody(life: Life, move: Move) -> None:
    person = move.one_of(life.newcomers)
    said = {"name": person.name, "id_number": person.id_number, "work_unit": person.unit}
    await roster.add(life.platform, move.actor, move.held.id, Entry.model_validate(said))


@act("institution")
async def remove_somebody(life: Life, move: Move) -> None:
    one = move.one_of(await classes.trainees(life.platform, move.held.id))
    await roster.remove(life.platform, move.actor, move.held.id, one.person_id, Reason(reason=WHY))


@act("institution")
async def let_somebody_leave(life: Life, move: Move) -> None:
    one = move.one_of(await classes.trainees(life.platform, move.held.id))
    wanted = Leaving(reason=WHY, left_on=beijing_date(life.now))
    await roster.leave(life.platform, move.actor, move.held.id, one.person_id, wanted)


@act("institution")
async def take_somebody_back(life: Life, move: Move) -> None:
    person_id = life.phones[move.dice % 3].actor.person_id
    await roster.come_back(life.platform, move.actor, move.held.id, person_id, Reason(reason=WHY))
