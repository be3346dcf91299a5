"""Queries over surveys. Who answered and what was answered are two collections that share nothing but the survey; what is answered
lies in sealed envelopes (server/kernel/envelopes.py) until the survey is over.

Both are clustered: MongoDB keeps their rows in the order of `_id`, not of arrival, and a response's `_id` is random. In an ordinary
collection the natural order of both would be the order in which people answered, and would link them row by row.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from pymongo import ReturnDocument

from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope
from server.surveys.documents import Response, SatisfactionTally, Survey
from server.surveys.rules import Tally

POINTS = ("ones", "twos", "threes")

COLLECTIONS = (
    CollectionSpec(
        "surveys",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("part", 1)], unique=True),
            Index([("teacher_ids", 1), ("year", -1), ("_id", 1)]),
            Index([("tallied_at", 1), ("closes_at", 1)]),
            Index([("_id", 1), ("closes_at", 1)], partial={"box_id": {"$type": "string"}}),
        ),
    ),
    CollectionSpec(
        "satisfaction_tallies",
        shard_key="teacher_id",
        indexes=(
            Index([("teacher_id", 1), ("survey_id", 1)], unique=True),
            # It holds all that the means of a year read, so that no document is fetched for them.
            Index([(name, 1) for name in ("teacher_id", "year", *POINTS)]),
        ),
    ),
    CollectionSpec("survey_respondents", shard_key="_id", clustered=True),
    CollectionSpec(
        "survey_responses", shard_key="survey_id", clustered=True, indexes=(Index([("survey_id", 1)]),)
    ),
)


async def insert_survey(scope: Scope, new: Survey) -> None:
    await scope["surveys"].insert_one(new.to_mongo(), session=scope.session)


async def survey_of_class(scope: Scope, class_id: str) -> Survey | None:
    """The survey of the class itself, without its supplements."""
    row = await scope["surveys"].find_one({"class_id": class_id, "part": 1}, session=scope.session)
    return None if row is None else Survey.from_mongo(row)


async def survey(scope: Scope, survey_id: str) -> Survey | None:
    row = await scope["surveys"].find_one({"_id": survey_id}, session=scope.session)
    return None if row is None else Survey.from_mongo(row)


async def surveys_of_classes(scope: Scope, class_ids: Sequence[str]) -> dict[str, list[Survey]]:
    """By class id, the survey of the class first and its supplements after it."""
    found: dict[str, list[Survey]] = {}
    rows = scope["surveys"].find({"class_id": {"$in": list(class_ids)}}, session=scope.session)
    async for row in rows.sort([("class_id", 1), ("part", 1)]):
        found.setdefault(row["class_id"], []).append(Survey.from_mongo(row))
    return found


async def surveys_of_teacher(scope: Scope, person_id: str, year: int) -> list[Survey]:
    rows = scope["surveys"].find({"teacher_ids": person_id, "year": year}, session=scope.session)
    return [Survey.from_mongo(row) async for row in rows.sort("_id", 1)]


async def closing_between(scope: Scope, first: datetime, last: datetime) -> list[Survey]:
    """Those that close after `first` and by `last`; one that is still open has no tally."""
    condition = {"tallied_at": None, "closes_at": {"$gt": first, "$lte": last}}
    rows = scope["surveys"].find(condition, session=scope.session).sort("closes_at", 1)
    return [Survey.from_mongo(row) async for row in rows]


async def move_closing(scope: Scope, survey_id: str, closes_at: datetime, *, now: datetime) -> Survey | None:
    """None when the survey has closed by `now`: a closed one stays closed."""
    row: Row | None = await scope["surveys"].find_one_and_update(
        {"_id": survey_id, "closes_at": {"$gt": now}},
        {"$set": {"closes_at": closes_at}},
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return None if row is None else Survey.from_mongo(row)


# ---- unsealing


async def sealed(scope: Scope, closed_by: datetime, after: str, limit: int) -> list[tuple[str, str]]:
    """Id and box of surveys that closed by then and whose key is not destroyed, by id after `after`."""
    condition: Row = {"_id": {"$gt": after}, "box_id": {"$type": "string"}, "closes_at": {"$lte": closed_by}}
    rows = scope["surveys"].find(condition, {"box_id": 1}, session=scope.session).sort("_id", 1).limit(limit)
    return [(row["_id"], row["box_id"]) async for row in rows]


async def take_for_unsealing(scope: Scope, survey_id: str, now: datetime) -> Survey | None:
    """Marks a survey as unsealed; None when it was already."""
    row: Row | None = await scope["surveys"].find_one_and_update(
        {"_id": survey_id, "unsealed_at": None},
        {"$set": {"unsealed_at": now}},
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return None if row is None else Survey.from_mongo(row)


async def forget_box(scope: Scope, survey_id: str) -> bool:
    """Notes that the key is destroyed; False when that was noted before."""
    done = await scope["surveys"].update_one(
        {"_id": survey_id, "box_id": {"$type": "string"}},
        {"$set": {"box_id": None, "public_key": None}},
        session=scope.session,
    )
    return done.modified_count > 0


# ---- the tallies of a teacher's year


async def untallied(scope: Scope, closed_by: datetime, limit: int) -> list[str]:
    """Ids of the surveys that closed by then, are unsealed and were not reckoned up yet, longest closed first."""
    condition: Row = {"tallied_at": None, "closes_at": {"$lte": closed_by}, "unsealed_at": {"$ne": None}}
    rows = (
        scope["surveys"].find(condition, {"_id": 1}, session=scope.session).sort("closes_at", 1).limit(limit)
    )
    return [row["_id"] async for row in rows]


async def take_for_tally(scope: Scope, survey_id: str, now: datetime) -> Survey | None:
    """Marks a survey as reckoned up; None when it was already."""
    row: Row | None = await scope["surveys"].find_one_and_update(
        {"_id": survey_id, "tallied_at": None},
        {"$set": {"tallied_at": now}},
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return None if row is None else Survey.from_mongo(row)


async def set_year(scope: Scope, survey_id: str, year: int) -> None:
    await scope["surveys"].update_one({"_id": survey_id}, {"$set": {"year": year}}, session=scope.session)


async def insert_tallies(scope: Scope, new: Sequence[SatisfactionTally]) -> None:
    await scope["satisfaction_tallies"].insert_many([one.to_mongo() for one in new], session=scope.session)


def yearly(teacher_ids: Sequence[str], years: Sequence[int]) -> list[Row]:
    """The pipeline over the tallies that adds up each teacher's year."""
    return [
        {"$match": {"teacher_id": {"$in": list(teacher_ids)}, "year": {"$in": list(years)}}},
        {
            "$group": {
                "_id": {"teacher_id": "$teacher_id", "year": "$year"},
                **{points: {"$sum": f"${points}"} for points in POINTS},
            }
        },
    ]


