"""How a step walks a collection of any size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform

AT_ONCE = 200
"""Documents in memory at the same moment."""


async def in_batches(
    platform: Platform,
    collection: str,
    waiting: Row,
    changes: Callable[[Platform, list[Row]], Awaitable[list[UpdateOne]]],
) -> AsyncIterator[int]:
    """Changes the documents that meet the condition `waiting`, in the order of their ids; yields after each batch how many changed.

    A document that has been changed must not meet the condition any more: then a walk that was cut off is simply begun again.
    """
    condition: Row = waiting
    while rows := await platform[collection].find(condition).sort("_id", 1).limit(AT_ONCE).to_list(None):
        done = await platform[collection].bulk_write(await changes(platform, rows), ordered=False)
        yield done.modified_count
        condition = {"$and": [waiting, {"_id": {"$gt": rows[-1]["_id"]}}]}


def filled(row: Row, fields: Row) -> UpdateOne:
    """Gives a document those of these fields that it has not."""
    return UpdateOne(
        {"_id": row["_id"]}, {"$set": {name: fields[name] for name in fields.keys() - row.keys()}}
    )
