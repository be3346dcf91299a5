"""Training classes (培训班), who teaches and who attends them, and rosters on their way in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict, Field

from server.classes import rules
from server.classes.rules import Condition, Kind, Stage
from server.institutions.rules import MAJORS, Level
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Document
from server.kernel.titled import Titled


class ClassTeacher(BaseModel):
    """A backbone teacher of a class (article 6), and what they have accepted to do in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: str
    name: str
    kinds: tuple[Kind, ...] = (Kind.TEACHING, Kind.ASSESSMENT)


class Suspension(BaseModel):
    """The days, both included, on which a class is suspended (暂停)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: date
    last: date
    reason: str

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


class TrainingClass(Found):
    institution_code: str
    institution_name: str
    province_code: str
    name: str
    level: Level
    major: str
    """Code of a 专业大类."""
    courses: list[str]
    class_hours: int
    starts_on: date
    ends_on: date
    place: str
    teachers: list[ClassTeacher] = Field(default_factory=list)
    opened_at: datetime
    results_released_at: datetime | None = None
    """Once set, the class is frozen: see `frozen`."""
    released_by_old_rule: bool = False
    """Its results were released by a version that did not ask whether the hours of the scheme were held (按旧规则公布)."""
    places: int | None = None
    """How many may be enrolled; None: as many as the rosters hold."""
    application_id: str | None = None
    """The 开班申请 whose approval made this class."""
    enrolment_opens: datetime | None = None
    """From when to when teachers may apply in the mini-program; both or neither."""
    enrolment_closes: datetime | None = None
    admitted: int = 0
    """Enrolments of this class, by roster and by application; never more than `places` where those are set."""
    scheme_version: int | None = None
    """The approved version of the 培训方案, which governs courses, sessions and tasks (article 4.3)."""
    condition: Condition = Condition.RUNNING
    """RUNNING, CALLED_OFF or TERMINATED; whether it is suspended is a matter of the day."""
    condition_reason: str = ""
    ended_on: date | None = None
    """When it was called off or terminated."""
    suspensions: list[Suspension] = Field(default_factory=list)
    planned_starts_on: date | None = None
    """Its first day before it was put off for the first time; None while it begins as planned. The number of its certificates keeps
    that month (article 17)."""
    planned_ends_on: date | None = None
    """Its last day before an approved change moved it for the first time; None while it ends as planned."""
    trained_from: date | None = None
    trained_to: date | None = None
    """The first and the last day of sessions that were held and people came to, kept at the release (classes.work)."""
    version: int = 0
    """Counts the use cases that must not overlap: see store.touch."""

    def names(self) -> Iterable[str]:
        return (self.name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        calendar = rules.calendar_words(self.starts_on, self.ends_on, ended=self.condition.ended)
        return (("level", self.level), ("major", self.major), ("year", self.starts_on.year), *calendar)

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name

    def kinds_of(self, person_id: str) -> tuple[Kind, ...]:
        """What somebody does in it; nothing for whoever is none of its teachers."""
        return next((one.kinds for one in self.teachers if one.person_id == person_id), ())

    def who(self, kind: Kind) -> list[ClassTeacher]:
        """Those of its teachers who teach, or who assess."""
        return [one for one in self.teachers if kind in one.kinds]

    @property
    def frozen(self) -> bool:
        """Whether nothing of the class changes any more: check-ins, roster, admissions, sessions, tasks, work, grades and remarks.

        The one predicate. Whoever writes any of these asks it through `classes.service.exclude_release`.
        """
        return self.results_released_at is not None or self.condition.ended

    def recruits_on(self, today: date) -> bool:
        """Whether anybody may still come into the class."""
        return not self.frozen and self.stage_on(today) is not Stage.FINISHED

    @property
    def arrival_required(self) -> bool:
        """Whether 报到 comes before the first check-in (article 10): in every class that was applied for."""
        return self.application_id is not None

    @property
    def planned_first_day(self) -> date:
        return self.planned_starts_on or self.starts_on

    @property
    def put_off(self) -> bool:
        """Whether its days are those of an approved 暂停 or 延期."""
        return bool(self.planned_starts_on or self.planned_ends_on or self.suspensions)

    def stage_on(self, today: date) -> Stage:
        if self.condition.ended:
            return Stage.FINISHED
        return rules.stage(self.starts_on, self.ends_on, today)

    def condition_on(self, today: date) -> Condition:
        suspended = any(one.covers(today) for one in self.suspensions)
        return Condition.SUSPENDED if suspended and not self.condition.ended else self.condition

    def standing_on(self, today: date) -> Titled:
        """What a list says of it in a word: its stage, or what befell it."""
        condition = self.condition_on(today)
        return self.stage_on(today) if condition is Condition.RUNNING else condition


@dataclass(frozen=True)
class ClassFilter:
    """What a list of classes is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name of the class or of its institution."""
    level: str = ""
    major: str = ""
    province_code: str = ""
    year: int | None = None
    """The calendar year in which the class begins."""
    stage: Stage | None = None


@dataclass(frozen=True)
class OpenClassFilter:
    """What a teacher looks for among the classes that are open; what is empty matches everything."""

    province_code: str = ""
    level: str = ""
    major: str = ""
    month: str = ""
    """The month in which the class begins, "2026-03"."""


class EnrolmentSource(StrEnum):
    ROSTER = "roster"
    APPLICATION = "application"
    SELECTION = "selection"


class Enrolment(Found):
    """One person in one class, as the roster or the own application said it. Unique by class and person."""

    class_id: str
    institution_code: str
    province_code: str
    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    post: str
    major_taught: str
    enrolled_at: datetime
    source: EnrolmentSource = EnrolmentSource.ROSTER
    arrival_required: bool = False
    """As the class has it: what a check-in asks stands on one document."""
    arrived_at: datetime | None = None
    arrival_by: str | None = None
    """Who of the staff saw the card (报到)."""
    left_on: date | None = None
    """The day of 退训: the record stays, and the person is of the class no more."""
    history: list[Step] = Field(default_factory=list)
    """Of the row itself: see classes.rules.RosterAction."""

    def names(self) -> Iterable[str]:
        return (self.name,)

    def number(self) -> str:
        return self.id_number_masked

    @property
    def left_reason(self) -> str:
        """Why they left, if they have."""
        return self.history[-1].reason if self.left_on else ""

    def has_come(self, starts_on: date, today: date) -> bool:
        """Whether the person was there: has arrived (报到), or, where the class asks for no arrival, was of it when it began."""
        return self.arrived_at is not None or (not self.arrival_required and today >= starts_on)

    @property
    def there_since(self) -> datetime | None:
        """Since when the person is of the class as one who comes to it: 报到 where it is required, else since they are on its roster; None
        while their arrival is awaited. What ended earlier they were not in."""
        return self.arrived_at if self.arrival_required else self.enrolled_at

    @property
    def awaits_arrival(self) -> bool:
        return self.arrival_required and self.arrived_at is None


class RosterState(StrEnum):
    PREVIEW = "PREVIEW"
    CONFIRMED = "CONFIRMED"


@dataclass(frozen=True)
class WaitingRoster:
    """An upload that nobody has confirmed yet, in short."""

    id: str
    file_name: str
    rows: int
    problems: int
    created_at: datetime


class StoredRosterRow(BaseModel):
    """A row that can be imported; the number and the phone are encrypted."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    row: int
    name: str
    id_number: Binary
    id_number_masked: str
    phone: Binary | None
    work_unit: str
    post: str
    major_taught: str


class StoredRowProblem(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    row: int
    letters: str
    """The column on the screen of a spreadsheet: A, B, …"""
    column: str
    name: str
    message: str


class RosterImport(Document):
    """A roster that was read and waits to be confirmed: nothing of it counts before. A preview expires after a day."""

    class_id: str
    institution_code: str
    province_code: str
    file_name: str
    state: RosterState
    rows: list[StoredRosterRow]
    problems: list[StoredRowProblem]
    skipped: list[str]
    """Lines that are no person (notes, signatures), shown so that nobody is left out unseen."""
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    confirmed_at: datetime | None = None
    emptied: bool = False
    """Its rows are gone: what they brought stands in the enrolments (forget)."""
