"""Queries over the classes in hand: whose results are not released, the first to begin first, and those released of late, the last first.

Each goes on an index of its own. That of the unreleased holds no class that is done with, however many there have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from server.classes.documents import ClassFilter, TrainingClass
from server.classes.rules import Standing
from server.classes.store import NOT_ENDED, UNRELEASED, narrowed_to
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import Row
from server.kernel.unit_of_work import Scope


async def unreleased(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: ClassFilter,
    today: date,
    standing: Standing | None,
    *,
    after: str | None,
    limit: int,
) -> list[TrainingClass]:
    """Neither released nor ended before their time, where `today` lies as `standing` says; those that come after the id `after`."""
    days: dict[Standing | None, Row] = {
        "before": {"starts_on": {"$gt": today}},
        "under way": {"starts_on": {"$lte": today}, "ends_on": {"$gte": today}},
        "after": {"ends_on": {"$lt": today}},
        None: {},
    }
    conditions = [narrowed_to(narrowed, today), UNRELEASED, NOT_ENDED, days[standing]]
    return await _in_order(scope, reach, conditions, "starts_on", 1, after, limit)


async def released_since(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: ClassFilter,
    today: date,
    since: datetime,
    *,
    after: str | None,
    limit: int,
) -> list[TrainingClass]:
    conditions = [narrowed_to(narrowed, today), {"results_released_at": {"$gte": since}}, NOT_ENDED]
    return await _in_order(scope, reach, conditions, "results_released_at", -1, after, limit)


async def _in_order(
    scope: Scope,
    reach: Jurisdiction,
    conditions: Sequence[Row],
    key: str,
    way: Literal[1, -1],
    after: str | None,
    limit: int,
) -> list[TrainingClass]:
    """By `key` and id. Where the class `after` stands is asked of itself: a page ends with a class, not with a day."""
    wanted = [reach.filter(), *conditions]
    if after:
        last = await scope["classes"].find_one({"_id": after}, {key: 1}, session=scope.session)
        beyond = "$gt" if way == 1 else "$lt"
        if last is None:
            return []
        same_day: Row = {key: last[key], "_id": {beyond: after}}
        wanted.append(same_day if last[key] is None else {"$or": [{key: {beyond: last[key]}}, same_day]})
    rows = scope["classes"].find({"$and": wanted}, session=scope.session).sort([(key, way), ("_id", way)])
    return [TrainingClass.from_mongo(row) async for row in rows.limit(limit)]
