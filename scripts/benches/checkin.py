"""What a check-in costs: this API whole, against what Tornado and Motor need for less.

    api    this API: token, signed code, window, enrolment, unique row, majority and journaled, log line
    plain  a bare Tornado handler with one `find_one` and one `insert_one` of Motor at the same durability
    bare   a bare Tornado handler that validates the request and answers

The last two are as Tornado and Motor come: nothing that our server does for itself (kernel/processes.settle_memory) is done for them.
Each server has a process of its own, on the first core; mongod (embedded, on disk) and the load have the others. Rounds
alternate, so that whatever else the machine does meets all three. Run it with `scripts/bench checkin`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import orjson
from bson.binary import Binary
from pydantic import BaseModel
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from miniprogram_api.attendance import CheckInRequest
from scripts.benches import report
from server.__main__ import make_application, open_platform
from server.accounts.documents import Person, PhoneSession
from server.accounts.fictional import make_person
from server.accounts.passwords import token_hash
from server.accounts.rules import Evidence
from server.attendance import rules
from server.attendance.documents import TeachingSession
from server.classes.documents import Enrolment
from server.kernel import logs, processes
from server.kernel.clock import SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.front_door import open_door
from server.kernel.mongo import connect, new_id
from server.settings import Settings

SERVERS = ("api", "plain", "bare")
PHONES = 200
FASTEST, FASTEST_OF_TWO = 12_000, 1_500
"""Check-ins a second, of all phones and of two, for which requests are prepared: more than any server has reached."""
CLASSES = 5
CODE_STEP, CODE_GRACE = 60, 30
"""Seconds: a code outlives a round. What is checked is the same."""


# ---- the three servers


class Plain(RequestHandler):
    async def post(self) -> None:
        asked = orjson.loads(self.request.body)
        db = self.settings["db"]
        session = await db["teaching_sessions"].find_one({"_id": asked["session_id"]})
        row = {"_id": new_id(), "session_id": session["_id"], "nonce": asked["nonce"], "at": time.time()}
        await db["plain_check_ins"].insert_one(row)
        self.set_status(201)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(orjson.dumps({"id": row["_id"], "status": "present"}))


class BareAnswer(BaseModel):
    id: str
    session_id: str
    status: str
    checked_in_at: float
    flags: list[str]


class Bare(RequestHandler):
    def post(self) -> None:
        asked = CheckInRequest.model_validate_json(self.request.body)
        answer = BareAnswer(
            id=asked.nonce, session_id=asked.code, status="present", checked_in_at=time.time(), flags=[]
        )
        self.set_status(201)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(orjson.dumps(answer.model_dump()))


async def serve(kind: str, settings: Settings) -> None:
    """Serves until it is told to end; prints the port first."""
    if kind == "api":
        logs.set_up("INFO")
        application = make_application(await open_platform(settings, SystemClock()))
        processes.settle_memory()
    else:
        db = connect(settings.mongodb_uri, settings.mongodb_database)
        application = Application([("/api/v1/check-ins", Plain if kind == "plain" else Bare)], db=db)
    server = open_door(application) if kind == "api" else HTTPServer(application)
    [socket] = sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(socket.getsockname()[1], flush=True)
    await asyncio.Event().wait()


# ---- the load


class Connection(asyncio.Protocol):
    """A phone's connection: sends the next request when the answer to the last has come whole."""

    def __init__(self, requests: Sequence[bytes], done: asyncio.Future[None]) -> None:
        self.requests = iter(requests)
        self.done = done
        self.took: list[float] = []
        self.refused: set[str] = set()
        self._received = b""
        self._sent = self._until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def start(self, until: float) -> None:
        self._until = until
        self._send()

    def _send(self) -> None:
        request = next(self.requests, None)
        self._sent = time.perf_counter()
        if request is None or self._sent > self._until:
            self.transport.close()
            self.done.set_result(None)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = self._received.index(b"Content-Length: ") + 16
        if len(self._received) < head + 4 + int(self._received[length : self._received.index(b"\r", length)]):
            return
        if self._received.startswith(b"HTTP/1.1 201"):
            self.took.append(time.perf_counter() - self._sent)
        else:
            self.refused.add(self._received[:12].decode())
        self._received = b""
        self._send()


