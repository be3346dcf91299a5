"""Runs the steps that a database has not had, before anything is served; server/decisions/0011 says how and why.

Of processes that start together one runs them, under a lease, and the others wait. When it dies, another begins its step again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from server.kernel import leases
from server.kernel.identity import system
from server.kernel.mongo import CollectionSpec, Document
from server.kernel.platform import Platform
from server.kernel.queries import insert_many
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.upgrades.steps import STEPS, Step

COLLECTIONS = (CollectionSpec("upgrades", shard_key=None),)

NAME = "upgrades"
LEASE = timedelta(seconds=30)
"""How long a process that has died in the middle of a step keeps the others waiting; a living one renews it."""
LOOK_SECONDS = 0.5
"""How often a process that waits looks whether the other is done."""
TELL_SECONDS = 10.0
"""Between two lines of progress of a long step."""

Say = Callable[[str], None]


class DatabaseNewer(Exception):
    """This database has had steps that this program does not know."""

    def __init__(self, unknown: Collection[str]) -> None:
        super().__init__(
            f"数据库已由更新版本的程序升级（{'、'.join(sorted(unknown))}），本程序不能使用它，没有写入任何内容。"
            "请改用新版本的程序，或恢复升级之前的备份。"
        )


class Upgrade(Document):
    """A step that this database has had, or has begun. `id` is the name of the step."""

    title: str
    begun_at: datetime
    done_at: datetime | None = None
    documents: int = 0
    """That it has changed. A batch that was cut off is not counted."""


async def steps_left(db: AsyncIOMotorDatabase[dict[str, Any]], steps: Sequence[Step] = STEPS) -> list[Step]:
    """The steps that this database has not had, in their order: one query. Raises DatabaseNewer."""
    rows = await db["upgrades"].find({}, {"done_at": 1}).to_list(None)
    if unknown := {row["_id"] for row in rows} - {step.name for step in steps}:
        raise DatabaseNewer(unknown)
    done = {row["_id"] for row in rows if row["done_at"]}
    return [step for step in steps if step.name not in done]


async def bring_up_to_date(platform: Platform, say: Say, steps: Sequence[Step] = STEPS) -> None:
    """Returns when this database has had all steps, run here or by another process. Raises DatabaseNewer, and what a step raises."""
    holder = secrets.token_hex(8)
    told = False
    while await steps_left(platform.db, steps):
        if await leases.hold(platform, NAME, LEASE, holder):
            heart = asyncio.ensure_future(_keep_alive(platform, holder))
            try:
                await _run(platform, steps, holder, say)
            finally:
                heart.cancel()
                await leases.release(platform, NAME, holder)
        else:
            if not told:
                say("另一个服务进程正在升级数据，等待它完成……")
            told = True
            await asyncio.sleep(LOOK_SECONDS)


async def _keep_alive(platform: Platform, holder: str) -> None:
    """Renews the lease also while a batch takes long: the first may have to read a whole collection."""
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        with contextlib.suppress(PyMongoError):  # the next beat tries again
            await leases.hold(platform, NAME, LEASE, holder)


async def _run(platform: Platform, steps: Sequence[Step], holder: str, say: Say) -> None:
    """Runs what still waits, as far as this process keeps the lease."""
    left = await steps_left(platform.db, steps)
    if await _never_used(platform):
        now = platform.clock.now()
        await insert_many(
            platform,
            "upgrades",
            [Upgrade(id=one.name, title=one.title, begun_at=now, done_at=now) for one in left],
        )
        return
    for number, step in enumerate(left, start=1):
        if not await _carry_out(platform, step, holder, say, f"升级数据 {number}/{len(left)}：{step.title}"):
            return


async def _never_used(platform: Platform) -> bool:
    """The first start ends with annex 1: a database without an institution holds nothing yet, of whatever version."""
    return await platform["institutions"].find_one({}, {"_id": 1}) is None


async def _carry_out(platform: Platform, step: Step, holder: str, say: Say, line: str) -> bool:
    """One step; False when another process has taken the lease over in the middle."""
    begun = Upgrade(id=step.name, title=step.title, begun_at=platform.clock.now())
    await platform["upgrades"].update_one({"_id": step.name}, {"$setOnInsert": begun.to_mongo()}, upsert=True)
    say(f"{line}……")
    changed, told_at = 0, time.monotonic()
    async for documents in step.run(platform):
        changed += documents
        await platform["upgrades"].update_one({"_id": step.name}, {"$inc": {"documents": documents}})
        if not await leases.hold(platform, NAME, LEASE, holder):
            return False
        if time.monotonic() - told_at >= TELL_SECONDS:
            say(f"{line}，已处理 {changed} 条……")
            told_at = time.monotonic()
    documents = await _finish(platform, system("upgrade"), step)
    say(f"{line}，完成，更新 {documents} 条。")
    return True


@transactional
async def _finish(unit: UnitOfWork, step: Step) -> int:
    """Notes that this database has had the step; returns how many documents it changed, over all its runs."""
    row = await unit["upgrades"].find_one_and_update(
        {"_id": step.name}, {"$set": {"done_at": unit.now}}, return_document=True, session=unit.session
    )
    done = Upgrade.from_mongo(row)
    unit.audit("upgrades:finish", step.name, title=step.title, documents=done.documents)
    return done.documents
