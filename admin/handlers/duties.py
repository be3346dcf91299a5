"""履职情况: each backbone teacher's year, for the province and the centre that manage them (articles 8 and 9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import Field

from admin.handler import Desk, PageHandler
from admin.lists import Export, Filter, Options, ProvinceCode, Query, Words
from admin.paging import Way
from admin.rendering import province_name
from server.duties import service as duties
from server.duties.rules import EARLIEST_YEAR, Standing, State
from server.duties.service import DutyFilter, DutyYear
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.surveys.rules import SATISFACTION_MARK

PAGE_SIZE = 30


def years_of_duty(page: PageHandler) -> Options:
    return [(year, f"{year} 年") for year in range(page.today.year, EARLIEST_YEAR - 1, -1)]


class YearQuery(Query):
    year: Annotated[
        int | None, Field(ge=EARLIEST_YEAR, le=2100), Filter("年度", years_of_duty, blank=None)
    ] = None


class DutyQuery(YearQuery):
    q: Annotated[Words, Filter("姓名或工作单位")] = ""
    province: ProvinceCode = ""
    standing: Annotated[Standing | None, Filter("履职状态")] = None

    def wanted(self, page: Desk) -> DutyFilter:
        return DutyFilter(self.year or page.today.year, self.q, self.province, self.standing)


class DutyList(PageHandler):
    """Where somebody stands is reckoned: the service says where the next page begins, and how far it has looked for this one."""

    @allow(Permission.DUTIES_READ)
    async def get(self) -> None:
        query = self.query(DutyQuery)
        wanted = query.wanted(self)
        way = Way.read("/admin/duties", query.conditions | {"year": str(wanted.year)}, query.way)
        page = await duties.list_years(self.platform, self.actor, wanted, before=way.cursor, limit=PAGE_SIZE)
        self.render_page(
            "duties/list.html",
            page=page,
            year=wanted.year,
            filters=query.filters(self),
            narrowed=bool(query.q or query.province or query.standing),
            mark=SATISFACTION_MARK,
            export=way.export("/admin/duties/export"),
            previous=way.previous,
            next=way.next(page.next) if page.next else None,
        )


SHEET = Sheet[DutyYear](
    "履职情况",
    [
        Column("年度", 8, lambda seen: seen.year),
        Column("骨干教师", 14, lambda seen: seen.teacher.name),
        Column("工作单位", 30, lambda seen: seen.teacher.work_unit),
        Column("省份", 10, lambda seen: province_name(seen.teacher.province_code)),
        Column("在库状态", 12, lambda seen: seen.teacher.status.label),
        Column("应授课", 8, lambda seen: seen.required),
        Column("授课", 8, lambda seen: seen.teaching_done),
        Column("已安排", 12, lambda seen: seen.teaching_planned),
        Column("尚欠", 8, lambda seen: seen.missing),
        Column("考核", 8, lambda seen: seen.assessment_done),
        Column("已安排考核", 12, lambda seen: seen.assessment_planned),
        Column(
            "满意度平均分",
            14,
            lambda seen: float(seen.tally.mean) if seen.tally and seen.tally.answers else "",
        ),
        Column("评分数", 8, lambda seen: seen.tally.answers if seen.tally else 0),
        Column("后续指导", 14, lambda seen: seen.guidance[State.CONFIRMED]),
        Column("指导（待确认）", 14, lambda seen: seen.guidance[State.WAITING]),
        Column("指导（有异议）", 14, lambda seen: seen.guidance[State.DISPUTED]),
        Column("履职状态", 16, lambda seen: seen.standing.label),
    ],
    file="骨干教师履职情况",
)


async def rows(page: Desk, query: DutyQuery) -> AsyncIterator[DutyYear]:
    async for seen in duties.all_years(page.platform, page.actor, query.wanted(page)):
        yield seen


EXPORT = Export("/admin/duties", Permission.DUTIES_READ, DutyQuery, lambda page, query: SHEET, rows)


class OneTeacher(PageHandler):
    @allow(Permission.DUTIES_READ)
    async def get(self, teacher_id: str) -> None:
        year = self.query(YearQuery).year or self.today.year
        record = await duties.record_of(self.platform, self.actor, teacher_id, year)
        self.render_page(
            "duties/one.html",
            record=record,
            seen=record.seen,
            years=years_of_duty(self),
            mark=SATISFACTION_MARK,
        )


ROUTES: list[Route] = [
    (r"/admin/duties", DutyList),
    EXPORT.route,
    (r"/admin/duties/(?P<teacher_id>[0-9a-f]{24})", OneTeacher),
]
