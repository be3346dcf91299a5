"""A crowd: as many people, classes and papers as one asks for, written past the services. Nobody in it exists.

Each row is one that its model has written, with what differs from row to row put in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from bson.binary import Binary
from pymongo import WriteConcern

from scripts.benches import crowd_papers
from scripts.benches.crowd_made import MAJORS, Crowd, Size, found, masked, name_of
from server import __main__ as program
from server.accounts.documents import Person
from server.certificates.documents import Certificate, SealedSnapshot
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import calendar_words
from server.kernel.found import LAST_DIGITS
from server.kernel.mongo import Row, ensure_indexes
from server.kernel.platform import Platform

AT_ONCE, BESIDE = 5_000, 2
LARGE = 20_000


# ---- the many: copied from one, for a model takes ten times as long


def persons(crowd: Crowd) -> Iterator[Row]:
    first = Person(
        name="张伟",
        id_number=Binary(b"x", 6),
        id_number_masked=masked(0),
        evidence="ROSTER_MATCHED",
        created_at=crowd.moment(0),
    ).to_mongo()
    for number in range(crowd.size.people):
        changed = {"_id": crowd.ids(1, number), "id_number": Binary(number.to_bytes(16, "big"), 6)}
        yield found(first | changed | _of_person(number), (name_of(number),), [])


def _of_person(number: int) -> Row:
    shown = masked(number)
    return {"name": name_of(number), "id_number_masked": shown, LAST_DIGITS: shown[-4:]}


def _class_of(crowd: Crowd, person: int) -> int:
    return person * crowd.size.classes // crowd.size.people


def enrolments(crowd: Crowd) -> Iterator[Row]:
    first = Enrolment(
        class_id="x",
        institution_code="x",
        province_code="x",
        person_id="x",
        name="张伟",
        id_number_masked=masked(0),
        work_unit="示例市技师学院",
        post="讲师",
        major_taught="数控加工",
        enrolled_at=crowd.moment(0),
    ).to_mongo()
    for number in range(crowd.size.people):
        of = _class_of(crowd, number)
        where = {key: value for key, value in crowd.at(of).items() if key != "institution_name"}
        who = {"_id": crowd.ids(2, number), "person_id": crowd.ids(1, number), "class_id": crowd.class_id(of)}
        yield found(first | where | who | _of_person(number), (name_of(number),), [])


def classes(crowd: Crowd) -> Iterator[Row]:
    first = TrainingClass(
        **crowd.at(0),
        name=crowd.class_name(0),
        level=crowd.level(0),
        major=MAJORS[0],
        courses=["工学一体化课程教学实施"],
        class_hours=80,
        starts_on=crowd.first_day(0),
        ends_on=crowd.first_day(0),
        place="实训楼",
        opened_at=crowd.moment(0),
    ).to_mongo()
    for number in range(crowd.size.classes):
        starts, at, name = crowd.first_day(number), crowd.at(number), crowd.class_name(number)
        ends, level, major = (
            starts + timedelta(days=8 + number % 9),
            crowd.level(number),
            MAJORS[number % len(MAJORS)],
        )
        own = {
            "_id": crowd.class_id(number),
            "name": name,
            "level": level,
            "major": major,
            "starts_on": starts.isoformat(),
            "ends_on": ends.isoformat(),
            "opened_at": crowd.moment(number),
            "results_released_at": crowd.moment(number)
            if starts < crowd.today - timedelta(days=60)
            else None,
        }
        calendar = calendar_words(starts, ends, ended=False)
        facets = [("level", level), ("major", major), ("year", starts.year), *calendar]
        yield found(first | at | own, (name, at["institution_name"]), facets)


def certificates(crowd: Crowd) -> Iterator[Row]:
    first: Row | None = None
    numbers: dict[str, int] = {}
    for number in range(crowd.size.people):
        of = _class_of(crowd, number)
        code, province, issuer = crowd.institutions[of % len(crowd.institutions)]
        day, level = crowd.first_day(of), crowd.level(of)
        begun = f"{province}{code}{day:%Y%m}{level}"
        for counted in (code, begun):
            numbers[counted] = numbers.get(counted, 0) + 1
        printed_number, printed_serial = f"{begun}{numbers[begun]:03}", f"{province}{code}{numbers[code]:05}"
        if first is None:
            first = _certificate(crowd, code, province, issuer, printed_number, printed_serial)
        printed = first["printed"] | {
            "name": name_of(number),
            "number": printed_number,
            "serial": printed_serial,
            "level": level,
            "issued_on": day.isoformat(),
            "class_name": crowd.class_name(of),
            "issuer": issuer,
            "id_number": Binary(number.to_bytes(16, "big"), 6),
            "id_number_masked": masked(number),
        }
        own = {
            "_id": crowd.ids(4, number),
            "class_id": crowd.class_id(of),
            "person_id": crowd.ids(1, number),
            "institution_code": code,
            "province_code": province,
            "printed": printed,
            "folded_name": name_of(number),
            "token": f"{number:032x}",
        }
        beginnings = [("number", printed_number[:length]) for length in (5, 9, 11)]
        facets = [("year", day.year), ("level", level), ("serial", printed_serial), *beginnings]
        yield found(first | own, (name_of(number),), facets)


def _certificate(crowd: Crowd, code: str, province: str, issuer: str, number: str, serial: str) -> Row:
    day = crowd.first_day(0)
    printed = SealedSnapshot(
        name="张伟",
        training_from=day,
        training_to=day,
        level=crowd.level(0),
        major="机械类",
        courses=("工学一体化课程教学实施",),
        class_hours=80,
        result="合格",
        issuer=issuer,
        serial=serial,
        number=number,
        issued_on=day,
        class_name=crowd.class_name(0),
        template_version=1,
        id_number=Binary(b"x", 6),
        id_number_masked=masked(0),
    )
    return Certificate(
        class_id="x",
        person_id="x",
        institution_code=code,
        province_code=province,
        printed=printed,
        folded_name="张伟",
        token="x",
        issued_at=crowd.moment(0),
        issued_by="测试员",
    ).to_mongo()


MAKERS: dict[str, Callable[[Crowd], Iterator[Any]]] = {
    made.__name__: made for made in (persons, enrolments, classes, certificates, *crowd_papers.ALL)
}


async def gather(
    platform: Platform, size: Size, today: date, say: Callable[[str], None] = lambda _: None
) -> Crowd:
    """Writes the crowd into a platform that has the institutions of annex 1. Of a large one the indexes are made afterwards, while the
    next collection is written."""
    known = await platform["institutions"].find({}).sort("_id", 1).to_list(None)
    crowd = Crowd(size, today, [(row["_id"], row["province_code"], row["name"]) for row in known])
    behind: list[asyncio.Task[None]] = []
    for collection, made in MAKERS.items():
        say(collection)
        [spec] = [one for one in program.COLLECTIONS if one.name == collection]
        afterwards = size.people > LARGE and collection != "audit"
        if afterwards:
            await platform[collection].drop_indexes()
        await _write(platform, collection, made(crowd))
        if afterwards:
            behind.append(asyncio.create_task(ensure_indexes(platform.db, [spec])))
    await asyncio.gather(*behind)
    return crowd


async def _write(platform: Platform, collection: str, made: Iterator[Any]) -> None:
    """While the database takes some rows, the next are made."""
    rows = platform.db.get_collection(collection, write_concern=WriteConcern(w=1, j=False))
    taken: list[asyncio.Future[Any]] = []
    while batch := [one if isinstance(one, dict) else one.to_mongo() for one in islice(made, AT_ONCE)]:
        if len(taken) == BESIDE:
            await taken.pop(0)
        taken.append(asyncio.ensure_future(rows.insert_many(batch, ordered=False)))
        await asyncio.sleep(0)
    await asyncio.gather(*taken)
