"""Rules of moves: who has to confirm, what the last confirmation does, and what is no move at all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kernel.errors import Invalid
from server.kernel.identity import Role
from server.kernel.reviews import NotInThisState, NotYours
from server.moves import rules
from server.moves.rules import Action, AskedToday, NotYourMove, State

TODAY = date(2026, 3, 16)
PROVINCES = st.sampled_from(["13", "32", "44"])
DAYS = st.dates(TODAY - timedelta(days=2), TODAY + timedelta(days=182))


@given(before=PROVINCES, after=PROVINCES, asking=st.none() | PROVINCES, effective_on=DAYS)
def test_each_side_confirms_once_and_the_last_one_brings_it_about(
    before: str, after: str, asking: str | None, effective_on: date
) -> None:
    pending = rules.whose_turn((before, after), asking)
    assert set(pending) == {before, after} - {asking} and len(pending) == len(set(pending))
    taken = []
    while pending:
        taken.append(rules.next_step(pending, pending[0], effective_on, TODAY))
        pending = pending[1:]
    assert taken[:-1] == [Action.AGREE] * len(taken[:-1])
    if taken:
        assert taken[-1] is (Action.CONFIRM if effective_on > TODAY else Action.TAKE_EFFECT)


@given(effective_on=DAYS)
def test_a_move_begins_today_or_within_half_a_year(effective_on: date) -> None:
    moved = ("邢台技师学院", "13"), ("江苏省扬州技师学院", "32")
    if TODAY <= effective_on <= TODAY + timedelta(days=180):
        rules.check_move(*moved, effective_on, TODAY)
    else:
        with pytest.raises(Invalid):
            rules.check_move(*moved, effective_on, TODAY)


def test_who_stays_in_the_same_unit_and_province_does_not_move_however_it_is_spelt() -> None:
    with pytest.raises(Invalid):
        rules.check_move(("邢台技师学院", "13"), ("邢台 技师学院", "13"), TODAY, TODAY)
    rules.check_move(("示例学校", "13"), ("示例学校", "32"), TODAY, TODAY)
    with pytest.raises(NotYourMove):
        rules.check_side(["13", "32"], "44", province=True)


def test_an_institution_is_named_with_its_own_province_and_who_was_asked_is_not_asked_again_that_day() -> (
    None
):
    rules.check_place("江苏省常州技师学院", "32", "32")
    with pytest.raises(Invalid):
        rules.check_place("江苏省常州技师学院", "32", "13")
    rules.check_pause([TODAY - timedelta(days=1)], TODAY)
    with pytest.raises(AskedToday):
        rules.check_pause([TODAY], TODAY)


@pytest.mark.parametrize(
    ("state", "pending", "taken", "gives_way"),
    [
        (State.ASKED, ["13", "32"], [Action.ASK], True),
        (State.ASKED, ["13"], [Action.ASK, Action.AGREE], False),
        (State.ASKED, ["32"], [Action.ASK], False),
        (State.CONFIRMED, [], [Action.ASK, Action.CONFIRM], False),
    ],
)
def test_what_nobody_has_confirmed_gives_way_to_what_the_province_does_itself(
    state: State, pending: list[str], taken: list[Action], gives_way: bool
) -> None:
    assert rules.gives_way(state, pending, taken, "13") is gives_way


@pytest.mark.parametrize("state", [State.DONE, State.DECLINED, State.WITHDRAWN])
def test_what_is_settled_stays(state: State) -> None:
    assert not state.open
    for action in (Action.CONFIRM, Action.TAKE_EFFECT, Action.DECLINE, Action.WITHDRAW):
        with pytest.raises(NotInThisState):
            rules.STEPS.after(state, action, {Role.PROVINCE})
    with pytest.raises(NotYours):
        rules.STEPS.after(State.CONFIRMED, Action.APPLY, {Role.PROVINCE})
