"""Queries over yearly checks."""

from __future__ import annotations

from server.inspections.documents import Inspection, InspectionFilter
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "inspections",
        shard_key=None,  # some hundred a year in the whole country
        indexes=(
            Index([("institution_code", 1), ("year", 1)], unique=True, partial={"counts": True}),
            Index([("year", 1), ("province_code", 1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
)


async def insert(scope: Scope, new: Inspection) -> None:
    """Raises DuplicateKeyError where there is one of this institution and year."""
    await scope["inspections"].insert_one(new.to_mongo(), session=scope.session)


async def in_reach(scope: Scope, reach: Jurisdiction, inspection_id: str) -> Inspection | None:
    row = await scope["inspections"].find_one(
        {"$and": [{"_id": inspection_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Inspection.from_mongo(row)


async def inspections(
    scope: Scope, reach: Jurisdiction, narrowed: InspectionFilter, *, before: str | None, limit: int
) -> list[Inspection]:
    """Newest first, older than the id `before`, or oldest first."""
    facets = {"state": narrowed.state, "year": narrowed.year}
    conditions = [reach.filter(), looking_for(narrowed.words, ["institution_name"], facets)]
    if narrowed.province_code:
        conditions.append({"province_code": narrowed.province_code})
    condition, direction = by_age({"$and": conditions}, before)
    rows = scope["inspections"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return [Inspection.from_mongo(row) async for row in rows]


async def of_year(scope: Scope, reach: Jurisdiction, year: int) -> list[Row]:
    """`institution_code`, `province_code` and `state` of those that count."""
    condition = {"$and": [{"year": year, "counts": True}, reach.filter()]}
    wanted = {"institution_code": 1, "province_code": 1, "state": 1}
    return await scope["inspections"].find(condition, wanted, session=scope.session).to_list(None)
