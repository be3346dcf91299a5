"""Reminders: each is sent once, however often the job that sends it looks.

The mark commits with the message. Marks are forgotten after some time: by then nothing is left that could be reminded of.
"""

from __future__ import annotations

from collections.abc import Collection

from server.kernel.mongo import CollectionSpec, Index
from server.kernel.unit_of_work import Scope, UnitOfWork

KEPT_SECONDS = 400 * 24 * 3600

COLLECTIONS = (
    CollectionSpec(
        "reminders", shard_key="_id", indexes=(Index([("at", 1)], expire_after_seconds=KEPT_SECONDS),)
    ),
)


async def sent(scope: Scope, keys: Collection[str]) -> set[str]:
    """Those of these reminders that were sent."""
    rows = scope["reminders"].find({"_id": {"$in": list(keys)}}, {"_id": 1}, session=scope.session)
    return {row["_id"] async for row in rows}


async def mark(unit: UnitOfWork, key: str) -> bool:
    """Marks a reminder as sent, in the transaction that sends it; False when it was sent before."""
    if await sent(unit, [key]):
        return False
    await unit["reminders"].insert_one({"_id": key, "at": unit.now}, session=unit.session)
    return True
