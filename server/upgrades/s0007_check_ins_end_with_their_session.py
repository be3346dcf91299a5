"""Sessions whose check-in could go on after their end.

Since a release counts on it (attendance.rules.SETTLES_AFTER), a check-in ends with its session at the latest, and 迟到 begins no later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    too_long: Row = {"$expr": {"$gt": ["$closes_at", "$ends_at"]}}
    async for changed in in_batches(platform, "teaching_sessions", too_long, _changes):
        yield changed


async def _changes(platform: Platform, sessions: list[Row]) -> list[UpdateOne]:
    return [
        UpdateOne(
            {"_id": one["_id"]},
            {"$set": {"closes_at": one["ends_at"], "late_after": min(one["late_after"], one["ends_at"])}},
        )
        for one in sessions
    ]
