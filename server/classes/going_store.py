"""Queries over the classes that are not done with, whatever has become of the others."""

from __future__ import annotations

from datetime import datetime

from server.classes.documents import TrainingClass
from server.classes.rules import Condition
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import Row
from server.kernel.unit_of_work import Scope

GOING: Row = {"condition": {"$in": [Condition.RUNNING.value, None]}}
"""Neither called off nor terminated, as an index tells it; classes of before had no condition."""


async def unreleased_in(scope: Scope, reach: Jurisdiction, *, limit: int) -> list[TrainingClass]:
    """Those whose results are not released, the first to end first."""
    condition = {**reach.filter(), **GOING, "results_released_at": None}
    rows = scope["classes"].find(condition, session=scope.session).sort("ends_on", 1).limit(limit)
    return [TrainingClass.from_mongo(row) async for row in rows]


async def released_since(
    scope: Scope, reach: Jurisdiction, since: datetime, *, limit: int
) -> list[TrainingClass]:
    """The latest first."""
    condition = {**reach.filter(), **GOING, "results_released_at": {"$gte": since}}
    rows = scope["classes"].find(condition, session=scope.session).sort("results_released_at", -1)
    return [TrainingClass.from_mongo(row) async for row in rows.limit(limit)]


async def any_class(scope: Scope, reach: Jurisdiction) -> bool:
    return await scope["classes"].find_one(reach.filter(), {"_id": 1}, session=scope.session) is not None
