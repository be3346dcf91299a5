"""Annual training plans (年度培训计划): one document a version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from pydantic import Field

from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Document, Row
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.plans.rules import Action, PlanItem, State
from server.plans.window_rules import Report


class Plan(Found, Reviewed):
    """One version of an institution's plan of a year; unique by institution, year and version. No version is ever removed."""

    collection = "plans"
    actions = Action
    in_hand: ClassVar[Row] = {"state": {"$nin": [State.SUPERSEDED, State.DISCARDED]}}

    institution_code: str
    institution_name: str
    province_code: str
    year: int
    version: int
    state: State
    items: list[PlanItem]
    to_apply: list[str] = Field(default_factory=list)
    """Of a version in force: ids of the items for which no 开班申请 is under way and no class was made, in order."""
    to_apply_since: dict[str, datetime] = Field(default_factory=dict)
    """By id of these, from when on somebody has had to apply: the first approval that had the item as it is, or the end of an
    application. Of others since this version was approved."""

    @property
    def named(self) -> str:
        return f"{self.name}第 {self.version} 版"

    @property
    def address(self) -> str:
        return f"/admin/plans/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        words = {
            Action.APPROVE: f"{self.year} 年培训计划第 {self.version} 版已批准，可以申请开班",
            Action.RETURN: f"{self.year} 年培训计划第 {self.version} 版已退回",
        }.get(Action(taken.action))
        back = taken.action == Action.RETURN
        return (
            decided(self.institution_code, words, f"/admin/plans/{self.id}", taken, back=back)
            if words
            else []
        )

    def names(self) -> Iterable[str]:
        return (self.institution_name, *(item.title for item in self.items))

    def facets(self) -> Iterable[tuple[str, object]]:
        of_items = (
            (name, value)
            for one in self.items
            for name, value in (("level", one.level), ("month", one.month))
        )
        return (("year", self.year), ("state", self.state), *of_items)

    @property
    def name(self) -> str:
        return f"{self.institution_name} {self.year} 年培训计划"

    @property
    def items_to_apply(self) -> list[PlanItem]:
        return [item for item in self.items if item.id in self.to_apply]

    def waits_since(self, item_id: str) -> datetime:
        """Of an item to apply for."""
        approved = self.last(Action.APPROVE) or self.history[-1]
        return self.to_apply_since.get(item_id, approved.at)

    @property
    def places(self) -> int:
        return sum(item.places for item in self.items)

    @property
    def budget_fen(self) -> int:
        return sum(item.budget_fen for item in self.items)


class WindowVersion(Step):
    """How a window stood after a step."""

    opens_on: date
    closes_on: date
    words: str


class PlanWindow(Document):
    """When plans of a year are due: for the country (no province) or for one province. Unique by both; versions are only ever added."""

    province_code: str
    """Empty for the whole country."""
    year: int
    opens_on: date
    closes_on: date
    words: str
    withdrawn: bool = False
    history: list[WindowVersion]


@dataclass(frozen=True)
class ReportFilter:
    """Of one year; what else is empty matches everything."""

    year: int
    report: Report | None = None
    province_code: str = ""
    outstanding: bool = False


@dataclass(frozen=True)
class Reported:
    """When a plan of a year came, and until when it was due."""

    filed_on: date | None
    due_on: date | None
    late: bool


@dataclass(frozen=True)
class ReportRow(Reported):
    """An institution and how far it is with its plan."""

    id: str
    """Its code."""
    name: str
    province_code: str
    report: Report
    plan_id: str | None
    """Of the latest version."""


@dataclass(frozen=True)
class PlanFilter:
    """What a list of plans is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name of the institution or of one of the plan's items."""
    year: int | None = None
    state: State | None = None
    level: str = ""
    month: int | None = None
    """Of one and the same item, where level and month are both given."""
    province_code: str = ""
