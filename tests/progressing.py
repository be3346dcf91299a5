"""What comes next for a class, as a test asks for it."""

from __future__ import annotations

from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.progress import service as progress
from server.progress.rules import Step


async def steps(platform: Platform, actor: Actor, class_id: str) -> dict[str, Step]:
    """By key; nothing for whoever does not have this class in their list."""
    rows = await classes.list_classes(platform, actor, ClassFilter(), limit=100)
    for row in rows:
        if row.item.id == class_id:
            return {one.key: one for one in await progress.steps_of_class(platform, actor, row.item)}
    return {}
