"""The page of a class's satisfaction survey in a real browser, in each of its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.classes.documents import ClassTeacher, TrainingClass
from server.institutions.rules import Level
from server.surveys import rules
from server.surveys.documents import Survey
from server.surveys.rules import Tally
from server.surveys.service import ClassSurvey, QuestionResult, Results, SubjectResult
from tests.admin.front_end import allowed, layout_context, show
from tests.browser.conftest import assert_accessible, assert_looks_right

pytestmark = pytest.mark.browser

NOON = datetime(2026, 12, 2, 4, 0, tzinfo=UTC)
TEACHER = ClassTeacher(person_id="a" * 24, name="钱试乙")
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
    teachers=[TEACHER],
    opened_at=NOON,
)
QUESTIONS = rules.make_questions([(TEACHER.person_id, TEACHER.name)])


def survey(opens_at: datetime, closes_at: datetime) -> Survey:
    return Survey(
        class_id=CLASS.id,
        class_name=CLASS.name,
        institution_code="009",
        province_code="13",
        year=2026,
        teacher_ids=[TEACHER.person_id],
        questions=QUESTIONS,
        opens_at=opens_at,
        closes_at=closes_at,
        smallest_group=5,
        created_at=NOON,
        created_by="邢试丁",
    )


def subject(teacher: ClassTeacher | None, tally: Tally) -> SubjectResult:
    asked = [one for one in QUESTIONS if one.teacher_id == (teacher.person_id if teacher else None)]
    questions = [QuestionResult(one, tally) for one in asked if one.kind is rules.QuestionKind.SCALE]
    return SubjectResult(
        teacher.person_id if teacher else None, teacher.name if teacher else "培训组织", questions
    )


RESULTS = Results(
    [subject(TEACHER, Tally((1, 2, 20))), subject(None, Tally((20, 2, 1)))], ["课后希望继续得到指导。" * 20]
)
DAY = timedelta(days=1)
STATES: dict[str, tuple[str, Survey | None, int, Results | None]] = {
    "none": ("发起满意度评价", None, 0, None),
    "planned": ("未开始", survey(NOON + DAY, NOON + 2 * DAY), 0, None),
    "open": ("截止后公布结果", survey(NOON - DAY, NOON + DAY), 3, None),
    "settling": ("正在汇总", survey(NOON - DAY, NOON), 23, None),
    "too few": ("份数太少，不显示结果", survey(NOON - 2 * DAY, NOON - DAY), 4, None),
    "supplemented": ("补充评价：孙试戊", survey(NOON - 2 * DAY, NOON - DAY), 23, RESULTS),
    "over": ("低于 2 分", survey(NOON - 2 * DAY, NOON - DAY), 23, RESULTS),
}


def show_state(page: Page, name: str) -> str:
    words, opened, responses, results = STATES[name]
    settled = opened is not None and rules.settled_at(opened.closes_at) <= NOON
    seen = ClassSurvey(
        CLASS, opened, opened.state_at(NOON) if opened else None, 30, responses, settled, results
    )
    if name == "supplemented":
        questions = rules.make_questions([("b" * 24, "孙试戊")], supplement=True)
        later = survey(NOON - DAY, NOON + DAY).model_copy(update={"part": 2, "questions": questions})
        running = ClassSurvey(CLASS, later, later.state_at(NOON), 30, 3, settled=False, results=None)
        seen = replace(seen, supplements=[running])
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "survey",
        "today": date(2026, 12, 2),
        "seen": seen,
        "teachers": [one.name for one in CLASS.teachers],
        "scale": rules.SCALE,
        "teacher_topics": rules.TEACHER_TOPICS,
        "organisation_topics": rules.ORGANISATION_TOPICS,
        "remarks": rules.REMARKS,
        "mark": rules.SATISFACTION_MARK,
        "may": allowed("surveys:manage"),
        "problem": None,
        "errors": {},
        "values": {"opens_at": "2026-12-02T12:00", "closes_at": "2026-12-09T18:00"},
    }
    show(page, "surveys/survey.html", layout_context(**context))
    return words


@pytest.mark.parametrize("name", STATES)
def test_each_state_says_what_it_is_and_fits_its_screen(wide_page: Page, name: str) -> None:
    words = show_state(wide_page, name)
    expect(wide_page.get_by_text(words).first).to_be_visible()
    assert_looks_right(wide_page)


def test_ending_a_survey_early_is_confirmed_with_what_it_means(page: Page) -> None:
    show_state(page, "open")
    page.get_by_role("button", name="立即截止").click()
    dialog = page.get_by_role("alertdialog", name="立即截止评价？")
    expect(dialog).to_contain_text("不能重新开放")
    expect(dialog).to_contain_text("截止后将看不到结果")
    assert_accessible(page)
