"""Rules of check-in (签到): the window of a session, the rotating code, what is flagged, and the timetable (article 4.7).

The guide wants 参训教师全实名, 培训过程可追溯. How long a code lives is policy; what it proves is a rule of this module.
"""

from __future__ import annotations

import base64
import hmac
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from server.kernel.clock import BEIJING
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid, Problem
from server.kernel.titled import Titled

# ---- the window of a session

OPENS_BEFORE = timedelta(minutes=20)
LATE_AFTER = timedelta(minutes=5)
CLOSES_AFTER = timedelta(minutes=30)
"""What a session gets that names no times of its own, reckoned from its start."""
SETTLES_AFTER = timedelta(minutes=1)
"""So long after its end a session counts as held: check-ins are outside transactions, and those under way are written by then."""
LAST_WRITE_AFTER = timedelta(seconds=30)
"""A check-in that has waited longer than this after the end of its session is not written any more."""
LONGEST_SESSION = timedelta(hours=12)


class SessionNotOpen(Conflict):
    slug = "session-not-open"
    title = "不在签到时间内"
    default_detail = "本课次现在不能签到。"


@dataclass(frozen=True)
class Times:
    """The moments of a session, aware. Check-in is open from `opens_at` up to, and without, `closes_at`."""

    starts_at: datetime
    ends_at: datetime
    opens_at: datetime
    late_after: datetime
    closes_at: datetime


def usual_times(starts_at: datetime, ends_at: datetime) -> Times:
    """The window of a session whose staff chose none; a short session closes with its end."""
    return Times(
        starts_at,
        ends_at,
        starts_at - OPENS_BEFORE,
        min(starts_at + LATE_AFTER, ends_at),
        min(starts_at + CLOSES_AFTER, ends_at),
    )


def check_times(times: Times, first_day: date, last_day: date, opens_before: timedelta) -> None:
    """Raises Invalid, with every field that is wrong, unless start < end on days of the class, and opens < late_after ≤ closes ≤ end.

    The window opens at most `opens_before` (policy `check_in_opens_before`, 待核) before the session: who checks in is there (article 4.7).
    """
    wrong = []
    days = [moment.astimezone(BEIJING).date() for moment in (times.starts_at, times.ends_at)]
    if not all(first_day <= day <= last_day for day in days):
        wrong.append(FieldError("starts_at", f"课次应在培训班日期内（{first_day} 至 {last_day}）。"))
    if not times.starts_at < times.ends_at <= times.starts_at + LONGEST_SESSION:
        wrong.append(FieldError("ends_at", "下课时间应晚于上课时间，一个课次最长 12 小时。"))
    if not times.opens_at < times.late_after:
        wrong.append(FieldError("late_after", "迟到时间应晚于签到开始时间。"))
    if not times.late_after <= times.closes_at:
        wrong.append(FieldError("closes_at", "签到结束时间不能早于迟到时间。"))
    if times.opens_at < times.starts_at - opens_before:
        most = opens_before // timedelta(minutes=1)
        wrong.append(FieldError("opens_at", f"签到最早在上课前 {most} 分钟开始，请核对。"))
    if times.closes_at > times.ends_at:
        wrong.append(FieldError("closes_at", "签到最晚到下课时结束，过后由教师或班务人员补签。"))
    if wrong:
        raise Invalid(fields=wrong)


class Window(Titled):
    """Where a moment lies to the check-in of a session."""

    UPCOMING = "upcoming", "未开始"
    OPEN = "open", "签到中"
    CLOSED = "closed", "已结束"


def window(opens_at: datetime, closes_at: datetime, now: datetime) -> Window:
    if now < opens_at:
        return Window.UPCOMING
    return Window.OPEN if now < closes_at else Window.CLOSED


def require_open(opens_at: datetime, closes_at: datetime, now: datetime) -> None:
    """Raises SessionNotOpen, saying when it opens or that it is over."""
    match window(opens_at, closes_at, now):
        case Window.UPCOMING:
            raise SessionNotOpen(f"签到还没有开始，{_minute(opens_at)} 起可以签到。")
        case Window.CLOSED:
            raise SessionNotOpen(
                f"签到已在 {_minute(closes_at)} 结束。如已到课，请联系授课教师或班务人员补签。"
            )


