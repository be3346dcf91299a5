"""Cases of dynamic management (articles 5.3 and 9.1), and the early warnings before them. Nothing here is ever deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from server.kernel import offices
from server.kernel.clock import beijing_date
from server.kernel.hearings import Hearing
from server.kernel.history import Step
from server.kernel.mongo import Document, new_id
from server.kernel.offices import Said, Topic
from server.kernel.reviewed import Reviewed, decided
from server.qualification.rules import Action, Grade, Outcome, Rule, State, Subject


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(Part):
    """Something that a case rests on, as it was when the case was opened."""

    title: str
    value: str


class Statement(Part):
    """What the teacher or the base had to say."""

    text: str
    by: str
    at: datetime


class Decision(Part):
    """A decision. A later one may take it back; it stays as it was taken."""

    id: str = Field(default_factory=new_id)
    number: str
    """The year and an order without gaps: 2026-0001."""
    outcome: Outcome
    reason: str
    effective_on: date
    decided_at: datetime
    decided_by: str
    reverses: str | None = None
    """The number of the decision that this one takes back."""


class About(Document):
    """Whom something is about and why. An institution sees its own by `institution_code`; teachers have none here."""

    subject: Subject
    subject_id: str
    """A person's id; of an institution its code and the number of its qualification, 019-1."""
    name: str
    """Of a case as on the day of its decision: the paper prints it."""
    unit_name: str
    """Where the teacher works; empty for an institution."""
    province_code: str
    institution_code: str | None
    qualification_number: int | None
    rule: Rule
    key: str
    """Names the period for good: see rules.Verdict."""
    first: date
    last: date


class Case(About, Reviewed):
    """One subject, one rule, one period (unique); of one subject and rule only one case is open at a time."""

    collection = "qualification_cases"
    actions = Action

    facts: list[Fact]
    opened_on: date
    state_until: date
    """The last day on which it may be stated."""
    state: State = State.OPEN
    open: bool = True
    """As its state says (State.open), for the unique index."""
    settled_on: date | None = None
    """When it was last closed: what was before that day is not held against the subject again."""
    statements: list[Statement] = Field(default_factory=list)
    request_id: str | None = None
    """The province's request to withdraw the base, which the centre decides."""
    decisions: list[Decision] = Field(default_factory=list)

    def tells(self, taken: Step) -> Sequence[Said]:
        """Its province, and the institution that it is about, of what was decided (articles 5.3 and 9.1)."""
        if taken.action not in (Action.DECIDE, Action.WITHDRAW, Action.DISMISS, Action.REVERSE):
            return []
        words, href = f"{self.name}的动态管理事项：{self.called(taken)}", f"/admin/qualification/{self.id}"
        here = offices.province(self.province_code)
        return [Said(here, Topic.DECIDED, words, href), *decided(self.institution_code, words, href, taken)]

    @property
    def named(self) -> str:
        return f"{self.name}，{self.rule.label}"

    @property
    def address(self) -> str:
        return f"/admin/qualification/{self.id}"

    @property
    def heard_on(self) -> date:
        """When it can be judged: stated, or the days for that over."""
        if self.state is State.OPEN:
            return self.state_until + timedelta(days=1)
        return beijing_date(self.history[-1].at)

    @property
    def hearing(self) -> Hearing:
        return Hearing(self.state_until, bool(self.statements))

    @property
    def decision(self) -> Decision | None:
        """The latest."""
        return self.decisions[-1] if self.decisions else None


class EarlyWarning(About):
    """An early warning, given once for subject, rule, period and grade (unique)."""

    grade: Grade
    given_on: date


@dataclass(frozen=True)
class CaseFilter:
    """What the list of cases is narrowed to; what is empty matches everything."""

    subject: Subject | None = None
    rule: Rule | None = None
    state: State | None = None
    province_code: str = ""
    subject_id: str = ""
    institution_code: str = ""


@dataclass(frozen=True)
class WarningFilter:
    rule: Rule | None = None
    grade: Grade | None = None
    province_code: str = ""
    institution_code: str = ""
