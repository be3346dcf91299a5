"""Queries over invitations, and over the pool as far as it is free to be invited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from server.backbone.rules import PoolStatus
from server.backbone.search import of_words
from server.classes import work
from server.classes.rules import LONGEST_DAYS, Kind
from server.classes.work import Days, Progress
from server.invitations import rules
from server.invitations.documents import Invitation
from server.invitations.rules import Engagement, State
from server.kernel.history import Step
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

TASK_FIELDS = ("starts_on", "kind", "class_id", "class_name", "work_last")
SHOWN = {"_id": 0, "teacher_id": 1, "ends_on": 1, **dict.fromkeys(TASK_FIELDS, 1)}
BY_END = [("teacher_id", 1), ("state", 1), ("ends_on", 1), ("starts_on", 1)]
"""What of a task is read, and in which order: the covering index has both."""

LATELY = timedelta(days=365)

COLLECTIONS = (
    CollectionSpec(
        "invitations",
        shard_key="class_id",
        indexes=(
            # One open letter per class, teacher and kind.
            Index(
                [("class_id", 1), ("teacher_id", 1), ("kind", 1)], unique=True, partial={"state": State.SENT}
            ),
            Index([("class_id", 1), ("_id", -1)]),
            Index([("teacher_id", 1), ("_id", -1)]),
            # What a teacher has accepted, from some day on: clashes and the tasks of a year. It holds all that the recommendation
            # reads, so that no document is fetched for it, and the planner takes it before the one above.
            Index([(name, 1) for name in ("teacher_id", "state", "ends_on", *TASK_FIELDS, "closed")]),
            Index([("state", 1), ("reply_by", 1)]),
            Index([("state", 1), ("remind_at", 1)]),
            Index([("institution_code", 1), ("ends_on", 1)]),
        ),
    ),
    # One row a teacher, touched by each acceptance: two acceptances at once wait for each other.
    CollectionSpec("invitation_guards", shard_key="_id"),
)


async def insert(scope: Scope, new: Sequence[Invitation]) -> None:
    await scope["invitations"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def of_class(scope: Scope, class_id: str) -> list[Invitation]:
    """Newest first."""
    rows = scope["invitations"].find({"class_id": class_id}, session=scope.session).sort("_id", -1)
    return [Invitation.from_mongo(row) async for row in rows]


async def letters_by_task(scope: Scope, class_ids: Sequence[str]) -> dict[tuple[str, str], list[Invitation]]:
    """By class id and kind, oldest first."""
    found: dict[tuple[str, str], list[Invitation]] = {}
    rows = scope["invitations"].find({"class_id": {"$in": list(class_ids)}}, session=scope.session)
    async for row in rows.sort("_id", 1):
        found.setdefault((row["class_id"], row["kind"]), []).append(Invitation.from_mongo(row))
    return found


async def in_reach(scope: Scope, reach: Jurisdiction, class_id: str, invitation_id: str) -> Invitation | None:
    condition = {"$and": [{"_id": invitation_id, "class_id": class_id}, reach.filter()]}
    return _read(await scope["invitations"].find_one(condition, session=scope.session))


async def addressed_to(scope: Scope, teacher_id: str, invitation_id: str) -> Invitation | None:
    condition = {"_id": invitation_id, "teacher_id": teacher_id}
    return _read(await scope["invitations"].find_one(condition, session=scope.session))


async def by_id(scope: Scope, invitation_id: str) -> Invitation | None:
    """For the platform's own work."""
    return _read(await scope["invitations"].find_one({"_id": invitation_id}, session=scope.session))


async def of_teacher(scope: Scope, teacher_id: str, *, before: str | None, limit: int) -> list[Invitation]:
    """Newest first, older than the id `before`."""
    condition: Row = {"teacher_id": teacher_id}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["invitations"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Invitation.from_mongo(row) async for row in rows]


async def count_open(scope: Scope, teacher_id: str, now: datetime) -> int:
    """How many letters to a teacher are open, and not over."""
    condition = {"teacher_id": teacher_id, "state": State.SENT, "reply_by": {"$gt": now}}
    return await scope["invitations"].count_documents(condition, session=scope.session)


async def accepted_from(scope: Scope, teacher_id: str, day: date) -> list[Invitation]:
    """What a teacher has accepted and is not over before `day`."""
    condition = {"teacher_id": teacher_id, "state": State.ACCEPTED, "ends_on": {"$gte": day}}
    rows = scope["invitations"].find(condition, session=scope.session)
    return [Invitation.from_mongo(row) async for row in rows]


async def tasks_ended(scope: Scope, teacher_ids: Sequence[str], first: date, last: date) -> list[Row]:
    """The accepted tasks of these teachers whose classes end from `first` to `last`, read off the index alone."""
    return await _tasks(scope, teacher_ids, {"ends_on": {"$gte": first, "$lte": last}})


