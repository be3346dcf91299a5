"""Queries over content checks: what WeChat has not (yet) let pass, and the verdicts that come by push."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from server.kernel import queries
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.queries import count_and_oldest
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Owed
from server.wechat.content_documents import KEPT, ContentCheck, State

COLLECTIONS = (
    CollectionSpec(
        "content_checks",
        shard_key="subject",
        indexes=(
            Index([("subject", 1), ("part", 1)]),
            Index([("next_attempt_at", 1)], partial={"pending": True}),
            Index([("province_code", 1), ("open", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("open", 1), ("_id", -1)]),
            Index([("open", 1), ("_id", -1)]),
            Index([("file_id", 1)], partial={"file_id": {"$type": "string"}}),
            Index([("forget_at", 1)], expire_after_seconds=0),
        ),
    ),
    CollectionSpec(
        "content_verdicts", shard_key="_id", indexes=(Index([("at", 1)], expire_after_seconds=7 * 86_400),)
    ),
)


async def insert(scope: Scope, new: Sequence[ContentCheck]) -> None:
    if new:
        await scope["content_checks"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def claim(scope: Scope, now: datetime, claim: timedelta) -> ContentCheck | None:
    """The next check that is due, claimed for a while; None when nothing waits."""
    row: Row | None = await scope["content_checks"].find_one_and_update(
        {"pending": True, "next_attempt_at": {"$lte": now}},
        {"$set": {"next_attempt_at": now + claim}, "$inc": {"attempts": 1}},
        sort=[("next_attempt_at", 1)],
        return_document=True,
    )
    return None if row is None else ContentCheck.from_mongo(row)


async def postpone(scope: Scope, check_id: str, until: datetime) -> None:
    await scope["content_checks"].update_one(
        {"_id": check_id, "pending": True}, {"$set": {"next_attempt_at": until}}
    )


async def change_state(
    scope: Scope, check_id: str, state: State, before: Sequence[State], now: datetime, **facts: object
) -> ContentCheck | None:
    """The check in its new state; None when it is in none of the states `before` (any more)."""
    change: Row = {"state": state, "pending": state.pending, "open": state.open, **facts}
    if not state.pending and not state.open:  # nobody has to look at the words any more
        change |= {"text": None, "forget_at": now + KEPT}
    row: Row | None = await scope["content_checks"].find_one_and_update(
        {"_id": check_id, "state": {"$in": list(before)}},
        {"$set": change},
        return_document=True,
        session=scope.session,
    )
    return None if row is None else ContentCheck.from_mongo(row)


async def of_subjects(scope: Scope, subjects: Sequence[str]) -> list[ContentCheck]:
    if not subjects:
        return []
    rows = scope["content_checks"].find({"subject": {"$in": list(subjects)}}, session=scope.session)
    return [ContentCheck.from_mongo(row) async for row in rows]


async def of_file(scope: Scope, file_id: str) -> ContentCheck | None:
    row = await scope["content_checks"].find_one({"file_id": file_id})
    return None if row is None else ContentCheck.from_mongo(row)


async def in_reach(scope: Scope, reach: Jurisdiction, check_id: str) -> ContentCheck | None:
    row = await scope["content_checks"].find_one(
        {"$and": [{"_id": check_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else ContentCheck.from_mongo(row)


async def listed(
    scope: Scope, reach: Jurisdiction, *, flagged: bool, before: str | None, limit: int
) -> list[ContentCheck]:
    """Newest first, older than the id `before`."""
    condition, direction = by_age({"$and": [reach.filter(), {"open": flagged}]}, before)
    rows = scope["content_checks"].find(condition).sort("_id", direction).limit(limit)
    return [ContentCheck.from_mongo(row) async for row in rows]


async def count_open(scope: Scope, institution_code: str, most: int) -> tuple[int, datetime | None]:
    """How many an institution has to look at, and since when the oldest waits."""
    condition: Row = {"institution_code": institution_code, "open": True}
    return await count_and_oldest(scope, "content_checks", condition, "created_at", most)


async def owed(scope: Scope, reach: Jurisdiction) -> list[Owed]:
    """The same of each institution in this reach."""
    condition: Row = {"$and": [reach.filter(), {"open": True, "institution_code": {"$ne": ""}}]}
    return await queries.owed(scope, "content_checks", condition, "created_at")


async def meet_asked(scope: Scope, trace_id: str, check_id: str, now: datetime) -> Row:
    """Notes which check a trace belongs to, and gives the trace's row: its verdict may have come before this."""
    return await _meet(scope, trace_id, {"check_id": check_id, "at": now})


async def meet_told(scope: Scope, trace_id: str, suggest: str, label: int, now: datetime) -> Row:
    """Notes a verdict, and gives the trace's row: which check it belongs to may not be known yet."""
    return await _meet(scope, trace_id, {"suggest": suggest, "label": label, "at": now})


async def _meet(scope: Scope, trace_id: str, facts: Row) -> Row:
    """Both sides write the same row, so that whoever comes second sees the first."""
    row: Row = await scope["content_verdicts"].find_one_and_update(
        {"_id": trace_id}, {"$set": facts}, upsert=True, return_document=True, session=scope.session
    )
    return row
