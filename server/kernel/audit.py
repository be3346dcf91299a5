"""The audit trail (留痕): entries commit with their transaction; a sealer links them into a chain afterwards (chain.py)."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from server.kernel.mongo import CollectionSpec, Index
from server.kernel.platform import Platform

COLLECTIONS = (
    CollectionSpec(
        "audit",
        shard_key=None,  # one chain has one order: its positions are unique, so it stays whole
        indexes=(
            Index([("sealed", 1), ("_id", 1)], partial={"sealed": False}),
            Index([("position", 1)], unique=True, partial={"sealed": True}),
            Index([("subject", 1), ("_id", -1)]),
            Index([("actor_id", 1), ("_id", -1)]),
        ),
    ),
)


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
