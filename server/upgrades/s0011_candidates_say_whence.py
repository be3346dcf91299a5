"""Enrolments of candidates from before an enrolment said that the selection had made it: only there are they taken out again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    placed = {"person_id": {"$type": "string"}, "class_id": {"$type": "string"}}
    async for one in platform["nominees"].find(placed, {"person_id": 1, "class_id": 1}).sort("_id", 1):
        done = await platform["enrolments"].update_one(
            {"class_id": one["class_id"], "person_id": one["person_id"], "source": {"$ne": "selection"}},
            {"$set": {"source": "selection"}},
        )
        yield done.modified_count
