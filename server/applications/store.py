"""Queries over class applications."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import HOLDING, State
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import containing, month_of
from server.kernel.unit_of_work import Scope

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
        ),
    ),
)


async def insert(scope: Scope, new: Application) -> None:
    await scope["applications"].insert_one(new.to_mongo(), session=scope.session)


async def application(scope: Scope, reach: Jurisdiction, application_id: str) -> Application | None:
    row = await scope["applications"].find_one(
        {"$and": [{"_id": application_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Application.from_mongo(row)


async def applications(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: ApplicationFilter,
    *,
    filed_by: datetime,
    before: str | None,
    limit: int,
) -> list[Application]:
    """What waits since `filed_by` or longer, then the others, each newest first; those that come after the id `before`."""
    overdue = _overdue(filed_by)
    parts: list[Row] = [overdue, {"$nor": [overdue]}]
    if before and not await _exists(scope, {"$and": [{"_id": before}, overdue]}):
        parts = parts[1:]
    found: list[Application] = []
    for part in parts:
        condition: Row = {"$and": [reach.filter(), _condition(narrowed), part]}
        if before and part is parts[0]:
            condition["_id"] = {"$lt": before}
        rows = scope["applications"].find(condition, session=scope.session).sort("_id", -1)
        found += [Application.from_mongo(row) async for row in rows.limit(limit - len(found))]
        if len(found) == limit:
            break
    return found


async def any_overdue(scope: Scope, reach: Jurisdiction, filed_by: datetime) -> bool:
    return await _exists(scope, {"$and": [reach.filter(), _overdue(filed_by)]})


def _overdue(filed_by: datetime) -> Row:
    """The few that wait are looked at one by one: when was their last step taken?"""
    return {"state": State.SUBMITTED, "$expr": {"$lte": [{"$last": "$history.at"}, filed_by]}}


async def _exists(scope: Scope, condition: Row) -> bool:
    return await scope["applications"].find_one(condition, {"_id": 1}, session=scope.session) is not None


def _condition(narrowed: ApplicationFilter) -> Row:
    exact = {
        "state": narrowed.state,
        "level": narrowed.level,
        "plan_year": narrowed.year,
        "province_code": narrowed.province_code,
    }
    condition: Row = {name: value for name, value in exact.items() if value}
    if narrowed.month:
        condition["starts_on"] = {"$regex": month_of(None, narrowed.month)}
    if narrowed.words:
        condition |= containing(narrowed.words, "$name", "$institution_name")
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
