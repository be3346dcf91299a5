"""The pages of enrolment, needs and arrivals in a real browser, on an office screen and on a phone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.admissions import ApplicantQuery
from server.accounts.rules import Evidence
from server.admissions import arrival, rules
from server.admissions.arrival import ArrivalRow, Desk
from server.admissions.documents import Applicant, Arrival, ClassAdmission, Note
from server.admissions.needs import Answered, Needs
from server.admissions.rules import Action, State
from server.admissions.service import INSTITUTION_REVIEWS, ClassEnrolment
from server.classes.documents import ClassTeacher, Enrolment, TrainingClass
from server.institutions.rules import Level
from server.kernel.history import Step
from tests.admin.front_end import allowed, layout_context, list_context, show
from tests.browser.conftest import assert_accessible, assert_fits, assert_looks_right

pytestmark = pytest.mark.browser

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
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
    teachers=[ClassTeacher(person_id="a" * 24, name="钱试乙")],
    opened_at=NOON,
    places=40,
    application_id="b" * 24,
    admitted=2,
    enrolment_opens=NOON - timedelta(days=3),
    enrolment_closes=NOON + timedelta(days=10),
)
QUESTIONS = rules.read_questions("\n".join(rules.FIRST_TEMPLATE), prefix="t")
ANSWERS = {
    one.key: one.options[0] if one.options else "学生基础差异大，怎样分层布置学习任务？" for one in QUESTIONS
}
ADMISSION = ClassAdmission(
    id=CLASS.id,
    institution_code="009",
    province_code="13",
    questions=QUESTIONS,
    to_bring=rules.USUAL_THINGS,
    reporting="11月20日 8:30 前，实训楼一层",
    notes=[Note(at=NOON, author_id="a" * 24, author_name="钱试乙", text="第一周增加学习任务分析 4 课时。")],
)


def applicant(state: State, number: int) -> Applicant:
    return Applicant(
        class_id=CLASS.id,
        class_name=CLASS.name,
        institution_code="009",
        province_code="13",
        person_id=f"{number:024x}",
        name=f"赵试{'甲乙丙丁戊己庚辛'[number]}",
        id_number_masked="130***********1234",
        work_unit="某某省某某市高级技工学校（示例）",
        post="高级讲师",
        years_of_teaching=8 + number,
        major_taught="计算机网络应用",
        answers=ANSWERS,
        state=state,
        open=state.open,
        history=[
            Step(at=NOON, actor_id="x", actor_name="赵试甲", action=Action.APPLY),
            Step(at=NOON, actor_id="y", actor_name="邢试丁", action=Action.INSTITUTION_REJECTS, reason="任教专业与本班不符"),
        ][: 2 if state is State.REJECTED else 1],
    )  # fmt: skip


APPLICANTS = [applicant(state, number) for number, state in enumerate(State)]


def enrolment(page: Page, training_class: TrainingClass, applicants: list[Applicant], **more: Any) -> None:
    counts = {one.state: 1 for one in applicants}
    context: dict[str, Any] = {
        "training_class": training_class,
        "tab": "enrolment",
        "today": date(2026, 11, 2),
        "seen": ClassEnrolment(training_class, ADMISSION, counts),
        "warnings": {one.person_id: ["注意"] if one is APPLICANTS[0] else [] for one in applicants},
        "reviewable": INSTITUTION_REVIEWS,
        "centre_questions": QUESTIONS,
        "places_most": rules.PLACES_MOST,
        "may": allowed("admissions:manage"),
        "problem": None,
        "wrong": "",
        "errors": {},
        "values": {"opens": "2026-11-02T08:00", "closes": "2026-11-12T18:00", "places": 40, "reporting": "实训楼", "to_bring": "身份证"},
    }  # fmt: skip
    listed = list_context(applicants, ApplicantQuery(), NOON)
    show(page, "admissions/enrolment.html", layout_context(**listed | context | more))


def test_the_tab_of_enrolment_fits_and_is_accessible_with_applicants_and_without(page: Page) -> None:
    enrolment(page, CLASS, APPLICANTS)
    expect(page.get_by_role("checkbox", name="选择赵试甲")).to_be_visible()
    expect(page.locator(".rail [aria-current=page]")).to_have_text("报名")
    assert_accessible(page)
    assert_fits(page)
    enrolment(page, CLASS, [])
    expect(page.get_by_text("还没有人报名")).to_be_visible()
    assert_accessible(page)
    not_open = CLASS.model_copy(update={"enrolment_opens": None, "enrolment_closes": None})
    enrolment(page, not_open, [])
    expect(page.get_by_role("button", name="开放报名")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


@pytest.mark.parametrize("state", [State.APPLIED, State.REJECTED])
def test_one_application_is_refused_in_a_dialog_with_a_reason(page: Page, state: State) -> None:
    one = APPLICANTS[list(State).index(state)]
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "enrolment",
        "today": date(2026, 11, 2),
        "applicant": one,
        "questions": QUESTIONS,
        "warnings": ["已持有信息类三级培训合格证书，请核实是否需要再次参加。"],
        "may_review": state in INSTITUTION_REVIEWS,
        "problem": None,
        "errors": {},
        "values": {},
    }
    show(page, "admissions/applicant.html", layout_context(**context))
    expect(page.get_by_text("请核实是否需要再次参加")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    if state is State.APPLIED:
        page.get_by_role("button", name="不同意").click()
        expect(page.get_by_role("alertdialog")).to_contain_text("报名人会在小程序中看到理由")
        assert_accessible(page)
    else:
        expect(page.get_by_text("任教专业与本班不符").first).to_be_visible()


def test_needs_are_bars_and_words(page: Page) -> None:
    answered = [
        Answered(one, [(option, 7 - n) for n, option in enumerate(one.options)], [] if one.options else ["怎样分层布置任务？" * 9] * 3)
        for one in QUESTIONS
    ]  # fmt: skip
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "enrolment",
        "today": date(2026, 11, 2),
        "needs": Needs(ADMISSION, 12, answered),
        "may": allowed("admissions:manage"),
        "problem": None,
        "errors": {},
        "values": {},
    }
    show(page, "admissions/needs.html", layout_context(**context))
    expect(page.get_by_text("第一周增加学习任务分析 4 课时。")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def trainee(number: int, *, pledged: bool, arrived: bool) -> ArrivalRow:
    one = APPLICANTS[number]
    enrolled = Enrolment(
        class_id=CLASS.id,
        institution_code="009",
        province_code="13",
        person_id=one.person_id,
        name=one.name,
        id_number_masked=one.id_number_masked,
        work_unit=one.work_unit,
        post=one.post,
        major_taught=one.major_taught,
        enrolled_at=NOON,
        arrival_required=True,
        arrived_at=NOON if arrived else None,
        arrival_by="邢试丁" if arrived else None,
    )
    kept = Arrival(
        class_id=CLASS.id,
        person_id=one.person_id,
        institution_code="009",
        province_code="13",
        notice_opened_at=NOON,
        pledged_at=NOON if pledged else None,
        history=[Step(at=NOON, actor_id="y", actor_name="邢试丁", action=arrival.CONFIRM)],
    )
    return ArrivalRow(enrolled, Evidence.STAFF_CONFIRMED if arrived else Evidence.FORMAT_OK, kept, arrived)


ROWS = [trainee(0, pledged=True, arrived=True), trainee(1, pledged=False, arrived=False)]


def desk(page: Page, found: list[ArrivalRow], words: str = "", *, last: ArrivalRow | None = None) -> None:
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "roster",
        "today": date(2026, 11, 2),
        "may_manage": True,
        "desk": Desk(CLASS, ROWS, found, last),
        "words": words,
        "problem": None,
        "errors": {},
        "values": {},
    }
    show(page, "admissions/arrivals.html", layout_context(**context))


def test_the_reception_desk_in_each_of_its_states(wide_page: Page) -> None:
    desk(wide_page, [], last=ROWS[0])
    expect(wide_page.get_by_role("link", name="办理报到")).to_have_count(1)
    expect(wide_page.get_by_text("刚刚报到：赵试甲")).to_be_visible()
    assert_looks_right(wide_page)
    desk(wide_page, ROWS, "赵")
    expect(wide_page.get_by_role("list", name="有 2 人符合")).to_be_visible()
    assert_looks_right(wide_page)
    desk(wide_page, [ROWS[1]], "赵试乙")
    expect(wide_page.get_by_role("button", name="已收下纸质承诺书，办理报到")).to_be_focused()
    assert_looks_right(wide_page)
    desk(wide_page, [ROWS[0]], "赵试甲")
    expect(wide_page.get_by_role("button", name="办理报到")).to_have_count(0)
    expect(wide_page.get_by_label("学员", exact=True)).to_be_focused()


def test_an_arrival_is_undone_in_a_dialog_that_says_until_when(wide_page: Page) -> None:
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "roster",
        "today": date(2026, 11, 2),
        "row": ROWS[0],
        "step_titles": arrival.STEP_TITLES,
        "problem": None,
        "errors": {},
        "values": {},
    }
    show(wide_page, "admissions/undo_arrival.html", layout_context(**context))
    expect(wide_page.get_by_role("alertdialog")).to_contain_text("只能在办理当天撤销")
    assert_looks_right(wide_page)


def test_the_centres_questionnaire_is_edited_line_by_line(page: Page) -> None:
    context: dict[str, Any] = {
        "today": date(2026, 11, 2),
        "version": 0,
        "questions": QUESTIONS,
        "versions": [],
        "may": allowed("admissions:template"),
        "problem": None,
        "errors": {},
        "values": {"questions": "\n".join(one.line for one in QUESTIONS)},
    }
    show(page, "admissions/template.html", layout_context(**context))
    expect(page.get_by_role("group", name="第 1 题").get_by_role("textbox", name="选项").first).to_have_value(
        "没有接触过"
    )
    assert_accessible(page)
    assert_fits(page)
