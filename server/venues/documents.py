"""Places of a class that were typed after its approval and may be ones that article 11 forbids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Row
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.venues.rules import Action, State, VenueFlag


class PlaceCheck(Found, Reviewed):
    """A place of a class and what the province said of it; of one place one stands at a time (unique by class and key)."""

    collection = "place_checks"
    actions = Action
    in_hand: ClassVar[Row] = {"state": State.WAITING}

    class_id: str
    class_name: str
    institution_code: str
    institution_name: str
    province_code: str
    place: str
    key: str
    """The place without spaces and widths."""
    flags: list[VenueFlag]
    reason: str
    """Why it is wanted, in the institution's words; where the province resolved it with a scheme, which scheme."""
    state: State
    note: str = ""
    """What the province found out."""

    @property
    def named(self) -> str:
        return f"“{self.class_name}”的地点“{self.place}”"

    @property
    def address(self) -> str:
        return f"/admin/places/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        words = f"“{self.class_name}”的地点“{self.place}”：{self.state.label}"
        settled = taken.action in (Action.RESOLVE, Action.REFUSE)
        return decided(self.institution_code, words, f"/admin/places/{self.id}", taken) if settled else []

    def names(self) -> Iterable[str]:
        return (self.place, self.class_name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state),)


@dataclass(frozen=True)
class PlaceFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the place, the class or the institution."""
    state: State | None = None
    province_code: str = ""
