"""Queries over who stands in for whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from server.accounts.documents import Delegation
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "delegations",
        shard_key=None,
        indexes=(
            Index([("from_id", 1), ("last_on", -1)]),
            Index([("to_id", 1), ("last_on", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
        ),
    ),
)


async def insert(scope: Scope, new: Delegation) -> None:
    await scope["delegations"].insert_one(new.to_mongo(), session=scope.session)


async def delegation(scope: Scope, delegation_id: str, reach: Jurisdiction) -> Delegation | None:
    row = await scope["delegations"].find_one(
        {"$and": [{"_id": delegation_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Delegation.from_mongo(row)


async def of_accounts(scope: Scope, account_ids: Sequence[str], since: date) -> list[Delegation]:
    """Those that any of these gives or has, and that are not over before that day."""
    either: Row = {"$or": [{side: {"$in": list(account_ids)}} for side in ("from_id", "to_id")]}
    rows = scope["delegations"].find(
        {**either, "last_on": {"$gte": since.isoformat()}}, session=scope.session
    )
    return [Delegation.from_mongo(row) async for row in rows.sort("_id", 1)]


async def delegations(
    scope: Scope, reach: Jurisdiction, *, before: str | None, limit: int
) -> list[Delegation]:
    """Newest first."""
    older: Row = {"_id": {"$lt": before}} if before else {}
    rows = scope["delegations"].find({"$and": [reach.filter(), older]}, session=scope.session).sort("_id", -1)
    return [Delegation.from_mongo(row) async for row in rows.limit(limit)]


async def end(scope: Scope, ended: Delegation, last_on: date) -> bool:
    """False when somebody has ended it meanwhile."""
    fields = ended.model_dump(include={"last_on", "ended_at", "ended_by", "end_reason"})
    done = await scope["delegations"].update_one(
        {"_id": ended.id, "ended_at": None, "last_on": last_on}, {"$set": fields}, session=scope.session
    )
    return bool(done.modified_count)


async def set_standing(scope: Scope, session_id: str, account_id: str, delegation_id: str | None) -> None:
    """For whom a log-in acts from now on."""
    await scope["staff_sessions"].update_one(
        {"_id": session_id, "account_id": account_id},
        {"$set": {"delegation_id": delegation_id}},
        session=scope.session,
    )
