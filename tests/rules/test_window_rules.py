"""Rules of the windows in which plans are due (article 4.1): the days, what counts as reported, and what is late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kernel.errors import Invalid
from server.kernel.history import Step
from server.plans import window_rules as rules
from server.plans.rules import Action, State
from server.plans.window_rules import Report, WindowOver

TODAY = date(2026, 11, 1)
DAYS = st.dates(date(2026, 10, 1), date(2027, 12, 31))


def refused(opens_on: date, closes_on: date, latest: date | None = None, year: int = 2027) -> bool:
    try:
        rules.check_days(year, opens_on, closes_on, TODAY, latest)
    except Invalid:
        return True
    return False


@given(opens_on=DAYS, closes_on=DAYS, latest=st.none() | DAYS)
def test_days_are_in_order_not_over_within_a_year_and_within_the_centres(
    opens_on: date, closes_on: date, latest: date | None
) -> None:
    fits = max(opens_on, TODAY) <= closes_on <= opens_on + timedelta(days=366)
    assert refused(opens_on, closes_on, latest) is not (fits and (latest is None or closes_on <= latest))
    assert refused(TODAY, TODAY, year=2028) and not refused(TODAY, TODAY, latest=TODAY)


@given(country=st.none() | DAYS, province=st.none() | DAYS, filed=st.none() | DAYS, today=DAYS)
def test_the_earlier_day_counts_and_late_is_what_came_or_is_missing_after_it(
    country: date | None, province: date | None, filed: date | None, today: date
) -> None:
    due = rules.due_on((country, province))
    said = [one for one in (country, province) if one]
    assert due == (min(said) if said else None)
    assert rules.is_late(filed, due, today) is any((filed or today) > one for one in said)
    if due:
        assert not rules.is_late(due, due, date.max) and rules.is_late(None, due, due + timedelta(days=1))


def steps(*actions: tuple[Action, int]) -> list[Step]:
    """In December; 16:30 UTC is after midnight in Beijing."""
    return [
        Step(at=datetime(2026, 12, day, 16, 30, tzinfo=UTC), actor_id="a", actor_name="某", action=action)
        for action, day in actions
    ]


def test_what_was_taken_back_was_not_reported_and_what_was_returned_was() -> None:
    taken_back = steps((Action.BEGIN, 1), (Action.SUBMIT, 2), (Action.WITHDRAW, 3))
    returned = steps((Action.BEGIN, 1), (Action.SUBMIT, 5), (Action.RETURN, 6), (Action.SUBMIT, 8))
    assert rules.filed_on([taken_back]) is None
    assert rules.filed_on([taken_back, returned]) == date(2026, 12, 6), "by Beijing's calendar"
    assert rules.filed_on([]) is None


@pytest.mark.parametrize(
    ("states", "report"),
    [
        ([], Report.NONE),
        ([State.DISCARDED], Report.NONE),
        ([State.DISCARDED, State.DRAFT], Report.DRAFTING),
        ([State.RETURNED], Report.DRAFTING),
        ([State.SUBMITTED], Report.FILED),
        ([State.APPROVED, State.DRAFT], Report.APPROVED),
        ([State.SUPERSEDED, State.SUBMITTED], Report.APPROVED),
    ],
)
def test_how_far_a_plan_has_come_is_told_by_all_its_versions(states: list[State], report: Report) -> None:
    assert rules.report_of(states) is report
    assert report.outstanding is (report in (Report.NONE, Report.DRAFTING))


def test_days_are_taken_back_until_the_last_of_them() -> None:
    rules.check_withdrawal(TODAY, TODAY)
    with pytest.raises(WindowOver):
        rules.check_withdrawal(TODAY, TODAY + timedelta(days=1))
