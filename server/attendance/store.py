"""Queries over sessions, check-ins and refused scans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from motor.motor_asyncio import AsyncIOMotorChangeStream
from pymongo.errors import BulkWriteError, DuplicateKeyError

from server.attendance.documents import AddedHours, AddedKind, CheckIn, RefusedScan, TeachingSession
from server.attendance.hours import Lesson
from server.attendance.rules import Status
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import DUPLICATE_KEY, LookUp, insert_many
from server.kernel.unit_of_work import Scope

REFUSALS_KEPT_SECONDS = 365 * 24 * 3600

COLLECTIONS = (
    CollectionSpec(
        "teaching_sessions",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("starts_at", 1), ("_id", 1)]),
            Index([("starts_at", 1)]),
        ),
    ),
    CollectionSpec(
        "check_ins",
        shard_key="session_id",
        indexes=(
            Index([("session_id", 1), ("person_id", 1)], unique=True),
            Index([("session_id", 1)], partial={"status": Status.VOID}),
        ),
    ),
    CollectionSpec(
        "added_hours",
        shard_key=None,
        indexes=(
            Index([("class_id", 1), ("person_id", 1), ("_id", 1)]),
            Index([("taught_by_id", 1), ("held_on", 1)], partial={"taught_by_id": {"$gt": ""}}),
            # What was held once counts once, until it is voided; `class_id` is the later class.
            Index(
                [("from_class", 1), ("person_id", 1)],
                unique=True,
                partial={"from_class": {"$type": "string"}, "voided_at": None},
            ),
        ),
    ),
    CollectionSpec(
        "refused_scans",
        shard_key=None,
        indexes=(
            Index([("session_id", 1), ("_id", -1)]),
            Index([("at", 1)], expire_after_seconds=REFUSALS_KEPT_SECONDS),
        ),
    ),
)


# ---- sessions


async def insert_sessions(scope: Scope, new: Sequence[TeachingSession]) -> None:
    await scope["teaching_sessions"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def replace_session(scope: Scope, changed: TeachingSession) -> None:
    await scope["teaching_sessions"].replace_one(
        {"_id": changed.id}, changed.to_mongo(), session=scope.session
    )


async def session(scope: Scope, session_id: str) -> TeachingSession | None:
    """A session whose class the caller authorises; a cancelled one is gone."""
    row = await scope["teaching_sessions"].find_one(
        {"_id": session_id, "cancelled_at": None}, session=scope.session
    )
    return None if row is None else TeachingSession.from_mongo(row)


async def session_in_reach(
    scope: Scope, reach: Jurisdiction, class_id: str, session_id: str
) -> TeachingSession | None:
    row = await scope["teaching_sessions"].find_one(
        {"$and": [{"_id": session_id, "class_id": class_id, "cancelled_at": None}, reach.filter()]},
        session=scope.session,
    )
    return None if row is None else TeachingSession.from_mongo(row)


async def sessions_of_class(
    scope: Scope, class_id: str, *, after: TeachingSession | None = None, limit: int = 0
) -> list[TeachingSession]:
    """In the order of the timetable, those after the session `after`; `limit` 0 is all (rules.MOST_SESSIONS bounds a class)."""
    condition: Row = {"class_id": class_id, "cancelled_at": None}
    if after:
        condition["$or"] = [
            {"starts_at": {"$gt": after.starts_at}},
            {"starts_at": after.starts_at, "_id": {"$gt": after.id}},
        ]
    rows = scope["teaching_sessions"].find(condition, session=scope.session)
    rows = rows.sort([("starts_at", 1), ("_id", 1)]).limit(limit)
    return [TeachingSession.from_mongo(row) async for row in rows]


async def session_rows(scope: Scope, class_id: str) -> list[Row]:
    """As they are, cancelled ones included: what is checked may be broken."""
    rows = scope["teaching_sessions"].find({"class_id": class_id}, session=scope.session)
    return await rows.to_list(None)


async def all_sessions_of_class(scope: Scope, class_id: str) -> list[TeachingSession]:
    """In the order of the timetable, those that were cancelled included."""
    rows = scope["teaching_sessions"].find({"class_id": class_id}, session=scope.session)
    return [TeachingSession.from_mongo(row) async for row in rows.sort([("starts_at", 1), ("_id", 1)])]


async def planned(scope: Scope, class_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """By class id how many sessions it has, held and to come, and their hours; a class without any is left out."""
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, "cancelled_at": None}},
        {"$group": {"_id": "$class_id", "sessions": {"$sum": 1}, "hours": {"$sum": "$hours"}}},
    ]
    rows = scope["teaching_sessions"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: (row["sessions"], row["hours"]) async for row in rows}


async def sessions_of_classes(
    scope: Scope, class_ids: Sequence[str], first: datetime, last: datetime
) -> list[TeachingSession]:
    """Those that end after `first` and begin before `last`, in their order."""
    when = {"starts_at": {"$lt": last}, "ends_at": {"$gt": first}, "cancelled_at": None}
    rows = scope["teaching_sessions"].find(
        {"class_id": {"$in": list(class_ids)}, **when}, session=scope.session
    )
    return [TeachingSession.from_mongo(row) async for row in rows.sort("starts_at", 1)]


async def timetables(scope: Scope, class_ids: Sequence[str]) -> list[TeachingSession]:
    """All sessions of these classes in their order, those that were cancelled left out."""
    condition: Row = {"class_id": {"$in": list(class_ids)}, "cancelled_at": None}
    rows = scope["teaching_sessions"].find(condition, session=scope.session)
    return [TeachingSession.from_mongo(row) async for row in rows.sort([("starts_at", 1), ("_id", 1)])]


async def lessons(scope: Scope, class_ids: Sequence[str]) -> list[tuple[str, Lesson]]:
    """(class, lesson) of all sessions of these classes, those that were cancelled left out: what hours are reckoned from."""
    rows = scope["teaching_sessions"].find(
        {"class_id": {"$in": list(class_ids)}, "cancelled_at": None},
        {"class_id": 1, "ends_at": 1, "hours": 1},
        session=scope.session,
    )
    return [(row["class_id"], Lesson(row["_id"], row["ends_at"], row["hours"])) async for row in rows]


async def naming_others(scope: Scope, teaching: Mapping[str, Collection[str]]) -> list[TeachingSession]:
    """Of these classes (id → who teaches it) the sessions that name anybody else, in the order of the timetable."""
    if not teaching:
        return []
    each = [{"class_id": one, "teacher_id": {"$nin": [None, "", *who]}} for one, who in teaching.items()]
    rows = scope["teaching_sessions"].find({"cancelled_at": None, "$or": each}, session=scope.session)
    return [TeachingSession.from_mongo(row) async for row in rows.sort("starts_at", 1)]


async def sessions_between(scope: Scope, first: datetime, last: datetime) -> list[TeachingSession]:
    """The sessions of the whole country that begin from `first` to before `last`: a day's or two."""
    rows = scope["teaching_sessions"].find(
        {"starts_at": {"$gte": first, "$lt": last}, "cancelled_at": None}, session=scope.session
    )
    return [TeachingSession.from_mongo(row) async for row in rows.sort("starts_at", 1)]


