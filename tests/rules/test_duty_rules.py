"""The rules of article 8.4: what a year owes, where somebody stands in it, and when guidance may be logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backbone import owed
from server.backbone.rules import PoolStatus, status_on
from server.duties import rules
from server.duties.rules import STEPS, Action, GuidanceSettled, Standing, State, Way
from server.kernel.errors import Forbidden, Invalid
from server.kernel.identity import Role

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
YEARS = st.integers(2024, 2028)
LONG_AGO = date(2020, 1, 1)


@dataclass(frozen=True)
class Decision:
    status: PoolStatus
    effective_on: date


HISTORIES = st.lists(st.builds(Decision, st.sampled_from(PoolStatus), DAYS), max_size=4)


def year(number: int) -> list[date]:
    first = date(number, 1, 1)
    return [first + timedelta(days=n) for n in range((date(number + 1, 1, 1) - first).days)]


# ---- what a year owes


@given(registered_on=DAYS, history=HISTORIES, number=YEARS)
def test_days_in_the_pool_are_those_counted_one_by_one(
    registered_on: date, history: list[Decision], number: int
) -> None:
    days = year(number)
    slow = sum(day >= registered_on and status_on(history, day) is PoolStatus.ACTIVE for day in days)
    assert owed.days_in_pool(registered_on, history, days[0], days[-1]) == slow
    share = 2 * slow / len(days)
    assert owed.required_tasks(registered_on, history, number) == int(share + 0.5)


@given(number=YEARS)
def test_who_is_in_the_pool_all_the_year_owes_two(number: int) -> None:
    assert owed.required_tasks(date(number, 1, 1), [], number) == 2
    assert owed.required_tasks(LONG_AGO, [], number) == 2


@pytest.mark.parametrize(
    ("registered_on", "required"),
    [
        (date(2026, 1, 1), 2),
        (date(2026, 4, 2), 2),  # 274 of 365 days
        (date(2026, 4, 3), 1),
        (date(2026, 7, 1), 1),
        (date(2026, 10, 1), 1),  # 92 of 365 days
        (date(2026, 10, 2), 0),
        (date(2026, 12, 31), 0),
        (date(2028, 10, 1), 1),  # 92 of the 366 days of a leap year
        (date(2028, 10, 2), 0),
    ],
)
def test_who_is_registered_in_the_middle_of_the_year_owes_the_share(
    registered_on: date, required: int
) -> None:
    assert owed.required_tasks(registered_on, [], registered_on.year) == required


def test_time_of_suspension_is_not_held_against_anybody() -> None:
    suspended = Decision(PoolStatus.SUSPENDED, date(2026, 3, 1))
    back = Decision(PoolStatus.ACTIVE, date(2026, 9, 1))
    assert owed.required_tasks(LONG_AGO, [suspended, back], 2026) == 1
    assert owed.required_tasks(LONG_AGO, [suspended], 2026) == 0
    week = [Decision(PoolStatus.SUSPENDED, date(2026, 3, 1)), Decision(PoolStatus.ACTIVE, date(2026, 3, 8))]
    assert owed.required_tasks(LONG_AGO, week, 2026) == 2


# ---- where somebody stands


@given(
    required=st.integers(0, 2),
    done=st.integers(0, 5),
    meets=st.sampled_from([True, False, None]),
    over=st.booleans(),
)
def test_a_standing_says_what_is_missing_first(
    required: int, done: int, meets: bool | None, over: bool
) -> None:
    seen = rules.standing(required, done, meets, over=over)
    assert (seen in (Standing.OWING, Standing.SHORT)) == (done < required)
    assert (seen is Standing.SHORT) == (done < required and over)
    assert (seen is Standing.BELOW_MARK) == (done >= required and meets is False)
    assert (seen is Standing.NOTHING_OWED) == (required == done == 0 and meets is not False)
    assert seen.label and seen.tone in ("warning", "danger", "success", "neutral")


def test_a_year_is_over_with_its_last_day() -> None:
    assert not rules.year_is_over(2026, date(2026, 12, 31)) and rules.year_is_over(2026, date(2027, 1, 1))


@pytest.mark.parametrize(
    ("today", "done", "planned", "warned"),
    [
        (date(2026, 9, 30), 0, 0, False),
        (date(2026, 10, 1), 0, 0, True),
        (date(2026, 10, 1), 1, 0, True),
        (date(2026, 10, 1), 1, 1, False),
        (date(2026, 10, 1), 0, 2, False),
        (date(2026, 12, 31), 0, 1, True),
    ],
)
def test_from_october_on_who_owes_tasks_without_a_plan_is_warned(
    today: date, done: int, planned: int, warned: bool
) -> None:
    assert rules.is_to_be_warned(today, 2, done, planned) is warned


# ---- guidance


@given(
    state=st.sampled_from(State), action=st.sampled_from(Action), roles=st.frozensets(st.sampled_from(Role))
)
def test_nothing_happens_to_guidance_that_the_table_does_not_name(
    state: State, action: Action, roles: frozenset[Role]
) -> None:
    try:
        new = STEPS.after(state, action, roles)
    except Forbidden:
        assert not roles & STEPS.may_act(action)
    except GuidanceSettled:
        assert roles & STEPS.may_act(action) and (state, action) not in STEPS.transitions
    else:
        assert roles & STEPS.may_act(action) and STEPS.transitions[state, action] is new


def test_what_was_confirmed_stays_and_what_was_disputed_may_still_be_confirmed() -> None:
    trainee = frozenset({Role.TRAINEE})
    assert STEPS.after(State.DISPUTED, Action.CONFIRM, trainee) is State.CONFIRMED
    with pytest.raises(GuidanceSettled):
        STEPS.after(State.CONFIRMED, Action.DISPUTE, trainee)


@given(given_on=DAYS, ends_on=DAYS, today=DAYS)
def test_guidance_comes_after_the_class_and_before_tomorrow(
    given_on: date, ends_on: date, today: date
) -> None:
    try:
        rules.check_day(given_on, ends_on, today)
    except Invalid as refusal:
        assert not ends_on < given_on <= today
        assert [one.place for one in refusal.fields] == ["given_on"]
    else:
        assert ends_on < given_on <= today


def test_every_code_has_its_chinese_word() -> None:
    assert all(one.label for group in (Way, State, Standing) for one in group)
    assert all(one.tone for one in State)
