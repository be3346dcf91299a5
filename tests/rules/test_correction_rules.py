"""Who may ask for a correction, who approves it, and what may become of it (article 25.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.corrections.rules import (
    Action,
    ChangedMeanwhile,
    Ground,
    NothingToCorrect,
    State,
    Subject,
    check_unchanged,
    differing,
    steps_of,
)
from server.kernel.errors import Forbidden, Problem
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import NotInThisState

roles = st.sampled_from(Role).map(lambda role: frozenset({role}))
texts = st.dictionaries(st.sampled_from(["name", "place", "starts_on"]), st.sampled_from(["甲", "乙"]))
EVERYTHING = {"name": "甲", "place": "甲", "starts_on": "甲"}


@given(st.sampled_from(State), st.sampled_from(Action), st.sampled_from(Subject), roles)
def test_a_correction_moves_only_as_the_table_says(
    state: State, action: Action, subject: Subject, who: frozenset[Role]
) -> None:
    try:
        after = steps_of(subject).after(state, action, who)
    except Forbidden:
        assert not steps_of(subject).may_act(action) & who
    except NotInThisState as refused:
        assert refused.slug == "correction-settled"
        assert not steps_of(subject).has(state, action)
    else:
        assert (
            after is steps_of(subject).transitions[state, action] and steps_of(subject).may_act(action) & who
        )


@given(st.sampled_from(Action), st.sampled_from(Subject))
def test_nobody_approves_what_they_asked_for(action: Action, subject: Subject) -> None:
    decides = action in (Action.APPROVE, Action.RETURN)
    assert steps_of(subject).may_act(action) == (
        frozenset({subject.reviewer}) if decides else INSTITUTION_ROLES
    )
    assert subject.reviewer not in INSTITUTION_ROLES


class LifeOfACorrection(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = State.SUBMITTED
        self.settled: State | None = None

    @rule(
        action=st.sampled_from(Action),
        subject=st.sampled_from(Subject),
        who=roles,
    )
    def move(self, action: Action, subject: Subject, who: frozenset[Role]) -> None:
        try:
            self.state = steps_of(subject).after(self.state, action, who)
        except Problem:
            return
        if not self.state.open:
            assert self.settled is None
            self.settled = self.state

    @invariant()
    def what_is_settled_stays_so(self) -> None:
        assert self.settled in (None, self.state)


TestLifeOfACorrection = LifeOfACorrection.TestCase


def test_only_the_open_states_wait_for_somebody() -> None:
    assert {state for state in State if state.open} == {
        now for subject in Subject for now, _ in steps_of(subject).transitions
    }


@given(texts)
def test_a_correction_names_exactly_the_fields_that_differ(wanted: dict[str, str]) -> None:
    try:
        fields = differing(EVERYTHING, wanted)
    except NothingToCorrect:
        assert all(value == "甲" for value in wanted.values())
    else:
        assert set(fields) == {field for field, value in wanted.items() if value == "乙"}


def test_what_has_changed_meanwhile_is_not_corrected() -> None:
    check_unchanged(EVERYTHING, {"name": "甲"})
    with pytest.raises(ChangedMeanwhile):
        check_unchanged(EVERYTHING, {"name": "乙"})


def test_everything_has_its_chinese_name() -> None:
    for words in (Subject, Ground, State, Action):
        titles = [one.label for one in words]
        assert len(set(titles)) == len(titles)
