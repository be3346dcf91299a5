"""Queries over requests to open results again."""

from __future__ import annotations

from collections.abc import Sequence

from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope
from server.reopenings.documents import Reopening, ReopeningFilter
from server.reopenings.rules import State

COLLECTIONS = (
    CollectionSpec(
        "reopenings",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1)], unique=True, partial={"open": True}),
            Index([("class_id", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
)


async def insert(scope: Scope, new: Reopening) -> None:
    await scope["reopenings"].insert_one(new.to_mongo(), session=scope.session)


async def in_reach(scope: Scope, reach: Jurisdiction, reopening_id: str) -> Reopening | None:
    row = await scope["reopenings"].find_one(
        {"$and": [{"_id": reopening_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Reopening.from_mongo(row)


async def latest_of(scope: Scope, reach: Jurisdiction, class_id: str) -> Reopening | None:
    row = await scope["reopenings"].find_one(
        {"$and": [{"class_id": class_id}, reach.filter()]}, sort=[("_id", -1)], session=scope.session
    )
    return None if row is None else Reopening.from_mongo(row)


async def approved(scope: Scope, class_ids: Sequence[str]) -> list[Reopening]:
    """Of these classes, oldest first."""
    rows = scope["reopenings"].find(
        {"class_id": {"$in": list(class_ids)}, "state": State.APPROVED}, session=scope.session
    )
    return [Reopening.from_mongo(row) async for row in rows.sort("_id", 1)]


async def waiting_of(scope: Scope, class_ids: Sequence[str]) -> list[Reopening]:
    rows = scope["reopenings"].find(
        {"class_id": {"$in": list(class_ids)}, "state": State.SUBMITTED}, session=scope.session
    )
    return [Reopening.from_mongo(row) async for row in rows]


async def reopenings(
    scope: Scope, reach: Jurisdiction, narrowed: ReopeningFilter, *, before: str | None, limit: int
) -> list[Reopening]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    names = ("class_name", "institution_name")
    conditions = [reach.filter(), looking_for(narrowed.words, names, {"state": narrowed.state})]
    if narrowed.province_code:
        conditions.append({"province_code": narrowed.province_code})
    return await by_age_from(
        scope, "reopenings", {"$and": conditions}, Reopening.from_mongo, before=before, limit=limit
    )
