"""Sessions, who scans and who is registered by hand, and the work of the class."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from server.attendance import rolls, timetable
from server.attendance.check_in import Scan
from server.attendance.documents import TeachingSession
from server.attendance.rolls import LateRegistration
from server.kernel.clock import BEIJING
from server.kernel.errors import Problem
from server.kernel.mongo import new_id
from tests import stage
from tests.life.story import (
    DAY,
    HOURS,
    LENGTH,
    WHY,
    Life,
    Move,
    NothingToDo,
    act,
    add_session,
    hand_in_and_grade,
)

SETTLED = timedelta(minutes=2)
"""So long after a session nobody is checking in to it any more."""


@act("trainee")
async def begin_a_session(life: Life, move: Move) -> None:
    """The next session begins, and some of its people scan."""
    to_come = [one for one in await life.sessions(move.held) if one.starts_at > life.now]
    if not to_come:
        raise NothingToDo
    life.wait_until(to_come[0].starts_at)
    await scan(life, to_come[0], move.dice)


@act("trainee")
async def hold_a_session(life: Life, move: Move) -> None:
    """The next session is lived through."""
    await begin_a_session(life, move)
    await let_it_end(life, move)


@act("trainee")
async def hold_all_sessions(life: Life, move: Move) -> None:
    """Everybody scans in every session that is still to come."""
    everybody = Move(move.actor, move.held, dice=0)
    while any(one.starts_at > life.now for one in await life.sessions(move.held)):
        await hold_a_session(life, everybody)


@act("trainee")
async def let_it_end(life: Life, move: Move) -> None:
    """What is under way ends."""
    running = [one for one in await life.sessions(move.held) if one.starts_at <= life.now <= one.ends_at]
    for one in running:
        life.wait_until(one.ends_at + SETTLED)


@act("trainee")
async def scan_late(life: Life, move: Move) -> None:
    """Somebody scans whatever code the screen of any session shows now."""
    await scan(life, move.one_of(await life.sessions(move.held)), move.dice)


async def scan(life: Life, session: TeachingSession, dice: int) -> None:
    """The phones whose bit of the dice is not set; whoever is refused is refused."""
    for number, phone in enumerate(life.phones):
        if not dice >> number & 1:
            code = stage.code_of(life.platform, session)
            try:
                await life.desk.check_in(phone.actor, Scan(code, new_id()))
            except Problem:
                continue


@act("institution")
async def go_to_the_last_day(life: Life, move: Move) -> None:
    ends_on = (await life.present(move.held)).ends_on
    life.wait_until(datetime.combine(ends_on, time(12), BEIJING))


@act("teacher")
async def work(life: Life, move: Move) -> None:
    await hand_in_and_grade(life.platform, move.held, life.phones)


@act("teacher")
async def register_by_hand(life: Life, move: Move) -> None:
    session = move.one_of(await life.sessions(move.held))
    wanted = LateRegistration(person_id=life.phones[move.dice % 3].actor.person_id, reason=WHY)
    if move.actor.kind == "person":
        await rolls.register_late_as_teacher(life.platform, move.actor, session.id, wanted)
    else:
        await rolls.register_late(life.platform, move.actor, move.held.id, session.id, wanted)


@act("institution")
async def add_another_session(life: Life, move: Move) -> None:
    first = (await life.present(move.held)).starts_on
    await add_session(life.platform, move.held, first + move.dice % 14 * DAY, move.actor)


@act("institution")
async def move_a_session(life: Life, move: Move) -> None:
    session = move.one_of(await life.sessions(move.held))
    starts_at = session.starts_at + (1 + move.dice % 5) * DAY
    draft = stage.session_draft(
        title=session.title, starts_at=starts_at, ends_at=starts_at + LENGTH, hours=HOURS
    )
    await timetable.change_session(life.platform, move.actor, move.held.id, session.id, draft)


@act("institution")
async def cancel_a_session(life: Life, move: Move) -> None:
    session = move.one_of(await life.sessions(move.held))
    await timetable.cancel_session(life.platform, move.actor, move.held.id, session.id, WHY)
