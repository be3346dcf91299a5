"""A recommendation for the selection, the list of those who passed, and the decision that registers it (articles 7 and 9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict, Field

from server.institutions.rules import MAJORS, Level
from server.kernel import offices
from server.kernel.history import Step
from server.kernel.mongo import Document
from server.kernel.offices import Said, Topic
from server.kernel.reviewed import Reviewed
from server.selection.rules import Action, ListAction, ListState, State


class Paper(BaseModel):
    """A file that supports the recommendation; its type was read from its content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    media_type: str
    size: int


class Nominee(Reviewed):
    """推荐: a teacher whom a province recommends. The ID number is encrypted; one open recommendation a person."""

    collection = "nominees"
    actions = Action

    province_code: str
    name: str
    id_number: Binary | None
    """None once it was forgotten. The date of birth stands in it and nowhere else: beside the masked number it would give the whole one."""
    id_number_masked: str
    work_unit: str
    major: str
    years_of_teaching: int
    post: str
    """职称."""
    held_level: Level | None = None
    """The highest training certificate that the teacher holds, as the province says."""
    held_number: str = ""
    held_confirmed: bool = False
    """Whether the platform found a valid certificate of that number and level under this ID number."""
    opinion: str
    """The province's words for the recommendation."""
    papers: list[Paper] = Field(default_factory=list)
    removed_papers: list[str] = Field(default_factory=list)
    """Ids of the files that were taken off it again and are kept with it."""
    state: State = State.DRAFT
    open: bool = True
    """As its state says (State.open), for the unique index."""
    submitted_at: datetime | None = None
    closed_at: datetime | None = None
    """When it was settled; None while it is open."""
    forgotten_at: datetime | None = None
    """When it was emptied of what it said of a person (forget.py)."""
    person_id: str | None = None
    """From the enrolment on."""
    class_id: str | None = None
    class_name: str = ""
    institution_code: str | None = None
    """Of the 师资研修中心 whose class it is."""

    @property
    def named(self) -> str:
        return f"{self.name}老师的选拔推荐"

    @property
    def address(self) -> str:
        return f"/admin/selection/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        told = {
            Action.ACCEPT: (Topic.DECIDED, f"对{self.name}老师的选拔推荐已通过，列为候选人"),
            Action.RETURN: (Topic.RETURNED, f"对{self.name}老师的选拔推荐已退回，理由：{taken.reason}"),
            Action.FAIL: (Topic.DECIDED, f"{self.name}老师未通过骨干教师选拔"),
        }.get(Action(taken.action))
        href = f"/admin/selection/{self.id}"
        return [Said(offices.province(self.province_code), *told, href)] if told else []

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name

    @property
    def returned_for(self) -> str:
        """The centre's reason, while the recommendation is back with the province."""
        returned = self.last(Action.RETURN)
        return returned.reason if returned and self.state is State.RETURNED else ""


@dataclass(frozen=True)
class NomineeFilter:
    """What a list of recommendations is narrowed to; what is empty matches everything."""

    state: State | None = None
    province_code: str = ""
    major: str = ""


EVERY_NOMINEE = NomineeFilter()


class Passed(BaseModel):
    """A line of the list: somebody who passed and holds the certificate of the class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: str
    name: str
    id_number_masked: str
    province_code: str
    work_unit: str
    certificate_number: str
    nominee_id: str | None
    """None for somebody who came to the class without a recommendation on the platform."""


class PassList(Reviewed):
    """名单报送: those of one 骨干 class who passed, as its 师资研修中心 reports them."""

    collection = "pass_lists"
    actions = ListAction

    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    """Of the institution."""
    major: str
    training_from: date
    training_to: date
    passed: list[Passed]
    note: str
    state: ListState = ListState.SUBMITTED
    open: bool = True
    """Whether it is not registered yet: one such list a class, by a unique index."""
    submitted_at: datetime
    decision_id: str | None = None

    @property
    def named(self) -> str:
        return f"“{self.class_name}”的合格教师名单"

    @property
    def address(self) -> str:
        return f"/admin/selection/lists/{self.id}"

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name

    @property
    def returned_for(self) -> str:
        returned = self.last(ListAction.RETURN)
        return returned.reason if returned and self.state is ListState.RETURNED else ""


class Registered(Passed):
    """A line of the decision."""

    already: str = ""
    """For somebody who was in the pool before: the status they had then, in Chinese. The decision leaves them as they were."""


class Decision(Document):
    """登记决定: by it the centre registers a list. What it says is fixed; its number is given once."""

    number: str
    """文号."""
    decided_on: date
    list_id: str
    class_name: str
    institution_name: str
    major: str
    training_from: date
    training_to: date
    registered: list[Registered]
    made_at: datetime
    made_by: str

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name
