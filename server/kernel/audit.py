"""The audit trail (留痕): entries commit with their transaction; a sealer links them into a chain afterwards (chain.py)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import orjson

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


SAID = (
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


def under_key(platform: Platform, *content: Any) -> str:
    """HMAC-SHA-256, hexadecimal, over canonical JSON, under the key of the trail, which is not in the database."""
    said = orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hmac.digest(platform.settings.trail_secret.get_secret_value().encode(), said, "sha256").hex()


def said(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says, its moment as the database keeps it, to the millisecond. Raises KeyError for one that lacks something."""
    whole = {name: entry[name] for name in SAID}
    at = entry["at"]
    return whole | {"at": at.replace(microsecond=at.microsecond // 1000 * 1000)}


def mark_of(platform: Platform, entry: Mapping[str, Any]) -> str:
    """Written with the entry: what somebody else puts into the collection has none, also before it is in the chain."""
    return under_key(platform, "entry", said(entry))


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
