"""The parts of the pages in a real browser: reachable, readable, and kind to what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from server.certificates.documents import CertificateStatus
from server.kernel.chain import Checked
from server.ledger.documents import LedgerRoot
from tests.admin.front_end import SITE, layout_context, show, signed_out_context
from tests.browser.conftest import assert_accessible, assert_looks_right

pytestmark = pytest.mark.browser

NOON = datetime(2026, 12, 2, 4, 0, tzinfo=UTC)
REFUSED = SimpleNamespace(status=422, title="登录失败", detail="用户名或密码不正确。")
CERTIFICATE: dict[str, Any] = {
    "name": "古丽·阿依木",
    "id_number_masked": "130***********1234",
    "starts_on": date(2026, 11, 20),
    "ends_on": date(2026, 11, 30),
    "level_title": "三级教师培训",
    "major": "03 信息类",
    "courses": ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"],
    "class_hours": 80,
    "result": "合格",
    "issuer": "邢台技师学院",
    "serial": "1300900012",
    "number": "130092026113007",
    "issued_on": date(2026, 12, 1),
    "status": CertificateStatus.VALID,
    "revoked_on": None,
    "revoke_reason": None,
    "mark": "",
    "replaced_on": None,
    "signature": None,
    "proof": None,
}
REVOKED = CERTIFICATE | {
    "status": CertificateStatus.REVOKED,
    "revoked_on": date(2027, 1, 5),
    "revoke_reason": "姓名登记有误",
}
SESSIONS = [
    SimpleNamespace(
        id=mark * 64,
        created_at=NOON,
        seen_at=None,
        expires_at=NOON,
        address="203.0.113.8",
        user_agent="Windows Edg/130",
    )
    for mark in "ab"
]

ROOT = LedgerRoot(
    id="2027-01-05",
    size=128_000,
    root="5dc9da79a70659a9" * 4,
    statement="{}",
    signature="",
    certificate="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    signed_at=NOON,
)
PAGES: dict[str, tuple[str, Callable[..., dict[str, Any]], dict[str, Any]]] = {
    "style guide": ("styleguide.html", layout_context, {"flashes": [("success", "已保存")]}),
    "log-in": (
        "accounts/login.html",
        signed_out_context,
        {"problem": None, "errors": {}, "values": {}, "action": "", "kept": "x"},
    ),
    "log-in refused": (
        "accounts/login.html",
        signed_out_context,
        {"problem": REFUSED, "errors": {}, "values": {"username": "xingtai"}, "action": "", "kept": ""},
    ),
    "first password": (
        "accounts/change_password.html",
        layout_context,
        {"forced": True, "problem": None, "errors": {}},
    ),
    "password": (
        "accounts/change_password.html",
        layout_context,
        {"forced": False, "problem": REFUSED, "errors": {"again": "两次输入的新密码不一致。"}},
    ),
    "sessions": ("accounts/sessions.html", layout_context, {"sessions": SESSIONS, "current": "a" * 64}),
    "query": (
        "certificates/query.html",
        signed_out_context,
        {
            "problem": None,
            "errors": {},
            "values": {},
            "found": [],
            "missed": True,
            "ticket": None,
            "level": 0,
        },
    ),
    "query found": (
        "certificates/query.html",
        signed_out_context,
        {"problem": None, "errors": {}, "values": {}, "found": [CERTIFICATE, REVOKED], "missed": False}
        | {"ticket": None, "level": 0},
    ),
    "verified": (
        "certificates/verify.html",
        signed_out_context,
        {"certificate": CERTIFICATE, "checked_at": NOON},
    ),
    "revoked": ("certificates/verify.html", signed_out_context, {"certificate": REVOKED, "checked_at": NOON}),
    "unknown": ("certificates/verify.html", signed_out_context, {"certificate": None, "checked_at": NOON}),
    "ledger": (
        "ledger/roots.html",
        signed_out_context,
        {
            "roots": [ROOT.model_copy(update={"id": day}) for day in ("2027-01-05", "2027-01-04")],
            "checked": Checked(checked_at=NOON),
            "before": "",
            "most": 2,
        },
    ),
    "error": ("errors/error.html", layout_context, {"problem": REFUSED}),
    "error signed out": ("errors/error.html", signed_out_context, {"problem": REFUSED}),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_its_screen(wide_page: Page, name: str) -> None:
    template, context, more = PAGES[name]
    show(wide_page, template, context(**more))
    assert_looks_right(wide_page)


def style_guide(page: Page) -> None:
    show(page, "styleguide.html", layout_context())


def test_a_dialog_is_accessible_and_escape_gives_the_focus_back(page: Page) -> None:
    style_guide(page)
    opener = page.get_by_role("button", name="撤销证书").first
    opener.press("Enter")
    expect(page.get_by_role("alertdialog", name="撤销这张证书？")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_what_cannot_be_taken_back_waits_for_the_typed_word(wide_page: Page) -> None:
    style_guide(wide_page)
    wide_page.get_by_role("button", name="撤销证书").first.click()
    dialog = wide_page.get_by_role("alertdialog")
    submit = dialog.get_by_role("button", name="撤销证书")
    expect(submit).to_be_disabled()
    dialog.get_by_label("请输入").fill("13009202206300X")
    expect(submit).to_be_enabled()


def test_a_button_pressed_twice_sends_once(wide_page: Page) -> None:
    style_guide(wide_page)
    wide_page.get_by_role("button", name="核发证书").click()
    sent, disabled, words = wide_page.locator("#style-issue [type=submit]").evaluate(
        """button => {
            let sent = 0;
            addEventListener("submit", event => {
                sent += !event.defaultPrevented;
                event.preventDefault();  // the test stays on the page
            });
            button.click();
            button.click();
            return new Promise(done => setTimeout(() => done([sent, button.disabled, button.textContent])));
        }"""
    )
    assert (sent, disabled, words) == (1, True, "正在核发…")


def filled_form(page: Page) -> None:
    style_guide(page)
    form = page.get_by_role("form", name="新建培训班")
    form.get_by_label("培训班名称").fill("第 2 期培训班")
    form.get_by_label("专业大类").select_option("03")
    form.get_by_label("已核对").check()


def test_a_broken_network_keeps_what_was_typed(page: Page) -> None:
    filled_form(page)
    page.route(f"{SITE}/admin/styleguide", lambda route: route.abort())
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("网络不通，内容还在，请稍后重试")).to_be_visible()
    expect(page.get_by_label("培训班名称")).to_have_value("第 2 期培训班")
    expect(page.get_by_role("button", name="保存")).to_be_enabled()


def test_a_server_error_keeps_what_was_typed(wide_page: Page) -> None:
    filled_form(wide_page)
    wide_page.route(f"{SITE}/admin/styleguide", lambda route: route.fulfill(status=500, body="x"))
    wide_page.get_by_role("button", name="保存").click()
    expect(wide_page.get_by_text("服务器没有办成（500），内容还在，请稍后重试")).to_be_visible()
    expect(wide_page.get_by_label("培训班名称")).to_have_value("第 2 期培训班")


def test_only_what_cannot_be_kept_asks_before_it_is_left(wide_page: Page) -> None:
    filled_form(wide_page)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    wide_page.on("dialog", leave)
    wide_page.get_by_role("link", name="工作台").first.click()
    wide_page.wait_for_url(f"{SITE}/admin")
    assert asked == []  # it is kept, and offered when one comes back: tests/browser/test_drafts.py
    filled_form(wide_page)
    file = {"name": "名单.xlsx", "mimeType": "application/octet-stream", "buffer": b"x"}
    wide_page.locator("#field-roster").set_input_files(file)  # type: ignore[arg-type]
    wide_page.get_by_role("link", name="工作台").first.click()
    wide_page.wait_for_url(f"{SITE}/admin")
    assert asked == ["beforeunload"]


def test_a_filter_sends_itself_and_only_the_list_changes(wide_page: Page) -> None:
    style_guide(wide_page)
    wide_page.evaluate("document.querySelector('h1').dataset.kept = 'yes'")

    def is_the_filter(request: Request) -> bool:
        return "level=2" in request.url and request.headers.get("hx-request") == "true"

    with wide_page.expect_request(is_the_filter):
        wide_page.get_by_role("search").get_by_label("培训级别").select_option("2")
    expect(wide_page).to_have_url(re.compile("level=2"))
    expect(wide_page.locator("h1[data-kept]")).to_have_count(1)
    expect(wide_page.locator("#style-list .as-cards")).to_have_count(1)


def test_a_chosen_file_is_shown_with_its_size(page: Page) -> None:
    style_guide(page)
    file = {"name": "名单.xlsx", "mimeType": "application/octet-stream", "buffer": b"x" * 2048}
    page.locator("#field-roster").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("名单.xlsx（2.0 KB）")).to_be_visible()


def test_the_navigation_of_a_phone_opens_and_closes_by_keyboard(phone_page: Page) -> None:
    style_guide(phone_page)
    entry = phone_page.get_by_role("navigation", name="主导航").get_by_role("link", name="培训班")
    expect(entry).to_have_count(0)  # hidden, so not reachable by Tab either
    menu = phone_page.get_by_role("button", name="菜单", exact=True)
    menu.press("Enter")
    expect(entry).to_be_visible()
    assert_accessible(phone_page)
    phone_page.keyboard.press("Escape")
    expect(entry).to_have_count(0)
    expect(menu).to_be_focused()


def test_a_row_becomes_a_card_with_its_titles_on_a_phone(phone_page: Page) -> None:
    style_guide(phone_page)
    cell = phone_page.locator("#style-list tbody tr").first.locator("td").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"身份证号"'


def test_what_a_finger_presses_on_a_phone_is_44_pixels_high(phone_page: Page) -> None:
    style_guide(phone_page)
    small = phone_page.evaluate(
        """() => [...document.querySelectorAll(".btn, .form-control, .form-select, .topbar-button, .tabs a, .tick")]
            .filter(it => it.checkVisibility() && it.getBoundingClientRect().height < 44)
            .map(it => `${it.className} ${it.textContent.trim()} ${it.getBoundingClientRect().height}`)"""
    )
    assert small == []


def test_the_menu_of_who_is_signed_in_opens_and_closes(page: Page) -> None:
    style_guide(page)
    page.get_by_label("账号菜单").click()
    expect(page.get_by_role("link", name="修改密码")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="修改密码")).to_be_hidden()
