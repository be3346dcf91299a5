"""Certificates of before one could take another's place: whoever is not revoked stands for its person, class and number.

The unique indexes of that time forbid a second row for good; those of today look at what is current, under the same names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches

NO_SUCH = {26, 27}
"""MongoDB's codes for a collection and an index that is not there."""


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "certificates", {"current": {"$exists": False}}, _changes):
        yield changed
    for former in ("printed.number_1", "class_id_1_person_id_1"):
        try:
            await platform["certificates"].drop_index(former)
        except OperationFailure as error:
            if error.code not in NO_SUCH:
                raise
    yield 0


async def _changes(platform: Platform, rows: list[Row]) -> list[UpdateOne]:
    return [filled(row, {"current": row["status"] == "VALID"}) for row in rows]
