"""Queries over follow-up guidance and over warnings."""

from __future__ import annotations

from collections.abc import Sequence

from server.duties.documents import DutyWarning, Guidance
from server.duties.rules import State
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "guidance",
        shard_key="teacher_id",
        indexes=(
            Index([("teacher_id", 1), ("nonce", 1)], unique=True),
            Index([("teacher_id", 1), ("_id", -1)]),
            # How much of each state a teacher's year has, without fetching a document.
            Index([("teacher_id", 1), ("year", 1), ("state", 1)]),
            Index([("trainee_id", 1), ("_id", -1)]),
            Index([("trainee_id", 1), ("state", 1)]),
        ),
    ),
    CollectionSpec(
        "duty_warnings",
        shard_key="teacher_id",
        indexes=(Index([("teacher_id", 1), ("year", 1)], unique=True),),
    ),
)


async def insert(scope: Scope, new: Guidance) -> None:
    await scope["guidance"].insert_one(new.to_mongo(), session=scope.session)


async def by_nonce(scope: Scope, teacher_id: str, nonce: str) -> Guidance | None:
    row = await scope["guidance"].find_one({"teacher_id": teacher_id, "nonce": nonce}, session=scope.session)
    return None if row is None else Guidance.from_mongo(row)


async def given_to(scope: Scope, trainee_id: str, guidance_id: str) -> Guidance | None:
    row = await scope["guidance"].find_one(
        {"_id": guidance_id, "trainee_id": trainee_id}, session=scope.session
    )
    return None if row is None else Guidance.from_mongo(row)


async def of_teacher(
    scope: Scope, teacher_id: str, *, year: int | None = None, before: str | None = None, limit: int
) -> list[Guidance]:
    """Logged last first, older than the id `before`."""
    return await _listed(scope, {"teacher_id": teacher_id} | ({"year": year} if year else {}), before, limit)


async def of_trainee(scope: Scope, trainee_id: str, *, before: str | None, limit: int) -> list[Guidance]:
    """Logged last first, older than the id `before`."""
    return await _listed(scope, {"trainee_id": trainee_id}, before, limit)


async def _listed(scope: Scope, condition: Row, before: str | None, limit: int) -> list[Guidance]:
    if before:
        condition = {**condition, "_id": {"$lt": before}}
    rows = scope["guidance"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Guidance.from_mongo(row) async for row in rows]


async def count_waiting(scope: Scope, trainee_id: str) -> int:
    condition = {"trainee_id": trainee_id, "state": State.WAITING}
    return int(await scope["guidance"].count_documents(condition, session=scope.session))


def yearly(teacher_ids: Sequence[str], year: int) -> list[Row]:
    """The pipeline over the guidance that counts each teacher's year by state."""
    return [
        {"$match": {"teacher_id": {"$in": list(teacher_ids)}, "year": year}},
        {"$group": {"_id": {"teacher_id": "$teacher_id", "state": "$state"}, "count": {"$sum": 1}}},
    ]


async def counts(scope: Scope, teacher_ids: Sequence[str], year: int) -> dict[tuple[str, State], int]:
    """How much guidance in each state each teacher gave in a year."""
    rows = scope["guidance"].aggregate(yearly(teacher_ids, year), session=scope.session)
    return {(row["_id"]["teacher_id"], State(row["_id"]["state"])): row["count"] async for row in rows}


# ---- warnings


async def warned(scope: Scope, teacher_ids: Sequence[str], year: int) -> set[str]:
    """Those of the teachers who were told in this year."""
    condition = {"teacher_id": {"$in": list(teacher_ids)}, "year": year}
    rows = scope["duty_warnings"].find(condition, {"_id": 0, "teacher_id": 1}, session=scope.session)
    return {row["teacher_id"] async for row in rows}


async def insert_warning(scope: Scope, new: DutyWarning) -> None:
    await scope["duty_warnings"].insert_one(new.to_mongo(), session=scope.session)


async def warning(scope: Scope, teacher_id: str, year: int) -> DutyWarning | None:
    row = await scope["duty_warnings"].find_one(
        {"teacher_id": teacher_id, "year": year}, session=scope.session
    )
    return None if row is None else DutyWarning.from_mongo(row)
