"""Queries over applicants, questionnaires, notices and arrivals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from server.admissions.documents import Applicant, Arrival, ClassAdmission, NeedsTemplate, Note
from server.admissions.rules import UNDER_REVIEW, State
from server.kernel.mongo import CollectionSpec, Index, Row, new_id
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "applicants",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("person_id", 1)], unique=True, partial={"open": True}),
            Index([("class_id", 1), ("state", 1), ("waiting_since", 1), ("_id", 1)]),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("state", 1)]),
            # What waits to be emptied, and nothing else.
            Index([("open", 1), ("cleared_at", 1), ("_id", 1)], partial={"open": False}),
        ),
    ),
    CollectionSpec("class_admissions", shard_key="_id"),
    CollectionSpec("needs_templates", shard_key=None, indexes=(Index([("version", 1)], unique=True),)),
    CollectionSpec(
        "arrivals", shard_key="class_id", indexes=(Index([("class_id", 1), ("person_id", 1)], unique=True),)
    ),
)


# ---- applicants


async def insert_applicant(scope: Scope, new: Applicant) -> None:
    await scope["applicants"].insert_one(new.to_mongo(), session=scope.session)


async def open_application(scope: Scope, class_id: str, person_id: str) -> Applicant | None:
    return await _applicant(scope, {"class_id": class_id, "person_id": person_id, "open": True})


async def applicant_of_class(scope: Scope, class_id: str, applicant_id: str) -> Applicant | None:
    """One of a class that the caller has fetched in its reach."""
    return await _applicant(scope, {"_id": applicant_id, "class_id": class_id})


async def applicant_of_person(scope: Scope, person_id: str, applicant_id: str) -> Applicant | None:
    return await _applicant(scope, {"_id": applicant_id, "person_id": person_id})


async def _applicant(scope: Scope, condition: Row) -> Applicant | None:
    row = await scope["applicants"].find_one(condition, session=scope.session)
    return None if row is None else Applicant.from_mongo(row)


async def applicants(
    scope: Scope, class_id: str, *, state: State | None = None, before: str | None = None, limit: int = 0
) -> list[Applicant]:
    """Of a class that the caller has fetched in its reach, newest first; `limit` 0 is all."""
    condition: Row = {"class_id": class_id}
    if state:
        condition["state"] = state
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["applicants"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Applicant.from_mongo(row) async for row in rows]


async def applications_of(scope: Scope, person_id: str, *, before: str | None, limit: int) -> list[Applicant]:
    condition: Row = {"person_id": person_id}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["applicants"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Applicant.from_mongo(row) async for row in rows]


async def first_waiting(scope: Scope, class_id: str) -> Applicant | None:
    row = await scope["applicants"].find_one(
        {"class_id": class_id, "state": State.WAITING},
        sort=[("waiting_since", 1), ("_id", 1)],
        session=scope.session,
    )
    return None if row is None else Applicant.from_mongo(row)


async def classes_under_review(scope: Scope) -> list[str]:
    """Ids of the classes for which somebody's application waits."""
    return sorted(await scope["applicants"].distinct("class_id", {"state": {"$in": list(UNDER_REVIEW)}}))


async def replace_applicant(scope: Scope, changed: Applicant) -> None:
    await scope["applicants"].replace_one({"_id": changed.id}, changed.to_mongo(), session=scope.session)


async def count_by_state(scope: Scope, class_id: str) -> dict[State, int]:
    pipeline: list[Row] = [
        {"$match": {"class_id": class_id}},
        {"$group": {"_id": "$state", "count": {"$sum": 1}}},
    ]
    rows = scope["applicants"].aggregate(pipeline, session=scope.session)
    return {State(row["_id"]): row["count"] async for row in rows}


async def count_waiting_lists(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, "state": State.WAITING}},
        {"$group": {"_id": "$class_id", "count": {"$sum": 1}}},
    ]
    rows = scope["applicants"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}


async def to_review(scope: Scope, class_ids: Sequence[str]) -> list[tuple[str, State, int, datetime]]:
    """(class id, state, applications in it, since when the oldest is), of what is under review."""
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, "state": {"$in": list(UNDER_REVIEW)}}},
        {
            "$group": {
                "_id": {"class_id": "$class_id", "state": "$state"},
                "count": {"$sum": 1},
                "since": {"$min": {"$last": "$history.at"}},
            }
        },
    ]
    rows = scope["applicants"].aggregate(pipeline, session=scope.session)
    return [
        (row["_id"]["class_id"], State(row["_id"]["state"]), row["count"], row["since"]) async for row in rows
    ]


async def count_in_states(scope: Scope, class_ids: Sequence[str], states: Sequence[State]) -> int:
    condition = {"class_id": {"$in": list(class_ids)}, "state": {"$in": list(states)}}
    return int(await scope["applicants"].count_documents(condition, session=scope.session))


