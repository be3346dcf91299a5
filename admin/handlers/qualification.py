"""Dynamic management (动态管理): cases and early warnings, statements, decisions, their papers and reversal (articles 5.3 and 9.1)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import PROVINCE_OPTIONS
from admin.paging import Way
from admin.spreadsheet import send_file
from server.institutions import requests
from server.institutions.documents import BaseRequest
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.qualification import paper
from server.qualification import service as qualification
from server.qualification.coming import coming
from server.qualification.documents import Case, CaseFilter, WarningFilter
from server.qualification.rules import MAY_ACT, TRANSITIONS, Action, Grade, Outcome, Rule, State, Subject
from server.qualification.service import DecisionDraft, Reason, ReversalDraft, StatementDraft

PAGE_SIZE = 20
SUBJECTS = [(subject.value, subject.label) for subject in Subject]
RULES = [(rule.value, f"{rule.subject.label}：{rule.label}") for rule in Rule]
STATES = [(state.value, state.label) for state in State]
GRADES = [(grade.value, grade.label) for grade in Grade if grade is not Grade.CASE]
OUTCOMES = [
    (Outcome.KEPT.value, Outcome.KEPT.label, "不影响资格，两年重新起算"),
    (Outcome.WARNED.value, Outcome.WARNED.label, "保留资格，并提醒本人"),
    (Outcome.CANCELLED.value, Outcome.CANCELLED.label, "自生效日期起不能再受邀授课、考核"),
]


class CaseQuery(BaseModel):
    subject: Subject | None = None
    rule: Rule | None = None
    state: State | None = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    todo: Annotated[str, Field(pattern=r"^yes$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "subject": self.subject or "",
            "rule": self.rule or "",
            "state": self.state or "",
            "province": self.province,
            "todo": self.todo,
        }


class CaseList(PageHandler):
    @allow(Permission.QUALIFICATION_READ)
    async def get(self) -> None:
        query = self.query(CaseQuery)
        way = Way.read("/admin/qualification", query.conditions, query.way)
        found = await qualification.list_cases(
            self.platform,
            self.actor,
            CaseFilter(
                subject=query.subject, rule=query.rule, state=query.state, province_code=query.province
            ),
            todo=bool(query.todo),
            before=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "qualification/list.html",
            rows=rows,
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            subjects=SUBJECTS,
            rules=RULES,
            state_options=STATES,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
        )


class WarningQuery(BaseModel):
    rule: Rule | None = None
    grade: Grade | None = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"rule": self.rule or "", "grade": self.grade or "", "province": self.province}


class WarningList(PageHandler):
    @allow(Permission.QUALIFICATION_READ)
    async def get(self) -> None:
        query = self.query(WarningQuery)
        way = Way.read("/admin/qualification/warnings", query.conditions, query.way)
        found = await qualification.list_warnings(
            self.platform,
            self.actor,
            WarningFilter(rule=query.rule, grade=query.grade, province_code=query.province),
            before=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "qualification/warnings.html",
            rows=rows,
            holding=await qualification.still_holding(self.platform, rows),
            coming=await coming(self.platform, rows),
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            rules=RULES,
            grades=GRADES,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
        )


class OneCase(PageHandler):
    @allow(Permission.QUALIFICATION_READ)
    async def get(self, case_id: str) -> None:
        await self.show(case_id, NO_ERRORS)

    async def show(self, case_id: str, outcome: dict[str, Any], wrong: str = "") -> None:
        """`wrong`: which of the forms came back."""
        found = await qualification.case(self.platform, self.actor, case_id)
        today = beijing_date(self.platform.clock.now())
        self.render_page(
            "qualification/one.html",
            case=found,
            steps=[(step, Action(step.action).label) for step in found.history],
            running=await qualification.running(self.platform, self.actor, found),
            request=await self._request(found),
            outcomes=OUTCOMES,
            may_state=qualification.may_state(self.actor, found, today),
            may_decide=self._may(found, Action.DECIDE),
            must_wait=found.state is State.OPEN and today <= found.state_until,
            may_dismiss=self._may(found, Action.DISMISS),
            may_file=self._may(found, Action.FILE),
            may_reverse=self._may(found, Action.REVERSE)
            and found.decision is not None
            and found.decision.outcome.adverse,
            **outcome | {"wrong": wrong},
        )

    def _may(self, found: Case, action: Action) -> bool:
        there = (found.state, action) in TRANSITIONS[found.subject]
        return there and bool(MAY_ACT[found.subject][action] & self.actor.roles)

    async def _request(self, found: Case) -> BaseRequest | None:
        """The province's request, for those who may read requests."""
        if found.request_id is None or not holds(self.actor, Permission.INSTITUTIONS_READ_REQUESTS):
            return None
        return await requests.request(self.platform, self.actor, found.request_id)

    def back(self, case_id: str) -> None:
        self.see_other(f"/admin/qualification/{case_id}")


