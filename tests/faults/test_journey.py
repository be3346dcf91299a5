"""The journey of `scripts/demo` against a real server process, and what it leaves behind: certificates, and no ID number in clear."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime, time
from pathlib import Path

import bson
import pytest
from pymongo import MongoClient

from scripts.before_class import TRAINEES
from scripts.journey import PEOPLE_FROM
from server.accounts.fictional import FictionalPerson, make_person
from server.kernel.clock import BEIJING
from server.kernel.embedded_mongod import EmbeddedMongod
from server.settings import Settings
from tests.faults.server import ROOT, ServerProcess
from tests.faults.test_killed_server import free_port

SEED = 7
OF_THE_SERVER = range(400)
"""Seeds of the people of `--demo`, and some more."""


def everybody() -> list[FictionalPerson]:
    first = PEOPLE_FROM + SEED * (TRAINEES + 1)
    return [make_person(seed) for seed in (*OF_THE_SERVER, *range(first, first + TRAINEES + 1))]


@pytest.mark.skipif(
    datetime.now(BEIJING).time() > time(23, 10),
    reason="the journey presses a timetable into the rest of the day, and too little of today is left",
)
@pytest.mark.timeout(300)
def test_the_journey_ends_with_verified_certificates_and_nothing_in_clear(tmp_path: Path) -> None:
    data_dir, out = tmp_path / "data", tmp_path / "certificates"
    data_dir.mkdir()
    with ServerProcess(data_dir, free_port(), "--demo") as server:
        walked = subprocess.run(
            [sys.executable, "-m", "scripts.journey", "--url", server.url, "--out", str(out)]
            + ["--data-dir", str(data_dir), "--seed", str(SEED)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert "演示不要求两步验证" in server.output
    assert len(list(out.glob("*.pdf"))) == len(list(out.glob("*.png"))) == TRAINEES

    written = server.log + server.output + walked.stdout + dump(data_dir)
    assert '"level":"ERROR"' not in server.log
    assert [one.name for one in everybody() if one.id_number in written] == []
    assert [one.name for one in everybody() if one.phone in written] == []
    assert re.search(r"(?<!\d)[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{5}[\dX](?!\d)", written) is None


def dump(data_dir: Path) -> str:
    """Every document of every collection, as the bytes that BSON keeps, readable where they are text."""
    mongod = EmbeddedMongod(data_dir)
    database = Settings(data_dir=data_dir).mongodb_database
    try:
        with MongoClient[dict[str, object]](mongod.start()) as client:
            found = client[database]
            return "\n".join(
                bson.encode(document).decode("utf-8", "replace")
                for name in found.list_collection_names()
                for document in found[name].find({})
            )
    finally:
        mongod.stop()
