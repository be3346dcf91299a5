"""举报: the public reports a forged certificate and asks how it stands; issuer, province and centre work on it."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import BaseModel, Field

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, Options, ProvinceCode, Words, fetched_by, named
from admin.puzzled import NO_PUZZLE, PublicUpload, Puzzled
from admin.rendering import province_name
from admin.steps import shows, step
from server.forgeries import rules, service
from server.forgeries.documents import Forgery, ForgeryFilter, Standing
from server.forgeries.rules import Action, State
from server.forgeries.rules import Outcome as Concluded
from server.forgeries.service import Assignment, Conclusion, Findings, ReferralDraft, Report
from server.institutions import service as institutions
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound, Problem
from server.kernel.identity import Role
from server.kernel.permissions import Permission
from server.kernel.pictures import LARGEST
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import UPLOAD_BODY, Route, allow

# ---- the public


class ReportForgery(PublicUpload):
    get = shows(Permission.ANYONE)

    @allow(Permission.ANYONE, rate=service.REPORT_RATE, body=UPLOAD_BODY)
    async def post(self) -> None:
        sent = self.request.files.get("picture")
        try:
            code = await service.report(
                self.platform, self.asker, self.form(Report), sent[0].body if sent else b""
            )
        except Problem as problem:
            await self.show(await self.once_more(problem))
        else:
            await self.show(code=code)

    async def show(self, outcome: Outcome = NO_ERRORS | NO_PUZZLE, *, code: str = "") -> None:
        self.render_page(
            "forgeries/report.html",
            code=code,
            nonce=secrets.token_hex(16),
            number=self.get_query_argument("number", "")[:20],
            largest=LARGEST,
            **outcome,
        )


class Receipt(BaseModel):
    code: Annotated[str, Field(title="回执码", min_length=10, max_length=40)]


class AskAboutForgery(Puzzled):
    get = shows(Permission.ANYONE)

    @allow(Permission.ANYONE, rate=service.ASK_RATE)
    async def post(self) -> None:
        try:
            found = await service.ask(self.platform, self.asker, self.form(Receipt).code)
        except Problem as problem:
            outcome = self.refuse(problem)
            self.set_status(422 if isinstance(problem, NotFound) else problem.status)
            await self.show(outcome)
        else:
            await self.show(found=found)

    async def show(self, outcome: Outcome = NO_ERRORS, *, found: Standing | None = None) -> None:
        self.render_page("forgeries/ask.html", found=found, **outcome)


# ---- the offices


class ForgeryQuery(ByAge):
    q: Annotated[Words, Filter("发证机构或证书编号")] = ""
    state: Annotated[State | None, Filter("状态", named(State))] = None
    province: ProvinceCode = ""


SHEET = Sheet[Forgery](
    "证书伪造举报",
    [
        Column("证书编号", 20, lambda one: one.certificate_number),
        Column("发证机构", 30, lambda one: one.institution_name),
        Column("省份", 10, lambda one: province_name(one.province_code)),
        Column("情况", 60, lambda one: one.description),
        Column("收到", 12, lambda one: beijing_date(one.received_at)),
        Column("状态", 20, lambda one: one.state.label),
        Column("移送日期", 12, lambda one: one.referral.on if one.referral else ""),
        Column("移送文号", 24, lambda one: one.referral.document_number if one.referral else ""),
    ],
)
FORGERIES = Listing(
    service.PAGE,
    "forgeries/list.html",
    Permission.FORGERIES_READ,
    ForgeryQuery,
    fetched_by(service.list_forgeries, ForgeryFilter),
    sheet=SHEET,
)


class OneForgery(PageHandler):
    address = "/admin/forgeries/{forgery_id}"
    get = shows(Permission.FORGERIES_READ)

    async def show(self, forgery_id: str, outcome: Outcome = NO_ERRORS, contact: str = "") -> None:
        found = await service.forgery(self.platform, self.actor, forgery_id)
        roles = self.actor.roles
        self.render_page(
            "forgeries/one.html",
            forgery=found,
            contact=contact,
            can={action.name: rules.STEPS.may(found.state, action, roles) for action in Action},
            institutions=await self.institutions(),
            outcomes=[(one.value, one.label) for one in Concluded],
            **outcome,
        )

    async def institutions(self) -> Options:
        """To whom the centre may pass it on."""
        if Role.NATIONAL_CENTRE not in self.actor.roles:
            return []
        listed = await institutions.list_institutions(self.platform, self.actor)
        return [(one.id, f"{one.id} {one.name}") for one in listed]


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def show_contact(page: OneForgery, forgery_id: str) -> None:
    await page.show(forgery_id, contact=await service.contact(page.platform, page.actor, forgery_id))


@step(OneForgery, Permission.FORGERIES_ANSWER)
async def answer(page: OneForgery, forgery_id: str) -> str:
    await service.answer(page.platform, page.actor, forgery_id, page.form(Findings))
    return "已报告核实情况，由省级管理部门作出结论。"


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def assign(page: OneForgery, forgery_id: str) -> str:
    done = await service.assign(page.platform, page.actor, forgery_id, page.form(Assignment))
    return f"已转交{done.institution_name}及其所在省。"


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def take_up(page: OneForgery, forgery_id: str) -> str:
    await service.take_up(page.platform, page.actor, forgery_id, page.form(Review))
    return "已开始核实。"


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def conclude(page: OneForgery, forgery_id: str) -> str:
    done = await service.conclude(page.platform, page.actor, forgery_id, page.form(Conclusion))
    return f"已作出结论：{done.state.label}。举报人凭回执码可以看到结论和答复。"


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def refer(page: OneForgery, forgery_id: str) -> str:
    await service.refer(page.platform, page.actor, forgery_id, page.form(ReferralDraft))
    return "已登记移送司法机关。"


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def reopen(page: OneForgery, forgery_id: str) -> str:
    await service.reopen(page.platform, page.actor, forgery_id, page.form(Return))
    return "原结论已撤销，重新核实。"


@step(OneForgery, Permission.FORGERIES_CONCLUDE)
async def unrefer(page: OneForgery, forgery_id: str) -> str:
    await service.unrefer(page.platform, page.actor, forgery_id, page.form(Return))
    return "移送登记已撤销，结论仍为属实。"


_ONE = r"/admin/forgeries/(?P<forgery_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/certificates/report", ReportForgery),
    (r"/certificates/report/status", AskAboutForgery),
    *FORGERIES.routes,
    (_ONE, OneForgery),
    (rf"{_ONE}/picture", file_of(service.picture, Permission.FORGERIES_READ)),
    (rf"{_ONE}/contact", show_contact),
    (rf"{_ONE}/answer", answer),
    (rf"{_ONE}/assign", assign),
    (rf"{_ONE}/take-up", take_up),
    (rf"{_ONE}/conclude", conclude),
    (rf"{_ONE}/refer", refer),
    (rf"{_ONE}/reopen", reopen),
    (rf"{_ONE}/unrefer", unrefer),
]
