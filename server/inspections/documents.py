"""A yearly check, what it found, and the figures that stood beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict, Field

from server.inspections.rules import Action, Item, State, blank
from server.kernel import offices
from server.kernel.clock import beijing_date
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said, Topic
from server.kernel.policies import Policies
from server.kernel.reviewed import Reviewed


class Figure(BaseModel):
    """One of the year's figures; `href` is the list that shows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    count: int
    href: str = ""


class Inspection(Found, Reviewed):
    """Of one institution and year. Never deleted; one that was begun by mistake is DROPPED and makes room."""

    collection = "inspections"
    actions = Action

    institution_code: str
    institution_name: str
    province_code: str
    year: int
    items: list[Item] = Field(default_factory=blank)
    figures: list[Figure] = Field(default_factory=list)
    """As they were when the conclusion was drawn; empty before."""
    counted_on: date | None = None
    conclusion: str = ""
    """What the institution reads with the conclusion."""
    mend_by: date | None = None
    reply: str = ""
    """What the institution has mended, in its words."""
    state: State = State.CHECKING
    open: bool = True
    """As its state says (State.open)."""
    counts: bool = True
    """It was not dropped; for the unique index."""

    @property
    def named(self) -> str:
        return f"{self.institution_name} {self.year} 年证书年度检查"

    @property
    def address(self) -> str:
        return f"/admin/inspections/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        """The institution of what is concluded; the province of what is answered. A check under way is the province's own."""
        if taken.action in (Action.BEGIN, Action.RECORD, Action.DROP):
            return []
        answered = taken.action == Action.ANSWER
        office = (
            offices.province(self.province_code) if answered else offices.institution(self.institution_code)
        )
        until = f"，请在 {self.mend_by} 前整改并报告" if self.state is State.TO_MEND and self.mend_by else ""
        return [Said(office, Topic.DECIDED, f"{self.named}：{self.called(taken)}{until}。", self.address)]

    def names(self) -> Iterable[str]:
        return (self.institution_name,)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state), ("year", self.year))


@dataclass(frozen=True)
class InspectionFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    year: int | None = None
    state: State | None = None
    province_code: str = ""


def dated(found: Inspection, terms: Policies) -> tuple[date, date]:
    """Since when it waits, and until when it is to be done."""
    since = beijing_date(found.history[-1].at)
    if found.state is State.TO_MEND and found.mend_by:
        return since, found.mend_by
    return since, since + timedelta(days=terms.review_days)
