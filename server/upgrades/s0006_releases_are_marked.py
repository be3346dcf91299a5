"""Results that were released before the platform asked whether the hours of the scheme had been held (article 4.6).

They stay as they are, with their certificates, and the page of results says by which rule they were released (按旧规则公布).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    released: Row = {"results_released_at": {"$ne": None}, "released_by_old_rule": {"$exists": False}}
    async for changed in in_batches(platform, "classes", released, _changes):
        yield changed


async def _changes(platform: Platform, classes: list[Row]) -> list[UpdateOne]:
    return [filled(one, {"released_by_old_rule": True}) for one in classes]
