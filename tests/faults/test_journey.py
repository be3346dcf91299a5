"""The journey of `scripts/demo` against a real server process, and what it leaves behind: certificates that say what was held, and no ID
number in clear."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import bson
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from scripts.before_class import TRAINEES
from scripts.journey import PEOPLE_FROM
from server.accounts.fictional import FictionalPerson, make_person
from server.attendance.documents import TeachingSession
from server.classes.documents import TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.mongo import Row
from server.settings import Settings
from tests.faults.server import ROOT, ServerProcess
from tests.faults.test_killed_server import free_port

SEED = 7
OF_THE_SERVER = range(400)
"""Seeds of the people of `--demo`, and some more."""

OWN_CLASSES = ("over", "going on", "to come")
"""Of the server with `--demo`."""
A_CLASS_HOUR = timedelta(minutes=45)


def everybody() -> list[FictionalPerson]:
    first = PEOPLE_FROM + SEED * (TRAINEES + 1)
    return [make_person(seed) for seed in (*OF_THE_SERVER, *range(first, first + TRAINEES + 1))]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_journey_ends_with_verified_certificates_that_say_what_was_held_and_nothing_in_clear(
    tmp_path: Path,
) -> None:
    data_dir, out = tmp_path / "data", tmp_path / "certificates"
    data_dir.mkdir()
    with ServerProcess(data_dir, free_port(), "--demo") as server:
        walked = subprocess.run(
            [sys.executable, "-m", "scripts.journey", "--url", server.url, "--out", str(out)]
            + ["--data-dir", str(data_dir), "--seed", str(SEED)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=1100,
            check=False,
        )
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert "演示不要求两步验证" in server.output
    assert len(list(out.glob("*.pdf"))) == len(list(out.glob("*.png"))) == TRAINEES

    with kept(data_dir) as database:
        classes = [TrainingClass.from_mongo(row) for row in database["classes"].find({})]
        assert len(classes) == len(OWN_CLASSES) + 1
        for one in classes:
            if one.scheme_version is not None:  # of the class to come it is not approved yet
                require_eighty_true_hours(database, one)
        [walked_through] = [one for one in classes if f"演示 {SEED:06d}" in one.name]
        require_certificates_of_what_was_held(database, walked_through)
        require_each_evening_its_reminders(database, walked_through)
        written = server.log + server.output + walked.stdout + dump(database)
    assert '"level":"ERROR"' not in server.log
    assert [one.name for one in everybody() if one.id_number in written] == []
    assert [one.name for one in everybody() if one.phone in written] == []
    assert re.search(r"(?<!\d)[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{5}[\dX](?!\d)", written) is None


# ---- what the database proves


def sessions_of(database: Database[Row], one: TrainingClass) -> list[TeachingSession]:
    rows = database["teaching_sessions"].find({"class_id": one.id, "cancelled_at": None})
    return [TeachingSession.from_mongo(row) for row in rows.sort("starts_at", 1)]


def require_eighty_true_hours(database: Database[Row], one: TrainingClass) -> None:
    """Its sessions give the hours of its scheme, on its days, one after the other, each as long as its hours take; and nobody is in
    one outside the time of its check-in."""
    sessions = sessions_of(database, one)
    assert sum(session.hours for session in sessions) == one.class_hours == 80, one.name
    for session in sessions:
        assert session.ends_at - session.starts_at >= session.hours * A_CLASS_HOUR, session.title
        days = {beijing_date(session.starts_at), beijing_date(session.ends_at)}
        assert all(one.starts_on <= day <= one.ends_on for day in days), session.title
        for row in database["check_ins"].find({"session_id": session.id}):
            assert session.opens_at <= row["checked_in_at"] < session.closes_at, session.title
    assert all(before.ends_at <= after.starts_at for before, after in pairwise(sessions)), one.name


def require_certificates_of_what_was_held(database: Database[Row], one: TrainingClass) -> None:
    """Each says the hours of the sessions that had ended when it was issued, to somebody who was in them."""
    certificates = list(database["certificates"].find({"class_id": one.id}))
    assert len(certificates) == TRAINEES
    sessions = sessions_of(database, one)
    for certificate in certificates:
        held = [session for session in sessions if session.ends_at <= certificate["issued_at"]]
        attended = database["check_ins"].count_documents(
            {"person_id": certificate["person_id"], "session_id": {"$in": [session.id for session in held]}}
        )
        assert certificate["printed"]["class_hours"] == sum(session.hours for session in held) == 80
        assert attended == len(held)
        assert beijing_date(certificate["issued_at"]) == one.ends_on


def require_each_evening_its_reminders(database: Database[Row], one: TrainingClass) -> None:
    """The days of the class were lived one after the other: the evening job ran on each, by that evening's clock."""
    runs = database["job_runs"].find({"job": "remind-sessions", "slot": {"$ne": None}}).sort("slot", 1)
    evenings = {beijing_date(row["slot"]): row for row in runs}
    days = [one.starts_on + timedelta(days=number) for number in range((one.ends_on - one.starts_on).days)]
    assert [day for day in days if day not in evenings] == []
    assert all(beijing_date(evenings[day]["started_at"]) == day for day in days)
    told = [evenings[day]["_id"] for day in days]
    assert told == sorted(told), "in the order of the dates"


@contextmanager
def kept(data_dir: Path) -> Iterator[Database[Row]]:
    """The database that a server has left behind."""
    mongod = EmbeddedMongod(data_dir)
    try:
        with MongoClient[Row](mongod.start(), tz_aware=True) as client:
            yield client[Settings(data_dir=data_dir).mongodb_database]
    finally:
        mongod.stop()


def dump(database: Database[Row]) -> str:
    """Every document of every collection, as the bytes that BSON keeps, readable where they are text."""
    return "\n".join(
        bson.encode(document).decode("utf-8", "replace")
        for name in database.list_collection_names()
        for document in database[name].find({})
    )
