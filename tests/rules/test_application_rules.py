"""Rules of class applications: the table of states, dates and places, and the venue of article 11."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.applications import rules
from server.applications.rules import HOLDING, Action, State
from server.kernel.errors import Invalid
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import NotInThisState, NotYours
from server.venues import rules as venues
from server.venues.rules import SCENIC_AREAS, FlagKind, VenueFlag

CORES = [(area, core) for area, cores in SCENIC_AREAS.items() for core in cores]
STREETS = ["路", "东路", "一路", "大道", "西大街", "街", "巷", "街道"]
PLACES = ["市", "县", "区", "州", "镇", "乡", "村"]
harmless = st.text("河北省邢台示例实训楼号0123456789", max_size=8)


# ---- states


@given(st.sampled_from(State), st.sampled_from(Action), st.sets(st.sampled_from(Role)))
def test_a_step_is_taken_by_whom_and_where_the_table_says_and_nowhere_else(
    state: State, action: Action, roles: set[Role]
) -> None:
    if not roles & rules.STEPS.may_act(action):
        with pytest.raises(NotYours, match="application-not-yours: "):
            rules.STEPS.after(state, action, roles)
    elif (state, action) in rules.STEPS.transitions:
        assert rules.STEPS.after(state, action, roles) is rules.STEPS.transitions[state, action]
    else:
        with pytest.raises(NotInThisState, match="application-state: ") as refused:
            rules.STEPS.after(state, action, roles)
        assert state.label in refused.value.detail and action.label in refused.value.detail


def test_an_approval_ends_only_with_its_class_which_frees_the_item_as_a_withdrawal_does() -> None:
    assert {state for state, _ in rules.STEPS.transitions} == {
        State.SUBMITTED,
        State.RETURNED,
        State.APPROVED,
    }
    assert {action for state, action in rules.STEPS.transitions if state is State.APPROVED} == {
        Action.CALL_OFF,
        Action.TERMINATE,
    }
    assert set(State) - HOLDING == {State.WITHDRAWN, State.CALLED_OFF, State.TERMINATED}
    assert rules.STEPS.may_act(Action.APPROVE) == rules.STEPS.may_act(Action.RETURN) == {Role.PROVINCE}
    assert rules.STEPS.may_act(Action.SUBMIT) == INSTITUTION_ROLES
    for code in (*State, *Action):
        assert code.label


# ---- dates and places


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)))
def test_a_class_begins_in_the_year_of_its_plan(starts_on: date) -> None:
    if starts_on.year == 2026:
        rules.check_year(starts_on, 2026)
    else:
        with pytest.raises(Invalid) as refused:
            rules.check_year(starts_on, 2026)
        assert refused.value.fields[0].place == "starts_on"


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_there_are_never_more_places_than_planned(places: int, planned: int) -> None:
    if places <= planned:
        rules.check_places(places, planned)
    else:
        with pytest.raises(Invalid):
            rules.check_places(places, planned)


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(1, 12), st.integers(-30, 30))
def test_another_month_and_a_day_that_has_passed_are_pointed_out_or_refused(
    starts_on: date, month: int, ahead: int
) -> None:
    said = rules.warnings(starts_on, month)
    assert len(said) == (starts_on.month != month)
    today = starts_on - timedelta(days=ahead)
    try:
        rules.check_lead(starts_on, today, 3)
        rules.check_not_begun(starts_on, today)
        assert ahead >= 3
    except Invalid as refused:
        assert ahead < 3 and str(today + timedelta(days=3)) in refused.fields[0].message


# ---- the venue


def test_the_list_holds_the_21_areas() -> None:
    assert len(SCENIC_AREAS) == 21


@pytest.mark.parametrize(("area", "core"), CORES)
@settings(max_examples=15)
@given(before=harmless, after=st.sampled_from(["风景区", "景区", "山庄", "度假村宾馆", "", "脚下 1 号"]))
def test_each_area_is_recognised_by_its_core_name(area: str, core: str, before: str, after: str) -> None:
    assert area in venues.scenic_areas_named(f"{before}{core}{after}")
    [flag] = venues.venue_flags("培训中心", f"{before} {core}{after}", None, 3)
    assert flag.kind is FlagKind.SCENIC_AREA and area in flag.words


@pytest.mark.parametrize(("area", "core"), CORES)
@settings(max_examples=15)
@given(before=harmless, suffix=st.sampled_from(STREETS + PLACES), after=harmless)
def test_a_district_or_a_street_that_merely_has_the_name_is_an_ordinary_address(
    area: str, core: str, before: str, suffix: str, after: str
) -> None:
    assert area not in venues.scenic_areas_named(f"{before}{core}{suffix}{after}")


@pytest.mark.parametrize(
    "address",
    [
        "安徽省黄山市屯溪区示例路 1 号",
        "安徽省安庆市太湖县示例镇",
        "山东省济南市泰山路 12 号",
        "广东省广州市白云区示例大道 9 号",
        "山东省泰安市泰山区示例街 3 号",
        "河南省郑州市嵩山南路 8 号",
        "江西省九江市庐山市示例路",
        "湖南省张家界市永定区示例路 2 号",
        "云南省西双版纳傣族自治州景洪市示例路",
        "江苏省无锡市太湖西大道 5 号",
        "河北省承德市双桥区示例路（承德市高级技工学校）",
        "上海市华山路 100 号",
        "四川省峨眉山市示例路 1 号",
        "浙江省杭州市黄龙路 7 号",
    ],
)
def test_ordinary_addresses_raise_no_flag(address: str) -> None:
    assert venues.venue_flags("实训楼 301", address, None, 3) == []


def test_the_name_and_the_address_count_each_for_itself_and_an_area_once() -> None:
    both = venues.venue_flags("黄山示例宾馆", "安徽省黄山市黄山风景区", None, 3)
    assert len(both) == 1
    assert venues.venue_flags("黄", "山示例楼", None, 3) == []
    assert len(venues.venue_flags("庐山 示例楼", "八 达 岭长城脚下", None, 3)) == 2


def test_a_name_within_a_name_is_the_longer_one() -> None:
    assert venues.scenic_areas_named("九华山下") == ["九华山"]
    assert venues.scenic_areas_named("华山下") == ["华山"]


@given(st.none() | st.integers(1, 5), st.integers(0, 5))
def test_a_rating_over_the_policy_is_looked_at(stars: int | None, most: int) -> None:
    flags = venues.venue_flags("示例楼", "河北省邢台市示例路 1 号", stars, most)
    assert [flag.kind for flag in flags] == ([FlagKind.STARS] if stars is not None and stars > most else [])


@given(st.booleans(), st.text(max_size=12))
def test_only_a_flagged_venue_needs_words(flagged: bool, note: str) -> None:
    flags = [VenueFlag(kind=FlagKind.STARS, words="请核实。")] if flagged else []
    if flagged and len(note.strip()) < venues.NOTE_SHORTEST:
        with pytest.raises(Invalid) as refused:
            venues.check_resolved(flags, note)
        assert refused.value.fields[0].place == "venue_note" and "第十一条" in refused.value.fields[0].message
    else:
        venues.check_resolved(flags, note)
