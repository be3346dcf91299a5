"""The scheduled work, and nothing else: what, how often, and the article it serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from server.accounts import messages
from server.assessment import submissions
from server.invitations import service as invitations
from server.kernel import audit
from server.kernel.platform import Platform

log = logging.getLogger("platform.jobs")
Job = Callable[[Platform], Awaitable[Any]]

JOBS: tuple[tuple[str, Job, float], ...] = (
    ("seal-audit-trail", audit.seal, 1),  # 培训过程可追溯 (article 4.7), 数据不得随意篡改 (article 25.4)
    ("deliver-messages", messages.deliver, 2),  # 入学、成绩、证书等通知 (articles 4 and 18)
    ("follow-up-invitations", invitations.follow_up, 60),  # 邀请函的回复期限 (article 4.2)
    (
        "remove-abandoned-uploads",
        submissions.remove_abandoned,
        3600,
    ),  # what a killed server had half received
)
"""Name, work, seconds between runs. Each claims its own lease, so that two schedulers do each piece once."""


def make_scheduler(platform: Platform) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(timezone="Asia/Shanghai")
    for name, work, seconds in JOBS:
        scheduler.add_job(
            run_logged, "interval", args=(platform, name, work), seconds=seconds, id=name,
            max_instances=1, coalesce=True, misfire_grace_time=None,
        )  # fmt: skip
    return scheduler


async def run_logged(platform: Platform, name: str, work: Job) -> None:
    """One run. A failure is logged and does not stop the next run; a run that the shutdown cuts off is done by the next start."""
    try:
        await work(platform)
    except asyncio.CancelledError:
        log.info("job cut off by the shutdown", extra={"job": name})
    except Exception:
        log.exception("job failed", extra={"job": name})
