"""Certificates of before there was a ledger are entered as they stand: 核发, and 撤销 of those that are revoked, each marked as 补录.

What they said on the day they were issued nobody can prove any more; from here on no word of them changes unseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from server.certificates import sealed
from server.kernel.identity import system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.upgrades.batches import AT_ONCE


async def run(platform: Platform) -> AsyncIterator[int]:
    """One that waits for its file is entered when it is signed. Cut off, it enters what is missing."""
    last = ""
    while rows := await _batch(platform, last):
        last = rows[-1]["_id"]
        of_these = {"certificate_id": {"$in": [row["_id"] for row in rows]}}
        known = platform["ledger"].find(of_these, {"certificate_id": 1, "kind": 1})
        there = {(one["certificate_id"], one["kind"]) async for one in known}
        entries = await _entries(platform, rows)
        new = [one for one in entries if (one["certificate_id"], one["kind"]) not in there]
        if new:
            await platform["ledger"].insert_many(new)
        yield len(new)


async def _batch(platform: Platform, after: str) -> list[Row]:
    condition = {"_id": {"$gt": after}, "status": {"$ne": "PENDING"}}
    return await platform["certificates"].find(condition).sort("_id", 1).limit(AT_ONCE).to_list(None)


async def _entries(platform: Platform, rows: Sequence[Row]) -> list[Row]:
    by = system("upgrade")
    bases = await sealed.rows_of_classes(platform, {row["class_id"] for row in rows})
    entries = []
    for row in rows:
        file = (row.get("file") or {}).get("sha256", "")
        subject = sealed.subject_of_row(row, bases[row["class_id"]], file)
        happened = [(EntryKind.ISSUED, row["issued_at"], {"by": row["issued_by"]})]
        if row["status"] == "REVOKED":
            facts = {"by": row["revoked_by"], "reason": row["revoke_reason"] or ""}
            happened.append((EntryKind.REVOKED, row["revoked_at"], facts))
        entries += [
            ledger.row_of(platform, by, at, kind, subject, told, late=True) for kind, at, told in happened
        ]
    return entries