async def load(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> dict[str, Any]:
    """Sends as many as get an answer in time, `connections` at once."""
    loop = asyncio.get_running_loop()
    phones = [
        Connection(requests[number::connections], loop.create_future()) for number in range(connections)
    ]
    for phone in phones:
        await loop.create_connection(lambda phone=phone: phone, "127.0.0.1", port)  # type: ignore[misc]
    begun = time.perf_counter()
    for phone in phones:
        phone.start(begun + seconds)
    await asyncio.gather(*(phone.done for phone in phones))
    if refused := set().union(*(phone.refused for phone in phones)):
        raise SystemExit(f"the server answered {refused}")
    took = sorted(second for phone in phones for second in phone.took)
    return {"seconds": time.perf_counter() - begun, "took": took}


def request(token: str, code: str, session_id: str, kind: str) -> bytes:
    """A check-in as a phone sends it. The plain server is told the session, for it reads no code."""
    body: dict[str, str] = {"code": code, "nonce": new_id()}
    if kind == "plain":
        body["session_id"] = session_id
    content = orjson.dumps(body)
    head = (
        "POST /api/v1/check-ins HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


# ---- the stage


@dataclass
class Stage:
    """Who will check in, and to what: session ids by class."""

    tokens: list[str] = field(default_factory=list)
    sessions: list[list[str]] = field(default_factory=list)


async def set_up(settings: Settings, sessions_each: int) -> Stage:
    """People with phones in classes whose sessions are all open now. Written past the services, which would not let them overlap."""
    platform = await open_platform(settings, SystemClock())
    now, stage = platform.clock.now(), Stage()
    hour = timedelta(hours=1)
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("persons", "enrolments", "phone_sessions", "teaching_sessions")
    }
    codes = {"institution_code": "009", "province_code": "13"}
    class_ids = [new_id() for _ in range(CLASSES)]
    for class_id in class_ids:
        made = [
            TeachingSession(
                class_id=class_id, title="上午", course="", place="实训楼", starts_at=now, ends_at=now + 4 * hour,
                hours=4, opens_at=now - hour, late_after=now + hour, closes_at=now + 4 * hour,
                code_step_seconds=CODE_STEP, code_grace_seconds=CODE_GRACE, created_at=now, **codes,
            )
            for _ in range(sessions_each)
        ]  # fmt: skip
        stage.sessions.append([one.id for one in made])
        rows["teaching_sessions"] += [one.to_mongo() for one in made]
    for number in range(PHONES):
        name = make_person(number, "13").name
        person = Person(
            name=name, id_number=Binary(str(number).encode()), id_number_masked="", created_at=now,
            evidence=Evidence.ROSTER_MATCHED,
        )  # fmt: skip
        enrolment = Enrolment(
            class_id=class_ids[number % CLASSES], person_id=person.id, name=name, id_number_masked="",
            work_unit="", post="", major_taught="", enrolled_at=now, **codes,
        )  # fmt: skip
        token = f"token-of-phone-{number:04}"
        phone = PhoneSession(
            id=token_hash(token), openid=f"openid-{number}", person_id=person.id, name=name, backbone=False,
            everywhere=True,
            created_at=now, expires_at=now + 24 * hour,
        )  # fmt: skip
        stage.tokens.append(token)
        rows["persons"].append(person.to_mongo())
        rows["enrolments"].append(enrolment.to_mongo())
        rows["phone_sessions"].append(phone.to_mongo())
    for name, some in rows.items():
        await platform[name].insert_many(some)
    platform.db.client.close()
    return stage


def requests_for(stage: Stage, key: bytes, kind: str, first: int, sessions: int) -> list[bytes]:
    """Each phone's check-in to each of some sessions, with the code of this moment."""
    step = rules.step_at(SystemClock().now(), CODE_STEP)
    return [
        request(token, rules.write_code(rules.Code(session, step), key), session, kind)
        for offset in range(first, first + sessions)
        for number, token in enumerate(stage.tokens)
        for session in [stage.sessions[number % CLASSES][offset]]
    ]


# ---- the run


class Server:
    """One of the three, in a process of its own."""

    def __init__(self, kind: str, environment: dict[str, str], core: int, log: IO[bytes]) -> None:
        self.kind = kind
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.benches.checkin", "serve", kind],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        os.sched_setaffinity(self._process.pid, {core})
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def cpu_seconds(self) -> float:
        """What its threads have computed so far, as `times` of proc(5) has it: less noisy than the clock on a busy machine."""
        times = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        processes.end(self._process, 5)


@dataclass
class Figures:
    """What the rounds of one server at one number of connections came to."""

    rates: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """Seconds."""

    def add(self, round_: dict[str, Any], cpu: float) -> None:
        self.cpu += cpu
        self.rates.append(len(round_["took"]) / round_["seconds"])
        self.took += round_["took"]

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return sorted(self.took)[int(share * (len(self.took) - 1))] * 1000


def ratio(one: Figures, other: Figures) -> float:
    """The median over the rounds, each against its neighbour."""
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


async def run(options: argparse.Namespace, settings: Settings, log: IO[bytes]) -> None:
    key = rules.code_key(settings.code_secret.get_secret_value())
    many = int(options.seconds * FASTEST / PHONES) + 1
    few = int(options.seconds * FASTEST_OF_TWO / PHONES) + 1
    stage = await set_up(settings, few + options.rounds * (many + few))
    first, *others = sorted(os.sched_getaffinity(0))
    environment = {
        **os.environ,
        "MONGODB_URI": settings.mongodb_uri,
        "PLATFORM_MONGODB_DATABASE": settings.mongodb_database,
        "PLATFORM_DATA_DIR": str(settings.data_dir),
    }
    servers = [Server(kind, environment, first, log) for kind in SERVERS]
    os.sched_setaffinity(0, set(others) or {first})
    figures = {(phones, server.kind): Figures() for phones in (PHONES, 2) for server in servers}
    try:
        for server in servers:  # warm up
            await load(server.port, requests_for(stage, key, server.kind, 0, few), PHONES, 1)
        place = few
        for _ in range(options.rounds):
            for phones, sessions in ((PHONES, many), (2, few)):
                for server in servers:
                    prepared = requests_for(stage, key, server.kind, place, sessions)
                    before = server.cpu_seconds()
                    round_ = await load(server.port, prepared, phones, options.seconds)
                    figures[phones, server.kind].add(round_, server.cpu_seconds() - before)
                place += sessions
    finally:
        for server in servers:
            server.stop()
    tell(figures)


def tell(figures: dict[tuple[int, str], Figures]) -> None:
    rows = [
        (
            f"{phones} phones, {kind}",
            f"{statistics.median(found.rates):.0f}",
            f"{found.percentile(0.5):.1f}",
            f"{found.percentile(0.99):.1f}",
            f"{found.cpu / len(found.took) * 1e6:.0f}",
        )
        for (phones, kind), found in figures.items()
    ]
    ratios = {
        f"api/{kind}, {phones} phones": ratio(figures[phones, "api"], figures[phones, kind])
        for phones in (PHONES, 2)
        for kind in ("plain", "bare")
    }
    report("checkin", ("", "check-ins/s", "p50 ms", "p99 ms", "CPU µs"), rows, ratios)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench checkin", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help=argparse.SUPPRESS).add_argument("kind", choices=SERVERS)
    options = parser.parse_args()
    if options.command == "serve":
        asyncio.run(serve(options.kind, Settings().with_secrets()))
        return
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as name:
        folder = Path(name)
        mongod = EmbeddedMongod(folder)
        settings = Settings(mongodb_uri=mongod.start(), mongodb_database="bench", data_dir=folder)
        try:
            _leave_the_first_core(mongod.pid)
            with (folder / "servers.log").open("wb") as log:
                asyncio.run(run(options, settings.with_secrets(), log))
        finally:
            mongod.stop()


def _leave_the_first_core(pid: int | None) -> None:
    """Moves every thread of mongod to the other cores, if there are any."""
    _, *others = sorted(os.sched_getaffinity(0))
    if pid is not None and others:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), others)


if __name__ == "__main__":
    main()
