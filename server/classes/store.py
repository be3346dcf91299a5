"""Queries over classes and enrolments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import date, datetime

from server.classes import rules
from server.classes.documents import ClassFilter, ClassTeacher, Enrolment, OpenClassFilter, TrainingClass
from server.classes.rules import ENDED, Kind, Stage
from server.kernel.clock import beijing_date
from server.kernel.found import FOUND_BY, LAST_DIGITS, found_indexes, looking_for, set_in_found, words_of
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import LookUp
from server.kernel.unit_of_work import Scope

CALLED_OFF = ["CALLED_OFF", "TERMINATED"]
"""Conditions of a class in which nothing goes on any more."""

REACHES = ("institution_code", "province_code")
UNRELEASED: Row = {"results_released_at": None}

COLLECTIONS = (
    CollectionSpec(
        "classes",
        shard_key="institution_code",
        indexes=(
            Index([("institution_code", 1), ("_id", -1)]),
            Index([("province_code", 1), ("_id", -1)]),
            Index([("teachers.person_id", 1), ("_id", -1)]),
            Index([("ends_on", -1)]),
            Index([("starts_on", 1)]),
            Index([("province_code", 1), ("starts_on", 1)]),
            Index([("institution_code", 1), ("starts_on", 1)]),
            *found_indexes("institution_code", "province_code"),
            # What is not released yet, the first to end first; and what was released lately: whatever has become of the others.
            Index(
                [(name, 1) for name in ("institution_code", "condition", "results_released_at", "ends_on")]
            ),
            Index([(name, 1) for name in ("province_code", "condition", "results_released_at", "ends_on")]),
            Index([(name, 1) for name in ("condition", "results_released_at", "ends_on")]),
            # When an institution last trained at some levels, without fetching a document.
            Index([("institution_code", 1), ("level", 1), ("ends_on", 1), ("starts_on", 1)]),
            # By which class it trained last, the same way: the days of sessions, once the results are released.
            Index([(name, 1) for name in ("institution_code", "level", "trained_to", "results_released_at")]),
            Index([("enrolment_closes", 1)]),
            # What is in hand (in_hand_store), of the country and of a province; an institution has few. By its last day the index knows
            # what has ended and waits for its results: of those there are many, and a class under way comes after them.
            Index([("starts_on", 1), ("_id", 1), ("ends_on", 1)], partial=UNRELEASED),
            Index([("province_code", 1), ("starts_on", 1), ("_id", 1), ("ends_on", 1)], partial=UNRELEASED),
            Index([("results_released_at", -1), ("_id", -1)]),
            Index([("province_code", 1), ("results_released_at", -1), ("_id", -1)]),
        ),
    ),
    CollectionSpec(
        "enrolments",
        shard_key="class_id",
        indexes=(
            Index([("class_id", 1), ("person_id", 1)], unique=True),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("institution_code", 1), ("arrived_at", 1)], partial={"arrival_required": True}),
            # People of one reach, by name and by the last digits; the whole country is asked in `persons`.
            *(Index([(reach, 1), ("_id", -1)]) for reach in REACHES),
            *(
                Index([(reach, 1), (how, 1), ("_id", -1)])
                for reach in REACHES
                for how in (FOUND_BY, LAST_DIGITS)
            ),
        ),
    ),
)


NOT_ENDED: Row = {"condition": {"$nin": ENDED}}
"""Neither called off nor terminated; classes of before had no condition."""


async def insert_class(scope: Scope, new: TrainingClass) -> None:
    await scope["classes"].insert_one(new.to_mongo(), session=scope.session)


async def classes(
    scope: Scope,
    reach: Jurisdiction,
    narrowed: ClassFilter,
    today: date,
    *,
    before: str | None,
    limit: int,
) -> list[TrainingClass]:
    """Newest first, older than the id `before`."""
    condition: Row = {"$and": [reach.filter(), narrowed_to(narrowed, today)]}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["classes"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [TrainingClass.from_mongo(row) async for row in rows]


def narrowed_to(narrowed: ClassFilter, today: date) -> Row:
    facets = {"level": narrowed.level, "major": narrowed.major, "year": narrowed.year}
    conditions = [looking_for(narrowed.words, ("name", "institution_name"), facets)]
    if narrowed.province_code:
        conditions.append({"province_code": narrowed.province_code})
    if narrowed.stage:
        alternatives = words_of(rules.stage_words(narrowed.stage, today))
        conditions += [{FOUND_BY: {"$in": alternatives}}, _in_stage(narrowed.stage, today)]
    return {"$and": conditions}


async def current_classes(
    scope: Scope, reach: Jurisdiction, today: date, *, limit: int
) -> list[TrainingClass]:
    """Those that are not over, or whose results are not released; newest first."""
    current = {**NOT_ENDED, "$or": [{"ends_on": {"$gte": today}}, {"results_released_at": None}]}
    rows = scope["classes"].find({"$and": [reach.filter(), current]}, session=scope.session)
    return [TrainingClass.from_mongo(row) async for row in rows.sort("_id", -1).limit(limit)]


def _in_stage(stage: Stage, today: date) -> Row:
    """rules.stage as a condition of the database."""
    match stage:
        case Stage.NOT_STARTED:
            return {"starts_on": {"$gt": today}, **NOT_ENDED}
        case Stage.ONGOING:
            return {"starts_on": {"$lte": today}, "ends_on": {"$gte": today}, **NOT_ENDED}
        case Stage.FINISHED:
            return {"$or": [{"ends_on": {"$lt": today}}, {"condition": {"$in": ENDED}}]}


async def class_in_reach(scope: Scope, reach: Jurisdiction, class_id: str) -> TrainingClass | None:
    row = await scope["classes"].find_one(
        {"$and": [{"_id": class_id}, reach.filter()]}, session=scope.session
    )
    return None if row is None else TrainingClass.from_mongo(row)


async def class_taught_by(scope: Scope, person_id: str, class_id: str) -> TrainingClass | None:
    row = await scope["classes"].find_one(
        {"_id": class_id, "teachers.person_id": person_id}, session=scope.session
    )
    return None if row is None else TrainingClass.from_mongo(row)


async def classes_taught_by(
    scope: Scope, person_id: str, *, before: str | None, limit: int
) -> list[TrainingClass]:
    condition: Row = {"teachers.person_id": person_id}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["classes"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [TrainingClass.from_mongo(row) async for row in rows]


async def taught_and_not_over(scope: Scope, person_id: str, today: date) -> list[str]:
    """Ids of the classes of a teacher that have not ended and whose results are not released."""
    open_to = {"ends_on": {"$gte": today}, "results_released_at": None, **NOT_ENDED}
    condition = {"teachers.person_id": person_id, **open_to}
    return [row["_id"] async for row in scope["classes"].find(condition, {"_id": 1}, session=scope.session)]


async def classes_by_id(scope: Scope, class_ids: Sequence[str]) -> dict[str, TrainingClass]:
    """Classes whose ids an enrolment or a task of the caller's own has named."""
    rows = scope["classes"].find({"_id": {"$in": list(class_ids)}}, session=scope.session)
    return {row["_id"]: TrainingClass.from_mongo(row) async for row in rows}


