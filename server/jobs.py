"""The scheduled work, and nothing else: what, how often, and the article it serves."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from server.accounts import messages
from server.assessment import submissions
from server.invitations import service as invitations
from server.kernel import audit
from server.kernel.platform import Platform
from server.kernel.schedule import Job

log = logging.getLogger("platform.jobs")

JOBS: tuple[Job, ...] = (
    Job(
        "seal-audit-trail",
        "操作留痕入链",
        "第四条（七）、第二十五条（四）",
        audit.seal,
        every=timedelta(seconds=1),
        lease=timedelta(seconds=15),
    ),
    Job(
        "deliver-messages",
        "发送消息",
        "第四条、第十八条",
        messages.deliver,
        every=timedelta(seconds=2),
        lease=timedelta(seconds=30),
    ),
    Job(
        "follow-up-invitations",
        "跟进邀请函的回复期限",
        "第四条（二）",
        invitations.follow_up,
        every=timedelta(minutes=1),
    ),
    Job(
        "remove-abandoned-uploads",
        "清理中断的上传",
        "第二十五条（四）",
        submissions.remove_abandoned,
        every=timedelta(hours=1),
    ),
)
"""`work(platform)` says what it did: a number, or counts by Chinese words. It runs under a claim of its own (kernel/runs), on one
machine at a time, and must bear being cut off and run again."""


def make_scheduler(platform: Platform) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(timezone="Asia/Shanghai")
    for job in JOBS:
        trigger = (
            IntervalTrigger(seconds=job.every.total_seconds())
            if job.every
            else CronTrigger(hour=job.at.hour if job.at else 0, minute=job.at.minute if job.at else 0)
        )
        scheduler.add_job(
            run_logged, trigger, args=(platform, job), id=job.name,
            max_instances=1, coalesce=True, misfire_grace_time=None,
        )  # fmt: skip
    return scheduler


async def run_logged(platform: Platform, job: Job) -> None:
    """One run. A failure is logged and does not stop the next run; a run that the shutdown cuts off is done by the next start."""
    try:
        await job.work(platform)
    except asyncio.CancelledError:
        log.info("job cut off by the shutdown", extra={"job": job.name})
    except Exception:
        log.exception("job failed", extra={"job": job.name})
