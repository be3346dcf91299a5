"""A request to open the released results of a class again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.reopenings.rules import Action, State


class Reopening(Found, Reviewed):
    """Never deleted: with the results that it put out of force it is the history of what was released. One a class is open at a time."""

    collection = "reopenings"

    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    reason: str
    released_at: datetime
    """Of the release that it is about."""
    state: State = State.SUBMITTED
    open: bool = True
    """As its state says (State.open), for the unique index."""

    @property
    def named(self) -> str:
        return f"“{self.class_name}”重新开放成绩的申请"

    @property
    def address(self) -> str:
        return f"/admin/reopenings/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        words = f"“{self.class_name}”成绩重新开放的申请：{self.state.label}"
        settled = taken.action in (Action.APPROVE, Action.DECLINE)
        href = f"/admin/reopenings/{self.id}"
        return decided(self.institution_code, words, href, taken) if settled else []

    def names(self) -> Iterable[str]:
        return (self.class_name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state),)

    @property
    def decision(self) -> Step | None:
        return self.last(Action.APPROVE, Action.DECLINE)


@dataclass(frozen=True)
class ReopeningFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name of the class or of its institution."""
    state: State | None = None
    province_code: str = ""
