"""Queries over places that were looked at."""

from __future__ import annotations

from collections.abc import Sequence

from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope
from server.venues.documents import PlaceCheck, PlaceFilter
from server.venues.rules import STANDING, State

COLLECTIONS = (
    CollectionSpec(
        "place_checks",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("key", 1)], unique=True, partial={"state": {"$in": sorted(STANDING)}}),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
            Index([("state", 1), ("_id", -1)]),
        ),
    ),
)


async def insert(scope: Scope, new: Sequence[PlaceCheck]) -> None:
    await scope["place_checks"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def check_in_reach(scope: Scope, reach: Jurisdiction, check_id: str) -> PlaceCheck | None:
    row = await scope["place_checks"].find_one(
        {"$and": [{"_id": check_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else PlaceCheck.from_mongo(row)


async def standing(scope: Scope, class_id: str) -> list[PlaceCheck]:
    """Those of a class that wait or were resolved."""
    rows = scope["place_checks"].find(
        {"class_id": class_id, "state": {"$in": sorted(STANDING)}}, session=scope.session
    )
    return [PlaceCheck.from_mongo(row) async for row in rows]


async def waiting_of(scope: Scope, class_ids: Sequence[str]) -> list[PlaceCheck]:
    """Those of these classes that wait for the province, oldest first."""
    rows = scope["place_checks"].find(
        {"class_id": {"$in": list(class_ids)}, "state": State.WAITING}, session=scope.session
    )
    return [PlaceCheck.from_mongo(row) async for row in rows.sort("_id", 1)]


async def checks(
    scope: Scope, reach: Jurisdiction, narrowed: PlaceFilter, *, before: str | None, limit: int
) -> list[PlaceCheck]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    return await by_age_from(
        scope, "place_checks", condition, PlaceCheck.from_mongo, before=before, limit=limit
    )


def _condition(narrowed: PlaceFilter) -> Row:
    names = ("place", "class_name", "institution_name")
    condition = looking_for(narrowed.words, names, {"state": narrowed.state})
    if narrowed.province_code:
        condition["province_code"] = narrowed.province_code
    return condition
