"""Requests to change how a class runs, and classes that were called off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from server.attendance.documents import TeachingSession
from server.institutions.rules import Level
from server.interruptions.rules import Action, Ground, Kind, State
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided


class Move(BaseModel):
    """A session that is to be held at another time, or, with None, not at all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session_id: str
    title: str
    hours: int
    before: datetime
    after: datetime | None
    was_cancelled: bool = False
    """Not to be held when it was asked for (taken up again by a 延期, or by revoking a 暂停)."""

    @classmethod
    def of(cls, session: TeachingSession, after: datetime | None) -> Move:
        return cls(
            session_id=session.id,
            title=session.title,
            hours=session.hours,
            before=session.starts_at,
            after=after,
            was_cancelled=session.cancelled_at is not None,
        )


class LaterClass(BaseModel):
    """Where the people of a class finish (转班补学)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    class_id: str
    class_name: str
    institution_code: str
    institution_name: str


class ClassChange(Found, Reviewed):
    """It is never deleted: with its before and after it is a part of the class's history. Of one class one request waits at a time."""

    collection = "class_changes"
    actions = Action

    kind: Kind
    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    level: Level
    ground: Ground
    reason: str
    before: tuple[date, date]
    """First and last day of the class when it was asked for."""
    starts_on: date | None = None
    ends_on: date | None = None
    """The days that the class is to have (暂停, 延期)."""
    suspended_from: date | None = None
    suspended_until: date | None = None
    moves: list[Move] = Field(default_factory=list)
    later: LaterClass | None = None
    person_ids: list[str] = Field(default_factory=list)
    """Whom it is about: those who go to a later class, or were enrolled when the class was called off."""
    revokes: str | None = None
    """The approved change that is to be undone."""
    revoked_words: str = ""
    """What that one was, in a line."""
    state: State = State.SUBMITTED
    open: bool = True
    """As its state says (State.open), for the unique index."""
    filed_at: datetime

    @property
    def named(self) -> str:
        return f"“{self.class_name}”的{self.kind.label}"

    @property
    def address(self) -> str:
        return f"/admin/changes/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        href = f"/admin/changes/{self.id}"
        match taken.action:
            case Action.APPROVE:
                words = f"“{self.class_name}”的{self.kind.label}已批准：{self.words}"
                return decided(self.institution_code, words, href, taken)
            case Action.RETURN | Action.DECLINE:
                words = f"“{self.class_name}”的{self.kind.label}：{self.called(taken)}"
                return decided(self.institution_code, words, href, taken, back=True)
        return []

    def names(self) -> Iterable[str]:
        return (self.class_name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state), ("kind", self.kind), ("ground", self.ground))

    @property
    def words(self) -> str:
        """What is wanted, in a line."""
        match self.kind:
            case Kind.SUSPEND:
                return f"{self.suspended_from} 至 {self.suspended_until} 暂停，改至 {self.ends_on} 结束"
            case Kind.POSTPONE:
                return f"改为 {self.starts_on} 至 {self.ends_on}"
            case Kind.TRANSFER:
                return f"{len(self.person_ids)} 人转入“{self.later.class_name if self.later else ''}”"
            case Kind.TERMINATE:
                return "不再举办，已上的课次和课时保留"
            case Kind.REVOKE:
                return f"不再执行已批准的变更“{self.revoked_words}”，仍为 {self.starts_on} 至 {self.ends_on}"
            case Kind.CALL_OFF:
                return f"原定 {self.before[0]} 开班，{len(self.person_ids)} 名学员退出"

    @property
    def returned(self) -> Step | None:
        """Who last sent it back, and why."""
        return self.last(Action.RETURN, Action.DECLINE)


@dataclass(frozen=True)
class ChangeFilter:
    """What a list of changes is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name of the class or of its institution."""
    state: State | None = None
    kind: Kind | None = None
    ground: Ground | None = None
    province_code: str = ""