async def add_teacher(scope: Scope, class_id: str, teacher: ClassTeacher) -> None:
    """Adds a teacher, or to one who is there what else they do."""
    [kind] = teacher.kinds
    there = await scope["classes"].update_one(
        {"_id": class_id, "teachers.person_id": teacher.person_id},
        {"$addToSet": {"teachers.$.kinds": kind}},
        session=scope.session,
    )
    if there.matched_count:
        return
    await scope["classes"].update_one(
        {"_id": class_id, "teachers.person_id": {"$ne": teacher.person_id}},
        {"$push": {"teachers": teacher.model_dump(mode="json")}},
        session=scope.session,
    )


async def remove_teacher(scope: Scope, class_id: str, person_id: str, kind: Kind) -> None:
    await scope["classes"].update_one(
        {"_id": class_id, "teachers.person_id": person_id},
        {"$pull": {"teachers.$.kinds": kind}},
        session=scope.session,
    )
    await scope["classes"].update_one(
        {"_id": class_id},
        {"$pull": {"teachers": {"person_id": person_id, "kinds": []}}},
        session=scope.session,
    )


async def set_scheme(scope: Scope, class_id: str, version: int, courses: Sequence[str], hours: int) -> None:
    await scope["classes"].update_one(
        {"_id": class_id},
        {"$set": {"scheme_version": version, "courses": list(courses), "class_hours": hours}},
        session=scope.session,
    )


