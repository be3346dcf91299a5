"""Queries over the people of classes: who is or was in the classes of one reach, and in which."""

from __future__ import annotations

from collections.abc import Sequence

from server.classes.documents import Enrolment, TrainingClass
from server.kernel.found import hint_of, person_looked_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import Row
from server.kernel.unit_of_work import Scope

LEAST = 20
"""Rows read together, however few are still wanted."""


async def people(
    scope: Scope, reach: Jurisdiction, words: str, *, before: str | None, limit: int
) -> list[Enrolment]:
    """Of each person who is or was on a roster in this reach the newest row, newest first, older than the id `before`."""
    found: list[Enrolment] = []
    looked_for = person_looked_for(words)
    wanted: Row = {"$and": [reach.filter(), looked_for]}
    while len(found) < limit:
        size = max(limit - len(found), LEAST)  # most are on one roster of this reach
        condition = wanted | ({"_id": {"$lt": before}} if before else {})
        rows = scope["enrolments"].find(condition, session=scope.session, hint=hint_of(reach, looked_for))
        batch = [Enrolment.from_mongo(row) async for row in rows.sort("_id", -1).limit(size)]
        newest = await newest_ids(scope, reach, [one.person_id for one in batch])
        found += [one for one in batch if newest[one.person_id] == one.id]
        if len(batch) < size:
            break
        before = batch[-1].id
    return found[:limit]


async def newest_ids(scope: Scope, reach: Jurisdiction, person_ids: Sequence[str]) -> dict[str, str]:
    """By person the id of the newest row in this reach: the one by which they are listed."""
    condition: Row = {"$and": [{"person_id": {"$in": sorted({*person_ids})}}, reach.filter()]}
    pipeline: list[Row] = [
        {"$match": condition},
        {"$group": {"_id": "$person_id", "newest": {"$max": "$_id"}}},
    ]
    rows = scope["enrolments"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["newest"] async for row in rows}


async def newest_rows(scope: Scope, person_ids: Sequence[str]) -> dict[str, Enrolment]:
    """By person the newest row in the whole country."""
    newest = await newest_ids(scope, Jurisdiction.everything(), person_ids)
    rows = scope["enrolments"].find({"_id": {"$in": [*newest.values()]}}, session=scope.session)
    return {row["person_id"]: Enrolment.from_mongo(row) async for row in rows}


async def enrolled(scope: Scope, reach: Jurisdiction, person_id: str) -> list[Enrolment]:
    """The rows of one person in this reach, also of who has left, newest first."""
    condition: Row = {"$and": [{"person_id": person_id}, reach.filter()]}
    rows = scope["enrolments"].find(condition, session=scope.session).sort("_id", -1)
    return [Enrolment.from_mongo(row) async for row in rows]


async def taught(scope: Scope, reach: Jurisdiction, person_id: str) -> list[TrainingClass]:
    """The classes in this reach in which somebody teaches or assesses, newest first."""
    condition: Row = {"$and": [{"teachers.person_id": person_id}, reach.filter()]}
    rows = scope["classes"].find(condition, session=scope.session).sort("_id", -1)
    return [TrainingClass.from_mongo(row) async for row in rows]
