"""What each class and each of its people had handed in before there was a quota: it counts like what comes later."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    for class_id in await platform["submissions"].distinct("class_id"):
        sums: list[Row] = [
            {"$match": {"class_id": class_id}},
            {"$group": {"_id": "$person_id", "bytes": {"$sum": {"$sum": "$files.size"}}}},
        ]
        people = await platform["submissions"].aggregate(sums).to_list(None)
        found = {f"{class_id}:{one['_id']}": one["bytes"] for one in people if one["bytes"]}
        found[class_id] = sum(found.values())
        changes = [
            UpdateOne({"_id": key}, {"$set": {"bytes": size}}, upsert=True) for key, size in found.items()
        ]
        done = await platform["submitted_bytes"].bulk_write(changes, ordered=False)
        yield done.modified_count + done.upserted_count
