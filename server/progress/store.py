"""Queries over what was asked again."""

from __future__ import annotations

from collections.abc import Sequence

from server.kernel.mongo import CollectionSpec, Index
from server.kernel.unit_of_work import Scope
from server.progress.documents import Urging

COLLECTIONS = (
    CollectionSpec(
        "urgings",
        shard_key="item",
        indexes=(Index([("item", 1), ("owner", 1), ("day", 1)], unique=True),),
    ),
)


async def insert(scope: Scope, new: Urging) -> None:
    """Raises DuplicateKeyError for what was asked again of the same today."""
    await scope["urgings"].insert_one(new.to_mongo(), session=scope.session)


async def of_items(scope: Scope, items: Sequence[str]) -> list[Urging]:
    """Oldest first."""
    rows = scope["urgings"].find({"item": {"$in": list(items)}}, session=scope.session)
    return [Urging.from_mongo(row) async for row in rows.sort([("item", 1), ("at", 1)])]
