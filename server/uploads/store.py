"""Queries over uploads that wait, and over content that is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import ReturnDocument

from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope
from server.uploads.documents import UploadState, WaitingUpload

COLLECTIONS = (
    CollectionSpec(
        "waiting_uploads",
        shard_key="person_id",
        indexes=(
            Index([("person_id", 1), ("nonce", 1)], unique=True),
            Index([("state", 1), ("_id", 1)], partial={"state": UploadState.ARRIVED}),
            Index([("begun_at", 1)]),
        ),
    ),
    CollectionSpec("kept_contents", shard_key="_id"),
)


async def insert(scope: Scope, new: WaitingUpload) -> None:
    """Raises DuplicateKeyError for a nonce that the person has used."""
    await scope["waiting_uploads"].insert_one(new.to_mongo(), session=scope.session)


async def own(scope: Scope, person_id: str, upload_id: str) -> WaitingUpload | None:
    return await _one(scope, {"_id": upload_id, "person_id": person_id})


async def by_nonce(scope: Scope, person_id: str, nonce: str) -> WaitingUpload | None:
    return await _one(scope, {"person_id": person_id, "nonce": nonce})


async def several(scope: Scope, person_id: str, upload_ids: Sequence[str]) -> dict[str, WaitingUpload]:
    condition: Row = {"person_id": person_id, "_id": {"$in": list(upload_ids)}}
    rows = scope["waiting_uploads"].find(condition, session=scope.session)
    return {row["_id"]: WaitingUpload.from_mongo(row) async for row in rows}


async def bytes_waiting(scope: Scope, person_id: str) -> int:
    """What somebody has sent, or announced, and no document names yet."""
    stages: list[Row] = [
        {"$match": {"person_id": person_id, "state": {"$nin": [UploadState.REFUSED, UploadState.TAKEN]}}},
        {"$group": {"_id": None, "bytes": {"$sum": "$size"}}},
    ]
    rows = await scope["waiting_uploads"].aggregate(stages, session=scope.session).to_list(1)
    return int(rows[0]["bytes"]) if rows else 0


async def note_part(scope: Scope, upload: WaitingUpload, number: int) -> WaitingUpload | None:
    """That a part is kept; None where the upload is gone."""
    return await _change(
        scope, {"_id": upload.id, "person_id": upload.person_id}, {"$addToSet": {"got": number}}
    )


async def settle(
    scope: Scope, upload: WaitingUpload, of: UploadState, changes: dict[str, object]
) -> WaitingUpload | None:
    """None where it is not in this state any more."""
    condition = {"_id": upload.id, "person_id": upload.person_id, "state": of}
    return await _change(scope, condition, {"$set": changes})


async def arrived(scope: Scope, limit: int) -> list[WaitingUpload]:
    """Of all people, oldest first: whole, and not looked at."""
    rows = scope["waiting_uploads"].find({"state": UploadState.ARRIVED}).sort("_id", 1).limit(limit)
    return [WaitingUpload.from_mongo(row) async for row in rows]


async def begun_before(scope: Scope, moment: datetime, limit: int) -> list[WaitingUpload]:
    rows = scope["waiting_uploads"].find({"begun_at": {"$lt": moment}}).sort("begun_at", 1).limit(limit)
    return [WaitingUpload.from_mongo(row) async for row in rows]


async def remove(scope: Scope, upload: WaitingUpload) -> bool:
    condition = {"_id": upload.id, "person_id": upload.person_id}
    done = await scope["waiting_uploads"].delete_one(condition, session=scope.session)
    return bool(done.deleted_count)


async def leave_to_the_sweep(scope: Scope, upload: WaitingUpload) -> bool:
    condition = {"_id": upload.id, "person_id": upload.person_id, "state": UploadState.READY}
    return await _change(scope, condition, {"$set": {"state": UploadState.TAKEN}}) is not None


async def refer_to_content(scope: Scope, sha256: str, file_id: str, size: int) -> str:
    """Counts one more document that names this content, and gives the file that holds it: this one, where it is the first."""
    row: Row = await scope["kept_contents"].find_one_and_update(
        {"_id": sha256},
        {"$inc": {"references": 1}, "$setOnInsert": {"file_id": file_id, "size": size}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return str(row["file_id"])


async def _one(scope: Scope, condition: Row) -> WaitingUpload | None:
    row = await scope["waiting_uploads"].find_one(condition, session=scope.session)
    return WaitingUpload.from_mongo(row) if row else None


async def _change(scope: Scope, condition: Row, change: Row) -> WaitingUpload | None:
    row = await scope["waiting_uploads"].find_one_and_update(
        condition, change, return_document=ReturnDocument.AFTER, session=scope.session
    )
    return WaitingUpload.from_mongo(row) if row else None