class Decide(OneCase):
    @allow(Permission.QUALIFICATION_DECIDE)
    async def get(self, case_id: str) -> None:
        self.back(case_id)

    @allow(Permission.QUALIFICATION_DECIDE)
    async def post(self, case_id: str) -> None:
        try:
            draft = self.form(DecisionDraft)
            found = await qualification.decide(self.platform, self.actor, case_id, draft)
        except (NotFound, Forbidden):
            raise
        except Problem as problem:
            return await self.show(case_id, self.refuse(problem), "decide")
        self.flash(f"已作出“{draft.outcome.label}”的决定，已通知{found.name}。")
        return self.back(case_id)


class Reverse(OneCase):
    @allow(Permission.QUALIFICATION_DECIDE)
    async def get(self, case_id: str) -> None:
        self.back(case_id)

    @allow(Permission.QUALIFICATION_DECIDE)
    async def post(self, case_id: str) -> None:
        try:
            draft = self.form(ReversalDraft)
            found = await qualification.reverse(self.platform, self.actor, case_id, draft)
        except (NotFound, Forbidden):
            raise
        except Problem as problem:
            return await self.show(case_id, self.refuse(problem), "reverse")
        self.flash(f"已撤销原决定，已通知{found.name}。原决定保留在记录中。")
        return self.back(case_id)


class DismissForm(BaseModel):
    reason: Reason


class Dismiss(OneCase):
    @allow(Permission.QUALIFICATION_DISMISS)
    async def get(self, case_id: str) -> None:
        self.back(case_id)

    @allow(Permission.QUALIFICATION_DISMISS)
    async def post(self, case_id: str) -> None:
        try:
            await qualification.dismiss(self.platform, self.actor, case_id, self.form(DismissForm).reason)
        except (NotFound, Forbidden):
            raise
        except Problem as problem:
            return await self.show(case_id, self.refuse(problem), "dismiss")
        self.flash("已终止，资格不受影响。")
        return self.back(case_id)


class StateForBase(OneCase):
    """A base states its case."""

    @allow(Permission.QUALIFICATION_STATE)
    async def get(self, case_id: str) -> None:
        self.back(case_id)

    @allow(Permission.QUALIFICATION_STATE)
    async def post(self, case_id: str) -> None:
        try:
            draft = self.form(StatementDraft)
            await qualification.state_for_base(self.platform, self.actor, case_id, draft)
        except (NotFound, Forbidden):
            raise
        except Problem as problem:
            return await self.show(case_id, self.refuse(problem), "statement")
        self.flash("已提交陈述，省级管理部门可以看到。")
        return self.back(case_id)


class DecisionPdf(PageHandler):
    @allow(Permission.QUALIFICATION_READ, rate="60/minute")
    async def get(self, case_id: str, decision_number: str) -> None:
        found = await qualification.case(self.platform, self.actor, case_id)
        content = await paper.pdf(found, decision_number)
        send_file(self, f"动态管理决定书-{decision_number}.pdf", content, "application/pdf")


_ONE = r"/admin/qualification/(?P<case_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/admin/qualification", CaseList),
    (r"/admin/qualification/warnings", WarningList),
    (_ONE, OneCase),
    (rf"{_ONE}/decide", Decide),
    (rf"{_ONE}/reverse", Reverse),
    (rf"{_ONE}/dismiss", Dismiss),
    (rf"{_ONE}/statement", StateForBase),
    (rf"{_ONE}/decisions/(?P<decision_number>[0-9]{{4}}-[0-9]{{4}})/pdf", DecisionPdf),
]
