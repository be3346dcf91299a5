"""动态管理: a backbone teacher's own standing by article 9.1, early warnings, cases, and the statement of a case."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Request, Response, operation
from miniprogram_api.screening import flag, hear
from server.backbone.rules import PoolStatus
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.paper import PaperLacksCharacter
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.qualification import paper
from server.qualification import service as qualification
from server.qualification.coming import Coming
from server.qualification.documents import Case, Decision, EarlyWarning
from server.qualification.rules import CaseSettled, Grade, Outcome, Rule, State, StatementOver
from server.qualification.service import Standing, StatementDraft, TooManyStatements


class FactAnswer(Response):
    title: str
    value: str


class StatementAnswer(Response):
    text: str
    at: datetime


class DecisionAnswer(Response):
    number: str
    outcome: Outcome
    outcome_title: str
    reason: str
    effective_on: date
    decided_at: datetime
    reverses: str | None
    """The number of the decision that this one takes back."""


class CaseAnswer(Response):
    id: str
    rule: Rule
    rule_title: str
    article: str
    first: date
    last: date
    state: State
    state_title: str
    opened_on: date
    state_until: date
    """The last day on which it may be stated."""
    may_state: bool
    facts: list[FactAnswer]
    statements: list[StatementAnswer]
    decisions: list[DecisionAnswer]
    """Oldest first; each has its paper at `/teaching/qualification-cases/{id}/decisions/{number}/pdf`."""


class ComingAnswer(Response):
    class_name: str
    starts_on: date


class WarningAnswer(Response):
    rule: Rule
    rule_title: str
    grade: Grade
    grade_title: str
    first: date
    last: date
    """For a warning of idleness the day on which the two years were to be full."""
    given_on: date
    holds: bool
    """Whether it holds today too: no task and no decision has answered it since."""
    coming: ComingAnswer | None
    """The next class that I have accepted: it answers the warning once it begins."""


class StandingAnswer(Response):
    status: PoolStatus
    status_title: str
    status_since: date | None
    registered_on: date
    idle_since: date
    """The day on which the two years begin: the last task's, the registration's, or that of a decision."""
    two_years_full_on: date | None
    """The last day of them; null while a suspension has no end."""
    warnings: list[WarningAnswer]
    cases: list[CaseAnswer]
    """Both newest first."""


class StatementRequest(Request):
    text: Annotated[str, Field(min_length=4, max_length=2000)]
    """The same text again answers the same."""


def case_answer(one: Case, may_state: bool) -> CaseAnswer:
    return CaseAnswer(
        **one.model_dump(include=_TOLD),
        rule_title=one.rule.label,
        article=one.rule.article,
        state_title=one.state.label,
        may_state=may_state,
        facts=[FactAnswer(title=fact.title, value=fact.value) for fact in one.facts],
        statements=[StatementAnswer(text=said.text, at=said.at) for said in one.statements],
        decisions=[decision_answer(decision) for decision in one.decisions],
    )


_TOLD = {"id", "rule", "first", "last", "state", "opened_on", "state_until"}


def decision_answer(one: Decision) -> DecisionAnswer:
    return DecisionAnswer(
        **one.model_dump(include=DecisionAnswer.model_fields.keys() & Decision.model_fields.keys()),
        outcome_title=one.outcome.label,
    )


def warning_answer(one: EarlyWarning, holds: bool, coming: Coming | None) -> WarningAnswer:
    return WarningAnswer(
        **one.model_dump(include={"rule", "grade", "first", "last", "given_on"}),
        rule_title=one.rule.label,
        grade_title=one.grade.label,
        holds=holds,
        coming=ComingAnswer(**vars(coming)) if coming else None,
    )


class QualificationHandler(ApiHandler):
    def case_answer(self, one: Case) -> CaseAnswer:
        today = beijing_date(self.platform.clock.now())
        return case_answer(one, qualification.may_state(self.actor, one, today))


class MyStanding(QualificationHandler):
    @operation(
        Permission.PHONE,
        summary="My standing as a backbone teacher: two years, warnings, cases; also of who is suspended or cancelled",
        answers={200: StandingAnswer},
        problems=(NotFound,),
    )
    async def get(self) -> None:
        self.answer(self._answer(await qualification.my_standing(self.platform, self.actor)))

    def _answer(self, mine: Standing) -> StandingAnswer:
        return StandingAnswer(
            status=mine.member.status,
            status_title=mine.member.status.label,
            status_since=mine.member.status_since,
            registered_on=mine.examined.history.since,
            idle_since=mine.idle_since,
            two_years_full_on=mine.full_on,
            warnings=[
                warning_answer(one, one.id in mine.holding, mine.coming.get(one.id)) for one in mine.warnings
            ],
            cases=[self.case_answer(one) for one in mine.cases],
        )


class Statement(QualificationHandler):
    @operation(
        Permission.PHONE,
        summary="State my case; sent again, it answers the same",
        body=StatementRequest,
        answers={200: CaseAnswer},
        problems=(NotFound, CaseSettled, StatementOver, TooManyStatements),
        rate="30/minute",
        rate_by="phone",
    )
    async def post(self, case_id: str) -> None:
        draft = StatementDraft(text=self.body(StatementRequest).text)
        screened = await hear(self, {"text": draft.text}, qualification.state_own, case_id, draft)
        stated = await qualification.state_own(self.platform, self.actor, case_id, draft)
        await flag(self, screened, f"case:{case_id}", "动态管理的陈述")
        self.answer(self.case_answer(stated))


class DecisionPdf(QualificationHandler):
    @operation(
        Permission.PHONE,
        summary="The paper of a decision about me as PDF",
        answers={200: "application/pdf"},
        problems=(NotFound, PaperLacksCharacter),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, case_id: str, decision_number: str) -> None:
        one = await qualification.my_case(self.platform, self.actor, case_id)
        content = await paper.pdf(one, decision_number)
        self.set_header("Content-Type", "application/pdf")
        self.set_header("Content-Disposition", f'inline; filename="decision-{decision_number}.pdf"')
        await self.finish(content)


_CASE = r"/api/v1/teaching/qualification-cases/(?P<case_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/api/v1/teaching/qualification", MyStanding),
    (rf"{_CASE}/statement", Statement),
    (rf"{_CASE}/decisions/(?P<decision_number>[0-9]{{4}}-[0-9]{{4}})/pdf", DecisionPdf),
]