async def tallies(
    scope: Scope, teacher_ids: Sequence[str], years: Sequence[int]
) -> dict[tuple[str, int], Tally]:
    found: dict[tuple[str, int], Tally] = {}
    rows = scope["satisfaction_tallies"].aggregate(yearly(teacher_ids, years), session=scope.session)
    async for row in rows:
        key = row["_id"]["teacher_id"], row["_id"]["year"]
        found[key] = Tally((row["ones"], row["twos"], row["threes"]))
    return found


# ---- who answered


def _respondent(survey_id: str, person_id: str) -> str:
    return f"{survey_id}:{person_id}"


async def has_answered(scope: Scope, survey_id: str, person_id: str) -> bool:
    return bool(await answered_of(scope, [survey_id], person_id))


async def answered_of(scope: Scope, survey_ids: Sequence[str], person_id: str) -> set[str]:
    """Those of the surveys that the person has answered."""
    keys = [_respondent(survey_id, person_id) for survey_id in survey_ids]
    rows = scope["survey_respondents"].find({"_id": {"$in": keys}}, session=scope.session)
    return {row["_id"].partition(":")[0] async for row in rows}


async def insert_respondent(scope: Scope, survey_id: str, person_id: str) -> None:
    await scope["survey_respondents"].insert_one(
        {"_id": _respondent(survey_id, person_id)}, session=scope.session
    )


def _of_survey(survey_id: str) -> Row:
    return {"_id": {"$gt": f"{survey_id}:", "$lt": f"{survey_id};"}}


async def respondents(scope: Scope, survey_id: str) -> set[str]:
    """The person ids of everybody who answered."""
    rows = scope["survey_respondents"].find(_of_survey(survey_id), session=scope.session)
    return {row["_id"].partition(":")[2] async for row in rows}


async def count_respondents(scope: Scope, survey_id: str) -> int:
    return await scope["survey_respondents"].count_documents(_of_survey(survey_id), session=scope.session)


async def respondents_of(scope: Scope, survey_ids: Sequence[str]) -> set[tuple[str, str]]:
    """(survey id, person id) of everybody who answered one of these."""
    if not survey_ids:
        return set()
    rows = scope["survey_respondents"].find(
        {"$or": [_of_survey(one) for one in survey_ids]}, session=scope.session
    )
    return {
        (survey_id, person_id)
        async for row in rows
        for survey_id, _, person_id in [row["_id"].partition(":")]
    }


# ---- what was answered


async def insert_responses(scope: Scope, survey_id: str, answers: Sequence[Mapping[str, int | str]]) -> None:
    """All of a survey at once, under random ids."""
    new = [Response(id=secrets.token_hex(16), survey_id=survey_id, answers=dict(one)) for one in answers]
    await scope["survey_responses"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def responses(scope: Scope, survey_id: str) -> AsyncIterator[Response]:
    """One by one, in an order that says nothing."""
    async for row in scope["survey_responses"].find({"survey_id": survey_id}, session=scope.session):
        yield Response.from_mongo(row)