# ---- applications that led nowhere

FORGOTTEN: Row = {
    "name": "（已清除）",
    "id_number_masked": "—",
    "work_unit": "—",
    "post": "—",
    "years_of_teaching": 0,
    "major_taught": "—",
    "answers": {},
}


def _closed_before(before: datetime) -> Row:
    """Rejected or withdrawn, with no step since."""
    return {"open": False, "cleared_at": None, "history": {"$not": {"$elemMatch": {"at": {"$gte": before}}}}}


async def closed_before(scope: Scope, before: datetime, limit: int) -> list[str]:
    rows = scope["applicants"].find(_closed_before(before), {"_id": 1}, session=scope.session)
    return [row["_id"] async for row in rows.sort("_id", 1).limit(limit)]


async def empty_applicants(scope: Scope, ids: Sequence[str], before: datetime, at: datetime) -> int:
    done = await scope["applicants"].update_many(
        {"_id": {"$in": list(ids)}, **_closed_before(before)},
        {"$set": {**FORGOTTEN, "cleared_at": at}},
        session=scope.session,
    )
    return int(done.modified_count)


async def renumber(scope: Scope, person_id: str, id_number_masked: str) -> None:
    await scope["applicants"].update_many(
        {"person_id": person_id, "cleared_at": None},
        {"$set": {"id_number_masked": id_number_masked}},
        session=scope.session,
    )


async def give_to(scope: Scope, class_id: str, claim_id: str, person_id: str) -> None:
    """Application, notice and pledge of a claim in this class are that person's from now on, as far as they have none of their own."""
    whose, given = {"class_id": class_id, "person_id": claim_id}, {"$set": {"person_id": person_id}}
    if await open_application(scope, class_id, person_id) is None:
        await scope["applicants"].update_many(whose, given, session=scope.session)
    if await arrival(scope, class_id, person_id) is None:
        await scope["arrivals"].update_many(whose, given, session=scope.session)


async def people_with_applications(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    rows = scope["applicants"].find(
        {"person_id": {"$in": list(person_ids)}, "cleared_at": None}, {"person_id": 1}, session=scope.session
    )
    return {row["person_id"] async for row in rows}


# ---- what a class says and asks


async def class_admission(scope: Scope, class_id: str) -> ClassAdmission | None:
    row = await scope["class_admissions"].find_one({"_id": class_id}, session=scope.session)
    return None if row is None else ClassAdmission.from_mongo(row)


async def put_class_admission(scope: Scope, changed: ClassAdmission) -> None:
    await scope["class_admissions"].replace_one(
        {"_id": changed.id}, changed.to_mongo(), upsert=True, session=scope.session
    )


async def push_note(scope: Scope, class_id: str, note: Note) -> None:
    await scope["class_admissions"].update_one(
        {"_id": class_id}, {"$push": {"notes": note.model_dump()}}, session=scope.session
    )


async def templates(scope: Scope, limit: int) -> list[NeedsTemplate]:
    """The latest first."""
    rows = scope["needs_templates"].find({}, session=scope.session).sort("version", -1).limit(limit)
    return [NeedsTemplate.from_mongo(row) async for row in rows]


async def insert_template(scope: Scope, new: NeedsTemplate) -> None:
    await scope["needs_templates"].insert_one(new.to_mongo(), session=scope.session)


# ---- notice, pledge, arrival


async def arrival(scope: Scope, class_id: str, person_id: str) -> Arrival | None:
    row = await scope["arrivals"].find_one(
        {"class_id": class_id, "person_id": person_id}, session=scope.session
    )
    return None if row is None else Arrival.from_mongo(row)


async def arrivals(scope: Scope, class_id: str) -> dict[str, Arrival]:
    """By person."""
    rows = scope["arrivals"].find({"class_id": class_id}, session=scope.session)
    return {row["person_id"]: Arrival.from_mongo(row) async for row in rows}


async def arrivals_of(scope: Scope, person_id: str, class_ids: Sequence[str]) -> dict[str, Arrival]:
    """By class."""
    condition = {"class_id": {"$in": list(class_ids)}, "person_id": person_id}
    rows = scope["arrivals"].find(condition, session=scope.session)
    return {row["class_id"]: Arrival.from_mongo(row) async for row in rows}


async def change_arrival(
    scope: Scope, class_id: str, person_id: str, whose: Row, change: Row, step: Row | None = None
) -> None:
    """Sets fields of one trainee's record, made at its first change; `whose` are the codes of its jurisdiction."""
    update: dict[str, Any] = {"$set": change, "$setOnInsert": {"_id": new_id(), **whose}}
    if step is not None:
        update["$push"] = {"history": step}
    await scope["arrivals"].update_one(
        {"class_id": class_id, "person_id": person_id}, update, upsert=True, session=scope.session
    )
