"""Queries over seals, signing keys and the platform's authority."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope
from server.seals.documents import KeyOrigin, Seal, SigningAuthority, SigningKey
from server.seals.rules import State

COLLECTIONS = (
    CollectionSpec(
        "seals",
        shard_key="institution_code",
        indexes=(
            Index([("institution_code", 1), ("version", 1)], unique=True),
            Index([("institution_code", 1)], unique=True, partial={"open": True}),
            Index([("institution_code", 1), ("in_force", 1)], unique=True, partial={"in_force": True}),
            Index([("province_code", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
    CollectionSpec(
        "signing_keys",
        shard_key=None,
        indexes=(
            Index([("institution_code", 1), ("origin", 1)], unique=True, partial={"current": True}),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("fingerprint", 1)]),
            Index([("current", 1), ("valid_to", 1)]),
        ),
    ),
    CollectionSpec("signing_authorities", shard_key=None),
)
WITHOUT_CONTENT: Row = {"content": 0}


# ---- seals


async def insert_seal(scope: Scope, new: Seal) -> None:
    await scope["seals"].insert_one(new.to_mongo(), session=scope.session)


async def seal(scope: Scope, seal_id: str) -> Seal | None:
    row = await scope["seals"].find_one({"_id": seal_id}, session=scope.session)
    return None if row is None else Seal.from_mongo(row)


async def seal_in_reach(scope: Scope, reach: Jurisdiction, seal_id: str) -> Seal | None:
    row = await scope["seals"].find_one({"$and": [{"_id": seal_id}, reach.filter()]}, session=scope.session)
    return None if row is None else Seal.from_mongo(row)


async def in_force(scope: Scope, institution_code: str) -> Seal | None:
    condition = {"institution_code": institution_code, "in_force": True}
    row = await scope["seals"].find_one(condition, session=scope.session)
    return None if row is None else Seal.from_mongo(row)


async def seals_of(scope: Scope, reach: Jurisdiction, institution_code: str, limit: int = 50) -> list[Seal]:
    """Newest first."""
    condition = {"$and": [{"institution_code": institution_code}, reach.filter()]}
    rows = scope["seals"].find(condition, session=scope.session).sort("version", -1).limit(limit)
    return [Seal.from_mongo(row) async for row in rows]


async def seals(
    scope: Scope,
    reach: Jurisdiction,
    words: str,
    state: State | None,
    province_code: str,
    *,
    before: str | None,
    limit: int,
) -> list[Seal]:
    """Newest first, older than the id `before`."""
    conditions = [reach.filter(), looking_for(words, ("institution_name",), {"state": state})]
    if province_code:
        conditions.append({"province_code": province_code})
    condition, direction = by_age({"$and": conditions}, before)
    rows = scope["seals"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return [Seal.from_mongo(row) async for row in rows]


# ---- keys


async def insert_key(scope: Scope, new: SigningKey) -> None:
    await scope["signing_keys"].insert_one(new.to_mongo(), session=scope.session)


async def current_key(scope: Scope, institution_code: str, origin: KeyOrigin) -> SigningKey | None:
    condition = {"institution_code": institution_code, "origin": origin, "current": True}
    row = await scope["signing_keys"].find_one(condition, session=scope.session)
    return None if row is None else SigningKey.from_mongo(row)


async def key_in_reach(scope: Scope, reach: Jurisdiction, key_id: str) -> SigningKey | None:
    row = await scope["signing_keys"].find_one(
        {"$and": [{"_id": key_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else SigningKey.from_mongo(row)


async def keys_of(
    scope: Scope, reach: Jurisdiction, institution_code: str, limit: int = 50
) -> list[SigningKey]:
    """Newest first."""
    condition = {"$and": [{"institution_code": institution_code}, reach.filter()]}
    rows = scope["signing_keys"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [SigningKey.from_mongo(row) async for row in rows]


async def key_of_certificate(scope: Scope, fingerprint: str) -> SigningKey | None:
    """The key whose certificate this is, in force or not."""
    row = await scope["signing_keys"].find_one({"fingerprint": fingerprint}, session=scope.session)
    return None if row is None else SigningKey.from_mongo(row)


async def ending_before(scope: Scope, reach: Jurisdiction, moment: datetime) -> list[SigningKey]:
    """Those in force that end until then, the first to end first."""
    condition = {"$and": [{"current": True, "valid_to": {"$lt": moment}}, reach.filter()]}
    rows = scope["signing_keys"].find(condition, session=scope.session).sort("valid_to", 1)
    return [SigningKey.from_mongo(row) async for row in rows]


async def change_key(scope: Scope, key: SigningKey, changes: Row) -> bool:
    """Changes a key in force; False when it is none any more."""
    done = await scope["signing_keys"].update_one(
        {"_id": key.id, "current": True}, {"$set": changes}, session=scope.session
    )
    return bool(done.modified_count)


# ---- the platform's authority


async def authorities(scope: Scope) -> Sequence[SigningAuthority]:
    """The one that issues first."""
    rows = scope["signing_authorities"].find({}, session=scope.session).sort("_id", -1)
    return [SigningAuthority.from_mongo(row) async for row in rows]


async def insert_authority(scope: Scope, new: SigningAuthority) -> None:
    await scope["signing_authorities"].insert_one(new.to_mongo(), session=scope.session)
