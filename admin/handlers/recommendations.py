"""What a province asks of the centre about its bases: the list, the form, and the centre's review (articles 5.2 and 5.3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, fetched_by, named
from admin.options import MAJOR_OPTIONS
from admin.rendering import major_name, province_name
from admin.steps import Done, shows, step
from server.classes import facts
from server.classes.documents import TrainingClass
from server.institutions import qualifications, requests
from server.institutions import service as institutions
from server.institutions.documents import BaseRequest, Institution
from server.institutions.qualifications import Decision, Reason
from server.institutions.requests import Grant, RequestDraft
from server.institutions.rules import (
    Qualification,
    QualificationKind,
    RequestPurpose,
    RequestState,
)
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.qualification import base_requests

PURPOSES = named(RequestPurpose)


class RequestQuery(ByAge):
    state: Annotated[RequestState | None, Filter("状态")] = None
    purpose: Annotated[RequestPurpose | None, Filter("事项", PURPOSES)] = None
    province: ProvinceCode = ""


SHEET = Sheet[BaseRequest](
    "推荐和申请",
    [
        Column("院校", 32, lambda one: one.institution_name),
        Column("事项", 18, lambda one: one.purpose.label),
        Column("省份", 10, lambda one: province_name(one.province_code)),
        Column("专业大类", 40, lambda one: "、".join(map(major_name, one.majors))),
        Column("提交时间", 18, lambda one: one.submitted_at),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
REQUESTS = Listing(
    "/admin/recommendations",
    "recommendations/list.html",
    Permission.INSTITUTIONS_READ_REQUESTS,
    RequestQuery,
    fetched_by(requests.list_requests),
    sheet=SHEET,
)


# ---- the form


class FormQuery(BaseModel):
    """Which form: a link of an institution's page names its code and qualification."""

    purpose: RequestPurpose = RequestPurpose.NEW_BASE
    institution: Annotated[str, Field(pattern=r"^[0-9]{3}$")] = ""
    qualification: Annotated[int | None, Field(ge=1, le=99)] = None


class NewRequest(PageHandler):
    get = shows(Permission.INSTITUTIONS_RECOMMEND)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        query = self.query(FormQuery)
        code = outcome["values"].get("institution_code", query.institution)
        own = await institutions.list_institutions(self.platform, self.actor)
        self.render_page(
            "recommendations/form.html",
            purpose=query.purpose,
            purposes=PURPOSES,
            code=code,
            number=query.qualification,
            schools=[(one.id, f"{one.id} {one.name}") for one in own],
            bases=bases_of(own, code),
            amended=None,
            **outcome,
        )


@step(NewRequest, Permission.INSTITUTIONS_RECOMMEND)
async def submit(page: NewRequest) -> Done:
    filed = await base_requests.submit(page.platform, page.actor, page.form(RequestDraft))
    heard = (
        "该基地可以先陈述情况，收到陈述或期满以后才能核准。"
        if filed.purpose is RequestPurpose.WITHDRAWAL
        else ""
    )
    return Done(
        f"“{filed.purpose.label}：{filed.institution_name}”已报部指导中心审核。{heard}",
        f"/admin/recommendations/{filed.id}",
    )


def bases_of(own: list[Institution], code: str) -> list[tuple[int, str]]:
    """The base qualifications of a school, as choices."""
    return [
        (number, held.in_words)
        for one in own
        if one.id == code
        for number, held in enumerate(one.qualifications, start=1)
        if held.kind is QualificationKind.TRAINING_BASE
    ]


