"""A request to release the phone of a person whose card was seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.accounts.proofs import Authority
from server.classes.belonging import Keeper
from server.identities.rules import Action, State
from server.kernel.history import Step
from server.kernel.reviewed import Reviewed


class ReleaseRequest(Reviewed):
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

    @property
    def kept_by(self) -> Keeper:
        return Keeper(self.keeper, self.keeper_code)

    @property
    def decision(self) -> Step | None:
        return self.last(Action.RELEASE, Action.DECLINE)


@dataclass(frozen=True)
class ReleaseFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the person's name, or of that of the class or the institution that asks."""
    state: State | None = None
