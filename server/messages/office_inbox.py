"""What the platform tells members of staff: the messages of their office, and those for one account, read by each for themselves.

Reading is no act: it leaves a mark and nothing in the trail (server/decisions/0034).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.kernel import offices
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.office_messages import OfficeMessage
from server.kernel.offices import Topic
from server.kernel.platform import Platform
from server.kernel.waiting import NEWS_FOR, News
from server.messages import office_store as store

COUNTED_MOST = 100
"""A badge says 99+ of more."""
NEWS_MOST = 20


@dataclass(frozen=True)
class InboxFilter:
    topic: Topic | None = None
    unread: bool = False


@dataclass(frozen=True)
class Line:
    """A message as one member of staff reads it."""

    id: str
    topic: Topic
    words: str
    href: str
    at: datetime
    by: str
    read: bool


def boxes(actor: Actor) -> tuple[str, ...]:
    """Whose messages an actor reads: the office's, and the own ones."""
    return (actor.office, offices.account(actor.id)) if actor.kind == "account" else ()


async def unread(platform: Platform, actor: Actor) -> int:
    """How many messages the actor has not read, counted to 100; of who is no member of staff, none."""
    mine = boxes(actor)
    return await store.count_unread(platform, mine, actor.id, COUNTED_MOST) if mine else 0


async def inbox(
    platform: Platform, actor: Actor, narrowed: InboxFilter, *, before: str | None = None, limit: int
) -> list[Line]:
    """Newest first."""
    mine, up_to = boxes(actor), await store.mark(platform, actor.id)
    condition = store.unread_of(mine, actor.id, up_to) if narrowed.unread else {"to": {"$in": list(mine)}}
    found = await store.messages(platform, condition, topic=narrowed.topic, before=before, limit=limit)
    return [_line(one, actor, up_to) for one in found]


def _line(one: OfficeMessage, actor: Actor, up_to: str) -> Line:
    read = one.id <= up_to or actor.id in one.read_by
    return Line(one.id, one.topic, one.words, one.href, one.at, one.by, read)


async def read_one(platform: Platform, actor: Actor, message_id: str) -> str:
    """Marks a message as read by the actor, and nobody else; returns where it leads. Raises NotFound for somebody else's."""
    found = await store.read(platform, boxes(actor), actor.id, message_id)
    if found is None:
        raise NotFound("没有这条消息。")
    return found.href


async def read_all(platform: Platform, actor: Actor, up_to: str) -> None:
    """Marks everything up to this message as read by the actor; what came later stays unread. Raises NotFound for somebody else's."""
    await read_one(platform, actor, up_to)
    await store.read_up_to(platform, actor.id, up_to)


async def news(platform: Platform, actor: Actor) -> list[News]:
    """What was decided lately of what the actor's office had asked for (近期审核结果); what was returned waits for it and is no news."""
    decided = {"to": actor.office, "at": {"$gt": platform.clock.now() - NEWS_FOR}}
    found = await store.messages(platform, decided, topic=Topic.DECIDED, limit=NEWS_MOST)
    return [News(one.words, one.href, one.at) for one in found]
