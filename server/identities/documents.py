"""A request to release the phone of a person whose card was seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from server.accounts.proofs import Authority
from server.classes.belonging import Keeper
from server.identities.rules import Action, State
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided


class ReleaseRequest(Found, Reviewed):
    """Of one person one is open at a time. `institution_code` is the asker's, `province_code` that of the keeper's province."""

    collection = "release_requests"
    actions = Action

    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    keeper: Authority
    keeper_code: str
    reason: str
    """What card was seen, and why the old phone cannot let go by itself."""
    due_on: date
    """The day on which it was asked: decided the same day."""
    state: State = State.ASKED
    open: bool = True
    """As its state says (State.open), for the unique index."""

    def names(self) -> Iterable[str]:
        return (self.name, self.class_name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state),)

    @property
    def kept_by(self) -> Keeper:
        return Keeper(self.keeper, self.keeper_code)

    def tells(self, taken: Step) -> Sequence[Said]:
        words = f"“{self.class_name}”有人员的微信解绑申请：{self.state.label}"
        settled = taken.action in (Action.RELEASE, Action.DECLINE)
        return (
            decided(self.institution_code, words, f"/admin/release-requests/{self.id}", taken)
            if settled
            else []
        )

    @property
    def decision(self) -> Step | None:
        return self.last(Action.RELEASE, Action.DECLINE)


@dataclass(frozen=True)
class ReleaseFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the person's name, or of that of the class or the institution that asks."""
    state: State | None = None
