"""定时任务 and 台账核查 in a real browser, on an office screen and on a phone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.jobs import did, duration, job_named
from server.certificates.documents import LedgerCheck, LedgerFinding
from server.certificates.findings import FindingKind
from server.certificates.reconcile import kind_title
from server.jobs import JOBS
from server.kernel.runs import JobRun, JobState, JobView, LastRun, RunState
from server.kernel.schedule import Job
from tests.admin.front_end import allowed, layout_context, show
from tests.browser.conftest import assert_looks_right

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 2, 4, 0, 12, tzinfo=UTC)
SHOTS = os.environ.get("SHOTS", "")
BY = "platform-1:4711:3f9ac0"
BROKEN = "留痕链在第 20418 条断开：这一条或它之前的记录被改动、删除或调换过。请保留现场，立即核对数据库备份。"


def view(
    job: Job, *, error: str = "", running: bool = False, waits: bool = False, late: bool = False
) -> JobView:
    began = job.due_slot(NOW)
    last = LastRun(
        started_at=began,
        ended_at=began + timedelta(seconds=3.4),
        counts={"核查证书": 12840, "不符": 0} if job.name == "reconcile-ledger" else {"处理": 3},
        error=error,
        by=BY,
    )
    state = JobState(
        id=job.name,
        slot=began,
        last=last,
        token="t" if running else None,
        run_id="r" * 24 if running else None,
        started_at=NOW - timedelta(seconds=12) if running else None,
        requested="q" * 24 if waits else None,
        failing_since=began if error else None,
    )
    return JobView(job, state, job.next_slot(began), late)


def runs_of(job: Job) -> list[JobRun]:
    slot = job.due_slot(NOW)

    def run(days: int, state: RunState, **more: Any) -> JobRun:
        began = slot - timedelta(days=days)
        facts: dict[str, Any] = {
            "job": job.name,
            "slot": began,
            "state": state,
            "started_at": began + timedelta(seconds=2),
            "ended_at": None if state is RunState.RUNNING else began + timedelta(seconds=127),
            "claimed_by": BY,
            "attempts": 1,
        }
        return JobRun(**facts | more)

    return [
        run(0, RunState.RUNNING, slot=None, requested_at=NOW, requested_by="部试甲", started_at=NOW),
        run(0, RunState.DONE, counts={"核查证书": 12840, "不符": 0}),
        run(1, RunState.DONE, counts={"核查证书": 12811}, attempts=2),
        run(2, RunState.FAILED, error=BROKEN, failures=1),
        run(3, RunState.DROPPED, runs=0, started_at=None, ended_at=None),
    ]  # fmt: skip


def job_page(**more: Any) -> dict[str, Any]:
    job = job_named("reconcile-ledger")
    context = {
        "view": view(job, running=True),
        "rows": runs_of(job),
        "previous": None,
        "next": "/admin/jobs/reconcile-ledger?way=x",
        "did": did,
        "duration": duration,
        "now": NOW,
    }
    return layout_context(**context | more)


FINDINGS = [
    LedgerFinding(
        institution_code="009",
        province_code="13",
        institution_name="邢台技师学院",
        kind=kind,
        subject="a" * 24,
        detail=detail,
        found_at=NOW,
    )
    for kind, detail in (
        (FindingKind.GAP, "1300900118 至 1300900120 已取号，台账中没有对应的证书。"),
        (FindingKind.COUNT, "一期培训班按留痕核发 30 张，台账中有 27 张。"),
        (FindingKind.MALFORMED, "证书编号 130092026033118：内容不合规则，请核对培训课时。"),
    )
]
CHECKS = [
    LedgerCheck(
        id=code,
        institution_code=code,
        province_code="13",
        institution_name=name,
        checked_at=NOW,
        certificates=certificates,
        findings=findings,
    )
    for code, name, certificates, findings in (("008", "承德市高级技工学校", 412, 0), ("009", "邢台技师学院", 1187, 3))
]  # fmt: skip


def check_page(**more: Any) -> dict[str, Any]:
    context = {
        "rows": FINDINGS,
        "checks": CHECKS,
        "kind_title": kind_title,
        "chain_broken": "",
        "may": allowed("jobs:run"),
        "of_one": False,
        "previous": None,
        "next": None,
        "export": "/admin/certificates/check/export",
        "total": None,
        "sorts": {},
    }
    return layout_context(**context | more)


PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "jobs": (
        "jobs/list.html",
        layout_context(
            views=[
                view(job, error=BROKEN if job.name == "check-audit-chain" else "", running=job.name == "reconcile-ledger")
                for job in JOBS
            ],
            export="/admin/jobs/export",
            did=did,
            duration=duration,
        ),
    ),
    "jobs that nobody runs": (
        "jobs/list.html",
        layout_context(views=[view(job, late=True) for job in JOBS], export="/admin/jobs/export", did=did, duration=duration),
    ),
    "job running": ("jobs/job.html", job_page()),
    "job that fails": (
        "jobs/job.html",
        job_page(view=view(job_named("check-audit-chain"), error=BROKEN, late=True), rows=[], next=None),
    ),
    "job that waits": (
        "jobs/job.html",
        job_page(view=view(job_named("forget-persons"), waits=True), rows=[], next=None),
    ),
    "ledger with findings": ("certificates/check.html", check_page()),
    "ledger in order": ("certificates/check.html", check_page(rows=[], of_one=True, checks=CHECKS[:1])),
    "ledger never checked": ("certificates/check.html", check_page(rows=[], checks=[])),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_is_accessible(wide_page: Page, name: str) -> None:
    template, context = PAGES[name]
    show(wide_page, template, context)
    expect(wide_page.get_by_role("heading", level=1)).to_be_visible()
    if SHOTS:
        assert wide_page.viewport_size is not None
        wide_page.screenshot(
            path=Path(SHOTS) / f"{name}-{wide_page.viewport_size['width']}.png", full_page=True
        )
    assert_looks_right(wide_page)


def test_a_job_is_started_after_a_question_by_keyboard(page: Page) -> None:
    show(page, "jobs/job.html", job_page(view=view(job_named("reconcile-ledger")), rows=[], next=None))
    button = page.get_by_role("button", name="立即运行").first
    button.focus()
    page.keyboard.press("Enter")
    question = page.get_by_role("alertdialog", name="立即运行“核查证书台账”？")
    expect(question).to_be_visible()
    expect(question.get_by_role("button", name="取消")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
