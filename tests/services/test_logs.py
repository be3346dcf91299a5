"""The log: one JSON object a line, written together, without an ID number."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pymongo.errors import BulkWriteError

from server.accounts.fictional import make_person
from server.kernel import logs
from server.kernel.platform import Platform


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a server that has set up its log writes to standard error."""
    root = logging.getLogger()
    handlers, level, source = root.handlers[:], root.level, logging._srcfile
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(logs, "_lines", None)
    logs.set_up("INFO")
    yield stream
    root.handlers[:], logging._srcfile = handlers, source
    root.setLevel(level)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True


def flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()


async def test_lines_wait_for_one_another_and_a_warning_waits_for_nobody(written: io.StringIO) -> None:
    logs.say(logging.INFO, "platform.web", "GET /healthz 200", request_id="r1", actor="anybody", ms=1.5)
    assert written.getvalue() == ""
    logging.getLogger("platform.jobs").warning("a job failed", extra={"job": "seal"})
    first, second = map(json.loads, written.getvalue().splitlines())
    assert first["message"] == "GET /healthz 200" and first["request_id"] == "r1" and first["ms"] == 1.5
    assert (second["level"], second["logger"], second["job"]) == ("WARNING", "platform.jobs", "seal")


def test_a_line_said_where_no_event_loop_runs_is_written_at_once(written: io.StringIO) -> None:
    logs.say(logging.INFO, "platform.web", "starting")
    assert json.loads(written.getvalue())["message"] == "starting"


async def test_an_id_number_loses_its_middle_in_either_kind_of_line(written: io.StringIO) -> None:
    number = make_person(1, "13").id_number
    logs.say(logging.INFO, "platform.web", f"GET /somewhere/{number} 404")
    logging.getLogger("platform.web").info("somebody: %s", number)
    flush()
    assert number not in written.getvalue()
    assert written.getvalue().count(f"{number[:3]}***{number[-4:]}") == 2


async def test_a_phone_and_the_seal_of_a_link_do_not_reach_the_log(written: io.StringIO) -> None:
    seal, phone, id_ = "0a1b2c3d" * 8, "13800001234", "6b057b98047243b8787f26ee"
    logs.say(logging.INFO, "platform.web", f"GET /media/{id_}-1795521432-{seal} 200")
    logging.getLogger("platform.web").warning("told %s at 1795521432000", phone)
    logging.getLogger("platform.audit").warning("audit chain checked to entry 574, hash %s", seal)
    first, second, third = (json.loads(line)["message"] for line in written.getvalue().splitlines())
    assert first == f"GET /media/{id_}-1795521432-0a1b2c… 200"
    assert second == "told 138***1234 at 1795521432000"
    assert third.endswith(seal)  # the end of the chain is kept in the log on purpose


async def test_an_error_of_the_database_names_no_document(written: io.StringIO, platform: Platform) -> None:
    row = {"_id": "twice", "name": "韩试甲"}
    try:
        await platform["persons"].insert_many([row, row])
    except BulkWriteError:
        logging.getLogger("platform.web").exception("unhandled")
    [line] = map(json.loads, written.getvalue().splitlines())
    assert "BulkWriteError: batch op errors occurred" in line["exception"]
    assert row["name"] not in line["exception"]
