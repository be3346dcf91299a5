"""Rosters that were imported before the platform forgot them some months after (article 25, PIPL article 47).

They do not say that they hold anything still, so that the daily work which empties them never finds them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "roster_imports", {"emptied": {"$exists": False}}, _changes):
        yield changed


async def _changes(platform: Platform, rosters: list[Row]) -> list[UpdateOne]:
    return [filled(one, {"emptied": False}) for one in rosters]
