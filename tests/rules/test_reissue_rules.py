"""Rules of 补发, 换发 and 撤销 (article 18): their table of states, whose each step is, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.certificates.rules import NUMBER_LAST, SERIAL_LAST
from server.kernel.errors import Problem
from server.kernel.hearings import Hearing, TooEarly, check_heard
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.reissues import rules
from server.reissues.rules import BEGINS, Action, Kind, State

ISSUER, PROVINCE, HOLDER = (
    frozenset({Role.TRAINING_BASE}),
    frozenset({Role.PROVINCE}),
    frozenset({Role.TRAINEE}),
)
WALKS = st.lists(st.tuples(st.sampled_from(Action), st.sampled_from([ISSUER, PROVINCE, HOLDER])), max_size=12)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 1))


@given(st.sampled_from(Kind), st.sampled_from(sorted(BEGINS)), WALKS)
def test_whatever_is_tried_a_settled_matter_stays_settled_and_each_end_has_its_own_way(
    kind: Kind, begins: Action, walk: Sequence[tuple[Action, frozenset[Role]]]
) -> None:
    """Of any steps by anybody in any order only those of the table are taken, and what they lead to says who took them."""
    if begins not in rules.steps_of(kind).steps:
        return
    state, taken = BEGINS[begins], [begins]
    for action, roles in walk:
        try:
            steps = rules.may_step(kind, state, action, roles)
        except Problem as refusal:
            assert refusal.detail
            continue
        assert state.open, "a settled matter was moved"
        assert roles & steps.may_act(action)
        state = steps.transitions[state, action]
        taken.append(action)
    if state is State.APPROVED:
        assert taken[-1] is (Action.GRANT if kind.reissue else Action.APPROVE)
        assert kind.reissue or taken[-2] is Action.FILE  # the province has read what is printed
    if state is State.REVOKED:
        assert kind is Kind.REVOKED and taken[-1] is Action.DECIDE
    if state is State.OVERTAKEN:
        assert kind is not Kind.REVOKED


def test_the_issuer_grants_a_copy_the_province_other_words_and_nobody_but_the_holder_speaks_for_the_holder() -> (
    None
):
    assert rules.REISSUE.may_act(Action.GRANT) == INSTITUTION_ROLES
    assert rules.REPLACEMENT.may_act(Action.APPROVE) == rules.REPLACEMENT.may_act(Action.RETURN) == PROVINCE
    assert rules.REVOCATION.may_act(Action.STATE) == HOLDER
    assert rules.REVOCATION.may_act(Action.DECIDE) == INSTITUTION_ROLES
    assert {one for one in State if one.open} == {State.ASKED, State.FILED, State.RETURNED, State.HEARING}


@given(DAYS, st.integers(1, 60), st.booleans(), st.integers(-3, 70))
def test_nothing_is_decided_before_the_holder_has_answered_or_the_last_day_has_passed(
    proposed: date, days: int, answered: bool, later: int
) -> None:
    until, today = proposed + timedelta(days=days), proposed + timedelta(days=later)
    if answered or today > until:
        check_heard(Hearing(until, answered), today, "撤销证书")
    else:
        with pytest.raises(TooEarly):
            check_heard(Hearing(until, answered), today, "撤销证书")
    if today > until:  # no day on which both could act
        with pytest.raises(rules.StatementOver):
            rules.require_in_time(until, today)
    else:
        rules.require_in_time(until, today)


@given(DAYS, DAYS)
def test_at_once_is_the_day_of_issue_alone(issued_on: date, today: date) -> None:
    assert rules.may_revoke_at_once(issued_on, today) is (issued_on == today)


@given(st.integers(0, SERIAL_LAST + 5), st.integers(0, NUMBER_LAST + 5), st.booleans())
def test_what_is_left_is_said_and_a_copy_under_its_number_needs_no_other(
    serials_taken: int, numbers_taken: int, keeps: bool
) -> None:
    serials, numbers = rules.left(serials_taken, numbers_taken)
    if serials and (numbers or keeps):
        rules.require_left(serials, numbers, keeps_number=keeps)
    else:
        with pytest.raises(rules.NumbersUsedUp, match="部指导中心"):
            rules.require_left(serials, numbers, keeps_number=keeps)
