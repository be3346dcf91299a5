"""Released results that are opened again."""

from __future__ import annotations

from server.kernel.reviews import Return, Review
from server.reopenings import service as reopenings
from server.reopenings.documents import Reopening
from server.reopenings.service import Asked
from tests.life.story import WHY, Life, Move, NothingToDo, act


@act("institution")
async def ask_to_reopen(life: Life, move: Move) -> None:
    await reopenings.request(life.platform, move.actor, move.held.id, Asked(reason=WHY))


@act("province")
async def reopen(life: Life, move: Move) -> None:
    found = await asked_to_reopen(life, move)
    await reopenings.approve(life.platform, move.actor, found.id, Review(seen=len(found.history)))


@act("province")
async def decline_to_reopen(life: Life, move: Move) -> None:
    found = await asked_to_reopen(life, move)
    wanted = Return(seen=len(found.history), reason=WHY)
    await reopenings.decline(life.platform, move.actor, found.id, wanted)


async def asked_to_reopen(life: Life, move: Move) -> Reopening:
    found = await reopenings.latest_of(life.platform, life.people["institution"], move.held.id)
    if found is None:
        raise NothingToDo
    return found
