"""What check-ins lose while somebody does their worst: 200 phones, and one client from an address of its own that sends

    bodies     8 MB of JSON, JSON of nothing but mistakes, forms and multipart bodies as large as a page takes
    lines      as many connections as it gets, each with half a request
    workbooks  sheets as large as are read at all, by somebody who is signed in

Rounds with and without it alternate. The server has a process of its own, on the first core, as in `checkin`; its readers of hostile files
are its own children and run there too. Run it with `scripts/bench overload`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import orjson
import xlsxwriter
from tornado.web import create_signed_value

from scripts.benches import report
from scripts.benches.checkin import (
    FASTEST,
    PHONES,
    Server,
    Stage,
    _leave_the_first_core,
    load,
    requests_for,
    set_up,
)
from server.accounts.documents import Account, StaffSession
from server.accounts.passwords import token_hash
from server.attendance import rules
from server.institutions.account_sheet import Column
from server.kernel.clock import SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.identity import Role
from server.kernel.mongo import connect
from server.settings import Settings

HERE, ALSO_HERE = "127.0.0.2", "127.0.0.3"
"""Whence the attack comes; the half-open connections from the second, or they would be in the way of the rest of it."""
LINES = 600
"""Half-open connections that it tries to hold: more than an address may have."""
MOST = 3.0
"""How many times as long the slowest check-ins may take."""
MEMORY_MOST = 800
"""MiB that the server may have needed at any moment."""


# ---- the attack, in a process of its own


async def attack(port: int, token: str, cookie: str) -> None:
    """Goes on until it is ended."""
    lanes: list[Any] = []
    for body in bodies(token):
        lanes += [again_and_again(port, body) for _ in range(2)]
    lanes += [again_and_again(port, workbook_upload(cookie)) for _ in range(2)]
    lanes += [half_open(port) for _ in range(LINES)]
    await asyncio.gather(*lanes)


def bodies(token: str) -> list[bytes]:
    mistakes = {f"k{number}": 0 for number in range(740_000)}
    few = {f"k{number}": 0 for number in range(5_000)}
    boundary = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'
    json = {"content_type": "application/json", "authorization": f"Bearer {token}"}
    return [
        sent("/api/v1/check-ins", orjson.dumps(mistakes), **json),
        sent("/api/v1/check-ins", orjson.dumps(few)[: 64 * 2**10], **json),
        sent("/api/v1/check-ins", b"[" * 60_000, **json),
        sent(
            "/admin/login", b"username=" + b"%41" * 340_000, content_type="application/x-www-form-urlencoded"
        ),
        sent(
            "/admin/accounts/batches",
            boundary + b"x" * (8 * 2**20 - 1000) + b"\r\n--x--\r\n",
            content_type="multipart/form-data; boundary=x",
        ),
    ]


def sent(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def workbook_upload(cookie: str) -> bytes:
    """As many cells as are read, each of them wrong."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        titles = [column.title for column in Column]
        sheet.write_row(0, 0, titles)
        for row in range(1, 90_000 // len(titles)):
            sheet.write_row(row, 0, [f"错{row}-{column}" for column in range(len(titles))])
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = part % (b"_xsrf", b"", b"abcd1234") + part % (b"file", b'; filename="a.xlsx"', content.getvalue())
    kind = "multipart/form-data; boundary=x"
    return sent("/admin/accounts/batches", body + b"--x--\r\n", content_type=kind, cookie=cookie)


async def again_and_again(port: int, request: bytes) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(HERE, 0))
            with contextlib.suppress(OSError):
                writer.write(request)
                await writer.drain()
                answer = await reader.read()
                answers[answer[9:12].decode()] += 1
                begun.set()
            writer.close()


async def half_open(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ALSO_HERE, 0))
            writer.write(b"POST /api/v1/check-ins HTTP/1.1\r\nHost: x\r\n")
            with contextlib.suppress(OSError):
                await reader.read()  # until the server has had enough
            writer.close()
            answers["half-open, ended"] += 1


answers: Counter[str] = Counter()
begun = asyncio.Event()