async def set_results_released(scope: Scope, class_id: str, at: datetime) -> bool:
    """True for the one caller that released; False when the results were released before."""
    done = await scope["classes"].update_one(
        {"_id": class_id, "results_released_at": None},
        {"$set": {"results_released_at": at}},
        session=scope.session,
    )
    return bool(done.modified_count)


async def set_results_reopened(scope: Scope, class_id: str) -> None:
    await scope["classes"].update_one(
        {"_id": class_id},
        {"$set": {"results_released_at": None, "released_by_old_rule": False}, "$inc": {"version": 1}},
        session=scope.session,
    )


async def touch(scope: Scope, class_id: str) -> None:
    """Makes this transaction conflict with any other that touches the same class: a release excludes a late grade."""
    await scope["classes"].update_one({"_id": class_id}, {"$inc": {"version": 1}}, session=scope.session)


STILL_THERE: Row = {"left_on": None}
"""Who has not left (退训); enrolments of before have no such field."""


async def enrolments(scope: Scope, class_id: str) -> list[Enrolment]:
    """Who is of the class, in the order of the roster. A class is small (policy `roster_rows`), so it is read whole."""
    return await _enrolments(scope, {"class_id": class_id, **STILL_THERE})


async def enrolments_ever(scope: Scope, class_id: str) -> list[Enrolment]:
    """The same with those who have left."""
    return await _enrolments(scope, {"class_id": class_id})


async def _enrolments(scope: Scope, condition: Row) -> list[Enrolment]:
    rows = scope["enrolments"].find(condition, session=scope.session).sort("_id", 1)
    return [Enrolment.from_mongo(row) async for row in rows]


async def enrolment(scope: Scope, class_id: str, person_id: str) -> Enrolment | None:
    """Of somebody who is of the class."""
    found = await enrolment_ever(scope, class_id, person_id)
    return None if found is None or found.left_on else found


async def enrolment_ever(scope: Scope, class_id: str, person_id: str) -> Enrolment | None:
    row = await scope["enrolments"].find_one(
        {"class_id": class_id, "person_id": person_id}, session=scope.session
    )
    return None if row is None else Enrolment.from_mongo(row)


async def replace_enrolment(scope: Scope, changed: Enrolment) -> None:
    """Part of a transaction that has read it."""
    await scope["enrolments"].replace_one({"_id": changed.id}, changed.to_mongo(), session=scope.session)


async def known_beside(scope: Scope, class_id: str, person_id: str) -> bool:
    """Whether another class has or had this person, or some class has them as its teacher."""
    elsewhere = {"person_id": person_id, "class_id": {"$ne": class_id}}
    taught = {"teachers.person_id": person_id}
    for collection, condition in (("enrolments", elsewhere), ("classes", taught)):
        if await scope[collection].find_one(condition, {"_id": 1}, session=scope.session):
            return True
    return False


def enrolled_pairs(person_ids: Collection[str]) -> LookUp[dict[tuple[str, str], bool]]:
    """(class, person) of every enrolment of these people that stands, and whether it still awaits their arrival (报到).

    Each has been in few classes. For the path of check-ins.
    """

    def read(rows: list[Row]) -> dict[tuple[str, str], bool]:
        return {
            (row["class_id"], row["person_id"]): row.get("arrival_required", False)
            and not row.get("arrived_at")
            for row in rows
        }

    return LookUp("enrolments", {"person_id": {"$in": list(person_ids)}, **STILL_THERE}, read, _PAIR)


_PAIR = {"_id": 0, "class_id": 1, "person_id": 1, "arrival_required": 1, "arrived_at": 1}


async def enrolments_of(
    scope: Scope, person_id: str, reach: Row, *, before: str | None, limit: int
) -> list[Enrolment]:
    condition: Row = {"person_id": person_id, **STILL_THERE, "$and": [reach]}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["enrolments"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Enrolment.from_mongo(row) async for row in rows]


