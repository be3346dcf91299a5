"""Members of the pool that were registered before it kept statuses, figures and what it is searched by.

They have none of these fields, so that no filter finds them. A member without a decision is active (article 9.1: registration itself
is none); the daily work reckons up the figures.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.grams import grams
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "backbone_teachers", {"grams": {"$exists": False}}, _changes):
        yield changed


async def _changes(platform: Platform, members: list[Row]) -> list[UpdateOne]:
    return [filled(one, _missing(one)) for one in members]


def _missing(member: Row) -> Row:
    return {
        "certificate_number": None,
        "decision_id": None,
        "status": "ACTIVE",
        "status_since": None,
        "due_on": None,
        "history": [],
        "figures": [],
        "marks": [],
        "grams": grams(member["name"], member["work_unit"]),
    }
