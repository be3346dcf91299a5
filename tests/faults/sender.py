"""A sender in a process of its own: says "ready", waits for a line, sends what is due at a given moment, says what it did.

python -m tests.faults.sender 2026-03-16T12:00:00+08:00
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime

from server.__main__ import open_platform
from server.kernel.clock import FixedClock
from server.messages import delivery as messages
from server.settings import Settings


async def send(moment: datetime) -> None:
    platform = await open_platform(Settings().with_secrets(), FixedClock(moment))
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    say(json.dumps(await messages.deliver(platform)))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(send(datetime.fromisoformat(sys.argv[1])))
