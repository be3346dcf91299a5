"""Dynamic management (动态管理): cases and early warnings, statements, decisions, their papers and reversal (articles 5.3 and 9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, fetched_by
from admin.rendering import province_name
from admin.steps import shows, step
from server.accounts import people
from server.institutions import requests
from server.institutions.documents import BaseRequest
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.qualification import rules
from server.qualification import service as qualification
from server.qualification.coming import coming
from server.qualification.documents import Case, CaseFilter, EarlyWarning, WarningFilter
from server.qualification.rules import Action, Grade, Rule, State, Subject, steps_of
from server.qualification.service import DecisionDraft, Reason, ReversalDraft, StatementDraft

RULES = [(rule.value, f"{rule.subject.label}：{rule.label}") for rule in Rule]
GRADES = [(grade.value, grade.label) for grade in Grade if grade is not Grade.CASE]
MEANINGS = {
    (Subject.TEACHER, rules.Outcome.KEPT): "不影响资格，两年重新起算",
    (Subject.TEACHER, rules.Outcome.WARNED): "保留资格，并提醒本人",
    (Subject.TEACHER, rules.Outcome.CANCELLED): "自生效日期起不能再受邀授课、考核",
    (Subject.CENTRE, rules.Outcome.KEPT): "不影响资格",
    (Subject.CENTRE, rules.Outcome.CANCELLED): "自生效日期起不能再开班、发证",
}
"""What an outcome comes to, beside its name."""


def outcomes_of(subject: Subject) -> list[tuple[str, str, str]]:
    """The options of the decision's form."""
    return [(one.value, one.label, MEANINGS[subject, one]) for one in rules.outcomes_of(subject)]


class CaseQuery(ByAge):
    subject: Annotated[Subject | None, Filter("对象")] = None
    rule: Annotated[Rule | None, Filter("依据", RULES)] = None
    state: Annotated[State | None, Filter("状态")] = None
    todo: Annotated[str, Field(pattern=r"^yes$"), Filter("待办", [("yes", "等我办理")])] = ""
    province: ProvinceCode = ""


async def fetch_cases(page: Desk, query: CaseQuery, before: str | None, limit: int) -> list[Case]:
    narrowed = CaseFilter(query.subject, query.rule, query.state, query.province)
    return await qualification.list_cases(
        page.platform, page.actor, narrowed, todo=bool(query.todo), before=before, limit=limit
    )


async def called(page: Desk, rows: Sequence[Case] | Sequence[EarlyWarning]) -> dict[str, str]:
    """What to call each of whom they are about, by id: of two teachers of one name it is seen who is meant."""
    return await people.called(page.platform, {one.subject_id: one.name for one in rows})


async def exported_cases(page: Desk, query: CaseQuery, rows: Sequence[Case]) -> list[tuple[Case, str]]:
    names = await called(page, rows)
    return [(one, names[one.subject_id]) for one in rows]


CASE_SHEET = Sheet[tuple[Case, str]](
    "核查事项",
    [
        Column("对象", 24, lambda row: row[1]),
        Column("单位", 30, lambda row: row[0].unit_name),
        Column("依据", 36, lambda row: f"{row[0].subject.label}：{row[0].rule.label}"),
        Column("期间", 26, lambda row: f"{row[0].first} 至 {row[0].last}"),
        Column("省份", 10, lambda row: province_name(row[0].province_code)),
        Column("陈述期限", 12, lambda row: row[0].state_until),
        Column("状态", 14, lambda row: row[0].state.label),
        Column("决定", 14, lambda row: row[0].decision.outcome.label if row[0].decision else ""),
    ],
)


async def around_cases(page: PageHandler, query: CaseQuery, rows: Sequence[Case]) -> dict[str, Any]:
    return {"called": await called(page, rows)}


CASES = Listing(
    "/admin/qualification",
    "qualification/list.html",
    Permission.QUALIFICATION_READ,
    CaseQuery,
    fetch_cases,
    around_cases,
    CASE_SHEET,
    exported_cases,
)


class WarningQuery(ByAge):
    rule: Annotated[Rule | None, Filter("依据", RULES)] = None
    grade: Annotated[Grade | None, Filter("预警", GRADES)] = None
    province: ProvinceCode = ""


async def around_warnings(
    page: PageHandler, query: WarningQuery, rows: Sequence[EarlyWarning]
) -> dict[str, Any]:
    return {
        "holding": await qualification.still_holding(page.platform, rows),
        "coming": await coming(page.platform, rows),
        "called": await called(page, rows),
    }


