"""The pool of backbone teachers (骨干教师库, article 9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import Field

from server.backbone.rules import PoolStatus, Proof, YearFigures
from server.kernel.history import Step
from server.kernel.mongo import Document


class StatusStep(Step):
    """A decision about a member's status, in force from `effective_on` on. Steps are only ever added (article 25.4)."""

    status: PoolStatus
    effective_on: date
    case_id: str | None = None
    """The case of the qualification review that led to it, where there was one."""


class PoolMember(Document):
    """A registered backbone teacher; `id` is the person's."""

    name: str
    id_number_masked: str
    province_code: str
    work_unit: str
    majors: list[str]
    """Codes of the 专业大类 that the teacher is registered for."""
    registered_at: datetime
    registered_by: str
    certificate_number: str | None = None
    """Of the 骨干教师培训合格证书; None for those registered without one on the platform."""
    proof: Proof
    """What the registration rests on: the ledger of certificates, or a paper from before the platform with its number and day."""
    paper_number: str = ""
    paper_dated_on: date | None = None
    decision_id: str | None = None
    """The decision that registered the list this teacher stood on; None for a direct registration."""
    status: PoolStatus = PoolStatus.ACTIVE
    """In force since `status_since`, or since registration."""
    status_since: date | None = None
    due_on: date | None = None
    """When a decided status takes effect that is not in force yet."""
    history: list[StatusStep] = Field(default_factory=list)
    """In the order of the decisions."""
    figures: list[YearFigures] = Field(default_factory=list)
    """Of this year and those before, newest first, as the daily work has reckoned them up."""
    marks: list[str] = Field(default_factory=list)
    """What the figures are searched by (rules.marks)."""
    grams: list[str] = Field(default_factory=list)
    """What a part of the name or of the work unit is searched by (kernel.grams)."""

    @property
    def active(self) -> bool:
        """Whether this teacher may be invited and recommended, and works as a backbone teacher on the phone."""
        return self.status is PoolStatus.ACTIVE

    def figures_of(self, year: int) -> YearFigures:
        """Zeros for a year that is not kept."""
        return next((one for one in self.figures if one.year == year), YearFigures(year=year))


@dataclass(frozen=True)
class PoolFilter:
    """What the pool is narrowed to; what is empty matches everything."""

    words: str = ""
    """Parts of the name or of the work unit, each of which must be there."""
    province_code: str = ""
    major: str = ""
    certificate_number: str = ""
    """In whole."""
    status: PoolStatus | None = None
    marks: tuple[str, ...] = ()
    """Of a year's tasks and satisfaction, as rules.mark writes them."""


WHOLE_POOL = PoolFilter()