class DeclinedRequest(PageHandler):
    """A declined request, to be amended and filed again."""

    address = "/admin/recommendations/{request_id}"
    get = shows(Permission.INSTITUTIONS_RECOMMEND)

    async def show(self, request_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await requests.request(self.platform, self.actor, request_id)
        self.render_page(
            "recommendations/form.html",
            purpose=found.purpose,
            purposes=PURPOSES,
            code=found.institution_code or "",
            number=found.qualification_number,
            schools=[],
            bases=[],
            amended=found,
            **outcome,
        )


class AmendedForm(Review):
    majors: Annotated[list[str], Field(title="专业大类", max_length=15)] = Field(default_factory=list)
    reason: Annotated[Reason, Field(min_length=10, max_length=2000)]


@step(DeclinedRequest, Permission.INSTITUTIONS_RECOMMEND)
async def amend(page: DeclinedRequest, request_id: str) -> str:
    found = await requests.request(page.platform, page.actor, request_id)
    amended = page.form(AmendedForm)
    whole = RequestDraft(purpose=found.purpose, majors=amended.majors, reason=amended.reason)
    await requests.resubmit(page.platform, page.actor, request_id, whole, seen=amended.seen)
    return "已修改并重新报部指导中心审核。"


# ---- one request


class OneRequest(PageHandler):
    address = "/admin/recommendations/{request_id}"
    get = shows(Permission.INSTITUTIONS_READ_REQUESTS)

    async def show(self, request_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await requests.request(self.platform, self.actor, request_id)
        held, affected = await self._affected(found)
        may_recommend = holds(self.actor, Permission.INSTITUTIONS_RECOMMEND)
        self.render_page(
            "recommendations/one.html",
            request=found,
            case=await base_requests.open_case(self.platform, found) if found.open else None,
            held=held.in_words if held else "",
            affected=affected,
            proposal=await requests.proposal(self.platform),
            majors=[(code, text) for code, text in MAJOR_OPTIONS if code in found.majors],
            may_review=found.state is RequestState.SUBMITTED
            and holds(self.actor, Permission.INSTITUTIONS_DECIDE),
            may_amend=found.state is RequestState.DECLINED and may_recommend,
            may_retract=found.open and may_recommend,
            **outcome,
        )

    async def _affected(self, found: BaseRequest) -> tuple[Qualification | None, list[TrainingClass]]:
        """The qualification that the request is about, and the running and future classes that stand on it."""
        if found.qualification_number is None or found.purpose.grants:
            return None, []
        code = found.institution_code or ""
        _, held = await qualifications.qualification(
            self.platform, self.actor, code, found.qualification_number
        )
        return held, await facts.classes_under(self.platform, self.actor, code, held)


@step(OneRequest, Permission.INSTITUTIONS_DECIDE)
async def approve(page: OneRequest, request_id: str) -> Done:
    found = await requests.request(page.platform, page.actor, request_id)
    seen, at = page.form(Review).seen, (page.platform, page.actor, request_id)
    if found.purpose.grants:
        settled = await requests.grant(*at, page.form(Grant), seen=seen)
    else:
        settled = await base_requests.carry_out(*at, page.form(Decision), seen=seen)
    return Done(
        f"已核准并公布：{settled.institution_name}（{settled.institution_code}）。",
        f"/admin/institutions/{settled.institution_code}",
    )


class DeclineForm(Review):
    reason: Reason


@step(OneRequest, Permission.INSTITUTIONS_DECIDE)
async def decline(page: OneRequest, request_id: str) -> str:
    wanted = page.form(DeclineForm)
    await requests.decline(page.platform, page.actor, request_id, wanted.reason, seen=wanted.seen)
    return "已退回省级管理部门，对方可以修改后重新提交。"


@step(OneRequest, Permission.INSTITUTIONS_RECOMMEND)
async def retract(page: OneRequest, request_id: str) -> str:
    await base_requests.retract(page.platform, page.actor, request_id)
    return "已撤回申请。"


_ONE = r"/admin/recommendations/(?P<request_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *REQUESTS.routes,
    (r"/admin/recommendations/new", submit),
    (_ONE, OneRequest),
    (rf"{_ONE}/amend", amend),
    (rf"{_ONE}/approve", approve),
    (rf"{_ONE}/decline", decline),
    (rf"{_ONE}/retract", retract),
]