async def attack_until_told(port: int, token: str, cookie: str) -> None:
    """Says when it has begun; ends with its standard input, and says then what it was answered."""
    going = asyncio.create_task(attack(port, token, cookie))
    await begun.wait()
    print("begun", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    going.cancel()
    print(dict(answers), flush=True)


class Attack:
    def __init__(self, port: int, token: str, cookie: str, cores: set[int]) -> None:
        command = [sys.executable, "-m", "scripts.benches.overload", "attack", str(port), token, cookie]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(self._process.pid, cores)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def end(self) -> str:
        return self._process.communicate("")[0].strip()


# ---- the stage


async def somebody_signed_in(settings: Settings) -> str:
    """Cookies of an officer of the centre; written past the services."""
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    now = SystemClock().now()
    account = Account(
        username="attacker", name="攻击者", role=Role.NATIONAL_CENTRE, password_hash="", must_change_password=False,
        created_at=now,
    )  # fmt: skip
    session = StaffSession(
        id=token_hash("attack"), account_id=account.id, created_at=now, expires_at=now + timedelta(days=1),
        address="", user_agent="",
    )  # fmt: skip
    await db["accounts"].insert_one(account.to_mongo())
    await db["staff_sessions"].insert_one(session.to_mongo())
    await db["policies"].insert_one(
        {
            "_id": "0" * 24, "key": "second_factor_required", "version": 1, "value": False, "reason": "",
            "effective_from": "2020-01-01", "set_by": "", "set_at": now,
        }
    )  # fmt: skip
    db.client.close()
    signed = create_signed_value(settings.cookie_secret.get_secret_value(), "session", "attack")
    return f"session={signed.decode()}; _xsrf=abcd1234"


# ---- the run


def peak_memory(server: Server) -> int:
    """MiB, of the server process itself."""
    status = Path(f"/proc/{server._process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def forget_the_peak(server: Server) -> None:
    Path(f"/proc/{server._process.pid}/clear_refs").write_text("5")


async def run(options: argparse.Namespace, settings: Settings, log: IO[bytes]) -> None:
    key = rules.code_key(settings.code_secret.get_secret_value())
    each = int(options.seconds * FASTEST / PHONES / 4) + 1
    stage: Stage = await set_up(settings, (2 * options.rounds + 1) * each)
    cookie = await somebody_signed_in(settings)
    first, *others = sorted(os.sched_getaffinity(0))
    cores = set(others) or {first}
    environment = {
        **os.environ,
        "MONGODB_URI": settings.mongodb_uri,
        "PLATFORM_MONGODB_DATABASE": settings.mongodb_database,
        "PLATFORM_DATA_DIR": str(settings.data_dir),
    }
    server = Server("api", environment, first, log)
    os.sched_setaffinity(0, cores)
    took: dict[bool, list[list[float]]] = {False: [], True: []}
    memory: dict[bool, int] = {False: 0, True: 0}
    acknowledged, said = 0, ""
    try:
        for number in range(2 * options.rounds + 1):
            attacked = number > 0 and number % 2 == 0
            forget_the_peak(server)
            worst = Attack(server.port, stage.tokens[0], cookie, cores) if attacked else None
            if worst:
                await asyncio.sleep(options.lead)
            prepared = requests_for(stage, key, "api", number * each, each)  # now: a code lasts a minute
            round_ = await load(server.port, prepared, PHONES, options.seconds)
            if worst:
                said = worst.end()
            acknowledged += len(round_["took"])
            if number:  # the first warms up
                took[attacked].append(round_["took"])
                memory[attacked] = max(memory[attacked], peak_memory(server))
    finally:
        server.stop()
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    lost = acknowledged - await db["check_ins"].count_documents({})
    db.client.close()
    print(f"the last attack was answered: {said}")
    tell(took, memory, max(lost, 0))


def tell(took: dict[bool, list[list[float]]], memory: dict[bool, int], lost: int) -> None:
    def percentile(round_: list[float], share: float) -> float:
        """Milliseconds; a round is sorted."""
        return round_[int(share * (len(round_) - 1))] * 1000

    rows = [
        (
            "while attacked" if attacked else "alone",
            f"{statistics.median(len(one) for one in rounds):.0f}",
            f"{statistics.median(percentile(one, 0.5) for one in rounds):.1f}",
            f"{statistics.median(percentile(one, 0.99) for one in rounds):.1f}",
            memory[attacked],
        )
        for attacked, rounds in took.items()
    ]
    slower = statistics.median(
        percentile(worse, 0.99) / percentile(well, 0.99)
        for well, worse in zip(took[False], took[True], strict=True)
    )
    headings = ("200 phones", "check-ins a round", "p50 ms", "p99 ms", "server at most MiB")
    ratios = {
        "p99, attacked/alone": slower,
        "memory, attacked/alone": memory[True] / memory[False],
        "lost": lost,
    }
    report("overload", headings, rows, ratios)
    if slower > MOST or memory[True] > MEMORY_MOST or lost:
        raise SystemExit(f"more than {MOST:g} times as slow, more than {MEMORY_MOST} MiB, or something lost")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench overload", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="of each kind")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round")
    parser.add_argument("--lead", type=float, default=2.0, help="seconds that the attack is ahead")
    commands = parser.add_subparsers(dest="command")
    attacking = commands.add_parser("attack", help=argparse.SUPPRESS)
    for name, kind in (("port", int), ("token", str), ("cookie", str)):
        attacking.add_argument(name, type=kind)
    options = parser.parse_args()
    if options.command == "attack":
        os.nice(10)  # on a machine of its own it would take no core from mongod and the phones
        asyncio.run(attack_until_told(options.port, options.token, options.cookie))
        return
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as name:
        folder = Path(name)
        mongod = EmbeddedMongod(folder)
        settings = Settings(mongodb_uri=mongod.start(), mongodb_database="bench", data_dir=folder)
        try:
            _leave_the_first_core(mongod.pid)
            with (folder / "servers.log").open("wb") as log:
                asyncio.run(run(options, settings.with_secrets(), log))
            if options.rounds < 2:
                print((folder / "servers.log").read_text()[-3000:])
        finally:
            mongod.stop()


if __name__ == "__main__":
    main()
