"""Runs of scheduled work: each is claimed under a lease in the database and recorded; server/decisions/0005 says how and why.

A job has one row in `job_states`: whoever puts its token there may run, until the lease has run out; a living run renews it. So a
job runs once at a time, on whichever machine, by schedule or by hand. The rows of `job_runs` say what was done: one for each daily
slot and each start by hand, one an hour for a job that runs more often, and only of runs that did something or failed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import ConnectionFailure, DuplicateKeyError, PyMongoError

from server.kernel.clock import AheadClock
from server.kernel.errors import Conflict, Problem, Unavailable
from server.kernel.mongo import CollectionSpec, Document, Index, Row, new_id
from server.kernel.platform import Platform
from server.kernel.schedule import Counts, Job
from server.kernel.titled import Titled
from server.kernel.unit_of_work import UnitOfWork, transactional

log = logging.getLogger("platform.jobs")

COLLECTIONS = (
    CollectionSpec("job_states", shard_key="_id"),
    CollectionSpec(
        "job_runs",
        shard_key="job",
        indexes=(
            Index([("job", 1), ("slot", 1)], unique=True, partial={"slot": {"$type": "date"}}),
            Index([("job", 1), ("_id", -1)]),
        ),
    ),
)

MOST_ATTEMPTS = 3
"""A run that died so many times is not tried again: it may be what kills its scheduler."""
PAUSES = (timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=3))
"""Before a daily job whose database was away tries again; a more frequent one has its next slot soon."""
WATCHED_EACH = 0.05
"""Seconds between two looks at a run of another scheduler that somebody waits for."""
OVERDUE = timedelta(minutes=10)
"""A slot that is claimed by nobody for so long, and the page says that no scheduler is running."""
ROUND = timedelta(minutes=1)
"""In which every scheduler has looked at each job: so long after a demonstration was moved on, nothing that it passed over is late."""


class RunState(Titled):
    WAITING = "waiting", "等待运行"
    RUNNING = "running", "正在运行"
    DONE = "done", "完成"
    FAILED = "failed", "失败"
    DROPPED = "dropped", "错过，不补做"


class AlreadyRequested(Conflict):
    slug = "job-already-requested"
    title = "任务已在运行"
    default_detail = "这项任务正在运行或等待运行，无需重复启动。请稍后刷新查看结果。"


class JobRun(Document):
    """One run; or, for a job that runs more often than daily, the `runs` of the hour `slot` that did something or failed."""

    job: str
    slot: datetime | None = None
    """When it was due; None for a start by hand. Unique by job and slot."""
    requested_by: str = ""
    """Who started it by hand; empty for the schedule."""
    requested_at: datetime | None = None
    state: RunState
    claimed_by: str = ""
    token: str | None = None
    attempts: int = 0
    """More than 1: a scheduler died in the middle of it and another took it over."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    runs: int = 1
    failures: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    error: str = ""

    @property
    def by_hand(self) -> bool:
        return self.requested_at is not None


class LastRun(BaseModel):
    """How a job last ended, also when it did nothing and has no row of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_at: datetime
    ended_at: datetime
    counts: dict[str, int]
    error: str
    by: str


class JobState(Document):
    """The one row of a job. `id` is its name."""

    slot: datetime | None = None
    """The last that was claimed."""
    token: str | None = None
    until: datetime | None = None
    holder: str = ""
    started_at: datetime | None = None
    run_id: str | None = None
    """The row of the run that goes on, where it has one of its own."""
    requested: str | None = None
    """The run that somebody asked for and nobody has begun."""
    last: LastRun | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True)
class Claim:
    """The right to run a job until the lease runs out. `token` is what the right is known by."""

    job: Job
    token: str
    holder: str
    slot: datetime | None
    run_id: str | None
    started_at: datetime
    failing_since: datetime | None


def this_scheduler() -> str:
    """A name for one scheduler: where it runs, and something no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


# ---- claiming


async def tick(platform: Platform, job: Job, holder: str) -> bool:
    """What a scheduler does each time it looks at a job: runs what is due, was asked for or was left behind; True when it ran."""
    claim = await take(platform, job, holder)
    if claim is None:
        return False
    await carry_out(platform, claim)
    return True


async def see_to(platform: Platform, job: Job, slot: datetime, holder: str) -> None:
    """Comes back when the run of `slot`, which is due, has ended, whoever ran it: for a demonstration that is moved on day by day."""
    while True:
        state = await state_of(platform, job.name)
        if state.token is None and state.slot is not None and state.slot >= slot:
            return
        if not await tick(platform, job, holder):
            await asyncio.sleep(WATCHED_EACH)


