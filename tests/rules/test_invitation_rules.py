"""The rules of inviting backbone teachers: the table of states, the days of a letter, clashes and reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.classes.rules import Kind
from server.classes.work import Progress
from server.invitations import rules
from server.invitations.rules import (
    REMIND_BEFORE,
    Action,
    ClassOver,
    Engagement,
    InvitationClosed,
    State,
    Task,
    TeacherBusy,
)
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden
from server.kernel.identity import Role

DAYS = st.dates(date(2025, 1, 1), date(2030, 12, 31))
ROLES = st.frozensets(st.sampled_from(Role), max_size=3)


@st.composite
def periods(draw: st.DrawFn) -> tuple[date, date]:
    first = draw(DAYS)
    return first, first + timedelta(days=draw(st.integers(0, 60)))


# ---- the table


@given(state=st.sampled_from(State), action=st.sampled_from(Action), roles=ROLES)
def test_nothing_happens_that_the_table_does_not_name(
    state: State, action: Action, roles: frozenset[Role]
) -> None:
    entitled = bool(roles & rules.STEPS.may_act(action)) or (not roles and not rules.STEPS.may_act(action))
    try:
        new = rules.STEPS.after(state, action, roles)
    except Forbidden:
        assert not entitled
    except InvitationClosed as refusal:
        assert entitled and (state, action) not in rules.STEPS.transitions and "。" in refusal.detail
    else:
        assert entitled and rules.STEPS.transitions[state, action] is new


def test_only_the_teacher_answers_and_only_the_platform_lets_expire() -> None:
    assert (
        rules.STEPS.may_act(Action.ACCEPT) == rules.STEPS.may_act(Action.DECLINE) == {Role.BACKBONE_TEACHER}
    )
    assert rules.STEPS.may_act(Action.EXPIRE) == frozenset()
    for role in Role:
        with pytest.raises(Forbidden):
            rules.STEPS.after(State.SENT, Action.EXPIRE, frozenset({role}))


@pytest.mark.parametrize("state", [State.DECLINED, State.EXPIRED, State.WITHDRAWN, State.CANCELLED])
def test_what_is_settled_stays_settled(state: State) -> None:
    assert not [key for key in rules.STEPS.transitions if key[0] is state]


# ---- days


@given(sent_on=DAYS, days=st.integers(1, 60), period=periods())
def test_the_last_day_to_reply_lies_between_the_letter_and_the_class(
    sent_on: date, days: int, period: tuple[date, date]
) -> None:
    starts_on, ends_on = period
    if sent_on > ends_on:
        with pytest.raises(ClassOver):
            rules.reply_until(sent_on, days, starts_on, ends_on)
        return
    last = rules.reply_until(sent_on, days, starts_on, ends_on)
    assert sent_on <= last <= sent_on + timedelta(days=days)
    assert last <= ends_on and (last < starts_on or sent_on >= starts_on)


def test_the_days_are_those_of_the_policy_where_the_class_is_far_away() -> None:
    assert rules.reply_until(date(2026, 3, 16), 7, date(2026, 5, 6), date(2026, 5, 17)) == date(2026, 3, 23)
    assert rules.reply_until(date(2026, 3, 16), 7, date(2026, 3, 18), date(2026, 3, 27)) == date(2026, 3, 17)
    assert rules.reply_until(date(2026, 3, 16), 7, date(2026, 3, 16), date(2026, 3, 17)) == date(2026, 3, 17)


def test_who_is_invited_to_a_class_that_runs_answers_by_tomorrow() -> None:
    assert rules.reply_until(date(2026, 3, 18), 7, date(2026, 3, 16), date(2026, 3, 27)) == date(2026, 3, 19)
    assert rules.reply_until(date(2026, 3, 27), 7, date(2026, 3, 16), date(2026, 3, 27)) == date(2026, 3, 27)


@given(day=DAYS)
def test_a_day_ends_at_midnight_in_beijing(day: date) -> None:
    end = rules.end_of(day)
    assert beijing_date(end - timedelta(milliseconds=1)) == day
    assert beijing_date(end) == day + timedelta(days=1)


@given(hours=st.integers(0, 24 * 60))
def test_a_reminder_comes_two_days_before_the_end_or_not_at_all(hours: int) -> None:
    reply_by = rules.end_of(date(2026, 3, 23))
    sent_at = reply_by - timedelta(hours=hours)
    moment = rules.remind_at(sent_at, reply_by)
    assert (moment is None) == (hours <= 48)
    assert moment is None or moment == reply_by - REMIND_BEFORE


@given(state=st.sampled_from(State), milliseconds=st.integers(-3, 3))
def test_only_what_nobody_answered_expires_and_at_the_very_moment(state: State, milliseconds: int) -> None:
    reply_by = datetime(2026, 3, 23, 16, tzinfo=UTC)
    seen = rules.state_at(state, reply_by, reply_by + timedelta(milliseconds=milliseconds))
    expires = state is State.SENT and milliseconds >= 0
    assert seen is (State.EXPIRED if expires else state)


# ---- clashes


@given(mine=periods(), other=periods(), same_class=st.booleans())
def test_two_classes_clash_when_they_share_a_day(
    mine: tuple[date, date], other: tuple[date, date], same_class: bool
) -> None:
    task = Engagement("same" if same_class else "other", "某班", Kind.TEACHING, *other)
    found = rules.clashes([task], "same", *mine)

    def every_day(period: tuple[date, date]) -> set[date]:
        return {period[0] + timedelta(days=n) for n in range((period[1] - period[0]).days + 1)}

    share = bool(every_day(mine) & every_day(other))
    assert bool(found) == (share and not same_class)


def test_the_refusal_names_the_class_and_its_days() -> None:
    task = Engagement("x", "五月二级班", Kind.ASSESSMENT, date(2026, 5, 6), date(2026, 5, 17))
    with pytest.raises(TeacherBusy) as refusal:
        rules.require_free("钱试乙", [task])
    assert "钱试乙" in refusal.value.detail and "“五月二级班”（5月6日至5月17日）" in refusal.value.detail
    rules.require_free("钱试乙", [])


# ---- reasons


@given(
    required=st.integers(0, 2),
    teaching=st.integers(0, 5),
    assessment=st.integers(0, 5),
    same=st.booleans(),
    wished=st.booleans(),
    begun=st.booleans(),
)
def test_the_reasons_say_the_numbers_and_who_owes_teaching(
    required: int, teaching: int, assessment: int, same: bool, wished: bool, begun: bool
) -> None:
    told = rules.reasons(
        year=2026,
        begun=begun,
        required=required,
        teaching=(teaching, 0),
        assessment=(assessment, 0),
        major="机械类",
        same_province=same,
        wished=wished,
        cancelled=False,
        clashing=[],
    )
    words = [reason.text for reason in told]
    assert f"考核 {assessment} 次" in words and "专业对口：机械类" in words
    assert ("同省" in words) == same and ("外省" in words) != same
    assert ("开班申请中的意向教师" in words) == wished
    [taught] = [reason for reason in told if reason.text.startswith(f"2026 年授课 {teaching} 次")]
    owes = begun and teaching < required
    assert (f"不足 {required} 次" in taught.text) == owes == (taught.tone == "success")


# ---- the year of a task


@given(starts_on=DAYS, year=st.integers(2024, 2031))
def test_a_task_counts_in_the_one_year_in_which_its_class_begins(starts_on: date, year: int) -> None:
    first, last = rules.task_days(year)
    assert (rules.year_of_task(starts_on) == year) == (first <= starts_on <= last)


@pytest.mark.parametrize(
    ("starts_on", "year"), [(date(2026, 12, 31), 2026), (date(2027, 1, 1), 2027), (date(2028, 2, 29), 2028)]
)
def test_a_class_over_the_turn_of_the_year_counts_in_the_old_one(starts_on: date, year: int) -> None:
    task = Task("a", Kind.TEACHING, "b", "班", starts_on, starts_on + timedelta(days=20))
    assert task.year == year


def test_a_task_is_done_on_the_day_after_the_last_if_own_work_was_done_in_it() -> None:
    task = Task("a", Kind.TEACHING, "b", "班", date(2026, 3, 16), date(2026, 3, 27), date(2026, 3, 20))
    assert task.progress_on(date(2026, 3, 27)) is Progress.PLANNED
    assert task.progress_on(date(2026, 3, 28)) is Progress.DONE
    assert replace(task, work_last=None).progress_on(date(2026, 3, 28)) is Progress.LAPSED
