"""Classes that were suspended or put off before a class kept the last day that it was planned with (articles 17 and 25.4).

Its certificates state no day after the last session that was held, and a correction does not undo what the province approved.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    """The last day before the first change that is in force, unless the class ends then again."""
    in_force = {"kind": {"$in": ["SUSPEND", "POSTPONE"]}, "state": "APPROVED"}
    async for change in platform["class_changes"].find(in_force, {"class_id": 1, "before": 1}).sort("_id", 1):
        planned = change["before"][1]
        done = await platform["classes"].update_one(
            {"_id": change["class_id"], "planned_ends_on": None, "ends_on": {"$ne": planned}},
            {"$set": {"planned_ends_on": planned}},
        )
        yield done.modified_count
