"""Queries over the pool of backbone teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pymongo import UpdateOne

from server.backbone import rules
from server.backbone.documents import PoolFilter, PoolMember, StatusStep
from server.backbone.rules import YearFigures
from server.backbone.search import of_words
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import insert_many
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "backbone_teachers",
        shard_key=None,
        indexes=(
            Index([("province_code", 1), ("_id", 1)]),
            Index([("majors", 1), ("_id", 1)]),
            Index([("grams", 1), ("_id", -1)]),
            Index([("marks", 1), ("_id", -1)]),
            Index([("status", 1), ("_id", -1)]),
            # A certificate makes one member.
            Index(
                [("certificate_number", 1)],
                unique=True,
                partial={"certificate_number": {"$type": "string"}},
            ),
            Index([("due_on", 1)], partial={"due_on": {"$type": "string"}}),
        ),
    ),
)


async def member(scope: Scope, person_id: str) -> PoolMember | None:
    row = await scope["backbone_teachers"].find_one({"_id": person_id}, session=scope.session)
    return None if row is None else PoolMember.from_mongo(row)


async def members(scope: Scope, narrowed: PoolFilter, *, before: str | None, limit: int) -> list[PoolMember]:
    """People known last first. The pool is open to every institution of the country (article 9.1): no jurisdiction narrows it."""
    condition = _condition(narrowed)
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["backbone_teachers"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [PoolMember.from_mongo(row) async for row in rows]


def _condition(narrowed: PoolFilter) -> Row:
    exact = {
        "province_code": narrowed.province_code,
        "majors": narrowed.major,
        "status": narrowed.status,
    }
    condition: Row = {name: value for name, value in exact.items() if value}
    if narrowed.certificate_number:
        # its index holds numbers alone, and serves who asks for nothing else
        condition["certificate_number"] = {"$type": "string", "$eq": narrowed.certificate_number}
    if narrowed.marks:
        condition["marks"] = {"$all": list(narrowed.marks)}
    condition |= of_words(narrowed.words)
    return condition


async def members_by_id(scope: Scope, person_ids: Sequence[str]) -> dict[str, PoolMember]:
    rows = scope["backbone_teachers"].find({"_id": {"$in": list(person_ids)}}, session=scope.session)
    return {row["_id"]: PoolMember.from_mongo(row) async for row in rows}


async def insert_all(scope: Scope, new: Sequence[PoolMember]) -> None:
    """Raises DuplicateKeyError for somebody, or a certificate, that is there already."""
    await insert_many(scope, "backbone_teachers", new)


async def ids_after(scope: Scope, person_id: str, limit: int) -> list[str]:
    """The next ids of the pool in their order; from the beginning after the empty one."""
    rows = scope["backbone_teachers"].find({"_id": {"$gt": person_id}}, {"_id": 1}).sort("_id", 1)
    return [row["_id"] async for row in rows.limit(limit)]


async def set_figures(scope: Scope, figures: Mapping[str, Sequence[YearFigures]]) -> int:
    """Writes the figures of these members; returns how many were other ones than before."""
    writes = []
    for person_id, years in figures.items():
        fields = {"figures": [one.model_dump() for one in years], "marks": rules.marks(years)}
        changed = {"$or": [{name: {"$ne": value}} for name, value in fields.items()]}
        writes.append(UpdateOne({"_id": person_id, **changed}, {"$set": fields}))
    done = await scope["backbone_teachers"].bulk_write(writes, ordered=False, session=scope.session)
    return int(done.modified_count)


async def rename(scope: Scope, renamed: PoolMember) -> None:
    fields = renamed.model_dump(include={"name", "grams"})
    await scope["backbone_teachers"].update_one({"_id": renamed.id}, {"$set": fields}, session=scope.session)


async def relocate(scope: Scope, moved: PoolMember) -> None:
    fields = moved.model_dump(include={"work_unit", "province_code", "grams"})
    await scope["backbone_teachers"].update_one({"_id": moved.id}, {"$set": fields}, session=scope.session)


async def renumber(scope: Scope, person_id: str, id_number_masked: str) -> None:
    await scope["backbone_teachers"].update_one(
        {"_id": person_id}, {"$set": {"id_number_masked": id_number_masked}}, session=scope.session
    )


async def follow_certificate(scope: Scope, person_id: str, before: str, after: str) -> None:
    await scope["backbone_teachers"].update_one(
        {"_id": person_id, "certificate_number": before},
        {"$set": {"certificate_number": after}},
        session=scope.session,
    )


async def set_status(scope: Scope, changed: PoolMember, new: Sequence[StatusStep]) -> None:
    """Writes the member's status as it stands now, and adds the steps that led to it."""
    fields = changed.model_dump(include={"status", "status_since", "due_on"})
    await scope["backbone_teachers"].update_one(
        {"_id": changed.id},
        {"$set": fields, "$push": {"history": {"$each": [one.model_dump() for one in new]}}},
        session=scope.session,
    )


async def due(scope: Scope, today: date, limit: int) -> list[str]:
    """Ids of members for whom a decided status takes effect today or should have before."""
    condition = {"due_on": {"$type": "string", "$lte": today}}
    rows = scope["backbone_teachers"].find(condition, {"_id": 1}, session=scope.session)
    return [row["_id"] async for row in rows.sort("due_on", 1).limit(limit)]
