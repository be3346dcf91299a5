"""Rules of the training scheme: its states, what it must say, and what an approval changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.assessment.rules import TaskKind
from server.attendance.rules import HalfDay, usual_times
from server.institutions.rules import Level
from server.kernel.errors import Invalid
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.schemes import carrying, rules
from server.schemes.content import Content, CourseRow
from server.schemes.rules import (
    LEFT_BEHIND,
    Action,
    Frame,
    Held,
    NotYourStep,
    SchemeNotInState,
    SetTask,
    SignaturesMissing,
    State,
)
from tests.scheming import FIRST_DAY, HALF_DAYS, LAST_DAY, TASKS, content, moved, task

TEACHER, OTHER = "a" * 24, "b" * 24
FRAME = Frame(
    Level.THREE, 80, 40, date(2026, 3, 16), LAST_DAY, {TEACHER: "钱试乙"}, assessors={TEACHER: "钱试乙"}
)
BEFORE = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
WHOLE = rules.written(content(TEACHER), FRAME)


def words(made: Content, frame: Frame = FRAME) -> str:
    return " ".join(one.message for one in rules.shortcomings(made, frame))


# ---- states


@given(
    st.sampled_from([None, *State]),
    st.sampled_from(Action),
    st.frozensets(st.sampled_from(Role), max_size=2),
)
def test_nothing_leads_outside_of_the_table(
    state: State | None, action: Action, roles: frozenset[Role]
) -> None:
    try:
        reached = rules.STEPS.after(state, action, roles)
    except NotYourStep:
        assert not roles & rules.STEPS.may_act(action)
    except SchemeNotInState as refusal:
        assert (state, action) not in rules.STEPS.transitions and action.label in refusal.detail
    else:
        assert roles & rules.STEPS.may_act(action) and reached is rules.STEPS.transitions[state, action]


@given(st.lists(st.tuples(st.sampled_from(Action), st.sampled_from(Role)), max_size=30))
def test_nothing_is_approved_that_was_not_filed_after_signing(steps: list[tuple[Action, Role]]) -> None:
    state: State | None = None
    way: list[Action] = []
    for action, role in steps:
        try:
            state = rules.STEPS.after(state, action, {role})
        except (NotYourStep, SchemeNotInState):
            continue
        way.append(action)
        if state is State.APPROVED:
            assert way[-2:] == [Action.FILE, Action.APPROVE]
            assert Action.SAVE not in way[_last(way, Action.SEND) :]


def _last(way: list[Action], action: Action) -> int:
    return len(way) - 1 - way[::-1].index(action)


def test_who_does_what() -> None:
    assert rules.STEPS.may_act(Action.SIGN) == {Role.BACKBONE_TEACHER}
    assert rules.STEPS.may_act(Action.APPROVE) == rules.STEPS.may_act(Action.RETURN) == {Role.PROVINCE}
    assert rules.STEPS.may_act(Action.SAVE) == INSTITUTION_ROLES | {Role.BACKBONE_TEACHER}
    assert rules.STEPS.may_act(Action.SEND) == rules.STEPS.may_act(Action.FILE) == INSTITUTION_ROLES


def test_whatever_can_be_left_behind_has_a_state_for_it() -> None:
    left = {state for state, action in rules.STEPS.transitions if action is Action.SAVE and state is not None}
    assert left == LEFT_BEHIND.keys()
    assert LEFT_BEHIND[State.APPROVED] is State.APPROVED  # what is approved stays in force


@pytest.mark.parametrize(
    ("teachers", "signed", "missing"),
    [
        ({}, set(), "还没有授课骨干教师"),
        ({TEACHER: "钱试乙"}, set(), "钱试乙"),
        ({TEACHER: "钱试乙", OTHER: "孙试丙"}, {TEACHER}, "孙试丙"),
    ],
)
def test_a_scheme_without_all_signatures_is_not_filed(
    teachers: dict[str, str], signed: set[str], missing: str
) -> None:
    with pytest.raises(SignaturesMissing) as refused:
        rules.check_signed(teachers, signed)
    assert missing in refused.value.detail
    rules.check_signed({TEACHER: "钱试乙"}, {TEACHER, OTHER})


# ---- what a scheme must say


def test_a_complete_scheme_has_no_shortcomings() -> None:
    assert rules.shortcomings(WHOLE, FRAME) == []
    assert rules.consequences(WHOLE, [], [], BEFORE).impossible == []


@given(st.integers(1, 200))
def test_hours_below_the_floor_of_the_level_are_refused_by_name(hours: int) -> None:
    row = CourseRow(title="教学场所使用管理", hours=hours, teacher_id=TEACHER)
    said = words(WHOLE.model_copy(update={"courses": (row,)}))
    assert ("《培训标准》" in said and "不低于 80 课时" in said) == (hours < 80)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"objectives": ""}, "培训目标"),
        ({"sessions": WHOLE.sessions[:-1]}, "课表共 75 课时，各课程合计 80 课时"),
        ({"courses": (WHOLE.courses[0].model_copy(update={"teacher_id": ""}), *WHOLE.courses[1:])}, "第六条"),
        ({"courses": (WHOLE.courses[0].model_copy(update={"teacher_id": OTHER}), *WHOLE.courses[1:])}, "请改派"),
        ({"courses": (*WHOLE.courses, WHOLE.courses[0])}, "请合并课时"),
        ({"sessions": moved(WHOLE.sessions, 0, -2)}, "不在培训班日期内"),
        ({"sessions": moved(WHOLE.sessions, 0, 1)}, "时间重叠"),
        (
            {"sessions": (WHOLE.sessions[0].model_copy(update={"course": "联欢"}), *WHOLE.sessions[1:])},
            "没有对应的课程",
        ),
        (
            {
                "sessions": (
                    WHOLE.sessions[0].model_copy(update={"ends_at": WHOLE.sessions[0].starts_at}),
                    *WHOLE.sessions[1:],
                )
            },
            "下课时间应晚于上课时间",
        ),
        ({"tasks": TASKS[:1]}, "终结性考核"),
        ({"tasks": TASKS[1:]}, "过程性考核"),
        ({"tasks": (*TASKS, TASKS[0])}, "重名"),
        ({"tasks": (TASKS[0], task("答辩", TaskKind.SUMMATIVE, deadline=BEFORE - timedelta(days=9)))}, "早于开班"),
        ({"tasks": (TASKS[0], task("答辩", TaskKind.SUMMATIVE, criteria=TASKS[0].criteria * 2))}, "评分项有重复"),
        ({"formative_weight": 50}, "考核权重"),
    ],
)  # fmt: skip
def test_each_shortcoming_is_named(changes: dict[str, object], expected: str) -> None:
    assert expected in words(WHOLE.model_copy(update=changes))


def test_a_course_may_be_shared_by_two_teachers() -> None:
    first, *rest = WHOLE.courses
    halves = (
        first.model_copy(update={"hours": 10}),
        first.model_copy(update={"hours": 20, "teacher_id": OTHER}),
    )
    frame = replace(FRAME, teachers={TEACHER: "钱试乙", OTHER: "孙试丙"})
    shared = WHOLE.model_copy(update={"courses": (*halves, *rest)})
    assert words(shared, frame) == ""
    nobody = tuple(row.model_copy(update={"teacher_id": ""}) for row in shared.sessions)
    unsaid = rules.written(shared.model_copy(update={"sessions": nobody}), frame)
    assert "还没有指定授课教师" in words(unsaid, frame), "each session of a shared course says whose it is"
    assert {row.teacher_name for row in unsaid.sessions if row.course != first.title} == {"钱试乙"}


def test_each_task_names_who_assesses_it_and_only_an_assessor_may() -> None:
    alone = replace(FRAME, assessors={})
    assert "请先邀请骨干教师承担考核" in words(rules.written(content(TEACHER), alone), alone)
    two = replace(
        FRAME, teachers={TEACHER: "钱试乙", OTHER: "孙试丙"}, assessors={TEACHER: "钱试乙", OTHER: "孙试丙"}
    )
    assert "请从本班的考核教师中选择" in words(rules.written(content(TEACHER), two), two)
    only = replace(two, assessors={OTHER: "孙试丙"}, only_assess=[OTHER])
    assert {row.assessor_name for row in rules.written(content(TEACHER), only).tasks} == {"孙试丙"}
    with pytest.raises(Invalid):
        rules.written(content(OTHER), only)
    given = tuple(row.model_copy(update={"assessor_id": TEACHER}) for row in content(TEACHER).tasks)
    with pytest.raises(Invalid):
        rules.written(content(TEACHER, tasks=given), only)


# ---- the timetable


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 6))
def test_courses_follow_one_another_until_their_hours_are_used_up(hours: list[int], each: int) -> None:
    courses = [CourseRow(title=f"课程{number}", hours=each * count) for number, count in enumerate(hours)]
    half_days = [HalfDay("上午", HALF_DAYS[0].starts, HALF_DAYS[0].ends, each)]
    last_day = FIRST_DAY + timedelta(days=300)
    rows = rules.spread(FIRST_DAY, last_day, range(7), half_days, courses, "实训楼 301")
    assert [row.course for row in rows] == [
        one.title for one, count in zip(courses, hours, strict=True) for _ in range(count)
    ]
    assert sum(row.hours for row in rows) == sum(one.hours for one in courses)


def test_no_timetable_without_courses() -> None:
    with pytest.raises(Invalid):
        rules.spread(FIRST_DAY, LAST_DAY, range(5), HALF_DAYS, [], "实训楼 301")


# ---- what an approval changes


@given(
    st.lists(st.sampled_from(range(16)), unique=True),
    st.lists(st.sampled_from(range(16)), unique=True),
    st.integers(0, 15 * 24),
)
def test_what_has_begun_stays_and_after_an_approval_the_class_has_the_timetable_of_the_scheme(
    there: list[int], planned: list[int], hours_later: int
) -> None:
    now = BEFORE + timedelta(hours=hours_later)
    held = [
        Held(str(number), row, usual_times(*row.span).opens_at <= now)
        for number in there
        for row in [WHOLE.sessions[number]]
    ]
    rows = tuple(WHOLE.sessions[number] for number in planned)
    found = rules.consequences(WHOLE.model_copy(update={"sessions": rows}), held, [], now)
    fixed = [one for one in held if one.fixed]
    assert not any(one.fixed for one in found.sessions_drop)
    assert not any(one.fixed for one, _ in found.sessions_move)
    kept = [*found.sessions_stay, *(row for _, row in found.sessions_move), *found.sessions_make]
    assert sorted(row.starts_at for row in kept) == sorted(row.starts_at for row in rows)
    section = [one for one in found.impossible if one.place == "sessions"]
    lost = [one for one in fixed if one.row not in rows]
    late = [row for row in found.sessions_make if usual_times(*row.span).closes_at <= now]
    assert len(section) == len(lost) + len(late)


def test_another_room_moves_a_session_that_has_not_begun_only() -> None:
    first, second, *_ = WHOLE.sessions
    held = [Held("1", first, fixed=True), Held("2", second, fixed=False)]
    rows = tuple(row.model_copy(update={"place": "机房 502"}) for row in (first, second))
    found = rules.consequences(WHOLE.model_copy(update={"sessions": rows}), held, [], BEFORE)
    assert found.sessions_stay == [first]
    assert [(one.id, row.place) for one, row in found.sessions_move] == [("2", "机房 502")]
    assert not found.sessions_make and not found.sessions_drop


def test_a_task_in_use_stays_with_its_own_deadline_and_others_are_replaced() -> None:
    formative, summative = TASKS
    later = formative.model_copy(update={"deadline": formative.deadline + timedelta(days=2)})
    stricter = summative.model_copy(update={"criteria": summative.criteria[:1]})
    given = [SetTask("1", formative, in_use=True), SetTask("2", summative, in_use=False)]
    found = rules.consequences(WHOLE.model_copy(update={"tasks": (later, stricter)}), [], given, BEFORE)
    assert found.tasks_stay == [formative]
    assert found.tasks_make == [stricter]
    assert [one.id for one in found.tasks_drop] == ["2"]
    assert found.impossible == []


def test_a_task_in_use_cannot_be_left_out_and_a_new_one_is_not_due_yesterday() -> None:
    given = [SetTask("1", TASKS[0], in_use=True)]
    late = TASKS[1].model_copy(update={"deadline": BEFORE})
    found = rules.consequences(WHOLE.model_copy(update={"tasks": (late,)}), [], given, BEFORE)
    said = " ".join(one.message for one in found.impossible)
    assert "须原样保留" in said and "截止时间已过" in said


def test_a_scheme_is_carried_over_to_a_later_class_and_to_those_who_teach_there() -> None:
    made = rules.written(content(TEACHER), FRAME)
    later = replace(
        FRAME,
        first_day=FRAME.first_day + timedelta(days=35),
        last_day=FRAME.last_day + timedelta(days=35),
        teachers={OTHER: "孙试丙"},
        assessors={OTHER: "孙试丙"},
    )
    copy = carrying.carried_over(made, FRAME.first_day, later)
    assert rules.shortcomings(copy, later) == []
    assert copy.sessions[0].starts_at - made.sessions[0].starts_at == timedelta(days=35)
    assert {one.teacher_name for one in copy.courses} == {"孙试丙"}
    two = replace(later, teachers={OTHER: "孙试丙", "9" * 24: "李试丁"}, assessors={})
    nobodys = carrying.carried_over(made, FRAME.first_day, two)
    assert {one.teacher_id for one in nobodys.courses} | {one.teacher_id for one in nobodys.sessions} == {""}
