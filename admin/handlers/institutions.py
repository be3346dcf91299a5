"""Institutions: who may train what, every version of it, and what the centre does to a qualification (article 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import Filter, Listing, ProvinceCode, Query, Words
from admin.rendering import province_name
from admin.steps import Done, shows, step
from server.classes import facts
from server.corrections import service as corrections
from server.institutions import qualifications, requests, rules
from server.institutions import service as institutions
from server.institutions.documents import Institution, InstitutionFilter
from server.institutions.qualifications import CentreDraft, Confirmation, Decision
from server.institutions.rules import (
    MAJORS,
    Qualification,
    QualificationAction,
    QualificationKind,
    QualificationStatus,
    levels_held,
)
from server.kernel.permissions import Permission
from server.kernel.seen import Saving
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.qualification import opening
from server.qualification import service as qualification
from server.qualification.coming import coming
from server.qualification.documents import CaseFilter
from server.qualification.opening import Intent

ALL = 1_000
"""More than there can be: a code has three digits."""


class InstitutionQuery(Query):
    q: Annotated[Words, Filter("名称或机构号")] = ""
    province: ProvinceCode = ""
    kind: Annotated[QualificationKind | None, Filter("资格类别")] = None
    status: Annotated[QualificationStatus | None, Filter("资格状态")] = None
    confirm: Annotated[str, Field(pattern=r"^yes$"), Filter("核定", [("yes", "待核")])] = ""


async def fetch(
    page: Desk, query: InstitutionQuery, before: str | None = None, limit: int = ALL
) -> list[Institution]:
    """All of them: the list has one page."""
    if before:
        return []
    narrowed = InstitutionFilter(
        query.q, query.province, query.kind, query.status, to_confirm=bool(query.confirm)
    )
    return await institutions.list_institutions(page.platform, page.actor, narrowed)


class Held(NamedTuple):
    by: Institution
    number: int
    qualification: Qualification


def qualifications_held(found: Sequence[Institution]) -> list[Held]:
    return [
        Held(one, number, held) for one in found for number, held in enumerate(one.qualifications, start=1)
    ]


def sheet(page: Desk, query: InstitutionQuery) -> Sheet[Held]:
    today = page.today
    return Sheet(
        "培训机构",
        [
            Column("机构号", 12, lambda held: held.by.id),
            Column("培训机构", 32, lambda held: held.by.name),
            Column("省份", 10, lambda held: province_name(held.by.province_code)),
            Column("资格", 16, lambda held: held.qualification.kind.label),
            Column(
                "专业大类",
                60,
                lambda held: "、".join(MAJORS[code].name for code in held.qualification.majors),
            ),
            Column("起始日期", 12, lambda held: held.qualification.valid_from),
            Column("有效期", 12, lambda held: held.qualification.valid_to or "长期"),
            Column("状态", 10, lambda held: held.qualification.status.label),
            Column("今天有效", 10, lambda held: "是" if held.qualification.is_valid(today) else "否"),
            Column("核定", 8, lambda held: "待核" if held.by.awaits_confirmation(held.number) else "已核定"),
        ],
        rows=qualifications_held,
    )


INSTITUTIONS = Listing(
    "/admin/institutions",
    "institutions/list.html",
    Permission.INSTITUTIONS_READ,
    InstitutionQuery,
    fetch,
    sheet=sheet,
    page_size=ALL,
)


class OneInstitution(PageHandler):
    @allow(Permission.INSTITUTIONS_READ)
    async def get(self, code: str) -> None:
        found = await institutions.institution(self.platform, self.actor, code)
        today = self.today
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
            actions=rules.possible_actions,
        )


class CentreForm(PageHandler):
    """Two forms on one page: `school` says whether it is the one of a new school."""

    get = shows(Permission.INSTITUTIONS_DECIDE)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        known = await institutions.list_institutions(self.platform, self.actor)
        self.render_page(
            "institutions/publish.html",
            school=self.get_argument("school", "known"),
            schools=[(one.id, f"{one.id} {one.name}") for one in known],
            proposal=await requests.proposal(self.platform),
            **outcome,
        )


@step(CentreForm, Permission.INSTITUTIONS_DECIDE)
async def publish_centre(page: CentreForm) -> Done:
    """公布 of a 师资研修中心: an institution that is one from now on, or a new school."""
    found = await qualifications.publish_centre(page.platform, page.actor, page.form(CentreDraft))
    return Done(f"已公布{found.name}为师资研修中心。", f"/admin/institutions/{found.id}")


class ConfirmationForm(PageHandler):
    address = "/admin/institutions/{code}"
    get = shows(Permission.INSTITUTIONS_DECIDE)

    async def show(self, code: str, number: str, outcome: Outcome = NO_ERRORS) -> None:
        found, held = await qualifications.qualification(self.platform, self.actor, code, int(number))
        self.render_page(
            "institutions/confirm.html",
            institution=found,
            held=held,
            number=int(number),
            **outcome,
        )


@step(ConfirmationForm, Permission.INSTITUTIONS_DECIDE)
async def confirm(page: ConfirmationForm, code: str, number: str) -> str:
    """核定 of a qualification of annex 1."""
    wanted, seen = page.form(Confirmation), page.form(Saving).seen
    found = await qualifications.confirm(page.platform, page.actor, code, int(number), wanted, seen)
    return f"已核定{found.name}的资格。"


class QualificationForm(PageHandler):
    """What the centre begins about a qualification of its own accord: `action` says what."""

    address = "/admin/institutions/{code}"
    get = shows(Permission.INSTITUTIONS_DECIDE)

    async def show(self, code: str, number: str, action: str, outcome: Outcome = NO_ERRORS) -> None:
        found, held = await qualifications.qualification(self.platform, self.actor, code, int(number))
        self.render_page(
            "institutions/decide.html",
            institution=found,
            held=held,
            number=int(number),
            action=QualificationAction(action.upper()),
            classes=await facts.classes_under(self.platform, self.actor, code, held),
            **outcome,
        )


@step(QualificationForm, Permission.INSTITUTIONS_DECIDE)
async def decide(page: QualificationForm, code: str, number: str, action: str) -> str:
    """Suspension or resumption of a 师资研修中心's qualification."""
    deed = QualificationAction(action.upper())
    wanted, seen = page.form(Decision), page.form(Saving).seen
    found = await qualifications.decide(page.platform, page.actor, code, int(number), deed, wanted, seen)
    return f"已办理：{found.name}，{deed.label}，自 {wanted.effective_on} 起。"


@step(QualificationForm, Permission.INSTITUTIONS_DECIDE)
async def hear(page: QualificationForm, code: str, number: str, action: str) -> Done:
    """A 师资研修中心 is to be withdrawn: it is heard first, and the case is decided afterwards."""
    wanted, seen = page.form(Intent), page.form(Saving).seen
    case = await opening.about_centre(page.platform, page.actor, code, int(number), wanted, seen)
    said = f"已立案，{case.name}可在 {case.state_until}（含）以前陈述情况。收到陈述或期满以后再作出决定。"
    return Done(said, f"/admin/qualification/{case.id}")


_ONE = r"/admin/institutions/(?P<code>[0-9]{3})"
_QUALIFICATION = rf"{_ONE}/qualifications/(?P<number>[1-9][0-9]?)"
ROUTES: list[Route] = [
    *INSTITUTIONS.routes,
    (r"/admin/institutions/publish", publish_centre),
    (_ONE, OneInstitution),
    (rf"{_QUALIFICATION}/confirm", confirm),
    (rf"{_QUALIFICATION}/(?P<action>suspend|resume)", decide),
    (rf"{_QUALIFICATION}/(?P<action>withdraw)", hear),
]
