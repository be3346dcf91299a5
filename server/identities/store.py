"""Queries over requests to release a phone."""

from __future__ import annotations

from datetime import date

from server.accounts.proofs import Authority
from server.identities.documents import ReleaseFilter, ReleaseRequest
from server.identities.rules import State
from server.kernel import queries
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from, count_and_oldest
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Owed

COLLECTIONS = (
    CollectionSpec(
        "release_requests",
        shard_key="person_id",
        indexes=(
            Index([("person_id", 1)], unique=True, partial={"open": True}),
            Index([("open", 1), ("_id", 1)], partial={"open": True}),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("keeper_code", 1), ("_id", -1)]),
            *found_indexes("institution_code", "keeper_code"),
        ),
    ),
)


def _kept_by(actor: Actor) -> Row:
    """What this actor may decide; nothing for whoever decides nothing."""
    if Role.NATIONAL_CENTRE in actor.roles:
        return {}
    if Role.PROVINCE in actor.roles:
        return {"keeper": Authority.PROVINCE, "keeper_code": actor.province_code}
    return {"keeper": Authority.INSTITUTION, "keeper_code": actor.institution_code}


def _seen_by(actor: Actor) -> Row:
    """That, and what an institution has asked itself."""
    asked = [{"institution_code": actor.institution_code}] if actor.roles & INSTITUTION_ROLES else []
    return {"$or": [_kept_by(actor), *asked]}


async def insert(scope: Scope, new: ReleaseRequest) -> None:
    await scope["release_requests"].insert_one(new.to_mongo(), session=scope.session)


async def seen(scope: Scope, actor: Actor, request_id: str) -> ReleaseRequest | None:
    condition: Row = {"$and": [{"_id": request_id}, _seen_by(actor)]}
    row = await scope["release_requests"].find_one(condition, session=scope.session)
    return None if row is None else ReleaseRequest.from_mongo(row)


async def requests(
    scope: Scope, actor: Actor, narrowed: ReleaseFilter, *, before: str | None, limit: int
) -> list[ReleaseRequest]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    names = ("name", "class_name", "institution_name")
    conditions = [_seen_by(actor), looking_for(narrowed.words, names, {"state": narrowed.state})]
    return await by_age_from(
        scope, "release_requests", {"$and": conditions}, ReleaseRequest.from_mongo, before=before, limit=limit
    )


async def to_decide(scope: Scope, actor: Actor) -> tuple[int, date | None]:
    """How many wait for this actor's office, and the first day on which one of them is due. The centre may decide each, and none waits
    for it."""
    condition: Row = {"$and": [_kept_by(actor), {"state": State.ASKED}]}
    if Role.NATIONAL_CENTRE in actor.roles:
        return 0, None
    count, due_on = await count_and_oldest(scope, "release_requests", condition, "due_on")
    return count, date.fromisoformat(due_on) if due_on else None


async def owed(scope: Scope, actor: Actor) -> list[Owed]:
    """Those that wait for an office below the actor's, or for whoever an institution has asked, by who decides."""
    waits: Row = {"open": True}
    if Role.PROVINCE in actor.roles:
        waits |= {"keeper": Authority.INSTITUTION, "province_code": actor.province_code}
    elif Role.NATIONAL_CENTRE not in actor.roles:
        waits |= {"institution_code": actor.institution_code}
    keeper: Row = {"$concat": [{"$toLower": "$keeper"}, ":", "$keeper_code"]}
    return await queries.owed(scope, "release_requests", waits, "due_on", keeper)


async def needed(scope: Scope, person_ids: list[str]) -> set[str]:
    rows = scope["release_requests"].find(
        {"person_id": {"$in": person_ids}}, {"person_id": 1}, session=scope.session
    )
    return {row["person_id"] async for row in rows}
