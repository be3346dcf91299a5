"""Queries over the ledger, its signed roots and the nodes of their tree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence

from pymongo import ReplaceOne

from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope
from server.ledger.documents import STANDING, EntryKind, LedgerEntry, LedgerRoot
from server.ledger.merkle import Node

COLLECTIONS = (
    CollectionSpec(
        "ledger",
        shard_key=None,  # one chain has one order: its positions are unique, so it stays whole
        indexes=(
            Index([("sealed", 1), ("_id", 1)], partial={"sealed": False}),
            Index([("position", 1)], unique=True, partial={"sealed": True}),
            Index([("certificate_id", 1), ("_id", 1)]),
            Index([("certificate_id", 1), ("kind", 1)], unique=True, partial={"kind": EntryKind.ISSUED}),
            Index([("certificate_id", 1), ("facts.day", 1)], unique=True, partial={"facts.day": {"$gt": ""}}),
            Index([("institution_code", 1), ("kind", 1), ("_id", 1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("number", 1), ("_id", -1)]),
            Index([("province_code", 1), ("kind", 1), ("_id", -1)]),
            Index([("kind", 1), ("_id", -1)]),
        ),
    ),
    CollectionSpec("ledger_roots", shard_key=None, indexes=(Index([("size", 1)]),)),
    CollectionSpec("ledger_nodes", shard_key=None, clustered=True),
)


async def insert(scope: Scope, rows: Sequence[Row]) -> None:
    """Raises DuplicateKeyError where one was issued already."""
    await scope["ledger"].insert_many(rows, session=scope.session)


async def of_certificate(scope: Scope, certificate_id: str) -> list[LedgerEntry]:
    rows = scope["ledger"].find({"certificate_id": certificate_id}, session=scope.session).sort("_id", 1)
    return [LedgerEntry.from_mongo(row) async for row in rows]


async def entries(
    scope: Scope, conditions: Sequence[Row], *, before: str | None, limit: int
) -> list[LedgerEntry]:
    """That meet all of these, newest or oldest first (kernel.mongo.by_age)."""
    condition, direction = by_age({"$and": list(conditions)}, before)
    rows = scope["ledger"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return [LedgerEntry.from_mongo(row) async for row in rows]


async def rows_of(
    scope: Scope, certificate_ids: Sequence[str], kinds: Collection[EntryKind] | None
) -> list[Row]:
    """As they are, oldest first: what is checked may be broken."""
    condition: Row = {"certificate_id": {"$in": list(certificate_ids)}}
    if kinds is not None:
        condition["kind"] = {"$in": sorted(kinds)}
    return await scope["ledger"].find(condition, session=scope.session).sort("_id", 1).to_list(None)


async def fetched_on(scope: Scope, certificate_id: str, day: str) -> bool:
    condition = {"certificate_id": certificate_id, "facts.day": day, "kind": EntryKind.FETCHED}
    return await scope["ledger"].find_one(condition, {"_id": 1}, session=scope.session) is not None


async def issued_in(scope: Scope, institution_code: str) -> AsyncIterator[Row]:
    """The certificates that an institution has issued, by its ledger."""
    condition = {"institution_code": institution_code, "kind": EntryKind.ISSUED}
    rows = scope["ledger"].find(condition, {"certificate_id": 1, "number": 1}, session=scope.session)
    async for row in rows:
        yield row


async def entries_in(
    scope: Scope, reach: Jurisdiction, kind: EntryKind, since: str, until: str
) -> dict[str, int]:
    """By institution, how many entries of a kind have an id in between."""
    stages: list[Row] = [
        {"$match": {"$and": [reach.filter(), {"kind": kind, "_id": {"$gte": since, "$lt": until}}]}},
        {"$group": {"_id": "$institution_code", "count": {"$sum": 1}}},
    ]
    rows = scope["ledger"].aggregate(stages, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}


async def newest_standing(scope: Scope, certificate_id: str, size: int) -> Row | None:
    """The newest entry within the first `size` that says whether a certificate is valid."""
    condition = {
        "certificate_id": certificate_id,
        "kind": {"$in": sorted(STANDING)},
        "sealed": True,
        "position": {"$lte": size},
    }
    row: Row | None = await scope["ledger"].find_one(
        condition, sort=[("position", -1)], session=scope.session
    )
    return row


# ---- roots


async def add_root(scope: Scope, new: LedgerRoot) -> None:
    """Raises DuplicateKeyError when this day has one."""
    await scope["ledger_roots"].insert_one(new.to_mongo(), session=scope.session)


async def roots(scope: Scope, *, before: str | None = None, limit: int = 0) -> list[LedgerRoot]:
    """Newest first; `limit` 0 is all: one a day."""
    condition: Row = {"_id": {"$lt": before}} if before else {}
    rows = scope["ledger_roots"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [LedgerRoot.from_mongo(row) async for row in rows]


async def root_of_day(scope: Scope, day: str) -> LedgerRoot | None:
    row = await scope["ledger_roots"].find_one({"_id": day}, session=scope.session)
    return None if row is None else LedgerRoot.from_mongo(row)


# ---- nodes


async def keep_nodes(scope: Scope, new: Sequence[tuple[Node, bytes]]) -> None:
    if new:
        rows = [{"_id": _id_of(node), "hash": digest} for node, digest in new]
        await scope["ledger_nodes"].bulk_write(
            [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows], ordered=False
        )


async def nodes(scope: Scope, wanted: Sequence[Node]) -> dict[Node, bytes]:
    by_id = {_id_of(node): node for node in wanted}
    rows = scope["ledger_nodes"].find({"_id": {"$in": list(by_id)}}, session=scope.session)
    return {by_id[row["_id"]]: bytes(row["hash"]) async for row in rows}


def _id_of(node: Node) -> str:
    return f"{node.level:02}:{node.index:012}"
