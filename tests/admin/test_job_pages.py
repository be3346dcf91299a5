"""定时任务: what the centre sees of the scheduled work, and starting it by hand, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from admin.handlers.jobs import did, duration, job_named
from server.jobs import JOBS
from server.kernel import audit, runs
from server.kernel.clock import FixedClock
from server.kernel.errors import Conflict
from server.kernel.platform import Platform
from server.kernel.schedule import Job
from tests import cast
from tests.admin.browserless import Browser, sign_in

HOLDER = "machine:1:aa"
JOB = job_named("remove-abandoned-uploads")


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


def failing(job: Job) -> Job:
    async def fail(platform: Platform) -> None:
        raise Conflict("台账有 2 处不符。")

    return replace(job, work=fail)


async def test_every_job_stands_on_the_page_with_its_article_and_schedule(centre: Browser) -> None:
    shown = await centre.get("/admin/jobs")
    for job in JOBS:
        assert f"{job.title} {job.article} {job.frequency} 还没有运行" in shown.text
        assert (await centre.get(f"/admin/jobs/{job.name}")).status == 200


def test_every_job_has_a_name_of_its_own_and_an_article() -> None:
    assert len({job.name for job in JOBS}) == len({job.title for job in JOBS}) == len(JOBS)
    assert all(job.article.startswith(("第", "《")) for job in JOBS)


async def test_a_start_by_hand_answers_at_once_and_the_page_follows_it(
    platform: Platform, centre: Browser
) -> None:
    answer = await centre.post(f"/admin/jobs/{JOB.name}/run")
    assert (answer.status, answer.location) == (303, f"/admin/jobs/{JOB.name}")
    waiting = await centre.get(answer.location)
    assert "等待调度服务器开始运行" in waiting.text and 'hx-trigger="every 2s"' in waiting.html
    again = await centre.post(f"/admin/jobs/{JOB.name}/run")
    assert "无需重复启动" in (await centre.get(again.location)).text
    claim = await runs.take(platform, JOB, HOLDER)
    assert claim is not None
    assert "正在运行，已 0 秒…" in (await centre.get(answer.location)).text
    await runs.carry_out(platform, claim)
    done = await centre.get(answer.location)
    assert f"{cast.CENTRE.name}手动 完成" in done.text and "hx-trigger" not in done.html
    entries = await audit.recent(platform, before=None, limit=10)
    assert [entry["subject"] for entry in entries if entry["action"] == "jobs:run"] == [JOB.name]


async def test_a_job_that_does_not_exist_is_not_found(centre: Browser) -> None:
    assert (await centre.get("/admin/jobs/no-such-job")).status == 404
    assert (await centre.post("/admin/jobs/no-such-job/run")).status == 404


async def test_a_failure_is_said_on_the_home_page_until_the_job_works_again(
    platform: Platform, site: str, clock: FixedClock, centre: Browser
) -> None:
    assert "定时任务运行失败" not in (await centre.get("/admin")).text
    await runs.tick(platform, failing(JOB), HOLDER)
    assert "定时任务运行失败" in (await centre.get("/admin")).text
    assert "台账有 2 处不符。" in (await centre.get("/admin/jobs")).text
    assert "台账有 2 处不符。" in (await centre.get(f"/admin/jobs/{JOB.name}")).text
    base = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "定时任务" not in (await base.get("/admin")).text
    clock.advance(timedelta(hours=1))
    await runs.tick(platform, JOB, HOLDER)
    assert "定时任务运行失败" not in (await centre.get("/admin")).text


async def test_the_centre_is_told_when_no_scheduler_runs(
    platform: Platform, clock: FixedClock, centre: Browser
) -> None:
    await runs.tick(platform, JOB, HOLDER)
    assert "没有按时运行" not in (await centre.get("/admin")).text
    clock.advance(timedelta(hours=3))
    assert "没有按时运行" in (await centre.get("/admin")).text
    assert "没有服务器在运行定时任务" in (await centre.get("/admin/jobs")).text


async def test_the_runs_of_a_job_page_by_cursor(platform: Platform, site: str, clock: FixedClock) -> None:
    for _ in range(32):
        await runs.tick(platform, failing(JOB), HOLDER)
        clock.advance(timedelta(hours=1))
    centre = await sign_in(platform, site, cast.CENTRE)
    first = await centre.get(f"/admin/jobs/{JOB.name}")
    assert "本页 30 条" in first.text
    last = (await runs.runs_of(platform, JOB.name, limit=30))[-1].id
    assert "本页 2 条" in (await centre.get(f"/admin/jobs/{JOB.name}?way={last}")).text


def test_durations_and_counts_are_said_in_words() -> None:
    began = datetime(2026, 3, 16, 4)  # noqa: DTZ001 - a difference only
    assert duration(began, began + timedelta(seconds=1.25)) == "1.2 秒"
    assert duration(began, began + timedelta(seconds=125)) == "2 分 5 秒"
    assert duration(began, began + timedelta(hours=2, minutes=5)) == "2 小时 5 分"
    assert duration(None, began) == "—"
    assert did({"发出提醒": 3, "差异": 0}) == "发出提醒 3"
