"""What goes on paper, as the browser prints it: A4, the head on each page, a line for each signature, and no page that is empty."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.attendance.documents import TeachingSession
from server.attendance.rules import at, usual_times
from server.attendance.sheet import signing_days
from tests.admin.front_end import layout_context, show
from tests.browser.conftest import assert_accessible, assert_looks_right
from tests.browser.test_assessment import CLASS, FROZEN, PLACE, RELEASED, TRAINEES, WAITING, results
from tests.printed import open_pdf

pytestmark = pytest.mark.browser
PEOPLE = [
    one.model_copy(update={"name": f"{one.name[:2]}{number}"}) for number in range(10) for one in TRAINEES
]
BEGIN = at(CLASS.starts_on, time(8))
MORNINGS = [
    TeachingSession(
        **PLACE,
        title=f"第 {day + 1} 天上午",
        course=CLASS.courses[0],
        place=CLASS.place,
        hours=4,
        code_step_seconds=5,
        code_grace_seconds=2,
        created_at=CLASS.opened_at,
        **vars(usual_times(BEGIN + timedelta(days=day), BEGIN + timedelta(days=day, hours=3))),
    )
    for day in (0, 1)
]
ROSTER: dict[str, Any] = {"training_class": CLASS, "trainees": PEOPLE}
SHEETS: dict[str, tuple[dict[str, Any], int]] = {
    "roster": (ROSTER, 2),
    "signing": (ROSTER | {"days": signing_days(MORNINGS, [])}, 4),
}


def printed(page: Page, sheet: str, context: dict[str, Any]) -> list[str]:
    """The text of each page of the paper, without blanks and line breaks."""
    show(page, f"sheets/{sheet}.html", layout_context(back="/admin", **context))
    pages = open_pdf(page.pdf(prefer_css_page_size=True)).pages
    return ["".join(one.extract_text().split()) for one in pages]


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_long_sheet_repeats_its_head_and_ends_with_signatures(wide_page: Page, sheet: str) -> None:
    context, pages = SHEETS[sheet]
    paper = printed(wide_page, sheet, context)
    assert len(paper) == pages
    assert all("证件后四位" in text for text in paper), "a page without the head of its table"
    assert PEOPLE[0].name in paper[0] and "培训机构负责人" in paper[-1] and "日期" in paper[-1]
    assert PEOPLE[0].id_number_masked[-4:] in paper[0] and "*" not in paper[0]
    expect(wide_page.get_by_role("button", name="打印")).to_be_visible()
    assert_accessible(wide_page)


def test_marks_on_paper_say_what_is_not_decided(wide_page: Page) -> None:
    show(wide_page, "sheets/results.html", layout_context(back="/admin", training_class=CLASS, seen=WAITING))
    expect(wide_page.get_by_text("未定的不是零分")).to_be_visible()
    expect(wide_page.get_by_role("cell", name="不合格")).to_have_count(0)
    assert_looks_right(wide_page)
    show(
        wide_page, "sheets/results.html", layout_context(back="/admin", training_class=RELEASED, seen=FROZEN)
    )
    expect(wide_page.get_by_role("cell", name="不合格")).to_have_count(3)


def test_a_page_of_the_desk_fills_its_first_sheet_of_paper(wide_page: Page) -> None:
    show(wide_page, "assessment/results.html", results(FROZEN))
    first = open_pdf(wide_page.pdf(format="A4")).pages[0].extract_text()
    assert "成绩" in first and TRAINEES[0].name in first
