"""A correction of something published: before, after, why, and who approved it (article 25.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict

from server.corrections.rules import Action, Ground, State, Subject
from server.institutions.rules import Level
from server.kernel.clock import beijing_date
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.venues.rules import VenueFlag, place_flags


class Change(BaseModel):
    """One field: `before` as it read when the correction was asked for, `after` as it shall read. Dates are ISO 8601."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    title: str
    before: str
    after: str


class Correction(Found, Reviewed):
    """A request to correct a class, a trainee's name, ID and phone number or an institution's name. It is never deleted: with its before
    and after it is a version of what it corrected. Of one thing only one request is open at a time."""

    collection = "corrections"
    actions = Action

    subject: Subject
    institution_code: str
    institution_name: str
    province_code: str
    level: Level | None = None
    """Of the class that it is about, or in which the trainee is."""
    class_id: str | None = None
    person_id: str | None = None
    about: str
    """What it is about, in words: the class, the trainee with the class, or the institution, as it was called then."""
    thing: str
    """What it is about, for the unique index and the versions of a thing: a class's, person's or institution's id."""
    changes: list[Change]
    number_before: Binary | None = None
    number_after: Binary | None = None
    """Of a correction of an ID number: the old and the new one, encrypted; `changes` shows them masked."""
    phone_before: Binary | None = None
    phone_after: Binary | None = None
    """The same of a phone number; a person may have had none."""
    ground: Ground | None = None
    reason: str
    state: State = State.SUBMITTED
    open: bool = True
    """As its state says (State.open), for the unique index."""
    submitted_at: datetime

    def names(self) -> Iterable[str]:
        return (self.about, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        asked_on = beijing_date(self.submitted_at)
        of_day = ("year", asked_on.year), ("month", asked_on.month)
        return (("state", self.state), ("subject", self.subject), ("level", self.level), *of_day)

    @property
    def named(self) -> str:
        return f"“{self.about}”的更正"

    @property
    def address(self) -> str:
        return f"/admin/corrections/{self.id}"

    @property
    def wanted(self) -> dict[str, str]:
        return {change.field: change.after for change in self.changes}

    @property
    def before(self) -> dict[str, str]:
        return {change.field: change.before for change in self.changes}

    @property
    def read_then(self) -> dict[str, str]:
        """`before`, where a number is compared whole: as it is encrypted."""
        read = dict(self.before)
        if self.number_before:
            read["id_number"] = self.number_before.hex()
        if self.phone_after:
            read["phone"] = self.phone_before.hex() if self.phone_before else ""
        return read

    @property
    def venue_flags(self) -> list[VenueFlag]:
        """What of a new place the reviewer has to resolve: a flag, never a refusal by itself (article 11)."""
        return place_flags(self.wanted.get("place", ""))

    def tells(self, taken: Step) -> Sequence[Said]:
        words = {
            Action.APPROVE: f"“{self.about}”的更正已核准",
            Action.RETURN: f"“{self.about}”的更正申请已退回",
        }.get(Action(taken.action))
        href, back = f"/admin/corrections/{self.id}", taken.action == Action.RETURN
        return decided(self.institution_code, words, href, taken, back=back) if words else []

    @property
    def decision(self) -> Step | None:
        """The reviewer's last word on it."""
        return self.last(Action.APPROVE, Action.RETURN)


@dataclass(frozen=True)
class CorrectionFilter:
    """What a list of corrections is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of what it is about, or of the name of the institution."""
    state: State | None = None
    subject: Subject | None = None
    level: str = ""
    year: int | None = None
    month: int | None = None
    """In which it was asked for."""
    province_code: str = ""
