"""Queries over when institutions trained, and over the classes that are to come (articles 4.6 and 5.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from server.classes.documents import TrainingClass
from server.classes.store import CALLED_OFF, NOT_ENDED
from server.kernel.mongo import Row
from server.kernel.unit_of_work import Scope


async def set_trained(scope: Scope, class_id: str, days: tuple[date, date] | None) -> None:
    first, last = days or (None, None)
    await scope["classes"].update_one(
        {"_id": class_id}, {"$set": {"trained_from": first, "trained_to": last}}, session=scope.session
    )


def _trained(institution_codes: Sequence[str], levels: Collection[str]) -> Row:
    return {
        "institution_code": {"$in": list(institution_codes)},
        "level": {"$in": list(levels)},
        "trained_to": {"$type": "string"},
        "results_released_at": {"$type": "date"},
    }


async def last_trained(
    scope: Scope, institution_codes: Sequence[str], levels: Collection[str]
) -> dict[str, date]:
    """By institution the last day of training by a released class of these levels; read off the index alone."""
    pipeline: list[Row] = [
        {"$match": _trained(institution_codes, levels)},
        {"$group": {"_id": "$institution_code", "last": {"$max": "$trained_to"}}},
    ]
    rows = scope["classes"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: date.fromisoformat(row["last"]) async for row in rows}


async def trained_on(
    scope: Scope, institution_code: str, levels: Collection[str], last: date
) -> TrainingClass | None:
    """A released class of these levels whose training ended on that day."""
    condition = _trained([institution_code], levels) | {"trained_to": last}
    row = await scope["classes"].find_one(condition, session=scope.session)
    return None if row is None else TrainingClass.from_mongo(row)


async def begun_and_unreleased(
    scope: Scope, institution_codes: Sequence[str], levels: Collection[str], ended_from: date, today: date
) -> list[TrainingClass]:
    """The classes of these levels that have begun, end on that day or later, and whose results are not released."""
    condition: Row = {
        "institution_code": {"$in": list(institution_codes)},
        "level": {"$in": list(levels)},
        "ends_on": {"$gte": ended_from},
        "starts_on": {"$lte": today},
        "results_released_at": None,
        "condition": {"$nin": CALLED_OFF},
    }
    rows = scope["classes"].find(condition, session=scope.session)
    return [TrainingClass.from_mongo(row) async for row in rows]


async def classes_to_come(
    scope: Scope, institution_codes: Sequence[str], levels: Collection[str], today: date
) -> list[TrainingClass]:
    """Those of these institutions and levels that begin after today, the first to begin first."""
    condition = {
        "institution_code": {"$in": list(institution_codes)},
        "level": {"$in": list(levels)},
        "ends_on": {"$gt": today},
        "starts_on": {"$gt": today},
        **NOT_ENDED,
    }
    rows = scope["classes"].find(condition, session=scope.session).sort("starts_on", 1)
    return [TrainingClass.from_mongo(row) async for row in rows]


async def to_finish_in(
    scope: Scope, level: str, major: str, starts_on: date, today: date, limit: int
) -> list[TrainingClass]:
    """Of the country: classes of this level and 专业大类 that begin on `starts_on` or later and are not over; the first to begin first."""
    condition: Row = {
        "level": level,
        "major": major,
        "starts_on": {"$gte": starts_on.isoformat()},
        "ends_on": {"$gte": today.isoformat()},
        "results_released_at": None,
        **NOT_ENDED,
    }
    rows = scope["classes"].find(condition, session=scope.session)
    return [
        TrainingClass.from_mongo(row) async for row in rows.sort([("starts_on", 1), ("_id", 1)]).limit(limit)
    ]
