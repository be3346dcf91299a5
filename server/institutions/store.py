"""Queries over institutions."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import UpdateOne

from server.institutions.documents import Institution
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Scope

DUPLICATE_KEY = 11000  # error_codes.yml of the server

COLLECTIONS = (
    CollectionSpec("institutions", shard_key=None, indexes=(Index([("province_code", 1), ("_id", 1)]),)),
)


async def institutions(scope: Scope, reach: Jurisdiction) -> list[Institution]:
    rows = scope["institutions"].find(reach.filter(), session=scope.session).sort("_id", 1)
    return [Institution.from_mongo(row) async for row in rows]


async def institution(scope: Scope, reach: Jurisdiction, code: str) -> Institution | None:
    row = await scope["institutions"].find_one(
        {"$and": [{"_id": code}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Institution.from_mongo(row)


async def insert_missing(scope: Scope, seeds: Sequence[Institution]) -> int:
    """Inserts those that are not there yet and changes none that is; returns how many were new."""
    writes = []
    for seed in seeds:
        row = seed.to_mongo()
        writes.append(UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True))
    done = await scope["institutions"].bulk_write(writes, ordered=False, session=scope.session)
    return int(done.upserted_count)
