"""Queries over class applications."""

from __future__ import annotations

from collections.abc import Collection

from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import HOLDING
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
    scope: Scope, reach: Jurisdiction, narrowed: ApplicationFilter, *, before: str | None, limit: int
) -> list[Application]:
    """Newest first, older than the id `before`."""
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["applications"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Application.from_mongo(row) async for row in rows]


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
