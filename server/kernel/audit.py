"""The audit trail (留痕): entries commit with their transaction; a sealer links them into a hash chain afterwards.

The chain does not queue anybody: no transaction touches its head. A sealed entry carries its position, the hash of the
one before and its own: SHA-256 over both and over what it says. Changing, removing or reordering a sealed entry shows.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from operator import itemgetter
from typing import Any

import orjson
from pymongo import UpdateOne

from server.kernel import leases
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.platform import Platform

COLLECTIONS = (
    CollectionSpec(
        "audit",
        shard_key="_id",
        indexes=(
            Index([("sealed", 1), ("_id", 1)], partial={"sealed": False}),
            Index([("position", -1)], partial={"sealed": True}),
            Index([("subject", 1), ("_id", -1)]),
            Index([("actor_id", 1), ("_id", -1)]),
        ),
    ),
)

GENESIS = "0" * 64
_SAID = (
    "_id",
    "at",
    "actor_id",
    "actor_name",
    "actor_kind",
    "province_code",
    "institution_code",
    "action",
    "subject",
    "facts",
)
BATCH = 1_000


def entry_hash(entry: dict[str, Any], position: int, previous: str) -> str:
    """SHA-256, hexadecimal, over position, previous hash and what the entry says, in canonical JSON."""
    said = {name: entry[name] for name in _SAID}
    content = orjson.dumps([position, previous, said], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(content).hexdigest()


async def seal(platform: Platform) -> int:
    """Links entries that are not in the chain yet, oldest first; returns how many. Runs under a lease."""
    if not await leases.hold(platform, "audit-sealer", timedelta(seconds=30)):
        return 0
    audit = platform["audit"]
    waiting = await audit.find({"sealed": False}).sort("_id", 1).limit(BATCH).to_list(None)
    if not waiting:
        return 0
    head = await audit.find_one({"sealed": True}, sort=[("position", -1)])
    position, previous = (head["position"], head["hash"]) if head else (0, GENESIS)
    links = []
    for entry in waiting:
        position += 1
        own = entry_hash(entry, position, previous)
        links.append(
            UpdateOne(
                {"_id": entry["_id"], "sealed": False},
                {"$set": {"sealed": True, "position": position, "previous": previous, "hash": own}},
            )
        )
        previous = own
    await audit.bulk_write(links, ordered=True)
    return len(links)


async def first_broken(platform: Platform) -> int | None:
    """The position of the first entry that does not fit the chain; None when the chain is whole."""
    position, previous = 0, GENESIS
    async for entry in platform["audit"].find({"sealed": True}).sort("position", 1):
        position += 1
        if (
            entry["position"] != position
            or entry["previous"] != previous
            or entry["hash"] != entry_hash(entry, position, previous)
        ):
            return position
        previous = entry["hash"]
    return None


async def recent(platform: Platform, *, before: str | None, limit: int) -> list[dict[str, Any]]:
    """Entries, newest first, older than the id `before`."""
    query = {"_id": {"$lt": before}} if before else {}
    return await platform["audit"].find(query).sort("_id", -1).limit(limit).to_list(None)


async def total(platform: Platform, subject: str, action: str, fact: str) -> int:
    """The sum of a fact over all entries of one action about one document."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"subject": subject, "action": action}},
        {"$group": {"_id": None, "total": {"$sum": f"$facts.{fact}"}}},
    ]
    groups = await platform["audit"].aggregate(pipeline).to_list(None)
    return int(groups[0]["total"]) if groups else 0


async def of_subject(platform: Platform, subject: str, *, limit: int = 100) -> list[dict[str, Any]]:
    """What was done to one document, newest first. The caller has established that its reader may see the document."""
    found = await platform["audit"].find({"subject": subject}).sort("_id", -1).limit(limit).to_list(None)
    return sorted(
        found, key=itemgetter("at"), reverse=True
    )  # a demonstration notes things as of days that have passed
