"""调动: how a person came from one unit or province to another. Never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from server.kernel import offices
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said, Topic
from server.kernel.reviewed import Reviewed
from server.moves.rules import SETTLING, Action, State


class Move(Found, Reviewed):
    """Of one person one is open at a time (unique by person)."""

    collection = "moves"
    actions = Action

    person_id: str
    name: str
    id_number_masked: str
    backbone: bool
    from_unit: str
    from_province: str
    to_unit: str
    to_province: str
    province_code: list[str]
    """Both, so that a jurisdiction selects it for either; so for `institution_code`, of the units that are institutions."""
    institution_code: list[str]
    effective_on: date
    took_effect_on: date | None = None
    """Later than `effective_on` where it was confirmed later."""
    reason: str
    asked_by: str
    """The office (kernel.offices)."""
    pending: list[str]
    """Codes of the provinces that have not confirmed yet."""
    state: State = State.ASKED
    open: bool = True
    """As its state says (State.open), for the unique index."""

    @property
    def words(self) -> str:
        return f"{self.name}老师自 {self.effective_on} 起由{self.from_unit}调至{self.to_unit}"

    @property
    def named(self) -> str:
        return self.words

    @property
    def address(self) -> str:
        return f"/admin/moves/{self.id}"

    def names(self) -> Iterable[str]:
        return (self.name, self.from_unit, self.to_unit)

    def number(self) -> str:
        return self.id_number_masked

    def facets(self) -> Iterable[tuple[str, object]]:
        """Both sides too: one index cannot hold two lists beside each other, so that the reach of a list is one of the words."""
        yield from (("state", self.state), ("person", self.person_id))
        yield from (("province_code", one) for one in self.province_code)
        yield from (("institution_code", one) for one in self.institution_code)
        yield from (("pending", one) for one in self.pending)

    @property
    def sides(self) -> list[str]:
        """The offices of both sides."""
        provinces = [offices.province(one) for one in self.province_code]
        return [*provinces, *(offices.institution(one) for one in self.institution_code)]

    def tells(self, taken: Step) -> Sequence[Said]:
        """Both provinces of what is asked or taken back; all sides of what takes effect; who asked of the rest."""
        said = f"{self.words}：{self.called(taken)}{f'，理由：{taken.reason}' if taken.reason else ''}"
        if taken.action in (Action.ASK, Action.WITHDRAW):
            to = [offices.province(one) for one in self.province_code]
        else:
            to = self.sides if taken.action in SETTLING else [self.asked_by]
        return [Said(one, Topic.MOVED, said, f"/admin/moves/{self.id}") for one in to]


@dataclass(frozen=True)
class MoveFilter:
    words: str = ""
    """Parts of the name or of a unit, each of which must be there."""
    state: State | None = None
    waiting: bool | None = None
    """Only those that wait for the actor's province."""
    province_code: str = ""
    person_id: str = ""


@dataclass(frozen=True)
class Subject:
    """Who is to move, and where they are now."""

    person_id: str
    name: str
    id_number_masked: str
    shows_number: bool
    """Whether the actor sees its last digits: the pool tells everybody who is in it, and their number to none but their own."""
    backbone: bool
    work_unit: str
    province_code: str
