"""The tables of the selection and the conditions of a recommendation, at their boundaries (articles 7 and 9)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.institutions.rules import Level
from server.kernel.errors import Forbidden
from server.kernel.identity import Role
from server.kernel.reviews import NotInThisState
from server.selection import rules
from server.selection.rules import (
    Action,
    Conditions,
    ListAction,
    ListState,
    MajorDiffers,
    Merits,
    NotABackboneClass,
    NotEligible,
    State,
)

TODAY = date(2026, 3, 16)
ASKED = Conditions(years_least=5, age_most=55, certificate=2)


def merits(**changes: object) -> Merits:
    fine: dict[str, object] = {
        "born_on": date(1985, 6, 1),
        "years_of_teaching": 5,
        "held_level": Level.TWO,
        "papers": 1,
    }
    return Merits(**(fine | changes))  # type: ignore[arg-type]  # a dictionary of the fields


def test_who_meets_every_condition_exactly_is_eligible() -> None:
    rules.require_eligible(merits(), ASKED, TODAY)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"years_of_teaching": 4}, "years_of_teaching"),
        ({"held_level": Level.THREE}, "held_level"),
        ({"held_level": None}, "held_level"),
        ({"papers": 0}, "paper"),
        ({"born_on": date(1970, 3, 16)}, "id_number"),  # 56 today
    ],
)
def test_each_condition_is_told_at_its_field(changes: dict[str, object], place: str) -> None:
    with pytest.raises(NotEligible) as refusal:
        rules.require_eligible(merits(**changes), ASKED, TODAY)
    assert [one.place for one in refusal.value.fields] == [place]


def test_the_age_limit_counts_full_years_on_the_day() -> None:
    rules.require_eligible(merits(born_on=date(1970, 3, 17)), ASKED, TODAY)  # 56 tomorrow
    with pytest.raises(NotEligible):
        rules.require_eligible(merits(born_on=date(1970, 3, 16)), ASKED, TODAY)


@given(st.dates(date(1930, 1, 1), date(2010, 12, 31)), st.dates(date(2011, 1, 1), date(2060, 12, 31)))
def test_an_age_is_the_number_of_birthdays(born_on: date, day: date) -> None:
    birthdays = sum(
        (born_on.month, born_on.day) <= (day.month, day.day) if year == day.year else True
        for year in range(born_on.year + 1, day.year + 1)
    )
    assert rules.age_on(born_on, day) == birthdays
    assert 0 <= rules.age_on(born_on, day + timedelta(days=1)) - rules.age_on(born_on, day) <= 1


def test_who_was_born_on_a_leap_day_is_older_on_the_first_of_march() -> None:
    born = date(2000, 2, 29)
    assert rules.age_on(born, date(2026, 2, 28)) == 25
    assert rules.age_on(born, date(2026, 3, 1)) == 26
    assert rules.age_on(born, date(2028, 2, 29)) == 28


@pytest.mark.parametrize(
    ("held", "needed", "enough"),
    [
        (None, 0, True),
        (None, 3, False),
        (Level.THREE, 3, True),
        (Level.THREE, 2, False),
        (Level.TWO, 2, True),
        (Level.ONE, 2, True),
        (Level.TWO, 1, False),
        (Level.ONE, 1, True),
        (Level.BACKBONE, 1, True),
    ],
)
def test_level_one_is_the_highest(held: Level | None, needed: int, enough: bool) -> None:
    assert rules.holds_level(held, needed) is enough


@given(st.sampled_from(State), st.sampled_from(Action), st.sets(st.sampled_from(Role), min_size=1))
def test_only_the_table_leads_anywhere_and_only_for_whose_step_it_is(
    state: State, action: Action, roles: set[Role]
) -> None:
    if not rules.STEPS.may_act(action) & roles:
        with pytest.raises(Forbidden):
            rules.STEPS.after(state, action, roles)
    elif (state, action) not in rules.STEPS.transitions:
        with pytest.raises(NotInThisState, match="selection-state: "):
            rules.STEPS.after(state, action, roles)
    else:
        assert rules.STEPS.after(state, action, roles) is rules.STEPS.transitions[state, action]


@given(st.sampled_from(ListState), st.sampled_from(ListAction), st.sampled_from(Role))
def test_a_list_goes_only_where_its_table_says(state: ListState, action: ListAction, role: Role) -> None:
    if role not in rules.LIST_STEPS.may_act(action):
        with pytest.raises(Forbidden):
            rules.LIST_STEPS.after(state, action, {role})
    elif (state, action) not in rules.LIST_STEPS.transitions:
        with pytest.raises(NotInThisState, match="selection-state: "):
            rules.LIST_STEPS.after(state, action, {role})
    else:
        assert rules.LIST_STEPS.after(state, action, {role}) is rules.LIST_STEPS.transitions[state, action]


def test_what_is_settled_leads_nowhere_and_lets_the_teacher_be_recommended_again() -> None:
    settled = {state for state in State if not state.open}
    assert settled == {State.REGISTERED, State.FAILED, State.WITHDRAWN}
    assert not {state for state, _ in rules.STEPS.transitions} & settled


def test_every_state_is_reached_from_a_draft() -> None:
    reached = {State.DRAFT}
    for _ in State:
        reached |= {after for (state, _), after in rules.STEPS.transitions.items() if state in reached}
    assert reached == set(State)


def test_candidates_go_into_a_backbone_class_of_their_major_only() -> None:
    rules.require_backbone_class(Level.BACKBONE)
    rules.require_same_major("某教师", "机械类", "机械类")
    for level in (Level.ONE, Level.TWO, Level.THREE):
        with pytest.raises(NotABackboneClass):
            rules.require_backbone_class(level)
    with pytest.raises(MajorDiffers):
        rules.require_same_major("某教师", "机械类", "信息类")
