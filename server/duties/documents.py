"""What the duties of article 8 keep of their own: follow-up guidance, and who was told that tasks are owed."""

from __future__ import annotations

from datetime import date, datetime

from server.duties.rules import State, Way
from server.kernel.mongo import Document
from server.kernel.reviewed import Reviewed


class Guidance(Reviewed):
    """Guidance that a teacher gave a former trainee of a class (article 8.4.6), as the teacher logged it. Unique by teacher and nonce."""

    collection = "guidance"

    teacher_id: str
    teacher_name: str
    trainee_id: str
    trainee_name: str
    class_id: str
    class_name: str
    year: int
    """The calendar year of `given_on`."""
    given_on: date
    way: Way
    about: str
    minutes: int
    nonce: str
    state: State = State.WAITING
    logged_at: datetime

    @property
    def objection(self) -> str:
        """Why the trainee disputes it; empty where it is not disputed."""
        return self.history[-1].reason if self.state is State.DISPUTED else ""


class DutyWarning(Document):
    """That a teacher was told in a year what is still owed of it. Unique by both."""

    teacher_id: str
    year: int
    required: int
    done: int
    planned: int
    told_at: datetime
