"""Check-in, the sessions of a class, and a teacher's code and roll."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from server.attendance import changes, codes, rolls
from server.attendance import service as attendance
from server.attendance.changes import (
    CheckInChange,
    Closing,
    LateRegistrations,
    NothingFlagged,
    StatusUnchanged,
    VerdictDraft,
)
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import Source, TeachingSession
from server.attendance.hours import TooManyHours
from server.attendance.rolls import AlreadyCheckedIn, AttendanceFrozen, LateRegistration, Roll, RollEntry
from server.attendance.rules import (
    CheckInVoid,
    CodeExpired,
    CodeInvalid,
    Datum,
    Flag,
    NotEnrolled,
    NotYetThere,
    PhoneUnconfirmed,
    Point,
    SessionNotOpen,
    Sighting,
    Status,
    Verdict,
    Window,
)
from server.attendance.service import MySession, SessionRow
from server.classes.rules import NotArrived, NotYourPart
from server.classes.service import ResultsReleased
from server.kernel.errors import TooManyRequests
from server.kernel.permissions import Permission
from server.kernel.reasons import Reason, ShortReason
from server.kernel.web import Route

# ---- checking in


class LocationRequest(Request):
    """What wx.getLocation gave: degrees in `datum`, accuracy in metres."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    accuracy: Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
    datum: Datum


class CheckInRequest(Request):
    code: Annotated[str, Field(min_length=1, max_length=4296)]
    """What wx.scanCode read; a check-in code begins with `GX1:`."""
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    """Made by the phone for each scan, and sent again when the scan is sent again."""
    location: LocationRequest | None = None
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    """An id that this installation of the mini-program made for itself and keeps."""


class CheckInAnswer(Response):
    id: str
    session_id: str
    status: Status
    checked_in_at: datetime
    flags: list[Flag]


class ScanAnswer(CheckInAnswer):
    class_name: str
    session_title: str
    place: str
    """Where and what the person is in; empty where the session has been cancelled since."""


class CheckIns(ApiHandler):
    @operation(
        Permission.ATTENDANCE_CHECK_IN,
        summary="Check in with the code on the classroom's screen; sent again, it answers 200 with the same body",
        body=CheckInRequest,
        answers={201: ScanAnswer, 200: ScanAnswer},
        problems=(
            CheckInVoid,
            CodeExpired,
            CodeInvalid,
            SessionNotOpen,
            NotArrived,
            PhoneUnconfirmed,
            NotEnrolled,
            TooManyRequests,
        ),
    )
    async def post(self) -> None:
        desk: CheckInDesk = self.settings["check_in_desk"]
        asked = self.body(CheckInRequest)
        row, new, session = await desk.check_in(
            self.actor, Scan(asked.code, asked.nonce, asked.device, _sighting(asked.location))
        )
        self.answer(
            {
                "id": row["_id"],
                "session_id": row["session_id"],
                "status": row["status"],
                "checked_in_at": row["checked_in_at"],
                "flags": row["flags"],
                "class_name": await desk.class_name(session) if session else "",
                "session_title": session.title if session else "",
                "place": session.place if session else "",
            },
            status=201 if new else 200,
        )


def _sighting(location: LocationRequest | None) -> Sighting | None:
    if location is None:
        return None
    return Sighting(Point(location.latitude, location.longitude, location.datum), location.accuracy)


# ---- sessions


class SessionItem(Response):
    id: str
    title: str
    course: str
    place: str
    starts_at: datetime
    ends_at: datetime
    hours: int
    opens_at: datetime
    late_after: datetime
    closes_at: datetime
    window: Window
    geofenced: bool
    """Whether the mini-program should ask for the location."""


class ChangeItem(Response):
    """A check-in that was changed afterwards: both values, and why."""

    at: datetime
    before: Status
    after: Status
    reason: str


class OwnCheckIn(Response):
    """A check-in that is void (作废) counts for nothing."""

    status: Status
    checked_in_at: datetime
    source: Source
    changes: list[ChangeItem]


class MySessionItem(SessionItem):
    check_in: OwnCheckIn | None
    """Mine; null while I am not in."""


class TaughtSessionItem(SessionItem):
    checked_in: int


def session_fields(session: TeachingSession, window: Window) -> dict[str, object]:
    given = session.model_dump(include=set(SessionItem.model_fields))
    return {**given, "window": window, "geofenced": session.geofence is not None}


def my_session_item(row: MySession) -> MySessionItem:
    mine = None if row.check_in is None else OwnCheckIn.model_validate(row.check_in)
    return MySessionItem.model_validate({**session_fields(row.item, row.window), "check_in": mine})


