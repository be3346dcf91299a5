"""Queries over tasks, submissions, grades and results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.assessment.documents import (
    EarlierResult,
    Extension,
    Grade,
    LatestVersion,
    Mark,
    PersonTask,
    Result,
    Submission,
    Task,
    WorkRemark,
)
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec("tasks", shard_key="class_id", indexes=(Index([("class_id", 1), ("_id", 1)]),)),
    CollectionSpec(
        "submissions",
        shard_key="task_id",
        indexes=(
            Index([("task_id", 1), ("person_id", 1), ("version", 1)], unique=True),
            Index(
                [("task_id", 1), ("person_id", 1), ("nonce", 1)],
                unique=True,
                partial={"nonce": {"$type": "string"}},
            ),
            Index([("class_id", 1), ("_id", 1)]),
        ),
    ),
    CollectionSpec(
        "grades",
        shard_key="task_id",
        indexes=(
            Index([("task_id", 1), ("person_id", 1)], unique=True),
            Index([("class_id", 1), ("_id", 1)]),
        ),
    ),
    CollectionSpec(
        "results",
        shard_key="class_id",
        indexes=(Index([("class_id", 1), ("person_id", 1)], unique=True),),
    ),
    CollectionSpec(
        "earlier_results",
        shard_key="class_id",
        indexes=(Index([("class_id", 1), ("reopened_at", -1), ("_id", 1)]),),
    ),
    CollectionSpec(
        "work_remarks",
        shard_key="task_id",
        indexes=(
            Index([("task_id", 1), ("submission_id", 1), ("_id", 1)]),
            Index(
                [("task_id", 1), ("submission_id", 1), ("author_id", 1), ("nonce", 1)],
                unique=True,
                partial={"nonce": {"$type": "string"}},
            ),
        ),
    ),
    CollectionSpec("submitted_bytes", shard_key="_id"),
    CollectionSpec(
        "uploads",
        shard_key=None,
        indexes=(
            Index([("started_at", 1)]),
            Index([("class_id", 1)], partial={"class_id": {"$type": "string"}}),
        ),
    ),
)

# ---- tasks


async def insert_task(scope: Scope, new: Task) -> None:
    await scope["tasks"].insert_one(new.to_mongo(), session=scope.session)


async def task(scope: Scope, task_id: str) -> Task | None:
    """Any task: whoever asks must then be shown to have to do with its class."""
    row = await scope["tasks"].find_one({"_id": task_id, "withdrawn_at": None}, session=scope.session)
    return None if row is None else Task.from_mongo(row)


async def task_in_reach(scope: Scope, reach: Jurisdiction, class_id: str, task_id: str) -> Task | None:
    wanted: Row = {"_id": task_id, "class_id": class_id, "withdrawn_at": None}
    row = await scope["tasks"].find_one({"$and": [wanted, reach.filter()]}, session=scope.session)
    return None if row is None else Task.from_mongo(row)


async def tasks(
    scope: Scope, class_id: str, *, after: str | None = None, limit: int | None = None
) -> list[Task]:
    """The tasks of a class that count, in the order in which they were set."""
    condition: Row = {"class_id": class_id, "withdrawn_at": None}
    if after:
        condition["_id"] = {"$gt": after}
    rows = scope["tasks"].find(condition, session=scope.session).sort("_id", 1).limit(limit or 0)
    return [Task.from_mongo(row) async for row in rows]


async def replace_task(scope: Scope, changed: Task) -> None:
    await scope["tasks"].replace_one({"_id": changed.id}, changed.to_mongo(), session=scope.session)


async def set_task_in_use(scope: Scope, task_id: str) -> None:
    await scope["tasks"].update_one(
        {"_id": task_id, "in_use": False}, {"$set": {"in_use": True}}, session=scope.session
    )


async def extend_deadline(scope: Scope, task_id: str, extension: Extension) -> None:
    await scope["tasks"].update_one(
        {"_id": task_id},
        {"$set": {"deadline": extension.after}, "$push": {"extensions": extension.model_dump()}},
        session=scope.session,
    )


async def set_task_withdrawn(scope: Scope, task_id: str, at: datetime) -> None:
    await scope["tasks"].update_one({"_id": task_id}, {"$set": {"withdrawn_at": at}}, session=scope.session)


# ---- submissions


async def insert_submission(scope: Scope, new: Submission) -> None:
    await scope["submissions"].insert_one(new.to_mongo(), session=scope.session)


async def add_bytes(scope: Scope, key: str, size: int) -> int:
    """Counts files of a class, or of one of its people (`class:person`), and answers what they come to."""
    row = await scope["submitted_bytes"].find_one_and_update(
        {"_id": key}, {"$inc": {"bytes": size}}, upsert=True, return_document=True, session=scope.session
    )
    return int(row["bytes"])


async def bytes_kept(scope: Scope, key: str) -> int:
    """What `add_bytes` has counted."""
    row = await scope["submitted_bytes"].find_one({"_id": key}, session=scope.session)
    return int(row["bytes"]) if row else 0


async def submission(scope: Scope, submission_id: str) -> Submission | None:
    """Any submission: whoever asks must then be shown to have to do with its class."""
    row = await scope["submissions"].find_one({"_id": submission_id}, session=scope.session)
    return None if row is None else Submission.from_mongo(row)


async def submission_by_nonce(scope: Scope, task_id: str, person_id: str, nonce: str) -> Submission | None:
    row = await scope["submissions"].find_one(
        {"task_id": task_id, "person_id": person_id, "nonce": nonce}, session=scope.session
    )
    return None if row is None else Submission.from_mongo(row)


async def versions(
    scope: Scope, task_id: str, person_id: str, *, below: int | None = None, limit: int = 0
) -> list[Submission]:
    """One person's versions, newest first."""
    condition: Row = {"task_id": task_id, "person_id": person_id}
    if below is not None:
        condition["version"] = {"$lt": below}
    rows = scope["submissions"].find(condition, session=scope.session).sort("version", -1).limit(limit)
    return [Submission.from_mongo(row) async for row in rows]


