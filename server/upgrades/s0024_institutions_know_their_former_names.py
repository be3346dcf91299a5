"""Institutions that were renamed before they kept the names they had: rosters and the pool may still say one of these."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


def run(platform: Platform) -> AsyncIterator[int]:
    return in_batches(platform, "institutions", {"former_names": {"$exists": False}}, _changes)


async def _changes(platform: Platform, rows: list[Row]) -> list[UpdateOne]:
    """Each approved correction of a name says what it was before."""
    names = {row["_id"]: row["name"] for row in rows}
    made: Row = {"thing": {"$in": [*names]}, "subject": "INSTITUTION", "state": "APPROVED"}
    former: dict[str, dict[str, None]] = {code: {} for code in names}
    async for one in platform["corrections"].find(made, {"thing": 1, "changes": 1}).sort("_id", 1):
        before = {change["before"]: None for change in one["changes"] if change["field"] == "name"}
        former[one["thing"]] |= before
    return [
        filled(row, {"former_names": [one for one in former[row["_id"]] if one != row["name"]]})
        for row in rows
    ]
