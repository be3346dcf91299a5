"""Demonstrations in the tests: server processes of one database whose civil clock can be moved on."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from server.demonstration.clock import DemonstrationClock
from server.kernel.clock import AheadClock
from server.kernel.platform import Platform
from server.kernel.schedule import Job


@dataclass(frozen=True)
class Process:
    """What one server process has."""

    platform: Platform
    clock: DemonstrationClock

    @property
    def ahead(self) -> timedelta:
        return self.platform.clock.now() - self.platform.machine.now()


@asynccontextmanager
async def process(platform: Platform, jobs: Sequence[Job] = ()) -> AsyncIterator[Process]:
    """A process of a demonstration on the platform's database; its machine's clock is the test's."""
    ahead = AheadClock(platform.clock)
    here = dataclasses.replace(platform, clock=ahead, machine_clock=platform.clock)
    clock = DemonstrationClock(here, ahead, jobs)
    await clock.start()
    try:
        yield Process(here, clock)
    finally:
        await clock.stop()
