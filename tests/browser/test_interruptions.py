"""Classes that do not run as planned, on the real platform in a real browser, wide and on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests import cast, stage
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite
from tests.stage import ClassInSession

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(live: LiveSite) -> ClassInSession:
    """A class of 邢台 with two people and a session this afternoon."""
    held = live.do(stage.class_in_session(live.platform, live.wechat))
    starts = live.platform.clock.now() + timedelta(hours=2)
    ends = starts + timedelta(hours=3)
    live.do(stage.teaching_session(live.platform, held, starts_at=starts, ends_at=ends))
    return held


def looks_right(page: Page) -> None:
    assert_fits(page)
    assert_accessible(page)


def test_a_suspension_is_asked_for_on_the_page_of_the_class(
    live: LiveSite, page: Page, opened: ClassInSession
) -> None:
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{opened.id}")
    looks_right(page)
    page.get_by_role("link", name="申请暂停").click()
    looks_right(page)
    page.get_by_label("暂停第一天").fill("2026-03-16")
    page.get_by_label("暂停最后一天").fill("2026-03-18")
    page.get_by_label("新的结束日期").fill("2026-03-30")
    page.get_by_label("不可抗力").check()
    page.get_by_label("“第 2 天上午”新的上课时间").fill("2026-03-30T09:00")
    page.locator("#field-reason").fill("台风登陆，当地停课。")
    page.get_by_role("button", name="报送审核").click()
    expect(page.get_by_text("暂停申请已报省级管理部门审核")).to_be_visible()
    looks_right(page)
    page.goto(f"{live.address}/admin/changes")
    looks_right(page)
    page.goto(f"{live.address}/admin/classes/{opened.id}/make-ups")
    looks_right(page)


def test_a_class_is_called_off_by_typing_its_name(live: LiveSite, page: Page, opened: ClassInSession) -> None:
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{opened.id}")
    page.get_by_role("link", name="取消开班").click()
    looks_right(page)
    page.get_by_label("生源不足").check()
    page.locator("#field-reason").fill("报名人数不足，不再举办。")
    page.locator("#field-typed").fill(opened.training_class.name)
    page.get_by_role("button", name="取消开班").click()
    expect(page.get_by_text("本班已取消")).to_be_visible()
    looks_right(page)
