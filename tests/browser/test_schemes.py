"""The editor of a training scheme and the province's review in a real browser, on an office screen and on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.scheme_editor import CRITERIA_END, KINDS, Typed, offered, row_errors
from admin.handlers.schemes import stages
from admin.lists import ShownFilter, named
from admin.options import LEVELS, MONTHS, PROVINCE_OPTIONS, WEEKDAYS, years
from server.assessment.rules import TaskKind
from server.classes.documents import ClassTeacher, TrainingClass
from server.institutions.rules import Level
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.history import Step
from server.schemes import rules, service
from server.schemes.comparing import ComparedVersion
from server.schemes.difference import Change, difference
from server.schemes.documents import Remark, SchemeVersion, Signature
from server.schemes.rules import Action, Frame, Held, State
from server.schemes.service import SchemeOfClass, TeacherSignature, VersionOutdated
from tests import cast, stage
from tests.admin.front_end import allowed, layout_context, show
from tests.browser.conftest import assert_accessible, assert_fits, assert_looks_right
from tests.browser.live import LiveSite
from tests.scheming import LAST_DAY, content, moved

pytestmark = pytest.mark.browser

NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
TEACHER = ClassTeacher(person_id="a" * 24, name="钱试乙")
CLASS = TrainingClass(
    institution_code="009",
    institution_name="邢台技师学院",
    province_code="13",
    name="2026年3月三级教师培训班",
    level=Level.THREE,
    major="01",
    courses=["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"],
    class_hours=80,
    starts_on=date(2026, 3, 16),
    ends_on=LAST_DAY,
    place="实训楼 301",
    teachers=[TEACHER],
    opened_at=NOON,
)
NAMES = {TEACHER.person_id: TEACHER.name}
FRAME = Frame(Level.THREE, 80, 40, CLASS.starts_on, CLASS.ends_on, NAMES, NAMES)
FIRST = rules.written(content(TEACHER.person_id), FRAME)
SECOND = FIRST.model_copy(
    update={"sessions": moved(FIRST.sessions, 15, 1), "materials": "《工学一体化课程教学实施》讲义第二版"}
)


def steps(*actions: Action, reason: str = "") -> list[Step]:
    return [
        Step(
            at=NOON + timedelta(hours=number),
            actor_id=TEACHER.person_id,
            actor_name="邢试丁",
            action=action.value,
            reason=reason if action is Action.RETURN else "",
        )
        for number, action in enumerate(actions)
    ]


def version(number: int, state: State, *actions: Action, **changes: Any) -> SchemeVersion:
    made = SchemeVersion(
        class_id=CLASS.id,
        class_name=CLASS.name,
        institution_code="009",
        institution_name=CLASS.institution_name,
        province_code="13",
        level=CLASS.level,
        starts_on=CLASS.starts_on,
        version=number,
        state=state,
        content=SECOND if number > 1 else FIRST,
        saved_at=NOON,
        saved_by="邢试丁",
        signatures=[Signature(person_id=TEACHER.person_id, name=TEACHER.name, at=NOON)],
        history=steps(Action.SAVE, *actions, reason="第二周课时过于集中，请调整。"),
        remarks=[
            Remark(
                at=NOON, author_id=TEACHER.person_id, author_name=TEACHER.name, text="第二周请留出一次实训。"
            )
        ],
    )
    return made.model_copy(update=changes)


def seen(*versions: SchemeVersion, in_force: int | None = None) -> SchemeOfClass:
    newest = versions[0] if versions else None
    held = (
        [Held(str(number), row, number < 3) for number, row in enumerate(FIRST.sessions)] if in_force else []
    )
    return SchemeOfClass(
        CLASS.model_copy(update={"scheme_version": in_force}),
        newest,
        list(versions),
        [TeacherSignature(TEACHER.person_id, TEACHER.name, newest.signatures[0] if newest and newest.signatures else None)],
        rules.shortcomings(newest.content, FRAME) if newest else [],
        rules.consequences(newest.content, held, [], NOON) if newest and newest.state is not State.APPROVED else None,
        FRAME,
        [],
    )  # fmt: skip


FILED = (Action.SEND, Action.SIGN, Action.FILE)
INCOMPLETE = FIRST.model_copy(update={"objectives": "", "sessions": FIRST.sessions[:-2], "tasks": ()})
STATES: dict[str, tuple[str, SchemeOfClass]] = {
    "none": ("还没有起草培训方案", seen()),
    "incomplete": ("不符合报备要求", seen(version(1, State.DRAFT, content=INCOMPLETE, signatures=[]))),
    "draft": ("送教师签署", seen(version(1, State.DRAFT, signatures=[]))),
    "signing": ("待签署", seen(version(1, State.SIGNING, Action.SEND, signatures=[]))),
    "signed": ("报送省级审核", seen(version(1, State.SIGNING, Action.SEND, Action.SIGN))),
    "submitted": ("待省级审核", seen(version(1, State.SUBMITTED, *FILED))),
    "returned": (
        "第二周课时过于集中",
        seen(version(2, State.RETURNED, *FILED, Action.RETURN), version(1, State.SUPERSEDED)),
    ),
    "approved": ("现行第 1 版", seen(version(1, State.APPROVED, *FILED, Action.APPROVE), in_force=1)),
    "next": (
        "现在按第 1 版执行",
        seen(version(2, State.SUBMITTED, *FILED), version(1, State.APPROVED), in_force=1),
    ),
}


def show_scheme(page: Page, shown: SchemeOfClass, *, review: bool, **more: Any) -> None:
    context: dict[str, Any] = {
        "training_class": shown.training_class,
        "tab": "scheme",
        "today": date(2026, 3, 16),
        "seen": shown,
        "stages": stages(shown),
        "changes": service.changes_in(shown) if shown.newest else [],
        "may": allowed("schemes:review" if review else "schemes:manage"),
        "State": State,
        "problem": None,
        "errors": {},
        "values": {},
        "wrong": "",
    }
    show(page, "schemes/scheme.html", layout_context(**context | more))


@pytest.mark.parametrize("name", STATES)
def test_each_state_says_what_it_is_and_fits_its_screen(wide_page: Page, name: str) -> None:
    words, shown = STATES[name]
    show_scheme(wide_page, shown, review=False)
    expect(wide_page.get_by_text(words).first).to_be_visible()
    assert_looks_right(wide_page)


def test_the_province_sees_what_changes_and_what_stays_before_it_decides(page: Page) -> None:
    show_scheme(page, STATES["next"][1], review=True)
    panel = page.locator("section.panel", has_text="审核通过后").first
    expect(panel).to_contain_text("新安排 1 个课次")
    expect(panel).to_contain_text("取消 1 个课次")
    expect(panel).to_contain_text("保持不变 15 个课次")
    panel.get_by_text("取消").click()
    expect(panel.get_by_text("2026-03-26 14:00").first).to_be_visible()
    page.get_by_role("button", name="审核通过").click()
    dialog = page.get_by_role("alertdialog", name="审核通过第 2 版？")
    expect(dialog).to_contain_text("不能撤回")
    assert_accessible(page)
    assert_fits(page)
    dialog.get_by_role("button", name="取消").click()
    page.get_by_role("button", name="退回修改").click()
    expect(page.get_by_label("退回理由")).to_have_attribute("required", "")


def show_editor(
    page: Page, typed: Typed, problem: Problem | None = None, came_between: Sequence[Change] = ()
) -> None:
    shown = seen(version(1, State.DRAFT, saved_by=TEACHER.name, saved_by_teacher=True))
    fields = problem.fields if problem else ()
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "scheme",
        "today": date(2026, 3, 16),
        "seen": shown,
        "typed": typed,
        "row_errors": row_errors(problem),
        "came_between": came_between,
        "teachers": list(FRAME.teaching.items()),
        "assessors": offered(FRAME.teachers, {}, "不承担考核"),
        "earlier": [],
        "kinds": KINDS,
        "weekdays": WEEKDAYS,
        "most": {"courses": 16, "sessions": 400, "tasks": 20},
        "criteria_most": 20,
        "points_most": 100,
        "criteria_end": CRITERIA_END,
        "drawn": None,
        "copied": False,
        "hours_short": 0,
        "problem": problem,
        "errors": {one.place.split(".")[0]: one.message for one in fields},
        "values": typed.values,
    }
    show(page, "schemes/editor.html", layout_context(**context))


def test_what_a_teacher_saved_meanwhile_stands_beside_what_was_typed(page: Page) -> None:
    outdated = VersionOutdated(f"授课教师{TEACHER.name}刚刚保存了第 1 版。")
    show_editor(page, Typed.of(FIRST, 1), outdated, difference(FIRST, SECOND))
    expect(page.get_by_role("heading", name="第 1 版所作的修改")).to_be_visible()
    expect(page.get_by_text(f"{TEACHER.name}（授课教师）")).to_be_visible()
    expect(page.get_by_text("讲义第二版").first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_rows_are_added_removed_and_summed_up(page: Page) -> None:
    show_editor(page, Typed.of(FIRST, 1))
    courses = page.locator("[data-section=courses]")
    expect(courses.get_by_text("合计 80 课时")).to_be_visible()
    expect(courses.locator("[data-row]")).to_have_count(4)
    courses.get_by_role("button", name="添加课程").click()
    expect(courses.locator("[data-row]")).to_have_count(5)
    added = courses.get_by_role("group", name="课程第 5 行")
    expect(added.get_by_label("课程", exact=True)).to_be_focused()
    added.get_by_label("课程", exact=True).fill("教学研讨")
    added.get_by_label("课时").fill("8")
    expect(courses.get_by_text("合计 88 课时")).to_be_visible()
    expect(page.locator("#courses-of-scheme option[value=教学研讨]")).to_have_count(1)
    courses.get_by_role("group", name="课程第 1 行").get_by_role("button", name="删去这一行").click()
    expect(courses.get_by_text("合计 58 课时")).to_be_visible()
    expect(courses.locator("[data-row]")).to_have_count(4)
    assert_accessible(page)
    assert_fits(page)


def test_a_wrong_row_says_what_is_wrong_beside_it(page: Page) -> None:
    typed = Typed.of(FIRST, 1)
    typed.courses[0]["hours"] = "abc"
    problem = Invalid(fields=[FieldError("courses.0", "课程第 1 行课时：应为整数。")])
    show_editor(page, typed, problem)
    row = page.get_by_role("group", name="课程第 1 行")
    expect(row.get_by_text("课程第 1 行课时：应为整数。")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_an_empty_editor_offers_to_draw_the_timetable(page: Page) -> None:
    show_editor(page, Typed.of(FIRST.model_copy(update={"sessions": ()}), 0))
    expect(page.get_by_role("button", name="生成课表")).to_be_visible()
    expect(page.get_by_label("周一")).to_be_checked()
    expect(page.get_by_label("周日")).not_to_be_checked()
    assert_accessible(page)
    assert_fits(page)


def test_two_versions_are_compared(page: Page) -> None:
    one, two = version(1, State.APPROVED), version(2, State.DRAFT)
    compared = ComparedVersion(CLASS, two, one, difference(FIRST, SECOND), [one], list(SECOND.sessions))
    context = {
        "training_class": CLASS,
        "tab": "scheme",
        "today": date(2026, 3, 16),
        "compared": compared,
        "others": [(1, "第 1 版（已通过）")],
        "adjusted_by": ["2026-03-17 暂停：2026-03-18 至 2026-03-20 暂停，改至 2026-03-31 结束"],
    }
    show(page, "schemes/version.html", layout_context(**context))
    expect(page.get_by_role("heading", name="与第 1 版相比")).to_be_visible()
    expect(page.get_by_text("讲义第二版").first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_the_list_of_the_province(page: Page) -> None:
    rows = [version(1, State.SUBMITTED, *FILED), replace_class(version(2, State.SUBMITTED, *FILED))]
    context: dict[str, Any] = {
        "rows": rows,
        "narrowed": False,
        "filters": [
            ShownFilter("q", "培训班或培训机构", None, ""),
            ShownFilter("state", "状态", [("", "待审核的方案"), *named(State)], ""),
            ShownFilter("level", "培训级别", LEVELS, ""),
            ShownFilter("year", "年度", years(NOON), ""),
            ShownFilter("month", "开班月份", MONTHS, ""),
            ShownFilter("province", "省份", PROVINCE_OPTIONS, ""),
        ],
        "usual": "待审核的方案",
        "previous": None,
        "next": "/admin/schemes?way=x",
        "export": "/admin/schemes/export",
        "total": None,
        "today": date(2026, 3, 16),
    }
    show(page, "schemes/list.html", layout_context(**context))
    expect(page.get_by_role("link", name=CLASS.name).first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def replace_class(one: SchemeVersion) -> SchemeVersion:
    return one.model_copy(update={"class_name": "2026年4月机械类三级教师培训班（第二期，含实训）"})


CLICKS_MOST = 9
"""Of a scheme until it is filed (issue 11, the desk)."""


def test_a_scheme_is_filed_in_nine_clicks_and_one_round_of_errors(live: LiveSite, wide_page: Page) -> None:
    page, clicks = wide_page, []
    days = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}
    held = live.do(stage.class_in_session(live.platform, live.wechat, trainees=0, **days))
    live.do(stage.assess(live.platform, held))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{held.id}/scheme")

    def click(role: Literal["button", "link"], name: str) -> None:
        clicks.append(name)
        page.get_by_role(role, name=name, exact=True).last.click()

    click("link", "起草方案")
    board = page.locator("[data-reckon]")
    expect(board).to_contain_text("课时 80 / 80")
    expect(board).to_contain_text("课表 0 / 80，还差 80")
    click("button", "生成课表")
    expect(board).to_contain_text("课表 80 / 80")
    tasks = page.locator("[data-section=tasks]")
    for number, kind in enumerate(TaskKind, start=1):
        row = tasks.get_by_role("group", name=f"任务第 {number} 行")
        row.get_by_label("任务", exact=True).fill(kind.label)
        row.get_by_label("类型").select_option(kind.value)
        row.get_by_label("截止时间").fill("2026-04-24T17:00")
        row.get_by_label("评分项").and_(page.get_by_role("textbox")).first.fill("完成质量")
        row.get_by_label("分值").first.fill("100" if number == 1 else "")
        if number == 1:
            click("button", "添加任务")
    click("button", "保存并送教师签署")
    wrong = page.locator("[data-refusal]")
    expect(wrong).to_contain_text("考核任务第 2 行评分项 1 的分值：必填。")
    expect(wrong).to_contain_text("还没有写培训目标。")  # all of it at once
    page.get_by_label("培训目标").fill("能独立实施一门工学一体化课程的教学与考核。")
    tasks.get_by_role("group", name="任务第 2 行").get_by_label("分值").first.fill("100")
    click("button", "保存并送教师签署")
    expect(page.get_by_text("已保存，并送本班授课教师签署")).to_be_visible()
    live.do(service.sign(live.platform, held.teacher.actor, held.id, 1))
    page.reload()
    click("button", "报送省级审核")
    click("button", "报送")
    expect(page.get_by_text("已报送省级管理部门审核")).to_be_visible()
    assert len(clicks) <= CLICKS_MOST
