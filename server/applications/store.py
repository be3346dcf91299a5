"""Queries over class applications."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import HOLDING, State
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

WAITING: Row = {"waits_since": {"$type": "date"}}
UNDECIDED: Row = {"state": {"$in": [State.RETURNED, State.SUBMITTED]}}

COLLECTIONS = (
    CollectionSpec(
        "applications",
        shard_key="institution_code",
        indexes=(
            # `$in` needs MongoDB 6.0.
            Index(
                [("institution_code", 1), ("item.id", 1)],
                unique=True,
                partial={"state": {"$in": sorted(HOLDING)}},
            ),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
            Index([("waits_since", 1), ("_id", -1)], partial=WAITING),
            Index([("province_code", 1), ("waits_since", 1), ("_id", -1)], partial=WAITING),
            Index([("institution_code", 1), ("waits_since", 1), ("_id", -1)], partial=WAITING),
            *found_indexes("institution_code", "province_code"),
            Index([("state", 1), ("_id", 1)], partial=UNDECIDED),
        ),
    ),
)


async def insert(scope: Scope, new: Application) -> None:
    await scope["applications"].insert_one(new.to_mongo(), session=scope.session)


async def application(scope: Scope, reach: Jurisdiction, application_id: str) -> Application | None:
    return await _one(scope, {"$and": [{"_id": application_id}, reach.filter()]})


async def applications(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: ApplicationFilter,
    *,
    filed_by: datetime,
    before: str | None,
    limit: int,
) -> list[Application]:
    """What waits since `filed_by` or longer, the longest first, then the others, newest first; those that come after the id `before`."""
    last = await _one(scope, {"_id": before}) if before else None
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    found: list[Application] = []
    if last is None or last.overdue(filed_by):
        overdue = [condition, _overdue(filed_by), *([_after(last)] if last else [])]
        rows = scope["applications"].find({"$and": overdue}, session=scope.session)
        order = [("waits_since", 1), ("_id", -1)]
        rows = rows.sort(order).hint([*((name, 1) for name in reach.filter()), *order])  # they are few
        found = [Application.from_mongo(row) async for row in rows.limit(limit)]
        last = None
    if len(found) < limit:
        others = [condition, {"$nor": [_overdue(filed_by)]}, *([{"_id": {"$lt": last.id}}] if last else [])]
        rows = scope["applications"].find({"$and": others}, session=scope.session).sort("_id", -1)
        found += [Application.from_mongo(row) async for row in rows.limit(limit - len(found))]
    return found


def _after(last: Application) -> Row:
    """What follows this one among those that wait."""
    since = last.waits_since
    return {"$or": [{"waits_since": {"$gt": since}}, {"waits_since": since, "_id": {"$lt": last.id}}]}


async def undecided(
    scope: Scope, reach: Jurisdiction, narrowed: ApplicationFilter, *, after: str | None, limit: int
) -> list[Application]:
    condition: Row = {"$and": [reach.filter(), _condition(narrowed), UNDECIDED]}
    if after:
        condition["_id"] = {"$gt": after}
    rows = scope["applications"].find(condition, session=scope.session).sort("_id", 1).limit(limit)
    return [Application.from_mongo(row) async for row in rows]


def _overdue(filed_by: datetime) -> Row:
    return {"waits_since": {"$type": "date", "$lte": filed_by}}


async def _one(scope: Scope, condition: Row) -> Application | None:
    row = await scope["applications"].find_one(condition, session=scope.session)
    return None if row is None else Application.from_mongo(row)


async def _exists(scope: Scope, condition: Row) -> bool:
    return await scope["applications"].find_one(condition, {"_id": 1}, session=scope.session) is not None


def _condition(narrowed: ApplicationFilter) -> Row:
    facets = {
        "state": narrowed.state,
        "level": narrowed.level,
        "year": narrowed.year,
        "month": narrowed.month,
    }
    condition = looking_for(narrowed.words, ("name", "institution_name"), facets)
    if narrowed.province_code:
        condition["province_code"] = narrowed.province_code
    return condition


async def holding(scope: Scope, institution_code: str, item_ids: Collection[str]) -> dict[str, Application]:
    """Item → the application that holds it."""
    rows = scope["applications"].find(
        {
            "institution_code": institution_code,
            "item.id": {"$in": list(item_ids)},
            "state": {"$in": sorted(HOLDING)},
        },
        session=scope.session,
    )
    return {row["item"]["id"]: Application.from_mongo(row) async for row in rows}
