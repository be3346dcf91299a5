"""Rules of classes that do not run as planned (articles 4.6, 4.7 and 25.4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance import rules as attendance_rules
from server.attendance.hours import (
    TooManyHours,
    check_day_of_make_up,
    check_made_up,
    credited,
    taught_together,
)
from server.attendance.rules import CHECK_INS_SETTLE, CheckInUnderWay
from server.institutions.rules import Level
from server.interruptions import rules
from server.interruptions.rules import (
    STEPS,
    Action,
    ClassBegun,
    Course,
    Days,
    NameDiffers,
    NotLater,
    Placed,
    State,
)
from server.kernel.errors import Invalid
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.unit_of_work import PATIENCE

DAYS = st.dates(date(2026, 3, 1), date(2026, 5, 31))
HOURS = st.integers(0, 200)
MARCH = Days(date(2026, 3, 16), date(2026, 3, 27))


def test_only_the_province_approves_and_only_what_waits_is_open() -> None:
    assert STEPS.may_act(Action.APPROVE) == STEPS.may_act(Action.RETURN) == {Role.PROVINCE}
    assert STEPS.may_act(Action.FILE) == STEPS.may_act(Action.CALL_OFF) == INSTITUTION_ROLES
    assert {state for state in State if state.open} == {State.ASKED, State.SUBMITTED}
    settled = {State.REVOKED, State.WITHDRAWN, State.DONE}
    assert not [one for one, _ in STEPS.transitions if one in settled]
    assert [action for one, action in STEPS.transitions if one is State.APPROVED] == [Action.REVOKE]
    assert STEPS.may_act(Action.REVOKE) == {Role.PROVINCE}


@given(DAYS, DAYS, DAYS, DAYS, st.integers(1, 365))
def test_a_suspension_lies_in_the_class_and_the_class_goes_on_after_it(
    first: date, last: date, ends_on: date, today: date, most_days: int
) -> None:
    fits = (
        max(MARCH.starts_on, today) <= first <= MARCH.ends_on
        and first <= last < ends_on
        and ends_on >= MARCH.ends_on
        and (last - first).days < most_days
    )
    if fits:
        rules.check_suspension(first, last, MARCH, ends_on, today, most_days=most_days)
    else:
        with pytest.raises(Invalid):
            rules.check_suspension(first, last, MARCH, ends_on, today, most_days=most_days)


@given(st.integers(0, 11), st.integers(0, 11))
def test_two_suspensions_never_overlap(one: int, other: int) -> None:
    first, last = (MARCH.starts_on + timedelta(days=day) for day in sorted((one, other)))
    before = (date(2026, 3, 18), date(2026, 3, 20))
    days = Days(MARCH.starts_on, MARCH.ends_on, (before,))
    if last < before[0] or first > before[1]:
        rules.check_suspension(first, last, days, date(2026, 4, 30), MARCH.starts_on, most_days=180)
    else:
        with pytest.raises(Invalid):
            rules.check_suspension(first, last, days, date(2026, 4, 30), MARCH.starts_on, most_days=180)


@given(DAYS, DAYS, DAYS, st.booleans(), st.booleans())
def test_a_postponed_class_never_ends_earlier_and_begins_later_only_before_it_began(
    starts_on: date, ends_on: date, today: date, begun: bool, moved: bool
) -> None:
    try:
        rules.check_postponement(starts_on, ends_on, MARCH, today, begun=begun, moved=moved)
    except Invalid:
        return
    assert ends_on >= max(MARCH.ends_on, today)
    assert starts_on == MARCH.starts_on or (starts_on > MARCH.starts_on > today and not begun)
    assert moved or (starts_on, ends_on) != (MARCH.starts_on, MARCH.ends_on)


def test_no_class_is_suspended_or_put_off_beyond_the_year_that_a_class_may_last() -> None:
    far, today = date(9999, 12, 31), MARCH.starts_on
    with pytest.raises(Invalid) as refused:
        rules.check_postponement(MARCH.starts_on, far, MARCH, today, begun=True, moved=True)
    assert [one.place for one in refused.value.fields] == ["ends_on"]
    with pytest.raises(Invalid):
        rules.check_suspension(today, today, MARCH, far, today, most_days=180)


@given(DAYS, st.lists(DAYS, max_size=3), st.integers(-10, 10))
def test_a_class_ends_later_only_with_something_to_hold_later(
    ends_on: date, moved: list[date], unplanned: int
) -> None:
    later = max(moved, default=MARCH.ends_on) > MARCH.ends_on
    if ends_on <= MARCH.ends_on or later or unplanned > 0:
        rules.check_lengthened(MARCH, ends_on, moved, unplanned)
    else:
        with pytest.raises(Invalid):
            rules.check_lengthened(MARCH, ends_on, moved, unplanned)


@given(st.integers(-300, 300))
def test_a_class_is_called_off_until_a_minute_before_its_first_check_in(seconds: int) -> None:
    opens = datetime(2026, 3, 16, 0, 40, tzinfo=UTC)
    now = opens + timedelta(seconds=seconds)
    if now < opens - CHECK_INS_SETTLE:
        rules.check_not_begun([opens, opens + timedelta(days=1)], now)
    else:
        with pytest.raises(ClassBegun):
            rules.check_not_begun([opens, opens + timedelta(days=1)], now)
    rules.check_not_begun([], now)


def test_the_minute_is_longer_than_any_transaction_tries() -> None:
    assert timedelta(seconds=PATIENCE) < CHECK_INS_SETTLE


@given(st.integers(-300, 3600))
def test_no_session_is_moved_while_a_check_in_to_it_may_be_under_way(seconds: int) -> None:
    opens = datetime(2026, 3, 16, 0, 40, tzinfo=UTC)
    closes = opens + timedelta(minutes=50)
    now = opens + timedelta(seconds=seconds)
    if opens - CHECK_INS_SETTLE <= now < closes + CHECK_INS_SETTLE:
        with pytest.raises(CheckInUnderWay):
            attendance_rules.check_not_under_way([(opens, closes)], now)
    else:
        attendance_rules.check_not_under_way([(opens, closes)], now)


def test_what_is_called_off_is_named() -> None:
    rules.check_typed(" 2026年3月 三级教师培训班", "2026年3月三级教师培训班")
    with pytest.raises(NameDiffers):
        rules.check_typed("2026年3月", "2026年3月三级教师培训班")


@given(st.lists(st.tuples(DAYS, st.booleans(), st.booleans()), max_size=20), DAYS, DAYS)
def test_a_suspension_falls_on_what_is_planned_in_it_and_never_on_what_was_held(
    drawn: list[tuple[date, bool, bool]], first: date, last: date
) -> None:
    sessions = [
        Placed(str(n), "上午", datetime.combine(day, time(1), UTC), used, cancelled)
        for n, (day, used, cancelled) in enumerate(drawn)
    ]
    hit = rules.inside(sessions, first, last)
    assert not any(one.used or one.cancelled for one in hit)
    assert all(first <= one.starts_at.date() <= last for one in hit)
    rest = [one for one in sessions if one not in hit]
    assert all(one.used or one.cancelled or not first <= one.starts_at.date() <= last for one in rest)


@given(HOURS, HOURS, st.integers(1, 200))
def test_nobody_makes_more_up_than_was_missed(held: int, attended: int, hours: int) -> None:
    try:
        check_made_up(hours, held=held, attended=attended)
    except TooManyHours:
        assert attended + hours > held
    else:
        assert attended + hours <= held


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 30), st.integers(1, 24))
def test_no_day_holds_more_hours_than_it_may(hours: int, person: int, teacher: int, most: int) -> None:
    try:
        check_day_of_make_up(hours, of_person=person, of_teacher=teacher, most=most)
    except TooManyHours:
        assert max(person, teacher) + hours > most
    else:
        assert max(person, teacher) + hours <= most


def test_what_several_people_made_up_together_was_taught_once() -> None:
    assert taught_together([("上午的课", 4), ("上午的课", 2), ("答疑", 1)]) == 5


@given(HOURS, HOURS)
def test_what_counts_in_a_later_class_is_never_more_than_was_held_or_is_owed(held: int, owed: int) -> None:
    assert 0 <= credited(held, owed) == min(held, owed)
    assert credited(held, owed - 1000) == 0, "who has more there than is owed is missing nothing"


@given(st.integers(-500_000, 500_000), st.integers(1, 12))
def test_a_moved_session_keeps_its_length_and_its_window(minutes: int, hours: int) -> None:
    start = datetime(2026, 3, 16, 1, tzinfo=UTC)
    before = attendance_rules.usual_times(start, start + timedelta(hours=hours))
    after = attendance_rules.moved(before, start + timedelta(minutes=minutes), timedelta(hours=1))
    by = after.starts_at - before.starts_at
    assert all(getattr(after, name) - getattr(before, name) == by for name in vars(before))


def test_a_class_that_ran_while_people_still_came_to_the_first_is_no_later_one() -> None:
    held_in = Course("held", "三月班", Level.THREE, "01", date(2026, 3, 16), False)
    beside = Course("beside", "同期班", Level.THREE, "01", date(2026, 3, 20), False)
    rules.check_later_class(held_in, beside, date(2026, 3, 19))
    for held_to in (date(2026, 3, 20), date(2026, 3, 21)):
        with pytest.raises(NotLater, match="not-a-later-class"):
            rules.check_later_class(held_in, beside, held_to)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"level": Level.TWO}, False),
        ({"major": "02"}, False),
        ({"over": True}, False),
        ({"starts_on": date(2026, 3, 15)}, False),
        ({"id": "held"}, False),
    ],
)
def test_people_finish_in_a_later_class_of_the_same_level_and_major(
    changes: dict[str, object], fits: bool
) -> None:
    held_in = Course("held", "三月班", Level.THREE, "01", date(2026, 3, 16), False)
    said = {"id": "later", "name": "五月班", "level": Level.THREE, "major": "01"}
    counts_in = Course(**{**said, "starts_on": date(2026, 5, 11), "over": False, **changes})  # type: ignore[arg-type]
    if fits:
        rules.check_later_class(held_in, counts_in)
    else:
        with pytest.raises(NotLater):
            rules.check_later_class(held_in, counts_in)