async def latest_of_task(scope: Scope, task_id: str) -> dict[str, Submission]:
    """Person → newest version, content included. A class is small (policy `roster_rows`), so it is read whole."""
    pipeline: list[Row] = [
        {"$match": {"task_id": task_id}},
        {"$sort": {"person_id": 1, "version": -1}},
        {"$group": {"_id": "$person_id", "latest": {"$first": "$$ROOT"}}},
    ]
    rows = scope["submissions"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: Submission.from_mongo(row["latest"]) async for row in rows}


async def latest_of_class(scope: Scope, class_id: str) -> dict[PersonTask, LatestVersion]:
    """The newest version of everybody's work on every task of a class, without its content."""
    pipeline: list[Row] = [
        {"$match": {"class_id": class_id}},
        {"$project": {"person_id": 1, "task_id": 1, "version": 1, "submitted_at": 1, "late": 1}},
        {"$sort": {"version": 1}},
        {
            "$group": {
                "_id": {"person_id": "$person_id", "task_id": "$task_id"},
                "submission_id": {"$last": "$_id"},
                "version": {"$last": "$version"},
                "submitted_at": {"$last": "$submitted_at"},
                "late": {"$last": "$late"},
            }
        },
    ]
    rows = scope["submissions"].aggregate(pipeline, session=scope.session)
    return {
        (key["person_id"], key["task_id"]): LatestVersion.model_validate(row)
        async for row in rows
        if (key := row.pop("_id"))
    }


async def latest_of_person(scope: Scope, task_ids: Sequence[str], person_id: str) -> dict[str, Submission]:
    """Task → the person's newest version."""
    pipeline: list[Row] = [
        {"$match": {"task_id": {"$in": list(task_ids)}, "person_id": person_id}},
        {"$sort": {"version": -1}},
        {"$group": {"_id": "$task_id", "latest": {"$first": "$$ROOT"}}},
    ]
    rows = scope["submissions"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: Submission.from_mongo(row["latest"]) async for row in rows}


# ---- remarks


async def insert_remark(scope: Scope, new: WorkRemark) -> None:
    await scope["work_remarks"].insert_one(new.to_mongo(), session=scope.session)


async def remark(scope: Scope, remark_id: str) -> WorkRemark | None:
    """Any remark: whoever asks must then be shown to be its author."""
    row = await scope["work_remarks"].find_one({"_id": remark_id}, session=scope.session)
    return None if row is None else WorkRemark.from_mongo(row)


