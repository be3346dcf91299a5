"""Queries over cases and early warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pymongo.errors import DuplicateKeyError

from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Document, Index, Row
from server.kernel.queries import by_age_from, insert_many
from server.kernel.unit_of_work import Scope
from server.qualification.documents import Case, CaseFilter, EarlyWarning, WarningFilter
from server.qualification.rules import Grade, Rule, State, Subject

COLLECTIONS = (
    CollectionSpec(
        "qualification_cases",
        shard_key="subject_id",
        indexes=(
            # A case is opened once for subject, rule and period, and a second one of the same rule waits for the first.
            Index([("subject_id", 1), ("rule", 1), ("key", 1)], unique=True),
            Index([("subject_id", 1), ("rule", 1)], unique=True, partial={"open": True}),
            Index([("state", 1), ("subject", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
        ),
    ),
    CollectionSpec(
        "qualification_warnings",
        shard_key="subject_id",
        indexes=(
            Index([("subject_id", 1), ("rule", 1), ("key", 1), ("grade", 1)], unique=True),
            Index([("rule", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("_id", -1)]),
        ),
    ),
)


# ---- cases


@dataclass(frozen=True)
class Earlier:
    """What the review reads of a case that there is: its rule and period, whether it is open, and what it settled."""

    rule: Rule
    key: str
    open: bool
    settled_on: date | None
    last: date


async def earlier_cases(scope: Scope, subject_ids: Sequence[str]) -> dict[str, list[Earlier]]:
    """By subject; who never had a case is left out."""
    shown = dict.fromkeys(("subject_id", "rule", "key", "open", "settled_on", "last"), 1)
    found: dict[str, list[Earlier]] = {}
    rows = scope["qualification_cases"].find(
        {"subject_id": {"$in": list(subject_ids)}}, shown, session=scope.session
    )
    async for row in rows:
        settled = row["settled_on"]
        found.setdefault(row["subject_id"], []).append(
            Earlier(
                Rule(row["rule"]),
                row["key"],
                row["open"],
                date.fromisoformat(settled) if settled else None,
                date.fromisoformat(row["last"]),
            )
        )
    return found


class AlreadyThere(Exception):
    """Another review has made one of these cases or warnings (the unique indexes say so)."""


async def insert_cases(scope: Scope, new: Sequence[Case]) -> None:
    """Raises AlreadyThere."""
    await _insert(scope, "qualification_cases", new)


async def insert_warnings(scope: Scope, new: Sequence[EarlyWarning]) -> None:
    """Raises AlreadyThere."""
    await _insert(scope, "qualification_warnings", new)


async def _insert(scope: Scope, collection: str, new: Sequence[Document]) -> None:
    try:
        await insert_many(scope, collection, new)
    except DuplicateKeyError:
        raise AlreadyThere from None


async def in_reach(scope: Scope, reach: Jurisdiction, case_id: str) -> Case | None:
    return await _one(scope, {"$and": [{"_id": case_id}, reach.filter()]})


async def of_subject(scope: Scope, subject_id: str, case_id: str) -> Case | None:
    return await _one(scope, {"_id": case_id, "subject_id": subject_id})


async def open_of(scope: Scope, subject_id: str, request_id: str) -> Case | None:
    """The open case of a base: that of this request before one that no request is linked to.

    A review may open its case in the same moment in which a request opens another; then the request's is the one that is decided.
    """
    linked = await _one(scope, {"subject_id": subject_id, "open": True, "request_id": request_id})
    return linked or await _one(scope, {"subject_id": subject_id, "open": True, "request_id": None})


async def _one(scope: Scope, condition: Row) -> Case | None:
    row = await scope["qualification_cases"].find_one(condition, session=scope.session)
    return None if row is None else Case.from_mongo(row)


async def cases_of(scope: Scope, subject_id: str) -> list[Case]:
    """All of one subject, newest first: one or two in a lifetime."""
    rows = scope["qualification_cases"].find({"subject_id": subject_id}, session=scope.session)
    return [Case.from_mongo(row) async for row in rows.sort("_id", -1)]


def to_decide(today: date) -> Row:
    """Teachers and 师资研修中心 that have stated the case, or whose days for it are over."""
    over = {"state": State.OPEN, "state_until": {"$lt": today}}
    return {"subject": {"$in": [Subject.TEACHER, Subject.CENTRE]}, "$or": [{"state": State.STATED}, over]}


def to_file() -> Row:
    """Bases for which the province has not asked to withdraw the title, nor said why not."""
    return {"state": {"$in": [State.OPEN, State.STATED]}, "subject": Subject.BASE}


def to_state(today: date) -> Row:
    """Institutions whose days for a statement are not over, also when the province has asked already."""
    still_open = [one for one in State if one.open]
    institutions = [Subject.BASE, Subject.CENTRE]
    return {"state": {"$in": still_open}, "subject": {"$in": institutions}, "state_until": {"$gte": today}}


async def cases(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: CaseFilter,
    waits: Row,
    *,
    before: str | None,
    limit: int,
) -> list[Case]:
    """Newest first, older than the id `before`; `waits` is one of the conditions above, or empty."""
    exact = {name: value for name, value in vars(narrowed).items() if value}
    condition: Row = {"$and": [reach.filter(), exact, waits]}
    return await by_age_from(
        scope, "qualification_cases", condition, Case.from_mongo, before=before, limit=limit
    )


# ---- warnings

Given = tuple[str, Rule, str, Grade]
"""Subject, rule, key and grade of a warning."""


async def given_warnings(scope: Scope, subject_ids: Sequence[str]) -> set[Given]:
    """Read off the unique index."""
    shown = {"_id": 0, "subject_id": 1, "rule": 1, "key": 1, "grade": 1}
    rows = scope["qualification_warnings"].find(
        {"subject_id": {"$in": list(subject_ids)}}, shown, session=scope.session
    )
    return {(row["subject_id"], Rule(row["rule"]), row["key"], Grade(row["grade"])) async for row in rows}


async def warnings_of(scope: Scope, subject_id: str) -> list[EarlyWarning]:
    """All of one subject, newest first: a few in a lifetime."""
    rows = scope["qualification_warnings"].find({"subject_id": subject_id}, session=scope.session)
    return [EarlyWarning.from_mongo(row) async for row in rows.sort("_id", -1)]


async def warnings(
    scope: Scope, reach: Jurisdiction, narrowed: WarningFilter, *, before: str | None, limit: int
) -> list[EarlyWarning]:
    """Newest first after the id `before`, or oldest first (kernel.mongo.by_age)."""
    exact = {name: value for name, value in vars(narrowed).items() if value}
    return await by_age_from(
        scope,
        "qualification_warnings",
        {"$and": [reach.filter(), exact]},
        EarlyWarning.from_mongo,
        before=before,
        limit=limit,
    )


async def relocate(scope: Scope, person_id: str, work_unit: str, province_code: str, since: date) -> None:
    """Open cases of a teacher, and the warnings of a period that was not over then; what was decided stays where it was."""
    there = {"$set": {"unit_name": work_unit, "province_code": province_code}}
    about: Row = {"subject_id": person_id, "subject": Subject.TEACHER}
    cases, warnings = scope["qualification_cases"], scope["qualification_warnings"]
    await cases.update_many({**about, "open": True}, there, session=scope.session)
    await warnings.update_many({**about, "last": {"$gte": since.isoformat()}}, there, session=scope.session)
