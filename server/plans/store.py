"""Queries over plans."""

from __future__ import annotations

from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import containing
from server.kernel.unit_of_work import Scope
from server.plans.documents import Plan, PlanFilter
from server.plans.rules import OPEN, State

COLLECTIONS = (
    CollectionSpec(
        "plans",
        shard_key="institution_code",
        indexes=(
            Index([("institution_code", 1), ("year", 1), ("version", -1)], unique=True),
            # One version on its way, and one in force, an institution and year; `$in` needs MongoDB 6.0.
            Index(
                [("institution_code", 1), ("year", 1)],
                unique=True,
                partial={"state": {"$in": sorted(OPEN)}},
            ),
            Index([("institution_code", 1), ("year", -1)], unique=True, partial={"state": State.APPROVED}),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
        ),
    ),
)

ITEM_TITLES: Row = {
    "$reduce": {"input": "$items.title", "initialValue": "", "in": {"$concat": ["$$value", "\n", "$$this"]}}
}


async def insert(scope: Scope, new: Plan) -> None:
    await scope["plans"].insert_one(new.to_mongo(), session=scope.session)


async def plan(scope: Scope, reach: Jurisdiction, plan_id: str) -> Plan | None:
    row = await scope["plans"].find_one({"$and": [{"_id": plan_id}, reach.filter()]}, session=scope.session)
    return None if row is None else Plan.from_mongo(row)


async def plans(
    scope: Scope, reach: Jurisdiction, narrowed: PlanFilter, *, before: str | None, limit: int
) -> list[Plan]:
    """Newest first, older than the id `before`."""
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["plans"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Plan.from_mongo(row) async for row in rows]


def _condition(narrowed: PlanFilter) -> Row:
    exact = {"year": narrowed.year, "state": narrowed.state, "province_code": narrowed.province_code}
    condition: Row = {"state": {"$ne": State.DISCARDED}}
    condition |= {name: value for name, value in exact.items() if value}
    item = {name: value for name, value in (("level", narrowed.level), ("month", narrowed.month)) if value}
    if item:
        condition["items"] = {"$elemMatch": item}
    if narrowed.words:
        condition |= containing(narrowed.words, "$institution_name", ITEM_TITLES)
    return condition


async def versions(scope: Scope, institution_code: str, year: int) -> list[Plan]:
    """Every version of one plan, the latest first."""
    rows = scope["plans"].find({"institution_code": institution_code, "year": year}, session=scope.session)
    return [Plan.from_mongo(row) async for row in rows.sort("version", -1)]


async def approved(scope: Scope, institution_code: str, year: int) -> Plan | None:
    row = await scope["plans"].find_one(
        {"institution_code": institution_code, "year": year, "state": State.APPROVED},
        session=scope.session,
    )
    return None if row is None else Plan.from_mongo(row)
