"""What comes next for a class, reckoned from its facts (指南第四条)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.classes.rules import Kind
from server.progress.known import (
    SOON,
    ChangeFacts,
    ClassFacts,
    Count,
    Letters,
    NotHeld,
    Owner,
    Phase,
    SchemeFacts,
    Step,
    SurveyFacts,
    phase_of,
)
from server.progress.rules import holding, in_order, may_be_urged, next_steps
from server.schemes.rules import State

START, END = date(2026, 4, 13), date(2026, 4, 24)
NEW = ClassFacts("c", "邢台技师学院", "河北", date(2026, 3, 16), START, END, applied=True)
BOTH = frozenset(Kind)
READY = replace(NEW, kinds=BOTH, governed=True, trainees=30, sessions=24, enrolment_opens=date(2026, 3, 20))
DONE = replace(READY, surveyed=True, released_on=END + timedelta(days=3))

days = st.integers(-60, 120).map(lambda n: START + timedelta(days=n))
counts = st.none() | st.builds(Count, st.integers(1, 40), days)
facts = st.builds(
    ClassFacts,
    class_id=st.just("c"),
    institution_name=st.just("邢台技师学院"),
    province_name=st.just("河北"),
    opened_on=st.just(date(2026, 3, 16)),
    starts_on=st.just(START),
    ends_on=st.just(END),
    ended=st.booleans(),
    applied=st.booleans(),
    governed=st.booleans(),
    kinds=st.frozensets(st.sampled_from(Kind)),
    letters=st.dictionaries(
        st.sampled_from(Kind),
        st.builds(
            Letters, st.sampled_from([(), ("王老师",)]), days, days, st.booleans(), lapsed_on=st.none() | days
        ),
    ),
    released_on=st.none() | days,
    scheme=st.none() | st.builds(SchemeFacts, st.sampled_from(State), days, signed_on=st.none() | days),
    enrolment_closes=st.none() | days,
    held=st.integers(0, 40),
    missing=st.integers(0, 40),
    not_held=st.none() | st.builds(NotHeld, st.integers(1, 9), st.integers(1, 36), days),
    tasks=st.booleans(),
    reopened=st.none() | st.tuples(st.just("漏计一次补签。"), days),
    trainees=st.integers(0, 40),
    roster_since=st.none() | days,
    applicants=counts,
    ungraded=counts,
    nobodys=counts,
    not_arrived=st.integers(0, 5),
    trainees_unbound=st.integers(0, 5),
    unanswered=counts,
    unscheduled=st.integers(0, 8),
    sessions=st.integers(0, 5),
    survey=st.none() | st.builds(SurveyFacts, days, days, st.integers(0, 9)),
    surveyed=st.booleans(),
    certificates_due=st.integers(0, 9),
    certificates_failed=st.integers(0, 3),
)


def keys(known: ClassFacts, today: date) -> dict[str, Step]:
    return {one.key: one for one in next_steps(known, today)}


@given(facts, days)
def test_steps_that_can_be_taken_come_first_and_the_soonest_due_of_them_before_the_others(
    known: ClassFacts, today: date
) -> None:
    found = next_steps(known, today)
    assert [bool(one.blocked_by) for one in found] == sorted(bool(one.blocked_by) for one in found)
    for blocked in (False, True):
        due = [one.due or date.max for one in found if bool(one.blocked_by) is blocked]
        assert due == sorted(due)
    assert len({one.key for one in found}) == len(found), "of one kind there is one at a time"
    assert all(one.title and one.who and one.url.startswith("/admin/") for one in found)


@given(facts, days, st.sampled_from(Owner))
def test_what_is_done_beside_a_class_leads_nowhere_while_something_holds_it_up(
    known: ClassFacts, today: date, office: Owner
) -> None:
    found = next_steps(known, today)
    read = in_order(found, office)
    assert {one.key for one in read} == {one.key for one in found} and len(read) == len(found)
    held = [one for one in found if not one.beside and not one.blocked_by]
    if held:
        assert read[0] in held and set(holding(read)) == set(held)
        assert read[0].is_of(office) or not any(one.is_of(office) for one in held)
    else:
        assert holding(read) == read[:1], "it waits for nothing else"


def test_a_survey_that_runs_leads_neither_the_release_nor_its_filter_but_what_is_left_after_it() -> None:
    after = END + timedelta(days=1)
    survey = SurveyFacts(END, END + timedelta(days=5), 30)
    for office in Owner:
        read = in_order(next_steps(replace(READY, surveyed=True, survey=survey), after), office)
        assert [one.key for one in read] == ["release", "survey-answer"]
        assert [one.key for one in holding(read)] == ["release"]
    left = in_order(next_steps(replace(DONE, survey=survey), after), Owner.INSTITUTION)
    assert [one.key for one in holding(left)] == ["survey-answer"]


@given(facts, days, days)
def test_nobody_is_urged_for_what_nobody_knows_the_beginning_of(
    known: ClassFacts, today: date, last: date
) -> None:
    for one in next_steps(known, today):
        if one.since is None:
            assert not may_be_urged(one.since, today, 1, last)


@given(facts, days)
def test_nothing_is_offered_before_its_time(known: ClassFacts, today: date) -> None:
    found = keys(known, today)
    if known.ended:
        assert not found
    if today <= END:
        assert "survey-open" not in found and ("release" not in found or known.reopened)
    if today < START:
        assert "arrivals" not in found
    if today < START - SOON or today > END:
        assert not found.keys() & {"bind-teachers", "bind-trainees", "timetable"}
    if known.released_on is None:
        assert "certificates" not in found
    else:
        assert not found.keys() & {"release", "grade", "roster-import", "scheme-draft", "invite-teaching"}


@given(facts, days, st.integers(0, 200))
def test_a_class_never_goes_back_to_a_phase_by_the_calendar_alone(
    known: ClassFacts, today: date, later: int
) -> None:
    order = list(Phase)
    then = phase_of(known, today + timedelta(days=later))
    assert order.index(phase_of(known, today)) <= order.index(then)


@given(facts, days)
def test_nothing_is_late_on_the_day_on_which_it_comes_up(known: ClassFacts, today: date) -> None:
    found = keys(known, today)
    for key in (
        "invite-teaching",
        "invite-assessment",
        "roster-import",
        "scheme-sign",
        "scheme-file",
        "release",
    ):
        if key in found:
            since = found[key].since
            assert since is not None and not found[key].overdue_on(since)


@given(facts, days)
def test_a_class_that_died_is_led_to_its_end_and_nowhere_else(known: ClassFacts, today: date) -> None:
    found = keys(known, today)
    died = today > END and not known.ended and known.released_on is None
    died = died and not (known.trainees and (known.sessions or known.held))
    assert (set(found) == {"not-held-at-all"}) if died else ("not-held-at-all" not in found)
    if today > END:
        assert not found.keys() & {"roster-import", "roster-confirm", "enrolment-open"}, (
            "the roster is closed"
        )


@given(facts, days)
def test_no_release_is_offered_that_its_own_rule_would_refuse(known: ClassFacts, today: date) -> None:
    release = keys(known, today).get("release")
    if release and not release.blocked_by:
        assert not (known.ungraded or known.missing or known.not_held or known.unscheduled)
        assert known.tasks and known.trainees and (known.governed or not known.applied)


def test_hours_that_nobody_came_to_are_named_at_once_and_before_the_release() -> None:
    empty = NotHeld(9, 36, START + timedelta(days=2))
    short = replace(READY, held=44, missing=36, not_held=empty)
    found = keys(short, START + timedelta(days=2))
    assert found["not-held"].title.startswith("9 次课没有人签到，36 课时不计入：") and "release" not in found
    assert (found["not-held"].since, found["not-held"].due) == (START + timedelta(days=2), END)
    after = END + timedelta(days=1)
    assert keys(short, after)["release"].blocked_by == "36 课时没有人签到"
    assert keys(replace(short, missing=40), after)["release"].blocked_by.endswith("还差 4 课时")
    asked = ChangeFacts("x", "延期", after, Owner.PROVINCE, "")
    assert keys(replace(short, change=asked), after)["not-held"].blocked_by == "延期申请尚未办结"


def test_a_class_that_died_is_called_off_or_ended_by_what_was_begun_of_it() -> None:
    after = END + timedelta(days=1)
    nobody = keys(
        replace(NEW, kinds=BOTH, scheme=SchemeFacts(State.SIGNING, START, unsigned=("王老师",))), after
    )
    [step] = nobody.values()
    assert "没有学员：取消开班" in step.title and step.url.endswith("/changes/call-off")
    assert (step.since, step.due) == (after, END + timedelta(days=30))
    [begun] = keys(replace(READY, trainees=0), after).values()
    assert "没有学员：申请终止培训" in begun.title and begun.url.endswith("/changes/terminate")
    [untaught] = keys(replace(READY, sessions=0), after).values()
    assert "没有上过课：取消开班" in untaught.title
    asked = ChangeFacts("x", "延期", after, Owner.PROVINCE, "")
    waits = keys(replace(READY, sessions=0, change=asked), after)
    assert set(waits) == {"change-review", "not-held-at-all"} and waits["not-held-at-all"].blocked_by


def test_each_step_waits_since_the_moment_that_made_it() -> None:
    closes = date(2026, 4, 10)
    found = keys(replace(NEW, enrolment_opens=NEW.opened_on, enrolment_closes=closes), START)
    assert found["roster-import"].since == date(2026, 4, 11)

    lost = Letters(lost=True, lapsed_on=date(2026, 3, 24))
    found = keys(replace(NEW, letters={Kind.TEACHING: lost}), date(2026, 3, 25))
    assert found["invite-teaching"].since == date(2026, 3, 24)
    assert found["invite-teaching"].due == found["invite-assessment"].due == NEW.ready_by
    assert found["invite-assessment"].since == NEW.opened_on
    gone = Letters(lapsed_on=START + timedelta(days=3))
    found = keys(replace(READY, kinds=frozenset({Kind.ASSESSMENT}), letters={Kind.TEACHING: gone}), END)
    assert found["invite-teaching"].since == START + timedelta(days=3)
    assert found["invite-teaching"].due == START + timedelta(days=8)

    signed = SchemeFacts(State.SIGNING, date(2026, 3, 20), signed_on=date(2026, 3, 29))
    found = keys(replace(READY, governed=False, scheme=signed), START - SOON)
    assert found["scheme-file"].since == date(2026, 3, 29)

    reopened = date(2026, 7, 20)
    again = keys(replace(READY, surveyed=True, reopened=("漏计一次补签。", reopened)), reopened)["release"]
    assert (again.since, again.due) == (reopened, date(2026, 8, 19)) and "漏计一次补签。" in again.title


def test_a_class_that_is_done_with_has_no_steps() -> None:
    assert next_steps(DONE, END + timedelta(days=30)) == [] and phase_of(DONE, END) is Phase.CLOSE
    assert next_steps(replace(NEW, ended=True), START) == []


def test_a_new_class_asks_for_teachers_scheme_and_enrolment_in_time_for_the_province_to_review() -> None:
    found = keys(NEW, NEW.opened_on)
    assert list(found) == ["enrolment-open", "invite-assessment", "invite-teaching", "scheme-draft"] or set(
        found
    ) == {"invite-teaching", "invite-assessment", "enrolment-open", "scheme-draft"}
    assert found["scheme-draft"].blocked_by == "还没有骨干教师接受授课邀请"
    assert {one.due for one in found.values()} == {START - timedelta(days=5)}
    assert all(one.owner is Owner.INSTITUTION and one.since == NEW.opened_on for one in found.values())
    assert not found["invite-teaching"].overdue_on(START - timedelta(days=5))
    assert found["invite-teaching"].overdue_on(START - timedelta(days=4))
    assert phase_of(NEW, NEW.opened_on) is Phase.PREPARE and phase_of(READY, NEW.opened_on) is Phase.ENROL
    assert phase_of(READY, START) is phase_of(READY, END) is Phase.TEACH
    assert phase_of(READY, END + timedelta(days=1)) is Phase.ASSESS


@pytest.mark.parametrize(
    ("scheme", "key", "owner", "who"),
    [
        (SchemeFacts(State.DRAFT, START), "scheme-send", Owner.INSTITUTION, "邢台技师学院"),
        (SchemeFacts(State.SIGNING, START, unsigned=("王老师",)), "scheme-sign", Owner.TEACHERS, "王老师"),
        (SchemeFacts(State.SIGNING, START), "scheme-file", Owner.INSTITUTION, "邢台技师学院"),
        (SchemeFacts(State.SUBMITTED, START), "scheme-review", Owner.PROVINCE, "河北省级管理部门"),
        (SchemeFacts(State.RETURNED, START), "scheme-revise", Owner.INSTITUTION, "邢台技师学院"),
    ],
)
def test_a_scheme_waits_for_one_office_at_a_time(
    scheme: SchemeFacts, key: str, owner: Owner, who: str
) -> None:
    found = keys(replace(READY, governed=False, scheme=scheme), START - SOON)
    [step] = [one for one in found.values() if one.url == "/admin/classes/c/scheme"]
    assert (step.key, step.owner, step.who, step.since) == (key, owner, who, START)


def test_the_release_says_what_has_to_come_before_it() -> None:
    after = END + timedelta(days=1)
    waiting = keys(replace(READY, surveyed=True, ungraded=Count(20, END)), after)
    assert waiting["grade"].title == "批阅 20 份学习成果" and waiting["grade"].owner is Owner.TEACHERS
    assert waiting["grade"].due == END + timedelta(days=7)
    assert waiting["release"].blocked_by == "20 份学习成果还没有批阅"
    before = keys(replace(READY, ungraded=Count(11, START), ungraded_early=9), END)
    assert before["grade"].title == "批阅 11 份学习成果（另有 9 份未到截止）"
    assert keys(replace(READY, surveyed=True), after)["release"].blocked_by == ""


def test_a_letter_that_waits_is_its_teachers_step_and_one_nobody_accepted_the_institutions() -> None:
    asked = Letters(("王老师", "李老师"), date(2026, 3, 17), date(2026, 3, 24))
    found = keys(replace(NEW, letters={Kind.TEACHING: asked, Kind.ASSESSMENT: Letters(lost=True)}), START)
    assert (found["answer-teaching"].who, found["answer-teaching"].due) == (
        "王老师、李老师",
        date(2026, 3, 24),
    )
    beside = keys(replace(READY, letters={Kind.TEACHING: asked}), NEW.opened_on)
    assert (beside["answer-teaching"].since, beside["answer-teaching"].due) == (
        date(2026, 3, 17),
        date(2026, 3, 24),
    ), "also where somebody else has accepted"
    assert "invite-teaching" not in found and "无人接受" in found["invite-assessment"].title


def test_after_the_last_day_nobody_can_be_invited_before_the_class_is_put_off() -> None:
    held = replace(READY, kinds=frozenset({Kind.TEACHING}), held=80, tasks=True)
    last, over = keys(held, END), keys(held, END + timedelta(days=1))
    assert last["invite-assessment"].url == "/admin/classes/c/invitations"
    assert over["invite-assessment"].url == "/admin/classes/c/changes/postpone"
    assert "申请延期后再邀请" in over["invite-assessment"].title


def test_certificates_that_a_survey_held_up_wait_since_it_closed() -> None:
    known = replace(
        DONE, released_on=date(2026, 12, 6), certificates_due=1, survey_closed_on=date(2026, 12, 13)
    )
    found = keys(known, date(2026, 12, 14))["certificates"]
    assert (found.since, found.due) == (date(2026, 12, 13), date(2026, 12, 28))
    earlier = keys(replace(known, survey_closed_on=date(2026, 12, 1)), date(2026, 12, 14))["certificates"]
    assert earlier.since == date(2026, 12, 6)