async def tasks_begun(scope: Scope, teacher_ids: Sequence[str], first: date, last: date) -> list[Row]:
    """The accepted tasks of these teachers whose classes begin from `first` to `last`, read off the index alone.

    The index goes by the end, and no class is longer than a year.
    """
    latest = last + timedelta(days=LONGEST_DAYS)
    days = {"starts_on": {"$gte": first, "$lte": last}, "ends_on": {"$gte": first, "$lte": latest}}
    return await _tasks(scope, teacher_ids, days)


async def tasks_to_come(scope: Scope, teacher_ids: Sequence[str], today: date) -> list[Row]:
    """The accepted tasks of these teachers whose classes begin after today, the first to begin first, read off the index alone."""
    rows = await _tasks(scope, teacher_ids, {"ends_on": {"$gt": today}, "starts_on": {"$gt": today}})
    return sorted(rows, key=lambda row: str(row["starts_on"]))


async def _tasks(scope: Scope, teacher_ids: Sequence[str], days: Row) -> list[Row]:
    condition = {"teacher_id": {"$in": list(teacher_ids)}, "state": State.ACCEPTED, **days}
    rows = scope["invitations"].find(condition, SHOWN, session=scope.session).sort(BY_END)
    return await rows.to_list(None)


async def last_days(
    scope: Scope, teacher_ids: Sequence[str], today: date, release_days: int
) -> dict[str, date]:
    """By teacher the last day so far on which an accepted task kept them from being idle; read off the index alone."""
    # Most have worked lately: their years before that are not read.
    lately = await _last_days(scope, teacher_ids, today, release_days, {"ends_on": {"$gte": today - LATELY}})
    others = [teacher_id for teacher_id in teacher_ids if teacher_id not in lately]
    return lately | (await _last_days(scope, others, today, release_days, {}) if others else {})


async def _last_days(
    scope: Scope, teacher_ids: Sequence[str], today: date, release_days: int, days: Row
) -> dict[str, date]:
    accepted = {"teacher_id": {"$in": list(teacher_ids)}, "state": State.ACCEPTED}
    pipeline: list[Row] = [
        {"$match": {**accepted, **days, "starts_on": {"$lte": today}}},
        {"$group": {"_id": "$teacher_id", "last": {"$max": work.at_work(today, release_days)}}},
    ]
    rows = scope["invitations"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: date.fromisoformat(row["last"]) async for row in rows if row["last"]}


async def set_taught(scope: Scope, class_id: str, days: Mapping[str, Days]) -> int:
    """Writes the days of own sessions where they are other ones than before; returns how many were."""
    changed = 0
    for one in await of_class(scope, class_id):
        first, last = days.get(one.teacher_id, (None, None))
        if one.kind is not Kind.TEACHING or one.state is not State.ACCEPTED:
            continue
        if (one.work_first, one.work_last) != (first, last):
            await scope["invitations"].update_one(
                {"_id": one.id}, {"$set": {"work_first": first, "work_last": last}}, session=scope.session
            )
            changed += 1
    return changed


async def note_assessed(scope: Scope, class_id: str, teacher_id: str, day: date) -> None:
    await scope["invitations"].update_one(
        {"class_id": class_id, "teacher_id": teacher_id, "kind": Kind.ASSESSMENT, "state": State.ACCEPTED},
        [
            {
                "$set": {
                    "work_first": {"$min": ["$work_first", day]},  # of a date and nothing it is the date
                    "work_last": {"$max": ["$work_last", day]},
                }
            }
        ],
        session=scope.session,
    )


async def set_closed(scope: Scope, class_id: str, closed: bool) -> None:
    accepted = {"class_id": class_id, "state": State.ACCEPTED}
    await scope["invitations"].update_many(accepted, {"$set": {"closed": closed}}, session=scope.session)


async def hold_teacher(scope: Scope, teacher_id: str) -> None:
    """Makes this transaction conflict with any other that accepts for the same teacher: the later one is tried again."""
    await scope["invitation_guards"].update_one(
        {"_id": teacher_id}, {"$inc": {"version": 1}}, upsert=True, session=scope.session
    )


async def settle(scope: Scope, invitation: Invitation, state: State, step: Step) -> None:
    await scope["invitations"].update_one(
        {"_id": invitation.id, "state": invitation.state},
        {"$set": {"state": state, "remind_at": None}, "$push": {"history": step.model_dump()}},
        session=scope.session,
    )


async def note_reminder(scope: Scope, invitation_id: str) -> None:
    await scope["invitations"].update_one(
        {"_id": invitation_id}, {"$set": {"remind_at": None}}, session=scope.session
    )


async def correct(scope: Scope, corrected: Invitation) -> None:
    """Writes what a correction of the class changes in a letter."""
    fields = corrected.model_dump(include={"class_name", "place", "starts_on", "ends_on", "reply_by"})
    await scope["invitations"].update_one({"_id": corrected.id}, {"$set": fields}, session=scope.session)


async def over(scope: Scope, now: datetime, limit: int) -> list[str]:
    """Ids of what nobody answered in time."""
    return await _ids(scope, {"state": State.SENT, "reply_by": {"$lte": now}}, limit)


