"""What a survey asks, what counts as an answer, and when results may be shown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kernel.errors import Invalid
from server.surveys import rules
from server.surveys.rules import (
    ORGANISATION_TOPICS,
    SETTLING,
    TEACHER_TOPICS,
    TEXT_LONGEST,
    Question,
    QuestionKind,
    SurveyState,
    Tally,
)

NOW = datetime(2026, 3, 16, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)
QUESTIONS = rules.make_questions([("a" * 24, "甲教师"), ("b" * 24, "乙教师")])
SCALE_KEYS = [one.key for one in QUESTIONS if one.kind is QuestionKind.SCALE]
[TEXT_KEY] = [one.key for one in QUESTIONS if one.kind is QuestionKind.TEXT]
FULL: dict[str, int | str] = dict.fromkeys(SCALE_KEYS, 3)
counts = st.tuples(*[st.integers(0, 500)] * 3)
tallies = st.builds(Tally, counts)


def places(refusal: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {field.place for field in refusal.value.fields}


# ---- questions


@given(st.lists(st.tuples(st.uuids().map(str), st.text()), max_size=9, unique_by=lambda one: one[0]))
def test_each_teacher_is_asked_about_in_each_topic_and_the_organisation_once(
    teachers: list[tuple[str, str]],
) -> None:
    questions = rules.make_questions(teachers)
    asked = {(one.teacher_id, one.topic) for one in questions if one.kind is QuestionKind.SCALE}
    assert asked == {(person_id, topic) for person_id, _ in teachers for topic in TEACHER_TOPICS} | {
        (None, topic) for topic in ORGANISATION_TOPICS
    }
    assert len({one.key for one in questions}) == len(questions)
    assert all("." not in one.key and "$" not in one.key for one in questions)  # names of stored fields


# ---- answers


def test_every_scale_question_must_be_answered() -> None:
    with pytest.raises(Invalid) as refusal:
        rules.check_answers(QUESTIONS, {})
    assert places(refusal) == {f"answers.{key}" for key in SCALE_KEYS}


@pytest.mark.parametrize("points", [1, 2, 3])
def test_the_scale_has_three_points(points: int) -> None:
    answers = dict.fromkeys(SCALE_KEYS, points)
    assert rules.check_answers(QUESTIONS, answers) == answers


@pytest.mark.parametrize("wrong", [0, 4, -1, 10**30, "3", "满意"])
def test_what_is_not_on_the_scale_is_refused_at_its_place(wrong: int | str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.check_answers(QUESTIONS, FULL | {SCALE_KEYS[1]: wrong})
    assert places(refusal) == {f"answers.{SCALE_KEYS[1]}"}


@pytest.mark.parametrize(("text", "kept"), [("很好", "很好"), ("  很好\n", "很好"), ("", None), (" ", None)])
def test_a_text_may_be_left_out_and_is_kept_when_it_says_something(text: str, kept: str | None) -> None:
    answers = rules.check_answers(QUESTIONS, FULL | {TEXT_KEY: text})
    assert answers.get(TEXT_KEY) == kept


@pytest.mark.parametrize(("length", "refused"), [(TEXT_LONGEST, False), (TEXT_LONGEST + 1, True)])
def test_a_text_has_at_most_a_thousand_characters(length: int, refused: bool) -> None:
    answers = FULL | {TEXT_KEY: "字" * length}
    if refused:
        with pytest.raises(Invalid):
            rules.check_answers(QUESTIONS, answers)
    else:
        assert rules.check_answers(QUESTIONS, answers) == answers


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=30))
def test_whatever_is_sent_is_refused_or_answers_each_scale_question(
    given_answers: dict[str, int | str],
) -> None:
    merged = FULL | given_answers
    try:
        kept = rules.check_answers(QUESTIONS, merged)
    except Invalid as refusal:
        assert refusal.fields
    else:
        assert set(SCALE_KEYS) <= set(kept) <= {one.key for one in QUESTIONS}


# ---- period and state


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        (NOW - SECOND, SurveyState.PLANNED),
        (NOW, SurveyState.OPEN),
        (NOW + timedelta(days=1) - SECOND, SurveyState.OPEN),
        (NOW + timedelta(days=1), SurveyState.CLOSED),
    ],
)
def test_a_survey_is_open_from_its_beginning_until_before_its_end(
    moment: datetime, state: SurveyState
) -> None:
    assert rules.state_at(NOW, NOW + timedelta(days=1), moment) is state


@pytest.mark.parametrize(
    ("opens", "closes"),
    [(NOW, NOW), (NOW, NOW - SECOND), (NOW - timedelta(days=2), NOW), (NOW, NOW + rules.LONGEST + SECOND)],
)
def test_a_period_that_makes_no_sense_is_refused(opens: datetime, closes: datetime) -> None:
    with pytest.raises(Invalid):
        rules.check_period(opens, closes, NOW)


@pytest.mark.parametrize(
    ("responses", "after_closing", "shown"),
    [(5, SETTLING, True), (4, SETTLING, False), (5, SETTLING - SECOND, False), (0, SETTLING, False)],
)
def test_results_wait_for_the_group_and_for_the_end(
    responses: int, after_closing: timedelta, shown: bool
) -> None:
    assert rules.may_be_shown(responses, 5, NOW, NOW + after_closing) is shown


# ---- tallies


@pytest.mark.parametrize(
    ("tally", "mean"),
    [((0, 0, 1), "3.00"), ((1, 0, 0), "1.00"), ((1, 1, 1), "2.00"), ((0, 1, 2), "2.67"), ((0, 7, 1), "2.13")],
)
def test_a_mean_has_two_decimals_and_halves_go_up(tally: tuple[int, int, int], mean: str) -> None:
    assert Tally(tally).mean == Decimal(mean)  # (0, 7, 1) is 2.125


@given(st.lists(st.sampled_from([1, 2, 3]), min_size=1))
def test_a_tally_says_what_was_given(points: list[int]) -> None:
    tally = Tally()
    for one in points:
        tally = tally.with_answer(one)
    assert (tally.answers, tally.points) == (len(points), sum(points))
    assert 1 <= tally.mean <= 3
    assert tally.meets_mark == (sum(points) / len(points) >= 2)


@given(tallies, tallies)
def test_tallies_add_up_answer_by_answer(one: Tally, other: Tally) -> None:
    both = rules.total([one, other])
    assert (both.answers, both.points) == (one.answers + other.answers, one.points + other.points)


def test_a_question_keeps_its_words_when_it_is_stored() -> None:
    assert [Question.model_validate(one.model_dump()) for one in QUESTIONS] == QUESTIONS
