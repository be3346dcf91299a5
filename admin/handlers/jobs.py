"""The scheduled work (定时任务): what runs when, how it ended, and starting it by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import Export, Query, one_page
from admin.steps import Done, shows, step
from server.jobs import JOBS
from server.kernel import runs
from server.kernel.errors import NotFound
from server.kernel.permissions import Permission
from server.kernel.runs import JobView
from server.kernel.schedule import Job
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow

NAME = r"(?P<job_name>[a-z][a-z0-9-]{1,39})"


def job_named(name: str) -> Job:
    """Raises NotFound."""
    for job in JOBS:
        if job.name == name:
            return job
    raise NotFound("没有这项定时任务。")


def duration(began: datetime | None, ended: datetime | None) -> str:
    """How long something took, as a person says it."""
    if began is None or ended is None:
        return "—"
    took = ended - began
    if took < timedelta(minutes=1):
        return f"{took.total_seconds():.1f} 秒".replace(".0 ", " ")
    minutes, seconds = divmod(int(took.total_seconds()), 60)
    return f"{minutes} 分 {seconds} 秒" if minutes < 60 else f"{minutes // 60} 小时 {minutes % 60} 分"


def did(counts: Mapping[str, int]) -> str:
    """What a run did; empty when it did nothing."""
    return "，".join(f"{words} {count}" for words, count in counts.items() if count)


class Jobs(PageHandler):
    @allow(Permission.JOBS_RUN)
    async def get(self) -> None:
        views = await runs.overview(self.platform, JOBS)
        self.render_page(
            "jobs/list.html", views=views, did=did, duration=duration, export=f"{EXPORT.address}/export"
        )


async def rows(desk: Desk, query: Query) -> AsyncIterator[JobView]:
    for view in await runs.overview(desk.platform, JOBS):
        yield view


def outcome_of(view: JobView) -> str:
    last = view.state.last
    return (last.error or did(last.counts) or "没有要办的") if last else "还没有运行"


SHEET = Sheet[JobView](
    "定时任务",
    [
        Column("任务", 36, lambda view: view.job.title),
        Column("依据", 24, lambda view: view.job.article),
        Column("时间", 16, lambda view: view.job.frequency),
        Column("上次运行", 18, lambda view: view.state.last.ended_at if view.state.last else None),
        Column("结果", 40, outcome_of),
        Column("下次运行", 18, lambda view: view.next_at),
    ],
)
EXPORT = Export("/admin/jobs", Permission.JOBS_RUN, Query, lambda desk, query: SHEET, rows)


class OneJob(PageHandler):
    address = "/admin/jobs/{job_name}"
    get = shows(Permission.JOBS_RUN)

    async def show(self, job_name: str, outcome: Outcome = NO_ERRORS) -> None:
        job = job_named(job_name)
        listed = await one_page(
            self,
            self.address.format(job_name=job_name),
            self.query(Query),
            lambda before, limit: runs.runs_of(self.platform, job_name, before=before, limit=limit),
            size=30,
        )
        self.render_page(
            "jobs/job.html",
            view=await runs.view_of(self.platform, job),
            did=did,
            duration=duration,
            **listed,
            **outcome,
        )


@step(OneJob, Permission.JOBS_RUN)
async def run(page: OneJob, job_name: str) -> str | Done:
    job = job_named(job_name)
    try:
        await runs.request(page.platform, page.actor, job)
    except runs.AlreadyRequested as refusal:
        return Done(refusal.detail, f"/admin/jobs/{job_name}", "warning")
    return f"已安排运行“{job.title}”，几秒钟内开始，结果会显示在下面。"


ROUTES: list[Route] = [
    (r"/admin/jobs", Jobs),
    EXPORT.route,
    (rf"/admin/jobs/{NAME}", OneJob),
    (rf"/admin/jobs/{NAME}/run", run),
]
