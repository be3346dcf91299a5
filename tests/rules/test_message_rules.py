"""When a message leaves, and when it is tried again: at the boundaries of hours, days and attempts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kernel.clock import BEIJING
from server.messages import rules
from server.messages.rules import Answer

HOURS = st.integers(0, 23)
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: beijing(0) + timedelta(minutes=minutes))
CHANCES = st.floats(0, 1, exclude_max=True)


def beijing(hour: int, minute: int = 0, day: int = 16) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=BEIJING).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (beijing(21, 59), None),
        (beijing(22), beijing(7, day=17)),
        (beijing(23, 59), beijing(7, day=17)),
        (beijing(0), beijing(7)),
        (beijing(6, 59), beijing(7)),
        (beijing(7), None),
    ],
)
def test_the_night_lasts_from_ten_to_seven_in_beijing(now: datetime, until: datetime | None) -> None:
    assert rules.quiet_until(now, 22, 7) == until


@given(now=MOMENTS, from_hour=HOURS, until_hour=HOURS)
def test_quiet_hours_end_where_a_clock_that_walks_hour_by_hour_leaves_them(
    now: datetime, from_hour: int, until_hour: int
) -> None:
    quiet = set()
    hour = from_hour
    while hour != until_hour:
        quiet.add(hour)
        hour = (hour + 1) % 24
    walking = now.astimezone(BEIJING)
    while walking.hour in quiet:
        walking = walking.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    expected = None if walking == now else walking
    assert rules.quiet_until(now, from_hour, until_hour) == expected


@given(attempts=st.integers(1, 10_000), chance=CHANCES)
def test_a_retry_waits_at_least_half_its_time_and_at_most_an_hour(attempts: int, chance: float) -> None:
    for wait, first, longest in (
        (rules.retry_after(attempts, chance), timedelta(seconds=30), timedelta(hours=1)),
        (rules.pause_after(attempts, chance), timedelta(seconds=15), timedelta(minutes=30)),
    ):
        assert first / 2 <= wait <= longest
    assert rules.retry_after(attempts + 1, chance) >= rules.retry_after(attempts, chance)


@given(now=MOMENTS, chance=CHANCES)
def test_a_used_up_quota_is_tried_on_the_next_day_in_beijing(now: datetime, chance: float) -> None:
    again = rules.next_quota_day(now, chance)
    assert (again.astimezone(BEIJING).date() - now.astimezone(BEIJING).date()).days == 1
    assert again.astimezone(BEIJING).hour == 0
    assert timedelta(0) < again - now <= timedelta(days=1, minutes=15)


def test_only_what_begins_with_accept_grants_a_message() -> None:
    assert {one for one in Answer if one.grants} == {one for one in Answer if one.value.startswith("accept")}


def test_a_reason_names_the_code_that_wechat_gave() -> None:
    assert "40037" in rules.reason_words("wechat-refused", 40037)
    assert rules.reason_words("no-phone", None) == "收件人没有绑定微信"
    assert rules.reason_words("unavailable", -1) == "微信多次没有接受（-1）"