async def remarks(scope: Scope, task_id: str, submission_ids: Sequence[str]) -> list[WorkRemark]:
    """About these versions of one task, oldest first."""
    about = {"task_id": task_id, "submission_id": {"$in": list(submission_ids)}}
    rows = scope["work_remarks"].find(about, session=scope.session).sort("_id", 1)
    return [WorkRemark.from_mongo(row) async for row in rows]


async def replace_remark(scope: Scope, changed: WorkRemark) -> None:
    await scope["work_remarks"].replace_one({"_id": changed.id}, changed.to_mongo(), session=scope.session)


# ---- grades


async def insert_grade(scope: Scope, new: Grade) -> None:
    await scope["grades"].insert_one(new.to_mongo(), session=scope.session)


async def add_mark(scope: Scope, grade_id: str, mark: Mark) -> None:
    await scope["grades"].update_one(
        {"_id": grade_id}, {"$push": {"marks": mark.model_dump()}}, session=scope.session
    )


async def grade(scope: Scope, task_id: str, person_id: str) -> Grade | None:
    row = await scope["grades"].find_one({"task_id": task_id, "person_id": person_id}, session=scope.session)
    return None if row is None else Grade.from_mongo(row)


async def grades_of_task(scope: Scope, task_id: str) -> dict[str, Grade]:
    """Person → grade."""
    rows = scope["grades"].find({"task_id": task_id}, session=scope.session)
    return {row["person_id"]: Grade.from_mongo(row) async for row in rows}


async def grades_of_class(scope: Scope, class_id: str) -> dict[PersonTask, Grade]:
    rows = scope["grades"].find({"class_id": class_id}, session=scope.session)
    return {(row["person_id"], row["task_id"]): Grade.from_mongo(row) async for row in rows}


async def grades_of_person(scope: Scope, task_ids: Sequence[str], person_id: str) -> dict[str, Grade]:
    """Task → the person's grade."""
    condition: Row = {"task_id": {"$in": list(task_ids)}, "person_id": person_id}
    rows = scope["grades"].find(condition, session=scope.session)
    return {row["task_id"]: Grade.from_mongo(row) async for row in rows}


async def tasks_of_classes(scope: Scope, class_ids: Sequence[str]) -> list[Row]:
    """`_id`, `class_id` and `deadline` of each that counts."""
    rows = scope["tasks"].find(
        {"class_id": {"$in": list(class_ids)}, "withdrawn_at": None},
        {"class_id": 1, "deadline": 1},
        session=scope.session,
    )
    return await rows.to_list(None)


async def whole_tasks(scope: Scope, class_ids: Sequence[str]) -> list[Task]:
    """Those of these classes that count, in the order in which they were set."""
    condition: Row = {"class_id": {"$in": list(class_ids)}, "withdrawn_at": None}
    rows = scope["tasks"].find(condition, session=scope.session).sort("_id", 1)
    return [Task.from_mongo(row) async for row in rows]


async def results_of_person(scope: Scope, class_ids: Sequence[str], person_id: str) -> dict[str, Result]:
    """By class, as far as released."""
    condition: Row = {"class_id": {"$in": list(class_ids)}, "person_id": person_id}
    rows = scope["results"].find(condition, session=scope.session)
    return {row["class_id"]: Result.from_mongo(row) async for row in rows}


async def ungraded(scope: Scope, class_ids: Sequence[str], task_ids: Sequence[str]) -> set[tuple[str, str]]:
    """(task, person) of whom nobody has graded the newest version (documents.is_graded); no content travels."""
    of_these: Row = {"$match": {"class_id": {"$in": list(class_ids)}, "task_id": {"$in": list(task_ids)}}}
    newest: list[Row] = [
        of_these,
        {
            "$group": {
                "_id": {"task": "$task_id", "person": "$person_id"},
                "version": {"$max": "$version"},
            }
        },
        {"$project": {"_id": 0, "task": "$_id.task", "person": "$_id.person", "version": 1}},
    ]
    graded: list[Row] = [
        of_these,
        {
            "$project": {
                "_id": 0,
                "task": "$task_id",
                "person": "$person_id",
                "version": {"$last": "$marks.version"},
            }
        },
    ]
    counts = {
        (row["task"], row["person"], row.get("version"))
        async for row in scope["grades"].aggregate(graded, session=scope.session)
    }
    rows = scope["submissions"].aggregate(newest, session=scope.session)
    return {
        (row["task"], row["person"])
        async for row in rows
        if (row["task"], row["person"], row["version"]) not in counts
    }


