"""Versions of schemes that were saved before lists of schemes were narrowed by level, year and month.

They say neither the level of their class nor its first day, and cannot be read without them. The level of a class never changes; its
first day may have been corrected since the version was saved, and then the correction says what it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "scheme_versions", {"starts_on": {"$exists": False}}, _changes):
        yield changed


async def _changes(platform: Platform, versions: list[Row]) -> list[UpdateOne]:
    ids = sorted({one["class_id"] for one in versions})
    found = platform["classes"].find({"_id": {"$in": ids}}, {"level": 1, "starts_on": 1})
    classes = {row["_id"]: row async for row in found}
    corrections = (
        await platform["corrections"].find({"class_id": {"$in": ids}, "state": "APPROVED"}).to_list(None)
    )
    return [filled(one, _missing(one, classes[one["class_id"]], corrections)) for one in versions]


def _missing(version: Row, its_class: Row, corrections: Sequence[Row]) -> Row:
    moved_later = [
        (_approved_at(one), change["before"])
        for one in corrections
        if one["class_id"] == version["class_id"] and _approved_at(one) > version["saved_at"]
        for change in one["changes"]
        if change["field"] == "starts_on"
    ]
    starts_on = min(moved_later)[1] if moved_later else its_class["starts_on"]
    return {"level": its_class["level"], "starts_on": starts_on}


def _approved_at(correction: Row) -> datetime:
    approved: datetime = max(step["at"] for step in correction["history"] if step["action"] == "APPROVE")
    return approved
