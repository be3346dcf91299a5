"""Rules of enrolment: the table of states, windows, questions and arrivals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.admissions import rules
from server.admissions.rules import Action, NotInThisState, NotOpen, NotYours, State
from server.kernel.errors import Invalid
from server.kernel.identity import Role

NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)


class Application(RuleBasedStateMachine):
    """One application among random actors and actions."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.APPLIED
        self.said: list[Action] = []

    @rule(action=st.sampled_from(Action), role=st.sampled_from(Role))
    def act(self, action: Action, role: Role) -> None:
        allowed = role in rules.STEPS.may_act(action)
        named = (self.state, action) in rules.STEPS.transitions
        try:
            following = rules.STEPS.after(self.state, action, frozenset({role}))
        except NotYours:
            assert not allowed
        except NotInThisState:
            assert allowed and not named
        else:
            assert allowed and named
            self.state = following
            self.said.append(action)

    @invariant()
    def nobody_is_admitted_without_both_words(self) -> None:
        if self.state in (State.WAITING, State.ADMITTED):
            assert {Action.INSTITUTION_AGREES, Action.TEACHER_AGREES} <= set(self.said)

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        if self.said and self.said[-1] in (Action.WITHDRAW, Action.SKIP, Action.CLOSE):
            assert not self.state.open


TestApplication = Application.TestCase


def test_what_has_ended_leads_nowhere() -> None:
    assert {state for state in State if not state.open} == {State.REJECTED, State.WITHDRAWN, State.CLOSED}
    assert not [one for one, _ in rules.STEPS.transitions if one is None or not one.open]


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_a_class_takes_applications_from_its_opening_until_just_before_its_closing(a: int, b: int) -> None:
    opens, closes = NOON + timedelta(hours=a), NOON + timedelta(hours=b)
    if a <= 0 < b:
        rules.require_open(opens, closes, NOON)
    else:
        with pytest.raises(NotOpen):
            rules.require_open(opens, closes, NOON)


@pytest.mark.parametrize(
    ("opens", "closes", "fine"),
    [(0, 1, True), (1, 1, False), (2, 1, False), (-2, -1, False), (-2, 0, False), (0, 24 * 11, True), (0, 24 * 12, False)],
)  # fmt: skip
def test_a_window_is_one_lies_ahead_and_ends_with_the_class(opens: int, closes: int, fine: bool) -> None:
    window = NOON + timedelta(hours=opens), NOON + timedelta(hours=closes)
    if fine:
        rules.check_window(*window, date(2026, 3, 27), NOON)
    else:
        with pytest.raises(Invalid):
            rules.check_window(*window, date(2026, 3, 27), NOON)


def test_an_admitted_teacher_withdraws_until_the_day_before() -> None:
    first_day = date(2026, 4, 13)
    rules.require_may_withdraw(State.ADMITTED, first_day, date(2026, 4, 12))
    rules.require_may_withdraw(State.WAITING, first_day, date(2026, 4, 20))
    with pytest.raises(NotInThisState):
        rules.require_may_withdraw(State.ADMITTED, first_day, first_day)


@pytest.mark.parametrize(
    "wrong",
    ["题", "题目｜只有一项", "题目｜甲｜甲", "题目｜" + "｜".join("甲乙丙丁戊己庚辛壬癸子"), "题目" * 60, "题目\n" * 31],
)  # fmt: skip
def test_a_line_that_is_no_question_is_named(wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.read_questions(wrong, prefix="t")
    assert refused.value.fields[0].place == "questions"


text = st.text(st.characters(categories=["L", "N"]), min_size=2, max_size=20)


@given(
    st.lists(st.tuples(text, st.lists(text, min_size=2, max_size=5, unique=True) | st.just([])), max_size=10)
)
def test_questions_read_back_as_they_were_written(asked: list[tuple[str, list[str]]]) -> None:
    lines = "\n".join("｜".join([title, *options]) for title, options in asked)
    questions = rules.read_questions(lines.replace("｜", "|"), prefix="c")
    assert [(one.title, one.options) for one in questions] == asked
    assert rules.read_questions("\n".join(one.line for one in questions), prefix="c") == questions


def test_each_wrong_answer_has_its_place() -> None:
    questions = rules.read_questions("选择｜甲｜乙\n文字", prefix="t")
    assert rules.check_answers(questions, {"t1": "甲", "t2": " "}) == {"t1": "甲"}
    with pytest.raises(Invalid) as refused:
        rules.check_answers(questions, {"t1": "丙", "t2": "长" * 1001, "t9": "多"})
    assert [one.place for one in refused.value.fields] == ["answers.t1", "answers.t2", "answers.t9"]


@given(st.integers(0, 48))
def test_an_arrival_is_undone_within_its_day_in_beijing(hours: int) -> None:
    later = NOON + timedelta(hours=hours)
    if hours < 12:
        rules.require_may_undo(NOON, later, checked_in=False)
    else:
        with pytest.raises(rules.ArrivalStands):
            rules.require_may_undo(NOON, later, checked_in=False)
    with pytest.raises(rules.ArrivalStands):
        rules.require_may_undo(NOON, later, checked_in=True)
    assert rules.may_undo(NOON, later, checked_in=False) == (hours < 12)


def test_the_discipline_has_each_article_of_the_chapter() -> None:
    assert [article for article, _ in rules.DISCIPLINE] == [
        "第十条",
        "第十一条",
        "第十二条",
        "第十三条",
        "第十四条",
        "第十五条",
    ]
