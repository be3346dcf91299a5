"""Certificates and members of the pool from before names were looked for however they are spelt (kernel.folding).

Certificates lack the folded name by which they are found; the pool is found by pairs of characters, in which dots and full width stood.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.folding import folded
from server.kernel.grams import grams
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches

SPELT: Row = {"grams": {"$regex": "[.·•‧∙⋅˙・．･。‘’`\uff01-\uff5e]"}}
"""Something of which folding leaves nothing."""


async def run(platform: Platform) -> AsyncIterator[int]:
    lacking: Row = {"folded_name": {"$exists": False}}
    async for changed in in_batches(platform, "certificates", lacking, _certificates):
        yield changed
    async for changed in in_batches(platform, "backbone_teachers", SPELT, _members):
        yield changed


async def _certificates(platform: Platform, rows: list[Row]) -> list[UpdateOne]:
    return [filled(one, {"folded_name": folded(one["printed"]["name"])}) for one in rows]


async def _members(platform: Platform, rows: list[Row]) -> list[UpdateOne]:
    return [
        UpdateOne({"_id": one["_id"]}, {"$set": {"grams": grams(one["name"], one["work_unit"])}})
        for one in rows
    ]
