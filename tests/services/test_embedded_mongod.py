"""The embedded database starts again whatever ended it, and never loses or exposes what it keeps."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from server.kernel import embedded_mongod
from server.kernel.embedded_mongod import EmbeddedMongod, MongodUnavailable, find_mongod

REPOSITORY = Path(__file__).parents[2]

# What a server does that is then killed: it starts the database, stores something, says its address and stays.
SERVER = """
import signal, sys
from pathlib import Path
from pymongo import MongoClient
from server.kernel.embedded_mongod import EmbeddedMongod

mongod = EmbeddedMongod(Path(sys.argv[1]), cache_gb=0.25)
MongoClient(mongod.start())["kept"]["things"].insert_one({"word": "certificate"})
print(mongod.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[EmbeddedMongod]:
    try:
        find_mongod()
    except MongodUnavailable as reason:
        pytest.skip(str(reason))
    mongod = EmbeddedMongod(tmp_path, cache_gb=0.25)
    yield mongod
    mongod.stop()


@pytest.fixture
def killed_server(mongod: EmbeddedMongod, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A server in a process of its own that has stored one thing."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, tmp_path], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    yield server
    server.kill()
    server.communicate()


def things(uri: str) -> list[dict[str, Any]]:
    with MongoClient[dict[str, Any]](uri) as client:
        return list(client["kept"]["things"].find({}, {"_id": 0}))


def store(uri: str, word: str) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        client["kept"]["things"].insert_one({"word": word})


def command_line(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]


def test_a_new_database_has_transactions_and_change_streams(mongod: EmbeddedMongod) -> None:
    with MongoClient[dict[str, Any]](mongod.start()) as client:
        collection = client["kept"]["things"]
        with collection.watch() as changes:
            with client.start_session() as session, session.start_transaction():
                collection.insert_one({"word": "roster"}, session=session)
            assert changes.next()["fullDocument"]["word"] == "roster"


def test_nobody_reads_it_without_the_password(mongod: EmbeddedMongod) -> None:
    _, address = mongod.start().split("@")
    anybody = f"mongodb://{address.removesuffix('&authSource=admin')}"
    with (
        MongoClient[dict[str, Any]](anybody) as client,
        pytest.raises(OperationFailure, match="authentication"),
    ):
        client["kept"]["things"].find_one()


def test_its_secrets_are_readable_by_the_owner_only(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    mongod.start()
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_restart_keeps_address_and_data(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    first = mongod.start()
    store(first, "serial")
    mongod.stop()
    assert mongod.pid is None
    assert mongod.start() == first
    assert things(first) == [{"word": "serial"}]


def test_it_moves_when_its_port_was_taken(mongod: EmbeddedMongod, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mongod.start()
    store(first, "ledger")
    mongod.stop()
    monkeypatch.setattr(embedded_mongod, "_is_free", lambda _port: False)
    moved = mongod.start()
    assert moved != first
    assert things(moved) == [{"word": "ledger"}]


def test_a_taken_port_that_was_asked_for_is_refused(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(MongodUnavailable, match="已被其他程序占用"):
            EmbeddedMongod(tmp_path, port=other.getsockname()[1]).start()


def test_it_recovers_when_mongod_is_killed(mongod: EmbeddedMongod) -> None:
    store(mongod.start(), "grade")
    assert mongod.pid is not None
    os.kill(mongod.pid, signal.SIGKILL)
    mongod.stop()
    assert things(mongod.start()) == [{"word": "grade"}]


def test_it_recovers_when_the_server_is_killed(
    killed_server: "subprocess.Popen[str]", mongod: EmbeddedMongod
) -> None:
    assert killed_server.stdout is not None
    assert killed_server.stdout.readline()
    killed_server.kill()
    killed_server.wait()
    assert things(mongod.start()) == [{"word": "certificate"}]


def test_a_leftover_mongod_is_stopped_before_the_next_starts(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    uri = mongod.start()
    store(uri, "invitation")
    assert mongod.pid is not None
    command = command_line(mongod.pid)
    mongod.stop()
    leftover = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    things(uri)  # which waits for it
    assert things(mongod.start()) == [{"word": "invitation"}]
    assert leftover.wait(10) == 0


def test_a_data_directory_serves_one_server_at_a_time(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    mongod.start()
    with pytest.raises(MongodUnavailable, match="另一个服务进程"):
        EmbeddedMongod(tmp_path).start()
    assert mongod.pid is not None


def test_a_first_start_that_was_cut_off_is_done_again(
    mongod: EmbeddedMongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(port: int, password: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(embedded_mongod, "_initialise", power_cut)
        with pytest.raises(KeyboardInterrupt):
            mongod.start()
    store(mongod.start(), "again")
    assert len(list(tmp_path.glob("mongo.unfinished-*"))) == 1


def test_data_without_its_password_is_left_alone(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    mongod.start()
    mongod.stop()
    (tmp_path / "secrets" / "mongodb-password").unlink()
    with pytest.raises(MongodUnavailable, match="备份"):
        mongod.start()


def test_a_wrong_password_is_told_at_once(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    mongod.start()
    mongod.stop()
    (tmp_path / "secrets" / "mongodb-password").write_text("wrong")
    with pytest.raises(MongodUnavailable, match="口令"):
        mongod.start()


def test_a_machine_without_the_wheel_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_mongod, "_WHEEL", "a-wheel-that-is-not-there")
    with pytest.raises(MongodUnavailable, match="MONGODB_URI"):
        find_mongod()


def test_a_mongod_that_ends_at_once_says_why(mongod: EmbeddedMongod, tmp_path: Path) -> None:
    mongod.start()
    mongod.stop()
    (tmp_path / "mongo" / "WiredTiger.turtle").write_text("not a turtle")
    (tmp_path / "mongo" / "WiredTiger.wt").write_text("not a tiger")
    with pytest.raises(MongodUnavailable, match=r"mongod\.log"):
        mongod.start()
