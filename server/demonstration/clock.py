"""The clock of a demonstration: civil time can be moved on, never back, and every server process follows.

How far it is ahead of the machine stands in one row of the database. Each process reads it twenty times a second and says in a row of
its own how far it has followed; a move is answered when all living processes have. On the way the clock stands at each moment at
which daily work is due until that work is done, so that what is said for a day carries its date (server/decisions/0013).

Only `--demo` makes one of these. Elsewhere nobody reads the row but the start, which refuses a database that was moved on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from server.kernel import outbox, runs
from server.kernel.clock import BEIJING, AheadClock
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.mongo import CollectionSpec, Row, new_id
from server.kernel.platform import Platform
from server.kernel.schedule import Job, Stop, stops

log = logging.getLogger("platform.demonstration")

COLLECTIONS = (
    CollectionSpec("demonstration_clock", shard_key="_id"),
    CollectionSpec("demonstration_processes", shard_key="_id"),
)

THE_CLOCK = "clock"
LOOK = timedelta(milliseconds=50)
BEAT = timedelta(seconds=1)
GONE_AFTER = timedelta(seconds=5)
"""A process that has shown no sign of life for so long is not waited for."""
LONGEST_MOVE = timedelta(days=400)
"""Each day that is lived through takes a part of a second."""


class MovedDatabase(Exception):
    """The message is Chinese."""


class MoveUnderWay(Conflict):
    slug = "demonstration-clock-moving"
    title = "演示时间正在推进"
    default_detail = "演示时间正在推进，每一天到期的任务正按日期办理。请等它停下再推进。"


async def ahead_of(db: AsyncIOMotorDatabase[Row]) -> timedelta:
    """How far the clock of this database is ahead of the machine."""
    return _span(await db["demonstration_clock"].find_one({"_id": THE_CLOCK}) or {})


async def require_unmoved(db: AsyncIOMotorDatabase[Row], now: datetime) -> None:
    """Raises MovedDatabase: outside a demonstration, what was said for a day to come would be read as true."""
    if ahead := await ahead_of(db):
        civil = now + ahead
        raise MovedDatabase(
            f"这个数据库的演示时间已推进到 {civil.astimezone(BEIJING):%Y-%m-%d %H:%M}，里面有还没有到的日期，只能带 --demo 启动。"
            "要正式使用，请换一个数据目录（--data-dir）或数据库（MONGODB_URI）。"
        )


class DemonstrationClock:
    """One process's hand on the clock: it follows, and it can move it. `start` before the process answers anybody."""

    def __init__(self, platform: Platform, clock: AheadClock, jobs: Sequence[Job]) -> None:
        self._platform = platform
        self._clock = clock
        self._jobs = jobs
        self._process = new_id()
        self._holder = runs.this_scheduler()
        self._moving = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None
        self._shown_at: datetime | None = None

    async def start(self) -> None:
        """Says that this process lives before it reads how far the clock is: a move that it does not know of waits for it."""
        await self._show()
        await self._look()
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._platform["demonstration_processes"].delete_one({"_id": self._process})

    # ---- following

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK.total_seconds())
            try:
                await self._look()
            except PyMongoError:
                log.warning("the demonstration's clock could not be read", exc_info=True)

    async def _look(self) -> None:
        before = self._clock.ahead
        self._clock.ahead = max(before, await ahead_of(self._platform.db))
        beat_due = self._shown_at is None or self._platform.machine.now() - self._shown_at >= BEAT
        if self._clock.ahead != before or beat_due:
            await self._show()

    async def _show(self) -> None:
        now = self._platform.machine.now()
        await self._platform["demonstration_processes"].update_one(
            {"_id": self._process},
            {"$set": {"ahead_ms": _milliseconds(self._clock.ahead), "seen_at": now}},
            upsert=True,
        )
        self._shown_at = now

    # ---- moving

    async def move(self, to: datetime) -> datetime:
        """Moves civil time on to `to`, through all the days between; returns where it then is, in every process.

        Raises Invalid for a moment that is not ahead or too far, MoveUnderWay.
        """
        now = self._platform.clock.now()
        if to <= now:
            raise Invalid(fields=[FieldError("to", f"演示时间不能倒退：现在已是 {_words(now)}。")])
        if to - now > LONGEST_MOVE:
            raise Invalid(fields=[FieldError("to", f"一次最多推进 {LONGEST_MOVE.days} 天。")])
        if self._moving.locked():
            raise MoveUnderWay()
        async with self._moving:
            await self._claim()
            try:
                for stop in stops(self._jobs, now, to):
                    await self._stand_at(stop)
            finally:
                await self._platform["demonstration_clock"].update_one(
                    {"_id": THE_CLOCK, "mover": self._process}, {"$set": {"mover": None}}
                )
        return self._platform.clock.now()

    async def _claim(self) -> None:
        """One move at a time. Who holds the clock and shows no sign of life has lost it. Raises MoveUnderWay."""
        row = await self._platform["demonstration_clock"].find_one({"_id": THE_CLOCK})
        mover = row and row.get("mover")
        if mover not in (None, self._process) and mover in await self._living():
            raise MoveUnderWay()
        try:
            await self._platform["demonstration_clock"].update_one(
                {"_id": THE_CLOCK, "mover": mover}, {"$set": {"mover": self._process}}, upsert=True
            )
        except DuplicateKeyError:  # the upsert met the row, and another has it
            raise MoveUnderWay() from None

    async def _stand_at(self, stop: Stop) -> None:
        """Sets the clock of every process to this moment, or leaves it where work has taken longer, and does what is due."""
        ahead = max(stop.moment - self._platform.machine.now(), self._clock.ahead)
        done = await self._platform["demonstration_clock"].update_one(
            {"_id": THE_CLOCK, "mover": self._process}, {"$max": {"ahead_ms": _milliseconds(ahead)}}
        )
        if not done.matched_count:
            raise MoveUnderWay()
        await self._look()
        await self._await_others()
        await outbox.wake(self._platform)
        for job in stop.jobs:
            await runs.see_to(self._platform, job, job.due_slot(stop.moment), self._holder)

    async def _await_others(self) -> None:
        wanted = _milliseconds(self._clock.ahead)
        while True:
            if all(ahead_ms >= wanted for ahead_ms in (await self._living()).values()):
                return
            await asyncio.sleep(LOOK.total_seconds() / 10)

    async def _living(self) -> dict[str, int]:
        """Process → how far it has followed."""
        alive = {"seen_at": {"$gt": self._platform.machine.now() - GONE_AFTER}}
        rows = self._platform["demonstration_processes"].find(alive)
        return {row["_id"]: row["ahead_ms"] async for row in rows}


def _span(row: Row) -> timedelta:
    return timedelta(milliseconds=row.get("ahead_ms", 0))


def _milliseconds(span: timedelta) -> int:
    """Rounded up: the clock stands at the moment of a stop, not just before it."""
    return -(-span // timedelta(milliseconds=1))


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"
