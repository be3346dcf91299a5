"""Queries over the pool of backbone teachers."""

from __future__ import annotations

from server.backbone.documents import PoolMember
from server.kernel.mongo import CollectionSpec, Index, Row, Scope

COLLECTIONS = (
    CollectionSpec(
        "backbone_teachers",
        shard_key=None,
        indexes=(Index([("province_code", 1), ("_id", 1)]), Index([("majors", 1), ("_id", 1)])),
    ),
)


async def insert(scope: Scope, new: PoolMember) -> None:
    await scope["backbone_teachers"].insert_one(new.to_mongo(), session=scope.session)


async def member(scope: Scope, person_id: str) -> PoolMember | None:
    row = await scope["backbone_teachers"].find_one({"_id": person_id}, session=scope.session)
    return None if row is None else PoolMember.from_mongo(row)


async def members(
    scope: Scope, *, words: str, major: str, province_code: str, before: str | None, limit: int
) -> list[PoolMember]:
    """The pool is open to every institution of the country (article 9.1): no jurisdiction narrows it."""
    condition: Row = {}
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
