"""履职情况: each backbone teacher's year, for the province and the centre that manage them (articles 8 and 9)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import PageHandler
from admin.options import PROVINCE_OPTIONS
from admin.paging import Way
from admin.rendering import province_name
from admin.spreadsheet import Value, send_workbook
from server.duties import service as duties
from server.duties.rules import EARLIEST_YEAR, Standing, State
from server.duties.service import DutyFilter, DutyYear
from server.kernel.clock import beijing_date
from server.kernel.errors import TooLarge
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow
from server.surveys.rules import SATISFACTION_MARK

PAGE_SIZE = 30
EXPORTED_MOST = 20_000
STANDINGS = [(standing.value, standing.label) for standing in Standing]
Year = Annotated[int | None, Field(ge=EARLIEST_YEAR, le=2100)]

COLUMNS = [
    ("年度", 8),
    ("姓名", 14),
    ("工作单位", 30),
    ("省份", 10),
    ("在库状态", 12),
    ("应授课", 8),
    ("已授课", 8),
    ("已安排授课", 12),
    ("尚欠", 8),
    ("已考核", 8),
    ("已安排考核", 12),
    ("满意度平均分", 14),
    ("评分数", 8),
    ("指导（已确认）", 14),
    ("指导（待确认）", 14),
    ("指导（有异议）", 14),
    ("履职状态", 16),
]


class ListQuery(BaseModel):
    year: Year = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    standing: Standing | None = None
    q: Annotated[str, Field(max_length=60)] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def narrowing(self) -> dict[str, str]:
        return {"province": self.province, "standing": self.standing or "", "q": self.q}


class YearHandler(PageHandler):
    @property
    def this_year(self) -> int:
        return beijing_date(self.platform.clock.now()).year

    @property
    def years(self) -> list[tuple[int, str]]:
        return [(year, f"{year} 年") for year in range(self.this_year, EARLIEST_YEAR - 1, -1)]

    def wanted(self, query: ListQuery) -> DutyFilter:
        return DutyFilter(query.year or self.this_year, query.q.strip(), query.province, query.standing)


class DutyList(YearHandler):
    @allow(Permission.DUTIES_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        wanted = self.wanted(query)
        way = Way.read("/admin/duties", {"year": str(wanted.year), **query.narrowing}, query.way)
        page = await duties.list_years(self.platform, self.actor, wanted, before=way.cursor, limit=PAGE_SIZE)
        self.render_page(
            "duties/list.html",
            page=page,
            query=query,
            year=wanted.year,
            years=self.years,
            standings=STANDINGS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            narrowed=any(query.narrowing.values()),
            mark=SATISFACTION_MARK,
            export=way.export("/admin/duties/export"),
            previous=way.previous,
            next=way.next(page.next) if page.next else None,
        )


class Export(YearHandler):
    @allow(Permission.DUTIES_READ, rate="30/minute")
    async def get(self) -> None:
        wanted = self.wanted(self.query(ListQuery))
        rows: list[tuple[Value, ...]] = []
        async for seen in duties.all_years(self.platform, self.actor, wanted):
            if len(rows) == EXPORTED_MOST:
                raise TooLarge("超过两万位骨干教师，一次导不完。请先按省份或履职状态筛选，再分别导出。")
            rows.append(_cells(seen))
        today = beijing_date(self.platform.clock.now())
        await send_workbook(self, f"骨干教师履职情况-{wanted.year}年-{today}.xlsx", "履职情况", COLUMNS, rows)


def _cells(seen: DutyYear) -> tuple[Value, ...]:
    rated = seen.tally if seen.tally and seen.tally.answers else None
    return (
        seen.year,
        seen.teacher.name,
        seen.teacher.work_unit,
        province_name(seen.teacher.province_code),
        seen.teacher.status.label,
        seen.required,
        seen.teaching_done,
        seen.teaching_planned,
        seen.missing,
        seen.assessment_done,
        seen.assessment_planned,
        float(rated.mean) if rated else "",
        rated.answers if rated else 0,
        seen.guidance[State.CONFIRMED],
        seen.guidance[State.WAITING],
        seen.guidance[State.DISPUTED],
        seen.standing.label,
    )


class OneQuery(BaseModel):
    year: Year = None


class OneTeacher(YearHandler):
    @allow(Permission.DUTIES_READ)
    async def get(self, teacher_id: str) -> None:
        year = self.query(OneQuery).year or self.this_year
        record = await duties.record_of(self.platform, self.actor, teacher_id, year)
        self.render_page(
            "duties/one.html", record=record, seen=record.seen, years=self.years, mark=SATISFACTION_MARK
        )


ROUTES: list[Route] = [
    (r"/admin/duties", DutyList),
    (r"/admin/duties/export", Export),
    (r"/admin/duties/(?P<teacher_id>[0-9a-f]{24})", OneTeacher),
]
