"""Who applies for a class, what they need, and what is kept of notice, pledge and arrival."""

from __future__ import annotations

from datetime import datetime

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict, Field

from server.admissions.rules import Action, Question, State
from server.kernel.history import Step
from server.kernel.mongo import Document


class Applicant(Document):
    """The application of one person for one class. Of those that are `open`, one a class and person (a unique index)."""

    class_id: str
    class_name: str
    institution_code: str
    province_code: str
    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    post: str
    years_of_teaching: int
    major_taught: str
    answers: dict[str, str]
    """Of the needs questionnaire, by the key of the question."""
    state: State
    open: bool
    waiting_since: datetime | None = None
    """When both had agreed: the order of the waiting list."""
    history: list[Step]
    cleared_at: datetime | None = None
    """When what it says of the person was removed: it led nowhere, long ago (forget)."""

    @property
    def steps(self) -> list[tuple[Step, Action]]:
        return [(step, Action(step.action)) for step in self.history]

    @property
    def applied_at(self) -> datetime:
        return self.history[0].at

    def reason(self) -> str:
        """Why it was refused, if it was."""
        return self.history[-1].reason if self.state is State.REJECTED else ""


class Note(BaseModel):
    """What teachers or the institution changed because of the needs that were told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: datetime
    author_id: str
    author_name: str
    text: str
    nonce: str | None = None
    """The phone's: the same note sent twice is one."""


class ClassAdmission(Document):
    """What a class says to those who apply and come; `id` is the class's."""

    institution_code: str
    province_code: str
    template_version: int = 0
    """Of the centre's questionnaire when enrolment was opened; 0 is the first one of the platform."""
    questions: list[Question] = Field(default_factory=list)
    """All that applicants answer: the template's questions, then the class's own."""
    to_bring: str
    reporting: str = ""
    """When and where to report, and whom to call."""
    notes: list[Note] = Field(default_factory=list)

    @property
    def own_questions(self) -> list[Question]:
        return [one for one in self.questions if one.key.startswith("c")]


class NeedsTemplate(Document):
    """A version of the centre's questionnaire. Never changed: a newer one supersedes it."""

    version: int
    questions: list[Question]
    reason: str
    set_by: str
    set_at: datetime


class Arrival(Document):
    """What is kept of one trainee's notice, pledge and arrival; unique by class and person."""

    class_id: str
    person_id: str
    institution_code: str
    province_code: str
    notice_opened_at: datetime | None = None
    pledged_at: datetime | None = None
    pledge_version: int | None = None
    """The text version that was signed."""
    pledge_on_paper: bool = False
    evidence_before: str | None = None
    """accounts.rules.Evidence before staff saw the card, should the arrival be undone."""
    number_before: Binary | None = None
    """Of a claim that nobody had checked: its number as it was encrypted until then."""
    history: list[Step] = Field(default_factory=list)
