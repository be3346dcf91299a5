"""Plans in force before they named the items for which nobody has applied yet (article 4.2): the list of classes begins with these."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.platform import Platform

HOLDING = ["SUBMITTED", "RETURNED", "APPROVED"]


async def run(platform: Platform) -> AsyncIterator[int]:
    """In one write a plan, which does nothing to a plan that says it already."""
    silent = {"state": "APPROVED", "to_apply": {"$exists": False}}
    async for plan in platform["plans"].find(silent, {"institution_code": 1, "items.id": 1}):
        ids = [item["id"] for item in plan["items"]]
        taken = await platform["applications"].distinct(
            "item.id",
            {
                "institution_code": plan["institution_code"],
                "item.id": {"$in": ids},
                "state": {"$in": HOLDING},
            },
        )
        done = await platform["plans"].update_one(
            {"_id": plan["_id"], **silent}, {"$set": {"to_apply": sorted(set(ids) - set(taken))}}
        )
        yield done.modified_count
