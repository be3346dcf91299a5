"""Queries over the key and the places of credentials."""

from __future__ import annotations

from collections.abc import Sequence

from server.badges.documents import BadgeEntry, BadgeKey
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec("badge_keys", shard_key=None),
    CollectionSpec("badge_entries", shard_key=None, indexes=(Index([("place", 1)], unique=True),)),
)


async def key(scope: Scope, key_id: str) -> BadgeKey | None:
    row = await scope["badge_keys"].find_one({"_id": key_id}, session=scope.session)
    return None if row is None else BadgeKey.from_mongo(row)


async def insert_key(scope: Scope, new: BadgeKey) -> None:
    await scope["badge_keys"].insert_one(new.to_mongo(), session=scope.session)


async def entry(scope: Scope, certificate_id: str) -> BadgeEntry | None:
    row = await scope["badge_entries"].find_one({"_id": certificate_id}, session=scope.session)
    return None if row is None else BadgeEntry.from_mongo(row)


async def insert_entry(scope: Scope, new: BadgeEntry) -> None:
    await scope["badge_entries"].insert_one(new.to_mongo(), session=scope.session)


async def reaches(scope: Scope, place: int) -> bool:
    """Whether there is an entry at this place or after it."""
    return await scope["badge_entries"].find_one({"place": {"$gte": place}}, {"_id": 1}) is not None


async def places_of(scope: Scope, certificate_ids: Sequence[str], first: int, last: int) -> list[int]:
    """Of those of these certificates that stand between two places, the first included."""
    rows = scope["badge_entries"].find(
        {"_id": {"$in": list(certificate_ids)}, "place": {"$gte": first, "$lt": last}}, {"place": 1}
    )
    return [row["place"] async for row in rows]
