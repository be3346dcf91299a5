"""Teachers of classes from before 授课 and 考核 were two rights (article 6).

What somebody has accepted is what they do. Whoever teaches without an accepted letter (classes of before the invitations) did both,
and goes on to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import in_batches

BOTH = ["TEACHING", "ASSESSMENT"]


async def run(platform: Platform) -> AsyncIterator[int]:
    waiting = {"teachers": {"$elemMatch": {"kinds": {"$exists": False}}}}
    async for changed in in_batches(platform, "classes", waiting, _changes):
        yield changed


async def _changes(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    rows = platform["invitations"].find(
        {"class_id": {"$in": [one["_id"] for one in found]}, "state": "ACCEPTED"},
        {"class_id": 1, "teacher_id": 1, "kind": 1},
    )
    accepted: dict[tuple[str, str], list[str]] = {}
    async for row in rows:
        accepted.setdefault((row["class_id"], row["teacher_id"]), []).append(row["kind"])
    return [
        UpdateOne({"_id": one["_id"]}, {"$set": {"teachers": _with_kinds(one, accepted)}}) for one in found
    ]


def _with_kinds(training_class: Row, accepted: dict[tuple[str, str], list[str]]) -> list[Row]:
    return [
        {"kinds": accepted.get((training_class["_id"], teacher["person_id"]), BOTH), **teacher}
        for teacher in training_class["teachers"]
    ]