def taught_session_item(row: SessionRow) -> TaughtSessionItem:
    return TaughtSessionItem.model_validate(
        {**session_fields(row.item, row.window), "checked_in": row.checked_in}
    )


class MySessions(ApiHandler):
    @operation(
        Permission.CLASSES_ATTEND,
        summary="The sessions of a class that I attend, with my own check-ins",
        query=Paging,
        answers={200: Page[MySessionItem]},
    )
    async def get(self, class_id: str) -> None:
        paging = self.query(Paging)
        rows = await attendance.my_sessions(
            self.platform, self.actor, class_id, after=paging.cursor, limit=paging.limit
        )
        following = rows[-1].item.id if len(rows) == paging.limit else None
        self.answer(Page(items=[my_session_item(row) for row in rows], next=following))


class TaughtSessions(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="The sessions of a class that I teach, with how many have checked in",
        query=Paging,
        answers={200: Page[TaughtSessionItem]},
    )
    async def get(self, class_id: str) -> None:
        paging = self.query(Paging)
        rows = await attendance.taught_sessions(
            self.platform, self.actor, class_id, after=paging.cursor, limit=paging.limit
        )
        following = rows[-1].item.id if len(rows) == paging.limit else None
        self.answer(Page(items=[taught_session_item(row) for row in rows], next=following))


# ---- a teacher's phone


class CodeAnswer(Response):
    code: str
    """What to draw as a QR code."""
    expires_at: datetime
    next_in: float
    """Seconds until the next code."""


class VerdictItem(Response):
    at: datetime
    by: str
    flags: list[Flag]
    verdict: Verdict
    words: str


class AttendanceItem(Response):
    """One trainee. `status` is null while the trainee is missing, void where the check-in counts for nothing; a flag is for a person
    to judge."""

    person_id: str
    name: str
    id_number_masked: str
    """Tells namesakes apart."""
    work_unit: str
    status: Status | None
    checked_in_at: datetime | None
    source: Source | None
    flags: list[Flag]
    open_flags: list[Flag]
    """Those on which nobody has said anything yet."""
    distance_m: int | None
    reason: str | None
    changes: list[ChangeItem]
    verdicts: list[VerdictItem]


class RefusedScanItem(Response):
    person_id: str
    name: str
    reason: str
    """The type of the problem: code-expired, code-invalid, not-enrolled or session-not-open."""
    at: datetime


class AttendanceAnswer(Response):
    session: TaughtSessionItem
    present: int
    late: int
    missing: int
    items: list[AttendanceItem]
    refused: list[RefusedScanItem]


class LateRegistrationRequest(LateRegistration):
    """补签: who, present or late, and why the phone could not scan."""


def attendance_item(entry: RollEntry) -> AttendanceItem:
    check_in = entry.check_in
    return AttendanceItem(
        person_id=entry.trainee.person_id,
        name=entry.trainee.name,
        id_number_masked=entry.trainee.id_number_masked,
        work_unit=entry.trainee.work_unit,
        status=check_in.status if check_in else None,
        checked_in_at=check_in.checked_in_at if check_in else None,
        source=check_in.source if check_in else None,
        flags=list(entry.flags),
        open_flags=list(entry.open_flags),
        distance_m=check_in.distance_m if check_in else None,
        reason=check_in.reason if check_in else None,
        changes=[ChangeItem.model_validate(one) for one in check_in.changes] if check_in else [],
        verdicts=[VerdictItem.model_validate(one) for one in check_in.verdicts] if check_in else [],
    )


def attendance_answer(roll: Roll) -> AttendanceAnswer:
    checked_in = len(roll.entries) - len(roll.missing)
    return AttendanceAnswer(
        session=taught_session_item(SessionRow(roll.session, roll.window, checked_in)),
        present=len(roll.present),
        late=len(roll.late),
        missing=len(roll.missing),
        items=[attendance_item(entry) for entry in roll.entries],
        refused=[RefusedScanItem.model_validate(scan) for scan in roll.refused],
    )


class TaughtCode(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="The code of this moment, to show on my phone",
        answers={200: CodeAnswer},
        problems=(SessionNotOpen, NotYourPart),
    )
    async def get(self, session_id: str) -> None:
        code = await codes.code_for_phone(self.platform, self.actor, session_id)
        self.answer(CodeAnswer.model_validate(code))


class TaughtAttendance(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Who is in, late and missing, what is flagged and which scans were refused",
        answers={200: AttendanceAnswer},
        problems=(NotYourPart,),
    )
    async def get(self, session_id: str) -> None:
        self.answer(attendance_answer(await rolls.taught_roll(self.platform, self.actor, session_id)))


