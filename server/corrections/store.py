"""Queries over corrections."""

from __future__ import annotations

from server.corrections.documents import Correction, CorrectionFilter
from server.corrections.rules import State
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "corrections",
        shard_key="thing",
        indexes=(
            Index([("thing", 1)], unique=True, partial={"open": True}),
            Index([("thing", 1), ("_id", -1)]),
            Index([("class_id", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("state", 1), ("subject", 1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
)


async def insert(scope: Scope, new: Correction) -> None:
    await scope["corrections"].insert_one(new.to_mongo(), session=scope.session)


async def in_reach(scope: Scope, reach: Jurisdiction, correction_id: str) -> Correction | None:
    return await _one(scope, {"$and": [{"_id": correction_id}, reach.filter()]})


async def open_of(scope: Scope, reach: Jurisdiction, thing: str) -> Correction | None:
    return await _one(scope, {"$and": [{"thing": thing, "open": True}, reach.filter()]})


async def _one(scope: Scope, condition: Row) -> Correction | None:
    row = await scope["corrections"].find_one(condition, session=scope.session)
    return None if row is None else Correction.from_mongo(row)


async def corrections(
    scope: Scope, reach: Jurisdiction, narrowed: CorrectionFilter, *, before: str | None, limit: int
) -> list[Correction]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    return await by_age_from(
        scope, "corrections", condition, Correction.from_mongo, before=before, limit=limit
    )


def _condition(narrowed: CorrectionFilter) -> Row:
    names = ("state", "subject", "level", "year", "month")
    facets = {name: getattr(narrowed, name) for name in names}
    condition = looking_for(narrowed.words, ("about", "institution_name"), facets)
    if narrowed.province_code:
        condition["province_code"] = narrowed.province_code
    return condition


async def of_thing(scope: Scope, reach: Jurisdiction, thing: str) -> list[Correction]:
    """Newest first."""
    condition: Row = {"$and": [{"thing": thing}, reach.filter()]}
    rows = scope["corrections"].find(condition, session=scope.session).sort("_id", -1)
    return [Correction.from_mongo(row) async for row in rows]


async def approved(scope: Scope, reach: Jurisdiction, condition: Row, *, limit: int) -> list[Correction]:
    """Newest first."""
    whole: Row = {"$and": [reach.filter(), condition, {"state": State.APPROVED}]}
    rows = scope["corrections"].find(whole, session=scope.session).sort("_id", -1).limit(limit)
    return [Correction.from_mongo(row) async for row in rows]


async def count(scope: Scope, reach: Jurisdiction, condition: Row) -> int:
    return int(
        await scope["corrections"].count_documents(
            {"$and": [reach.filter(), condition]}, session=scope.session
        )
    )
