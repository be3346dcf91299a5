"""报送窗口: when plans are due, and who has not reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import Desk, PageHandler
from admin.lists import Filter, Listing, ProvinceCode, Query
from admin.rendering import province_name
from admin.steps import Done, step
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.plans import windows
from server.plans.documents import ReportFilter, ReportRow
from server.plans.window_rules import Report
from server.plans.windows import PAGE, WindowChange, WindowDraft, WindowWithdrawal


class ReportQuery(Query):
    year: Annotated[
        int | None,
        Field(ge=2000, le=2100),
        Filter(
            "年度", lambda page: [(page.today.year + more, f"{page.today.year + more} 年") for more in (0, 1)]
        ),
    ] = None
    report: Annotated[Report | None, Filter("报送情况")] = None
    outstanding: Annotated[bool | None, Filter("是否报送", [("true", "未报送")])] = None
    province: ProvinceCode = ""

    def of(self, page: Desk) -> ReportFilter:
        """In the second half of a year plans are made for the next one."""
        year = self.year or page.today.year + (page.today.month > 6)
        return ReportFilter(year, self.report, self.province, bool(self.outstanding))


async def fetch(page: Desk, query: ReportQuery, before: str | None, limit: int) -> list[ReportRow]:
    return await windows.reports(page.platform, page.actor, query.of(page), before=before, limit=limit)


async def around(page: PageHandler, query: ReportQuery, rows: Sequence[ReportRow]) -> dict[str, Any]:
    year = query.of(page).year
    owing = await windows.reports(page.platform, page.actor, ReportFilter(year, outstanding=True))
    return {
        "year": year,
        "windows": await windows.windows_of(page.platform, page.actor, year),
        "owing": owing,
    }


SHEET = Sheet[ReportRow](
    "培训计划报送情况",
    [
        Column("省份", 10, lambda row: province_name(row.province_code)),
        Column("培训机构", 30, lambda row: row.name),
        Column("报送情况", 12, lambda row: row.report.label),
        Column("报送日期", 12, lambda row: row.filed_on or ""),
        Column("截止日期", 12, lambda row: row.due_on or ""),
        Column("逾期", 8, lambda row: "逾期" if row.late else ""),
    ],
)
REPORTS = Listing(PAGE, "plans/windows.html", Permission.PLANS_ANNOUNCE, ReportQuery, fetch, around, SHEET)


class UrgeForm(BaseModel):
    year: Annotated[int, Field(ge=2000, le=2100)]
    institution: Annotated[str, Field(max_length=8)] = ""


@step(REPORTS.page, Permission.PLANS_ANNOUNCE, rate="10/day", rate_by="office")
async def announce(page: PageHandler) -> Done:
    kept = await windows.announce(page.platform, page.actor, page.form(WindowDraft))
    return Done(f"已公布，{kept.year} 年计划在 {kept.closes_on}（含）以前报送。", f"{PAGE}?year={kept.year}")


@step(REPORTS.page, Permission.PLANS_ANNOUNCE, rate="10/day", rate_by="office")
async def change(page: PageHandler) -> Done:
    kept = await windows.change(page.platform, page.actor, page.form(WindowChange))
    return Done(f"已调整，{kept.year} 年计划在 {kept.closes_on}（含）以前报送。", f"{PAGE}?year={kept.year}")


@step(REPORTS.page, Permission.PLANS_ANNOUNCE)
async def withdraw(page: PageHandler) -> Done:
    kept = await windows.withdraw(page.platform, page.actor, page.form(WindowWithdrawal))
    return Done(f"已撤回 {kept.year} 年培训计划的报送时间。", f"{PAGE}?year={kept.year}")


@step(REPORTS.page, Permission.PLANS_ANNOUNCE)
async def urge(page: PageHandler) -> Done:
    form = page.form(UrgeForm)
    told = await windows.urge(page.platform, page.actor, form.year, form.institution)
    said = f"已催办 {told} 家培训机构。" if told else "今天已经催办过，没有再发。"
    return Done(said, f"{PAGE}?year={form.year}", "success" if told else "warning")


ROUTES: list[Route] = [
    *REPORTS.routes,
    (f"{PAGE}/announce", announce),
    (f"{PAGE}/change", change),
    (f"{PAGE}/withdraw", withdraw),
    (f"{PAGE}/urge", urge),
]
