"""The table of jobs, as a whole: each line works, and APScheduler looks at each in its time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from server.jobs import JOBS, RAREST_TICK, begin_requested, end_scheduler, make_scheduler
from server.kernel import runs
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.kernel.schedule import Job
from tests import cast, stage

CENTRE = stage.actor(cast.CENTRE)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
async def test_a_job_has_nothing_to_do_on_an_empty_platform_and_may_be_repeated(
    platform: Platform, clock: FixedClock, job: Job
) -> None:
    for _ in range(2):
        assert await runs.tick(platform, job, "one:1:aa")
        last = (await runs.view_of(platform, job)).state.last
        assert last is not None
        assert last.error == ""
        clock.advance(timedelta(days=1))


async def test_the_scheduler_looks_at_each_job_in_its_time(platform: Platform) -> None:
    scheduler = make_scheduler(platform)
    scheduler.start(paused=True)
    try:
        for job in JOBS:
            looked_at = scheduler.get_job(job.name)
            assert looked_at.trigger.interval == min(job.every or RAREST_TICK, RAREST_TICK)
            assert looked_at.trigger.interval < runs.OVERDUE, "else a slot in good time would show as overdue"
            assert (looked_at.max_instances, looked_at.coalesce, looked_at.misfire_grace_time) == (
                1,
                True,
                None,
            )
    finally:
        scheduler.shutdown(wait=False)


async def test_a_job_that_was_started_by_hand_is_looked_at_at_once(platform: Platform) -> None:
    [job] = [job for job in JOBS if job.name == "reconcile-ledger"]
    scheduler = make_scheduler(platform, [job])
    scheduler.start(paused=True)
    try:
        scheduler.get_job(job.name).modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
        await begin_requested(platform, scheduler)
        assert scheduler.get_job(job.name).next_run_time > datetime.now(UTC) + timedelta(minutes=50)
        await runs.request(platform, CENTRE, job)
        await begin_requested(platform, scheduler)
        assert scheduler.get_job(job.name).next_run_time <= datetime.now(UTC)
    finally:
        scheduler.shutdown(wait=False)


async def test_a_scheduler_that_starts_catches_up_at_once(platform: Platform) -> None:
    ran = asyncio.Event()

    async def work(platform: Platform) -> None:
        ran.set()

    [line] = [job for job in JOBS if job.name == "reconcile-ledger"]
    scheduler = make_scheduler(platform, [Job("caught-up", "补做", "第四条", work, at=line.at)])
    scheduler.start()
    try:
        await asyncio.wait_for(ran.wait(), 120)
    finally:
        scheduler.shutdown(wait=False)


async def test_a_look_that_was_given_out_as_the_server_stops_is_no_error(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    [job] = [job for job in JOBS if job.name == "seal-audit-trail"]
    scheduler = make_scheduler(platform, [job])
    scheduler.start()  # its first look is given out in the loop's next round
    await end_scheduler(scheduler)
    for _ in range(10):
        await asyncio.sleep(0)
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
