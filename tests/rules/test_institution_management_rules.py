"""How qualifications are managed (article 5): tables of states, codes, validity."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.institutions.rules import (
    CODE,
    MAJORS,
    QUALIFICATION_STEPS,
    REQUEST_STEPS,
    Level,
    Qualification,
    QualificationAction,
    QualificationFixed,
    QualificationKind,
    QualificationStatus,
    RequestAction,
    RequestPurpose,
    RequestState,
    act_on_qualification,
    base_valid_to,
    check_effective,
    check_majors,
    check_not_held_yet,
    check_validity,
    next_code,
    qualified,
)
from server.kernel.errors import Forbidden, Invalid, Problem
from server.kernel.identity import Role
from server.kernel.reviews import NotInThisState

CENTRE = frozenset({Role.NATIONAL_CENTRE})
TODAY = date(2026, 11, 24)
days = st.dates(date(2015, 1, 1), date(2040, 1, 1))
roles = st.sampled_from(Role).map(lambda role: frozenset({role}))
BASE, STAR = QualificationKind.TRAINING_BASE, QualificationKind.TRAINING_CENTRE


def held(kind: QualificationKind = BASE, **changes: object) -> Qualification:
    whole: dict[str, object] = {"kind": kind, "majors": ("01",), "valid_from": date(2026, 1, 1)}
    return Qualification.model_validate(whole | changes)


# ---- qualifications


@given(
    st.sampled_from(QualificationStatus),
    st.sampled_from(QualificationAction),
    st.sampled_from(QualificationKind),
    roles,
    st.booleans(),
)
def test_a_qualification_changes_only_as_the_table_says_and_by_the_centre(
    status: QualificationStatus,
    action: QualificationAction,
    kind: QualificationKind,
    who: frozenset[Role],
    requested: bool,
) -> None:
    try:
        after = act_on_qualification(held(kind, status=status), action, who, requested=requested)
    except Forbidden:
        assert Role.NATIONAL_CENTRE not in who
    except QualificationFixed:
        in_table = (status, action) in QUALIFICATION_STEPS.transitions
        assert not in_table or (kind is BASE and not requested and action is not QualificationAction.CONFIRM)
    else:
        assert after is QUALIFICATION_STEPS.transitions[status, action]
        assert who == CENTRE and (kind is STAR or requested or action is QualificationAction.CONFIRM)


def test_a_withdrawn_qualification_never_comes_back() -> None:
    assert not [now for now, _ in QUALIFICATION_STEPS.transitions if now is QualificationStatus.WITHDRAWN]


@given(days, days)
def test_a_qualification_stands_until_the_day_of_its_withdrawal(since: date, on: date) -> None:
    withdrawn = held(valid_from=date(2000, 1, 1), status=QualificationStatus.WITHDRAWN, status_since=since)
    assert withdrawn.is_valid(on) is (on < since)
    assert qualified([withdrawn], Level.THREE, "01", on) is (on < since)


# ---- requests


@given(st.sampled_from(RequestState), st.sampled_from(RequestAction), roles)
def test_a_request_moves_only_as_the_table_says(
    state: RequestState, action: RequestAction, who: frozenset[Role]
) -> None:
    try:
        after = REQUEST_STEPS.after(state, action, who)
    except Forbidden:
        assert not REQUEST_STEPS.may_act(action) & who
    except NotInThisState as refused:
        assert refused.slug == "request-settled"
        assert (state, action) not in REQUEST_STEPS.transitions
    else:
        assert after is REQUEST_STEPS.transitions[state, action] and REQUEST_STEPS.may_act(action) & who


class LifeOfARequest(RuleBasedStateMachine):
    """Random people act at random: the request stays in the table, and what is settled stays settled."""

    def __init__(self) -> None:
        super().__init__()
        self.state = RequestState.SUBMITTED
        self.settled: RequestState | None = None

    @rule(action=st.sampled_from(RequestAction), who=roles)
    def act(self, action: RequestAction, who: frozenset[Role]) -> None:
        try:
            self.state = REQUEST_STEPS.after(self.state, action, who)
        except Problem:
            return
        if not self.state.open:
            assert self.settled is None
            self.settled = self.state

    @invariant()
    def what_is_settled_stays_so(self) -> None:
        assert self.settled in (None, self.state)


TestLifeOfARequest = LifeOfARequest.TestCase


def test_only_the_open_states_wait_for_somebody() -> None:
    assert {state for state in RequestState if state.open} == {now for now, _ in REQUEST_STEPS.transitions}


def test_each_purpose_and_action_has_its_chinese_name() -> None:
    for words in (RequestPurpose, RequestAction, RequestState, QualificationAction):
        titles = [one.label for one in words]
        assert len(set(titles)) == len(titles)
    assert RequestPurpose.WITHDRAWAL.action is QualificationAction.WITHDRAW
    assert [purpose for purpose in RequestPurpose if purpose.grants] == [
        RequestPurpose.NEW_BASE,
        RequestPurpose.ADDITION,
    ]


# ---- codes, validity, majors


@given(st.sets(st.integers(1, 998).map(lambda number: f"{number:03}")))
def test_the_next_code_was_never_given_and_is_above_every_other(taken: set[str]) -> None:
    code = next_code(taken)
    assert CODE.fullmatch(code) and code not in taken and all(code > other for other in taken)


def test_the_codes_end_at_999_and_do_not_begin_with_000() -> None:
    assert next_code([]) == "001" and next_code(["051"]) == "052"
    assert not CODE.fullmatch("000") and not CODE.fullmatch("52")
    with pytest.raises(QualificationFixed):
        next_code(["999"])


@pytest.mark.parametrize(
    ("begins", "years", "ends"),
    [
        (date(2026, 1, 1), 3, date(2028, 12, 31)),
        (date(2026, 11, 24), 3, date(2029, 11, 23)),
        (date(2024, 2, 29), 1, date(2025, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 28)),
    ],
)
def test_a_validity_of_whole_years_ends_the_day_before_its_day_comes_again(
    begins: date, years: int, ends: date
) -> None:
    assert base_valid_to(begins, years) == ends


@given(st.sets(st.sampled_from(sorted(MAJORS))), st.sets(st.sampled_from(sorted(MAJORS))))
def test_the_centre_approves_some_of_what_was_recommended_and_nothing_else(
    given_majors: set[str], recommended: set[str]
) -> None:
    allowed = bool(given_majors) and given_majors <= recommended
    try:
        check_majors(given_majors, within=recommended)
    except Invalid:
        assert not allowed
    else:
        assert allowed


def test_what_a_base_holds_is_not_added_again_before_it_has_run_out() -> None:
    base = held(valid_to=date(2026, 12, 31))
    with pytest.raises(Invalid):
        check_not_held_yet([base], ["01", "02"], date(2026, 12, 31))
    check_not_held_yet([base], ["01"], date(2027, 1, 1))
    check_not_held_yet([base], ["02"], TODAY)
    check_not_held_yet([held(STAR)], ["01"], TODAY)


def test_a_decision_takes_effect_today_or_later_and_a_resumption_today() -> None:
    tomorrow, yesterday = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
    check_effective(QualificationAction.WITHDRAW, tomorrow, TODAY)
    check_effective(QualificationAction.RESUME, TODAY, TODAY)
    for action, day in (
        (QualificationAction.SUSPEND, yesterday),
        (QualificationAction.RESUME, tomorrow),
    ):
        with pytest.raises(Invalid):
            check_effective(action, day, TODAY)
    check_validity(TODAY, None)
    check_validity(TODAY, TODAY)
    with pytest.raises(Invalid):
        check_validity(TODAY, yesterday)
