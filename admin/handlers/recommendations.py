"""What a province asks of the centre about its bases: the list, the form, and the centre's review (articles 5.2 and 5.3)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import MAJOR_OPTIONS, PROVINCE_OPTIONS
from admin.paging import Way
from server.classes import facts
from server.classes.documents import TrainingClass
from server.institutions import qualifications, requests
from server.institutions import service as institutions
from server.institutions.documents import BaseRequest, Institution
from server.institutions.qualifications import Decision, Reason
from server.institutions.requests import Grant, RequestDraft
from server.institutions.rules import (
    MAJORS,
    Qualification,
    QualificationKind,
    RequestAction,
    RequestPurpose,
    RequestState,
)
from server.kernel.errors import NotFound, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.qualification import base_requests

PAGE_SIZE = 20
PURPOSES = [(purpose.value, purpose.label) for purpose in RequestPurpose]
STATES = [(state.value, state.label) for state in RequestState]


class ListQuery(BaseModel):
    state: RequestState | None = None
    purpose: RequestPurpose | None = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"state": self.state or "", "purpose": self.purpose or "", "province": self.province}


class RequestList(PageHandler):
    @allow(Permission.INSTITUTIONS_READ_REQUESTS)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/recommendations", query.conditions, query.way)
        found = await requests.list_requests(
            self.platform,
            self.actor,
            state=query.state,
            purpose=query.purpose or "",
            province_code=query.province,
            before=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "recommendations/list.html",
            rows=rows,
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            purposes=PURPOSES,
            state_options=STATES,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_recommend=holds(self.actor, Permission.INSTITUTIONS_RECOMMEND),
        )


class FormQuery(BaseModel):
    """Which form: a link of an institution's page names its code and qualification."""

    purpose: RequestPurpose = RequestPurpose.NEW_BASE
    institution: Annotated[str, Field(pattern=r"^[0-9]{3}$")] = ""
    qualification: Annotated[int | None, Field(ge=1, le=99)] = None


class NewRequest(PageHandler):
    @allow(Permission.INSTITUTIONS_RECOMMEND)
    async def get(self) -> None:
        query = self.query(FormQuery)
        await self._show(query.purpose, query.institution, query.qualification, NO_ERRORS)

    @allow(Permission.INSTITUTIONS_RECOMMEND)
    async def post(self) -> None:
        query = self.query(FormQuery)
        try:
            filed = await base_requests.submit(self.platform, self.actor, self.form(RequestDraft))
        except Problem as problem:
            outcome = self.refuse(problem)
            values = outcome["values"]
            return await self._show(
                query.purpose,
                values.get("institution_code", query.institution),
                query.qualification,
                outcome,
            )
        self.flash(f"“{filed.purpose.label}：{filed.institution_name}”已报部指导中心审核。")
        return self.see_other(f"/admin/recommendations/{filed.id}")

    async def _show(
        self, purpose: RequestPurpose, code: str, number: int | None, outcome: dict[str, Any]
    ) -> None:
        own = await institutions.list_institutions(self.platform, self.actor)
        self.render_page(
            "recommendations/form.html",
            purpose=purpose,
            purposes=PURPOSES,
            code=code,
            number=number,
            schools=[(one.id, f"{one.id} {one.name}") for one in own],
            bases=bases_of(own, code),
            majors=MAJOR_OPTIONS,
            amended=None,
            **outcome,
        )


def bases_of(own: list[Institution], code: str) -> list[tuple[int, str]]:
    """The base qualifications of a school, as choices."""
    return [
        (number, in_words(held))
        for one in own
        if one.id == code
        for number, held in enumerate(one.qualifications, start=1)
        if held.kind is QualificationKind.TRAINING_BASE
    ]


def in_words(held: Qualification) -> str:
    names = "、".join(MAJORS[code].name for code in held.majors)
    return (
        f"{held.kind.label}（{held.valid_from} 至 {held.valid_to or '长期'}，{held.status.label}）：{names}"
    )


