"""The scheduled work, and nothing else: what, how often, the article it serves, and what of it waits for the centre."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from server.accounts.forget import forget_persons
from server.admissions import closing
from server.admissions import forget as admissions_forget
from server.assessment import reminders as grading_reminders
from server.assessment import submissions
from server.attendance import reminders as session_reminders
from server.attendance import work
from server.backbone import service as backbone
from server.certificates import reconcile, signing
from server.certificates import service as certificates
from server.classes import forget as classes_forget
from server.duties import service as duties
from server.exports import service as exports
from server.forgeries.forget import forget_forgeries
from server.identities import service as identities
from server.invitations import service as invitations
from server.kernel import chain, runs
from server.kernel.identity import Actor
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.schedule import Job
from server.kernel.waiting import Waiting
from server.ledger import roots
from server.ledger import service as ledger
from server.messages import delivery as messages
from server.messages.forget import forget_messages
from server.moves import service as moves
from server.plans import windows
from server.progress import overdue
from server.qualification import review as qualification
from server.seals import keys as signing_keys
from server.selection import forget as selection_forget
from server.selection import pool
from server.surveys import opening as survey_opening
from server.surveys import reminders as survey_reminders
from server.surveys import supplements as survey_supplements
from server.surveys import tallies as survey_tallies
from server.uploads import service as uploads
from server.wechat import content

log = logging.getLogger("platform.jobs")

JOBS: tuple[Job, ...] = (
    Job(
        "seal-audit-trail",
        "操作留痕入链",
        "第四条（七）、第二十五条（四）",
        chain.seal,
        every=timedelta(seconds=1),
        lease=timedelta(seconds=15),
    ),
    Job(
        "seal-ledger",
        "证书台账入链",
        "第十八条（二）",
        ledger.seal,
        every=timedelta(seconds=2),
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
        "check-content",
        "检查发布的内容",
        "第二十五条（四）",
        content.check_waiting,
        every=timedelta(seconds=10),
        lease=timedelta(minutes=1),
    ),
    Job(
        "sign-certificates",
        "制作并签署待签的证书",
        "第十七条、第十八条",
        signing.sign_waiting,
        every=timedelta(seconds=1),
        lease=timedelta(seconds=30),
    ),
    Job(
        "remove-abandoned-certificates",
        "清理制作中断的证书文件",
        "第十八条",
        signing.remove_abandoned_files,
        every=timedelta(hours=1),
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
    Job(
        "finish-uploads",
        "检查传完的文件",
        "第四条（六）",
        uploads.finish_waiting,
        every=timedelta(seconds=2),
        lease=timedelta(minutes=1),
    ),
    Job(
        "remove-unnamed-uploads",
        "清理没有提交的上传",
        "第二十五条（四）",
        uploads.remove_abandoned,
        every=timedelta(hours=1),
    ),
    Job(
        "prepare-exports",
        "准备较长的导出",
        "第二十五条",
        exports.prepare_waiting,
        every=timedelta(seconds=2),
        lease=timedelta(minutes=1),
    ),
    Job(
        "remove-old-exports",
        "删除到期的导出文件",
        "第二十五条",
        exports.forget,
        every=timedelta(hours=1),
    ),
    Job(
        "open-surveys",
        "最后一次课结束后开放满意度评价",
        "第四条（七）",
        survey_opening.open_due,
        every=timedelta(minutes=5),
    ),
    Job(
        "supplement-surveys",
        "补充评价后来授课、考核的教师",
        "第四条（七）、第八条（四）1",
        survey_supplements.follow_classes,
        every=timedelta(hours=1),
    ),
    Job(
        "tally-surveys",
        "开封匿名答卷，汇总满意度",
        "第八条（四）1",
        survey_tallies.tally_closed,
        every=timedelta(minutes=1),
    ),
    Job(
        "yearly-duty-warning",
        "提醒年度授课任务（10 月起）",
        "第八条（四）1",
        duties.warn_of_duties,
        at=time(9),
    ),
    Job(
        "apply-pool-status",
        "骨干教师状态到期生效",
        "第九条（一）",
        backbone.apply_due,
        at=time(0, 5),
    ),
    Job(
        "tell-overdue-plans", "提示逾期未报送的培训计划", "第四条（一）", windows.tell_overdue, at=time(8, 30)
    ),
    Job("tell-overdue", "向上级提示逾期事项", "第二十五条", overdue.tell_superiors, at=time(8, 40)),
    Job(
        "watch-signing-keys",
        "签名密钥到期提醒和续签",
        "第十七条、第十八条",
        signing_keys.watch,
        at=time(8, 50),
    ),
    Job("apply-moves", "人员调动到期生效", "第九条（一）", moves.apply_due, at=time(0, 10)),
    Job(
        "reconcile-work",
        "按课表核对骨干教师的授课任务",
        "第八条（四）1、第九条（一）",
        work.reconcile,
        at=time(3, 30),
    ),
    Job(
        "refresh-pool-figures",
        "更新骨干教师库的年度任务和满意度",
        "第八条（四）1、第九条（一）",
        pool.refresh_figures,
        at=time(4),
    ),
    Job(
        "qualification-review",
        "动态管理核查：立案和预警",
        "第五条（三）、第九条（一）",
        qualification.review,
        at=time(5),
    ),
    Job(
        "remind-sessions",
        "前一天晚上提醒次日课程",
        "第四条（五）",
        session_reminders.remind_of_sessions,
        at=time(19),
    ),
    Job(
        "remind-sessions-morning",
        "当天早上补提醒未通知到的课程",
        "第四条（五）",
        session_reminders.remind_of_sessions,
        at=time(7),
    ),
    Job(
        "remind-surveys",
        "提醒填写快截止的满意度评价",
        "第四条（七）、第八条（四）1",
        survey_reminders.remind_of_surveys,
        every=timedelta(hours=1),
    ),
    Job(
        "remind-grading",
        "提醒批阅学习成果",
        "第四条（六）、第八条（四）2",
        grading_reminders.remind_of_grading,
        at=time(9, 10),
    ),
    Job(
        "reconcile-ledger",
        "核查证书台账",
        "第十八条（二）",
        reconcile.reconcile,
        at=time(3),
    ),
    Job(
        "check-audit-chain",
        "校验操作留痕链",
        "第四条（七）、第二十五条（四）",
        chain.check,
        at=time(2),
    ),
    Job(
        "sign-ledger-root",
        "校验证书台账链，签名公布当日的根",
        "第十八条（二）",
        roots.check_and_sign,
        at=time(2, 20),
    ),
    Job(
        "close-applications",
        "关闭已结束培训班的待审报名",
        "第四条（四）",
        closing.close_overdue,
        at=time(0, 20),
    ),
    Job(
        "forget-applicants",
        "清除未录取报名的个人信息",
        "《个人信息保护法》第四十七条",
        admissions_forget.forget_applicants,
        at=time(3, 30),
    ),
    Job(
        "forget-nominees",
        "清除已撤回的选拔推荐的个人信息",
        "《个人信息保护法》第四十七条",
        selection_forget.forget_nominees,
        at=time(3, 35),
    ),
    Job(
        "forget-forgeries",
        "清除办结举报的图片和联系方式",
        "《个人信息保护法》第四十七条",
        forget_forgeries,
        at=time(3, 37),
    ),
    Job(
        "forget-rosters",
        "清除导入后的名册原表",
        "《个人信息保护法》第六条、第四十七条",
        classes_forget.forget_rosters,
        at=time(3, 40),
    ),
    Job(
        "forget-messages",
        "清除过期的站内消息",
        "《个人信息保护法》第十九条、第四十七条",
        forget_messages,
        at=time(3, 45),
    ),
    Job(
        "forget-persons",
        "清除从未参加培训的人员信息",
        "《个人信息保护法》第四十七条",
        partial(
            forget_persons,
            needed_by=(
                classes_forget.needed,
                backbone.needed,
                certificates.needed,
                admissions_forget.needed,
                identities.needed,
                moves.needed,
            ),
        ),
        at=time(3, 50),
    ),
)
"""`work(platform)` says what it did: a number, or counts by Chinese words. It runs under a claim of its own (kernel/runs), on one
machine at a time, and must bear being cut off and run again."""


RAREST_TICK = timedelta(seconds=30)
"""How often at least a scheduler asks whether a slot is due, was missed, or was left behind by a scheduler that died."""
REQUESTS_TICK = timedelta(seconds=2)


def make_scheduler(platform: Platform, jobs: Sequence[Job] = JOBS) -> AsyncIOScheduler:
    """A scheduler that looks at each job at once and at least twice a minute; a look claims what is due or does nothing.

    APScheduler keeps the time, never runs a job twice at once in this process (`max_instances`) and makes one look of those that
    a busy process missed (`coalesce`). Which scheduler runs what is for the database to say (kernel/runs).
    """
    scheduler = AsyncIOScheduler(timezone="Asia/Shanghai")
    holder = runs.this_scheduler()
    for job in jobs:
        tick = min(job.every or RAREST_TICK, RAREST_TICK)
        scheduler.add_job(
            look, "interval", args=(platform, job, holder), seconds=tick.total_seconds(),
            id=job.name, next_run_time=datetime.now(UTC), max_instances=1, coalesce=True, misfire_grace_time=None,
        )  # fmt: skip
    scheduler.add_job(
        begin_requested, "interval", args=(platform, scheduler), seconds=REQUESTS_TICK.total_seconds(),
        max_instances=1, coalesce=True, misfire_grace_time=None,
    )  # fmt: skip
    return scheduler


async def end_scheduler(scheduler: AsyncIOScheduler) -> None:
    """Cuts off what runs. A look that was given out this very moment comes to its first step before, where it bears being cut off:
    APScheduler would log it as an error."""
    scheduler.pause()
    await asyncio.sleep(0)
    scheduler.shutdown(wait=False)


async def look(platform: Platform, job: Job, holder: str) -> None:
    """Runs the job if it is due. A run that the shutdown cuts off is taken over once its lease has run out."""
    try:
        await runs.tick(platform, job, holder)
    except asyncio.CancelledError:
        log.info("job cut off by the shutdown", extra={"job": job.name})
    except Exception:
        log.exception("job could not be claimed or recorded", extra={"job": job.name})


async def begin_requested(platform: Platform, scheduler: AsyncIOScheduler) -> None:
    """Looks at once at the jobs that somebody has started by hand."""
    try:
        for name in await runs.requested(platform):
            if waiting := scheduler.get_job(name):
                waiting.modify(next_run_time=datetime.now(UTC))
    except asyncio.CancelledError:
        pass
    except Exception:
        log.exception("starts by hand could not be read")


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """For the home page of the centre: jobs whose last run failed, and jobs that no scheduler has run in time."""
    if not holds(actor, Permission.JOBS_RUN):
        return []
    views = await runs.overview(platform, JOBS)
    failing = sum(view.state.failing_since is not None for view in views)
    overdue = sum(view.overdue for view in views)
    lines = (("定时任务运行失败", failing), ("定时任务没有按时运行", overdue))
    return [Waiting(title, "/admin/jobs", count, overdue=True) for title, count in lines if count]