def sessions_by_id(ids: Collection[str]) -> LookUp[dict[str, TeachingSession]]:
    """For the hot path: the sessions that the codes of a batch name."""

    def read(rows: list[Row]) -> dict[str, TeachingSession]:
        return {row["_id"]: TeachingSession.from_mongo(row) for row in rows}

    return LookUp("teaching_sessions", {"_id": {"$in": list(ids)}, "cancelled_at": None}, read)


# ---- check-ins


async def insert_check_ins(scope: Scope, new: Sequence[Row]) -> dict[int, Exception]:
    """Writes rows that do not depend on one another, each on its own; returns what went wrong, by position.

    Rows as `CheckIn.to_mongo` gives them, not models: every check-in passes here. When this returns, every row that is not
    in the answer is durable, and so is the row that a DuplicateKeyError met: a write that changes nothing waits for those
    before it. Raises what concerns the whole batch.
    """
    check_ins = scope["check_ins"]
    if len(new) == 1:
        try:
            await check_ins.insert_one(new[0])
        except DuplicateKeyError as error:
            return {0: error}
        return {}
    try:
        await check_ins.insert_many(new, ordered=False)
    except BulkWriteError as error:
        if error.details["writeConcernErrors"]:
            raise  # nobody can say which rows would survive
        return {failed["index"]: _row_error(failed) for failed in error.details["writeErrors"]}
    return {}


