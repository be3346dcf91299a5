"""Corrections that were asked for before their list was narrowed by level and searched by the name of the institution.

They lack both, and cannot be read without the name. A correction of an institution is about its name as it was then; one of a class, or
of a trainee in it, gets the name that the class carries now: it only serves to find the correction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(
        platform, "corrections", {"institution_name": {"$exists": False}}, _changes
    ):
        yield changed


async def _changes(platform: Platform, corrections: list[Row]) -> list[UpdateOne]:
    ids = sorted({one["class_id"] for one in corrections if one["class_id"]})
    found = platform["classes"].find({"_id": {"$in": ids}}, {"level": 1, "institution_name": 1})
    classes = {row["_id"]: row async for row in found}
    return [filled(one, _missing(one, classes.get(one["class_id"]))) for one in corrections]


def _missing(correction: Row, its_class: Row | None) -> Row:
    if its_class is None:
        return {"level": None, "institution_name": correction["about"]}
    return {"level": its_class["level"], "institution_name": its_class["institution_name"]}
