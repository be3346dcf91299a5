"""The public query in a real browser: the puzzle is solved by itself, and where no script runs one waits instead."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from server.certificates.documents import Certificate
from server.kernel.clock import FixedClock
from tests import cast, reporting
from tests.browser.conftest import SCREENS, assert_accessible, assert_fits
from tests.browser.live import LiveSite
from tests.certifying import issued, passed_class
from tests.services.test_public_answers import file_of

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("SCREENSHOTS")


def shoot(page: Page, name: str) -> None:
    """Keeps a picture where SCREENSHOTS names a folder."""
    if SHOTS:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(SHOTS) / f"query-{name}-{width}.png", full_page=True)


@pytest.fixture
def certificate(live: LiveSite) -> Certificate:
    async def issue() -> Certificate:
        [found] = await issued(live.platform, await passed_class(live.platform, live.wechat, 1))
        return found

    return live.do(issue())


def fill(page: Page, name: str, number: str) -> None:
    page.get_by_label("姓名", exact=True).fill(name)
    page.get_by_label("证书编号", exact=True).fill(number)


def test_the_puzzle_is_solved_while_the_form_is_filled_in(
    live: LiveSite, page: Page, certificate: Certificate
) -> None:
    page.goto(f"{live.address}/certificates/query")
    expect(page.get_by_label("自动验证")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    fill(page, "查无此人", certificate.printed.number)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("没有查到相符的证书")).to_be_visible()
    page.get_by_label("姓名", exact=True).fill(certificate.printed.name)
    expect(page.get_by_text("验证完成")).to_be_visible()
    shoot(page, "solved")
    assert_accessible(page)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("heading", name="证书有效")).to_be_visible()
    expect(page.get_by_text("*" * 14 + certificate.printed.id_number_masked[-4:])).to_be_visible()


def test_after_misses_the_puzzle_is_harder_and_says_so(
    live: LiveSite, page: Page, certificate: Certificate
) -> None:
    page.goto(f"{live.address}/certificates/query")
    for wrong in ("甲甲", "乙乙"):
        fill(page, wrong, certificate.printed.number)
        with page.expect_navigation():
            page.get_by_role("button", name="查询").click()
        expect(page.get_by_text("没有查到相符的证书")).to_be_visible()
    fill(page, certificate.printed.name, certificate.printed.number)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("这次验证要久一些")).to_be_visible()
    shoot(page, "harder")
    assert_accessible(page)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("heading", name="证书有效")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS)
def test_without_a_script_one_waits_instead(
    live: LiveSite, browser: Browser, clock: FixedClock, certificate: Certificate, screen: str
) -> None:
    context = browser.new_context(viewport=SCREENS[screen], java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live.address}/certificates/query")
    # Chromium shows <noscript> to nobody whose scripts a test has switched off.
    assert "没有运行脚本" in page.content()
    fill(page, certificate.printed.name, certificate.printed.number)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("请等 5 秒，再按一次“查询”")).to_be_visible()
    shoot(page, "waiting")
    clock.advance(timedelta(seconds=6))
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("heading", name="证书有效")).to_be_visible()
    assert cast.people(1)[0].id_number not in page.content()
    context.close()


def test_a_report_is_sent_with_its_picture_and_asked_for_by_its_code(
    live: LiveSite, page: Page, certificate: Certificate
) -> None:
    page.goto(f"{live.address}/verify/{certificate.token}")
    expect(page.get_by_role("heading", name="签名")).to_be_visible()
    shoot(page, "verified")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="举报").click()
    expect(page.get_by_label("证书编号（选填）")).to_have_value(certificate.printed.number)
    page.get_by_label("情况说明").fill(reporting.SEEN)
    page.get_by_label("证书图片（选填）").set_input_files(
        {"name": "证书.jpg", "mimeType": "image/jpeg", "buffer": reporting.photo()}
    )
    shoot(page, "report")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="举报").click()
    expect(page.get_by_role("heading", name="已收到您的举报")).to_be_visible()
    code = page.get_by_label("回执码").text_content() or ""
    shoot(page, "reported")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="查看办理情况").click()
    page.get_by_label("回执码").fill(code)
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_text("已收到").first).to_be_visible()
    shoot(page, "standing")
    assert_accessible(page)
    assert_fits(page)


def test_a_pdf_in_the_hand_is_checked(live: LiveSite, page: Page, certificate: Certificate) -> None:
    content = live.do(file_of(live.platform, certificate))
    for name, sent, verdict in (
        ("changed", content + b"\n%", "签名后追加了内容"),
        ("kept", content, "证书有效"),
    ):
        page.goto(f"{live.address}/certificates/check-file")
        page.get_by_label("证书 PDF").set_input_files(
            {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": sent}
        )
        page.get_by_role("button", name="核验").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(verdict)
        shoot(page, f"file-{name}")
        assert_accessible(page)
        assert_fits(page)