def _row_error(failed: Mapping[str, object]) -> Exception:
    if failed["code"] == DUPLICATE_KEY:
        return DuplicateKeyError(str(failed["errmsg"]), DUPLICATE_KEY)
    return RuntimeError(f"check-in refused by the database: {failed['errmsg']}")


async def insert_check_in(scope: Scope, new: CheckIn) -> None:
    await scope["check_ins"].insert_one(new.to_mongo(), session=scope.session)


async def check_ins_of(scope: Scope, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], CheckIn]:
    """The check-ins of these (session, person)."""
    if not pairs:
        return {}
    wanted = [{"session_id": session_id, "person_id": person_id} for session_id, person_id in pairs]
    rows = await scope["check_ins"].find({"$or": wanted}, session=scope.session).to_list(None)
    return {(row["session_id"], row["person_id"]): CheckIn.from_mongo(row) for row in rows}


async def check_ins_of_session(scope: Scope, session_id: str) -> list[CheckIn]:
    rows = scope["check_ins"].find({"session_id": session_id}, session=scope.session)
    return [CheckIn.from_mongo(row) async for row in rows]


async def check_ins_of_sessions(scope: Scope, session_ids: Sequence[str]) -> list[CheckIn]:
    """All of a class, for a sheet: sessions × trainees."""
    rows = scope["check_ins"].find({"session_id": {"$in": list(session_ids)}}, session=scope.session)
    return [CheckIn.from_mongo(row) async for row in rows]


async def replace_check_in(scope: Scope, changed: CheckIn) -> None:
    await scope["check_ins"].replace_one({"_id": changed.id}, changed.to_mongo(), session=scope.session)


