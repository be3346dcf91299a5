"""What is typed outlives the log-in, the network and the page, in a real browser against the running server."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests import cast, planning
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite

pytestmark = pytest.mark.browser

REASON = "计划调整，这一版不再报送。"
KEPT = "JSON.stringify(Object.entries(localStorage).filter(([key]) => key.startsWith('draft:')))"


def at_the_plan(live: LiveSite, page: Page) -> str:
    """The address of a plan that its institution is drafting; the institution is signed in."""
    live.sign_in(page, cast.XINGTAI_OFFICER)
    plan = live.do(planning.begun(live.platform))
    return f"{live.address}/admin/plans/{plan.id}"


def enter_again(page: Page) -> None:
    page.get_by_label("用户名").fill(cast.XINGTAI_OFFICER.username)
    page.locator("#field-password").fill(cast.XINGTAI_OFFICER.password)
    page.get_by_role("button", name="登录").click()


def test_a_reason_and_a_long_form_are_there_again_after_the_log_in(live: LiveSite, page: Page) -> None:
    plan = at_the_plan(live, page)
    page.goto(f"{plan}/edit")
    page.get_by_role("button", name="添加项目").click()
    rows = page.locator("[data-row]")
    count = rows.count()
    rows.last.get_by_label("培训班名称").fill("信息类三级教师培训班")
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="保存", exact=True).click()
    enter_again(page)
    page.wait_for_url(f"{plan}/edit")
    expect(rows).to_have_count(count)
    expect(rows.last.get_by_label("培训班名称")).to_have_value("信息类三级教师培训班")
    expect(page.get_by_text("填写的内容，还没有提交")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="放弃草稿").click()
    expect(rows.last.get_by_label("培训班名称")).to_have_value("")
    page.goto(plan)
    page.get_by_role("button", name="废弃这一版").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("理由").fill(REASON)
    page.context.clear_cookies(name="session")
    dialog.get_by_role("button", name="废弃").click()
    enter_again(page)
    page.wait_for_url(plan)
    expect(dialog.get_by_label("理由")).to_have_value(REASON)
    dialog.get_by_role("button", name="废弃", exact=True).click()
    expect(page.get_by_text("已废弃。")).to_be_visible()
    assert page.evaluate(KEPT) == "[]"  # the server has said that it is done


def test_without_a_network_and_after_leaving_the_page_nothing_is_lost(live: LiveSite, page: Page) -> None:
    plan = at_the_plan(live, page)
    page.goto(f"{plan}/edit")
    first = page.locator("[data-row]").first.get_by_label("培训班名称")
    before = first.input_value()
    first.fill("机械类三级教师培训班（改）")
    page.context.set_offline(True)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("网络不通，内容已保存在本机")).to_be_visible()
    expect(page.get_by_text("已自动保存在本机")).to_be_visible()
    page.context.set_offline(False)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.goto(f"{live.address}/admin")
    assert asked == []  # what is kept needs no question
    page.goto(f"{plan}/edit")
    expect(first).to_have_value(before)
    assert_accessible(page)
    first.fill("别的")  # the offer was overlooked
    expect(page.get_by_text("已自动保存在本机")).to_be_visible()
    page.goto(f"{plan}/edit")
    page.get_by_role("button", name="恢复上次未提交的内容").click()
    expect(first).to_have_value("机械类三级教师培训班（改）")
    page.get_by_role("button", name="放弃草稿").click()
    assert page.evaluate(KEPT) == "[]"
    # A page that shows what the server has not saved, as after 生成课表: it is kept as it comes, and nothing is offered.
    unsaved = '<span data-unsaved="drawn" hidden></span>'

    def shown(route: Route) -> None:
        route.fulfill(
            response=(given := route.fetch()), body=given.text().replace("</main>", f"{unsaved}</main>")
        )

    page.route(f"{plan}/edit", shown)
    page.goto(f"{plan}/edit")
    expect(page.get_by_text("已自动保存在本机")).to_be_visible()
    expect(page.locator(".draft-offer")).to_have_count(0)
    page.context.set_offline(True)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("网络不通，内容已保存在本机")).to_be_visible()
    assert page.evaluate(KEPT) != "[]", "said to be kept, and is"
    page.context.set_offline(False)
    page.get_by_label("账号菜单").click()
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(f"{live.address}/admin/login")
    assert page.evaluate(KEPT) == "[]"  # the next person at this computer finds nothing
