"""The pages of duties in a real browser, on an office screen and on a phone."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.duties import DutyQuery
from server.backbone.documents import PoolMember
from server.backbone.rules import PoolStatus, Proof
from server.classes.rules import Kind
from server.duties.documents import DutyWarning, Guidance
from server.duties.rules import Action, State, Way
from server.duties.service import DutyPage, DutyRecord, DutyYear
from server.invitations.rules import Task
from server.kernel.history import Step
from server.surveys.rules import Tally
from tests import cast, stage
from tests.admin.front_end import layout_context, list_context, show
from tests.browser.conftest import PHONE, assert_accessible, assert_fits, assert_looks_right
from tests.browser.live import LiveSite
from tests.dutiful import class_that_is_over
from tests.dutiful import logged as logged_guidance

pytestmark = pytest.mark.browser

NOON = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)
TODAY = date(2026, 10, 20)
YEARS = [(year, f"{year} 年") for year in range(2026, 2021, -1)]


def teacher(name: str, unit: str = "示例市高级技工学校", **changes: Any) -> PoolMember:
    fields: dict[str, Any] = {
        "name": name,
        "id_number_masked": "130***********1234",
        "province_code": "13",
        "work_unit": unit,
        "majors": ["01"],
        "registered_at": datetime(2024, 5, 6, tzinfo=UTC),
        "registered_by": "部试甲",
        "proof": Proof.PAPER,
    }
    return PoolMember(**(fields | changes))


def task(kind: Kind, month: int, name: str = "2026年机械类三级教师培训班") -> Task:
    last = date(2026, month, 20)
    return Task("a" * 24, kind, "b" * 24, name, date(2026, month, 9), last, work_last=last)


def year(
    of: PoolMember, tasks: list[Task], tally: Tally | None, guidance: tuple[int, int, int] = (0, 0, 0)
) -> DutyYear:
    confirmed, waiting, disputed = guidance
    states = {State.CONFIRMED: confirmed, State.WAITING: waiting, State.DISPUTED: disputed}
    return DutyYear(of, 2026, TODAY, tasks, tally, states)


TWO = [task(Kind.TEACHING, 3), task(Kind.TEACHING, 6), task(Kind.ASSESSMENT, 6)]
GOOD = year(teacher("钱试乙"), TWO, Tally((1, 12, 87)), (3, 1, 0))
OWING = year(
    teacher("孙试丙", "名称很长的示例自治区经济贸易高级技工学校附属实训中心"),
    [task(Kind.TEACHING, 4), task(Kind.TEACHING, 11, "2026年11月电工电子类二级教师培训班（第二期）")],
    Tally((0, 3, 37)),
    (1, 1, 1),
)
LOW = year(teacher("李试丁"), TWO, Tally((30, 20, 10)))
IDLE = year(teacher("周试戊", status=PoolStatus.SUSPENDED), [], None)


def logged(state: State, reason: str = "") -> Guidance:
    step = Step(at=NOON, actor_id="x", actor_name="吴试己", action=Action.DISPUTE, reason=reason)
    return Guidance(
        teacher_id="a" * 24,
        teacher_name="孙试丙",
        trainee_id="c" * 24,
        trainee_name="吴试己",
        class_id="b" * 24,
        class_name="2026年机械类三级教师培训班",
        year=2026,
        given_on=date(2026, 5, 8),
        way=Way.ONLINE,
        about="帮助修改学习任务设计，讨论过程性考核的评分点，并就教学场所的布置提出建议。",
        minutes=60,
        nonce="guidance",
        state=state,
        logged_at=NOON,
        history=[step],
    )


def record(seen: DutyYear, guidance: list[Guidance], *, warned: bool = False) -> tuple[str, dict[str, Any]]:
    warning = DutyWarning(teacher_id="a" * 24, year=2026, required=2, done=1, planned=0, told_at=NOON)
    found = DutyRecord(seen, guidance, warning if warned else None)
    context = layout_context(record=found, seen=seen, years=YEARS, mark=2, today=TODAY)
    return "duties/one.html", context


def listing(page: DutyPage, **changes: Any) -> tuple[str, dict[str, Any]]:
    context: dict[str, Any] = {
        "page": page,
        "filters": list_context([], DutyQuery(), NOON)["filters"],
        "year": 2026,
        "narrowed": False,
        "mark": 2,
        "export": "/admin/duties/export?year=2026",
        "previous": None,
        "next": None,
        "today": TODAY,
    }
    return "duties/list.html", layout_context(**(context | changes))


EVERY_STATE = [logged(State.WAITING), logged(State.CONFIRMED), logged(State.DISPUTED, "当天没有接到电话")]
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "list": listing(DutyPage([GOOD, OWING, LOW, IDLE], "a" * 24, 4), next="/admin/duties?way=a"),
    "empty list": listing(DutyPage([], None, 0)),
    "nothing found yet": listing(DutyPage([], "a" * 24, 2000), narrowed=True, next="/admin/duties?way=a"),
    "year that owes": record(OWING, EVERY_STATE, warned=True),
    "year that is good": record(GOOD, [logged(State.CONFIRMED)]),
    "year below the mark": record(LOW, []),
    "year without anything": record(IDLE, []),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_accessible_and_fits_its_screen(wide_page: Page, name: str) -> None:
    show(wide_page, *PAGES[name])
    if shots := os.environ.get("SHOTS"):
        wide = "phone" if wide_page.viewport_size == PHONE else "wide"
        wide_page.screenshot(path=Path(shots) / f"duties-{name.replace(' ', '-')}-{wide}.png", full_page=True)
    assert_looks_right(wide_page)


def test_a_row_says_what_is_done_of_what_is_owed_and_leads_to_the_year(page: Page) -> None:
    show(page, *PAGES["list"])
    row = page.get_by_role("row").filter(has_text="孙试丙")
    expect(row).to_contain_text("1 / 2 次")
    expect(row).to_contain_text("尚欠授课任务")
    link = row.get_by_role("link", name="孙试丙")
    expect(link).to_have_attribute("href", f"/admin/duties/{OWING.teacher.id}?year=2026")


def test_the_year_is_chosen_with_the_keyboard(wide_page: Page) -> None:
    show(wide_page, *PAGES["year that owes"])
    choice = wide_page.get_by_label("年度")
    choice.focus()
    expect(choice).to_be_focused()
    expect(choice).to_have_value("2026")
    expect(wide_page.get_by_text("异议：当天没有接到电话")).to_be_visible()


def test_a_province_walks_from_the_list_to_a_year_that_owes(live: LiveSite, page: Page) -> None:
    """The real platform: narrowed as one types and chooses, then one teacher, then the year before."""
    held = live.do(class_that_is_over(live.platform, live.wechat))
    live.do(logged_guidance(live.platform, held))
    live.do(stage.register_backbone(live.platform, cast.SECOND_BACKBONE_TEACHER))
    live.sign_in(page, cast.HEBEI_OFFICER)
    page.goto(f"{live.address}/admin/duties")
    expect(page.get_by_role("row").filter(has_text="尚欠授课任务")).to_have_count(2)
    page.get_by_label("姓名或工作单位").fill(cast.BACKBONE_TEACHER.name)
    expect(page.get_by_role("row").filter(has_text="尚欠授课任务")).to_have_count(1)
    page.get_by_label("履职状态").select_option("FULFILLED")
    expect(page.get_by_text("没有符合条件的骨干教师")).to_be_visible()
    page.get_by_label("履职状态").select_option("OWING")
    page.get_by_role("link", name=cast.BACKBONE_TEACHER.name).click()
    expect(page.get_by_text("2026 年授课任务还差 1 次")).to_be_visible()
    expect(page.get_by_text("待学员确认")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("年度").select_option("2025")
    expect(page.get_by_text("2025 年没有授课要求")).to_be_visible()
