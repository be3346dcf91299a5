"""A scheduler in a process of its own, to be killed: python -m tests.faults.scheduler <mongodb uri> <database> <data directory> <hour>

Its one job, due daily at that hour in Beijing, says "begun" on standard output and never comes to an end.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import time, timedelta
from pathlib import Path

from server.__main__ import open_platform
from server.jobs import make_scheduler
from server.kernel.clock import SystemClock
from server.kernel.platform import Platform
from server.kernel.schedule import Job
from server.settings import Settings

NAME = "killed-in-the-middle"
LEASE = timedelta(seconds=2)


async def never_ends(platform: Platform) -> None:
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def main(uri: str, database: str, data_dir: str, hour: str) -> None:
    settings = Settings(mongodb_uri=uri, mongodb_database=database, data_dir=Path(data_dir)).with_secrets()
    platform = await open_platform(settings, SystemClock())
    job = Job(NAME, "被杀", "第四条", never_ends, at=time(int(hour)), lease=LEASE)
    make_scheduler(platform, [job]).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
