"""Queries over the pool of backbone teachers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from server.backbone.documents import PoolMember, StatusStep
from server.backbone.rules import PoolStatus
from server.kernel.mongo import CollectionSpec, Index, Row, Scope

COLLECTIONS = (
    CollectionSpec(
        "backbone_teachers",
        shard_key=None,
        indexes=(
            Index([("province_code", 1), ("_id", 1)]),
            Index([("majors", 1), ("_id", 1)]),
            Index([("due_on", 1)], partial={"due_on": {"$type": "string"}}),
        ),
    ),
)


async def insert(scope: Scope, new: PoolMember) -> None:
    await scope["backbone_teachers"].insert_one(new.to_mongo(), session=scope.session)


async def member(scope: Scope, person_id: str) -> PoolMember | None:
    row = await scope["backbone_teachers"].find_one({"_id": person_id}, session=scope.session)
    return None if row is None else PoolMember.from_mongo(row)


async def members(
    scope: Scope,
    *,
    words: str,
    major: str,
    province_code: str,
    status: PoolStatus | None,
    before: str | None,
    limit: int,
) -> list[PoolMember]:
    """The pool is open to every institution of the country (article 9.1): no jurisdiction narrows it."""
    condition: Row = {"status": status} if status else {}
    if major:
        condition["majors"] = major
    if province_code:
        condition["province_code"] = province_code
    if words:
        names = {"$concat": ["$name", " ", "$work_unit"]}
        condition["$expr"] = {"$gte": [{"$indexOfCP": [names, {"$literal": words}]}, 0]}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["backbone_teachers"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [PoolMember.from_mongo(row) async for row in rows]


async def rename(scope: Scope, person_id: str, name: str) -> None:
    await scope["backbone_teachers"].update_one(
        {"_id": person_id}, {"$set": {"name": name}}, session=scope.session
    )


async def set_status(scope: Scope, changed: PoolMember, new: Sequence[StatusStep]) -> None:
    """Writes the member's status as it stands now, and adds the steps that led to it."""
    fields = changed.model_dump(include={"status", "status_since", "due_on"})
    await scope["backbone_teachers"].update_one(
        {"_id": changed.id},
        {"$set": fields, "$push": {"history": {"$each": [one.model_dump() for one in new]}}},
        session=scope.session,
    )


async def due(scope: Scope, today: date, limit: int) -> list[str]:
    """Ids of members for whom a decided status takes effect today or should have before."""
    condition = {"due_on": {"$type": "string", "$lte": today}}
    rows = scope["backbone_teachers"].find(condition, {"_id": 1}, session=scope.session)
    return [row["_id"] async for row in rows.sort("due_on", 1).limit(limit)]