async def to_remind(scope: Scope, now: datetime, limit: int) -> list[str]:
    return await _ids(scope, {"state": State.SENT, "remind_at": {"$lte": now}}, limit)


def recommendation(
    *,
    class_id: str,
    major: str,
    province_code: str,
    starts_on: date,
    ends_on: date,
    today: date,
    words: str = "",
    only_province: str = "",
    wished: Sequence[str] = (),
    cancelled: Sequence[str] = (),
    limit: int,
) -> list[Row]:
    """The pipeline over the pool (backbone_teachers) that recommends teachers for a class.

    It finds the pool by 专业大类, joins what each has accepted from the first day of the class's year on, and puts those first who are
    free, were `wished` for (ids) in the application, teach less in that year, assess less, come from the class's province; last of all
    stands whose task in this class was `cancelled` (ids). Both steps stand on an index. The pool does not say which level somebody may
    teach: the level of the class decides nothing.
    """
    first, last = rules.task_days(rules.year_of_task(starts_on))
    pool: Row = {"majors": major, "status": PoolStatus.ACTIVE}
    if only_province:
        pool["province_code"] = only_province
    if words:
        pool |= of_words(words)

    def of_kind(kind: Kind, progress: Progress) -> Row:
        begins = "$$task.starts_on"
        in_year = [{"$gte": [begins, first]}, {"$lte": [begins, last]}]
        such = [{"$eq": ["$$task.kind", kind]}, work.progress_is(progress, "$$task.", today)]
        return {"$size": _those("$tasks", [*such, *in_year])}

    clash = [
        {"$ne": ["$$task.class_id", class_id]},
        {"$lte": ["$$task.starts_on", ends_on]},
        {"$gte": ["$$task.ends_on", starts_on]},
    ]
    return [
        {"$match": pool},
        {
            "$lookup": {
                "from": "invitations",
                "localField": "_id",
                "foreignField": "teacher_id",
                "pipeline": [
                    {"$match": {"state": State.ACCEPTED, "ends_on": {"$gte": first}}},
                    {"$project": {"_id": 0, "ends_on": 1, **dict.fromkeys(TASK_FIELDS, 1)}},
                ],
                "as": "tasks",
            }
        },
        {
            "$project": {
                "name": 1,
                "work_unit": 1,
                "id_number_masked": 1,
                "province_code": 1,
                "teaching_done": of_kind(Kind.TEACHING, Progress.DONE),
                "teaching_planned": of_kind(Kind.TEACHING, Progress.PLANNED),
                "assessment_done": of_kind(Kind.ASSESSMENT, Progress.DONE),
                "assessment_planned": of_kind(Kind.ASSESSMENT, Progress.PLANNED),
                "clashes": _those("$tasks", clash),
            }
        },
        {
            "$addFields": {
                "teaching": {"$add": ["$teaching_done", "$teaching_planned"]},
                "assessment": {"$add": ["$assessment_done", "$assessment_planned"]},
                "busy": {"$gt": [{"$size": "$clashes"}, 0]},
                "cancelled": {"$in": ["$_id", list(cancelled)]},
                "unwished": {"$not": {"$in": ["$_id", list(wished)]}},
                "elsewhere": {"$ne": ["$province_code", province_code]},
            }
        },
        {
            "$sort": {
                **dict.fromkeys(("cancelled", "busy", "unwished", "teaching", "assessment", "elsewhere"), 1),
                "_id": 1,
            }
        },
        {"$limit": limit},
    ]


async def recommended(scope: Scope, pipeline: Sequence[Row]) -> list[Row]:
    return await scope["backbone_teachers"].aggregate(list(pipeline), session=scope.session).to_list(None)


def task_fields(row: Row) -> Row:
    """A row of `tasks_ended` or `tasks_begun` as the fields of a Task."""
    days = {
        name: date.fromisoformat(row[name]) if row[name] else None
        for name in ("starts_on", "ends_on", "work_last")
    }
    return {**row, **days, "kind": Kind(row["kind"])}


def engagement(task: Row) -> Engagement:
    """A task as the pipeline gives it."""
    first, last = date.fromisoformat(task["starts_on"]), date.fromisoformat(task["ends_on"])
    return Engagement(task["class_id"], task["class_name"], Kind(task["kind"]), first, last)


async def rename_institution(scope: Scope, code: str, name: str) -> None:
    standing = {
        "institution_code": code,
        "closed": False,
        "state": {"$in": [State.SENT, State.ACCEPTED]},
    }
    await scope["invitations"].update_many(
        standing, {"$set": {"institution_name": name}}, session=scope.session
    )


def _those(array: str, conditions: list[Any]) -> Row:
    return {"$filter": {"input": array, "as": "task", "cond": {"$and": conditions}}}


async def _ids(scope: Scope, condition: Row, limit: int) -> list[str]:
    rows = scope["invitations"].find(condition, {"_id": 1}, session=scope.session).limit(limit)
    return [row["_id"] async for row in rows]


def _read(row: Row | None) -> Invitation | None:
    return None if row is None else Invitation.from_mongo(row)
