"""Queries over blank certificate paper and its book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo.errors import BulkWriteError, DuplicateKeyError

from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope
from server.stock.paper_documents import BlankPaper, PaperCount, PaperMovement, PaperRequest
from server.stock.paper_rules import Fate

DUPLICATE = 11000
COLLECTIONS = (
    CollectionSpec(
        "blank_papers",
        shard_key=None,
        indexes=(
            Index([("source", 1), ("number", 1)], unique=True),
            Index([("number", 1)]),
            Index([("certificate_id", 1)], unique=True, partial={"certificate_id": {"$type": "string"}}),
            Index([("office", 1), ("state", 1), ("source", 1), ("number", 1)]),
            Index([("state", 1), ("institution_code", 1)]),
            Index([("province_code", 1), ("state", 1), ("institution_code", 1)]),
        ),
    ),
    CollectionSpec("paper_movements", shard_key=None, indexes=(Index([("office", 1), ("_id", -1)]),)),
    CollectionSpec("paper_counts", shard_key=None, indexes=(Index([("office", 1), ("_id", -1)]),)),
    CollectionSpec(
        "paper_requests",
        shard_key=None,
        indexes=(Index([("province_code", 1), ("_id", -1)]), Index([("institution_code", 1), ("_id", -1)])),
    ),
)


async def insert(scope: Scope, sheets: Sequence[BlankPaper]) -> None:
    """Raises DuplicateKeyError where a number is there already."""
    try:
        await scope["blank_papers"].insert_many([one.to_mongo() for one in sheets], session=scope.session)
    except BulkWriteError as refusal:
        wrong = (refusal.details or {}).get("writeErrors", [])
        if wrong and all(one["code"] == DUPLICATE for one in wrong):
            raise DuplicateKeyError("a number is there already", DUPLICATE) from None
        raise


def _left(office: str, source: str, pile: Sequence[str]) -> Row:
    return {"office": office, "state": Fate.LEFT, "source": source, "number": {"$in": list(pile)}}


async def change_left(scope: Scope, office: str, source: str, pile: Sequence[str], changes: Row) -> int:
    done = await scope["blank_papers"].update_many(
        _left(office, source, pile), {"$set": changes}, session=scope.session
    )
    return int(done.modified_count)


async def change_used(scope: Scope, sheet: BlankPaper, changes: Row) -> None:
    await scope["blank_papers"].update_one({"_id": sheet.id}, {"$set": changes}, session=scope.session)


async def remove_left(scope: Scope, office: str, source: str, pile: Sequence[str]) -> int:
    done = await scope["blank_papers"].delete_many(_left(office, source, pile), session=scope.session)
    return int(done.deleted_count)


async def next_left(scope: Scope, office: str, source: str, limit: int) -> list[str]:
    condition: Row = {"office": office, "state": Fate.LEFT, "source": source}
    rows = scope["blank_papers"].find(condition, {"number": 1}, session=scope.session)
    return [row["number"] async for row in rows.sort("number", 1).limit(limit)]


async def first_left(scope: Scope, office: str) -> str:
    condition = {"office": office, "state": Fate.LEFT}
    row = await scope["blank_papers"].find_one(
        condition, {"number": 1}, sort=[("source", 1), ("number", 1)], session=scope.session
    )
    return row["number"] if row else ""


async def left(scope: Scope, office: str) -> int:
    return await scope["blank_papers"].count_documents(
        {"office": office, "state": Fate.LEFT}, session=scope.session
    )


async def of_certificates(scope: Scope, certificate_ids: Sequence[str]) -> dict[str, BlankPaper]:
    condition = {"certificate_id": {"$in": list(certificate_ids)}}
    rows = scope["blank_papers"].find(condition, session=scope.session)
    return {row["certificate_id"]: BlankPaper.from_mongo(row) async for row in rows}


# ---- the book


async def note(scope: Scope, lines: Sequence[PaperMovement]) -> None:
    await scope["paper_movements"].insert_many([one.to_mongo() for one in lines], session=scope.session)


async def movement(scope: Scope, office: str, movement_id: str) -> PaperMovement | None:
    row = await scope["paper_movements"].find_one(
        {"_id": movement_id, "office": office}, session=scope.session
    )
    return None if row is None else PaperMovement.from_mongo(row)


async def mark_taken_back(scope: Scope, movement_id: str) -> None:
    await scope["paper_movements"].update_one(
        {"_id": movement_id}, {"$set": {"taken_back": True}}, session=scope.session
    )


async def movements(
    scope: Scope, office: str, *, before: str | None = None, limit: int
) -> list[PaperMovement]:
    condition, direction = by_age({"office": office}, before)
    rows = scope["paper_movements"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return [PaperMovement.from_mongo(row) async for row in rows]


async def sums(scope: Scope, office: str, since: datetime) -> tuple[int, list[tuple[str, int]]]:
    """What was left before `since`, and by kind what has changed from then on."""
    stages: list[Row] = [
        {"$match": {"office": office}},
        {
            "$group": {
                "_id": {"kind": "$kind", "later": {"$gte": ["$at", since]}},
                "delta": {"$sum": "$delta"},
            }
        },
    ]
    rows = await scope["paper_movements"].aggregate(stages, session=scope.session).to_list(None)
    opening = sum(row["delta"] for row in rows if not row["_id"]["later"])
    return opening, [(row["_id"]["kind"], row["delta"]) for row in rows if row["_id"]["later"]]


async def add_count(scope: Scope, new: PaperCount) -> None:
    await scope["paper_counts"].insert_one(new.to_mongo(), session=scope.session)


async def counts(scope: Scope, office: str, *, limit: int) -> list[PaperCount]:
    rows = scope["paper_counts"].find({"office": office}, session=scope.session).sort("_id", -1).limit(limit)
    return [PaperCount.from_mongo(row) async for row in rows]


# ---- 申领


async def add_request(scope: Scope, new: PaperRequest) -> None:
    await scope["paper_requests"].insert_one(new.to_mongo(), session=scope.session)


async def request(scope: Scope, reach: Jurisdiction, request_id: str) -> PaperRequest | None:
    condition = {"$and": [{"_id": request_id}, reach.filter()]}
    row = await scope["paper_requests"].find_one(condition, session=scope.session)
    return None if row is None else PaperRequest.from_mongo(row)


async def requests(scope: Scope, reach: Jurisdiction, *, limit: int) -> list[PaperRequest]:
    rows = scope["paper_requests"].find(reach.filter(), session=scope.session).sort("_id", -1).limit(limit)
    return [PaperRequest.from_mongo(row) async for row in rows]


async def numbered(scope: Scope, reach: Jurisdiction, number: str) -> list[BlankPaper]:
    """Sheets with this number: each province has numbers of its own."""
    rows = scope["blank_papers"].find({"$and": [{"number": number}, reach.filter()]}, session=scope.session)
    return [BlankPaper.from_mongo(row) async for row in rows]


async def left_numbers(scope: Scope, reach: Jurisdiction, given: Row) -> list[Row]:
    """`institution_code` and `number` of the sheets that institutions have."""
    condition = {"$and": [reach.filter(), {"state": Fate.LEFT, "institution_code": {"$gt": ""}}, given]}
    wanted = {"institution_code": 1, "number": 1}
    return await scope["blank_papers"].find(condition, wanted, session=scope.session).to_list(None)


async def left_by_institution(scope: Scope, reach: Jurisdiction) -> dict[str, int]:
    """What institutions have; what lies with a province or the centre is in their own book."""
    stages: list[Row] = [
        {"$match": {"$and": [reach.filter(), {"state": Fate.LEFT, "institution_code": {"$gt": ""}}]}},
        {"$group": {"_id": "$institution_code", "count": {"$sum": 1}}},
    ]
    rows = scope["blank_papers"].aggregate(stages, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}
