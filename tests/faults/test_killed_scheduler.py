"""SIGKILL to a scheduler in the middle of a run: while it lives nobody else runs it, and then another brings it to its end."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from datetime import time as time_of_day

import pytest

from server.kernel import runs
from server.kernel.clock import BEIJING, SystemClock
from server.kernel.platform import Platform
from server.kernel.runs import RunState
from server.kernel.schedule import Job
from tests.faults.scheduler import LEASE, NAME
from tests.faults.server import ROOT

PATIENCE = 300.0


@pytest.mark.slow
async def test_a_run_of_a_killed_process_is_brought_to_its_end_by_another(platform: Platform) -> None:
    here = dataclasses.replace(platform, clock=SystemClock())
    done: list[float] = []

    async def work(platform: Platform) -> int:
        done.append(time.monotonic())
        return 1

    hour = (here.clock.now().astimezone(BEIJING).hour - 2) % 24  # no slot comes while this runs
    job = Job(NAME, "被杀", "第四条", work, at=time_of_day(hour), lease=LEASE)
    settings = platform.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.scheduler",
        settings.mongodb_uri, settings.mongodb_database, str(settings.data_dir), str(hour),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"begun\n"
        lives_until = time.monotonic() + 2 * LEASE.total_seconds()
        while time.monotonic() < lives_until:  # its heart beats: the lease outlives its own length
            assert not await runs.tick(here, job, "other:2:bb")
            await asyncio.sleep(0.1)
    finally:
        process.kill()
        await process.wait()
    killed_at = time.monotonic()
    while not await runs.tick(here, job, "other:2:bb"):
        assert time.monotonic() < killed_at + PATIENCE
        await asyncio.sleep(0.05)
    assert not await runs.tick(here, job, "third:3:cc")
    [run] = await runs.runs_of(here, NAME)
    assert (run.state, run.attempts, run.claimed_by, len(done)) == (RunState.DONE, 2, "other:2:bb", 1)
