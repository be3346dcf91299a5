"""Leases: of all processes on all machines, one at a time does a piece of scheduled work."""

from __future__ import annotations

import secrets
from datetime import timedelta

from pymongo.errors import DuplicateKeyError

from server.kernel.mongo import CollectionSpec
from server.kernel.platform import Platform

COLLECTIONS = (CollectionSpec("leases", shard_key="_id"),)

CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""
HOLDER = secrets.token_hex(8)
"""This process."""


async def hold(platform: Platform, name: str, for_: timedelta, holder: str = HOLDER) -> bool:
    """Takes or renews the lease `name` until `for_` from now; False when another holds it.

    Nobody holds one for longer than it is ever given: a row that says so was not written here, and is no lease.
    """
    now = platform.machine.now()
    honest = now + for_ + CLOCKS_APART
    try:
        row = await platform["leases"].find_one_and_update(
            {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}, {"until": {"$gt": honest}}]},
            {"$set": {"holder": holder, "until": now + for_}},
            upsert=True,
            return_document=True,
        )
    except DuplicateKeyError:  # the upsert met the row of the present holder
        return False
    return bool(row["holder"] == holder)


async def release(platform: Platform, name: str, holder: str) -> None:
    """Lets the lease `name` go before its time, if it is still this holder's."""
    await platform["leases"].delete_one({"_id": name, "holder": holder})