async def take(platform: Platform, job: Job, holder: str) -> Claim | None:
    """Claims the run that is due, if any: one left by a dead scheduler first, then one started by hand, then the latest slot."""
    now = platform.clock.now()
    seen = await state_of(platform, job.name)
    if seen.token is not None:
        return (
            None
            if seen.until is not None and seen.until > platform.machine.now()
            else await _take_over(platform, job, seen, holder)
        )
    if seen.requested is not None:
        return await _enter(
            platform, await _grab(platform, job, seen, holder, run_id=seen.requested, requested=None)
        )
    slot = job.due_slot(now)
    if seen.slot is not None and slot <= seen.slot:
        return None
    if job.too_late(slot, now):
        await _drop(platform, job, seen, slot)
        return None
    run_id = new_id() if job.at is not None else None
    return await _enter(platform, await _grab(platform, job, seen, holder, slot=slot, run_id=run_id))


async def _take_over(platform: Platform, job: Job, seen: JobState, holder: str) -> Claim | None:
    """The same run again; a frequent job simply goes on with the latest slot."""
    slot = seen.slot if seen.run_id else job.due_slot(platform.clock.now())
    log.warning("run taken over from a scheduler that is gone", extra={"job": job.name})
    return await _enter(platform, await _grab(platform, job, seen, holder, slot=slot, run_id=seen.run_id))


async def _grab(platform: Platform, job: Job, seen: JobState, holder: str, **change: Any) -> Claim | None:
    """Puts a new token where `seen` is still what stands there; None when another was first."""
    now = platform.clock.now()
    token = secrets.token_hex(8)
    started = {
        "token": token,
        "until": platform.machine.now() + job.lease,
        "holder": holder,
        "started_at": now,
    }
    if not await _swap(platform, seen, {**started, **change}):
        return None
    slot = None if "requested" in change else change.get("slot")
    return Claim(job, token, holder, slot, change["run_id"], now, seen.failing_since)


async def _swap(platform: Platform, seen: JobState, change: Row) -> bool:
    as_seen = {"_id": seen.id, "token": seen.token, "until": seen.until, "slot": seen.slot}
    try:
        await platform["job_states"].update_one(as_seen, {"$set": change}, upsert=True)
    except DuplicateKeyError:  # the upsert met the row, and it is no longer as it was seen
        return False
    return True


async def _enter(platform: Platform, claim: Claim | None) -> Claim | None:
    """Writes into the run's own row that it goes on; None when it ended already and only the state row was left behind."""
    if claim is None or claim.run_id is None:
        return claim
    open_run = {"_id": claim.run_id, "state": {"$in": [RunState.WAITING, RunState.RUNNING]}}
    going_on = {
        "state": RunState.RUNNING,
        "token": claim.token,
        "claimed_by": claim.holder,
        "started_at": claim.started_at,
    }
    new = {"job": claim.job.name, "slot": claim.slot}
    try:
        row = await platform["job_runs"].find_one_and_update(
            open_run,
            {"$set": going_on, "$inc": {"attempts": 1}, "$setOnInsert": new},
            upsert=True,
            return_document=True,
        )
    except DuplicateKeyError:
        await platform["job_states"].update_one(*_release(claim, **await _as_it_ended(platform, claim)))
        return None
    if row["attempts"] > MOST_ATTEMPTS:
        await finish(
            platform, claim, {}, f"连续 {MOST_ATTEMPTS} 次在运行中中断，不再自动重试。请查看日志后手动运行。"
        )
        return None
    return claim


async def _drop(platform: Platform, job: Job, seen: JobState, slot: datetime) -> None:
    """Notes a slot that came too late for a job that does not catch up."""
    if await _swap(platform, seen, {"slot": slot}):
        dropped = JobRun(job=job.name, slot=slot, state=RunState.DROPPED, runs=0)
        await platform["job_runs"].insert_one(dropped.to_mongo())


# ---- running


