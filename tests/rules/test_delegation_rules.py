"""Rules of standing in: no circle, nobody passes on what was given to them, and the days are whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts import delegation_rules as rules
from server.accounts.delegation_rules import DelegationClash
from server.kernel.errors import Invalid
from server.kernel.identity import Role
from tests import cast, stage

TODAY = date(2026, 3, 16)
DAYS = st.dates(TODAY, TODAY + timedelta(days=20))


@dataclass(frozen=True)
class OneOf:
    from_id: str
    to_id: str
    from_on: date
    last_on: date


WANTED = st.builds(
    lambda pair, first, more: OneOf(pair[0], pair[1], first, first + timedelta(days=more)),
    st.permutations("abcd").map(lambda names: names[:2]),
    DAYS,
    st.integers(0, 6),
)


@given(st.lists(WANTED, max_size=12))
def test_whatever_is_asked_for_on_no_day_does_anybody_stand_in_and_be_stood_in_for(
    wanted: list[OneOf],
) -> None:
    kept: list[OneOf] = []
    for one in wanted:
        try:
            rules.check_free(one, kept)
        except DelegationClash:
            continue
        kept.append(one)
    for day in (TODAY + timedelta(days=more) for more in range(30)):
        given_away = [one.from_id for one in kept if rules.in_force(one, day)]
        taken_on = {one.to_id for one in kept if rules.in_force(one, day)}
        assert len(given_away) == len(set(given_away)) and not taken_on & set(given_away)


@given(first=DAYS, last=DAYS)
def test_what_does_not_overlap_does_not_clash_and_what_touches_does(first: date, last: date) -> None:
    one = OneOf("a", "b", TODAY + timedelta(days=5), TODAY + timedelta(days=8))
    back = OneOf("b", "a", min(first, last), max(first, last))
    if back.last_on < one.from_on or one.last_on < back.from_on:
        rules.check_free(back, [one])
    else:
        with pytest.raises(DelegationClash):
            rules.check_free(back, [one])


def test_days_begin_today_or_later_and_are_ninety_at_most() -> None:
    rules.check_days(TODAY, TODAY, TODAY)
    rules.check_days(TODAY, TODAY + timedelta(days=89), TODAY)
    for first, last in ((-1, 3), (3, 2), (0, 90)):
        with pytest.raises(Invalid):
            rules.check_days(TODAY + timedelta(days=first), TODAY + timedelta(days=last), TODAY)


@pytest.mark.parametrize(
    ("officer", "role", "may"),
    [
        (cast.CENTRE, Role.PROVINCE, True),
        (cast.CENTRE, Role.NATIONAL_CENTRE, False),
        (cast.HEBEI_OFFICER, Role.TRAINING_BASE, True),
        (cast.HEBEI_OFFICER, Role.PROVINCE, False),
        (cast.XINGTAI_OFFICER, Role.TRAINING_BASE, False),
    ],
)
def test_who_oversees_an_office_may_end_what_its_people_agreed_and_a_colleague_may_not(
    officer: cast.Officer, role: Role, may: bool
) -> None:
    one = OneOf("a", "b", TODAY, TODAY)
    assert rules.may_end(stage.actor(officer), one, role) is may
