"""How much an office has asked for today, and certificates by many numbers at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bson.binary import Binary
from pymongo import ReturnDocument

from server.certificates.documents import NOT_ISSUED, Certificate
from server.kernel.mongo import CollectionSpec, Document, Index, Row
from server.kernel.unit_of_work import Scope


class BatchUse(Document):
    """`id` is the office and the day."""

    rows: int
    misses: int
    expires_at: datetime


COLLECTIONS = (
    CollectionSpec(
        "batch_queries", shard_key="_id", indexes=(Index([("expires_at", 1)], expire_after_seconds=0),)
    ),
)


async def use(scope: Scope, use_id: str, *, rows: int, misses: int, until: datetime) -> BatchUse:
    """Adds to what was used, and gives the sum."""
    row: Row = await scope["batch_queries"].find_one_and_update(
        {"_id": use_id},
        {"$inc": {"rows": rows, "misses": misses}, "$set": {"expires_at": until}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return BatchUse.from_mongo(row)


async def asked_for(scope: Scope, numbers: Sequence[str], id_numbers: Sequence[Binary]) -> list[Certificate]:
    """Newest first; what was not issued is none."""
    condition: Row = {
        "$or": [
            {"printed.number": {"$in": list(numbers)}},
            {"printed.id_number": {"$in": list(id_numbers)}},
        ],
        "status": {"$nin": list(NOT_ISSUED)},
    }
    rows = scope["certificates"].find(condition, session=scope.session)
    found = [Certificate.from_mongo(row) async for row in rows]
    return sorted(found, key=lambda one: one.id, reverse=True)
