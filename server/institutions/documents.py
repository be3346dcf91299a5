"""Institutions (培训机构), what each is qualified for with every version of it, and what a province asks of the centre."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import Field

from server.institutions.rules import (
    Qualification,
    QualificationAction,
    QualificationKind,
    QualificationStatus,
    RequestAction,
    RequestPurpose,
    RequestState,
)
from server.kernel import offices
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said, Topic
from server.kernel.reviewed import Reviewed


class QualificationVersion(Step):
    """A version of a qualification: how it stood after somebody acted on it. Versions are only ever added (article 25.4).

    `number` is the qualification's place in the institution's list, from 1; that list never shrinks. `before` is None for what made it.
    """

    number: int
    effective_on: date
    before: Qualification | None
    after: Qualification
    request_id: str | None = None
    """The province's request that the centre decided, where there was one."""

    @property
    def title(self) -> str:
        return QualificationAction(self.action).label


class Institution(Found):
    """`id` is the 培训机构号 of annex 1. It carries its own code once more, so that a jurisdiction selects it like any document.

    No institution is ever deleted, so that the ids of this collection are the register of every code ever given.
    """

    institution_code: str
    province_code: str
    name: str
    former_names: list[str] = Field(default_factory=list)
    """How it was called before its name was corrected: rosters and the pool may still say so. Nobody else may be called so."""
    qualifications: list[Qualification] = Field(default_factory=list)
    to_confirm: bool = False
    """待核: the majors and the validity of the first qualification are a seed and not yet confirmed by the centre."""
    versions: list[QualificationVersion] = Field(default_factory=list)
    """Oldest first."""

    def names(self) -> Iterable[str]:
        return (self.name,)

    def holds(self, kind: QualificationKind, today: date) -> bool:
        """Whether it holds a valid qualification of this kind."""
        return any(held.kind is kind and held.is_valid(today) for held in self.qualifications)

    def awaits_confirmation(self, number: int) -> bool:
        return self.to_confirm and number == 1

    def versions_of(self, number: int) -> list[QualificationVersion]:
        return [version for version in self.versions if version.number == number]


@dataclass(frozen=True)
class InstitutionFilter:
    """What a list of institutions is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name, or the code."""
    province_code: str = ""
    kind: QualificationKind | None = None
    status: QualificationStatus | None = None
    to_confirm: bool = False


EVERY_INSTITUTION = InstitutionFilter()


class BaseRequest(Reviewed):
    """What a province asks of the centre about a 教师培训基地: to become one, for more 专业大类, to suspend, resume or withdraw it."""

    collection = "base_requests"
    actions = RequestAction

    purpose: RequestPurpose
    province_code: str
    institution_code: str | None = None
    """None as long as the school is no institution: an approval gives it its code."""
    institution_name: str
    qualification_number: int | None = None
    """Which qualification is to be suspended, resumed or withdrawn."""
    majors: list[str] = Field(default_factory=list)
    reason: str
    state: RequestState = RequestState.SUBMITTED
    open: bool = True
    """As its state says (RequestState.open), for the unique index."""
    submitted_at: datetime

    @property
    def named(self) -> str:
        return f"{self.purpose.label}“{self.institution_name}”"

    @property
    def address(self) -> str:
        return f"/admin/recommendations/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        told = {
            RequestAction.APPROVE: (Topic.DECIDED, "已核准"),
            RequestAction.DECLINE: (Topic.RETURNED, f"不予核准，理由：{taken.reason}"),
        }.get(RequestAction(taken.action))
        if told is None:
            return []
        words = f"{self.purpose.label}“{self.institution_name}”{told[1]}"
        return [
            Said(offices.province(self.province_code), told[0], words, f"/admin/recommendations/{self.id}")
        ]

    @property
    def decision(self) -> Step | None:
        """The centre's last word on it."""
        return self.last(RequestAction.APPROVE, RequestAction.DECLINE)
