"""Sessions of a class (课次), who checked in to them, and scans that were refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from server.attendance.rules import Datum, Flag, Point, Status, Window, window
from server.kernel.mongo import Document


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

    def window(self, now: datetime) -> Window:
        return window(self.opens_at, self.closes_at, now)


class Source(StrEnum):
    """How a check-in came about: by the code on the screen, or registered afterwards by a person (补签)."""

    CODE = "code"
    MANUAL = "manual"


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


class RefusedScan(Document):
    """A scan that left no attendance. Kept for a year, for the teacher to see who tried what."""

    session_id: str | None
    person_id: str
    name: str
    reason: str
    """The slug of the problem that was answered."""
    at: datetime