def check_closing(times: Times, wanted: datetime, now: datetime) -> None:
    """Raises Invalid unless `wanted` is still to come and within the session: nobody who has checked in would not have been let in, so
    that a longer window may be made shorter again."""
    if wanted > times.ends_at:
        said = f"签到最晚到下课时间 {_minute(times.ends_at)} 为止。"
        raise Invalid(fields=[FieldError("closes_at", said)])
    if wanted < times.late_after:
        said = f"签到结束时间不能早于迟到时间 {_minute(times.late_after)}。"
        raise Invalid(fields=[FieldError("closes_at", said)])
    if wanted <= now:
        raise Invalid(fields=[FieldError("closes_at", "这个时间已过。没能签到的学员请用“补签”登记。")])


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%m月%d日 %H:%M}"


class Status(Titled):
    PRESENT = "present", "出勤"
    LATE = "late", "迟到"
    VOID = "void", "作废"
    """Made so by a person, with a reason: it stays on the record and counts for nothing."""


def status_at(late_after: datetime, now: datetime) -> Status:
    """迟到 is whoever checks in after `late_after`; both count as attended."""
    return Status.LATE if now > late_after else Status.PRESENT


# ---- the rotating code

PREFIX = "GX1:"
"""What the mini-program recognises a check-in code by."""
_TEXT = re.compile(r"GX1:([0-9A-V]{51}[0G])")
_MAC_BYTES = 16


class CodeExpired(Problem):
    status = 422
    slug = "code-expired"
    title = "签到码已过期"
    default_detail = "签到码每隔几秒更换一次。请对准屏幕重新扫一次当前的码。"


class CheckInVoid(Conflict):
    slug = "check-in-void"
    title = "签到已作废"
    default_detail = "您在本课次的签到已被作废。如确已到课，请联系授课教师或班务人员更正。"


class CodeInvalid(Problem):
    status = 422
    slug = "code-invalid"
    title = "签到码无效"
    default_detail = "这不是本平台当前课次的签到码。请扫描教室屏幕上的签到码。"


class NotEnrolled(Forbidden):
    slug = "not-enrolled"
    title = "不在本班名册"
    default_detail = "您不在这个培训班的名册中，不能签到。如有疑问，请联系培训机构核对名册。"


class NotYetThere(Conflict):
    slug = "not-yet-there"
    title = "当时还不在本班"


def check_there(ends_at: datetime, since: Mapping[str, datetime | None]) -> None:
    """Raises NotYetThere, naming whom it concerns, when somebody (name → since when they are of the class) was not of the class before a
    session had ended: nobody can have been seen in it, and what they missed is made up (培训过程可追溯, article 4.7)."""
    if late := [name for name, moment in since.items() if moment is None or moment >= ends_at]:
        raise NotYetThere(
            f"{'、'.join(late)}在本课次 {_minute(ends_at)} 结束后才报到或编入本班，不能登记为到课。缺的课请办理补课。"
        )


class PhoneUnconfirmed(Forbidden):
    slug = "phone-unconfirmed"
    title = "本机身份待确认"
    default_detail = (
        "本机的身份还没有在这家培训机构确认，不能签到。请在“我的”里用微信手机号或个人码确认；"
        "也可以请现场工作人员核对身份证后登记考勤，并确认本机。"
    )


@dataclass(frozen=True, slots=True)
class Code:
    """A code: of which session, and of which step of `step_seconds` since 1970."""

    session_id: str
    step: int


def code_key(secret: str) -> bytes:
    """The key of check-in codes, apart from whatever else the same secret signs."""
    return hmac.digest(secret.encode(), b"check-in code", "sha256")


def write_code(code: Code, key: bytes) -> str:
    """The text of a code: 12 bytes session, 4 bytes step, HMAC-SHA-256 cut to 16 bytes (RFC 2104 section 5), in Base32hex
    (RFC 4648 section 7).

    56 capitals and digits are a QR code of version 3 in alphanumeric mode, large enough to be read from the last row;
    itsdangerous would write lower case, which needs a larger one.
    """
    said = bytes.fromhex(code.session_id) + code.step.to_bytes(4, "big")
    mac = hmac.digest(key, said, "sha256")[:_MAC_BYTES]
    return PREFIX + base64.b32hexencode(said + mac).decode().rstrip("=")


def read_code(text: str, key: bytes) -> Code:
    """The code that the server wrote as `text`. Raises CodeInvalid for anything else: forged, changed, or no code at all."""
    content = _content(text)
    if content is None:
        raise CodeInvalid()
    said, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, hmac.digest(key, said, "sha256")[:_MAC_BYTES]):
        raise CodeInvalid()
    return Code(said[:12].hex(), int.from_bytes(said[12:], "big"))


def claimed_session(text: str) -> str | None:
    """The session that a code names, whoever wrote it: under which a refused scan is listed, and nothing else."""
    content = _content(text)
    return None if content is None else content[:12].hex()


