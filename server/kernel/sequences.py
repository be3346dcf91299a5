"""Gap-free orders: taken inside the transaction that uses them, so that a number is spent only when its paper exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pymongo import ReturnDocument

from server.kernel.errors import Conflict
from server.kernel.mongo import CollectionSpec
from server.kernel.unit_of_work import Scope, UnitOfWork

COLLECTIONS = (CollectionSpec("sequences", shard_key="_id"),)


class OrderExhausted(Conflict):
    slug = "order-exhausted"
    title = "顺序号已用完"


async def take(unit: UnitOfWork, name: str, count: int, *, last: int) -> int:
    """Takes `count` consecutive orders of the sequence `name` and returns the first; a sequence begins with 1.

    Raises OrderExhausted when the last of them would exceed `last`; the transaction then ends with nothing written.
    Two transactions that take from one sequence wait for each other: the second is retried by the driver.
    """
    row = await unit["sequences"].find_one_and_update(
        {"_id": name},
        {"$inc": {"taken": count}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=unit.session,
    )
    taken = cast(int, row["taken"])
    if taken > last:
        left = max(0, last - (taken - count))
        raise OrderExhausted(
            f"还剩 {left} 个顺序号，本次需要 {count} 个，未写入任何内容。请减少人数或联系部指导中心。"
        )
    return taken - count + 1


async def taken(scope: Scope, beginnings: Sequence[str]) -> dict[str, int]:
    """How far each sequence has come whose name begins with one of these."""
    named = [{"_id": {"$gte": text, "$lt": text + "\U0010ffff"}} for text in beginnings]
    rows = scope["sequences"].find({"$or": named}, session=scope.session)
    return {row["_id"]: row["taken"] async for row in rows}
