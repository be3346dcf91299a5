"""Accounts in a real browser, on an office screen and on a phone: two steps to sign in, colleagues, a batch and the rights."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from server.accounts import staff, totp
from server.accounts.staff import AccountDraft
from server.institutions.account_sheet import Column
from server.kernel.clock import FixedClock
from server.kernel.identity import Role, system
from server.kernel.spreadsheets import workbook
from tests import cast, stage
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite

pytestmark = pytest.mark.browser

GOOD = ("hebei-two", "冀试二", "省级管理部门", "河北", "")
WRONG = [
    ("hebei-two", "冀试三", "省级管理部门", "", ""),
    ("centre", "部试壬", "部指导中心", "", ""),
    ("X", "邢试四", "教师培训基地", "河北", "009"),
    ("xingtai-five", "邢试五", "师资研修中心", "", "邢台技师学院"),
]


def look(page: Page, name: str) -> None:
    """Where SHOTS names a folder, a picture for somebody to look at."""
    if folder := os.environ.get("SHOTS"):
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(folder) / f"accounts-{name}-{width}.png", full_page=True)
    assert_fits(page)
    assert_accessible(page)


def sheet(*rows: tuple[str, ...]) -> bytes:
    return workbook("账号", [(column.title, 20) for column in Column], rows)


def upload(page: Page, content: bytes) -> None:
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.get_by_label("账号表文件").set_input_files(
        {"name": "账号.xlsx", "mimeType": xlsx, "buffer": content}
    )
    page.get_by_role("button", name="上传并检查").click()


def test_a_province_enrols_its_phone_and_comes_back_with_it(
    live: LiveSite, page: Page, clock: FixedClock
) -> None:
    draft = AccountDraft(username="hebei-new", name="冀试新", role=Role.PROVINCE, province_code="13")
    _, first = live.do(staff.allocate(live.platform, system("test"), draft))
    changed = f"{first}-2026"
    page.goto(f"{live.address}/admin/login")
    page.get_by_label("用户名").fill("hebei-new")
    page.locator("#field-password").fill(first)
    page.get_by_role("button", name="登录").click()
    page.locator("#field-current").fill(first)
    page.locator("#field-new").fill(changed)
    page.locator("#field-again").fill(changed)
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_role("heading", name="开通两步验证")).to_be_visible()
    look(page, "enrol-offered")
    page.locator("#field-password").fill(changed)
    page.get_by_role("button", name="开始设置").click()
    page.get_by_text("不能扫描？手工输入密钥").click()
    key = page.locator("[data-key]").get_attribute("data-key") or ""
    look(page, "enrol")
    page.get_by_label("填写验证器显示的 6 位数字").fill("000000")
    page.get_by_role("button", name="开通", exact=True).click()
    expect(page.locator("#field-code-error")).to_be_visible()
    look(page, "enrol-wrong-code")
    page.get_by_label("填写验证器显示的 6 位数字").fill(
        totp.code_at(key, totp.step_at(live.platform.clock.now()))
    )
    page.get_by_role("button", name="开通", exact=True).click()
    expect(page.get_by_text("恢复码只显示这一次")).to_be_visible()
    look(page, "recovery-codes")
    recovery = page.locator(".recovery-codes li").first.inner_text()
    page.get_by_role("link", name="已保存，进入平台").click()
    expect(page).to_have_url(f"{live.address}/admin")
    page.locator(".user-menu summary").click()
    page.get_by_role("link", name="两步验证").click()
    look(page, "second-factor")
    page.get_by_role("button", name="停用或换手机").click()
    look(page, "second-factor-remove")
    page.keyboard.press("Escape")
    page.goto(f"{live.address}/admin/sessions")
    look(page, "sessions")
    clock.advance(timedelta(seconds=totp.STEP_SECONDS))
    page.context.clear_cookies()
    page.goto(f"{live.address}/admin/login?next=/admin/plans")
    page.get_by_label("用户名").fill("hebei-new")
    page.locator("#field-password").fill(changed)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_label("验证码")).to_be_focused()
    look(page, "code")
    page.get_by_role("link", name="手机不在身边？用恢复码").click()
    page.locator("#field-code").fill(recovery)
    look(page, "recovery")
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{live.address}/admin/plans")


def test_a_base_adds_a_colleague_and_ends_the_account(live: LiveSite, page: Page) -> None:
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/accounts")
    page.get_by_role("link", name="增加人员").click()
    look(page, "colleague-new")
    page.get_by_label("用户名").fill("xingtai-two")
    page.get_by_label("使用人姓名").fill("邢试又")
    page.get_by_role("button", name="增加", exact=True).click()
    look(page, "first-password")
    page.get_by_role("link", name="已记下，返回").click()
    look(page, "colleagues")
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name="停用", exact=True).click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    look(page, "deactivate")
    page.get_by_role("alertdialog").get_by_label("理由").fill("调离本单位")
    page.get_by_role("alertdialog").get_by_role("button", name="停用", exact=True).click()
    expect(page.get_by_text("的账号已停用")).to_be_visible()
    look(page, "colleagues-left")


def test_the_centre_allocates_a_batch_and_takes_the_passwords_along(
    live: LiveSite, page: Page, tmp_path: Path
) -> None:
    live.sign_in(page, cast.CENTRE)
    live.do(stage.sign_up(live.platform, cast.HEBEI_OFFICER))
    page.goto(f"{live.address}/admin/accounts")
    look(page, "all")
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name="重置两步验证").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    look(page, "reset-second-factor")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="批量分配").click()
    look(page, "batch")
    upload(page, sheet(GOOD, *WRONG))
    expect(page.get_by_text("一个都没有分配").first).to_be_visible()
    look(page, "batch-wrong")
    upload(page, sheet(GOOD, ("xingtai-two", "邢试二", "教师培训基地", "", "009")))
    look(page, "batch-preview")
    page.get_by_role("button", name="确认分配 2 个账号").click()
    look(page, "batch-done")
    with page.expect_download() as started:
        page.get_by_role("link", name="下载 初始密码").click()
    assert started.value.suggested_filename == "初始密码-2026-03-16.xlsx"
    started.value.save_as(tmp_path / "given.xlsx")
    book = load_workbook(tmp_path / "given.xlsx")
    assert [book["初始密码"].cell(row, 1).value for row in (1, 2, 3)] == [
        "用户名",
        "hebei-two",
        "xingtai-two",
    ]
    page.go_back()
    page.reload()
    expect(page.get_by_text("平台没有保存")).to_be_visible()
    look(page, "batch-confirmed")


def test_the_rights_are_read_on_any_screen(live: LiveSite, page: Page) -> None:
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.locator(".user-menu summary").click()
    page.get_by_role("link", name="权限表").click()
    expect(page.get_by_role("heading", name="权限表")).to_be_visible()
    look(page, "rights")
