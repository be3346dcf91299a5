"""Institutions: who may train what, every version of it, and what the centre does to a qualification (article 5)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import MAJOR_OPTIONS, PROVINCE_OPTIONS
from admin.paging import Way
from admin.spreadsheet import send_workbook
from server.classes import facts
from server.corrections import service as corrections
from server.institutions import qualifications, requests, rules
from server.institutions import service as institutions
from server.institutions.documents import InstitutionFilter
from server.institutions.qualifications import CentreDraft, Confirmation, Decision
from server.institutions.rules import (
    MAJORS,
    Qualification,
    QualificationAction,
    QualificationKind,
    QualificationStatus,
    levels_held,
)
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.qualification import service as qualification
from server.qualification.coming import coming
from server.qualification.documents import CaseFilter

KINDS = [(kind.value, kind.label) for kind in QualificationKind]
STATUSES = [(status.value, status.label) for status in QualificationStatus]


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    kind: QualificationKind | None = None
    status: QualificationStatus | None = None
    confirm: Annotated[str, Field(pattern=r"^yes$")] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "q": self.q,
            "province": self.province,
            "kind": self.kind or "",
            "status": self.status or "",
            "confirm": self.confirm,
        }

    @property
    def narrowed(self) -> InstitutionFilter:
        return InstitutionFilter(
            self.q.strip(), self.province, self.kind, self.status, to_confirm=bool(self.confirm)
        )


class InstitutionList(PageHandler):
    @allow(Permission.INSTITUTIONS_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        self.render_page(
            "institutions/list.html",
            institutions=await institutions.list_institutions(self.platform, self.actor, query.narrowed),
            query=query,
            export=Way.read("", query.conditions, "").export("/admin/institutions/export"),
            kinds=KINDS,
            statuses=STATUSES,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_recommend=holds(self.actor, Permission.INSTITUTIONS_RECOMMEND),
            may_decide=holds(self.actor, Permission.INSTITUTIONS_DECIDE),
        )


class Export(PageHandler):
    @allow(Permission.INSTITUTIONS_READ, rate="30/minute")
    async def get(self) -> None:
        found = await institutions.list_institutions(
            self.platform, self.actor, self.query(ListQuery).narrowed
        )
        today = beijing_date(self.platform.clock.now())
        provinces = dict(PROVINCE_OPTIONS)
        await send_workbook(
            self,
            f"培训机构-{today}.xlsx",
            "培训机构",
            [
                ("培训机构号", 12),
                ("培训机构", 32),
                ("省份", 10),
                ("资格", 16),
                ("专业大类", 60),
                ("起始日期", 12),
                ("截止日期", 12),
                ("状态", 10),
                ("今天有效", 10),
                ("核定", 8),
            ],
            [
                (
                    one.id,
                    one.name,
                    provinces[one.province_code],
                    held.kind.label,
                    "、".join(MAJORS[code].name for code in held.majors),
                    held.valid_from,
                    held.valid_to or "长期",
                    held.status.label,
                    "是" if held.is_valid(today) else "否",
                    "待核" if one.awaits_confirmation(number) else "已核定",
                )
                for one in found
                for number, held in enumerate(one.qualifications, start=1)
            ],
        )


class OneInstitution(PageHandler):
    @allow(Permission.INSTITUTIONS_READ)
    async def get(self, code: str) -> None:
        found = await institutions.institution(self.platform, self.actor, code)
        today = beijing_date(self.platform.clock.now())
        warnings = await qualification.warned_bases(self.platform, self.actor, code)
        self.render_page(
            "institutions/one.html",
            institution=found,
            levels=levels_held(found.qualifications, today),
            corrections=await corrections.made_of_institution(self.platform, self.actor, code),
            warnings=warnings,
            coming=await coming(self.platform, warnings),
            cases=await qualification.list_cases(
                self.platform, self.actor, CaseFilter(institution_code=code), limit=100
            ),
            may_allocate=holds(self.actor, Permission.ACCOUNTS_ALLOCATE),
            may_decide=holds(self.actor, Permission.INSTITUTIONS_DECIDE),
            may_recommend=holds(self.actor, Permission.INSTITUTIONS_RECOMMEND),
            may_correct=holds(self.actor, Permission.CORRECTIONS_REQUEST),
            actions=possible_actions,
        )


def possible_actions(held: Qualification) -> list[QualificationAction]:
    """What may be done or asked next, by the table."""
    return [
        action
        for status, action in rules.QUALIFICATION_TRANSITIONS
        if status is held.status and action is not QualificationAction.CONFIRM
    ]


class PublishCentre(PageHandler):
    """公布 of a 师资研修中心: an institution that is one from now on, or a new school."""

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def get(self) -> None:
        await self._show(NO_ERRORS)

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def post(self) -> None:
        try:
            wanted = self.form(CentreDraft)
            found = await qualifications.publish_centre(self.platform, self.actor, wanted)
        except Problem as problem:
            return await self._show(self.refuse(problem))
        self.flash(f"已公布{found.name}为师资研修中心。")
        return self.see_other(f"/admin/institutions/{found.id}")

    async def _show(self, outcome: dict[str, Any]) -> None:
        """Two forms on one page: `school` says whether it is the one of a new school."""
        known = await institutions.list_institutions(self.platform, self.actor)
        self.render_page(
            "institutions/publish.html",
            school=self.get_argument("school", "known"),
            schools=[(one.id, f"{one.id} {one.name}") for one in known],
            proposal=await requests.proposal(self.platform),
            provinces=PROVINCE_OPTIONS,
            majors=MAJOR_OPTIONS,
            **outcome,
        )


class Confirm(PageHandler):
    """核定 of a qualification of annex 1."""

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def get(self, code: str, number: str) -> None:
        await self._show(code, int(number), NO_ERRORS)

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def post(self, code: str, number: str) -> None:
        try:
            wanted = self.form(Confirmation)
            found = await qualifications.confirm(self.platform, self.actor, code, int(number), wanted)
        except NotFound:
            raise
        except Problem as problem:
            return await self._show(code, int(number), self.refuse(problem))
        self.flash(f"已核定{found.name}的资格。")
        return self.see_other(f"/admin/institutions/{code}")

    async def _show(self, code: str, number: int, outcome: dict[str, Any]) -> None:
        found, held = await qualifications.qualification(self.platform, self.actor, code, number)
        self.render_page(
            "institutions/confirm.html",
            institution=found,
            held=held,
            number=number,
            majors=MAJOR_OPTIONS,
            **outcome,
        )


class Decide(PageHandler):
    """Suspension, resumption or withdrawal of a 师资研修中心's qualification."""

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def get(self, code: str, number: str, action: str) -> None:
        await self._show(code, int(number), action, NO_ERRORS)

    @allow(Permission.INSTITUTIONS_DECIDE)
    async def post(self, code: str, number: str, action: str) -> None:
        deed = QualificationAction(action.upper())
        try:
            wanted = self.form(Decision)
            found = await qualifications.decide(self.platform, self.actor, code, int(number), deed, wanted)
        except NotFound:
            raise
        except Problem as problem:
            return await self._show(code, int(number), action, self.refuse(problem))
        self.flash(f"已办理：{found.name}，{deed.label}，自 {wanted.effective_on} 起。")
        return self.see_other(f"/admin/institutions/{code}")

    async def _show(self, code: str, number: int, action: str, outcome: dict[str, Any]) -> None:
        found, held = await qualifications.qualification(self.platform, self.actor, code, number)
        self.render_page(
            "institutions/decide.html",
            institution=found,
            held=held,
            number=number,
            action=QualificationAction(action.upper()),
            classes=await facts.classes_under(self.platform, self.actor, code, held),
            **outcome,
        )


_ONE = r"/admin/institutions/(?P<code>[0-9]{3})"
_QUALIFICATION = rf"{_ONE}/qualifications/(?P<number>[1-9][0-9]?)"
ROUTES: list[Route] = [
    (r"/admin/institutions", InstitutionList),
    (r"/admin/institutions/export", Export),
    (r"/admin/institutions/publish", PublishCentre),
    (_ONE, OneInstitution),
    (rf"{_QUALIFICATION}/confirm", Confirm),
    (rf"{_QUALIFICATION}/(?P<action>suspend|resume|withdraw)", Decide),
]
