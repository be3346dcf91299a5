"""Runs of scheduled work: each once, none lost, whoever dies; by the clock of the test, on a real database."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect

from server.kernel import audit, runs
from server.kernel.clock import BEIJING, AheadClock, FixedClock
from server.kernel.errors import Conflict, Unavailable
from server.kernel.identity import Actor, Jurisdiction, Role
from server.kernel.platform import Platform
from server.kernel.runs import AlreadyRequested, RunState
from server.kernel.schedule import EPOCH, Counts, Job

CENTRE = Actor(
    "0" * 24, "部指导中心", "account", frozenset({Role.NATIONAL_CENTRE}), Jurisdiction.everything()
)
ONE, OTHER = "one:1:aa", "other:1:bb"


class Works:
    """The work of a job, which notes when it ran to its end, and can be made to hang or to fail."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.begun = 0
        self.ended: list[datetime] = []
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.error: Exception | None = None
        self.answer: Counts = {"处理": 1}

    async def __call__(self, platform: Platform) -> Counts:
        self.begun += 1
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.ended.append(self.platform.clock.now())
        return self.answer


@pytest.fixture
def work(platform: Platform) -> Works:
    return Works(platform)


@pytest.fixture
def daily(work: Works) -> Job:
    return Job("review", "复核", "第九条", work, at=time(2, 30), lease=timedelta(minutes=10))


@pytest.fixture
def frequent(work: Works) -> Job:
    return Job("seal", "入链", "第四条", work, every=timedelta(seconds=1), lease=timedelta(seconds=15))


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=BEIJING)


# ---- slots


def test_a_daily_slot_is_reckoned_in_beijing(daily: Job) -> None:
    assert daily.due_slot(beijing(16, 2, 29)) == beijing(15, 2, 30)
    assert daily.due_slot(beijing(16, 2, 30)) == beijing(16, 2, 30)
    assert daily.next_slot(beijing(16, 2, 30)) == beijing(17, 2, 30)
    assert daily.due_slot(beijing(16, 2, 30)).tzinfo is UTC


def test_frequent_slots_are_the_same_on_all_machines(frequent: Job) -> None:
    moment = datetime(2026, 3, 16, 4, 0, 0, 700_000, tzinfo=UTC)
    assert frequent.due_slot(moment) == datetime(2026, 3, 16, 4, tzinfo=UTC)
    assert (frequent.due_slot(moment) - EPOCH) % timedelta(seconds=1) == timedelta(0)


@pytest.mark.parametrize("schedule", [{}, {"every": timedelta(1), "at": time(1)}])
def test_a_job_has_one_schedule(work: Works, schedule: dict[str, timedelta | time]) -> None:
    with pytest.raises(ValueError, match="either every or at"):
        Job("x", "x", "x", work, **schedule)  # type: ignore[arg-type]


# ---- claims


