"""Queries over certificates: the ledger (专门台账, article 18)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from bson.binary import Binary
from pymongo import ReturnDocument

from server.certificates.documents import (
    MOST_ATTEMPTS,
    NOT_ISSUED,
    Certificate,
    CertificateStatus,
    IssuedFile,
    LedgerCheck,
    LedgerFilter,
    LedgerFinding,
)
from server.certificates.rules import is_serial, number_begun
from server.kernel import queries
from server.kernel.folding import bare_number, folded
from server.kernel.found import FOUND_BY, found_indexes, hint_of, looking_for, words_of
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import count_and_oldest
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Owed

COLLECTIONS = (
    CollectionSpec(
        "certificates",
        shard_key=None,
        indexes=(
            Index([("institution_code", 1), ("printed.serial", 1)], unique=True),
            Index([("printed.number", 1)], unique=True, partial={"current": True}),  # a 补发 keeps the number
            Index([("class_id", 1), ("person_id", 1)], unique=True, partial={"current": True}),
            Index([("printed.number", 1), ("_id", -1)]),
            Index([("class_id", 1), ("_id", 1)]),
            Index([("status", 1), ("_id", 1)], partial={"status": "PENDING"}),
            Index([("institution_code", 1), ("current", 1)], partial={"current": False}),
            Index([("replaces", 1)], unique=True, partial={"replaces": {"$type": "string"}}),
            Index([("file.sha256", 1)], partial={"file.sha256": {"$exists": True}}),
            Index([("drafts", 1)], partial={"drafts.0": {"$exists": True}}),
            Index([("token", 1)], unique=True),
            Index([("printed.id_number", 1)]),
            Index([("folded_name", 1)]),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            *found_indexes("institution_code", "province_code"),
        ),
    ),
    CollectionSpec(
        "ledger_findings",
        shard_key=None,
        indexes=(
            Index(
                [("institution_code", 1), ("kind", 1), ("subject", 1)], unique=True, partial={"open": True}
            ),
            Index([("open", 1), ("_id", -1)]),
            Index([("province_code", 1), ("open", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("open", 1), ("_id", -1)]),
        ),
    ),
    CollectionSpec("ledger_checks", shard_key=None, indexes=(Index([("province_code", 1)]),)),
)


NOT_VOID: Row = {"status": {"$ne": CertificateStatus.VOID}}
ISSUED: Row = {"status": {"$nin": list(NOT_ISSUED)}}


async def insert(scope: Scope, new: Sequence[Certificate]) -> None:
    await scope["certificates"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def of_class(scope: Scope, class_id: str) -> dict[str, Certificate]:
    """By person, in the order of the serials: the one that stands for each, else the newest; a number that was given up is none. A class
    is small (policy `roster_rows`), so it is read whole."""
    rows = scope["certificates"].find({"class_id": class_id, **NOT_VOID}, session=scope.session)
    found = [Certificate.from_mongo(row) async for row in rows]
    found.sort(key=lambda one: (one.current, one.printed.serial))
    standing = {one.person_id: one for one in found}
    return dict(sorted(standing.items(), key=lambda item: item[1].printed.serial))


async def of_person(
    scope: Scope, person_id: str, reach: Row, *, before: str | None, limit: int
) -> list[Certificate]:
    """Newest first; `reach` narrows them to the institutions in which the phone is proved. A number that was given up is nobody's."""
    condition: Row = {"person_id": person_id, **reach, **NOT_VOID}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["certificates"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Certificate.from_mongo(row) async for row in rows]


async def one_of_person(scope: Scope, person_id: str, reach: Row, certificate_id: str) -> Certificate | None:
    return await _one(scope, {"_id": certificate_id, "person_id": person_id, **reach, **NOT_VOID})


async def in_reach(scope: Scope, reach: Jurisdiction, certificate_id: str) -> Certificate | None:
    return await _one(scope, {"$and": [{"_id": certificate_id}, reach.filter()]})


