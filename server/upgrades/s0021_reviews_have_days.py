"""What the centre had set as the days after which an application is late is how long a review may take from now on.

`overdue_days` said it of applications alone; now it says when what is late is told to the superior, and `review_days` how long every review
may take (server/decisions/0028).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.mongo import new_id
from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    """Each version, with its day and its reason."""
    async for row in platform["policies"].find({"key": "overdue_days"}).sort("version", 1):
        there = {"key": "review_days", "version": row["version"]}
        said = {name: row[name] for name in row if name not in ("_id", *there)}
        done = await platform["policies"].update_one(
            there, {"$setOnInsert": {"_id": new_id(), **said}}, upsert=True
        )
        yield int(done.upserted_id is not None)