async def test_two_schedulers_run_a_slot_once(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    ran = await asyncio.gather(*(runs.tick(platform, daily, holder) for holder in (ONE, OTHER) * 4))
    assert sum(ran) == 1
    assert len(work.ended) == 1
    [run] = await runs.runs_of(platform, "review")
    assert (run.state, run.slot, run.attempts, run.counts) == (
        RunState.DONE,
        beijing(16, 2, 30),
        1,
        {"处理": 1},
    )
    assert run.claimed_by in {ONE, OTHER}


async def test_a_slot_is_unique_in_the_database(platform: Platform, clock: FixedClock, daily: Job) -> None:
    clock.set(beijing(16, 2, 30))
    await runs.tick(platform, daily, ONE)
    await platform["job_states"].delete_one({"_id": "review"})  # a state row restored from before the run
    assert not await runs.tick(platform, daily, OTHER)
    assert len(await runs.runs_of(platform, "review")) == 1


async def test_days_that_nobody_was_there_for_are_caught_up_once(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    await runs.tick(platform, daily, ONE)
    clock.set(beijing(20, 9))
    for _ in range(3):
        await runs.tick(platform, daily, ONE)
    assert work.ended == [beijing(16, 2, 30), beijing(20, 9)]
    assert [run.slot for run in await runs.runs_of(platform, "review")] == [
        beijing(20, 2, 30),
        beijing(16, 2, 30),
    ]


async def test_a_job_that_does_not_catch_up_drops_a_late_slot_and_says_so(
    platform: Platform, clock: FixedClock, work: Works
) -> None:
    job = Job("evening", "提醒", "第四条", work, at=time(19), catch_up=False)
    clock.set(beijing(16, 21))
    assert not await runs.tick(platform, job, ONE)
    assert not await runs.tick(platform, job, ONE)
    [run] = await runs.runs_of(platform, "evening")
    assert (run.state, run.slot) == (RunState.DROPPED, beijing(16, 19))
    clock.set(beijing(17, 19, 1))
    assert await runs.tick(platform, job, ONE)
    assert len(work.ended) == 1


async def test_the_slot_of_a_killed_scheduler_is_taken_over_when_its_lease_has_run_out(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    assert await runs.take(platform, daily, ONE)  # and dies
    clock.advance(daily.lease - timedelta(milliseconds=1))
    assert not await runs.tick(platform, daily, OTHER)
    clock.advance(timedelta(milliseconds=1))
    assert await runs.tick(platform, daily, OTHER)
    [run] = await runs.runs_of(platform, "review")
    assert (run.state, run.attempts, run.claimed_by) == (RunState.DONE, 2, OTHER)
    assert len(work.ended) == 1


async def test_a_scheduler_killed_between_its_two_claims_loses_no_slot(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    await runs.take(platform, daily, ONE)
    await platform["job_runs"].delete_many({})  # it had the state row, and never wrote the row of the run
    clock.advance(daily.lease)
    assert await runs.tick(platform, daily, OTHER)
    [run] = await runs.runs_of(platform, "review")
    assert (run.slot, run.state) == (beijing(16, 2, 30), RunState.DONE)


async def test_a_scheduler_killed_after_its_run_ended_does_not_have_it_run_again(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    claim = await runs.take(platform, daily, ONE)
    assert claim is not None
    held = await platform["job_states"].find_one({"_id": "review"})
    await runs.carry_out(platform, claim)
    assert held is not None
    await platform["job_states"].replace_one({"_id": "review"}, held)  # the last write never came
    clock.advance(daily.lease)
    assert not await runs.tick(platform, daily, OTHER)
    assert len(work.ended) == 1
    clock.set(beijing(17, 2, 30))
    assert await runs.tick(platform, daily, OTHER)


async def test_a_failure_is_said_also_when_its_scheduler_was_killed_before_it_could_say_so(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    work.error = Conflict("台账有 2 处不符。")
    claim = await runs.take(platform, daily, ONE)
    assert claim is not None
    held = await platform["job_states"].find_one({"_id": "review"})
    await runs.carry_out(platform, claim)
    assert held is not None
    await platform["job_states"].replace_one({"_id": "review"}, held)
    clock.advance(daily.lease)
    assert not await runs.tick(platform, daily, OTHER)
    state = (await runs.view_of(platform, daily)).state
    assert (state.token, state.failing_since) == (None, beijing(16, 2, 30))
    assert state.last is not None and (state.last.error, state.last.by) == ("台账有 2 处不符。", ONE)


async def test_a_run_that_lost_its_lease_does_not_write_its_end_over_the_others(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    late = await runs.take(platform, daily, ONE)
    assert late is not None
    clock.advance(daily.lease)
    mine = await runs.take(platform, daily, OTHER)
    assert mine is not None
    assert not await runs.renew(platform, late)
    assert not await runs.finish(platform, late, {"处理": 99}, "")
    assert await runs.finish(platform, mine, {"处理": 7}, "")
    assert not await runs.finish(platform, late, {}, "too late")
    [run] = await runs.runs_of(platform, "review")
    assert (run.counts, run.claimed_by, run.error) == ({"处理": 7}, OTHER, "")


async def test_a_living_run_keeps_its_lease(platform: Platform, clock: FixedClock, daily: Job) -> None:
    clock.set(beijing(16, 2, 30))
    claim = await runs.take(platform, daily, ONE)
    assert claim is not None
    for _ in range(5):
        clock.advance(daily.lease * 0.9)
        assert await runs.renew(platform, claim)
        assert await runs.take(platform, daily, OTHER) is None


async def test_the_work_stops_when_the_lease_is_lost(
    platform: Platform, clock: FixedClock, work: Works
) -> None:
    job = Job("short", "短租约", "第四条", work, at=time(2, 30), lease=timedelta(milliseconds=30))
    work.gate = asyncio.Event()
    claim = await runs.take(platform, job, ONE)
    assert claim is not None
    clock.advance(job.lease)
    other = await runs.take(platform, job, OTHER)
    assert other is not None
    await asyncio.wait_for(runs.carry_out(platform, claim), 120)  # its heart beats each 10 ms, and finds out
    await asyncio.sleep(0)
    assert (work.begun, work.ended) == (1, [])
    [run] = await runs.runs_of(platform, "short")
    assert (run.state, run.claimed_by) == (RunState.RUNNING, OTHER)


async def test_a_run_that_kills_its_scheduler_each_time_is_given_up(
    platform: Platform, clock: FixedClock, daily: Job
) -> None:
    clock.set(beijing(16, 2, 30))
    for _ in range(runs.MOST_ATTEMPTS):
        assert await runs.take(platform, daily, ONE)
        clock.advance(daily.lease)
    assert await runs.take(platform, daily, ONE) is None
    [run] = await runs.runs_of(platform, "review")
    assert run.state is RunState.FAILED
    assert "中断" in run.error
    clock.set(beijing(17, 2, 30))
    assert await runs.tick(platform, daily, ONE)


# ---- what is recorded


async def test_a_failure_is_recorded_and_said_until_the_job_works_again(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    work.error = LookupError("secret words")
    await runs.tick(platform, daily, ONE)
    clock.set(beijing(17, 2, 30))
    work.error = Conflict("台账有 2 处不符。")
    await runs.tick(platform, daily, ONE)
    second, first = await runs.runs_of(platform, "review")
    assert (second.state, second.error) == (RunState.FAILED, "台账有 2 处不符。")
    assert first.error.startswith("LookupError")
    assert "secret" not in first.error
    [view] = await runs.overview(platform, [daily])
    assert view.state.failing_since == beijing(16, 2, 30)
    clock.set(beijing(18, 2, 30))
    work.error = None
    await runs.tick(platform, daily, ONE)
    assert (await runs.view_of(platform, daily)).state.failing_since is None


@pytest.mark.parametrize("trouble", [Unavailable(), AutoReconnect("the primary steps down")])
async def test_a_daily_job_outlasts_a_database_that_is_away_for_a_moment(
    platform: Platform,
    clock: FixedClock,
    daily: Job,
    frequent: Job,
    work: Works,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    class Back(timedelta):
        def total_seconds(self) -> float:
            work.error = None if work.begun == 2 else work.error
            return 0

    monkeypatch.setattr(runs, "PAUSES", (Back(), Back(), Back()))
    clock.set(beijing(16, 2, 30))
    work.error = trouble
    await runs.tick(platform, daily, ONE)
    [run] = await runs.runs_of(platform, "review")
    assert (run.state, run.attempts, work.begun, len(work.ended)) == (RunState.DONE, 1, 3, 1)
    clock.set(beijing(17, 2, 30))
    work.error, work.begun = trouble, 10
    await runs.tick(platform, daily, ONE)
    assert (await runs.runs_of(platform, "review"))[0].state is RunState.FAILED
    assert work.begun == 14, "and not for ever"
    await runs.tick(platform, frequent, ONE)
    assert work.begun == 15, "its next slot is soon"


async def test_a_job_of_each_second_writes_a_row_an_hour_and_only_of_what_it_did(
    platform: Platform, clock: FixedClock, frequent: Job, work: Works
) -> None:
    clock.set(beijing(16, 9))
    work.answer = {"处理": 0}
    for _ in range(5):
        assert await runs.tick(platform, frequent, ONE)
        assert not await runs.tick(platform, frequent, OTHER)
        clock.advance(timedelta(seconds=1))
    assert await runs.runs_of(platform, "seal") == []
    last = (await runs.view_of(platform, frequent)).state.last
    assert last is not None
    assert last.started_at == beijing(16, 9) + timedelta(seconds=4)
    work.answer = {"处理": 3}
    for _ in range(5):
        await runs.tick(platform, frequent, OTHER)
        clock.advance(timedelta(seconds=1))
    work.error = RuntimeError()
    await runs.tick(platform, frequent, ONE)
    work.error = None
    clock.advance(timedelta(hours=1))
    await runs.tick(platform, frequent, ONE)
    later, hour = await runs.runs_of(platform, "seal")
    assert (hour.slot, hour.runs, hour.failures, hour.counts) == (beijing(16, 9), 6, 1, {"处理": 15})
    assert hour.state is RunState.FAILED
    assert (later.slot, later.runs, later.counts, later.state) == (
        beijing(16, 10),
        1,
        {"处理": 3},
        RunState.DONE,
    )


async def test_the_page_knows_when_no_scheduler_runs(
    platform: Platform, clock: FixedClock, daily: Job
) -> None:
    clock.set(beijing(16, 2, 30))
    assert not (await runs.view_of(platform, daily)).overdue
    await runs.tick(platform, daily, ONE)
    clock.set(beijing(17, 2, 35))
    assert not (await runs.view_of(platform, daily)).overdue
    clock.set(beijing(17, 2, 41))
    assert (await runs.view_of(platform, daily)).overdue


async def test_a_demonstration_that_was_moved_on_is_late_only_once_the_schedulers_have_looked(
    platform: Platform, clock: FixedClock, daily: Job
) -> None:
    ahead = AheadClock(clock)
    moved = dataclasses.replace(platform, clock=ahead)
    clock.set(beijing(16, 2, 30))
    await runs.tick(moved, daily, ONE)
    ahead.ahead = timedelta(days=3)
    assert not (await runs.view_of(moved, daily)).overdue
    clock.advance(runs.ROUND + timedelta(seconds=1))
    assert (await runs.view_of(moved, daily)).overdue


# ---- by hand


async def test_a_start_by_hand_runs_under_the_same_claim_and_is_audited(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    await runs.tick(platform, daily, ONE)
    clock.advance(timedelta(hours=1))
    asked = await runs.request(platform, CENTRE, daily)
    assert await runs.requested(platform) == ["review"]
    with pytest.raises(AlreadyRequested):
        await runs.request(platform, CENTRE, daily)
    ran = await asyncio.gather(*(runs.tick(platform, daily, holder) for holder in (ONE, OTHER)))
    assert sum(ran) == 1
    run, _ = await runs.runs_of(platform, "review")
    assert (run.id, run.state, run.requested_by, run.by_hand, run.slot) == (
        asked.id, RunState.DONE, "部指导中心", True, None,
    )  # fmt: skip
    [entry] = await audit.of_subject(platform, "review")
    assert entry["action"] == "jobs:run"
    assert len(work.ended) == 2
    clock.set(beijing(17, 2, 30))
    assert await runs.tick(platform, daily, ONE), "the next slot runs as ever"


async def test_a_start_by_hand_waits_for_the_run_that_goes_on(
    platform: Platform, clock: FixedClock, frequent: Job, work: Works
) -> None:
    work.gate = asyncio.Event()
    going_on = asyncio.ensure_future(runs.tick(platform, frequent, ONE))
    await work.entered.wait()
    asked = await runs.request(platform, CENTRE, frequent)
    clock.advance(timedelta(seconds=1))
    assert not await runs.tick(platform, frequent, OTHER)
    work.gate.set()
    assert await going_on
    assert await runs.tick(platform, frequent, OTHER)
    [mine] = [run for run in await runs.runs_of(platform, "seal") if run.by_hand]
    assert (mine.id, mine.state) == (asked.id, RunState.DONE)


async def test_a_start_by_hand_outlives_the_scheduler_that_began_it(
    platform: Platform, clock: FixedClock, daily: Job, work: Works
) -> None:
    clock.set(beijing(16, 2, 30))
    await runs.tick(platform, daily, ONE)
    await runs.request(platform, CENTRE, daily)
    assert await runs.take(platform, daily, ONE)  # and dies
    with pytest.raises(AlreadyRequested):
        await runs.request(platform, CENTRE, daily)
    clock.advance(daily.lease)
    assert await runs.tick(platform, daily, OTHER)
    run, _ = await runs.runs_of(platform, "review")
    assert (run.by_hand, run.state, run.attempts) == (True, RunState.DONE, 2)


# ---- dying anywhere


class Died(BaseException):
    """As if the process were gone: nothing of ours catches it."""


class DyingDatabase:
    """The database of a scheduler that dies at its `at`th call, before the call reaches the server or before its answer comes back."""

    def __init__(self, db: Any, at: int, *, before: bool) -> None:
        self._db, self._left, self._before = db, at, before

    def __getitem__(self, name: str) -> Any:
        return DyingCollection(self, self._db[name])

    async def call(self, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left == 0 and self._before:
            raise Died
        answer = await method(*args, **kwargs)
        if self._left == 0:
            raise Died
        return answer

    @property
    def alive(self) -> bool:
        return self._left > 0


class DyingCollection:
    def __init__(self, owner: DyingDatabase, collection: Any) -> None:
        self._owner, self._collection = owner, collection

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return functools.partial(self._owner.call, getattr(self._collection, name))


@pytest.mark.parametrize("by_hand", [False, True], ids=["by schedule", "by hand"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_wherever_a_scheduler_dies_its_run_is_recorded_once_and_the_next_slot_runs(
    platform: Platform, clock: FixedClock, work: Works, before: bool, by_hand: bool
) -> None:
    deaths = 0
    for at in itertools.count(1):
        job = Job(f"job-{at}", "复核", "第九条", work, at=time(2, 30), lease=timedelta(minutes=10))
        clock.set(beijing(16, 2, 30))
        if by_hand:
            await runs.tick(platform, job, ONE)
            await runs.request(platform, CENTRE, job)
        dying = DyingDatabase(platform.db, at, before=before)
        with contextlib.suppress(Died):
            await runs.tick(dataclasses.replace(platform, db=cast(Any, dying)), job, ONE)
        clock.advance(job.lease)
        while await runs.tick(platform, job, OTHER):
            pass
        recorded = await runs.runs_of(platform, job.name)
        assert [run.state for run in recorded] == [RunState.DONE] * (2 if by_hand else 1), at
        assert (await runs.state_of(platform, job.name)).token is None
        clock.set(beijing(17, 2, 30))
        assert await runs.tick(platform, job, OTHER), at
        if dying.alive:
            break
        deaths += 1
    assert deaths >= 4, "claim, record, end, release"


# ---- a month


async def test_a_month_of_two_schedulers_and_killed_ones_runs_each_slot_once(
    platform: Platform, clock: FixedClock
) -> None:
    """30 days in steps of 20 minutes. Both schedulers look in an order dealt anew; now and then the one that got the run dies in
    the middle of it, with its lease left; for two days none is there at all."""
    deal = random.Random(20260301)
    works = {name: Works(platform) for name in ("nightly", "evening", "hourly")}
    jobs = (
        Job("nightly", "夜间", "第九条", works["nightly"], at=time(2, 30), lease=timedelta(minutes=30)),
        Job("evening", "晚间", "第四条", works["evening"], at=time(19), lease=timedelta(minutes=30)),
        Job(
            "hourly",
            "每小时",
            "第四条",
            works["hourly"],
            every=timedelta(hours=1),
            lease=timedelta(minutes=30),
        ),
    )
    first = beijing(1, 0)
    absent = range(10, 12)  # the 11th and the 12th of the month
    killed = 0
    for step in range(30 * 24 * 3):
        clock.set(first + step * timedelta(minutes=20))
        if step // 72 in absent:
            continue
        for job in jobs:
            holders = deal.sample([ONE, OTHER], 2)
            if job.at and deal.random() < 0.05:
                killed += await runs.take(platform, job, holders[0]) is not None
            await asyncio.gather(*(runs.tick(platform, job, holder) for holder in holders))
    clock.advance(timedelta(hours=1))  # the last killed one's lease runs out
    for job in jobs:
        await runs.tick(platform, job, ONE)

    assert killed >= 3
    for job in jobs[:2]:
        recorded = await runs.runs_of(platform, job.name, limit=100)
        slots = Counter(run.slot for run in recorded)
        assert set(slots.values()) == {1}
        assert {run.state for run in recorded} == {RunState.DONE}
        assert sum(run.attempts for run in recorded) == len(recorded) + sum(
            run.attempts > 1 for run in recorded
        )
        due = {job.due_slot(first + timedelta(days=day)) for day in range(31)}
        missed = due - set(slots)
        # Of the slots of the two days without a scheduler only the last was caught up, on the morning of the 13th.
        assert len(missed) == 1
        assert len(works[job.name].ended) == len(recorded), "each run came to its end once"
    hours = works["hourly"].ended
    assert len({moment.replace(minute=0) for moment in hours}) == len(hours), "no hour twice"
    assert len(hours) == 28 * 24 + 1
