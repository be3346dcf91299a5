"""Surveys from before answers lay in envelopes: what is still to be answered is sealed from now on; what is over is open already."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel import envelopes
from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    now = platform.clock.now()
    async for one in platform["surveys"].find({"unsealed_at": {"$exists": False}}).sort("_id", 1):
        fields = {"unsealed_at": one["closes_at"], "box_id": None, "public_key": None}
        if one["closes_at"] > now:
            box = await envelopes.new_box(platform.settings)
            fields = {"unsealed_at": None, "box_id": box.id, "public_key": box.public_key}
        done = await platform["surveys"].update_one(
            {"_id": one["_id"], "unsealed_at": {"$exists": False}}, {"$set": fields}
        )
        yield done.modified_count
