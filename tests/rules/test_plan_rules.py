"""Rules of annual plans: the table of states, what an item may say, and what a version changes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.institutions.rules import MAJORS, Level, Qualification, QualificationKind
from server.kernel import money
from server.kernel.errors import Invalid
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import NotInThisState, NotYours
from server.plans import rules
from server.plans.rules import OPEN, Action, ChangeKind, PlanItem, State

BASE = Qualification(
    kind=QualificationKind.TRAINING_BASE,
    majors=("01", "03"),
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 8, 31),
)


def item(number: int = 1, **changes: object) -> PlanItem:
    said: dict[str, object] = {
        "id": f"{number:024x}",
        "level": Level.THREE,
        "major": "01",
        "title": f"三级教师培训班 {number}",
        "month": 4,
        "places": 40,
        "class_hours": 80,
        "budget_fen": 12_000_000,
    }
    return PlanItem.model_validate(said | changes)


items = st.builds(
    item,
    st.integers(1, 6),
    month=st.integers(1, 12),
    places=st.integers(1, 3),
    level=st.sampled_from(Level),
    major=st.sampled_from(sorted(MAJORS)),
)
versions = st.lists(items, max_size=6, unique_by=lambda one: one.id)


# ---- states


@given(st.sampled_from(State), st.sampled_from(Action), st.sets(st.sampled_from(Role)))
def test_a_step_is_taken_by_whom_and_where_the_table_says_and_nowhere_else(
    state: State, action: Action, roles: set[Role]
) -> None:
    if not roles & rules.STEPS.may_act(action):
        with pytest.raises(NotYours, match="plan-not-yours: "):
            rules.STEPS.after(state, action, roles)
    elif (state, action) in rules.STEPS.transitions:
        assert rules.STEPS.after(state, action, roles) is rules.STEPS.transitions[state, action]
    else:
        with pytest.raises(NotInThisState, match="plan-state: ") as refused:
            rules.STEPS.after(state, action, roles)
        assert state.label in refused.value.detail and action.label in refused.value.detail


def test_an_institution_never_decides_and_a_province_never_writes() -> None:
    for action in (Action.APPROVE, Action.RETURN, Action.SUPERSEDE):
        assert not rules.STEPS.may_act(action) & INSTITUTION_ROLES
    for action in (Action.BEGIN, Action.AMEND, Action.SUBMIT):
        assert rules.STEPS.may_act(action) == INSTITUTION_ROLES


def test_what_was_approved_is_left_only_for_a_newer_version() -> None:
    leaving = {(state, action) for state, action in rules.STEPS.transitions if state not in OPEN}
    assert leaving == {(State.APPROVED, Action.SUPERSEDE)}


def test_each_code_has_words() -> None:
    for code in (*State, *Action, *ChangeKind):
        assert code.label


# ---- items


def places_of(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [field.place for field in refused.value.fields]


@pytest.mark.parametrize(("month", "allowed"), [(1, True), (8, True), (9, False), (12, False)])
def test_the_qualification_counts_on_the_first_day_of_the_month(month: int, allowed: bool) -> None:
    if allowed:
        rules.check_items([item(month=month)], [BASE], 2026)
    else:
        with pytest.raises(Invalid) as refused:
            rules.check_items([item(month=month)], [BASE], 2026)
        assert places_of(refused) == ["items.0.level"]
        assert f"不含2026-{month:02d}-01" in refused.value.fields[0].message


def test_every_wrong_item_is_named_at_its_row_with_the_article() -> None:
    wrong = [
        item(1),
        item(2, level=Level.ONE),
        item(3, major="02"),
        item(4, major="99"),
        item(5, title="三级教师培训班 1"),
    ]
    with pytest.raises(Invalid) as refused:
        rules.check_items(wrong, [BASE], 2026)
    assert places_of(refused) == ["items.1.level", "items.2.level", "items.3.major", "items.4.title"]
    assert "第四条" in refused.value.fields[0].message and "电工电子类" in refused.value.fields[1].message


@given(st.integers(2000, 2100), st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_a_plan_is_for_this_year_or_the_next(year: int, today: date) -> None:
    if year in (today.year, today.year + 1):
        rules.check_year(year, today)
    else:
        with pytest.raises(Invalid):
            rules.check_year(year, today)


# ---- versions


@given(versions, versions)
def test_the_difference_tells_each_change_once_and_nothing_else(
    before: list[PlanItem], after: list[PlanItem]
) -> None:
    was, now = ({one.id: one for one in version} for version in (before, after))
    changes = rules.difference(before, after)
    told = {kind: sum(change.kind is kind for change in changes) for kind in ChangeKind}
    assert told[ChangeKind.ADDED] == len(now.keys() - was.keys())
    assert told[ChangeKind.REMOVED] == len(was.keys() - now.keys())
    assert told[ChangeKind.CHANGED] == sum(was[key] != now[key] for key in was.keys() & now.keys())
    for change in changes:
        if change.kind is ChangeKind.CHANGED:
            assert change.before.keys() == change.after.keys() and change.before
            assert all(change.before[column] != change.after[column] for column in change.after)


@given(versions)
def test_a_version_does_not_differ_from_itself(version: list[PlanItem]) -> None:
    assert rules.difference(version, version) == []


# ---- money


@given(st.integers(0, money.LARGEST_FEN))
def test_an_amount_survives_being_typed(fen: int) -> None:
    assert money.fen_of(money.yuan_of(fen)) == fen
    assert money.fen_of(money.yuan(fen).removesuffix(" 元")) == fen


@pytest.mark.parametrize(
    ("typed", "fen"), [("0", 0), ("120000", 12_000_000), ("350.5", 35_050), (" 1,200.05 ", 120_005)]
)
def test_yuan_become_fen(typed: str, fen: int) -> None:
    assert money.fen_of(typed) == fen


@pytest.mark.parametrize("typed", ["", "十二万", "1.005", "-1", "NaN", "Infinity", "1e20", "1000000000.01"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        money.fen_of(typed)
