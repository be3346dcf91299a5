"""Queries over what is asked about certificates."""

from __future__ import annotations

from server.kernel.found import found_indexes, hint_of, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope
from server.reissues.documents import Reissue, ReissueFilter

COLLECTIONS = (
    CollectionSpec(
        "reissues",
        shard_key=None,
        indexes=(
            Index([("certificate_id", 1)], unique=True, partial={"open": True}),
            Index([("person_id", 1), ("nonce", 1)], unique=True, partial={"nonce": {"$type": "string"}}),
            Index([("class_id", 1), ("person_id", 1), ("_id", 1)]),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("state", 1), ("_id", 1)], partial={"open": True}),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
)


async def insert(scope: Scope, new: Reissue) -> None:
    await scope["reissues"].insert_one(new.to_mongo(), session=scope.session)


async def in_reach(scope: Scope, reach: Jurisdiction, reissue_id: str) -> Reissue | None:
    return await _one(scope, {"$and": [{"_id": reissue_id}, reach.filter()]})


async def of_holder(scope: Scope, person_id: str, reach: Row, reissue_id: str) -> Reissue | None:
    return await _one(scope, {"_id": reissue_id, "person_id": person_id, **reach})


async def by_nonce(scope: Scope, person_id: str, nonce: str) -> Reissue | None:
    return await _one(scope, {"person_id": person_id, "nonce": nonce})


async def open_of(scope: Scope, certificate_id: str) -> Reissue | None:
    return await _one(scope, {"certificate_id": certificate_id, "open": True})


async def _one(scope: Scope, condition: Row) -> Reissue | None:
    row = await scope["reissues"].find_one(condition, session=scope.session)
    return None if row is None else Reissue.from_mongo(row)


async def of_person_in_class(scope: Scope, class_id: str, person_id: str) -> list[Reissue]:
    """Oldest first."""
    rows = scope["reissues"].find({"class_id": class_id, "person_id": person_id}, session=scope.session)
    return [Reissue.from_mongo(row) async for row in rows.sort("_id", 1)]


async def of_person(
    scope: Scope, person_id: str, reach: Row, *, before: str | None, limit: int
) -> list[Reissue]:
    """Newest first, older than the id `before`."""
    condition: Row = {"person_id": person_id, **reach}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["reissues"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Reissue.from_mongo(row) async for row in rows]


async def reissues(
    scope: Scope, reach: Jurisdiction, narrowed: ReissueFilter, *, before: str | None, limit: int
) -> list[Reissue]:
    """Newest first, older than the id `before`, or by age."""
    facets = {"state": narrowed.state, "kind": narrowed.kind, "year": narrowed.year}
    looked_for = looking_for(narrowed.words, ("name", "class_name", "institution_name"), facets)
    conditions = [reach.filter(), looked_for]
    if narrowed.province_code:
        conditions.append({"province_code": narrowed.province_code})
    condition, direction = by_age({"$and": conditions}, before)
    rows = scope["reissues"].find(condition, session=scope.session, hint=hint_of(reach, looked_for))
    return [Reissue.from_mongo(row) async for row in rows.sort("_id", direction).limit(limit)]
