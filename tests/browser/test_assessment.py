"""The pages of tasks, submissions and results in a real browser, in each of their states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.assessment import KINDS, ResultQuery, bands_of, history_of
from server.assessment import rules
from server.assessment.documents import (
    EarlierResult,
    Extension,
    Grade,
    Mark,
    Result,
    ResultMark,
    ResultPolicy,
    Submission,
    SubmittedFile,
    Task,
    WorkRemark,
)
from server.assessment.rules import AssessmentPolicy, Criterion, TaskKind, Work
from server.assessment.service import ClassAssessment, ClassResults, Standing
from server.assessment.submissions import ClassWork, TaskCounts, TraineeRecord, TraineeWork
from server.attendance.hours import ClassHours
from server.classes.documents import Enrolment, TrainingClass
from server.institutions.rules import Level
from server.kernel.mongo import new_id
from server.wechat import content
from tests.admin.front_end import allowed, layout_context, list_context, render, show
from tests.browser.conftest import assert_accessible, assert_looks_right

pytestmark = pytest.mark.browser

NOON = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
CLASS = TrainingClass(
    institution_code="009",
    institution_name="邢台技师学院",
    province_code="13",
    name="2026年11月三级教师培训班",
    level=Level.THREE,
    major="03",
    courses=["工学一体化课程教学实施"],
    class_hours=80,
    starts_on=date(2026, 11, 20),
    ends_on=date(2026, 11, 30),
    place="实训楼 301",
    opened_at=NOON,
)
RELEASED = CLASS.model_copy(update={"results_released_at": NOON})
PLACE = {"class_id": CLASS.id, "institution_code": "009", "province_code": "13"}
NAMES = ("林试禾", "古丽·试依木", "周试山", "陈试帆", "吴试宁", "郑试元")
POLICY = AssessmentPolicy(formative_weight=40, pass_mark=60, attendance_needed=90)
CRITERIA = [
    Criterion(key="c1", title="典型工作任务描述准确完整", points=60),
    Criterion(key="c2", title="教学策划", points=40),
]


def task(kind: TaskKind, **changes: Any) -> Task:
    return Task(
        **PLACE,
        title="典型工作任务分析报告" if kind is TaskKind.FORMATIVE else "说课与答辩",
        instructions="结合本校专业，选一个典型工作任务：\n1. 描述任务\n2. 分析要求",
        kind=kind,
        deadline=NOON + timedelta(days=1),
        criteria=CRITERIA,
        created_at=NOON - timedelta(days=6),
        created_by="邢试丁",
        **changes,
    )


MOVED = Extension(before=NOON, after=NOON + timedelta(days=1), reason="实训楼停电一天", at=NOON, by="邢试丁")
REPORT = task(TaskKind.FORMATIVE, in_use=True, extensions=[MOVED])
DEFENCE = task(TaskKind.SUMMATIVE)
TRAINEES = [
    Enrolment(
        **PLACE,
        person_id=f"{number:024x}",
        name=name,
        id_number_masked="130***********1234",
        work_unit="示例市技师学院机电工程系",
        post="讲师",
        major_taught="数控加工",
        enrolled_at=NOON,
    )
    for number, name in enumerate(NAMES)
]


def submission(trainee: Enrolment, version: int = 1, *, late: bool = False) -> Submission:
    return Submission(
        **PLACE,
        task_id=REPORT.id,
        person_id=trainee.person_id,
        person_name=trainee.name,
        version=version,
        text="本校数控专业的典型工作任务是轴类零件的加工。\n\n" + "任务要求分析如下。" * 20,
        files=[
            SubmittedFile(
                id="a" * 24, name="典型工作任务分析报告（终稿）.docx", media_type="x", size=182_000
            ),
            SubmittedFile(id="b" * 24, name="示范课.mp4", media_type="video/mp4", size=45 * 2**20),
        ],
        own_work=True,
        nonce=None,
        submitted_at=NOON - timedelta(hours=version),
        late=late,
    )


def mark(points: int, reason: str = "", version: int | None = 1) -> Mark:
    return Mark(
        scores={"c1": points - 30, "c2": 30},
        points=points,
        comment="任务描述清楚，教学策划可再细化。",
        version=version,
        grader_id="f" * 24,
        grader_name="钱试乙",
        at=NOON,
        reason=reason,
    )


def remark(**changes: object) -> WorkRemark:
    said: dict[str, object] = {
        "task_id": REPORT.id,
        "submission_id": new_id(),
        "person_id": TRAINEES[1].person_id,
        "version": 2,
        "text": "请把任务描述写到工作岗位。",
        "author_id": new_id(),
        "author_name": "周试山",
        "said_at": NOON,
    }
    return WorkRemark.model_validate(PLACE | said | changes)


def grade(trainee: Enrolment, *marks: Mark) -> Grade:
    return Grade(**PLACE, task_id=REPORT.id, person_id=trainee.person_id, marks=list(marks))


WORK = [
    TraineeWork(TRAINEES[0], submission(TRAINEES[0]), grade(TRAINEES[0], mark(85))),
    TraineeWork(TRAINEES[1], submission(TRAINEES[1], 2, late=True), grade(TRAINEES[1], mark(70))),
    TraineeWork(TRAINEES[2], submission(TRAINEES[2]), None),
    *(TraineeWork(one, None, None) for one in TRAINEES[3:]),
]
RECORD = TraineeRecord(
    REPORT,
    CLASS,
    TRAINEES[1],
    [submission(TRAINEES[1], 2, late=True), submission(TRAINEES[1])],
    grade(TRAINEES[1], mark(70), mark(75, reason="漏看了附件")),
)


def standing(number: int, points: int, hours: int = 80, *, graded: bool = True) -> Standing:
    marks = [
        ResultMark(
            task_id=one.id,
            title=one.title,
            kind=one.kind,
            points=points if graded or one is REPORT else None,
            maximum=one.maximum,
        )
        for one in (REPORT, DEFENCE)
    ]
    works = [Work(one.kind, one.maximum, one.points or 0) for one in marks]
    outcome = rules.outcome(works, hours_attended=hours, hours_total=80, policy=POLICY)
    missing = [] if graded else [DEFENCE]
    return Standing(TRAINEES[number], marks, hours, outcome, [], missing)


STANDINGS = [
    standing(0, 92),
    standing(1, 85),
    standing(2, 73),
    standing(3, 88, hours=64),
    standing(4, 58),
    standing(5, 90, graded=False),
]
AFTERWARDS = NOON + timedelta(days=30)
HELD, IN_THE_MIDDLE = ClassHours(80, 80, 0, {}), ClassHours(40, 80, 10, {})
READY = ClassResults(
    CLASS, ClassAssessment(CLASS, [REPORT, DEFENCE], POLICY, HELD, STANDINGS, AFTERWARDS), []
)
WITHOUT_POINTS = [STANDINGS[2].marks[0].model_copy(update={"points": None}), STANDINGS[2].marks[1]]
UNGRADED = Standing(TRAINEES[2], WITHOUT_POINTS, 80, STANDINGS[2].outcome, [REPORT], [])
WAITING = ClassResults(
    CLASS,
    ClassAssessment(
        CLASS, [REPORT, DEFENCE], POLICY, IN_THE_MIDDLE, [*STANDINGS[:2], UNGRADED, *STANDINGS[3:]], NOON
    ),
    [],
)
NOTHING = ClassResults(CLASS, ClassAssessment(CLASS, [], POLICY, ClassHours(0, 80, 0, {}), [], NOON), [])
FROZEN = ClassResults(
    RELEASED,
    None,
    [
        Result(
            **PLACE,
            person_id=one.trainee.person_id,
            name=one.trainee.name,
            id_number_masked=one.trainee.id_number_masked,
            work_unit=one.trainee.work_unit,
            marks=one.marks,
            formative_tenths=one.outcome.formative,
            summative_tenths=one.outcome.summative,
            total_tenths=one.outcome.total,
            hours_attended=one.hours_attended,
            hours_total=80,
            attendance_ok=one.outcome.attendance_ok,
            passed=one.outcome.passed,
            reason=one.outcome.reason,
            policy=ResultPolicy(formative_weight=40, pass_mark=60, attendance_needed=90),
            released_at=NOON,
            released_by="邢试丁",
        )
        for one in STANDINGS
    ],
)

NO_ERRORS: dict[str, Any] = {"problem": None, "errors": {}, "values": {}, "wrong": ""}
REFUSED = SimpleNamespace(status=422, title="填写的内容有误", detail="请按提示改正后再提交。")


def page_of(tab: str, training_class: TrainingClass = CLASS, **more: Any) -> dict[str, Any]:
    return layout_context(training_class=training_class, tab=tab, today=NOON.date(), **(NO_ERRORS | more))


def form(**more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "task": None,
        "rows": [],
        "row_errors": {},
        "spare_rows": 4,
        "kinds": KINDS,
        "points_most": 100,
        "criteria_most": 20,
    }
    return page_of("tasks", CLASS, **(empty | more))


def task_page(one: Task, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"rows": WORK, "proposed": "2026-11-29T12:00", "may_manage": True}
    return page_of("tasks", CLASS, task=one, **(usual | more))


def results(seen: ClassResults, *permissions: str) -> dict[str, Any]:
    rows = seen.rows
    released = seen.training_class.results_released_at is not None
    return page_of(
        "results",
        seen.training_class,
        seen=seen,
        rows=rows,
        shown=rows,
        filters=list_context([], ResultQuery(), NOON)["filters"],
        bands=bands_of(rows),
        may=allowed(*permissions),
        survey="进行中，2026-12-03 12:00 截止，已有 4 人填写",
        earlier=[EarlierResult(**one.model_dump(), reopened_at=NOON) for one in seen.released[:2]],
        unscheduled=0,
        reopening=None,
        hindrance="",
        may_reopen=released,
        wrong="",
    )


def class_work(training_class: TrainingClass, *counts: TaskCounts) -> dict[str, Any]:
    return page_of(
        "tasks",
        training_class,
        work=ClassWork(training_class, len(TRAINEES), list(counts)),
        may=allowed("assessment:manage"),
    )


ROWS: list[Mapping[str, Any]] = [{"title": "任务描述", "points": "60"}, {"title": "策", "points": "abc"}]
REFUSED_FORM = form(
    problem=REFUSED,
    errors={"title": "名称：至少 2 个字符。", "criteria": "第 2 个评分项分值：应为整数。"},
    values={"title": "x", "kind": "FORMATIVE", "deadline": "2026-11-29T12:00"},
    rows=ROWS,
    row_errors={1: "第 2 个评分项分值：应为整数。"},
    spare_rows=2,
)

PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "tasks": (
        "assessment/tasks.html",
        class_work(CLASS, TaskCounts(REPORT, 3, 1, 1), TaskCounts(DEFENCE, 0, 0, 0)),
    ),
    "no tasks": ("assessment/tasks.html", class_work(CLASS)),
    "tasks frozen": ("assessment/tasks.html", class_work(RELEASED, TaskCounts(REPORT, 6, 1, 6))),
    "a new task": ("assessment/task_form.html", form()),
    "a task refused": ("assessment/task_form.html", REFUSED_FORM),
    "a task in use": ("assessment/task.html", task_page(REPORT)),
    "a task not used": ("assessment/task.html", task_page(DEFENCE, rows=[])),
    "somebody's work": (
        "assessment/work.html",
        page_of(
            "tasks",
            record=RECORD,
            shown=RECORD.versions[0],
            marks={"text": content.Mark("待人工核看", "warning")},
            remarks=[remark(), remark(taken_back_at=NOON, taken_back_reason="说错了对象")],
            history=history_of(RECORD),
        ),
    ),
    "no work": (
        "assessment/work.html",
        page_of(
            "tasks",
            record=TraineeRecord(REPORT, CLASS, TRAINEES[4], [], None),
            shown=None,
            marks={},
            remarks=[],
            history=[],
        ),
    ),
    "results waiting": ("assessment/results.html", results(WAITING, "assessment:release")),
    "results ready": ("assessment/results.html", results(READY, "assessment:release")),
    "no results": ("assessment/results.html", results(NOTHING, "assessment:release")),
    "results released": ("assessment/results.html", results(FROZEN, "assessment:release")),
    "results read only": ("assessment/results.html", results(READY)),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_its_screen(wide_page: Page, name: str) -> None:
    template, context = PAGES[name]
    show(wide_page, template, context)
    assert_looks_right(wide_page)


def test_a_cell_opens_the_work_beside_the_table_and_escape_leads_back(wide_page: Page) -> None:
    page = wide_page
    show(page, *PAGES["results waiting"])
    work = render(*PAGES["somebody's work"])
    page.route("**/trainees/**", lambda route: route.fulfill(body=work, content_type="text/html"))
    table = page.get_by_role("region", name="成绩表")
    expect(table).to_have_attribute("tabindex", "0")
    expect(table.get_by_role("cell", name="不合格")).to_have_count(0)
    waiting = table.get_by_role("link", name="待批阅")
    waiting.press("Enter")
    panel = page.get_by_role("region", name="这项学习成果")
    expect(panel).to_contain_text("典型工作任务分析报告（终稿）.docx")
    expect(panel).to_be_focused()
    assert_looks_right(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(waiting).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(table.get_by_role("row", name=TRAINEES[2].name).get_by_role("link").nth(2)).to_be_focused()


def test_the_release_is_confirmed_in_a_dialog_that_says_what_it_does(page: Page) -> None:
    show(page, *PAGES["results ready"])
    page.get_by_role("button", name="公布成绩").click()
    dialog = page.get_by_role("alertdialog", name="公布本班成绩？")
    expect(dialog).to_be_visible()
    for words in (
        "经省级管理部门同意才能重新开放",
        "名册、报名和报到",
        "已完成 80，应完成 80",
        "已有 4 人填写",
        "3 人",
    ):
        expect(dialog).to_contain_text(words)
    expect(dialog.get_by_role("button", name="公布成绩")).to_be_disabled()
    differs = dialog.get_by_text("与上面的文字还不一致")
    expect(differs).to_be_hidden()
    dialog.get_by_label("请输入").fill(CLASS.name[:-1])
    expect(differs).to_be_visible()
    dialog.get_by_label("请输入").fill(
        f" {CLASS.name[:4]} {CLASS.name[4:].replace('（', '(').replace('）', ')')}"
    )
    expect(differs).to_be_hidden()
    expect(dialog.get_by_role("button", name="公布成绩")).to_be_enabled()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_release_that_is_not_ready_or_not_mine_has_no_button(wide_page: Page) -> None:
    for name in ("results waiting", "results released", "results read only", "no results"):
        show(wide_page, *PAGES[name])
        expect(wide_page.get_by_role("button", name="公布成绩")).to_have_count(0)


def test_criteria_are_added_removed_and_summed_up(page: Page) -> None:
    show(page, *PAGES["a new task"])
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(4)
    page.get_by_label("分值").nth(0).fill("60")
    page.get_by_label("分值").nth(1).fill("40")
    expect(page.get_by_text("合计即满分 100 分")).to_be_visible()
    page.get_by_role("button", name="添加评分项").press("Enter")
    expect(rows).to_have_count(5)
    expect(page.get_by_label("评分项").and_(page.get_by_role("textbox")).nth(4)).to_be_focused()
    page.get_by_role("button", name="删去评分项 2").click()
    expect(rows).to_have_count(4)
    expect(page.get_by_text("合计即满分 60 分")).to_be_visible()
    assert_accessible(page)


def test_an_extension_that_was_refused_stays_open(wide_page: Page) -> None:
    refused = task_page(
        REPORT, problem=REFUSED, errors={"deadline": "只能延长"}, values={"reason": "教室停电"}
    )
    show(wide_page, "assessment/task.html", refused)
    expect(wide_page.get_by_role("alertdialog", name="延长截止时间")).to_be_visible()
    expect(wide_page.get_by_text("只能延长", exact=True)).to_be_visible()
