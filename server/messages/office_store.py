"""Queries over the messages of offices, and how far each account has read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.kernel.mongo import CollectionSpec, Document, Index, Row
from server.kernel.office_messages import OfficeMessage
from server.kernel.offices import Topic
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "office_messages",
        shard_key="to",
        indexes=(
            Index([("to", 1), ("_id", -1)]),
            Index([("to", 1), ("topic", 1), ("_id", -1)]),
            Index([("at", 1)]),
        ),
    ),
    CollectionSpec("inbox_marks", shard_key="_id"),
)


class InboxMark(Document):
    """How far an account (`id`) has read: everything up to this message. Who has none began with the account itself."""

    up_to: str


def unread_of(boxes: Sequence[str], account_id: str, up_to: str) -> Row:
    return {"to": {"$in": list(boxes)}, "_id": {"$gt": up_to}, "read_by": {"$ne": account_id}}


async def mark(scope: Scope, account_id: str) -> str:
    row = await scope["inbox_marks"].find_one({"_id": account_id}, session=scope.session)
    return row["up_to"] if row else account_id


async def count_unread(scope: Scope, boxes: Sequence[str], account_id: str, most: int) -> int:
    condition = unread_of(boxes, account_id, await mark(scope, account_id))
    return await scope["office_messages"].count_documents(condition, session=scope.session, limit=most)


async def messages(
    scope: Scope, condition: Row, *, topic: Topic | None = None, before: str | None = None, limit: int
) -> list[OfficeMessage]:
    """Newest first."""
    narrowed = [
        condition,
        *([{"topic": topic}] if topic else []),
        *([{"_id": {"$lt": before}}] if before else []),
    ]
    rows = scope["office_messages"].find({"$and": narrowed}, session=scope.session).sort("_id", -1)
    return [OfficeMessage.from_mongo(row) async for row in rows.limit(limit)]


async def read(scope: Scope, boxes: Sequence[str], account_id: str, message_id: str) -> OfficeMessage | None:
    """Marks this one as read by the account; None when it is in none of the boxes."""
    row: Row | None = await scope["office_messages"].find_one_and_update(
        {"_id": message_id, "to": {"$in": list(boxes)}},
        {"$addToSet": {"read_by": account_id}},
        session=scope.session,
        return_document=True,
    )
    return None if row is None else OfficeMessage.from_mongo(row)


async def read_up_to(scope: Scope, account_id: str, up_to: str) -> None:
    """Moves the mark on, never back."""
    await scope["inbox_marks"].update_one(
        {"_id": account_id}, {"$max": {"up_to": up_to}}, upsert=True, session=scope.session
    )


async def delete_before(scope: Scope, moment: datetime, limit: int) -> int:
    """Removes messages from before that moment, at most `limit`; returns how many."""
    old = scope["office_messages"].find({"at": {"$lt": moment}}, {"_id": 1}, session=scope.session)
    ids = [row["_id"] async for row in old.limit(limit)]
    if ids:
        await scope["office_messages"].delete_many({"_id": {"$in": ids}}, session=scope.session)
    return len(ids)
