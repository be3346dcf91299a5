"""Sessions of a class (课次), who checked in to them, and scans that were refused."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from server.attendance.hours import Lesson
from server.attendance.rules import Datum, Flag, Point, Status, Times, Verdict, Window, window
from server.kernel.clock import span
from server.kernel.mongo import Document
from server.kernel.titled import Titled


class Geofence(BaseModel):
    """The circle in which a check-in is expected; outside of it is flagged, never refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latitude: float
    longitude: float
    datum: Datum
    radius_m: int

    @property
    def centre(self) -> Point:
        return Point(self.latitude, self.longitude, self.datum)


class _Kept(BaseModel):
    """Who put something right, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: datetime
    by_id: str
    by: str


class TeacherChange(_Kept):
    """Another teacher was named for a session: both, "" for all who teach the class, and why."""

    before_id: str
    before: str
    after_id: str
    after: str
    reason: str


class TeachingSession(Document):
    """A session (课次). Its code's step and grace are the policy's of the day it was made, so that a check-in asks no policy."""

    class_id: str
    institution_code: str
    province_code: str
    title: str
    course: str
    """One of the class's courses; empty where it belongs to none (开班, 结业)."""
    place: str
    starts_at: datetime
    ends_at: datetime
    hours: int
    """Class hours (课时) that attending it gives."""
    opens_at: datetime
    late_after: datetime
    closes_at: datetime
    geofence: Geofence | None = None
    code_step_seconds: int
    code_grace_seconds: int
    created_at: datetime
    cancelled_at: datetime | None = None
    teacher_id: str = ""
    teacher_name: str = ""
    """Who teaches it (article 6); nobody is named where the class has no scheme, or of before sessions named anybody."""
    changes: list[TeacherChange] = Field(default_factory=list)
    """Who else was named before."""

    @property
    def times(self) -> Times:
        return Times(self.starts_at, self.ends_at, self.opens_at, self.late_after, self.closes_at)

    @property
    def settled_at(self) -> datetime:
        """When it came to be whose it is: at its end, or when another teacher was named after that."""
        return max([self.ends_at, *(one.at for one in self.changes)])

    @property
    def lesson(self) -> Lesson:
        return Lesson(self.id, self.ends_at, self.hours, f"{span(self.starts_at, self.ends_at)} {self.title}")

    def window(self, now: datetime) -> Window:
        return window(self.opens_at, self.closes_at, now)


class Source(StrEnum):
    """How a check-in came about: by the code on the screen, or registered afterwards by a person (补签)."""

    CODE = "code"
    MANUAL = "manual"


class StatusChange(_Kept):
    """Both values, and why."""

    before: Status
    after: Status
    reason: str


class FlagVerdict(_Kept):
    """On the flags that the check-in had then."""

    flags: list[Flag]
    verdict: Verdict
    words: str


class CheckIn(Document):
    """A check-in: its own record, one document, unique by session and person."""

    session_id: str
    class_id: str
    person_id: str
    status: Status
    source: Source
    checked_in_at: datetime
    """When the server received the scan, or when it was registered."""
    flags: list[Flag] = Field(default_factory=list)
    nonce: str | None = None
    device: str | None = None
    """What the mini-program calls its phone: evidence against one phone for many people, nothing more."""
    distance_m: int | None = None
    accuracy_m: int | None = None
    registered_by: str | None = None
    reason: str | None = None
    changes: list[StatusChange] = Field(default_factory=list)
    verdicts: list[FlagVerdict] = Field(default_factory=list)

    @property
    def attended(self) -> bool:
        return self.status is not Status.VOID


class AddedKind(Titled):
    """How class hours come to a person beside the sessions of the class."""

    MADE_UP = "MADE_UP", "补课"
    CREDITED = "CREDITED", "转班计入"


class AddedHours(Document):
    """Hours (课时) of a person that no check-in gave: made up one by one (补课), or held in an interrupted class (转班补学)."""

    class_id: str
    institution_code: str
    province_code: str
    person_id: str
    kind: AddedKind
    hours: int
    held_on: date
    """When they were made up; of credited ones, when they were credited."""
    taught: str
    """What was taught; of credited ones, the name of the class that held them."""
    taught_by: str
    """The backbone teacher; of credited ones, the institution."""
    taught_by_id: str = ""
    """The person id of that teacher; nothing of credited ones, and of those that were recorded before it was kept."""
    from_class: str | None = None
    """Of credited ones, unique with the person while it is not void: what was held once counts once."""
    recorded_at: datetime
    recorded_by: str
    nonce: str | None = None
    """Of the phone that recorded it; nothing of what was recorded at a desk."""
    voided_at: datetime | None = None
    voided_by: str = ""
    void_reason: str = ""


class RefusedScan(Document):
    """A scan that left no attendance. Kept for a year, for the teacher to see who tried what."""

    session_id: str | None
    person_id: str
    name: str
    reason: str
    """The slug of the problem that was answered."""
    at: datetime
