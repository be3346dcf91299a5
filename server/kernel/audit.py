"""The audit trail (留痕): entries commit with their transaction; a sealer links them into a chain afterwards (chain.py)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any

import orjson

from server.kernel.clock import BEIJING, SystemClock
from server.kernel.mongo import CollectionSpec, Index, Row, by_age, first_id
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
            Index([("actor_name", 1), ("_id", -1)]),
            Index([("action", 1), ("_id", -1)]),
            Index([("facts.class_id", 1), ("_id", -1)], partial={"facts.class_id": {"$exists": True}}),
            Index([("facts.person_id", 1), ("_id", -1)], partial={"facts.person_id": {"$exists": True}}),
            Index(
                [("facts.on_behalf_of", 1), ("_id", -1)], partial={"facts.on_behalf_of": {"$exists": True}}
            ),
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


MARKED = "entry"


def under_key(platform: Platform, *content: Any) -> str:
    """HMAC-SHA-256, hexadecimal, over canonical JSON, under the key of the trail, which is not in the database."""
    said = orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hmac.digest(platform.settings.trail_secret.get_secret_value().encode(), said, "sha256").hex()


def said(entry: Mapping[str, Any], fields: Sequence[str] = SAID) -> dict[str, Any]:
    """What an entry says, its moment as the database keeps it, to the millisecond. Raises KeyError for one that lacks something."""
    whole = {name: entry[name] for name in fields}
    at = entry["at"]
    return whole | {"at": at.replace(microsecond=at.microsecond // 1000 * 1000)}


def mark_of(platform: Platform, entry: Mapping[str, Any]) -> str:
    """Written with the entry: what somebody else puts into the collection has none, also before it is in the chain."""
    return under_key(platform, MARKED, said(entry))


@dataclass(frozen=True)
class TrailFilter:
    """What the trail is narrowed to; each of `who`, `action` and `about` has an index that keeps the order."""

    who: str = ""
    """The whole name of whoever did it, as it was then."""
    actor_ids: Sequence[str] = ()
    """Or one of these, whatever the name was; also what somebody did in the place of one of them."""
    action: str = ""
    since: date | None = None
    until: date | None = None
    """Both days count."""
    about: list[str] | None = None
    """Ids of documents: what was done to one of them, in such a class, or to such a person."""


async def recent(
    platform: Platform, narrowed: TrailFilter = TrailFilter(), *, before: str | None, limit: int
) -> list[dict[str, Any]]:
    """Entries, newest or oldest first (kernel.mongo.by_age)."""
    conditions: list[Row] = []
    if narrowed.who:
        by_id = [{place: one} for one in narrowed.actor_ids for place in ("actor_id", "facts.on_behalf_of")]
        conditions.append({"$or": [{"actor_name": narrowed.who}, *by_id]})
    if narrowed.action:
        conditions.append({"action": narrowed.action})
    if narrowed.about == []:
        return []  # nothing is meant
    if narrowed.about:
        places = ("subject", "facts.class_id", "facts.person_id")
        conditions.append({"$or": [{place: one} for one in narrowed.about for place in places]})
    conditions += _within(platform, narrowed.since, narrowed.until)
    condition, direction = by_age({"$and": conditions} if conditions else {}, before)
    return await platform["audit"].find(condition).sort("_id", direction).limit(limit).to_list(None)


AROUND = timedelta(minutes=10)
"""Between the moment that an entry says and the one at which its id was made: a transaction is tried for less."""


def _within(platform: Platform, since: date | None, until: date | None) -> list[Row]:
    """Days, by the index of the ids, which begin with the second in which they were made. A demonstration notes things as of other days."""
    begins = datetime.combine(since, time(), BEIJING) if since else None
    ends = datetime.combine(until + timedelta(days=1), time(), BEIJING) if until else None
    conditions: list[Row] = [{"at": {"$gte": begins}}] if begins else []
    conditions += [{"at": {"$lt": ends}}] if ends else []
    if isinstance(platform.clock, SystemClock):
        conditions += [{"_id": {"$gte": first_id(begins - AROUND)}}] if begins else []
        conditions += [{"_id": {"$lt": first_id(ends + AROUND)}}] if ends else []
    return conditions


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
