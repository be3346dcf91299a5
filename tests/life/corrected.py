"""Check-ins that are changed afterwards."""

from __future__ import annotations

from server.attendance import changes
from server.attendance.changes import CheckInChange
from server.attendance.rules import Status
from tests.life.story import WHY, Life, Move, act


@act("institution")
async def change_a_check_in(life: Life, move: Move) -> None:
    session = move.one_of(await life.sessions(move.held))
    person_id = life.phones[move.dice // 3 % 3].actor.person_id
    status = [Status.VOID, Status.PRESENT, Status.VOID, Status.LATE][move.dice % 4]
    wanted = CheckInChange(person_id=person_id, status=status, reason=f"{WHY}{move.dice}")
    by_phone = move.actor.kind == "person"
    class_id = None if by_phone else move.held.id
    await changes.change_check_in(life.platform, move.actor, class_id, session.id, wanted)