async def exported_warnings(
    page: Desk, query: WarningQuery, rows: Sequence[EarlyWarning]
) -> list[tuple[EarlyWarning, str, str]]:
    names, holding = await called(page, rows), await qualification.still_holding(page.platform, rows)
    return [(one, names[one.subject_id], "仍需关注" if one.id in holding else "已解除") for one in rows]


WARNING_SHEET = Sheet[tuple[EarlyWarning, str, str]](
    "预警",
    [
        Column("对象", 24, lambda row: row[1]),
        Column("单位", 30, lambda row: row[0].unit_name),
        Column("依据", 36, lambda row: f"{row[0].subject.label}：{row[0].rule.label}"),
        Column("预警", 14, lambda row: row[0].grade.label),
        Column("期间", 26, lambda row: f"{row[0].first} 至 {row[0].last}"),
        Column("省份", 10, lambda row: province_name(row[0].province_code)),
        Column("发出", 12, lambda row: row[0].given_on),
        Column("现状", 12, lambda row: row[2]),
    ],
)
WARNINGS = Listing(
    "/admin/qualification/warnings",
    "qualification/warnings.html",
    Permission.QUALIFICATION_READ,
    WarningQuery,
    fetched_by(qualification.list_warnings, WarningFilter),
    around_warnings,
    WARNING_SHEET,
    exported_warnings,
)


# ---- one case


class OneCase(PageHandler):
    address = "/admin/qualification/{case_id}"
    get = shows(Permission.QUALIFICATION_READ)

    async def show(self, case_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await qualification.case(self.platform, self.actor, case_id)
        today = self.today
        steps = steps_of(found.subject)
        self.render_page(
            "qualification/one.html",
            case=found,
            running=await qualification.running(self.platform, self.actor, found),
            request=await self._request(found),
            outcomes=outcomes_of(found.subject),
            may_state=qualification.may_state(self.actor, found, today),
            may_decide=steps.may(found.state, Action.DECIDE, self.actor.roles),
            must_wait=found.state is State.OPEN and today <= found.state_until,
            may_dismiss=steps.may(found.state, Action.DISMISS, self.actor.roles),
            may_file=steps.may(found.state, Action.FILE, self.actor.roles),
            may_reverse=steps.may(found.state, Action.REVERSE, self.actor.roles)
            and found.decision is not None
            and found.decision.outcome.adverse,
            **outcome,
        )

    async def _request(self, found: Case) -> BaseRequest | None:
        """The province's request, for those who may read requests."""
        if found.request_id is None or not holds(self.actor, Permission.INSTITUTIONS_READ_REQUESTS):
            return None
        return await requests.request(self.platform, self.actor, found.request_id)


@step(OneCase, Permission.QUALIFICATION_DECIDE)
async def decide(page: OneCase, case_id: str) -> str:
    draft, seen = page.form(DecisionDraft), page.form(Review).seen
    found = await qualification.decide(page.platform, page.actor, case_id, draft, seen=seen)
    told = f"已通知{found.name}" if found.subject is Subject.TEACHER else f"{found.name}可在平台查看"
    return f"已作出“{draft.outcome.label}”的决定，{told}。"


@step(OneCase, Permission.QUALIFICATION_DECIDE)
async def reverse(page: OneCase, case_id: str) -> str:
    draft, seen = page.form(ReversalDraft), page.form(Review).seen
    found = await qualification.reverse(page.platform, page.actor, case_id, draft, seen=seen)
    return f"已撤销原决定，已通知{found.name}。原决定保留在记录中。"


class DismissForm(Review):
    reason: Reason


@step(OneCase, Permission.QUALIFICATION_DISMISS)
async def dismiss(page: OneCase, case_id: str) -> str:
    wanted = page.form(DismissForm)
    await qualification.dismiss(page.platform, page.actor, case_id, wanted.reason, seen=wanted.seen)
    return "已终止，资格不受影响。"


@step(OneCase, Permission.QUALIFICATION_STATE)
async def statement(page: OneCase, case_id: str) -> str:
    """An institution states its case."""
    said, seen = page.form(StatementDraft), page.form(Review).seen
    await qualification.state_for_base(page.platform, page.actor, case_id, said, seen)
    return "已提交陈述，管理部门可以看到。"


_ONE = r"/admin/qualification/(?P<case_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *CASES.routes,
    *WARNINGS.routes,
    (_ONE, OneCase),
    (rf"{_ONE}/decide", decide),
    (rf"{_ONE}/reverse", reverse),
    (rf"{_ONE}/dismiss", dismiss),
    (rf"{_ONE}/statement", statement),
    (
        rf"{_ONE}/decisions/(?P<decision_number>[0-9]{{4}}-[0-9]{{4}})/pdf",
        file_of(qualification.decision_paper, Permission.QUALIFICATION_READ, rate="60/minute"),
    ),
]
