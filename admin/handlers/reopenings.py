"""Requests to open released results again: the list, and the review by the province (article 13)."""

from __future__ import annotations

from typing import Annotated

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, fetched_by, named
from admin.steps import shows, step
from server.assessment import service as assessment
from server.kernel.clock import beijing_date
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.reopenings import service
from server.reopenings.documents import Reopening, ReopeningFilter
from server.reopenings.rules import Action, State


class ReopeningQuery(ByAge):
    q: Annotated[Words, Filter("培训班或培训机构")] = ""
    state: Annotated[State | None, Filter("状态", named(State))] = None
    province: ProvinceCode = ""


SHEET = Sheet[Reopening](
    "成绩重新开放",
    [
        Column("培训班", 36, lambda one: one.class_name),
        Column("培训机构", 30, lambda one: one.institution_name),
        Column("理由", 40, lambda one: one.reason),
        Column("申请", 14, lambda one: one.history[0].actor_name),
        Column("申请日期", 12, lambda one: beijing_date(one.history[0].at)),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
REOPENINGS = Listing(
    service.PAGE,
    "reopenings/list.html",
    Permission.REOPENINGS_READ,
    ReopeningQuery,
    fetched_by(service.list_reopenings, ReopeningFilter),
    sheet=SHEET,
)


class OneReopening(PageHandler):
    address = "/admin/reopenings/{reopening_id}"
    get = shows(Permission.REOPENINGS_READ)

    async def show(self, reopening_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.reopening(self.platform, self.actor, reopening_id)
        results = await assessment.class_results(self.platform, self.actor, found.class_id)
        self.render_page(
            "reopenings/one.html",
            reopening=found,
            steps=[(taken, Action(taken.action).label) for taken in found.history],
            released=results.released,
            may_review=found.open and holds(self.actor, Permission.REOPENINGS_REVIEW),
            may_retract=found.open and holds(self.actor, Permission.REOPENINGS_REQUEST),
            **outcome,
        )


@step(OneReopening, Permission.REOPENINGS_REVIEW)
async def approve(page: OneReopening, reopening_id: str) -> str:
    done = await service.approve(page.platform, page.actor, reopening_id, page.form(Review))
    return f"已同意，“{done.class_name}”的成绩重新开放，学员已收到通知。"


@step(OneReopening, Permission.REOPENINGS_REVIEW)
async def decline(page: OneReopening, reopening_id: str) -> str:
    await service.decline(page.platform, page.actor, reopening_id, page.form(Return))
    return "已答复不同意，公布的成绩继续有效，培训机构会看到理由。"


@step(OneReopening, Permission.REOPENINGS_REQUEST)
async def retract(page: OneReopening, reopening_id: str) -> str:
    await service.retract(page.platform, page.actor, reopening_id)
    return "已撤回申请，公布的成绩继续有效。"


_ONE = r"/admin/reopenings/(?P<reopening_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *REOPENINGS.routes,
    (_ONE, OneReopening),
    (rf"{_ONE}/approve", approve),
    (rf"{_ONE}/decline", decline),
    (rf"{_ONE}/retract", retract),
]
