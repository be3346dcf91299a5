"""Queries over plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.kernel.found import found_indexes, looking_for
from server.kernel.history import Step
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import by_age_from
from server.kernel.unit_of_work import Scope
from server.plans.documents import Plan, PlanFilter, PlanWindow
from server.plans.rules import OPEN, State

ON_ITS_WAY: Row = {"state": {"$in": sorted(OPEN)}}
TO_APPLY: Row = {"to_apply.0": {"$exists": True}}

COLLECTIONS = (
    CollectionSpec(
        "plans",
        shard_key="institution_code",
        indexes=(
            Index([("institution_code", 1), ("year", 1), ("version", -1)], unique=True),
            # One version on its way, and one in force, an institution and year; `$in` needs MongoDB 6.0.
            Index(
                [("institution_code", 1), ("year", 1)],
                unique=True,
                partial={"state": {"$in": sorted(OPEN)}},
            ),
            Index([("institution_code", 1), ("year", -1)], unique=True, partial={"state": State.APPROVED}),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("state", 1), ("_id", -1)]),
            Index([("year", 1), ("_id", -1)]),
            Index([("province_code", 1), ("year", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
            Index([("state", 1), ("_id", -1)]),
            # What is still to be applied for, of the whole country: few at any time.
            Index([("province_code", 1), ("year", 1), ("_id", 1)], partial=TO_APPLY),
            Index([("year", 1), ("_id", 1)], partial=TO_APPLY),
        ),
    ),
    CollectionSpec(
        "plan_windows",
        shard_key=None,
        indexes=(Index([("province_code", 1), ("year", 1)], unique=True), Index([("year", 1)])),
    ),
)


async def insert(scope: Scope, new: Plan) -> None:
    await scope["plans"].insert_one(new.to_mongo(), session=scope.session)


async def plan(scope: Scope, reach: Jurisdiction, plan_id: str) -> Plan | None:
    row = await scope["plans"].find_one({"$and": [{"_id": plan_id}, reach.filter()]}, session=scope.session)
    return None if row is None else Plan.from_mongo(row)


async def plans(
    scope: Scope, reach: Jurisdiction, narrowed: PlanFilter, *, before: str | None, limit: int
) -> list[Plan]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    condition: Row = {"$and": [reach.filter(), _condition(narrowed)]}
    return await by_age_from(scope, "plans", condition, Plan.from_mongo, before=before, limit=limit)


def _condition(narrowed: PlanFilter) -> Row:
    item = {name: value for name, value in (("level", narrowed.level), ("month", narrowed.month)) if value}
    facets = {"year": narrowed.year, "state": narrowed.state, **item}
    condition = looking_for(narrowed.words, ("institution_name", "items.title"), facets)
    condition["state"] = narrowed.state or {"$ne": State.DISCARDED}
    if narrowed.province_code:
        condition["province_code"] = narrowed.province_code
    if len(item) > 1:
        condition["items"] = {"$elemMatch": item}
    return condition


async def on_their_way(
    scope: Scope, reach: Jurisdiction, narrowed: PlanFilter, *, after: str | None, limit: int
) -> list[Plan]:
    condition: Row = {"$and": [reach.filter(), _condition(narrowed), ON_ITS_WAY]}
    if after:
        condition["_id"] = {"$gt": after}
    rows = scope["plans"].find(condition, session=scope.session).sort("_id", 1).limit(limit)
    return [Plan.from_mongo(row) async for row in rows]


async def with_items_to_apply(
    scope: Scope, reach: Jurisdiction, narrowed: PlanFilter, year: int, *, begin: str | None, limit: int
) -> list[Plan]:
    years = {"year": {"$in": [year, year + 1]}}  # a plan is made for this year or the next: rules.check_year
    condition: Row = {"$and": [reach.filter(), _condition(narrowed), TO_APPLY, years]}
    if begin:
        condition["_id"] = {"$gte": begin}
    rows = scope["plans"].find(condition, session=scope.session).sort("_id", 1).limit(limit)
    return [Plan.from_mongo(row) async for row in rows]


async def take_item(scope: Scope, plan_id: str, item_id: str) -> None:
    change = {"$pull": {"to_apply": item_id}, "$unset": {f"to_apply_since.{item_id}": ""}}
    await scope["plans"].update_one({"_id": plan_id}, change, session=scope.session)


async def give_item_back(scope: Scope, institution_code: str, year: int, item_id: str, now: datetime) -> None:
    in_force = {"institution_code": institution_code, "year": year, "state": State.APPROVED}
    await scope["plans"].update_one(
        {**in_force, "items.id": item_id, "to_apply": {"$ne": item_id}},
        {
            "$push": {"to_apply": {"$each": [item_id], "$sort": 1}},
            "$set": {f"to_apply_since.{item_id}": now},
        },
        session=scope.session,
    )


async def versions(scope: Scope, institution_code: str, year: int) -> list[Plan]:
    """Every version of one plan, the latest first."""
    rows = scope["plans"].find({"institution_code": institution_code, "year": year}, session=scope.session)
    return [Plan.from_mongo(row) async for row in rows.sort("version", -1)]


async def approved(scope: Scope, institution_code: str, year: int) -> Plan | None:
    row = await scope["plans"].find_one(
        {"institution_code": institution_code, "year": year, "state": State.APPROVED},
        session=scope.session,
    )
    return None if row is None else Plan.from_mongo(row)


@dataclass(frozen=True)
class Standing:
    """A version without its items."""

    id: str
    institution_code: str
    state: State
    history: list[Step]


async def standing(scope: Scope, reach: Jurisdiction, year: int) -> list[Standing]:
    """Every version of a year in reach, the oldest first."""
    shown = {"institution_code": 1, "state": 1, "history": 1}
    condition = {"$and": [{"year": year}, reach.filter()]}
    rows = scope["plans"].find(condition, shown, session=scope.session).sort("_id", 1)
    return [
        Standing(
            row["_id"],
            row["institution_code"],
            State(row["state"]),
            [Step.model_validate(one) for one in row["history"]],
        )
        async for row in rows
    ]


async def ever_approved(
    scope: Scope, institution_codes: Sequence[str], years: Sequence[int]
) -> set[tuple[str, int]]:
    """The institutions, each with the year, that have had a plan approved."""
    condition = {
        "institution_code": {"$in": list(institution_codes)},
        "year": {"$in": list(years)},
        "state": {"$in": [State.APPROVED, State.SUPERSEDED]},
    }
    rows = scope["plans"].find(condition, {"institution_code": 1, "year": 1}, session=scope.session)
    return {(row["institution_code"], row["year"]) async for row in rows}


# ---- windows


async def windows(scope: Scope, years: Sequence[int], province_code: str | None = None) -> list[PlanWindow]:
    """Those in force of these years: of the country and of one province, or of all."""
    condition: Row = {"year": {"$in": list(years)}, "withdrawn": False}
    if province_code is not None:
        condition["province_code"] = {"$in": ["", province_code]}
    rows = scope["plan_windows"].find(condition, session=scope.session).sort("_id", 1)
    return [PlanWindow.from_mongo(row) async for row in rows]


async def window(scope: Scope, province_code: str, year: int) -> PlanWindow | None:
    """Also one that was withdrawn."""
    row = await scope["plan_windows"].find_one(
        {"province_code": province_code, "year": year}, session=scope.session
    )
    return None if row is None else PlanWindow.from_mongo(row)


async def keep_window(scope: Scope, changed: PlanWindow, seen: int) -> bool:
    """Writes a window whose history was `seen` long; False when somebody has changed it. Raises DuplicateKeyError."""
    if not seen:
        await scope["plan_windows"].insert_one(changed.to_mongo(), session=scope.session)
        return True
    done = await scope["plan_windows"].replace_one(
        {"_id": changed.id, "history": {"$size": seen}}, changed.to_mongo(), session=scope.session
    )
    return bool(done.modified_count)
