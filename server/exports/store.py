"""Queries over workbooks that are prepared for somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from server.exports.documents import PreparedExport, State
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "exports",
        shard_key="owner_id",
        indexes=(
            Index([("owner_id", 1), ("_id", -1)]),
            Index([("owner_id", 1)], unique=True, partial={"state": State.PREPARING.value}),  # one at a time
            Index([("state", 1), ("_id", 1)]),
            Index([("expires_at", 1)]),
        ),
    ),
)


async def insert(scope: Scope, new: PreparedExport) -> None:
    """Raises DuplicateKeyError while another of this owner is being prepared."""
    await scope["exports"].insert_one(new.to_mongo(), session=scope.session)


async def of_owner(scope: Scope, owner_id: str, limit: int) -> list[PreparedExport]:
    """Newest first."""
    return await _newest(scope, {"owner_id": owner_id}, limit)


async def own(scope: Scope, owner_id: str, export_id: str) -> PreparedExport | None:
    return await _one(scope, {"_id": export_id, "owner_id": owner_id})


async def preparing(scope: Scope, owner_id: str) -> PreparedExport | None:
    return await _one(scope, {"owner_id": owner_id, "state": State.PREPARING})


async def standing(
    scope: Scope, owner_id: str, address: str, title: str, conditions: Mapping[str, str], since: datetime
) -> PreparedExport | None:
    """The newest of this very list that is being prepared, or is ready and was asked for after `since`."""
    of_this = {"owner_id": owner_id, "address": address, "title": title, "conditions": conditions}
    states = [{"state": State.PREPARING}, {"state": State.READY, "asked_at": {"$gt": since}}]
    return next(iter(await _newest(scope, {**of_this, "$or": states}, 1)), None)


async def waiting(scope: Scope, limit: int) -> list[PreparedExport]:
    """The oldest first."""
    rows = scope["exports"].find({"state": State.PREPARING}, session=scope.session).sort("_id", 1)
    return [PreparedExport.from_mongo(row) async for row in rows.limit(limit)]


async def beyond(scope: Scope, owner_id: str, kept: int, limit: int) -> Sequence[PreparedExport]:
    """Those that are ready behind the newest `kept`."""
    rows = scope["exports"].find({"owner_id": owner_id, "state": State.READY}, session=scope.session)
    return [PreparedExport.from_mongo(row) async for row in rows.sort("_id", -1).skip(kept).limit(limit)]


async def over(scope: Scope, now: datetime, limit: int) -> list[PreparedExport]:
    rows = scope["exports"].find({"expires_at": {"$lte": now}}, session=scope.session).limit(limit)
    return [PreparedExport.from_mongo(row) async for row in rows]


async def begin_run(scope: Scope, export_id: str, file_id: str) -> None:
    """From now on this run's file is the one that counts."""
    await scope["exports"].update_one(
        {"_id": export_id, "state": State.PREPARING},
        {"$set": {"file_id": file_id, "rows": 0}, "$inc": {"attempts": 1}},
        session=scope.session,
    )


async def change(scope: Scope, wanted: PreparedExport, changes: Mapping[str, object]) -> bool:
    """False once a later run has begun it anew, or it is settled."""
    running: Row = {"_id": wanted.id, "state": State.PREPARING, "file_id": wanted.file_id}
    done = await scope["exports"].update_one(running, {"$set": dict(changes)}, session=scope.session)
    return bool(done.matched_count)


async def delete(scope: Scope, export_id: str) -> int:
    return (await scope["exports"].delete_one({"_id": export_id}, session=scope.session)).deleted_count


async def _one(scope: Scope, condition: Row) -> PreparedExport | None:
    row = await scope["exports"].find_one(condition, session=scope.session)
    return None if row is None else PreparedExport.from_mongo(row)


async def _newest(scope: Scope, condition: Row, limit: int) -> list[PreparedExport]:
    rows = scope["exports"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [PreparedExport.from_mongo(row) async for row in rows]
