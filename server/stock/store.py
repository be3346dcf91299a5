"""Queries over what became of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope
from server.stock.documents import Handover

COLLECTIONS = (
    CollectionSpec(
        "handovers",
        shard_key=None,
        indexes=(
            Index([("certificate_id", 1)], unique=True, partial={"current": True}),
            Index([("class_id", 1), ("_id", 1)]),
            Index([("institution_code", 1), ("on", 1)]),
            Index([("province_code", 1), ("on", 1)]),
            Index([("on", 1)]),
            Index([("institution_code", 1), ("current", 1), ("_id", -1)]),
            Index([("province_code", 1), ("current", 1), ("_id", -1)]),
            Index([("current", 1), ("_id", -1)]),
        ),
    ),
)


async def insert(scope: Scope, new: Handover) -> None:
    """Raises DuplicateKeyError where one stands."""
    await scope["handovers"].insert_one(new.to_mongo(), session=scope.session)


async def standing(scope: Scope, certificate_id: str) -> Handover | None:
    row = await scope["handovers"].find_one(
        {"certificate_id": certificate_id, "current": True}, session=scope.session
    )
    return None if row is None else Handover.from_mongo(row)


async def of_class(scope: Scope, class_id: str) -> dict[str, Handover]:
    """Those that stand, by certificate."""
    rows = scope["handovers"].find({"class_id": class_id, "current": True}, session=scope.session)
    return {row["certificate_id"]: Handover.from_mongo(row) async for row in rows}


async def cancel(scope: Scope, found: Handover, by: str, reason: str, at: datetime) -> bool:
    """False where its holder has confirmed it meanwhile, or somebody has cancelled it."""
    changes: Row = {"current": False, "cancelled_at": at, "cancelled_by": by, "cancel_reason": reason}
    return await _change(scope, found, changes)


async def confirm(scope: Scope, found: Handover, at: datetime) -> bool:
    return await _change(scope, found, {"confirmed_at": at})


async def _change(scope: Scope, found: Handover, changes: Row) -> bool:
    untouched = {"_id": found.id, "current": True, "confirmed_at": None}
    done = await scope["handovers"].update_one(untouched, {"$set": changes}, session=scope.session)
    return bool(done.modified_count)


async def standing_ones(
    scope: Scope, conditions: Sequence[Row], *, before: str | None, limit: int
) -> list[Handover]:
    """Those that stand and meet all of these, newest or oldest entry first."""
    condition, direction = by_age({"$and": [{"current": True}, *conditions]}, before)
    rows = scope["handovers"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return [Handover.from_mongo(row) async for row in rows]


def days_of(year: int) -> Row:
    return {"on": {"$gte": f"{year}-01-01", "$lte": f"{year}-12-31"}}


async def handed_by_institution(scope: Scope, reach: Jurisdiction, year: int) -> dict[str, int]:
    stages: list[Row] = [
        {"$match": {"$and": [reach.filter(), days_of(year) | {"current": True}]}},
        {"$group": {"_id": "$institution_code", "count": {"$sum": 1}}},
    ]
    rows = scope["handovers"].aggregate(stages, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}
