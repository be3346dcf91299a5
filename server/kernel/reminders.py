"""Reminders: each is sent once, however often the job that sends it looks.

The mark commits with the message. Marks are forgotten after some time: by then nothing is left that could be reminded of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

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


async def told(scope: Scope, keys: Collection[str]) -> dict[str, set[str]]:
    """Whom each of these announcements has reached; one that nobody has is left out."""
    rows = scope["reminders"].find({"_id": {"$in": list(keys)}}, session=scope.session)
    return {row["_id"]: set(row.get("people", ())) async for row in rows}


async def tell_once(unit: UnitOfWork, key: str, people: Collection[str]) -> list[str]:
    """Those of these people whom the announcement has not reached before; from now on it has, in the transaction that sends it."""
    before = (await told(unit, [key])).get(key, set())
    new = [one for one in people if one not in before]
    if new:
        await unit["reminders"].update_one(
            {"_id": key},
            {"$addToSet": {"people": {"$each": new}}, "$setOnInsert": {"at": unit.now}},
            upsert=True,
            session=unit.session,
        )
    return new


async def mark_new(unit: UnitOfWork, keys: Sequence[str]) -> list[str]:
    """Marks these reminders as sent, in the transaction that sends them; returns those that were not sent before."""
    before = await sent(unit, keys)
    new = [one for one in keys if one not in before]
    if new:
        rows = [{"_id": one, "at": unit.now} for one in new]
        await unit["reminders"].insert_many(rows, session=unit.session)
    return new


async def mark(unit: UnitOfWork, key: str) -> bool:
    """Marks a reminder as sent, in the transaction that sends it; False when it was sent before."""
    if await sent(unit, [key]):
        return False
    await unit["reminders"].insert_one({"_id": key, "at": unit.now}, session=unit.session)
    return True
