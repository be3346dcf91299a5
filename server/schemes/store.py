"""Queries over the versions of training schemes."""

from __future__ import annotations

from collections.abc import Sequence

from server.institutions.rules import Level
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope
from server.schemes.documents import Remark, SchemeFilter, SchemeVersion
from server.schemes.rules import GONE, State

COLLECTIONS = (
    CollectionSpec(
        "scheme_versions",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("version", -1)], unique=True),
            Index([("newest", 1), ("state", 1), ("_id", 1)]),
            Index([("province_code", 1), ("newest", 1), ("state", 1), ("_id", 1)]),
            Index([("institution_code", 1), ("newest", 1), ("state", 1), ("_id", 1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
)


async def insert(scope: Scope, new: SchemeVersion) -> None:
    await scope["scheme_versions"].insert_one(new.to_mongo(), session=scope.session)


async def newest(scope: Scope, class_id: str) -> SchemeVersion | None:
    """The newest version of a class that the caller has fetched already: no later one that counts has been saved."""
    row = await scope["scheme_versions"].find_one(
        {"class_id": class_id, "state": {"$nin": sorted(GONE)}}, sort=[("version", -1)], session=scope.session
    )
    return None if row is None else SchemeVersion.from_mongo(row)


async def newest_of(scope: Scope, class_ids: Sequence[str]) -> list[Row]:
    """Of each of these classes its newest version: `class_id`, `state`, `since`, `saved_by_teacher`, `signed` and, of the last signature,
    `signed_at`; no content."""
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, "newest": True, "state": {"$nin": sorted(GONE)}}},
        {
            "$project": {
                "class_id": 1,
                "state": 1,
                "saved_by_teacher": 1,
                "signed": "$signatures.person_id",
                "signed_at": {"$max": "$signatures.at"},
                "since": {"$ifNull": [{"$last": "$history.at"}, "$saved_at"]},
            }
        },
    ]
    return await scope["scheme_versions"].aggregate(pipeline, session=scope.session).to_list(None)


async def count_unsigned(scope: Scope, class_ids: Sequence[str], teacher_id: str) -> int:
    """In how many of these classes the scheme is being signed and this teacher has not done so."""
    condition: Row = {
        "class_id": {"$in": list(class_ids)},
        "newest": True,
        "state": State.SIGNING,
        "signatures.person_id": {"$ne": teacher_id},
    }
    return await scope["scheme_versions"].count_documents(condition, session=scope.session)


async def approved_of_institution(
    scope: Scope, institution_code: str, level: Level, limit: int
) -> list[SchemeVersion]:
    """What is in force in its classes of a level, newest first."""
    query = {"institution_code": institution_code, "newest": True, "state": State.APPROVED, "level": level}
    rows = scope["scheme_versions"].find(query, session=scope.session).sort("_id", -1).limit(limit)
    return [SchemeVersion.from_mongo(row) async for row in rows]


async def last_number(scope: Scope, class_id: str) -> int:
    """Of all versions ever saved, given up or not; 0 before the first."""
    row = await scope["scheme_versions"].find_one(
        {"class_id": class_id}, {"version": 1}, sort=[("version", -1)], session=scope.session
    )
    return 0 if row is None else int(row["version"])


async def bring_back(scope: Scope, given_up: SchemeVersion) -> None:
    """The version before is the newest again, where there is one that counts."""
    await scope["scheme_versions"].update_one(
        {"_id": given_up.id}, {"$set": {"newest": False}}, session=scope.session
    )
    before = await newest(scope, given_up.class_id)
    if before is not None:
        await scope["scheme_versions"].update_one(
            {"_id": before.id}, {"$set": {"newest": True}}, session=scope.session
        )


async def version(scope: Scope, class_id: str, number: int) -> SchemeVersion | None:
    row = await scope["scheme_versions"].find_one(
        {"class_id": class_id, "version": number}, session=scope.session
    )
    return None if row is None else SchemeVersion.from_mongo(row)


async def versions(scope: Scope, class_id: str) -> list[SchemeVersion]:
    """Newest first, contents included: a scheme has a few dozen."""
    rows = scope["scheme_versions"].find({"class_id": class_id}, session=scope.session)
    return [SchemeVersion.from_mongo(row) async for row in rows.sort("version", -1)]


async def schemes(
    scope: Scope, reach: Jurisdiction, narrowed: SchemeFilter, *, after: str | None = None, limit: int
) -> list[SchemeVersion]:
    """The newest version of each scheme in reach, oldest first, from the id `after` on."""
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    if after:
        condition["_id"] = {"$gt": after}
    rows = scope["scheme_versions"].find(condition, session=scope.session).sort("_id", 1).limit(limit)
    return [SchemeVersion.from_mongo(row) async for row in rows]


def _condition(narrowed: SchemeFilter) -> Row:
    facets = {"level": narrowed.level, "year": narrowed.year, "month": narrowed.month}
    condition = looking_for(narrowed.words, ("class_name", "institution_name"), facets)
    condition |= {"newest": True, "state": {"$in": list(narrowed.states)}}
    if narrowed.province_code:
        condition["province_code"] = narrowed.province_code
    return condition


async def leave_behind(scope: Scope, one: SchemeVersion, state: State) -> None:
    await scope["scheme_versions"].update_one(
        {"_id": one.id}, {"$set": {"state": state, "newest": False}}, session=scope.session
    )


async def supersede(scope: Scope, class_id: str, number: int) -> None:
    """The version that was in force until now."""
    await scope["scheme_versions"].update_one(
        {"class_id": class_id, "version": number},
        {"$set": {"state": State.SUPERSEDED}},
        session=scope.session,
    )


async def add_remark(scope: Scope, one: SchemeVersion, remark: Remark) -> None:
    await scope["scheme_versions"].update_one(
        {"_id": one.id}, {"$push": {"remarks": remark.model_dump()}}, session=scope.session
    )
