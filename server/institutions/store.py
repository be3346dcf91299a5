"""Queries over institutions and over the requests of the provinces."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pymongo import UpdateOne

from server.institutions.documents import EVERY_INSTITUTION, BaseRequest, Institution, InstitutionFilter
from server.institutions.rules import RequestPurpose, RequestState
from server.kernel.folding import bare_number
from server.kernel.found import found_indexes, looking_for, set_in_found
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "institutions",
        shard_key=None,
        indexes=(
            Index([("province_code", 1), ("_id", 1)]),
            Index([("name", 1)]),
            Index([("former_names", 1)]),
            *found_indexes("province_code"),
        ),
    ),
    CollectionSpec(
        "base_requests",
        shard_key=None,
        indexes=(
            Index([("state", 1), ("_id", -1)]),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            # One school has one request that is not settled: two would be decided one over the other.
            Index([("institution_name", 1)], unique=True, partial={"open": True}),
        ),
    ),
)


async def institutions(
    scope: Scope, reach: Jurisdiction, narrowed: InstitutionFilter = EVERY_INSTITUTION
) -> list[Institution]:
    """By code. There are tens of them, so the list is read whole."""
    condition = {"$and": [reach.filter(), _condition(narrowed)]}
    rows = scope["institutions"].find(condition, session=scope.session).sort("_id", 1)
    return [Institution.from_mongo(row) async for row in rows]


async def institutions_after(scope: Scope, code: str, limit: int) -> list[Institution]:
    """Of the whole country those whose code comes after this one, by code."""
    rows = scope["institutions"].find({"_id": {"$gt": code}}, session=scope.session).sort("_id", 1)
    return [Institution.from_mongo(row) async for row in rows.limit(limit)]


def _condition(narrowed: InstitutionFilter) -> Row:
    condition: Row = {}
    if narrowed.words:
        condition["$or"] = [looking_for(narrowed.words, ["name"]), {"_id": bare_number(narrowed.words)}]
    if narrowed.province_code:
        condition["province_code"] = narrowed.province_code
    qualification = {"kind": narrowed.kind, "status": narrowed.status}
    if wanted := {name: value for name, value in qualification.items() if value}:
        condition["qualifications"] = {"$elemMatch": wanted}
    if narrowed.to_confirm:
        condition["to_confirm"] = True
    return condition


async def institution(scope: Scope, reach: Jurisdiction, code: str) -> Institution | None:
    row = await scope["institutions"].find_one(
        {"$and": [{"_id": code}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Institution.from_mongo(row)


async def codes(scope: Scope) -> list[str]:
    """Every 培训机构号 ever given, in the whole country."""
    rows = scope["institutions"].find({}, {"_id": 1}, session=scope.session)
    return [row["_id"] async for row in rows]


async def institution_named(scope: Scope, name: str) -> Institution | None:
    """Called so now; else the one that was."""
    for field in ("name", "former_names"):
        row = await scope["institutions"].find_one({field: name}, session=scope.session)
        if row is not None:
            return Institution.from_mongo(row)
    return None


async def by_codes(scope: Scope, wanted: Collection[str]) -> list[Institution]:
    rows = scope["institutions"].find({"_id": {"$in": sorted(wanted)}}, session=scope.session)
    return [Institution.from_mongo(row) async for row in rows]


async def formerly(scope: Scope, names: Collection[str]) -> list[Institution]:
    """Those that were called by one of these names."""
    condition = {"former_names": {"$in": sorted(names)}}
    rows = scope["institutions"].find(condition, session=scope.session)
    return [Institution.from_mongo(row) async for row in rows]


async def insert_missing(scope: Scope, seeds: Sequence[Institution]) -> int:
    """Inserts those that are not there yet and changes none that is; returns how many were new."""
    writes = []
    for seed in seeds:
        row = seed.to_mongo()
        writes.append(UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True))
    done = await scope["institutions"].bulk_write(writes, ordered=False, session=scope.session)
    return int(done.upserted_count)


async def insert_institution(scope: Scope, new: Institution) -> None:
    await scope["institutions"].insert_one(new.to_mongo(), session=scope.session)


async def replace_institution(scope: Scope, changed: Institution) -> None:
    """Of two transactions that replace the same institution the second is retried on what the first has written."""
    await scope["institutions"].replace_one({"_id": changed.id}, changed.to_mongo(), session=scope.session)


async def rename(scope: Scope, code: str, name: str, former_names: Sequence[str]) -> None:
    fields: Row = {"name": name, "former_names": list(former_names)}
    await set_in_found(scope, Institution, "institutions", {"_id": code}, fields)


# ---- requests of the provinces


async def insert_request(scope: Scope, new: BaseRequest) -> None:
    await scope["base_requests"].insert_one(new.to_mongo(), session=scope.session)


async def is_asked_for(scope: Scope, name: str, *, by_another_than: str) -> bool:
    """Whether an open request is about another school of this name."""
    condition = {"institution_name": name, "open": True, "institution_code": {"$ne": by_another_than}}
    return await scope["base_requests"].find_one(condition, {"_id": 1}, session=scope.session) is not None


async def request(scope: Scope, reach: Jurisdiction, request_id: str) -> BaseRequest | None:
    row = await scope["base_requests"].find_one(
        {"$and": [{"_id": request_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else BaseRequest.from_mongo(row)


async def requests(
    scope: Scope,
    reach: Jurisdiction,
    *,
    state: RequestState | None,
    purpose: RequestPurpose | None,
    province_code: str,
    before: str | None,
    limit: int,
) -> list[BaseRequest]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    exact = {"state": state, "purpose": purpose, "province_code": province_code}
    condition: Row = {"$and": [reach.filter(), {name: value for name, value in exact.items() if value}]}
    return await by_age_from(
        scope, "base_requests", condition, BaseRequest.from_mongo, before=before, limit=limit
    )