# ---- results


async def count_passed(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """By class id, of released results; a class in which nobody passed is left out."""
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, "passed": True}},
        {"$group": {"_id": "$class_id", "count": {"$sum": 1}}},
    ]
    rows = scope["results"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}


async def passed_with_hours(scope: Scope, class_ids: Sequence[str]) -> dict[str, set[str]]:
    """By class id the people whose released result passes, and who came often enough."""
    rows = scope["results"].find(
        {"class_id": {"$in": list(class_ids)}, "passed": True, "attendance_ok": True},
        {"class_id": 1, "person_id": 1},
        session=scope.session,
    )
    found: dict[str, set[str]] = {}
    async for row in rows:
        found.setdefault(row["class_id"], set()).add(row["person_id"])
    return found


async def insert_results(scope: Scope, new: Sequence[Result]) -> None:
    await scope["results"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def results(scope: Scope, class_id: str) -> list[Result]:
    """In the order of the roster, in which they were frozen."""
    rows = scope["results"].find({"class_id": class_id}, session=scope.session).sort("_id", 1)
    return [Result.from_mongo(row) async for row in rows]


async def result_rows(scope: Scope, class_id: str) -> list[Row]:
    """As they are: what is checked may be broken."""
    return await scope["results"].find({"class_id": class_id}, session=scope.session).to_list(None)


async def result(scope: Scope, class_id: str, person_id: str) -> Result | None:
    row = await scope["results"].find_one(
        {"class_id": class_id, "person_id": person_id}, session=scope.session
    )
    return None if row is None else Result.from_mongo(row)


async def keep_earlier(scope: Scope, released: Sequence[Result], at: datetime) -> None:
    """Moves released results to where those stand that are valid no more."""
    kept = [EarlierResult(**one.model_dump(), reopened_at=at).to_mongo() for one in released]
    if kept:
        await scope["earlier_results"].insert_many(kept, session=scope.session)
        await scope["results"].delete_many(
            {"_id": {"$in": [one["_id"] for one in kept]}}, session=scope.session
        )


async def earlier_results(scope: Scope, class_id: str) -> list[EarlierResult]:
    """Of the latest release first, each in the order of the roster."""
    rows = scope["earlier_results"].find({"class_id": class_id}, session=scope.session)
    return [EarlierResult.from_mongo(row) async for row in rows.sort([("reopened_at", -1), ("_id", 1)])]


# ---- uploads under way


async def note_upload(scope: Scope, file_id: str, at: datetime) -> None:
    """Notes a file before its first byte, so that one whose server died can be found."""
    await scope["uploads"].insert_one({"_id": file_id, "started_at": at}, session=scope.session)


async def note_arriving(
    scope: Scope, file_id: str, at: datetime, class_id: str, person_id: str, size: int
) -> None:
    """Notes the first file of an upload, and so many bytes that may come with all of them: they count until the file is forgotten."""
    row = {"_id": file_id, "started_at": at, "class_id": class_id, "person_id": person_id, "bytes": size}
    await scope["uploads"].insert_one(row, session=scope.session)


async def bytes_arriving(scope: Scope, class_id: str, before: str) -> dict[str, int]:
    """Person → bytes that may come for this class with uploads that began before the file `before` did."""
    stages: list[Row] = [
        {"$match": {"class_id": class_id, "_id": {"$lt": before}}},
        {"$group": {"_id": "$person_id", "bytes": {"$sum": "$bytes"}}},
    ]
    rows = scope["uploads"].aggregate(stages, session=scope.session)
    return {row["_id"]: int(row["bytes"]) async for row in rows}


async def forget_uploads(scope: Scope, file_ids: Sequence[str]) -> None:
    """The files are named by a submission, or removed."""
    await scope["uploads"].delete_many({"_id": {"$in": list(file_ids)}}, session=scope.session)


async def uploads_before(scope: Scope, moment: datetime, limit: int) -> list[str]:
    """Files whose upload began before `moment` and never ended."""
    rows = scope["uploads"].find({"started_at": {"$lt": moment}}, session=scope.session).limit(limit)
    return [row["_id"] async for row in rows]
