"""Queries over recommendations, lists and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bson.binary import Binary

from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope
from server.selection.documents import Decision, Nominee, NomineeFilter, PassList
from server.selection.rules import ListState, State

COLLECTIONS = (
    CollectionSpec(
        "nominees",
        shard_key=None,
        indexes=(
            # A person is recommended once at a time, in the whole country.
            Index([("id_number", 1)], unique=True, partial={"open": True}),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("state", 1), ("major", 1), ("_id", -1)]),
            Index([("state", 1), ("_id", -1)]),
            Index([("major", 1), ("_id", -1)]),
            Index([("province_code", 1), ("major", 1), ("_id", -1)]),
            Index([("class_id", 1)]),
            Index([("state", 1), ("closed_at", 1)]),
        ),
    ),
    CollectionSpec(
        "pass_lists",
        shard_key=None,
        indexes=(
            Index([("class_id", 1)], unique=True, partial={"open": True}),
            Index([("class_id", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("state", 1), ("_id", -1)]),
        ),
    ),
    CollectionSpec("pool_decisions", shard_key=None, indexes=(Index([("number", 1)], unique=True),)),
)


# ---- recommendations


async def insert_nominee(scope: Scope, new: Nominee) -> None:
    await scope["nominees"].insert_one(new.to_mongo(), session=scope.session)


async def nominee(scope: Scope, reach: Jurisdiction, nominee_id: str) -> Nominee | None:
    return await _nominee(scope, {"$and": [{"_id": nominee_id}, reach.filter()]})


async def nominee_of_class(scope: Scope, class_id: str, nominee_id: str) -> Nominee | None:
    return await _nominee(scope, {"_id": nominee_id, "class_id": class_id})


async def _nominee(scope: Scope, condition: Row) -> Nominee | None:
    row = await scope["nominees"].find_one(condition, session=scope.session)
    return None if row is None else Nominee.from_mongo(row)


async def nominees(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: NomineeFilter,
    *,
    drafts_too: bool,
    before: str | None,
    limit: int,
) -> list[Nominee]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    exact = {"state": narrowed.state, "province_code": narrowed.province_code, "major": narrowed.major}
    condition: Row = {"$and": [reach.filter(), {name: value for name, value in exact.items() if value}]}
    if not drafts_too:
        condition["$and"].append({"submitted_at": {"$ne": None}})
    return await by_age_from(scope, "nominees", condition, Nominee.from_mongo, before=before, limit=limit)


async def candidates(
    scope: Scope, *, major: str, province_code: str, before: str | None, limit: int
) -> list[Nominee]:
    """Those whom the centre has accepted, of the whole country: every 师资研修中心 may take them."""
    return await nominees(
        scope,
        Jurisdiction.everything(),
        NomineeFilter(State.ACCEPTED, province_code, major),
        drafts_too=False,
        before=before,
        limit=limit,
    )


async def accepted(scope: Scope, nominee_ids: Sequence[str]) -> list[Nominee]:
    rows = scope["nominees"].find(
        {"_id": {"$in": list(nominee_ids)}, "state": State.ACCEPTED}, session=scope.session
    )
    return [Nominee.from_mongo(row) async for row in rows.sort("_id", 1)]


async def of_class(scope: Scope, class_id: str) -> list[Nominee]:
    """A class is small, so it is read whole."""
    rows = scope["nominees"].find({"class_id": class_id}, session=scope.session).sort("_id", 1)
    return [Nominee.from_mongo(row) async for row in rows]


async def by_ids(scope: Scope, nominee_ids: Sequence[str]) -> list[Nominee]:
    rows = scope["nominees"].find({"_id": {"$in": list(nominee_ids)}}, session=scope.session)
    return [Nominee.from_mongo(row) async for row in rows]


async def count_by_province(scope: Scope, reach: Jurisdiction) -> dict[tuple[str, State], int]:
    """How many recommendations of each province are in each state, off an index."""
    pipeline: list[Row] = [
        {"$match": reach.filter()},
        {"$group": {"_id": {"province": "$province_code", "state": "$state"}, "count": {"$sum": 1}}},
    ]
    rows = scope["nominees"].aggregate(
        pipeline, session=scope.session, hint={"province_code": 1, "state": 1, "_id": -1}
    )
    return {(row["_id"]["province"], State(row["_id"]["state"])): row["count"] async for row in rows}


async def withdrawn_before(scope: Scope, moment: datetime, limit: int) -> list[Nominee]:
    """What was taken back before then and still says something of a person."""
    condition = {"state": State.WITHDRAWN, "closed_at": {"$lt": moment}, "forgotten_at": None}
    rows = scope["nominees"].find(condition, session=scope.session).sort("closed_at", 1).limit(limit)
    return [Nominee.from_mongo(row) async for row in rows]


# ---- lists


async def insert_list(scope: Scope, new: PassList) -> None:
    await scope["pass_lists"].insert_one(new.to_mongo(), session=scope.session)


async def pass_list(scope: Scope, reach: Jurisdiction, list_id: str) -> PassList | None:
    condition = {"$and": [{"_id": list_id}, reach.filter()]}
    row = await scope["pass_lists"].find_one(condition, session=scope.session)
    return None if row is None else PassList.from_mongo(row)


async def lists_of_class(scope: Scope, class_id: str) -> list[PassList]:
    """Newest first."""
    rows = scope["pass_lists"].find({"class_id": class_id}, session=scope.session).sort("_id", -1)
    return [PassList.from_mongo(row) async for row in rows]


async def lists(
    scope: Scope, reach: Jurisdiction, *, state: ListState | None, before: str | None, limit: int
) -> list[PassList]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    condition: Row = {"$and": [reach.filter(), {"state": state} if state else {}]}
    return await by_age_from(scope, "pass_lists", condition, PassList.from_mongo, before=before, limit=limit)


# ---- decisions


async def insert_decision(scope: Scope, new: Decision) -> None:
    await scope["pool_decisions"].insert_one(new.to_mongo(), session=scope.session)


async def decision(scope: Scope, decision_id: str) -> Decision | None:
    row = await scope["pool_decisions"].find_one({"_id": decision_id}, session=scope.session)
    return None if row is None else Decision.from_mongo(row)


async def relocate(scope: Scope, id_number: Binary, work_unit: str, province_code: str) -> None:
    """The recommendation of this person that is still open; closed ones stay where they were made."""
    await scope["nominees"].update_many(
        {"id_number": id_number, "open": True},
        {"$set": {"work_unit": work_unit, "province_code": province_code}},
        session=scope.session,
    )
