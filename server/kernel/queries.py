"""What stores say often."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import pymongo
from pymongo.errors import BulkWriteError, DuplicateKeyError, ExecutionTimeout, NetworkTimeout

from server.kernel.clock import beijing_date
from server.kernel.errors import Unavailable
from server.kernel.mongo import OLDEST, Document, Row, by_age
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Owed

R = TypeVar("R")
S = TypeVar("S")

LOOKED_FOR_MOST = 5.0
"""Seconds that all queries of one page of a list may take: words that are everywhere, but nowhere together, have no index."""


class TooBroad(Unavailable):
    slug = "too-broad"
    title = "一时没有找完"
    default_detail = (
        "符合条件的内容太多，一时没有找完。请写得更具体些（如完整的姓名或名称），或再选一个条件。"
    )


@contextmanager
def within_time() -> Iterator[None]:
    """The database gives up what is looked for here after LOOKED_FOR_MOST. Raises TooBroad."""
    try:
        with pymongo.timeout(LOOKED_FOR_MOST):
            yield
    except (ExecutionTimeout, NetworkTimeout):
        raise TooBroad() from None


DUPLICATE_KEY = 11000
"""In error_codes.yml of the server."""


async def insert_many(scope: Scope, collection: str, new: Sequence[Document]) -> None:
    """Raises DuplicateKeyError, as `insert_one` does, where a unique index has one of them already.

    Its details name the keys of that index and nothing of what was to be stored: they may get into a log.
    """
    if not new:
        return
    try:
        await scope[collection].insert_many([one.to_mongo() for one in new], session=scope.session)
    except BulkWriteError as error:
        wrong = (error.details or {}).get("writeErrors", [])
        if not wrong or any(one["code"] != DUPLICATE_KEY for one in wrong):
            raise
        keys = {"keyPattern": wrong[0].get("keyPattern", {})}
        raise DuplicateKeyError(f"{collection} has one already", DUPLICATE_KEY, keys) from None


async def count_and_oldest(
    scope: Scope, collection: str, condition: Row, moment: str, most: int = 1_000
) -> tuple[int, Any]:
    """How many there are, and the earliest `moment` of them; counting ends at `most`, the oldest first."""
    stages: list[Row] = [
        {"$match": condition},
        {"$sort": {"_id": 1}},
        {"$limit": most},
        {"$group": {"_id": None, "count": {"$sum": 1}, "oldest": {"$min": f"${moment}"}}},
    ]
    [row] = await scope[collection].aggregate(stages, session=scope.session).to_list(1) or [{}]
    return int(row.get("count", 0)), row.get("oldest")


OF_INSTITUTION: Row = {"$concat": ["institution:", "$institution_code"]}


async def owed(
    scope: Scope,
    collection: str,
    condition: Row,
    moment: str,
    office: Row = OF_INSTITUTION,
    most: int = 1_000,
) -> list[Owed]:
    """The same of each office for which some of them wait (`office` reckons its name from a row): of the `most` oldest."""
    stages: list[Row] = [
        {"$match": condition},
        {"$sort": {"_id": 1}},
        {"$limit": most},
        {
            "$group": {
                "_id": office,
                "count": {"$sum": 1},
                "since": {"$min": f"${moment}"},
                "oldest": {"$first": "$_id"},
            }
        },
        {"$sort": {"oldest": 1}},
    ]
    return [
        Owed(row["_id"], row["count"], _day(row["since"]), row["oldest"])
        async for row in scope[collection].aggregate(stages, session=scope.session)
    ]


def _day(stored: Any) -> date:
    return date.fromisoformat(stored) if isinstance(stored, str) else beijing_date(stored)


class Part(list[R]):
    """Rows of a page where each was looked at before it was taken; looking is broken off after so many, the page full or not."""

    goes_on: str | None = None
    """The cursor from which to look on, where it was."""
    full_pages: bool = True
    """Whether the pages before this one were full."""
    counted: int | None = None
    """How many there are in all, up to one more than COUNTED_TO, where an index alone tells; on a first page that is not the last."""


COUNTED_TO = 200
"""A first page is as quick on a million rows as on a thousand; whoever needs the whole number has it in the sheet."""


async def by_age_from(
    scope: Scope,
    collection: str,
    condition: Row,
    read: Callable[[Row], R],
    *,
    before: str | None,
    limit: int,
    hint: Sequence[tuple[str, int]] | None = None,
) -> Part[R]:
    """A page of a list that is read from either end (mongo.by_age)."""
    whole, direction = by_age(condition, before)
    rows = scope[collection].find(whole, session=scope.session, hint=hint).sort("_id", direction).limit(limit)
    found = Part([read(row) async for row in rows])
    if before in (None, OLDEST) and len(found) == limit:
        found.counted = await _counted(scope, collection, condition)
    return found


async def _counted(scope: Scope, collection: str, condition: Row) -> int | None:
    """Of a reach, or of one facet in it: several together, and words, are found by reading what has one of them."""
    said = list(_flat(condition))
    words = [word for name, asked in said if name == "found_by" for word in asked.get("$all", ("", ""))]
    if len(words) > 1 or {name for name, _ in said} - {"found_by", "province_code", "institution_code"}:
        return None
    hint = {} if said else {"hint": "_id_"}
    count = scope[collection].count_documents(condition, limit=COUNTED_TO + 1, session=scope.session, **hint)
    return int(await count)


def _flat(condition: Row) -> Iterator[tuple[str, Any]]:
    for name, asked in condition.items():
        if name == "$and":
            for one in asked:
                yield from _flat(one)
        else:
            yield name, asked


@dataclass(frozen=True)
class LookUp(Generic[R]):
    """What is looked for in a collection, and how the rows found are read: it can travel together with another."""

    collection: str
    condition: Row
    read: Callable[[list[Row]], R]
    projection: Row | None = None


async def look_up_both(scope: Scope, one: LookUp[R], other: LookUp[S]) -> tuple[R, S]:
    """Two look-ups in one round trip, for a path on which Motor's hop to its thread costs more than either query."""

    def stages(wanted: LookUp[Any], place: int) -> list[Row]:
        shown = [{"$project": wanted.projection}] if wanted.projection else []
        return [{"$match": wanted.condition}, *shown, {"$set": {"_look_up": place}}]

    joined = {"$unionWith": {"coll": other.collection, "pipeline": stages(other, 1)}}
    # one reply, where the driver's 101 rows a batch would be several
    found = scope[one.collection].aggregate([*stages(one, 0), joined], session=scope.session, batchSize=2_000)
    rows: tuple[list[Row], list[Row]] = ([], [])
    for row in await found.to_list(None):
        rows[row.pop("_look_up")].append(row)
    return one.read(rows[0]), other.read(rows[1])