def _content(text: str) -> bytes | None:
    """The 32 bytes of a well-formed code. Base32hex are the digits of `int`, which reads them ten times faster than base64 does."""
    if not (written := _TEXT.fullmatch(text)):
        return None
    return (int(written[1], 32) >> 4).to_bytes(32, "big")


def step_at(now: datetime, step_seconds: int) -> int:
    return int(now.timestamp()) // step_seconds


def step_starts(step: int, step_seconds: int) -> datetime:
    return datetime.fromtimestamp(step * step_seconds, UTC)


def expires_at(step: int, step_seconds: int, grace_seconds: int) -> datetime:
    """The first moment at which a code of this step is refused."""
    return step_starts(step + 1, step_seconds) + timedelta(seconds=grace_seconds)


def check_fresh(step: int, step_seconds: int, grace_seconds: int, now: datetime) -> None:
    """A code is good for its own step and `grace_seconds` after it, never before it.

    Raises CodeExpired afterwards, CodeInvalid before: nobody has seen a code of the future.
    """
    begins = step * step_seconds
    moment = now.timestamp()
    if moment < begins:
        raise CodeInvalid()
    if moment >= begins + step_seconds + grace_seconds:
        raise CodeExpired()


# ---- where the phone is: evidence, never proof


class Datum(StrEnum):
    """坐标系: wx.getLocation gives either; in the cities here they lie 260 to 620 m apart."""

    GCJ_02 = "GCJ-02"
    WGS_84 = "WGS-84"


class Flag(Titled):
    """What a person should look at. A flag never blocks."""

    OUTSIDE_GEOFENCE = "outside-geofence", "不在教室范围内"
    LOCATION_UNUSABLE = "location-unusable", "定位不准"
    NO_LOCATION = "no-location", "未提供定位"
    SHARED_DEVICE = "shared-device", "同一手机为多人签到"
    UNCONFIRMED_PHONE = "unconfirmed-phone", "身份待确认的手机签到"


class Verdict(Titled):
    """What a person found out about flags."""

    FINE = "fine", "没有问题"
    WRONG = "wrong", "情况不实"


COARSEST_ACCURACY = 200
"""Metres: a location less accurate than this is no evidence."""
_EARTH_RADIUS = 6_371_008.8
"""Mean radius in metres (IUGG)."""


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, and the datum they are in."""

    latitude: float
    longitude: float
    datum: Datum


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a phone says it is, to so many metres."""

    point: Point
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is kept of a location: how far from the fence's centre, not where."""

    flags: tuple[Flag, ...]
    distance_m: int | None = None
    accuracy_m: int | None = None


NOT_ASKED = Whereabouts(())
"""Of a session without a fence: the location is not looked at, and not kept."""


def whereabouts(centre: Point, radius_m: float, seen: Sighting | None) -> Whereabouts:
    """Judges a location against a fence. Inside is whoever may be: distance − accuracy ≤ radius."""
    if seen is None:
        return Whereabouts((Flag.NO_LOCATION,))
    away = distance(centre, seen.point)
    if seen.accuracy_m > COARSEST_ACCURACY:
        flags: tuple[Flag, ...] = (Flag.LOCATION_UNUSABLE,)
    else:
        flags = (Flag.OUTSIDE_GEOFENCE,) if away - seen.accuracy_m > radius_m else ()
    return Whereabouts(flags, round(away), min(round(seen.accuracy_m), 1_000_000))


def distance(one: Point, other: Point) -> float:
    """Metres along the great circle (haversine), both points taken in GCJ-02."""
    one_latitude, one_longitude = map(math.radians, gcj02(one))
    latitude, longitude = map(math.radians, gcj02(other))
    half = (
        math.sin((latitude - one_latitude) / 2) ** 2
        + math.cos(one_latitude) * math.cos(latitude) * math.sin((longitude - one_longitude) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half)))


def gcj02(point: Point) -> tuple[float, float]:
    """Latitude and longitude in GCJ-02, the datum of every map published in China.

    The formula is the one that has been public since 2010 (EvilTransform; Wikipedia, "Restrictions on geographic data in
    China"), on the Krasovsky 1940 ellipsoid; it is good to about a metre. Outside mainland China the datums are one.
    """
    latitude, longitude = point.latitude, point.longitude
    if point.datum is Datum.GCJ_02 or not (0.8293 <= latitude <= 55.8271 and 72.004 <= longitude <= 137.8347):
        return latitude, longitude
    x, y = longitude - 105, latitude - 35
    common = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + common
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y / 30 * math.pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + common
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    semi_major, eccentricity = 6_378_245.0, 0.006_693_421_622_965_943
    radians = math.radians(latitude)
    magic = 1 - eccentricity * math.sin(radians) ** 2
    north_metres_a_degree = semi_major * (1 - eccentricity) / magic**1.5 * math.pi / 180
    east_metres_a_degree = semi_major / math.sqrt(magic) * math.cos(radians) * math.pi / 180
    return latitude + north / north_metres_a_degree, longitude + east / east_metres_a_degree