async def carry_out(platform: Platform, claim: Claim) -> None:
    """Does the work while the lease is kept alive, and records how it ended. A failure is recorded and logged, not raised.

    When the lease is lost, the work is cancelled and nothing is recorded: the run is another's by then.
    """
    work = asyncio.ensure_future(_work(platform, claim.job))
    heart = asyncio.ensure_future(_keep_alive(platform, claim))
    try:
        await asyncio.wait({work, heart}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            log.warning("lease lost, run given up", extra={"job": claim.job.name})
            return
        error = None if work.cancelled() else work.exception()
        if work.cancelled() or isinstance(error, Exception):
            log.error("job failed", exc_info=error, extra={"job": claim.job.name})
            await finish(platform, claim, {}, in_words(error))
        else:
            await finish(platform, claim, as_counts(work.result()), "")
    finally:
        work.cancel()
        heart.cancel()


async def _work(platform: Platform, job: Job) -> object:
    """A database that is away for a moment does not cost a daily job its day: what is due at seven is of no use the evening after."""
    for pause in PAUSES if job.at is not None else ():
        try:
            return await job.work(platform)
        except (ConnectionFailure, Unavailable):
            log.warning("job waits for the database", exc_info=True, extra={"job": job.name})
            await asyncio.sleep(pause.total_seconds())
    return await job.work(platform)


async def _keep_alive(platform: Platform, claim: Claim) -> None:
    """Renews the lease three times in its length; ends when it is lost."""
    while True:
        await asyncio.sleep(claim.job.lease.total_seconds() / 3)
        try:
            if not await renew(platform, claim):
                return
        except (
            PyMongoError
        ):  # the next beat tries again; whether the lease is still ours, only the database knows
            log.warning("lease not renewed", exc_info=True, extra={"job": claim.job.name})


async def renew(platform: Platform, claim: Claim) -> bool:
    """Prolongs the lease; False when the run has been taken over."""
    until = platform.machine.now() + claim.job.lease
    done = await platform["job_states"].update_one(
        {"_id": claim.job.name, "token": claim.token}, {"$set": {"until": until}}
    )
    return bool(done.matched_count)


async def finish(platform: Platform, claim: Claim, counts: Counts, error: str) -> bool:
    """Records the end of a run and frees the job; False, and nothing written, when the run has been taken over."""
    now = platform.clock.now()
    kept = dict(counts)
    if claim.run_id is not None:
        done = await platform["job_runs"].update_one(
            {"_id": claim.run_id, "token": claim.token, "state": RunState.RUNNING},
            {
                "$set": {
                    "state": RunState.FAILED if error else RunState.DONE,
                    "ended_at": now,
                    "counts": kept,
                    "error": error,
                    "failures": 1 if error else 0,
                }
            },
        )
        if not done.matched_count:
            log.warning("the end of a run came after it was taken over", extra={"job": claim.job.name})
            return False
    last = LastRun(started_at=claim.started_at, ended_at=now, counts=kept, error=error, by=claim.holder)
    facts = _facts(claim, last)
    freed = await platform["job_states"].update_one(*_release(claim, **facts))
    if freed.matched_count and claim.run_id is None and (error or any(kept.values())):
        await _add_to_hour(platform, claim, now, kept, error)
    return bool(freed.matched_count)


async def _as_it_ended(platform: Platform, claim: Claim) -> Row:
    """What a scheduler that died after it had ended the run did not come to say of the job: perhaps that it fails."""
    row = await platform["job_runs"].find_one({"_id": claim.run_id, "ended_at": {"$ne": None}})
    if row is None:
        return {}
    run = JobRun.from_mongo(row)
    assert run.started_at is not None and run.ended_at is not None
    last = LastRun(
        started_at=run.started_at,
        ended_at=run.ended_at,
        counts=run.counts,
        error=run.error,
        by=run.claimed_by,
    )
    return _facts(claim, last)


def _facts(claim: Claim, last: LastRun) -> Row:
    """What the job's row says of its last run."""
    failing_since = (claim.failing_since or last.started_at) if last.error else None
    return {"last": last.model_dump(), "failing_since": failing_since}


def _release(claim: Claim, **facts: Any) -> tuple[Row, Row]:
    """The condition and the change that free a job, if it is still held by this claim."""
    free = {"token": None, "until": None, "run_id": None, "started_at": None}
    return {"_id": claim.job.name, "token": claim.token}, {"$set": {**free, **facts}}


async def _add_to_hour(
    platform: Platform, claim: Claim, now: datetime, counts: dict[str, int], error: str
) -> None:
    """A job that runs each second must not write a row each second: its runs of one hour share one."""
    sums = {f"counts.{name}": count for name, count in counts.items()}
    change: Row = {
        "$inc": {"runs": 1, "failures": 1 if error else 0, **sums},
        "$set": {"ended_at": now, "claimed_by": claim.holder},
        "$setOnInsert": {"_id": new_id(), "started_at": claim.started_at, "attempts": 1},
    }
    failed = {"state": RunState.FAILED, "error": error}
    change["$set" if error else "$setOnInsert"] |= failed if error else {"state": RunState.DONE, "error": ""}
    hour = claim.started_at.replace(minute=0, second=0, microsecond=0)
    await platform["job_runs"].update_one({"job": claim.job.name, "slot": hour}, change, upsert=True)


def as_counts(result: object) -> Counts:
    """What a work returned, as counts by Chinese words."""
    if isinstance(result, int):
        return {"处理": int(result)}
    if isinstance(result, dict):
        return result
    return {}


def in_words(error: BaseException | None) -> str:
    """A failure in a line for the page, without what the message of an unforeseen error may quote; the log has the whole."""
    if isinstance(error, Problem):
        return error.detail
    if error is None:
        return "运行被取消。"
    where = traceback.extract_tb(error.__traceback__)
    place = f"（{where[-1].name}，第 {where[-1].lineno} 行）" if where else ""
    return f"{type(error).__name__}{place}，详情见服务器日志。"


# ---- by hand


@transactional
async def request(unit: UnitOfWork, job: Job) -> JobRun:
    """Asks for a run by hand: a scheduler begins it within seconds, under the same claim. Raises AlreadyRequested."""
    state = await _read_state(unit, job.name)
    if state.requested is not None or state.run_id is not None:
        raise AlreadyRequested()
    run = JobRun(job=job.name, state=RunState.WAITING, requested_by=unit.actor.name, requested_at=unit.now)
    await unit["job_runs"].insert_one(run.to_mongo(), session=unit.session)
    await unit["job_states"].update_one(
        {"_id": job.name}, {"$set": {"requested": run.id}}, upsert=True, session=unit.session
    )
    unit.audit("jobs:run", job.name, run=run.id)
    return run


async def requested(platform: Platform) -> list[str]:
    """The names of free jobs that somebody wants to run."""
    rows = platform["job_states"].find({"requested": {"$ne": None}, "token": None}, {"_id": 1})
    return [row["_id"] async for row in rows]


# ---- what the page shows


@dataclass(frozen=True)
class JobView:
    """A line of the table with what is known of it."""

    job: Job
    state: JobState
    next_at: datetime
    overdue: bool
    """Its slot has passed and no scheduler has claimed it."""

    @property
    def running(self) -> bool:
        return self.state.token is not None

    @property
    def shown_running(self) -> bool:
        """Whether a person is told that it runs: a job that runs each second would flicker."""
        return self.state.run_id is not None


async def overview(platform: Platform, jobs: Sequence[Job]) -> list[JobView]:
    """All jobs in the order of the table."""
    known = {row["_id"]: JobState.from_mongo(row) async for row in platform["job_states"].find({})}
    now = platform.clock.now()
    moved = _just_moved(platform)
    return [_view(job, known.get(job.name) or JobState(id=job.name), now, moved) for job in jobs]


async def view_of(platform: Platform, job: Job) -> JobView:
    return _view(job, await state_of(platform, job.name), platform.clock.now(), _just_moved(platform))


def _just_moved(platform: Platform) -> bool:
    return isinstance(platform.clock, AheadClock) and platform.clock.moved_within(ROUND)


def _view(job: Job, state: JobState, now: datetime, moved: bool) -> JobView:
    if state.slot is None:
        return JobView(job, state, now, overdue=False)
    next_at = job.next_slot(state.slot)
    late = state.token is None and now - next_at > OVERDUE
    return JobView(job, state, next_at, overdue=late and not moved)


async def state_of(platform: Platform, name: str) -> JobState:
    return await _read_state(platform, name)


async def _read_state(scope: Platform | UnitOfWork, name: str) -> JobState:
    row = await scope["job_states"].find_one({"_id": name}, session=scope.session)
    return JobState(id=name) if row is None else JobState.from_mongo(row)


async def runs_of(
    platform: Platform, name: str, *, before: str | None = None, limit: int = 50
) -> list[JobRun]:
    """The runs of one job, newest first, older than the id `before`."""
    condition: Row = {"job": name} | ({"_id": {"$lt": before}} if before else {})
    rows = platform["job_runs"].find(condition).sort("_id", -1).limit(limit)
    return [JobRun.from_mongo(row) async for row in rows]