async def register_many(scope: Scope, new: Sequence[CheckIn]) -> None:
    """All or, with DuplicateKeyError, none: within a transaction."""
    await scope["check_ins"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def _void(scope: Scope, session_ids: Sequence[str]) -> set[tuple[str, str]]:
    """The few that count for nothing, from an index of their own."""
    rows = scope["check_ins"].find(
        {"session_id": {"$in": list(session_ids)}, "status": Status.VOID},
        {"session_id": 1, "person_id": 1},
        session=scope.session,
    )
    return {(row["session_id"], row["person_id"]) async for row in rows}


async def attended(scope: Scope, session_ids: Sequence[str]) -> list[tuple[str, str]]:
    """(session, person) of every check-in of these sessions that counts, from the indexes."""
    void = await _void(scope, session_ids)
    rows = scope["check_ins"].find(
        {"session_id": {"$in": list(session_ids)}},
        {"_id": 0, "session_id": 1, "person_id": 1},
        session=scope.session,
    )
    pairs = [(row["session_id"], row["person_id"]) async for row in rows]
    return [pair for pair in pairs if pair not in void] if void else pairs


async def any_check_in(scope: Scope, session_id: str) -> bool:
    row = await scope["check_ins"].find_one({"session_id": session_id}, {"_id": 1}, session=scope.session)
    return row is not None


async def with_check_ins(scope: Scope, session_ids: Sequence[str]) -> set[str]:
    """Those of these sessions of which there is a check-in, void or not."""
    condition = {"session_id": {"$in": list(session_ids)}}
    return set(await scope["check_ins"].distinct("session_id", condition, session=scope.session))


async def came(scope: Scope, session_ids: Sequence[str]) -> set[str]:
    """Those of these sessions of which a check-in counts: from an index, one step a session."""
    doubtful = {session_id for session_id, _ in await _void(scope, session_ids)}
    counts = await count_check_ins(scope, sorted(doubtful)) if doubtful else {}
    nobody = {one for one in doubtful if not counts.get(one)}
    return await with_check_ins(scope, session_ids) - nobody


async def people_with_check_ins(scope: Scope, session_ids: Sequence[str]) -> set[str]:
    """Those of whom there is a check-in of these sessions, void or not."""
    condition = {"session_id": {"$in": list(session_ids)}}
    return set(await scope["check_ins"].distinct("person_id", condition, session=scope.session))


async def count_check_ins(scope: Scope, session_ids: Sequence[str]) -> dict[str, int]:
    """Of each session those that count."""
    void = Counter(session_id for session_id, _ in await _void(scope, session_ids))
    pipeline: list[Row] = [
        {"$match": {"session_id": {"$in": list(session_ids)}}},
        {"$group": {"_id": "$session_id", "count": {"$sum": 1}}},
    ]
    rows = scope["check_ins"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["count"] - void[row["_id"]] async for row in rows}


def watch_check_ins(
    scope: Scope, session_ids: Collection[str], *, wait_ms: int
) -> AsyncIOMotorChangeStream[Row]:
    """The check-ins written to these sessions from now on, and changed in them, by whichever process: a change has
    `fullDocument.session_id`.

    `try_next` of the stream waits at most `wait_ms`.
    """
    pipeline: list[Row] = [
        {
            "$match": {
                "operationType": {"$in": ["insert", "replace"]},
                "fullDocument.session_id": {"$in": list(session_ids)},
            }
        },
        {"$project": {"fullDocument.session_id": 1}},
    ]
    stream: AsyncIOMotorChangeStream[Row] = scope["check_ins"].watch(pipeline, max_await_time_ms=wait_ms)
    return stream


# ---- hours beside the sessions


async def insert_added(scope: Scope, new: Sequence[AddedHours]) -> None:
    """Raises DuplicateKeyError for what has been credited before."""
    await insert_many(scope, "added_hours", new)


async def added_of_class(scope: Scope, class_id: str, *, person_id: str | None = None) -> list[AddedHours]:
    """In the order in which they were recorded, those that were voided included."""
    condition: Row = {"class_id": class_id, **({"person_id": person_id} if person_id else {})}
    rows = scope["added_hours"].find(condition, session=scope.session).sort("_id", 1)
    return [AddedHours.from_mongo(row) async for row in rows]


async def made_up_by(scope: Scope, teacher_id: str, day: date) -> list[AddedHours]:
    """What stands of 补课 that this teacher gave on a day, in whatever class."""
    condition = {"taught_by_id": teacher_id, "held_on": day, "voided_at": None}
    rows = scope["added_hours"].find(condition, session=scope.session)
    return [AddedHours.from_mongo(row) async for row in rows]


async def sessions_of_teacher(
    scope: Scope, teacher_id: str, first: datetime, last: datetime
) -> list[TeachingSession]:
    """The sessions that name this teacher and begin from `first` to before `last`, in whatever class."""
    condition = {
        "starts_at": {"$gte": first, "$lt": last},
        "teacher_id": teacher_id,
        "cancelled_at": None,
    }
    rows = scope["teaching_sessions"].find(condition, session=scope.session)
    return [TeachingSession.from_mongo(row) async for row in rows]


async def added_totals(scope: Scope, class_id: str, kind: AddedKind) -> dict[str, int]:
    """By person, what counts of this kind beside the check-ins of a class."""
    total: dict[str, int] = {}
    for one in await added_of_class(scope, class_id):
        if one.voided_at is None and one.kind is kind:
            total[one.person_id] = total.get(one.person_id, 0) + one.hours
    return total


async def void_added(scope: Scope, added_id: str, at: datetime, by: str, reason: str) -> bool:
    """False when it was voided before."""
    done = await scope["added_hours"].update_one(
        {"_id": added_id, "voided_at": None},
        {"$set": {"voided_at": at, "voided_by": by, "void_reason": reason}},
        session=scope.session,
    )
    return bool(done.modified_count)


# ---- refused scans


async def insert_refused_scans(scope: Scope, new: Sequence[RefusedScan]) -> None:
    await scope["refused_scans"].insert_many([one.to_mongo() for one in new], ordered=False)


async def refused_scans(scope: Scope, session_id: str, *, limit: int) -> list[RefusedScan]:
    """Newest first."""
    rows = scope["refused_scans"].find({"session_id": session_id}, session=scope.session)
    return [RefusedScan.from_mongo(row) async for row in rows.sort("_id", -1).limit(limit)]


async def cancel_session(scope: Scope, session_id: str, at: datetime) -> None:
    await scope["teaching_sessions"].update_one(
        {"_id": session_id}, {"$set": {"cancelled_at": at}}, session=scope.session
    )