async def by_token(scope: Scope, token: str) -> Certificate | None:
    return await _one(scope, {"token": token})


async def by_file(scope: Scope, sha256: str) -> Certificate | None:
    """The one whose issued file has this digest."""
    return await _one(scope, {"file.sha256": sha256})


async def numbered(scope: Scope, number: str) -> str | None:
    condition: Row = {"printed.number": number, **ISSUED}
    row = await scope["certificates"].find_one(
        condition, {"_id": 1}, sort=[("_id", -1)], session=scope.session
    )
    return None if row is None else str(row["_id"])


async def by_id(scope: Scope, certificate_id: str) -> Certificate | None:
    return await _one(scope, {"_id": certificate_id})


async def not_in_force(scope: Scope, institution_code: str) -> list[str]:
    condition: Row = {"institution_code": institution_code, "current": False, **ISSUED}
    rows = scope["certificates"].find(condition, {"printed.serial": 1}, session=scope.session)
    return [row["printed"]["serial"] async for row in rows]


async def matching(
    scope: Scope, *, name: str | None, id_number: Binary | None, number: str | None, limit: int
) -> list[Certificate]:
    """Those that carry all of what is given, newest first; the caller gives at least two (article 18). What was not issued is none."""
    given = {
        "folded_name": folded(name) if name is not None else None,
        "printed.id_number": id_number,
        "printed.number": number,
    }
    condition: Row = {path: value for path, value in given.items() if value is not None} | ISSUED
    rows = scope["certificates"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Certificate.from_mongo(row) async for row in rows]


async def ledger(
    scope: Scope, reach: Jurisdiction, narrowed: LedgerFilter, *, before: str | None, limit: int
) -> list[Certificate]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    looked_for = _conditions(narrowed)
    return await queries.by_age_from(
        scope,
        "certificates",
        {"$and": [reach.filter(), *looked_for]},
        Certificate.from_mongo,
        before=before,
        limit=limit,
        hint=hint_of(reach, looked_for[0]),
    )


async def count(scope: Scope, reach: Jurisdiction) -> int:
    """How many were ever issued in a reach; of the whole country by the collection's own count, which reads no row."""
    condition = reach.filter()
    if not condition:
        return await scope["certificates"].estimated_document_count()
    return await scope["certificates"].count_documents(condition, session=scope.session)


def _conditions(narrowed: LedgerFilter) -> list[Row]:
    """That of the words first."""
    facets = {"level": narrowed.level, "year": narrowed.year}
    code = bare_number(narrowed.words)
    if numbered := words_of([("serial", code if is_serial(code) else ""), ("number", number_begun(code))]):
        which: Row = {"$or": [{"printed.serial": code}, {"printed.number": {"$regex": f"^{code}"}}]}
        conditions = [{FOUND_BY: {"$in": numbered}}, which, looking_for("", [], facets)]
    else:
        conditions = [looking_for(narrowed.words, ["printed.name"], facets)]
    given: Row = {
        "institution_code": narrowed.institution_code,
        "province_code": narrowed.province_code,
        "status": narrowed.status,
        "printed.major": narrowed.major,
    }
    conditions += [{path: value} for path, value in given.items() if value]
    conditions += [ISSUED] if narrowed.issued else []
    if narrowed.month:
        conditions.append({"printed.issued_on": {"$regex": f"^{narrowed.month}-"}})
    return conditions


async def tally(scope: Scope, reach: Jurisdiction, year: int, by: object) -> list[tuple[str, str, int]]:
    """Of a year, by the expression `by` and the status how many there are. The index finds those of the year in the reach."""
    of_year: Row = {"$and": [reach.filter(), looking_for("", [], {"year": year})]}
    stages: list[Row] = [
        {"$match": of_year},
        {"$group": {"_id": {"by": by, "status": "$status"}, "count": {"$sum": 1}}},
    ]
    rows = scope["certificates"].aggregate(stages, session=scope.session)
    return [(str(row["_id"]["by"]), row["_id"]["status"], row["count"]) async for row in rows]


