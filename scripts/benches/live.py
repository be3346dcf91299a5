"""How soon a classroom's screen shows who checked in, with a thousand of them watched by one process.

    rolls  what the platform does: change stream, the roll of the session read whole, the board's message made (attendance/live.py)
    bare   what Mongo and Motor need at least: a change stream that says which session changed, and one `find` of its check-ins

Each runs in a process of its own on the first core, mongod and the writer on the others; a check-in is one durable write, and its time runs
from before the write until the board has its message. Rounds alternate. Run it with `scripts/bench live`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from scripts.benches import report
from scripts.benches.checkin import _leave_the_first_core
from server.__main__ import open_platform
from server.attendance import rolls, store
from server.attendance.documents import CheckIn, Source, TeachingSession
from server.attendance.live import LiveRolls
from server.attendance.rolls import Roll
from server.attendance.rules import Status
from server.classes.documents import Enrolment
from server.kernel import processes
from server.kernel.clock import SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.settings import Settings

KINDS = ("rolls", "bare")
TRAINEES = 30
"""Of each class, that is of each board."""
A_SECOND = 40
"""Check-ins, over all the classes: a thousand classes of thirty come within twelve minutes."""
PLACE = {"institution_code": "009", "province_code": "13"}


SETTLES = 5
"""Seconds after which every board has been told what it began with, also once the stream was open."""


# ---- the boards


async def serve(kind: str, settings: Settings) -> None:
    """Watches every session; for each board that is told says, as a line, which session, how many are in, and when."""
    platform = await open_platform(settings, SystemClock())
    sessions = [TeachingSession.from_mongo(row) async for row in platform["teaching_sessions"].find()]
    processes.settle_memory()
    said: list[tuple[str, int, float]] = []
    ready = asyncio.Event()
    if kind == "rolls":
        live = LiveRolls(platform)
        dark = {one.id for one in sessions}
        for session in sessions:
            live.join(session, _Board(session.id, said, dark, ready))
    else:
        asyncio.get_running_loop().create_task(_bare(platform, sessions, said, ready))
    await ready.wait()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(json.dumps(said), flush=True)
    os._exit(0)


class _Board:
    """Says what it is told, and, with the last of the `dark` ones, that all show something."""

    def __init__(
        self, session_id: str, said: list[tuple[str, int, float]], dark: set[str], ready: asyncio.Event
    ) -> None:
        self.session_id, self.said, self.dark, self.ready = session_id, said, dark, ready

    def __call__(self, roll: Roll) -> None:
        orjson.dumps(rolls.board_of(roll))
        self.said.append((self.session_id, len(roll.present), time.monotonic()))
        self.dark.discard(self.session_id)
        if not self.dark:
            self.ready.set()


async def _bare(
    platform: Platform,
    sessions: Sequence[TeachingSession],
    said: list[tuple[str, int, float]],
    ready: asyncio.Event,
) -> None:
    async with store.watch_check_ins(platform, [one.id for one in sessions], wait_ms=250) as stream:
        await stream.try_next()
        ready.set()
        while True:
            if change := await stream.try_next():
                session_id = change["fullDocument"]["session_id"]
                found = await platform["check_ins"].find({"session_id": session_id}).to_list(None)
                said.append((session_id, len(found), time.monotonic()))


# ---- the writer


async def write(platform: Platform, come: Sequence[dict[str, Any]]) -> dict[tuple[str, int], float]:
    """Lets them come at an even pace; returns when the n-th of each session began to be written."""
    begun: dict[tuple[str, int], float] = {}
    count: dict[str, int] = {}
    started, writing = time.monotonic(), []
    for number, row in enumerate(come):
        await asyncio.sleep(max(0.0, started + number / A_SECOND - time.monotonic()))
        count[row["session_id"]] = place = count.get(row["session_id"], 0) + 1
        begun[row["session_id"], place] = time.monotonic()
        writing.append(platform["check_ins"].insert_one(row))
    await asyncio.gather(*writing)
    return begun


async def set_up(platform: Platform, boards: int) -> list[dict[str, Any]]:
    """Classes with a session each, open now; the check-ins that may be written to them."""
    now, hour = platform.clock.now(), timedelta(hours=1)
    rows: dict[str, list[dict[str, Any]]] = {"teaching_sessions": [], "enrolments": []}
    come = []
    for number in range(boards):
        session = TeachingSession(
            **PLACE, class_id=new_id(), title="上午", course="", place="实训楼", starts_at=now, ends_at=now + 4 * hour, hours=4,
            opens_at=now - hour, late_after=now + hour, closes_at=now + 4 * hour, code_step_seconds=5, code_grace_seconds=2,
            created_at=now,
        )  # fmt: skip
        rows["teaching_sessions"].append(session.to_mongo())
        for trainee in range(TRAINEES):
            one = Enrolment(
                **PLACE, class_id=session.class_id, person_id=new_id(), name=f"学员{trainee}", id_number_masked="", work_unit="",
                post="", major_taught="", enrolled_at=now,
            )  # fmt: skip
            rows["enrolments"].append(one.to_mongo())
            check_in = CheckIn(
                session_id=session.id, class_id=session.class_id, person_id=one.person_id, status=Status.PRESENT, source=Source.CODE,
                checked_in_at=now, nonce=f"{number}-{trainee}",
            )  # fmt: skip
            come.append(check_in.to_mongo())
    for name, some in rows.items():
        await platform[name].insert_many(some)
    return come


# ---- the run


async def run(options: argparse.Namespace, settings: Settings) -> None:
    platform = await open_platform(settings, SystemClock())
    come = await set_up(platform, options.boards)
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(others) or {first})
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    medians: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(options.rounds):
        for kind in KINDS:
            await platform["check_ins"].delete_many({})
            found = await one_round(
                kind, platform, settings, first, random.sample(come, int(options.seconds * A_SECOND))
            )
            took[kind] += found
            medians[kind].append(statistics.median(found))
    rows = [
        (kind, f"{at(some, 0.5):.0f}", f"{at(some, 0.95):.0f}", f"{at(some, 1):.0f}")
        for kind, some in took.items()
    ]
    pairs = zip(medians["rolls"], medians["bare"], strict=True)
    ratios = {"rolls/bare": statistics.median(one / other for one, other in pairs)}
    report("live", (f"{options.boards} boards", "p50 ms", "p95 ms", "worst ms"), rows, ratios)


async def one_round(
    kind: str, platform: Platform, settings: Settings, core: int, come: Sequence[dict[str, Any]]
) -> list[float]:
    """Milliseconds from each write to its board."""
    environment = {
        **os.environ,
        "MONGODB_URI": settings.mongodb_uri,
        "PLATFORM_MONGODB_DATABASE": settings.mongodb_database,
        "PLATFORM_DATA_DIR": str(settings.data_dir),
    }
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scripts.benches.live", "serve", kind,
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**26,
    )  # fmt: skip
    assert server.stdin is not None and server.stdout is not None
    try:
        os.sched_setaffinity(server.pid, {core})
        if (await server.stdout.readline()).strip() != b"ready":
            raise SystemExit("the boards did not begin")
        await asyncio.sleep(SETTLES)
        begun = await write(platform, come)
        await asyncio.sleep(1)
        server.stdin.write(b"\n")
        said: list[tuple[str, int, float]] = json.loads(await server.stdout.readline())
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()
    told: dict[tuple[str, int], float] = {}
    for session_id, count, moment in reversed(said):
        for place in range(1, count + 1):  # the first time that so many were in
            told[session_id, place] = moment
    return [(told[one] - moment) * 1000 for one, moment in begun.items()]


def at(some: Sequence[float], share: float) -> float:
    return sorted(some)[int(share * (len(some) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench live", description=__doc__)
    parser.add_argument("--boards", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a round")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help=argparse.SUPPRESS).add_argument("kind", choices=KINDS)
    options = parser.parse_args()
    if options.command == "serve":
        asyncio.run(serve(options.kind, Settings().with_secrets()))
        return
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as name:
        mongod = EmbeddedMongod(Path(name))
        settings = Settings(mongodb_uri=mongod.start(), mongodb_database="bench", data_dir=Path(name))
        try:
            _leave_the_first_core(mongod.pid)
            asyncio.run(run(options, settings.with_secrets()))
        finally:
            mongod.stop()


if __name__ == "__main__":
    main()
