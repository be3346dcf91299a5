"""The statuses of the pool, day by day (article 9.1), and how a part of a name is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backbone import rules
from server.backbone.rules import PoolStatus, Sought, StatusNotPossible, YearFigures
from server.kernel.errors import Invalid
from server.kernel.folding import folded
from server.kernel.grams import grams, grams_asked

DAY = date(2026, 3, 16)
ACTIVE, SUSPENDED, CANCELLED = PoolStatus
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@dataclass(frozen=True)
class Decision:
    status: PoolStatus
    effective_on: date


histories = st.lists(st.builds(Decision, st.sampled_from(PoolStatus), days), max_size=8)


def test_without_a_decision_a_member_is_active() -> None:
    assert rules.status_on([], DAY) is ACTIVE
    assert rules.in_force_since([], DAY) is None
    assert rules.next_change([], DAY) is None


def test_a_decision_is_in_force_from_its_day_on() -> None:
    history = [Decision(SUSPENDED, DAY)]
    assert rules.status_on(history, DAY - timedelta(days=1)) is ACTIVE
    assert rules.status_on(history, DAY) is SUSPENDED
    assert rules.next_change(history, DAY - timedelta(days=1)) == DAY
    assert rules.next_change(history, DAY) is None


def test_a_later_decision_takes_back_one_whose_day_had_not_come() -> None:
    history = [Decision(CANCELLED, DAY + timedelta(days=30)), Decision(ACTIVE, DAY)]
    assert rules.status_on(history, DAY + timedelta(days=31)) is ACTIVE
    assert rules.next_change(history, DAY) is None


@given(histories, days)
def test_the_next_change_is_the_first_day_with_another_status(history: list[Decision], today: date) -> None:
    found = rules.next_change(history, today)
    now = rules.status_on(history, today)
    later = [today + timedelta(days=n) for n in range(1, (date(2029, 1, 1) - today).days)]
    assert found == next((day for day in later if rules.status_on(history, day) is not now), None)


@pytest.mark.parametrize(
    ("before", "after", "possible"),
    [
        (ACTIVE, SUSPENDED, True),
        (ACTIVE, CANCELLED, True),
        (SUSPENDED, ACTIVE, True),
        (SUSPENDED, CANCELLED, True),
        (CANCELLED, ACTIVE, True),
        (CANCELLED, SUSPENDED, False),
        (ACTIVE, ACTIVE, False),
        (SUSPENDED, SUSPENDED, False),
        (CANCELLED, CANCELLED, False),
    ],
)
def test_a_status_changes_by_the_table_only(before: PoolStatus, after: PoolStatus, possible: bool) -> None:
    history = [Decision(before, DAY)]
    if possible:
        rules.check_change(history, after, DAY, DAY)
    else:
        with pytest.raises(StatusNotPossible):
            rules.check_change(history, after, DAY, DAY)


def test_a_decision_takes_effect_today_at_the_earliest() -> None:
    rules.check_change([], SUSPENDED, DAY, DAY)
    with pytest.raises(Invalid):
        rules.check_change([], SUSPENDED, DAY - timedelta(days=1), DAY)


def test_what_is_decided_for_a_later_day_can_be_taken_back() -> None:
    rules.check_change([Decision(CANCELLED, DAY + timedelta(days=9))], ACTIVE, DAY, DAY)


@given(st.text("张王李试丁工技师学院 ·", min_size=2, max_size=12), st.data())
def test_any_part_of_a_text_is_found_by_its_grams(text: str, data: st.DataObject) -> None:
    plain = folded(text)
    if not plain:
        return
    start = data.draw(st.integers(0, len(plain) - 1))
    part = plain[start : data.draw(st.integers(start + 1, len(plain)))]
    assert set(grams_asked(part)) <= set(grams(text))


figures = st.builds(
    YearFigures,
    year=st.integers(2024, 2026),
    teaching=st.integers(0, 6),
    assessment=st.integers(0, 6),
    mean_hundredths=st.none() | st.integers(100, 300),
    meets_mark=st.booleans(),
)


@given(figures, st.sampled_from(rules.TASKS_SOUGHT))
def test_a_year_is_found_by_at_least_so_many_tasks(one: YearFigures, least: int) -> None:
    found = rules.marks([one])
    assert (rules.tasks_mark(one.year, least) in found) is (one.teaching + one.assessment >= least)
    assert (rules.mark(one.year, Sought.NO_TASK) in found) is (one.tasks == 0)


@given(figures)
def test_a_year_is_rated_or_not_and_meets_the_mark_or_is_below_it(one: YearFigures) -> None:
    found = set(rules.marks([one]))
    kinds = [Sought.MET, Sought.BELOW, Sought.UNRATED]
    assert sum(rules.mark(one.year, kind) in found for kind in kinds) == 1
    assert (rules.mark(one.year, Sought.UNRATED) in found) is (one.mean == "")


@given(histories, days)
def test_a_title_falls_on_the_first_day_that_is_cancelled(history: list[Decision], today: date) -> None:
    later = [today + timedelta(days=n) for n in range((date(2029, 1, 1) - today).days)]
    found = next((day for day in later if rules.status_on(history, day) is CANCELLED), None)
    assert rules.cancelled_from(history, today) == found


@pytest.mark.parametrize("status", [SUSPENDED, CANCELLED])
@pytest.mark.parametrize("days", [0, 8, 9, 10])
def test_nothing_but_its_reversal_overrides_a_cancellation_to_come(status: PoolStatus, days: int) -> None:
    history = [Decision(CANCELLED, DAY + timedelta(days=9))]
    with pytest.raises(StatusNotPossible):
        rules.check_change(history, status, DAY + timedelta(days=days), DAY)
    rules.check_change(history, ACTIVE, DAY + timedelta(days=days), DAY)
