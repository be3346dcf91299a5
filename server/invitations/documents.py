"""Invitations (邀请函) to backbone teachers."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from server.classes.rules import Kind
from server.institutions.rules import MAJORS, Level
from server.invitations import rules
from server.invitations.rules import Engagement, State
from server.kernel.clock import beijing_date
from server.kernel.history import Step
from server.kernel.mongo import Document


class Invitation(Document):
    """One letter to one teacher. It says of the class what was true when it was sent, or what a correction made of it since."""

    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    level: Level
    major: str
    starts_on: date
    ends_on: date
    class_hours: int
    place: str
    teacher_id: str
    teacher_name: str
    teacher_unit: str
    kind: Kind
    message: str
    state: State = State.SENT
    sent_at: datetime
    reply_by: datetime
    """The moment at which it expires: a midnight in Beijing."""
    remind_at: datetime | None
    """When the teacher is reminded; None once that is done, or where the time is too short for it."""
    history: list[Step]
    work_first: date | None = None
    work_last: date | None = None
    """The first and the last day of own work in the class: own sessions, or own grades (classes.work)."""
    closed: bool = False
    """Whether the results of the class are released."""

    @property
    def reply_until(self) -> date:
        """The last day on which a reply counts."""
        return beijing_date(self.reply_by - timedelta(milliseconds=1))

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name

    @property
    def last(self) -> Step:
        return self.history[-1]

    def state_at(self, now: datetime) -> State:
        return rules.state_at(self.state, self.reply_by, now)

    def engagement(self) -> Engagement:
        return Engagement(self.class_id, self.class_name, self.kind, self.starts_on, self.ends_on)
