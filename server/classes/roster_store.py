"""Queries over the rosters that institutions upload."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.classes.documents import RosterImport, RosterState, WaitingRoster
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "roster_imports",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("_id", -1)]),
            Index([("expires_at", 1)], expire_after_seconds=0),
            Index([("confirmed_at", 1)], partial={"emptied": False}),
        ),
    ),
)


async def insert_roster_import(scope: Scope, new: RosterImport) -> None:
    await scope["roster_imports"].insert_one(new.to_mongo(), session=scope.session)


async def roster_import(scope: Scope, reach: Jurisdiction, import_id: str) -> RosterImport | None:
    row = await scope["roster_imports"].find_one(
        {"$and": [{"_id": import_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else RosterImport.from_mongo(row)


async def waiting_rosters(scope: Scope, class_ids: Sequence[str], now: datetime) -> dict[str, WaitingRoster]:
    """By class: its latest upload, where that is a preview still; a later confirmation settles what came before it."""
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}}},
        {"$sort": {"class_id": 1, "_id": -1}},
        {
            "$project": {
                "class_id": 1,
                "file_name": 1,
                "state": 1,
                "created_at": 1,
                "expires_at": 1,
                "rows": {"$size": "$rows"},
                "problems": {"$size": "$problems"},
            }
        },
        {"$group": {"_id": "$class_id", "latest": {"$first": "$$ROOT"}}},
    ]
    waiting = {}
    async for group in scope["roster_imports"].aggregate(pipeline, session=scope.session):
        row = group["latest"]
        if row["state"] == RosterState.PREVIEW and row["expires_at"] > now:
            waiting[group["_id"]] = WaitingRoster(
                row["_id"], row["file_name"], row["rows"], row["problems"], row["created_at"]
            )
    return waiting


async def confirm_roster_import(scope: Scope, import_id: str, at: datetime) -> None:
    await scope["roster_imports"].update_one(
        {"_id": import_id},
        {"$set": {"state": RosterState.CONFIRMED, "confirmed_at": at, "expires_at": None}},
        session=scope.session,
    )


# ---- what is not needed any more


async def rosters_imported_before(scope: Scope, before: datetime, limit: int) -> list[str]:
    """Ids of rosters that were imported before that moment and still hold their rows."""
    rows = scope["roster_imports"].find(
        {"emptied": False, "confirmed_at": {"$lt": before}}, {"_id": 1}, session=scope.session
    )
    return [row["_id"] async for row in rows.limit(limit)]


async def empty_rosters(scope: Scope, ids: Sequence[str]) -> int:
    done = await scope["roster_imports"].update_many(
        {"_id": {"$in": list(ids)}, "emptied": False, "state": RosterState.CONFIRMED},
        {"$set": {"emptied": True, "rows": [], "problems": [], "skipped": []}},
        session=scope.session,
    )
    return int(done.modified_count)
