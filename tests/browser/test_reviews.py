"""The pages on which a province reviews a plan and an application, and the editors of the institution, in a real browser."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers import applications as application_pages
from admin.handlers import plans as plan_pages
from admin.options import LEVELS, MAJOR_OPTIONS
from server.applications.documents import Application, Venue, WishedTeacher
from server.applications.rules import Action as ApplicationAction
from server.applications.rules import State as ApplicationState
from server.backbone.documents import PoolMember
from server.backbone.rules import Proof
from server.institutions.rules import Level
from server.kernel.history import Step
from server.plans.documents import Plan, Reported
from server.plans.rules import Action, PlanItem, State, difference
from server.plans.service import PlanRecord
from server.venues.rules import venue_flags
from tests.admin.front_end import layout_context, show
from tests.browser.conftest import assert_accessible, assert_looks_right

pytestmark = pytest.mark.browser

NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
NO_ERRORS: dict[str, Any] = {"problem": None, "errors": {}, "values": {}, "wrong": ""}
REFUSED = SimpleNamespace(status=422, title="填写的内容有误", detail="请按提示改正后再提交。")
PLACE: dict[str, Any] = {
    "institution_code": "009",
    "institution_name": "邢台技师学院",
    "province_code": "13",
}


def steps(*told: tuple[str, str, str]) -> list[Step]:
    """(who, action, reason), an hour apart."""
    return [
        Step(at=NOON + timedelta(hours=n), actor_id="a" * 24, actor_name=who, action=action, reason=reason)
        for n, (who, action, reason) in enumerate(told)
    ]


def item(number: int, **changes: Any) -> PlanItem:
    said: dict[str, Any] = {
        "id": f"{number:024x}",
        "level": Level.THREE,
        "major": "01",
        "title": f"机械类三级教师培训班（第 {number} 期）",
        "month": 3 + number,
        "places": 40,
        "class_hours": 80,
        "budget_fen": 12_345_678,
    }
    return PlanItem.model_validate(said | changes)


FIRST = Plan(
    **PLACE,
    year=2026,
    version=1,
    state=State.APPROVED,
    items=[item(1), item(2)],
    history=steps(
        ("邢试丁", Action.BEGIN, ""), ("邢试丁", Action.SUBMIT, ""), ("冀试乙", Action.APPROVE, "")
    ),
)
SECOND = FIRST.model_copy(
    update={
        "id": "c" * 24,
        "version": 2,
        "state": State.SUBMITTED,
        "items": [item(1, places=45), item(3, title="信息类二级教师培训班", level=Level.TWO, major="03")],
        "history": steps(
            ("邢试丁", Action.BEGIN, ""),
            ("邢试丁", Action.SUBMIT, ""),
            ("冀试乙", Action.RETURN, "第 2 期与第 1 期时间太近，请合并。"),
            ("邢试丁", Action.AMEND, ""),
            ("邢试丁", Action.SUBMIT, ""),
        ),
    }
)
APPLICATION = Application(
    **PLACE,
    plan_id=FIRST.id,
    plan_year=2026,
    plan_version=1,
    item=item(1),
    name="2026年4月机械类三级教师培训班",
    level=Level.THREE,
    major="01",
    courses=["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"],
    class_hours=80,
    starts_on=date(2026, 5, 11),
    ends_on=date(2026, 5, 22),
    places=40,
    venue=Venue(name="泰山示例大酒店", address="山东省泰安市泰山区泰山路 1 号", stars=5),
    venue_flags=venue_flags("泰山示例大酒店", "山东省泰安市泰山区泰山路 1 号", 5, 3),
    warnings=["计划在 4 月举办，申请在 5 月开班。"],
    wished=[WishedTeacher(person_id="b" * 24, name="钱试乙")],
    state=ApplicationState.SUBMITTED,
    history=steps(("邢试丁", ApplicationAction.SUBMIT, "")),
)
TEACHERS = [
    PoolMember(
        proof=Proof.PAPER,
        id=f"{number:024x}",
        name=name,
        id_number_masked="130***********1234",
        province_code="13",
        work_unit="示例市技师学院",
        majors=["01"],
        registered_at=NOON,
        registered_by="部试甲",
    )
    for number, name in enumerate(("钱试乙", "古丽·试例", "孙试丙"))
]


def plan_page(plan: Plan = SECOND, *, review: bool = True, **more: Any) -> dict[str, Any]:
    record = PlanRecord(plan, [SECOND, FIRST], FIRST, difference(FIRST.items, plan.items))
    usual: dict[str, Any] = {
        "plan": plan,
        "record": record,
        "open_version": SECOND,
        "stages": plan_pages.stages(plan),
        "reported": Reported(filed_on=date(2026, 11, 3), due_on=date(2026, 10, 31), late=True),
        "applied": {FIRST.items[0].id: APPLICATION},
        "may_amend": not review,
        "may_withdraw": False,
        "may_revise": False,
        "may_apply": False,
        "may_review": review,
    }
    return layout_context(today=NOON.date(), **(NO_ERRORS | usual | more))


def application_page(one: Application = APPLICATION, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "application": one,
        "stages": application_pages.stages(one),
        "may_amend": False,
        "may_redate": False,
        "may_withdraw": False,
        "overdue": False,
        "begun": False,
        "may_review": one.state is ApplicationState.SUBMITTED,
    }
    return layout_context(today=NOON.date(), **(NO_ERRORS | usual | more))


def editor(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "plan": SECOND,
        "year": SECOND.year,
        "version": SECOND.version,
        "institution": {"name": SECOND.institution_name},
        "rows": [plan_pages.typed_of(one) for one in SECOND.items],
        "spare_rows": 1,
        "rows_most": 60,
        "returned": SECOND.last(Action.RETURN),
        "offered": [(value, text, "2026 年没有资格" if value == "1" else "") for value, text in LEVELS],
        "copy_year": 2025,
        "copied": False,
        "majors": MAJOR_OPTIONS,
        "months": [(month, f"{month} 月") for month in range(1, 13)],
        "held": [Level.TWO, Level.THREE],
        "may_amend": True,
    }
    return layout_context(today=NOON.date(), **(NO_ERRORS | usual | more))


def application_form(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "action": "/admin/page",
        "plan": FIRST,
        "item": FIRST.items[0],
        "application": None,
        "earliest": NOON.date(),
        "floor": 80,
        "stars": application_pages.STARS,
        "stars_most": 3,
        "standard": APPLICATION.courses,
        "ticked": APPLICATION.courses,
        "written": ["数控加工示范课"],
        "teachers": TEACHERS,
        "wished": [TEACHERS[0].id],
        "wished_most": 12,
        "teacher_q": "",
    }
    return layout_context(today=NOON.date(), **(NO_ERRORS | usual | more))


WRONG_ROW = {"items.1.level": "项目 2 级别：按《管理指南》第四条、第十六条，本机构没有师资研修中心资格。"}
RETURNED = APPLICATION.model_copy(
    update={
        "state": ApplicationState.RETURNED,
        "history": steps(
            ("邢试丁", ApplicationAction.SUBMIT, ""),
            ("冀试乙", ApplicationAction.RETURN, "请改在本校举办。"),
        ),
    }
)
OTHER_DATES = RETURNED.model_copy(
    update={
        "history": steps(
            ("邢试丁", ApplicationAction.SUBMIT, ""),
            ("冀试乙", ApplicationAction.RETURN_FOR_DATES, "与另一期冲突，请改期。"),
        )
    }
)
GIVEN_UP = SECOND.model_copy(
    update={
        "state": State.DISCARDED,
        "history": steps(("邢试丁", Action.BEGIN, ""), ("邢试丁", Action.DISCARD, "不办了")),
    }
)
DECIDED = APPLICATION.model_copy(
    update={
        "state": ApplicationState.APPROVED,
        "class_id": "d" * 24,
        "venue_note": "已实地核实，属职工学校，不在核心景区。",
        "history": steps(
            ("邢试丁", ApplicationAction.SUBMIT, ""),
            ("冀试乙", ApplicationAction.APPROVE, "已实地核实，属职工学校，不在核心景区。"),
        ),
    }
)
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "a plan to review": ("plans/one.html", plan_page()),
    "a plan in force": ("plans/one.html", plan_page(FIRST, review=False, may_apply=True, may_amend=False)),
    "a plan being written": ("plans/one.html", plan_page(review=False)),
    "the editor": ("plans/form.html", editor()),
    "the editor refused": ("plans/form.html", editor(problem=REFUSED, errors=WRONG_ROW)),
    "an application to review": ("applications/one.html", application_page()),
    "an application returned": ("applications/one.html", application_page(RETURNED, may_amend=True)),
    "an application for other dates": (
        "applications/one.html",
        application_page(OTHER_DATES, may_redate=True, may_withdraw=True, begun=True),
    ),
    "an application overdue": ("applications/one.html", application_page(overdue=True)),
    "an application too late": ("applications/one.html", application_page(begun=True)),
    "a plan given up": ("plans/one.html", plan_page(GIVEN_UP, review=False, may_amend=False)),
    "a plan taken back": ("plans/one.html", plan_page(review=False, may_amend=False, may_withdraw=True)),
    "a first plan": ("plans/form.html", editor(plan=None, version=1, rows=[], returned=None)),
    "an application approved": ("applications/one.html", application_page(DECIDED)),
    "the form": ("applications/form.html", application_form()),
    "the form of a returned one": ("applications/form.html", application_form(application=RETURNED)),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_its_screen(wide_page: Page, name: str) -> None:
    show(wide_page, *PAGES[name])
    assert_looks_right(wide_page)


def test_a_flagged_venue_is_resolved_in_the_dialog_that_approves(page: Page) -> None:
    show(page, *PAGES["an application to review"])
    page.get_by_role("button", name="批准开班").click()
    dialog = page.get_by_role("alertdialog", name="批准开班？")
    expect(dialog).to_contain_text("名称或地址中有“泰山”")
    expect(dialog).to_contain_text("5 星级，高于政策上限 3 星")
    expect(dialog.get_by_label("场地核实意见")).to_have_attribute("required", "required")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_an_approval_without_words_comes_back_with_the_dialog_open(wide_page: Page) -> None:
    message = "场地有待核实的事项（指南第十一条），请写明核实情况和意见后再批准，至少 4 个字。"
    refused = application_page(problem=REFUSED, errors={"venue_note": message}, values={"venue_note": "好"})
    show(wide_page, "applications/one.html", refused)
    dialog = wide_page.get_by_role("alertdialog", name="批准开班？")
    expect(dialog.get_by_label("场地核实意见")).to_have_value("好")
    expect(dialog).to_contain_text(message)


def test_a_plan_shows_its_difference_and_is_returned_with_a_reason(page: Page) -> None:
    show(page, *PAGES["a plan to review"])
    changed = page.get_by_role("row").filter(has_text="人数：45 人")
    expect(changed.locator("del")).to_have_text("人数：40 人")
    page.get_by_role("button", name="退回修改").click()
    dialog = page.get_by_role("alertdialog", name="退回这一版？")
    expect(dialog.get_by_label("退回理由")).to_have_attribute("required", "")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="批准计划").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("第 1 版同时失效")


def test_who_does_not_review_has_no_button_for_it(wide_page: Page) -> None:
    for name in ("a plan in force", "a plan being written", "an application returned"):
        show(wide_page, *PAGES[name])
        expect(wide_page.get_by_role("button", name="批准")).to_have_count(0)


def test_items_are_added_and_removed_and_keep_apart(page: Page) -> None:
    show(page, *PAGES["the editor"])
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="添加项目").press("Enter")
    expect(rows).to_have_count(4)
    added = page.get_by_role("group", name="项目 4")
    expect(added.get_by_label("培训班名称")).to_be_focused()
    expect(added.get_by_label("级别")).to_have_value("")
    added.get_by_label("人数").fill("30")
    expect(page.get_by_role("group", name="项目 1").get_by_label("人数")).to_have_value("45")
    page.get_by_role("button", name="删去项目 1").click()
    expect(rows).to_have_count(3)
    expect(page.get_by_role("group", name="项目 1").get_by_label("培训班名称")).to_have_value(
        "信息类二级教师培训班"
    )
    assert_accessible(page)
