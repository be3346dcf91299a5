"""What counts as work, on its boundaries (articles 5.3, 8.4 and 9.1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.classes.work import (
    Progress,
    Taught,
    at_work_until,
    names_nobody,
    own_days,
    progress,
    trained_until,
)

FIRST, LAST = date(2026, 3, 16), date(2026, 3, 27)
DAY = timedelta(days=1)
days = st.dates(date(2024, 1, 1), date(2028, 1, 1))


def at_work(today: date, *, closed: bool = False, work_last: date | None = None) -> date | None:
    return at_work_until(FIRST, LAST, closed=closed, work_last=work_last, today=today, release_days=30)


def trained(today: date, *, released: bool = False, trained_to: date | None = None) -> date | None:
    return trained_until(FIRST, LAST, released=released, trained_to=trained_to, today=today, release_days=30)


def test_a_task_is_planned_until_its_class_is_over_and_then_done_or_lapsed() -> None:
    assert progress(None, LAST, LAST) is Progress.PLANNED
    assert progress(FIRST, LAST, LAST) is Progress.PLANNED
    assert progress(FIRST, LAST, LAST + DAY) is Progress.DONE
    assert progress(None, LAST, LAST + DAY) is Progress.LAPSED


def test_nobody_is_idle_while_the_class_runs_or_awaits_its_release() -> None:
    assert at_work(FIRST - DAY) is None
    assert at_work(FIRST) == FIRST and at_work(LAST) == LAST
    assert at_work(LAST + 30 * DAY) == LAST + 30 * DAY
    assert at_work(LAST + 31 * DAY) is None, "who did nothing in it was idle after all"
    assert at_work(LAST + 31 * DAY, work_last=FIRST) == FIRST
    assert at_work(LAST + DAY, closed=True) is None
    assert at_work(LAST + DAY, closed=True, work_last=LAST - DAY) == LAST - DAY


def test_a_base_trains_by_a_class_that_people_came_to_and_that_was_released() -> None:
    assert trained(FIRST) == FIRST, "while it runs"
    assert trained(LAST + DAY) is None, "nobody came"
    assert trained(LAST + DAY, trained_to=FIRST) == LAST + DAY, "it awaits its release"
    assert trained(LAST + 31 * DAY, trained_to=FIRST) is None, "and was never released"
    assert trained(LAST + 400 * DAY, released=True, trained_to=FIRST) == FIRST, "from its sessions"
    assert trained(LAST + 400 * DAY, released=True) is None


@given(today=days, work_last=st.none() | st.dates(FIRST, LAST), closed=st.booleans())
def test_nobody_has_worked_later_than_today_nor_before_the_class(
    today: date, work_last: date | None, closed: bool
) -> None:
    found = at_work(today, closed=closed, work_last=work_last)
    assert found is None or FIRST <= found <= today


def test_a_session_is_that_of_who_is_named_and_else_of_all_who_teach() -> None:
    sessions = [Taught(FIRST, "a"), Taught(LAST, ""), Taught(FIRST + DAY, "substitute")]
    assert own_days(sessions, ["a", "b"]) == {
        "a": (FIRST, LAST),
        "b": (LAST, LAST),
        "substitute": (FIRST + DAY, FIRST + DAY),
    }
    assert own_days([], ["a"]) == {}


def test_a_session_is_nobodys_from_the_moment_on_at_which_whom_it_names_has_left_the_class() -> None:
    """Articles 6 and 8.4: what they held stays theirs, and of a past nobody knows of nothing is taken from anybody."""
    ten, hour = datetime(2026, 3, 17, 2, 0, tzinfo=UTC), timedelta(hours=1)
    now, left = ten + 5 * hour, {"ill": ten}
    assert [names_nobody("ill", ten + n * hour, ["a"], left, now) for n in (-1, 0, 9)] == [False, True, True]
    assert [names_nobody("unknown", ten + n * hour, ["a"], left, now) for n in (4, 5)] == [False, True]
    assert not names_nobody("a", ten + hour, ["a"], {"a": ten}, now), "who has come back"
    assert not names_nobody("", ten + hour, [], left, now), "that of all who teach the class"
