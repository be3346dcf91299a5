"""年度检查 of certificates: a province looks at an institution, item by item, and concludes; the institution answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, fetched_by, named
from admin.rendering import province_name
from admin.steps import Done, shows, step
from server.inspections import rules, service
from server.inspections.documents import Inspection, InspectionFilter
from server.inspections.rules import QUESTIONS, Action, Answer, Duty, State
from server.inspections.service import Beginning, Ordering, Passing, Record, Reply, SentBack
from server.kernel.clock import beijing_date
from server.kernel.permissions import Permission
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, parse_values


def years_of_check(page: PageHandler) -> list[tuple[str, str]]:
    """The years that may be checked, this one first."""
    this_year = beijing_date(page.platform.clock.now()).year
    return [(str(year), f"{year} 年") for year in range(this_year, rules.FIRST_YEAR - 1, -1)]


class InspectionQuery(ByAge):
    q: Annotated[Words, Filter("培训机构")] = ""
    year: Annotated[int | None, Field(ge=2000, le=2100), Filter("年度", years_of_check)] = None
    state: Annotated[State | None, Filter("状态", named(State))] = None
    province: ProvinceCode = ""


def _answer_to(duty: Duty, one: Inspection) -> str:
    given = next((item.answer for item in one.items if item.duty is duty), None)
    return given.label if given else ""


SHEET = Sheet[Inspection](
    "证书年度检查",
    [
        Column("年度", 8, lambda one: one.year),
        Column("培训机构", 30, lambda one: one.institution_name),
        Column("省份", 10, lambda one: province_name(one.province_code)),
        Column("开始", 12, lambda one: beijing_date(one.history[0].at)),
        Column("状态", 14, lambda one: one.state.label),
        *(Column(duty.label, 12, partial(_answer_to, duty)) for duty in QUESTIONS),
        Column("结论", 50, lambda one: one.conclusion),
        Column("整改期限", 12, lambda one: one.mend_by or ""),
        Column("整改情况", 50, lambda one: one.reply),
    ],
)


async def beside(page: PageHandler, query: InspectionQuery, rows: Sequence[Inspection]) -> dict[str, Any]:
    """How far the checks of the year have come."""
    year = query.year or beijing_date(page.platform.clock.now()).year
    return {"year": year, "progress": await service.progress(page.platform, page.actor, year)}


INSPECTIONS = Listing(
    service.PAGE,
    "inspections/list.html",
    Permission.INSPECTIONS_READ,
    InspectionQuery,
    fetched_by(service.list_inspections, InspectionFilter),
    beside,
    SHEET,
)


class BeginInspection(PageHandler):
    address = "/admin/inspections/new"
    get = shows(Permission.INSPECTIONS_CONDUCT)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        year = beijing_date(self.platform.clock.now()).year
        left = await service.unchecked(self.platform, self.actor, year)
        self.render_page(
            "inspections/new.html",
            years=years_of_check(self),
            institutions=[(code, f"{code} {name}") for code, name in left],
            **outcome,
        )


@step(BeginInspection, Permission.INSPECTIONS_CONDUCT)
async def begin(page: BeginInspection) -> Done:
    new = await service.begin(page.platform, page.actor, page.form(Beginning))
    return Done(f"已开始{new.named}，请逐项记录。", new.address)


class OneInspection(PageHandler):
    address = "/admin/inspections/{inspection_id}"
    get = shows(Permission.INSPECTIONS_READ)

    async def show(self, inspection_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.inspection(self.platform, self.actor, inspection_id)
        roles = self.actor.roles
        self.render_page(
            "inspections/one.html",
            inspection=found,
            typed=self.found() if outcome["wrong"] == "record" else [],
            current=await service.figures_of(self.platform, self.actor, found),
            questions=QUESTIONS,
            answers=[(one.value, one.label) for one in Answer],
            can={action.name: rules.STEPS.may(found.state, action, roles) for action in Action},
            **outcome,
        )

    def found(self) -> list[dict[str, str]]:
        """The rows of the form: of each duty what was found."""
        return self.rows("item", ("duty", "answer", "note"))


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def record(page: OneInspection, inspection_id: str) -> str:
    items = [{name: text for name, text in one.items() if text} for one in page.found()]
    wanted = parse_values(Record, {"seen": page.form(Review).seen, "items": items})
    await service.record(page.platform, page.actor, inspection_id, wanted)
    return "已保存检查情况。"


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def pass_(page: OneInspection, inspection_id: str) -> str:
    done = await service.pass_(page.platform, page.actor, inspection_id, page.form(Passing))
    return f"已作结论：{done.state.label}。"


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def order(page: OneInspection, inspection_id: str) -> str:
    done = await service.order(page.platform, page.actor, inspection_id, page.form(Ordering))
    return f"已责令限期整改，期限 {done.mend_by}，已通知{done.institution_name}。"


@step(OneInspection, Permission.INSPECTIONS_ANSWER)
async def answer(page: OneInspection, inspection_id: str) -> str:
    await service.answer(page.platform, page.actor, inspection_id, page.form(Reply))
    return "已报告整改情况，由省级管理部门复核。"


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def accept(page: OneInspection, inspection_id: str) -> str:
    await service.accept(page.platform, page.actor, inspection_id, page.form(Review))
    return "已认定整改后合格。"


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def send_back(page: OneInspection, inspection_id: str) -> str:
    done = await service.send_back(page.platform, page.actor, inspection_id, page.form(SentBack))
    return f"已退回整改，新的期限 {done.mend_by}。"


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def reopen(page: OneInspection, inspection_id: str) -> str:
    await service.reopen(page.platform, page.actor, inspection_id, page.form(Return))
    return "原结论已撤销，重新检查。"


@step(OneInspection, Permission.INSPECTIONS_CONDUCT)
async def drop(page: OneInspection, inspection_id: str) -> Done:
    done = await service.drop(page.platform, page.actor, inspection_id, page.form(Return))
    return Done(f"已撤销{done.named}。", service.PAGE)


_ONE = r"/admin/inspections/(?P<inspection_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *INSPECTIONS.routes,
    (r"/admin/inspections/new", begin),
    (_ONE, OneInspection),
    (rf"{_ONE}/record", record),
    (rf"{_ONE}/pass", pass_),
    (rf"{_ONE}/order", order),
    (rf"{_ONE}/answer", answer),
    (rf"{_ONE}/accept", accept),
    (rf"{_ONE}/return", send_back),
    (rf"{_ONE}/reopen", reopen),
    (rf"{_ONE}/drop", drop),
]
