"""Queries over what befell classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.interruptions.documents import ChangeFilter, ClassChange
from server.interruptions.rules import Ground, Kind, State
from server.kernel import queries
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Actor, Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from, count_and_oldest
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Owed

COLLECTIONS = (
    CollectionSpec(
        "class_changes",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1)], unique=True, partial={"open": True}),
            Index([("class_id", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
            Index([("state", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("later.institution_code", 1), ("state", 1)]),
            Index([("later.institution_code", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code", "later.institution_code"),
        ),
    ),
)


async def insert(scope: Scope, new: ClassChange) -> None:
    await scope["class_changes"].insert_one(new.to_mongo(), session=scope.session)


def within(actor: Actor) -> Row:
    """What an actor may see: what concerns the own jurisdiction, and who is asked to take people in sees that too."""
    reach = actor.jurisdiction.filter()
    if actor.institution_code is None:
        return reach
    return {"$or": [reach, {"later.institution_code": actor.institution_code}]}


async def change(scope: Scope, actor: Actor, change_id: str) -> ClassChange | None:
    return await _one(scope, {"$and": [{"_id": change_id}, within(actor)]})


async def waiting_of(scope: Scope, class_id: str) -> ClassChange | None:
    """The request of a class that is not settled: it waits, or has come back."""
    return await _one(
        scope, {"class_id": class_id, "state": {"$in": [State.ASKED, State.SUBMITTED, State.RETURNED]}}
    )


async def unsettled(scope: Scope, class_ids: Sequence[str]) -> list[ClassChange]:
    """Of these classes, oldest first."""
    waits = {"$in": [State.ASKED, State.SUBMITTED, State.RETURNED]}
    rows = scope["class_changes"].find(
        {"class_id": {"$in": list(class_ids)}, "state": waits}, session=scope.session
    )
    return [ClassChange.from_mongo(row) async for row in rows.sort("_id", 1)]


async def _one(scope: Scope, condition: Row) -> ClassChange | None:
    row = await scope["class_changes"].find_one(condition, session=scope.session)
    return None if row is None else ClassChange.from_mongo(row)


async def changes(
    scope: Scope, actor: Actor, narrowed: ChangeFilter, *, before: str | None, limit: int
) -> list[ClassChange]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    facets = {"state": narrowed.state, "kind": narrowed.kind, "ground": narrowed.ground}
    names = ("class_name", "institution_name")
    conditions: list[Row] = [within(actor), looking_for(narrowed.words, names, facets)]
    if narrowed.province_code:
        conditions.append({"province_code": narrowed.province_code})
    return await by_age_from(
        scope, "class_changes", {"$and": conditions}, ClassChange.from_mongo, before=before, limit=limit
    )


async def of_class(scope: Scope, class_id: str) -> list[ClassChange]:
    """Newest first."""
    rows = scope["class_changes"].find({"class_id": class_id}, session=scope.session)
    return [ClassChange.from_mongo(row) async for row in rows.sort("_id", -1)]


async def asked_of(scope: Scope, institution_code: str) -> tuple[int, datetime | None]:
    """How many requests wait for this institution to take people in, and since when the oldest does."""
    condition: Row = {"later.institution_code": institution_code, "state": State.ASKED}
    return await count_and_oldest(scope, "class_changes", condition, "filed_at")


async def owed(scope: Scope, reach: Jurisdiction, below: Sequence[str]) -> list[Owed]:
    """The same of each institution that is asked: of these, or for a class in this reach."""
    asked: Row = {"later.institution_code": {"$in": list(below)}}
    condition: Row = {"$and": [{"$or": [reach.filter(), asked]}, {"state": State.ASKED}]}
    whom: Row = {"$concat": ["institution:", "$later.institution_code"]}
    return await queries.owed(scope, "class_changes", condition, "filed_at", whom)


async def fell_to_force_majeure(scope: Scope, institution_code: str, since: datetime) -> list[ClassChange]:
    """The classes of an institution that 不可抗力 kept from being held, oldest first."""
    condition: Row = {
        "institution_code": institution_code,
        "ground": Ground.FORCE_MAJEURE,
        "kind": {"$in": [Kind.CALL_OFF, Kind.TERMINATE, Kind.TRANSFER]},
        "state": {"$in": [State.DONE, State.APPROVED]},
        "filed_at": {"$gte": since},
    }
    rows = scope["class_changes"].find(condition, session=scope.session).sort("_id", 1)
    return [ClassChange.from_mongo(row) async for row in rows]