class AmendRequest(PageHandler):
    """A declined request, amended and filed again."""

    @allow(Permission.INSTITUTIONS_RECOMMEND)
    async def get(self, request_id: str) -> None:
        await self._show(request_id, NO_ERRORS)

    @allow(Permission.INSTITUTIONS_RECOMMEND)
    async def post(self, request_id: str) -> None:
        found = await requests.request(self.platform, self.actor, request_id)
        try:
            draft = self.form(AmendedForm)
            whole = RequestDraft(purpose=found.purpose, majors=draft.majors, reason=draft.reason)
            await requests.resubmit(self.platform, self.actor, request_id, whole)
        except Problem as problem:
            return await self._show(request_id, self.refuse(problem))
        self.flash("已修改并重新报部指导中心审核。")
        return self.see_other(f"/admin/recommendations/{request_id}")

    async def _show(self, request_id: str, outcome: dict[str, Any]) -> None:
        found = await requests.request(self.platform, self.actor, request_id)
        self.render_page(
            "recommendations/form.html",
            purpose=found.purpose,
            purposes=PURPOSES,
            code=found.institution_code or "",
            number=found.qualification_number,
            schools=[],
            bases=[],
            majors=MAJOR_OPTIONS,
            amended=found,
            **outcome,
        )


class AmendedForm(BaseModel):
    majors: Annotated[list[str], Field(title="专业大类", max_length=15)] = Field(default_factory=list)
    reason: Annotated[str, Field(title="理由", min_length=10, max_length=2000)]


class OneRequest(PageHandler):
    @allow(Permission.INSTITUTIONS_READ_REQUESTS)
    async def get(self, request_id: str) -> None:
        await self.show(request_id, NO_ERRORS)

    async def show(self, request_id: str, outcome: dict[str, Any], wrong: str = "") -> None:
        """`wrong`: which of the forms came back."""
        found = await requests.request(self.platform, self.actor, request_id)
        held, affected = await self._affected(found)
        submitted = found.state is RequestState.SUBMITTED
        self.render_page(
            "recommendations/one.html",
            request=found,
            case=await base_requests.open_case(self.platform, found) if found.open else None,
            held=in_words(held) if held else "",
            affected=affected,
            proposal=await requests.proposal(self.platform),
            majors=[(code, text) for code, text in MAJOR_OPTIONS if code in found.majors],
            steps=[(step, RequestAction(step.action).label) for step in found.history],
            may_review=submitted and holds(self.actor, Permission.INSTITUTIONS_DECIDE),
            may_amend=found.state is RequestState.DECLINED
            and holds(self.actor, Permission.INSTITUTIONS_RECOMMEND),
            may_retract=found.open and holds(self.actor, Permission.INSTITUTIONS_RECOMMEND),
            **outcome | {"wrong": wrong},
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


class Approve(OneRequest):
    @allow(Permission.INSTITUTIONS_DECIDE)
    async def get(self, request_id: str) -> None:
        self.see_other(f"/admin/recommendations/{request_id}")

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def post(self, request_id: str) -> None:
        found = await requests.request(self.platform, self.actor, request_id)
        try:
            if found.purpose.grants:
                settled = await requests.grant(self.platform, self.actor, request_id, self.form(Grant))
            else:
                decision = self.form(Decision)
                settled = await base_requests.carry_out(self.platform, self.actor, request_id, decision)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(request_id, self.refuse(problem), "approve")
        self.flash(f"已核准并公布：{settled.institution_name}（{settled.institution_code}）。")
        return self.see_other(f"/admin/institutions/{settled.institution_code}")


class DeclineForm(BaseModel):
    reason: Reason


class Decline(OneRequest):
    @allow(Permission.INSTITUTIONS_DECIDE)
    async def get(self, request_id: str) -> None:
        self.see_other(f"/admin/recommendations/{request_id}")

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def post(self, request_id: str) -> None:
        try:
            reason = self.form(DeclineForm).reason
            await requests.decline(self.platform, self.actor, request_id, reason)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(request_id, self.refuse(problem), "decline")
        self.flash("已退回省级管理部门，对方可以修改后重新提交。")
        return self.see_other(f"/admin/recommendations/{request_id}")


class Retract(PageHandler):
    @allow(Permission.INSTITUTIONS_RECOMMEND)
    async def post(self, request_id: str) -> None:
        await base_requests.retract(self.platform, self.actor, request_id)
        self.flash("已撤回申请。")
        self.see_other(f"/admin/recommendations/{request_id}")


_ONE = r"/admin/recommendations/(?P<request_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/admin/recommendations", RequestList),
    (r"/admin/recommendations/new", NewRequest),
    (_ONE, OneRequest),
    (rf"{_ONE}/amend", AmendRequest),
    (rf"{_ONE}/approve", Approve),
    (rf"{_ONE}/decline", Decline),
    (rf"{_ONE}/retract", Retract),
]
