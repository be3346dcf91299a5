"""Rules of check-in at their boundaries."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.attendance import rules
from server.attendance.hours import Lesson, class_hours, hours_misfit, taught
from server.attendance.rules import (
    Code,
    CodeExpired,
    CodeInvalid,
    Datum,
    Flag,
    HalfDay,
    Point,
    SessionNotOpen,
    Sighting,
    Status,
    Times,
    Window,
)
from server.kernel.clock import BEIJING
from server.kernel.errors import Invalid

KEY = rules.code_key("a secret of the tests")
NINE = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
"""Nine in the morning in Beijing."""
MILLISECOND = timedelta(milliseconds=1)
session_ids = st.binary(min_size=12, max_size=12).map(bytes.hex)
steps = st.integers(0, 2**32 - 1)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
policies = {"step": st.integers(2, 60), "grace": st.integers(0, 30)}


# ---- the code


@given(session_ids, steps)
def test_a_code_is_read_as_it_was_written(session_id: str, step: int) -> None:
    code = Code(session_id, step)
    text = rules.write_code(code, KEY)
    assert text.startswith(rules.PREFIX) and len(text) == 56
    assert rules.read_code(text, KEY) == code
    assert rules.claimed_session(text) == session_id


@given(session_ids, steps, st.integers(0, 55), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVW:gx "))
def test_a_code_with_any_one_character_changed_is_invalid(
    session_id: str, step: int, place: int, other: str
) -> None:
    text = rules.write_code(Code(session_id, step), KEY)
    changed = text[:place] + other + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(CodeInvalid):
        rules.read_code(changed, KEY)


@given(st.text())
@example("https://example.com/")
@example("GX1:")
@example("GX1:" + "0" * 52)
@example("GX1:" + "0" * 52 + "\n")
@example("GX1:" + "０" * 52)
def test_what_the_server_did_not_write_is_invalid(text: str) -> None:
    with pytest.raises(CodeInvalid):
        rules.read_code(text, KEY)


@given(session_ids, steps)
def test_a_code_of_another_server_is_invalid(session_id: str, step: int) -> None:
    with pytest.raises(CodeInvalid):
        rules.read_code(rules.write_code(Code(session_id, step), rules.code_key("another secret")), KEY)


@given(moments, policies["step"], policies["grace"])
def test_the_code_of_this_moment_is_fresh_and_expires_when_it_says(
    now: datetime, step_seconds: int, grace: int
) -> None:
    step = rules.step_at(now, step_seconds)
    rules.check_fresh(step, step_seconds, grace, now)
    end = rules.expires_at(step, step_seconds, grace)
    rules.check_fresh(step, step_seconds, grace, end - MILLISECOND)
    with pytest.raises(CodeExpired):
        rules.check_fresh(step, step_seconds, grace, end)


@given(moments, policies["step"], policies["grace"], st.integers(1, 1000))
def test_a_code_of_the_future_is_invalid_however_near(
    now: datetime, step_seconds: int, grace: int, ahead: int
) -> None:
    with pytest.raises(CodeInvalid):
        rules.check_fresh(rules.step_at(now, step_seconds) + ahead, step_seconds, grace, now)


@given(moments, policies["step"], policies["grace"], st.integers(-3, 30))
def test_a_code_lives_exactly_its_own_step_and_the_grace(
    now: datetime, step_seconds: int, grace: int, age: int
) -> None:
    step = rules.step_at(now, step_seconds) - age
    starts = rules.step_starts(step, step_seconds)
    lives = starts <= now < starts + timedelta(seconds=step_seconds + grace)
    try:
        rules.check_fresh(step, step_seconds, grace, now)
        assert lives
    except (CodeExpired, CodeInvalid):
        assert not lives


# ---- the window


def test_the_usual_window_opens_twenty_minutes_before_and_closes_half_an_hour_after_the_start() -> None:
    times = rules.usual_times(NINE, NINE + timedelta(hours=3))
    assert times.opens_at == NINE - timedelta(minutes=20)
    assert times.late_after == NINE + timedelta(minutes=5)
    assert times.closes_at == NINE + timedelta(minutes=30)


def test_the_window_of_a_short_session_closes_with_its_end() -> None:
    assert rules.usual_times(NINE, NINE + timedelta(minutes=3)).closes_at == NINE + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (NINE - MILLISECOND, Window.UPCOMING),
        (NINE, Window.OPEN),
        (NINE + timedelta(hours=1) - MILLISECOND, Window.OPEN),
        (NINE + timedelta(hours=1), Window.CLOSED),
    ],
)
def test_check_in_is_open_from_the_opening_up_to_the_closing(now: datetime, state: Window) -> None:
    closes = NINE + timedelta(hours=1)
    assert rules.window(NINE, closes, now) is state
    if state is not Window.OPEN:
        with pytest.raises(SessionNotOpen):
            rules.require_open(NINE, closes, now)


def test_a_refusal_says_when_check_in_opens() -> None:
    with pytest.raises(SessionNotOpen) as refusal:
        rules.require_open(NINE, NINE + timedelta(hours=1), NINE - timedelta(hours=1))
    assert "03月16日 09:00" in refusal.value.detail


def test_late_begins_after_the_moment_not_at_it() -> None:
    assert rules.status_at(NINE, NINE) is Status.PRESENT
    assert rules.status_at(NINE, NINE + MILLISECOND) is Status.LATE


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_at": NINE - timedelta(days=1), "ends_at": NINE - timedelta(hours=22)}, "starts_at"),
        ({"ends_at": NINE}, "ends_at"),
        ({"ends_at": NINE + timedelta(hours=12, minutes=1)}, "ends_at"),
        ({"opens_at": NINE + timedelta(minutes=5)}, "late_after"),
        ({"closes_at": NINE + timedelta(minutes=4)}, "closes_at"),
        ({"opens_at": NINE - timedelta(days=1, minutes=1)}, "opens_at"),
        ({"closes_at": NINE + timedelta(hours=3, minutes=1)}, "closes_at"),
    ],
)
def test_times_that_do_not_fit_are_refused_at_their_field(changes: dict[str, datetime], field: str) -> None:
    usual = rules.usual_times(NINE, NINE + timedelta(hours=3))
    with pytest.raises(Invalid) as refusal:
        rules.check_times(Times(**(vars(usual) | changes)), date(2026, 3, 16), date(2026, 3, 27), HOUR)
    assert field in [wrong.place for wrong in refusal.value.fields]


def test_a_session_in_beijing_belongs_to_the_beijing_day() -> None:
    early = rules.at(date(2026, 3, 16), time(0, 30))  # the fifteenth, in UTC
    rules.check_times(
        rules.usual_times(early, early + timedelta(hours=1)), date(2026, 3, 16), date(2026, 3, 16), HOUR
    )


def test_nobody_checks_in_to_the_afternoon_in_the_morning() -> None:
    usual = rules.usual_times(NINE, NINE + timedelta(hours=3))
    for minutes, fits in ((60, True), (61, False), (23 * 60, False)):
        early = Times(**(vars(usual) | {"opens_at": NINE - timedelta(minutes=minutes)}))
        if fits:
            rules.check_times(early, date(2026, 3, 16), date(2026, 3, 27), HOUR)
            continue
        with pytest.raises(Invalid) as refusal:
            rules.check_times(early, date(2026, 3, 16), date(2026, 3, 27), HOUR)
        assert [wrong.message for wrong in refusal.value.fields] == ["签到最早在上课前 60 分钟开始，请核对。"]
        moved = rules.moved(early, NINE + timedelta(days=1), HOUR)
        assert moved.starts_at - moved.opens_at == HOUR, "a window of before is cut where it is moved to"


# ---- where the phone is

XINGTAI = Point(37.0682, 114.5048, Datum.GCJ_02)
latitudes, longitudes = st.floats(20, 50), st.floats(80, 130)


def north(point: Point, metres: float) -> Point:
    return Point(point.latitude + metres / 111_195, point.longitude, point.datum)


def test_the_datums_differ_by_the_known_offset_in_tiananmen() -> None:
    """The published example of the transformation: WGS-84 39.90734, 116.39089 is GCJ-02 39.90874, 116.39713."""
    latitude, longitude = rules.gcj02(Point(39.90734, 116.39089, Datum.WGS_84))
    assert latitude == pytest.approx(39.90874, abs=1e-5)
    assert longitude == pytest.approx(116.39713, abs=1e-5)


@given(latitudes, longitudes)
def test_the_same_degrees_in_the_other_datum_are_another_place(latitude: float, longitude: float) -> None:
    away = rules.distance(Point(latitude, longitude, Datum.WGS_84), Point(latitude, longitude, Datum.GCJ_02))
    assert away < 1000


def test_outside_of_china_the_datums_are_one() -> None:
    assert rules.gcj02(Point(48.8584, 2.2945, Datum.WGS_84)) == (48.8584, 2.2945)


@pytest.mark.parametrize(
    ("metres", "accuracy", "flags"),
    [
        (0, 10, ()),
        (199, 0, ()),
        (240, 50, ()),
        (260, 50, (Flag.OUTSIDE_GEOFENCE,)),
        (5000, 200, (Flag.OUTSIDE_GEOFENCE,)),
        (5000, 201, (Flag.LOCATION_UNUSABLE,)),
        (0, 201, (Flag.LOCATION_UNUSABLE,)),
    ],
)
def test_inside_is_whoever_may_be_inside(metres: float, accuracy: float, flags: tuple[Flag, ...]) -> None:
    seen = Sighting(north(XINGTAI, metres), accuracy)
    judged = rules.whereabouts(XINGTAI, 200, seen)
    assert judged.flags == flags
    assert judged.distance_m == pytest.approx(metres, abs=1)


def test_without_a_location_a_fence_flags() -> None:
    assert rules.whereabouts(XINGTAI, 200, None).flags == (Flag.NO_LOCATION,)


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.floats(0, 10_000_000),
)
def test_any_two_places_of_the_earth_can_be_compared(
    one: float, two: float, three: float, four: float, accuracy: float
) -> None:
    for datum in Datum:
        judged = rules.whereabouts(
            Point(one, two, Datum.GCJ_02), 100, Sighting(Point(three, four, datum), accuracy)
        )
        assert judged.distance_m is not None and 0 <= judged.distance_m < 20_040_000


# ---- one device, several people


@given(st.lists(st.tuples(st.sampled_from("甲乙丙丁"), st.sampled_from(["x", "y", None]))))
def test_whoever_shares_a_device_is_flagged_and_nobody_else(rows: list[tuple[str, str | None]]) -> None:
    for person, _ in rows:
        shares = any(
            mine and mine == theirs
            for me, mine in rows
            if me == person
            for other, theirs in rows
            if other != person
        )
        assert (person in rules.sharing(rows)) == shares


# ---- hours and the timetable


def test_hours_add_up_over_the_sessions_that_have_ended() -> None:
    over, going_on = NINE - timedelta(hours=1), NINE + timedelta(hours=1)
    lessons = [Lesson("one", over, 4), Lesson("two", over, 3), Lesson("not over", going_on, 4)]
    rows = [("one", "甲"), ("two", "甲"), ("not over", "甲"), ("cancelled", "甲"), ("two", "乙")]
    hours = class_hours(80, lessons, rows, NINE)
    assert hours.attended == {"甲": 7, "乙": 3}
    assert (hours.held, hours.owed, hours.missing, hours.unfinished) == (7, 80, 73, 1)
    assert not hours.complete
    assert class_hours(80, lessons, rows, NINE, {"甲": 2, "丙": 1}).attended == {
        "甲": 9,
        "乙": 3,
        "丙": 1,
    }


@given(
    st.integers(1, 200),
    st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 12)), max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 3)), unique=True),
)
@example(8, [(0, 8)], [(0, 0)])
@example(8, [(-59, 8)], [(0, 0)])
@example(8, [(-60, 8)], [(0, 0)])
def test_nobody_has_attended_more_than_was_held_and_no_session_counts_before_a_minute_after_its_end(
    owed: int, sessions: list[tuple[int, int]], present: list[tuple[int, int]]
) -> None:
    """Ends in seconds around now; whoever was in a session that is not over has nothing of it yet."""
    lessons = [
        Lesson(str(number), NINE + timedelta(seconds=ends), hours)
        for number, (ends, hours) in enumerate(sessions)
    ]
    hours = class_hours(owed, lessons, [(str(one), str(who)) for one, who in present], NINE)
    came = {number for number, _ in present}
    assert hours.held == sum(
        length for number, (ends, length) in enumerate(sessions) if ends <= -60 and number in came
    )
    assert len(hours.empty) == sum(
        ends <= -60 and number not in came for number, (ends, _) in enumerate(sessions)
    )
    assert all(mine <= hours.held for mine in hours.attended.values())
    assert hours.complete == (hours.held >= owed and all(ends <= -60 for ends, _ in sessions))
    known = taught(owed, lessons, {str(number) for number in came}, NINE)
    assert known.held == hours.held and known.not_held <= known.missing <= hours.missing
    assert hours.unfinished or known.missing == hours.missing, "what the desk says is what a release says"
    assert bool(known.not_held) == bool(hours.empty and known.missing)


def test_the_same_hours_count_once_however_often_they_are_recorded() -> None:
    over = NINE - timedelta(hours=1)
    lessons, everything = [Lesson("one", over, 4), Lesson("two", over, 4)], [("one", "甲"), ("two", "甲")]
    made_up = class_hours(80, lessons, everything, NINE, {}, {"甲": 4})
    assert made_up.attended == {"甲": 8}, "no more than was held here"
    assert class_hours(8, lessons, everything, NINE, {"甲": 40}).attended == {"甲": 8}
    assert class_hours(80, lessons, everything, NINE, {"甲": 40}).attended == {"甲": 48}, (
        "40 were held elsewhere"
    )
    assert class_hours(80, lessons, everything, NINE, {"甲": 76}).attended == {"甲": 80}


@given(st.integers(1, 12), st.integers(0, 720), st.integers(20, 60))
@example(12, 44, 45)
@example(1, 45, 45)
@example(4, 179, 45)
@example(4, 180, 45)
def test_class_hours_fit_the_length_of_their_session_and_the_refusal_says_what_would(
    hours: int, minutes: int, class_hour: int
) -> None:
    words = hours_misfit(hours, timedelta(minutes=minutes, seconds=59), class_hour)
    assert (not words) == (hours * class_hour <= minutes)
    if words:
        fitting = minutes // class_hour
        assert (f"最多 {fitting} 课时" if fitting else "不足 1 课时") in words
        assert f"至少需要 {hours * class_hour} 分钟" in words
        assert not fitting or not hours_misfit(fitting, timedelta(minutes=minutes), class_hour)


def test_twelve_hours_in_forty_four_minutes_are_refused_in_words() -> None:
    assert hours_misfit(12, timedelta(minutes=44), 45) == (
        "44 分钟放不下 12 课时：按每课时 45 分钟不足 1 课时；12 课时至少需要 540 分钟。"
    )


MORNING = HalfDay("上午", time(8, 30), time(12, 0), 4)
AFTERNOON = HalfDay("下午", time(14, 0), time(17, 30), 4)
WEEKDAYS = range(5)


def test_a_timetable_has_each_half_day_of_each_weekday_and_the_courses_one_after_another() -> None:
    slots = rules.timetable(
        date(2026, 3, 16), date(2026, 3, 27), WEEKDAYS, [MORNING, AFTERNOON], ["教学", "考核"]
    )
    assert len(slots) == 20 and sum(slot.hours for slot in slots) == 80
    assert [slot.title for slot in slots[:3]] == ["第 1 天上午", "第 1 天下午", "第 2 天上午"]
    assert [slot.course for slot in slots] == ["教学"] * 10 + ["考核"] * 10
    assert all(slot.starts_at.astimezone(BEIJING).weekday() < 5 for slot in slots)
    assert slots[0].starts_at == datetime(2026, 3, 16, 0, 30, tzinfo=UTC)


def test_a_timetable_of_a_weekend_without_lessons_is_refused() -> None:
    with pytest.raises(Invalid):
        rules.timetable(date(2026, 3, 21), date(2026, 3, 22), WEEKDAYS, [MORNING], [])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)), max_size=8))
def test_two_sessions_overlap_when_one_begins_before_the_other_has_ended(
    drawn: list[tuple[int, int]],
) -> None:
    spans = [
        (NINE + timedelta(hours=begin), NINE + timedelta(hours=begin + length)) for begin, length in drawn
    ]
    some = any(a[0] < b[1] and b[0] < a[1] for index, a in enumerate(spans) for b in spans[index + 1 :])
    assert (rules.overlapping(spans) is not None) == some
