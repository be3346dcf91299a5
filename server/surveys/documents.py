"""A survey, and the two collections that must never meet: who answered, and what was answered."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from server.kernel.envelopes import Box
from server.kernel.mongo import Document
from server.surveys.rules import Question, SurveyState, Tally, state_at


class Survey(Document):
    """A satisfaction survey of a class (unique by class and part)."""

    class_id: str
    part: int = 1
    """1 is the survey of the class; what follows asks only about who taught or assessed after it had opened (补充评价)."""
    class_name: str
    institution_code: str
    province_code: str
    year: int
    """The calendar year in which the class ends: what the year's mean of a teacher gathers (article 8)."""
    teacher_ids: list[str]
    questions: list[Question]
    opens_at: datetime
    closes_at: datetime
    smallest_group: int
    """The policy on the day the survey was set up; a later change does not uncover anything."""
    created_at: datetime
    created_by: str
    box_id: str | None = None
    """Of the sealed envelopes; None once its key is destroyed."""
    public_key: bytes | None = None
    unsealed_at: datetime | None = None
    """When the envelopes were opened: until then nobody, not even the database, can say what was answered."""
    tallied_at: datetime | None = None
    """When the platform reckoned it up for its teachers' years: once, after it had settled, whether or not it may be shown."""

    @property
    def supplement(self) -> bool:
        return self.part > 1

    @property
    def box(self) -> Box:
        """Only while somebody may answer."""
        assert self.box_id is not None and self.public_key is not None
        return Box(self.box_id, self.public_key)

    def state_at(self, now: datetime) -> SurveyState:
        return state_at(self.opens_at, self.closes_at, now)


class SatisfactionTally(Document):
    """What one survey says of one teacher, for the teacher's year (article 8). Unique by both; only of surveys that may be shown."""

    teacher_id: str
    survey_id: str
    class_id: str
    year: int
    ones: int
    twos: int
    threes: int
    """How often each point was given to any question about the teacher."""
    responses: int
    """How many trainees answered."""

    @property
    def tally(self) -> Tally:
        return Tally((self.ones, self.twos, self.threes))


class Response(Document):
    """What somebody answered: a random id, the survey, and nothing that says who or when."""

    id: str = Field(alias="_id")
    survey_id: str
    answers: dict[str, int | str]
