"""Surveys from before a class could have a second one, about who taught after the first had opened (articles 4.7 and 8.4.1).

Each is the first part of its class. The index that let a class have one alone goes; the one by class and part takes its place when the
server starts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches

NAME = "class_id_1"


async def run(platform: Platform) -> AsyncIterator[int]:
    if NAME in await platform["surveys"].index_information():
        await platform["surveys"].drop_index(NAME)
    async for changed in in_batches(platform, "surveys", {"part": {"$exists": False}}, _changes):
        yield changed


async def _changes(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    return [filled(one, {"part": 1}) for one in found]
