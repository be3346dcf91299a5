"""Versions of training schemes, with who wrote, signed, discussed and reviewed each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from server.institutions.rules import Level
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Row
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.schemes.content import Content
from server.schemes.rules import GONE, Action, State
from server.venues.rules import VenueFlag


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Signature(_Part):
    """A teacher's signature under exactly this version: a later version has none of it."""

    person_id: str
    name: str
    at: datetime


class Remark(_Part):
    """Said about this version by a teacher or the institution."""

    at: datetime
    author_id: str
    author_name: str
    text: str
    nonce: str | None = None
    """The phone's: the same remark sent twice is one."""


class SchemeVersion(Found, Reviewed):
    """One saved version of the scheme of a class; its content never changes. Unique by class and version."""

    collection = "scheme_versions"
    actions = Action
    in_hand: ClassVar[Row] = {"newest": True, "state": {"$nin": sorted(GONE)}}

    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    level: Level
    starts_on: date
    """The first day of the class, as it was when this version was saved."""
    version: int
    newest: bool = True
    """No later version has been saved: only this one can be signed, filed and reviewed."""
    state: State
    content: Content
    saved_at: datetime
    saved_by: str
    saved_by_teacher: bool = False
    """Written by a teacher of the class; otherwise by the institution (article 4.3: 共同设计制订)."""
    venue_flags: list[VenueFlag] = Field(default_factory=list)
    """What of its places the province has to resolve (article 11), as it was when the version was filed."""
    venue_note: str = ""
    """What the province found out about them."""
    signatures: list[Signature] = Field(default_factory=list)
    remarks: list[Remark] = Field(default_factory=list)
    history: list[Step] = Field(default_factory=list)

    @property
    def named(self) -> str:
        return f"“{self.class_name}”的培训方案第 {self.version} 版"

    @property
    def address(self) -> str:
        return f"/admin/classes/{self.class_id}/scheme"

    def tells(self, taken: Step) -> Sequence[Said]:
        words = {
            Action.APPROVE: f"“{self.class_name}”的培训方案第 {self.version} 版已通过，课次和任务已生成",
            Action.RETURN: f"“{self.class_name}”的培训方案第 {self.version} 版已退回",
        }.get(Action(taken.action))
        href, back = f"/admin/classes/{self.class_id}/scheme", taken.action == Action.RETURN
        return decided(self.institution_code, words, href, taken, back=back) if words else []

    def names(self) -> Iterable[str]:
        return (self.class_name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (
            ("level", self.level),
            ("year", self.starts_on.year),
            ("month", self.starts_on.month),
        )

    def naming(self, called: Mapping[str, str]) -> SchemeVersion:
        """The same with these people (by id) as they are called: its teachers, who wrote, signed and remarked."""
        told = {
            "content": self.content.naming(called),
            "saved_by": called.get(self.author_id, self.saved_by),
            "signatures": [
                one.model_copy(update={"name": called.get(one.person_id, one.name)})
                for one in self.signatures
            ],
            "remarks": [
                one.model_copy(update={"author_name": called.get(one.author_id, one.author_name)})
                for one in self.remarks
            ],
            "history": [
                one.model_copy(update={"actor_name": called.get(one.actor_id, one.actor_name)})
                for one in self.history
            ],
        }
        return self.model_copy(update=told)

    @property
    def author_id(self) -> str:
        return self.history[0].actor_id

    @property
    def signed_by(self) -> set[str]:
        return {one.person_id for one in self.signatures}

    @property
    def filed_at(self) -> datetime | None:
        filed = self.last(Action.FILE)
        return filed.at if filed else None


@dataclass(frozen=True)
class SchemeFilter:
    """What a list of schemes is narrowed to: the states of their newest versions, and what else is not empty."""

    states: Collection[State]
    words: str = ""
    """Part of the name of the class or of its institution."""
    level: str = ""
    year: int | None = None
    month: int | None = None
    """In which the class begins."""
    province_code: str = ""
