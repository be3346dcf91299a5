"""Rules of assessment: criteria, grades and the result, at their boundaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.assessment import rules
from server.assessment.rules import AssessmentPolicy, Criterion, TaskKind, Work
from server.kernel.errors import Invalid

NOW = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
FURTHEST = NOW + timedelta(days=700)
CRITERIA = [
    Criterion(key="c1", title="任务描述", points=60),
    Criterion(key="c2", title="教学策划", points=40),
]
SEED = AssessmentPolicy(formative_weight=40, pass_mark=60, attendance_needed=90)


def places(caught: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [field.place for field in caught.value.fields]


# ---- tasks


def test_a_criterion_named_twice_is_refused() -> None:
    again = Criterion(key="c3", title="任务描述", points=5)
    with pytest.raises(Invalid) as caught:
        rules.check_criteria([*CRITERIA, again])
    assert places(caught) == ["criteria.2"]


def test_a_deadline_lies_ahead_and_not_too_far() -> None:
    rules.check_deadline(NOW + timedelta(milliseconds=1), NOW, furthest=FURTHEST)
    rules.check_deadline(FURTHEST, NOW, furthest=FURTHEST)
    for wrong in (NOW, NOW - timedelta(days=1), FURTHEST + timedelta(milliseconds=1)):
        with pytest.raises(Invalid):
            rules.check_deadline(wrong, NOW, furthest=FURTHEST)


def test_an_extension_only_lengthens() -> None:
    before = NOW + timedelta(days=2)
    rules.check_deadline(before + timedelta(minutes=1), NOW, furthest=FURTHEST, previous=before)
    for wrong in (before, before - timedelta(minutes=1)):
        with pytest.raises(Invalid):
            rules.check_deadline(wrong, NOW, furthest=FURTHEST, previous=before)


def test_late_begins_after_the_deadline() -> None:
    assert not rules.is_late(NOW, NOW)
    assert rules.is_late(NOW + timedelta(milliseconds=1), NOW)


# ---- grades


@given(first=st.integers(-5, 70), second=st.integers(-5, 70))
def test_points_stay_within_their_criterion(first: int, second: int) -> None:
    scores = {"c1": first, "c2": second}
    if 0 <= first <= 60 and 0 <= second <= 40:
        rules.check_scores(CRITERIA, scores)
        return
    with pytest.raises(Invalid) as caught:
        rules.check_scores(CRITERIA, scores)
    wrong = {f"scores.{key}" for key, most in (("c1", 60), ("c2", 40)) if not 0 <= scores[key] <= most}
    assert set(places(caught)) == wrong


def test_each_criterion_is_graded_and_no_other() -> None:
    with pytest.raises(Invalid) as caught:
        rules.check_scores(CRITERIA, {"c1": 10, "c9": 1})
    assert places(caught) == ["scores.c9", "scores.c2"]


@pytest.mark.parametrize("reason", ["", " "])
def test_a_change_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        rules.check_change_reason(reason)
    assert places(caught) == ["reason"]


def test_nobody_grades_themself() -> None:
    rules.check_not_oneself("a" * 24, "b" * 24)
    with pytest.raises(rules.GradingOneself):
        rules.check_not_oneself("a" * 24, "a" * 24)


# ---- results


@st.composite
def works(draw: st.DrawFn) -> list[Work]:
    made = []
    for kind in TaskKind:
        for _ in range(draw(st.integers(1, 4))):
            maximum = draw(st.integers(1, 300))
            made.append(Work(kind, maximum, draw(st.integers(0, maximum))))
    return made


policies = st.builds(
    AssessmentPolicy,
    formative_weight=st.integers(0, 100),
    pass_mark=st.integers(1, 100),
    attendance_needed=st.integers(0, 100),
)


def share(made: list[Work], kind: TaskKind) -> Fraction:
    chosen = [work for work in made if work.kind is kind]
    return Fraction(sum(work.points for work in chosen), sum(work.maximum for work in chosen))


@given(made=works(), policy=policies)
def test_the_total_is_the_weighted_mean_rounded_once_half_up(
    made: list[Work], policy: AssessmentPolicy
) -> None:
    outcome = rules.outcome(made, hours_attended=80, hours_total=80, policy=policy)
    weight = Fraction(policy.formative_weight, 100)
    exact = 1000 * (weight * share(made, TaskKind.FORMATIVE) + (1 - weight) * share(made, TaskKind.SUMMATIVE))
    assert outcome.total - Fraction(1, 2) <= exact < outcome.total + Fraction(1, 2)
    assert 0 <= outcome.total <= 1000
    assert outcome.passed == (outcome.total >= 10 * policy.pass_mark)


@given(made=works(), policy=policies, number=st.integers(0, 7), more=st.integers(1, 300))
def test_more_points_never_make_a_worse_result(
    made: list[Work], policy: AssessmentPolicy, number: int, more: int
) -> None:
    chosen = made[number % len(made)]
    better = Work(chosen.kind, chosen.maximum, min(chosen.points + more, chosen.maximum))
    improved = [better if work is chosen else work for work in made]
    before = rules.outcome(made, hours_attended=80, hours_total=80, policy=policy)
    after = rules.outcome(improved, hours_attended=80, hours_total=80, policy=policy)
    assert after.total >= before.total and after.passed >= before.passed


def outcome_of(formative: int, summative: int, hours: int = 80) -> rules.Outcome:
    made = [Work(TaskKind.FORMATIVE, 1000, formative), Work(TaskKind.SUMMATIVE, 1000, summative)]
    return rules.outcome(made, hours_attended=hours, hours_total=80, policy=SEED)


def test_the_pass_mark_is_reached_by_exactly_sixty_as_shown() -> None:
    assert outcome_of(600, 600).passed
    assert outcome_of(600, 600).total == 600
    just_below = outcome_of(599, 599)
    assert (just_below.total, just_below.passed, just_below.reason) == (599, False, "总评未达合格线")


def test_a_half_tenth_rounds_up() -> None:
    assert rules.tenths_half_up(5995, 10_000) == 600  # 59.95 %
    assert rules.tenths_half_up(59_949, 100_000) == 599
    assert (rules.tenths_half_up(1, 3), rules.tenths_half_up(1, 16)) == (333, 63)


def test_who_lacks_attendance_does_not_pass_whatever_the_grades() -> None:
    assert outcome_of(1000, 1000, hours=72).passed
    short = outcome_of(1000, 1000, hours=71)
    assert (short.passed, short.attendance_ok, short.reason) == (False, False, "出勤不足")
    assert short.total == 1000


@given(attended=st.integers(0, 200), total=st.integers(0, 200), needed=st.integers(0, 100))
def test_attendance_is_compared_exactly(attended: int, total: int, needed: int) -> None:
    enough = rules.attends_enough(attended, total, needed)
    assert enough == (total == 0 or Fraction(attended, total) >= Fraction(needed, 100))


def test_missing_work_counts_nothing() -> None:
    made = [
        Work(TaskKind.FORMATIVE, 100, 90),
        Work(TaskKind.FORMATIVE, 100, 0),
        Work(TaskKind.SUMMATIVE, 100, 80),
    ]
    outcome = rules.outcome(made, hours_attended=80, hours_total=80, policy=SEED)
    assert (outcome.formative, outcome.summative, outcome.total) == (450, 800, 660)


def test_within_a_kind_a_task_counts_by_its_maximum() -> None:
    made = [
        Work(TaskKind.FORMATIVE, 20, 20),
        Work(TaskKind.FORMATIVE, 80, 40),
        Work(TaskKind.SUMMATIVE, 50, 25),
    ]
    outcome = rules.outcome(made, hours_attended=1, hours_total=1, policy=SEED)
    assert (outcome.formative, outcome.summative, outcome.total) == (600, 500, 540)


def test_both_kinds_are_needed_unless_one_weighs_nothing() -> None:
    assert rules.kinds_needed(SEED) == [TaskKind.FORMATIVE, TaskKind.SUMMATIVE]
    only_final = AssessmentPolicy(formative_weight=0, pass_mark=60, attendance_needed=90)
    assert rules.kinds_needed(only_final) == [TaskKind.SUMMATIVE]
    outcome = rules.outcome(
        [Work(TaskKind.SUMMATIVE, 100, 70)], hours_attended=1, hours_total=1, policy=only_final
    )
    assert (outcome.formative, outcome.total) == (0, 700)
