"""What comes next for a class, as a test asks for it."""

from __future__ import annotations

from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviewed import Reviewed
from server.kernel.waiting import Waiting
from server.progress import service as progress
from server.progress.known import Step
from server.progress.turns import in_turn


async def steps(platform: Platform, actor: Actor, class_id: str) -> dict[str, Step]:
    """By key; nothing for whoever does not have this class in their list."""
    rows = await classes.list_classes(platform, actor, ClassFilter(), limit=100)
    for row in rows:
        if row.item.id == class_id:
            return {one.key: one for one in await progress.steps_of_class(platform, actor, row.item)}
    return {}


async def waits(platform: Platform, actor: Actor, kind: type[Reviewed]) -> list[Waiting]:
    """What of this kind waits for the actor's own office."""
    today = beijing_date(platform.clock.now())
    in_force = await policies.on(platform, today)
    shares = [(one, each) for one in in_turn(today) if one.kind is kind for each in one.shares(actor)]
    found = [
        await one.within(platform, actor, 10, in_force, today, each) for one, (own, each) in shares if own
    ]
    return [one for one in found if one]
