"""Dynamic management (articles 5.3 and 9.1): the rules against a slow and obvious second writing, and each boundary by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backbone.rules import PoolStatus
from server.kernel.errors import Forbidden, Invalid
from server.kernel.hearings import Hearing, TooEarly
from server.kernel.identity import Role
from server.qualification import rules
from server.qualification.rules import (
    Action,
    CaseSettled,
    Grade,
    History,
    Outcome,
    Rule,
    Score,
    Span,
    State,
    StatementOver,
    Subject,
    Verdict,
)

DAY = timedelta(days=1)
FIRST, LAST = date(2020, 1, 1), date(2029, 12, 31)
DAYS = st.dates(FIRST, LAST)


# ---- the second writing: it looks at one day after the other, and knows no arithmetic of months but "the same date"


def slow_same_date(since: date, *, months: int) -> date:
    """Walks the calendar until it has met that many firsts of a month, then on to the date, or to the end of that month."""
    step = DAY if months > 0 else -DAY
    day, met = since, 0
    while met < abs(months):
        month = day.month
        while day.month == month:
            day += step
        met += 1
    while day.day != 1:
        day -= DAY
    month = day.month
    while day.day < since.day and (day + DAY).month == month:
        day += DAY
    return day


def slow_suspended(spans: Sequence[Span], day: date) -> bool:
    return any(span.first <= day and (span.last is None or day <= span.last) for span in spans)


def slow_idle_since(history: History, today: date) -> date:
    newest = history.since
    day = min([history.since, *(span.first for span in history.active)])
    while day <= today:
        works = any(span.first <= day <= (span.last or today) for span in history.active)
        if works or day == history.settled_on:
            newest = max(newest, day)
        day += DAY
    return newest


def slow_full(since: date, spans: Sequence[Span]) -> date | None:
    """Counts days one by one, and none of suspension, until there are as many as two years have."""
    needed, day, end = 0, since, slow_same_date(since, months=24)
    while day < end:
        day += DAY
        needed += 1
    day, counted = since, 0
    while counted < needed:
        day += DAY
        if day > LAST + 3660 * DAY:
            return None
        counted += not slow_suspended(spans, day)
    return day


def slow_idleness(history: History, rule: Rule, today: date) -> Verdict | None:
    since = slow_idle_since(history, today)
    full = slow_full(since, history.suspensions)
    if full is None:
        return None
    if today > full:
        grade = Grade.CASE
    elif today >= slow_same_date(full, months=-3):
        grade = Grade.THREE_MONTHS
    elif today >= slow_same_date(full, months=-6):
        grade = Grade.SIX_MONTHS
    else:
        return None
    return Verdict(history.subject, rule, grade, since, full, str(since))


def slow_satisfaction(history: History, today: date, bad_years: int) -> Verdict | None:
    """Goes through the years forwards and keeps the row of bad ones."""
    row: list[int] = []
    for year in range(1990, today.year):
        score = history.satisfaction.get(year)
        counts = history.since.year <= year and (history.settled_year is None or year > history.settled_year)
        if not counts or score is None or score.answers == 0:
            continue
        judged = today >= date(year + 1, 4, 15)
        if not judged:
            continue
        met = score.points / score.answers >= 2
        row = [] if met else [*row, year][-bad_years:]
    if not row:
        return None
    grade = Grade.CASE if len(row) == bad_years else Grade.BAD_YEAR
    return Verdict(
        history.subject,
        Rule.LOW_SATISFACTION,
        grade,
        date(row[0], 1, 1),
        date(row[-1], 12, 31),
        str(row[-1]),
    )


# ---- random ten years


@st.composite
def spans(draw: st.DrawFn, longest: int, *, ends: bool) -> Span:
    first = draw(DAYS)
    if not ends and draw(st.integers(0, 5)) == 0:
        return Span(first, None)
    return Span(first, first + timedelta(days=draw(st.integers(0, longest))))


SCORES = st.integers(0, 40).flatmap(lambda n: st.builds(Score, st.integers(n, 3 * n), st.just(n)))


@st.composite
def histories(draw: st.DrawFn) -> History:
    return History(
        subject="t",
        since=draw(DAYS),
        active=draw(st.lists(spans(40, ends=True), max_size=6)),
        suspensions=draw(st.lists(spans(500, ends=False), max_size=3)),
        satisfaction=draw(st.dictionaries(st.integers(2019, 2030), SCORES, max_size=10)),
        settled_on=draw(st.none() | DAYS),
        settled_year=draw(st.none() | st.integers(2019, 2029)),
    )


@given(histories(), DAYS)
def test_idleness_is_what_counting_day_by_day_finds(history: History, today: date) -> None:
    for rule in (Rule.NO_TASK, Rule.NO_CLASS):
        assert rules.idleness(history, rule, today) == slow_idleness(history, rule, today)


@given(histories(), st.integers(-200, 3))
def test_the_days_about_a_full_period_are_met_too(history: History, offset: int) -> None:
    """Random days seldom fall near a boundary: these do."""
    full = rules.full_on(rules.idle_since(history, LAST), history.suspensions)
    if full is not None:
        today = full + timedelta(days=offset)
        assert rules.idleness(history, Rule.NO_TASK, today) == slow_idleness(history, Rule.NO_TASK, today)


@given(histories(), DAYS, st.integers(1, 3))
def test_satisfaction_is_what_going_through_the_years_finds(
    history: History, today: date, bad_years: int
) -> None:
    assert rules.satisfaction(history, today, bad_years) == slow_satisfaction(history, today, bad_years)


@given(DAYS, st.integers(-36, 36).filter(bool))
def test_months_are_reckoned_as_the_calendar_has_them(day: date, months: int) -> None:
    assert rules.plus_months(day, months) == slow_same_date(day, months=months)


@given(histories(), DAYS)
def test_a_verdict_names_subject_rule_and_period(history: History, today: date) -> None:
    teacher = rules.review_teacher(history, today, bad_years=2)
    assert {one.rule for one in teacher} <= {Rule.NO_TASK, Rule.LOW_SATISFACTION}
    assert len({one.rule for one in teacher}) == len(teacher)
    for one in [*teacher, *rules.review_base(history, today)]:
        assert one.subject == "t" and one.first <= one.last and one.key


@given(histories(), DAYS, st.integers(0, 400))
def test_time_alone_never_takes_a_case_back(history: History, today: date, later: int) -> None:
    now = rules.idleness(history, Rule.NO_TASK, today)
    still = History(
        history.subject,
        history.since,
        [span for span in history.active if span.first <= today and (span.last or today) <= today],
        history.suspensions,
    )
    if now and now.grade is Grade.CASE:
        then = rules.idleness(still, Rule.NO_TASK, today + timedelta(days=later))
        assert then is not None and then.grade is Grade.CASE


# ---- named boundaries


def on(text: str) -> date:
    return date.fromisoformat(text)


def idle(
    since: str, *, suspended: Sequence[tuple[str, str | None]] = (), tasks: Sequence[str] = ()
) -> History:
    return History(
        subject="t",
        since=on(since),
        active=[Span(on(day), on(day)) for day in tasks],
        suspensions=[Span(on(first), on(last) if last else None) for first, last in suspended],
    )


def grade(history: History, today: str) -> Grade | None:
    found = rules.idleness(history, Rule.NO_TASK, on(today))
    return found.grade if found else None


def test_the_last_day_of_the_two_years_is_still_within_them() -> None:
    assert grade(idle("2024-03-01"), "2026-03-01") is Grade.THREE_MONTHS
    assert grade(idle("2024-03-01"), "2026-03-02") is Grade.CASE


def test_a_task_on_the_last_day_is_in_time_and_one_after_it_is_late() -> None:
    in_time = idle("2024-03-01", tasks=["2026-03-01"])
    assert grade(in_time, "2026-03-02") is None
    late = idle("2024-03-01", tasks=["2026-03-03"])
    assert grade(late, "2026-03-02") is Grade.CASE
    assert grade(late, "2026-03-03") is None


def test_two_years_from_a_leap_day_end_with_february() -> None:
    assert grade(idle("2024-02-29"), "2026-02-28") is Grade.THREE_MONTHS
    assert grade(idle("2024-02-29"), "2026-03-01") is Grade.CASE


def test_a_leap_day_within_the_two_years_is_one_of_its_days() -> None:
    assert rules.full_on(on("2023-03-01"), []) == on("2025-03-01")
    assert rules.full_on(on("2023-02-28"), []) == on("2025-02-28")


def test_suspended_time_is_not_counted() -> None:
    thirty_days = [("2025-06-01", "2025-06-30")]
    assert rules.full_on(on("2024-03-01"), idle("2024-03-01", suspended=thirty_days).suspensions) == on(
        "2026-03-31"
    )
    assert grade(idle("2024-03-01", suspended=thirty_days), "2026-03-31") is Grade.THREE_MONTHS
    assert grade(idle("2024-03-01", suspended=thirty_days), "2026-04-01") is Grade.CASE


def test_a_suspension_on_the_last_day_moves_it() -> None:
    assert grade(idle("2024-03-01", suspended=[("2026-03-01", "2026-03-01")]), "2026-03-02") is (
        Grade.THREE_MONTHS
    )
    assert grade(idle("2024-03-01", suspended=[("2026-03-02", "2026-03-09")]), "2026-03-02") is Grade.CASE


def test_a_suspension_without_end_lets_nothing_become_due() -> None:
    assert grade(idle("2024-03-01", suspended=[("2026-02-01", None)]), "2029-01-01") is None
    assert grade(idle("2024-03-01", suspended=[("2026-03-02", None)]), "2029-01-01") is Grade.CASE


def test_suspensions_that_overlap_count_once() -> None:
    twice = [("2025-06-01", "2025-06-20"), ("2025-06-10", "2025-06-30")]
    assert rules.full_on(on("2024-03-01"), idle("2024-03-01", suspended=twice).suspensions) == on(
        "2026-03-31"
    )


def test_warnings_begin_six_and_three_months_before_the_last_day() -> None:
    teacher = idle("2024-08-31")
    assert grade(teacher, "2026-02-27") is None
    assert grade(teacher, "2026-02-28") is Grade.SIX_MONTHS
    assert grade(teacher, "2026-05-30") is Grade.SIX_MONTHS
    assert grade(teacher, "2026-05-31") is Grade.THREE_MONTHS


def test_whoever_is_registered_in_the_middle_of_a_year_has_two_whole_years() -> None:
    assert grade(idle("2024-07-10"), "2026-07-10") is Grade.THREE_MONTHS
    assert grade(idle("2024-07-10"), "2026-07-11") is Grade.CASE


def test_nobody_is_idle_while_the_class_runs() -> None:
    running = History("t", on("2024-03-01"), [Span(on("2026-02-20"), on("2026-03-10"))])
    assert grade(running, "2026-03-05") is None
    planned = History("t", on("2024-03-01"), [Span(on("2026-03-20"), on("2026-03-30"))])
    assert grade(planned, "2026-03-05") is Grade.CASE


def test_a_decision_that_leaves_the_title_lets_the_two_years_begin_anew() -> None:
    settled = History("t", on("2020-01-01"), settled_on=on("2024-03-01"))
    assert grade(settled, "2026-03-01") is Grade.THREE_MONTHS
    assert grade(settled, "2026-03-02") is Grade.CASE


BAD, GOOD, EXACT = Score(199, 100), Score(201, 100), Score(200, 100)


def judged(
    years: Mapping[int, Score], today: str, *, since: str = "2020-06-01", settled: int | None = None
) -> Verdict | None:
    history = History("t", on(since), satisfaction=years, settled_year=settled)
    return rules.satisfaction(history, on(today), 2)


def test_exactly_two_points_meet_the_mark_and_199_hundredths_do_not() -> None:
    assert judged({2025: EXACT}, "2026-04-15") is None
    found = judged({2025: BAD}, "2026-04-15")
    assert found is not None and (found.grade, found.key) == (Grade.BAD_YEAR, "2025")


def test_a_year_is_judged_from_15_april_of_the_next() -> None:
    assert judged({2025: BAD}, "2026-04-14") is None
    assert judged({2025: BAD}, "2026-04-15") is not None


def test_two_bad_years_in_a_row_make_a_case_and_a_good_one_between_them_breaks_it() -> None:
    row = judged({2024: BAD, 2025: BAD}, "2026-05-01")
    assert row is not None and row.grade is Grade.CASE
    assert (row.first, row.last) == (on("2024-01-01"), on("2025-12-31"))
    broken = judged({2023: BAD, 2024: GOOD, 2025: BAD}, "2026-05-01")
    assert broken is not None and broken.grade is Grade.BAD_YEAR


def test_a_year_without_answers_neither_warns_nor_breaks_nor_continues_a_row() -> None:
    assert judged({2025: Score(0, 0)}, "2026-05-01") is None
    over_the_gap = judged({2023: BAD, 2024: Score(0, 0), 2025: BAD}, "2026-05-01")
    assert over_the_gap is not None and over_the_gap.grade is Grade.CASE
    one_only = judged({2024: Score(0, 0), 2025: BAD}, "2026-05-01")
    assert one_only is not None and one_only.grade is Grade.BAD_YEAR


def test_years_that_a_decision_was_about_do_not_count_again() -> None:
    again = judged({2023: BAD, 2024: BAD, 2025: BAD}, "2026-05-01", settled=2024)
    assert again is not None and again.grade is Grade.BAD_YEAR


def test_years_before_the_registration_are_somebody_elses() -> None:
    found = judged({2024: BAD, 2025: BAD}, "2026-05-01", since="2025-11-01")
    assert found is not None and found.grade is Grade.BAD_YEAR


@dataclass(frozen=True)
class Decided:
    status: PoolStatus
    effective_on: date


@given(
    st.lists(st.builds(Decided, st.sampled_from(PoolStatus), DAYS), max_size=5),
    DAYS,
)
def test_a_member_is_away_on_the_days_on_which_the_status_is_not_active(
    history: list[Decided], day: date
) -> None:
    standing = [one.status for one in history if one.effective_on <= day]
    away = slow_suspended(rules.away(history), day)
    assert away == bool(standing and standing[-1] is not PoolStatus.ACTIVE)


# ---- cases


@given(
    st.sampled_from(Subject),
    st.sampled_from(State),
    st.sampled_from(Action),
    st.frozensets(st.sampled_from(Role), min_size=1, max_size=3),
)
def test_nothing_becomes_of_a_case_that_the_table_does_not_name(
    subject: Subject, state: State, action: Action, roles: frozenset[Role]
) -> None:
    try:
        after = rules.steps_of(subject).after(state, action, roles)
    except Forbidden:
        assert not roles & rules.steps_of(subject).may_act(action)
    except CaseSettled:
        assert (state, action) not in rules.steps_of(subject).transitions
    else:
        assert after is rules.steps_of(subject).transitions[state, action] and roles & rules.steps_of(
            subject
        ).may_act(action)


def test_only_the_centre_decides_on_a_teacher_and_only_the_province_asks_about_a_base() -> None:
    assert rules.steps_of(Subject.TEACHER).may_act(Action.DECIDE) == {Role.NATIONAL_CENTRE}
    assert rules.steps_of(Subject.BASE).may_act(Action.FILE) == {Role.PROVINCE}
    assert not any(action is Action.DECIDE for _, action in rules.steps_of(Subject.BASE).transitions)


def test_nothing_but_a_person_ends_a_case() -> None:
    for subject in Subject:
        for (state, action), after in rules.steps_of(subject).transitions.items():
            if state is not None and not after.open:
                assert rules.steps_of(subject).may_act(action)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_burdens_waits_for_the_statement_or_the_end_of_its_days(outcome: Outcome) -> None:
    until, last_day, day_after = on("2026-03-31"), on("2026-03-31"), on("2026-04-01")
    for stated, today, early in (
        (False, last_day, True),
        (False, day_after, False),
        (True, last_day, False),
    ):
        if early and outcome.adverse:
            with pytest.raises(TooEarly):
                rules.check_heard(outcome, Hearing(until, stated), today)
        else:
            rules.check_heard(outcome, Hearing(until, stated), today)


def test_a_decision_takes_effect_today_or_later_and_a_statement_has_its_last_day() -> None:
    today = on("2026-03-16")
    rules.check_effective(today, today)
    with pytest.raises(Invalid):
        rules.check_effective(today - DAY, today)
    rules.check_statement_day(today, today)
    with pytest.raises(StatementOver):
        rules.check_statement_day(today - DAY, today)
