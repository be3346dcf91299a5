"""Queries over moves."""

from __future__ import annotations

from datetime import date

from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope
from server.moves.documents import Move, MoveFilter
from server.moves.rules import State

COLLECTIONS = (
    CollectionSpec(
        "moves",
        shard_key="person_id",
        indexes=(
            Index([("person_id", 1)], unique=True, partial={"open": True}),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("pending", 1)]),
            *found_indexes(),
            Index([("effective_on", 1)], partial={"state": State.CONFIRMED}),
        ),
    ),
)


async def insert(scope: Scope, new: Move) -> None:
    await scope["moves"].insert_one(new.to_mongo(), session=scope.session)


async def move(scope: Scope, reach: Jurisdiction, move_id: str) -> Move | None:
    row = await scope["moves"].find_one({"$and": [{"_id": move_id}, reach.filter()]}, session=scope.session)
    return None if row is None else Move.from_mongo(row)


async def moves(
    scope: Scope, reach: Jurisdiction, narrowed: MoveFilter, *, pending: str, before: str | None, limit: int
) -> list[Move]:
    """Newest first; `pending`: only those that wait for this province."""
    facets = {
        **dict(reach.conditions or ()),
        "state": narrowed.state,
        "person": narrowed.person_id,
        "pending": pending,
    }
    conditions: list[Row] = [
        reach.filter(),
        looking_for(narrowed.words, ("name", "from_unit", "to_unit"), facets),
        looking_for("", (), {"province_code": narrowed.province_code}),
    ]
    return await by_age_from(
        scope, "moves", {"$and": conditions}, Move.from_mongo, before=before, limit=limit
    )


async def due(scope: Scope, today: date, limit: int) -> list[str]:
    """Those that were confirmed for a day that has come."""
    condition = {"state": State.CONFIRMED, "effective_on": {"$lte": today.isoformat()}}
    rows = scope["moves"].find(condition, {"_id": 1}, session=scope.session).limit(limit)
    return [row["_id"] async for row in rows]


async def under_way(scope: Scope, person_id: str) -> Move | None:
    """The one of this person that is open."""
    row = await scope["moves"].find_one({"person_id": person_id, "open": True}, session=scope.session)
    return None if row is None else Move.from_mongo(row)


async def closed(scope: Scope, person_id: str, asked_by: str, limit: int = 1) -> list[Move]:
    """What came to nothing of what this office asked for this person, newest first."""
    came_to_nothing = {"$in": [State.WITHDRAWN, State.DECLINED]}
    condition = {"person_id": person_id, "asked_by": asked_by, "state": came_to_nothing}
    rows = scope["moves"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Move.from_mongo(row) async for row in rows]


async def persons(scope: Scope, person_ids: list[str]) -> set[str]:
    """Those of these people who ever moved or were to."""
    found = await scope["moves"].distinct(
        "person_id", {"person_id": {"$in": person_ids}}, session=scope.session
    )
    return set(found)
