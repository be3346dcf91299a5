"""Dynamic management in a real browser: the centre decides and reverses, the province files, the base states, warnings are read."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.qualification import review
from server.qualification import service as qualification
from server.qualification.service import StatementDraft
from tests import cast, reviewing
from tests.browser.conftest import PHONE, assert_accessible, assert_fits
from tests.browser.live import LiveSite

pytestmark = pytest.mark.browser

SAID = StatementDraft(
    text="2024 年 3 月至 2025 年 6 月因病住院治疗，已向所在单位请假，附有住院证明；今年已接受两期培训班的邀请。"
)
SHOTS = os.environ.get("SHOTS", "")
"""A folder to leave pictures in, for whoever wants to look."""


def settled(page: Page, name: str) -> None:
    """The page fits and is accessible as it stands."""
    assert_fits(page)
    assert_accessible(page)
    if SHOTS:
        wide = "phone" if page.viewport_size == PHONE else "wide"
        path = Path(SHOTS) / f"qualification-{name}-{wide}.png"
        page.screenshot(path=path, full_page=True, caret="initial")  # hiding it breaks the page's own policy


def test_the_centre_hears_decides_and_reverses(live: LiveSite, page: Page) -> None:
    stood = live.do(reviewing.teacher_case(live.platform, live.wechat))
    live.do(reviewing.base_since(live.platform, date(2024, 9, 16)))
    live.do(review.review(live.platform))
    live.sign_in(page, cast.CENTRE)
    home = f"{live.address}/admin/qualification/{stood.case.id}"
    page.goto(home)
    expect(page.get_by_text("只能保留资格或终止")).to_be_visible()
    settled(page, "waiting")
    live.do(qualification.state_own(live.platform, stood.teacher.actor, stood.case.id, SAID))
    page.goto(f"{live.address}/admin")
    row = page.get_by_role("row").filter(has_text="待决定的动态管理事项")
    row.get_by_role("link", name="去办理").click()
    page.wait_for_url(home)
    page.goto(f"{live.address}/admin/qualification?todo=yes")
    expect(page.get_by_role("link", name=stood.case.name)).to_be_visible()
    settled(page, "list")
    page.get_by_role("link", name=stood.case.name).click()
    page.get_by_role("button", name="作出决定").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("取消资格").check()
    dialog.get_by_label("依据和理由").fill("两年内未承担任务，经核实予以取消。")
    settled(page, "decide")
    dialog.get_by_role("button", name="作出决定").click()
    expect(page.get_by_role("link", name="决定书")).to_have_attribute(
        "href", f"/admin/qualification/{stood.case.id}/decisions/2026-0001/pdf"
    )
    settled(page, "decided")
    page.get_by_role("button", name="撤销决定").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("依据和理由").fill("补充材料属实，予以恢复。")
    dialog.get_by_role("button", name="撤销决定").click()
    expect(page.get_by_role("link", name="决定书")).to_have_count(2)
    settled(page, "reversed")
    page.goto(f"{live.address}/admin/qualification")
    page.get_by_role("link", name="预警").click()
    expect(page.get_by_text("仍需关注")).to_be_visible()
    settled(page, "warnings")


def test_a_base_states_its_case_by_keyboard_and_the_province_goes_on_to_the_request(
    live: LiveSite, page: Page
) -> None:
    case = live.do(reviewing.base_case(live.platform))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/qualification/{case.id}")
    page.get_by_label("陈述情况", exact=False).last.focus()
    page.keyboard.type("本院五月举办三级教师培训班，计划已报省里审核。")
    settled(page, "statement")
    expect(
        page.get_by_role("button", name="放弃草稿")
    ).to_be_visible()  # kept as it is typed; it stands in between
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="提交陈述")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("已提交陈述")).to_be_visible()
    page.context.clear_cookies()
    live.sign_in(page, cast.HEBEI_OFFICER)
    page.goto(f"{live.address}/admin/qualification/{case.id}")
    settled(page, "province")
    page.get_by_role("link", name="申请取消资格").click()
    page.get_by_label("理由").fill("两年内没有开展工学一体化教师培训。")
    page.get_by_role("button", name="报部指导中心").click()
    expect(page.get_by_text("已报部指导中心审核")).to_be_visible()
    page.goto(f"{live.address}/admin/qualification/{case.id}")
    expect(page.get_by_role("link", name="查看申请（待审核）")).to_be_visible()
    settled(page, "filed")
