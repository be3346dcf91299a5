"""Members of the pool that were registered before the platform asked what a registration rests on (article 9.1).

Whoever stood on a list of a decision, or has a number that is in the ledger under their own name, rests on the ledger. Of all others
the number was taken without looking: they are marked, stay members, and the pool says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "backbone_teachers", {"proof": {"$exists": False}}, _changes):
        yield changed


async def _changes(platform: Platform, members: list[Row]) -> list[UpdateOne]:
    numbers = [one["certificate_number"] for one in members if one.get("certificate_number")]
    rows = platform["certificates"].find(
        {"printed.number": {"$in": numbers}, "printed.level": "G", "status": "VALID"},
        {"person_id": 1, "printed.number": 1},
    )
    held = {(row["person_id"], row["printed"]["number"]) async for row in rows}
    return [filled(one, _missing(one, held)) for one in members]


def _missing(member: Row, held: set[tuple[str, str]]) -> Row:
    sure = member.get("decision_id") or (member["_id"], member.get("certificate_number")) in held
    return {"proof": "LEDGER" if sure else "UNCHECKED", "paper_number": "", "paper_dated_on": None}
