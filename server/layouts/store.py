"""Versions of layouts, and the institutions' printers."""

from __future__ import annotations

from collections.abc import Collection

from server.institutions.rules import Level
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.unit_of_work import Scope
from server.layouts.documents import Layout, Printer

COLLECTIONS = (
    CollectionSpec("layouts", shard_key=None, indexes=(Index([("level", 1), ("version", 1)], unique=True),)),
    CollectionSpec("printers", shard_key=None, indexes=()),
)


async def of_level(scope: Scope, level: Level) -> list[Layout]:
    """All that were ever set for a level, the newest first: a few."""
    rows = scope["layouts"].find({"level": level}, session=scope.session).sort("version", -1)
    return [Layout.from_mongo(row) async for row in rows]


async def every(scope: Scope) -> list[Layout]:
    """The newest first."""
    rows = scope["layouts"].find({}, session=scope.session).sort([("level", 1), ("version", -1)])
    return [Layout.from_mongo(row) async for row in rows]


async def by_ids(scope: Scope, ids: Collection[str]) -> list[Layout]:
    rows = scope["layouts"].find({"_id": {"$in": sorted(ids)}}, session=scope.session)
    return [Layout.from_mongo(row) async for row in rows]


async def insert(scope: Scope, layout: Layout) -> None:
    await scope["layouts"].insert_one(layout.to_mongo(), session=scope.session)


async def remove(scope: Scope, layout_id: str) -> None:
    await scope["layouts"].delete_one({"_id": layout_id}, session=scope.session)


async def printer(scope: Scope, institution_code: str) -> Printer | None:
    row = await scope["printers"].find_one({"_id": institution_code}, session=scope.session)
    return Printer.from_mongo(row) if row else None


async def save_printer(scope: Scope, kept: Printer) -> None:
    await scope["printers"].replace_one({"_id": kept.id}, kept.to_mongo(), upsert=True, session=scope.session)