async def revoke(
    scope: Scope, certificate_id: str, *, at: datetime, by: str, reason: str
) -> Certificate | None:
    """None when it is not valid any more."""
    status = CertificateStatus.REVOKED
    change: Row = {"status": status, "revoked_at": at, "revoked_by": by, "revoke_reason": reason}
    return await _ended(scope, certificate_id, CertificateStatus.VALID, change)


async def give_up(
    scope: Scope, certificate_id: str, *, at: datetime, by: str, reason: str
) -> Certificate | None:
    """None when it does not wait any more. It stands for nothing, and makes room for another try."""
    change = {"status": CertificateStatus.VOID, "revoked_at": at, "revoked_by": by, "revoke_reason": reason}
    return await _ended(scope, certificate_id, CertificateStatus.PENDING, change | {"replaces": None})


async def _ended(
    scope: Scope, certificate_id: str, now: CertificateStatus, change: Row
) -> Certificate | None:
    row: Row | None = await scope["certificates"].find_one_and_update(
        {"_id": certificate_id, "status": now},
        {"$set": change | {"current": False}},
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return None if row is None else Certificate.from_mongo(row)


# ---- drawing and signing


async def waiting(scope: Scope, now: datetime, limit: int) -> list[Row]:
    """Those that are to be signed now, the oldest first, as they are: somebody else may have put one in."""
    condition: Row = {
        "status": CertificateStatus.PENDING,
        "attempts": {"$lt": MOST_ATTEMPTS},
        "$or": [{"try_again_at": None}, {"try_again_at": {"$lte": now}}],
    }
    return await scope["certificates"].find(condition).sort("_id", 1).limit(limit).to_list(None)


async def refuse(scope: Scope, row_id: Any, why: str) -> Row | None:
    """It is not tried again until somebody says so. None when it waits no more."""
    change = {"$set": {"attempts": MOST_ATTEMPTS, "failure": why, "try_again_at": None}}
    waiting = {"_id": row_id, "status": CertificateStatus.PENDING}
    row: Row | None = await scope["certificates"].find_one_and_update(waiting, change, session=scope.session)
    return row


async def begin_file(scope: Scope, certificate_id: str, file_id: str) -> list[str] | None:
    """Names the file that is about to be written; which were begun before. None when the certificate waits no more."""
    row: Row | None = await scope["certificates"].find_one_and_update(
        {"_id": certificate_id, "status": CertificateStatus.PENDING},
        {"$push": {"drafts": file_id}},
        projection={"drafts": 1},
        session=scope.session,
    )
    return None if row is None else list(row.get("drafts", ()))


async def sign(scope: Scope, certificate_id: str, file: IssuedFile) -> Certificate | None:
    """The certificate is valid from here on. None when it waits no more."""
    row: Row | None = await scope["certificates"].find_one_and_update(
        {"_id": certificate_id, "status": CertificateStatus.PENDING},
        {
            "$set": {
                "status": CertificateStatus.VALID,
                "current": True,
                "file": file.model_dump(),
                "drafts": [],
                "attempts": 0,
                "failure": "",
                "try_again_at": None,
            }
        },
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return None if row is None else Certificate.from_mongo(row)


async def stand_back(
    scope: Scope, certificate_id: str, *, for_: Certificate, at: datetime, status: CertificateStatus
) -> None:
    """Another certificate takes the place of this one."""
    change: Row = {"status": status, "current": False, "replaced_by": for_.id, "replaced_at": at}
    change["replaced_by_serial"] = for_.printed.serial
    await scope["certificates"].update_one({"_id": certificate_id}, {"$set": change}, session=scope.session)


async def note_failure(
    scope: Scope, certificate_id: str, why: str, try_again_at: datetime
) -> Certificate | None:
    """None when it waits no more."""
    row: Row | None = await scope["certificates"].find_one_and_update(
        {"_id": certificate_id, "status": CertificateStatus.PENDING},
        {"$inc": {"attempts": 1}, "$set": {"failure": why, "try_again_at": try_again_at}},
        return_document=ReturnDocument.AFTER,
        session=scope.session,
    )
    return None if row is None else Certificate.from_mongo(row)


async def try_again(scope: Scope, class_id: str) -> int:
    """Those of a class that failed are tried at once, as if they never had; how many."""
    done = await scope["certificates"].update_many(
        {"class_id": class_id, "status": CertificateStatus.PENDING, "attempts": {"$gt": 0}},
        {"$set": {"attempts": 0, "try_again_at": None}},
        session=scope.session,
    )
    return int(done.modified_count)


async def replacing(scope: Scope, class_id: str) -> list[Certificate]:
    """Those of a class that wait to be signed and are to take the place of another, in the order in which they were numbered."""
    condition: Row = {"class_id": class_id, "status": CertificateStatus.PENDING, "current": False}
    rows = scope["certificates"].find(condition, session=scope.session).sort("_id", 1)
    return [Certificate.from_mongo(row) async for row in rows]


async def pending_instead_of(scope: Scope, certificate_id: str) -> Certificate | None:
    """The one that is to take the place of another and waits to be signed."""
    return await _one(scope, {"replaces": certificate_id, "status": CertificateStatus.PENDING})


async def abandoned_files(scope: Scope, limit: int) -> list[tuple[str, list[str]]]:
    """Files of runs that were killed, by certificates that do not wait any more."""
    begun: Row = {"drafts": {"$gt": ""}, "drafts.0": {"$exists": True}}
    rows = scope["certificates"].find(begun | {"status": {"$ne": CertificateStatus.PENDING}}, {"drafts": 1})
    return [(row["_id"], row["drafts"]) async for row in rows.limit(limit)]


async def forget_files(scope: Scope, certificate_id: str, file_ids: Sequence[str]) -> None:
    await scope["certificates"].update_one(
        {"_id": certificate_id}, {"$pullAll": {"drafts": list(file_ids)}}, session=scope.session
    )


async def given_up_by_class(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """By class id how many are not tried any more; a class without any is left out."""
    pipeline: list[Row] = [
        {
            "$match": {
                "class_id": {"$in": list(class_ids)},
                "status": CertificateStatus.PENDING,
                "attempts": {"$gte": MOST_ATTEMPTS},
            }
        },
        {"$group": {"_id": "$class_id", "count": {"$sum": 1}}},
    ]
    rows = scope["certificates"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}


async def _one(scope: Scope, condition: Row) -> Certificate | None:
    row = await scope["certificates"].find_one(condition, session=scope.session)
    return None if row is None else Certificate.from_mongo(row)


async def holders(scope: Scope, person_ids: Sequence[str], level: str, major: str) -> set[str]:
    """Those of these people with a valid certificate of this level and 专业大类 (by name, as it is printed)."""
    rows = scope["certificates"].find(
        {
            "person_id": {"$in": list(person_ids)},
            "printed.level": level,
            "printed.major": major,
            "status": CertificateStatus.VALID,
        },
        {"person_id": 1},
        session=scope.session,
    )
    return {row["person_id"] async for row in rows}


async def of_person_in_class(scope: Scope, class_id: str, person_id: str) -> list[Certificate]:
    """All that somebody ever had of a class, in the order in which they were issued."""
    rows = scope["certificates"].find({"class_id": class_id, "person_id": person_id}, session=scope.session)
    return [Certificate.from_mongo(row) async for row in rows.sort("_id", 1)]


async def in_place_of(scope: Scope, certificate_id: str) -> Certificate | None:
    """What was issued, or is being signed, in the place of this one."""
    return await _one(scope, {"replaces": certificate_id})


# ---- checking the ledger


async def people_with_certificates(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    rows = scope["certificates"].find(
        {"person_id": {"$in": list(person_ids)}}, {"person_id": 1}, session=scope.session
    )
    return {row["person_id"] async for row in rows}


async def rows_of_institution(scope: Scope, institution_code: str) -> AsyncIterator[Row]:
    """Rows as they are, in the order of their serials: what is checked may be broken."""
    rows = scope["certificates"].find({"institution_code": institution_code}, batch_size=500)
    async for row in rows.sort("printed.serial", 1):
        yield row


async def row(scope: Scope, certificate_id: str) -> Row | None:
    """As it is."""
    found: Row | None = await scope["certificates"].find_one({"_id": certificate_id}, session=scope.session)
    return found


async def rows(scope: Scope, certificate_ids: Sequence[str]) -> dict[str, Row]:
    """By id, as they are."""
    found = scope["certificates"].find({"_id": {"$in": list(certificate_ids)}}, session=scope.session)
    return {row["_id"]: row async for row in found}


async def count_of_class(scope: Scope, class_id: str) -> int:
    return await scope["certificates"].count_documents({"class_id": class_id}, session=scope.session)


async def count_by_class(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """To how many people, revoked ones included; a class without any is left out."""
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, **NOT_VOID}},
        {"$group": {"_id": {"class": "$class_id", "person": "$person_id"}}},
        {"$group": {"_id": "$_id.class", "count": {"$sum": 1}}},
    ]
    rows = scope["certificates"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}


async def holders_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, set[str]]:
    """By class id who has a certificate of it, revoked ones included."""
    rows = scope["certificates"].find(
        {"class_id": {"$in": list(class_ids)}, **NOT_VOID},
        {"class_id": 1, "person_id": 1},
        session=scope.session,
    )
    found: dict[str, set[str]] = {}
    async for row in rows:
        found.setdefault(row["class_id"], set()).add(row["person_id"])
    return found


async def open_findings_of(scope: Scope, institution_code: str) -> list[LedgerFinding]:
    rows = scope["ledger_findings"].find(
        {"institution_code": institution_code, "open": True}, session=scope.session
    )
    return [LedgerFinding.from_mongo(row) async for row in rows]


async def open_findings(
    scope: Scope, reach: Jurisdiction, *, before: str | None, limit: int
) -> list[LedgerFinding]:
    condition: Row = {"$and": [reach.filter(), {"open": True}]}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["ledger_findings"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [LedgerFinding.from_mongo(row) async for row in rows]


async def count_open_findings(scope: Scope, reach: Jurisdiction) -> tuple[int, datetime | None]:
    """How many there are, and when the oldest was found."""
    condition: Row = {"$and": [reach.filter(), {"open": True}]}
    return await count_and_oldest(scope, "ledger_findings", condition, "found_at")


async def owed_findings(scope: Scope, reach: Jurisdiction) -> list[Owed]:
    """The same of each institution in this reach."""
    return await queries.owed(
        scope, "ledger_findings", {"$and": [reach.filter(), {"open": True}]}, "found_at"
    )


async def insert_findings(scope: Scope, new: Sequence[LedgerFinding]) -> None:
    if new:
        await scope["ledger_findings"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def close_findings(scope: Scope, ids: Sequence[str], at: datetime) -> None:
    await scope["ledger_findings"].update_many(
        {"_id": {"$in": list(ids)}}, {"$set": {"open": False, "resolved_at": at}}, session=scope.session
    )


async def note_check(scope: Scope, check: LedgerCheck) -> None:
    await scope["ledger_checks"].replace_one(
        {"_id": check.id}, check.to_mongo(), upsert=True, session=scope.session
    )


async def checks(scope: Scope, reach: Jurisdiction) -> list[LedgerCheck]:
    """By the code of the institution: a row an institution, read whole."""
    rows = scope["ledger_checks"].find(reach.filter(), session=scope.session).sort("_id", 1)
    return [LedgerCheck.from_mongo(row) async for row in rows]