class OneLateRegistration(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Register by hand, with a reason, somebody who could not scan (补签)",
        body=LateRegistrationRequest,
        answers={201: CheckInAnswer, 200: CheckInAnswer},
        problems=(AlreadyCheckedIn, SessionNotOpen, NotYetThere, TooManyHours, AttendanceFrozen, NotYourPart),
    )
    async def post(self, session_id: str) -> None:
        check_in, new = await rolls.register_late_as_teacher(
            self.platform, self.actor, session_id, self.body(LateRegistrationRequest)
        )
        self.answer(CheckInAnswer.model_validate(check_in), status=201 if new else 200)


class LateRegistrationsRequest(LateRegistrations):
    """补签 of several people for one reason."""


class LateRegistrationsAnswer(Response):
    registered: int
    already: int
    """How many of them were in before; they stay as they are."""


class SeveralLateRegistrations(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Register several people by hand at once, all or nobody; sent again, it answers that they are in",
        body=LateRegistrationsRequest,
        answers={200: LateRegistrationsAnswer},
        problems=(AlreadyCheckedIn, SessionNotOpen, NotArrived, NotYetThere, TooManyHours, AttendanceFrozen),
    )
    async def post(self, session_id: str) -> None:
        done = await changes.register_all(
            self.platform, self.actor, None, session_id, self.body(LateRegistrationsRequest)
        )
        self.answer(LateRegistrationsAnswer(registered=len(done.new), already=done.there))


class ChangeRequest(Request):
    status: Status
    reason: ShortReason


class TaughtCheckIn(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Make a check-in present, late or void, with a reason, until the results are released",
        body=ChangeRequest,
        answers={200: CheckInAnswer},
        problems=(StatusUnchanged, SessionNotOpen, NotYetThere, TooManyHours, ResultsReleased),
    )
    async def put(self, session_id: str, person_id: str) -> None:
        asked = self.body(ChangeRequest)
        wanted = CheckInChange(person_id=person_id, status=asked.status, reason=asked.reason)
        changed = await changes.change_check_in(self.platform, self.actor, None, session_id, wanted)
        self.answer(CheckInAnswer.model_validate(changed))


class VerdictRequest(Request):
    verdict: Verdict
    words: Reason


class TaughtVerdict(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Say what the flags of a check-in meant; it takes nothing away",
        body=VerdictRequest,
        answers={200: CheckInAnswer},
        problems=(NothingFlagged, ResultsReleased),
    )
    async def put(self, session_id: str, person_id: str) -> None:
        asked = self.body(VerdictRequest)
        wanted = VerdictDraft(person_id=person_id, verdict=asked.verdict, words=asked.words)
        judged = await changes.judge_flags(self.platform, self.actor, None, session_id, wanted)
        self.answer(CheckInAnswer.model_validate(judged))


class ClosingRequest(Closing):
    """Until when one may check in: the end of the session at the latest."""


class TaughtWindow(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Let people check in for longer, also after the first one has, or for shorter again",
        body=ClosingRequest,
        answers={200: SessionItem},
        problems=(ResultsReleased,),
    )
    async def put(self, session_id: str) -> None:
        wanted = self.body(ClosingRequest)
        moved = await changes.move_closing(self.platform, self.actor, None, session_id, wanted)
        window = moved.window(self.platform.clock.now())
        self.answer(SessionItem.model_validate(session_fields(moved, window)))


_PERSON = r"(?P<person_id>[0-9a-f]{24})"
_CLASS = r"(?P<class_id>[0-9a-f]{24})"
_SESSION = r"(?P<session_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/api/v1/check-ins", CheckIns),
    (rf"/api/v1/classes/{_CLASS}/sessions", MySessions),
    (rf"/api/v1/teaching/classes/{_CLASS}/sessions", TaughtSessions),
    (rf"/api/v1/teaching/sessions/{_SESSION}/code", TaughtCode),
    (rf"/api/v1/teaching/sessions/{_SESSION}/attendance", TaughtAttendance),
    (rf"/api/v1/teaching/sessions/{_SESSION}/late-registrations", OneLateRegistration),
    (rf"/api/v1/teaching/sessions/{_SESSION}/late-registrations/all", SeveralLateRegistrations),
    (rf"/api/v1/teaching/sessions/{_SESSION}/check-ins/{_PERSON}", TaughtCheckIn),
    (rf"/api/v1/teaching/sessions/{_SESSION}/check-ins/{_PERSON}/verdict", TaughtVerdict),
    (rf"/api/v1/teaching/sessions/{_SESSION}/window", TaughtWindow),
]
