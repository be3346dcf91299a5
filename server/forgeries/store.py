"""Queries over reports of forged certificates."""

from __future__ import annotations

from datetime import datetime

from server.forgeries.documents import Forgery, ForgeryFilter, ForgeryPicture
from server.forgeries.rules import State
from server.kernel.found import found_indexes, looking_for
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row, by_age
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "forgeries",
        shard_key=None,
        indexes=(
            Index([("receipt", 1)], unique=True),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("certificate_id", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
    CollectionSpec("forgery_pictures", shard_key="_id"),
)


async def insert(scope: Scope, new: Forgery, picture: bytes | None) -> None:
    await scope["forgeries"].insert_one(new.to_mongo(), session=scope.session)
    if picture is not None:
        kept = ForgeryPicture(id=new.id, content=picture)
        await scope["forgery_pictures"].insert_one(kept.to_mongo(), session=scope.session)


async def in_reach(scope: Scope, reach: Jurisdiction, forgery_id: str) -> Forgery | None:
    row = await scope["forgeries"].find_one(
        {"$and": [{"_id": forgery_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else Forgery.from_mongo(row)


async def by_receipt(scope: Scope, receipt: str) -> Forgery | None:
    row = await scope["forgeries"].find_one({"receipt": receipt}, session=scope.session)
    return None if row is None else Forgery.from_mongo(row)


async def picture(scope: Scope, forgery_id: str) -> bytes | None:
    row = await scope["forgery_pictures"].find_one({"_id": forgery_id}, session=scope.session)
    return None if row is None else ForgeryPicture.from_mongo(row).content


async def drop_picture(scope: Scope, forgery_id: str) -> None:
    await scope["forgery_pictures"].delete_one({"_id": forgery_id}, session=scope.session)


async def settled_before(scope: Scope, moment: datetime, limit: int) -> list[Forgery]:
    """Those without a step since then that still say something of a person; what was handed over is not among them."""
    condition: Row = {
        "state": {"$in": [State.CONFIRMED, State.UNFOUNDED, State.UNCLEAR]},
        "history": {"$not": {"$elemMatch": {"at": {"$gte": moment}}}},
        "$or": [{"contact": {"$ne": None}}, {"pictured": True}],
    }
    rows = scope["forgeries"].find(condition, session=scope.session).limit(limit)
    return [Forgery.from_mongo(row) async for row in rows]


async def forgeries(
    scope: Scope, reach: Jurisdiction, narrowed: ForgeryFilter, *, before: str | None, limit: int
) -> list[Forgery]:
    """Newest first, older than the id `before`, or oldest first."""
    names = ("institution_name", "certificate_number")
    conditions = [reach.filter(), looking_for(narrowed.words, names, {"state": narrowed.state})]
    if narrowed.province_code:
        conditions.append({"province_code": narrowed.province_code})
    condition, direction = by_age({"$and": conditions}, before)
    rows = scope["forgeries"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return [Forgery.from_mongo(row) async for row in rows]