# ---- one device, several people


def sharing(devices: Iterable[tuple[str, str | None]]) -> set[str]:
    """The people, of (person, device) of one session, whose device checked somebody else in as well.

    Reckoned when the list is read, so that all who share are flagged, the first one too, however close together they came.
    """
    people_of: dict[str, set[str]] = {}
    for person_id, device in devices:
        if device:
            people_of.setdefault(device, set()).add(person_id)
    return {person_id for people in people_of.values() if len(people) > 1 for person_id in people}


# ---- a session at another moment


def moved(times: Times, starts_at: datetime, opens_before: timedelta) -> Times:
    """The same session at another moment: its length and its window go with it, and a window of before that opened earlier than may be is
    cut to what may be."""
    by = starts_at - times.starts_at
    opens_at = max(times.opens_at + by, starts_at - opens_before)
    return Times(starts_at, times.ends_at + by, opens_at, times.late_after + by, times.closes_at + by)


CHECK_INS_SETTLE = timedelta(minutes=1)
"""A check-in is outside transactions. So long before the opening of a window, and after its closing, the sessions of a class stay as they
are: longer than any transaction tries (unit_of_work.PATIENCE), so that no check-in meets a session that is being moved."""


class CheckInUnderWay(Conflict):
    slug = "check-in-under-way"
    title = "正在签到"


def check_not_under_way(windows: Iterable[tuple[datetime, datetime]], now: datetime) -> None:
    """Raises CheckInUnderWay while a window of (opens, closes) is open, is about to open or has just closed."""
    for opens_at, closes_at in windows:
        if opens_at - CHECK_INS_SETTLE <= now < closes_at + CHECK_INS_SETTLE:
            until = closes_at + CHECK_INS_SETTLE
            raise CheckInUnderWay(f"有课次正在签到，请在 {_minute(until)} 以后再办理，以免丢失签到记录。")


# ---- the timetable

MOST_SESSIONS = 400


@dataclass(frozen=True)
class HalfDay:
    """A session that repeats each day, in Beijing time."""

    title: str
    starts: time
    ends: time
    hours: int


@dataclass(frozen=True)
class Slot:
    """A session of a timetable before it is stored."""

    title: str
    course: str
    starts_at: datetime
    ends_at: datetime
    hours: int


def timetable(
    first_day: date,
    last_day: date,
    weekdays: Collection[int],
    half_days: Sequence[HalfDay],
    courses: Sequence[str],
) -> list[Slot]:
    """One session for each half day of each chosen weekday (0 is Monday), both days included; the courses follow one
    another in equal parts. Raises Invalid when nothing, or too much, comes of it."""
    days = [
        day
        for offset in range((last_day - first_day).days + 1)
        if (day := first_day + timedelta(days=offset)).weekday() in weekdays
    ]
    drafts = [
        (f"第 {number} 天{half.title}", at(day, half.starts), at(day, half.ends), half.hours)
        for number, day in enumerate(days, start=1)
        for half in half_days
    ]
    if not drafts:
        raise Invalid(fields=[FieldError("weekdays", "所选日期内没有课，请核对日期、星期和时段。")])
    if len(drafts) > MOST_SESSIONS:
        raise Invalid(fields=[FieldError("last_day", f"一次最多生成 {MOST_SESSIONS} 个课次。")])
    return [
        Slot(title, courses[index * len(courses) // len(drafts)] if courses else "", starts, ends, hours)
        for index, (title, starts, ends, hours) in enumerate(drafts)
    ]


def at(day: date, clock_time: time) -> datetime:
    """The moment, in UTC, of a Beijing clock time."""
    return datetime.combine(day, clock_time, BEIJING).astimezone(UTC)


def overlapping(times: Iterable[tuple[datetime, datetime]]) -> tuple[datetime, datetime] | None:
    """The first two starts of sessions that overlap, of (start, end) in any order: nobody sits in two of a class at once."""
    before: tuple[datetime, datetime] | None = None
    for span in sorted(times):
        if before and span[0] < before[1]:
            return before[0], span[0]
        before = span
    return None