async def enrolments_of_ever(scope: Scope, person_id: str) -> list[Enrolment]:
    """First enrolled first, also those of who has left."""
    rows = scope["enrolments"].find({"person_id": person_id}, session=scope.session).sort("_id", 1)
    return [Enrolment.from_mongo(row) async for row in rows]


async def count_enrolments(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    pipeline: list[Row] = [
        {"$match": {"class_id": {"$in": list(class_ids)}, **STILL_THERE}},
        {"$group": {"_id": "$class_id", "count": {"$sum": 1}}},
    ]
    rows = scope["enrolments"].aggregate(pipeline, session=scope.session)
    return {row["_id"]: row["count"] async for row in rows}


async def enrolled_of(scope: Scope, class_ids: Sequence[str]) -> list[Row]:
    """`class_id`, `person_id`, `arrival_required` and `arrived_at` of everybody who is of one of these classes."""
    rows = scope["enrolments"].find(
        {"class_id": {"$in": list(class_ids)}, **STILL_THERE},
        {"_id": 0, "class_id": 1, "person_id": 1, "arrival_required": 1, "arrived_at": 1},
        session=scope.session,
    )
    return await rows.to_list(None)


async def insert_enrolments(scope: Scope, new: Sequence[Enrolment]) -> None:
    await scope["enrolments"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def delete_enrolment(scope: Scope, class_id: str, person_id: str) -> bool:
    """Of somebody who is of the class; who has left stays on record."""
    done = await scope["enrolments"].delete_one(
        {"class_id": class_id, "person_id": person_id, **STILL_THERE}, session=scope.session
    )
    return bool(done.deleted_count)


async def set_arrival(
    scope: Scope, class_id: str, person_id: str, at: datetime | None, by: str | None
) -> bool:
    """False when the enrolment is in that state already: arrived or not."""
    now_arrived: Row = {"arrived_at": None} if at else {"arrived_at": {"$ne": None}}
    done = await scope["enrolments"].update_one(
        {"class_id": class_id, "person_id": person_id, **now_arrived, **STILL_THERE},
        {"$set": {"arrived_at": at, "arrival_by": by}},
        session=scope.session,
    )
    return bool(done.modified_count)


async def unreleased(scope: Scope, ended_from: date, today: date) -> AsyncIterator[TrainingClass]:
    """One by one: those that have begun, end on `ended_from` or later, and whose results are not released."""
    open_since = {"ends_on": {"$gte": ended_from}, "starts_on": {"$lte": today}}
    condition = {**open_since, "results_released_at": None, **NOT_ENDED}
    async for row in scope["classes"].find(condition, session=scope.session).sort("ends_on", -1):
        yield TrainingClass.from_mongo(row)


async def other_classes(
    scope: Scope, person_ids: Sequence[str], class_id: str, starts_on: date, ends_on: date
) -> dict[str, TrainingClass]:
    """By person: a class other than `class_id` that they are in and that has a day in common with these dates."""
    rows = scope["enrolments"].find(
        {"person_id": {"$in": list(person_ids)}, "class_id": {"$ne": class_id}, **STILL_THERE},
        {"class_id": 1, "person_id": 1},
        session=scope.session,
    )
    enrolled = [(row["person_id"], row["class_id"]) async for row in rows]
    found = scope["classes"].find(
        {
            "_id": {"$in": sorted({class_id for _, class_id in enrolled})},
            "starts_on": {"$lte": ends_on},
            "ends_on": {"$gte": starts_on},
            **NOT_ENDED,
        },
        session=scope.session,
    )
    overlapping = {row["_id"]: TrainingClass.from_mongo(row) async for row in found}
    return {person: overlapping[other] for person, other in enrolled if other in overlapping}


async def take_places(scope: Scope, class_id: str, count: int) -> bool:
    """Counts `count` more enrolments if the places allow them all."""
    enough = {"$lte": [{"$add": [{"$ifNull": ["$admitted", 0]}, count]}, "$places"]}
    done = await scope["classes"].update_one(
        {"_id": class_id, "$or": [{"places": None}, {"$expr": enough}]},
        {"$inc": {"admitted": count}},
        session=scope.session,
    )
    return bool(done.modified_count)


async def give_back_place(scope: Scope, class_id: str) -> None:
    await scope["classes"].update_one({"_id": class_id}, {"$inc": {"admitted": -1}}, session=scope.session)


async def set_enrolment(
    scope: Scope, class_id: str, opens: datetime, closes: datetime, places: int, admitted: int
) -> None:
    change = {"enrolment_opens": opens, "enrolment_closes": closes, "places": places, "admitted": admitted}
    await scope["classes"].update_one({"_id": class_id}, {"$set": change}, session=scope.session)


async def open_for_enrolment(
    scope: Scope, narrowed: OpenClassFilter, now: datetime, *, before: str | None, limit: int
) -> list[TrainingClass]:
    """Classes that take applications at this moment and are neither over nor frozen, newest first."""
    exact = {"level": narrowed.level, "major": narrowed.major, "province_code": narrowed.province_code}
    condition: Row = {name: value for name, value in exact.items() if value}
    condition |= {"enrolment_closes": {"$gt": now}, "enrolment_opens": {"$lte": now}}
    condition |= {"ends_on": {"$gte": beijing_date(now)}, "results_released_at": None}
    if narrowed.month:
        condition["starts_on"] = {"$gte": f"{narrowed.month}-01", "$lte": f"{narrowed.month}-31"}
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["classes"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [TrainingClass.from_mongo(row) async for row in rows]


# ---- what befell a class


async def replace_class(scope: Scope, changed: TrainingClass) -> None:
    """Writes a class that this transaction has read, counting it as touched."""
    row = changed.model_copy(update={"version": changed.version + 1}).to_mongo()
    await scope["classes"].replace_one({"_id": changed.id}, row, session=scope.session)


async def delete_enrolments(scope: Scope, class_id: str) -> None:
    await scope["enrolments"].delete_many({"class_id": class_id}, session=scope.session)


# ---- corrections of what was published, and the classes of one institution


async def renumber_person(scope: Scope, person_id: str, id_number_masked: str) -> None:
    """In every roster."""
    fields: Row = {"id_number_masked": id_number_masked}
    await set_in_found(scope, Enrolment, "enrolments", {"person_id": person_id}, fields)


async def set_facts(
    scope: Scope, class_id: str, name: str, place: str, starts_on: date, ends_on: date
) -> None:
    fields: Row = {"name": name, "place": place, "starts_on": starts_on, "ends_on": ends_on}
    await set_in_found(scope, TrainingClass, "classes", {"_id": class_id}, fields)


async def rename_person(scope: Scope, person_id: str, name: str) -> None:
    """In every roster, and wherever they teach."""
    await set_in_found(scope, Enrolment, "enrolments", {"person_id": person_id}, {"name": name})
    await scope["classes"].update_many(
        {"teachers.person_id": person_id}, {"$set": {"teachers.$.name": name}}, session=scope.session
    )


async def rename_institution(scope: Scope, code: str, name: str) -> None:
    unreleased: Row = {"institution_code": code, "results_released_at": None}
    await set_in_found(scope, TrainingClass, "classes", unreleased, {"institution_name": name})


async def released_of(scope: Scope, code: str) -> list[str]:
    released: Row = {"institution_code": code, "results_released_at": {"$ne": None}}
    return await scope["classes"].distinct("_id", released, session=scope.session)


async def unfinished_of(
    scope: Scope, reach: Jurisdiction, institution_code: str, today: date
) -> list[TrainingClass]:
    """The classes of one institution that are not over, the first to begin first."""
    condition = {"institution_code": institution_code, "ends_on": {"$gte": today}, **NOT_ENDED}
    rows = scope["classes"].find({"$and": [reach.filter(), condition]}, session=scope.session)
    return [TrainingClass.from_mongo(row) async for row in rows.sort("starts_on", 1)]


async def people_of_classes(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people who are enrolled somewhere or teach, or did."""
    wanted = list(person_ids)
    enrolled = scope["enrolments"].find(
        {"person_id": {"$in": wanted}}, {"person_id": 1}, session=scope.session
    )
    teaching = scope["classes"].find(
        {"teachers.person_id": {"$in": wanted}}, {"teachers.person_id": 1}, session=scope.session
    )
    found = {row["person_id"] async for row in enrolled}
    async for row in teaching:
        found |= {teacher["person_id"] for teacher in row["teachers"]}
    return found & set(wanted)
