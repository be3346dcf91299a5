"""Class applications (开班申请): from an item of an approved plan to a class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from server.applications.rules import Action, State
from server.institutions.rules import MAJORS, Level
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Row
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.plans.rules import PlanItem
from server.venues.rules import VenueFlag


class Venue(BaseModel):
    """Where a class is held; `stars` is declared by the institution, None for a place without a rating (article 11)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    address: str
    stars: int | None

    @property
    def place(self) -> str:
        return f"{self.name}（{self.address}）"

    @property
    def rating(self) -> str:
        return "无星级" if self.stars is None else f"{self.stars} 星级"


class WishedTeacher(BaseModel):
    """A backbone teacher whom the institution would like to have (授课骨干教师的选择倾向, article 4.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: str
    name: str


class Application(Found, Reviewed):
    """At most one holds an item of a plan at a time (unique by item, see rules.HOLDING)."""

    collection = "applications"
    actions = Action
    in_hand: ClassVar[Row] = {"state": {"$in": [State.SUBMITTED, State.RETURNED]}}
    also_written = ("waits_since",)

    institution_code: str
    institution_name: str
    province_code: str
    plan_id: str
    plan_year: int
    plan_version: int
    item: PlanItem
    """As the plan in force had it when the application was handed in."""
    name: str
    level: Level
    major: str
    courses: list[str]
    class_hours: int
    starts_on: date
    ends_on: date
    places: int
    venue: Venue
    venue_flags: list[VenueFlag]
    venue_note: str = ""
    """What the province found out about a flagged venue."""
    warnings: list[str]
    wished: list[WishedTeacher]
    state: State
    class_id: str | None = None

    @property
    def named(self) -> str:
        return f"开班申请“{self.name}”"

    @property
    def address(self) -> str:
        return f"/admin/applications/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        match taken.action:
            case Action.APPROVE:
                words, href = (
                    f"“{self.name}”已批准开班，可以邀请教师、招收学员",
                    f"/admin/classes/{self.class_id}",
                )
                return decided(self.institution_code, words, href, taken)
            case Action.RETURN | Action.RETURN_FOR_DATES:
                words, href = (
                    f"“{self.name}”的开班申请：{self.called(taken)}",
                    f"/admin/applications/{self.id}",
                )
                return decided(self.institution_code, words, href, taken, back=True)
        return []

    def names(self) -> Iterable[str]:
        return (self.name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (
            ("state", self.state),
            ("level", self.level),
            ("year", self.plan_year),
            ("month", self.starts_on.month),
        )

    @property
    def only_dates(self) -> bool:
        """Whether it came back for other dates, and nothing else of it is to be changed."""
        return self.state is State.RETURNED and self.history[-1].action == Action.RETURN_FOR_DATES

    @property
    def waits_since(self) -> datetime | None:
        """Since when the province has it."""
        return self.history[-1].at if self.state is State.SUBMITTED else None

    def overdue(self, filed_by: datetime) -> bool:
        """Whether it waits since that moment or longer."""
        return self.waits_since is not None and self.waits_since <= filed_by

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name


@dataclass(frozen=True)
class ApplicationFilter:
    """What a list of applications is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name of the class or of its institution."""
    state: State | None = None
    level: str = ""
    year: int | None = None
    month: int | None = None
    """In which the class is to begin."""
    province_code: str = ""
