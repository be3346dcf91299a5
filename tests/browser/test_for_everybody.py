"""Who reads the pages without a mouse, in the dark, twice as large, or on paper: tried on the style guide, which has one of everything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.admin.front_end import layout_context, show
from tests.browser.conftest import WIDE, assert_accessible, assert_fits
from tests.browser.test_front_end import PAGES

pytestmark = pytest.mark.browser

SEEN = """() => {
    const it = document.activeElement, {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(it);
    const name = `${it.tagName}.${it.className} ${it.id}${it.name} ${it.textContent.trim().slice(0, 20)}`;
    return [name, it.tabIndex < 0 || (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none"];
}"""


@pytest.fixture
def guide(wide_page: Page) -> Page:
    show(wide_page, "styleguide.html", layout_context())
    return wide_page


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(wide_page: Page) -> None:
    template, context, more = PAGES["sessions"]
    show(wide_page, template, context(**more))
    guide = wide_page
    guide.keyboard.press("Tab")
    expect(guide.get_by_role("link", name="跳到正文")).to_be_focused()
    expect(guide.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    guide.keyboard.press("Enter")
    guide.keyboard.press("Tab")
    assert guide.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_wherever_the_keyboard_stops_is_seen(guide: Page) -> None:
    stops: dict[str, bool] = {}
    for _ in range(60):
        guide.keyboard.press("Tab")
        name, seen = guide.evaluate(SEEN)
        stops[name] = seen
    assert len(stops) > 30
    assert [name for name, seen in stops.items() if not seen and not name.startswith("BODY")] == []


def test_the_keyboard_stays_in_an_open_dialog(guide: Page) -> None:
    guide.get_by_role("button", name="撤销证书").first.press("Enter")
    for _ in range(12):
        guide.keyboard.press("Tab")
        assert guide.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )


def test_what_is_twice_as_large_does_not_scroll_sideways(guide: Page) -> None:
    guide.set_viewport_size({"width": WIDE["width"] // 2, "height": WIDE["height"] // 2})
    assert_fits(guide)
    guide.get_by_role("button", name="撤销证书").first.click()
    box = guide.get_by_role("alertdialog").bounding_box()
    assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= WIDE["height"] // 2


def test_the_dark_is_readable(page: Page) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    show(page, "styleguide.html", layout_context())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 23, 29)"
    assert_accessible(page)


def test_paper_is_white_also_from_a_dark_screen_and_carries_nothing_to_press(guide: Page) -> None:
    guide.emulate_media(media="print", color_scheme="dark")
    white = "getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'"
    black = "getComputedStyle(document.querySelector('h1')).color === 'rgb(28, 39, 51)'"
    assert guide.evaluate(f"{white} && {black}")
    pressed = "[...document.querySelectorAll('.btn, .topbar, .sidebar, .filters')].filter(it => it.checkVisibility())"
    assert guide.evaluate(f"{pressed}.map(it => it.className)") == []


def test_a_page_asks_for_little(wide_page: Page) -> None:
    """The page, two style sheets, three scripts, the sign and the icons: what every page needs comes in bundles."""
    asked: list[str] = []
    wide_page.on("request", lambda request: asked.append(request.url))
    template, context, more = PAGES["sessions"]
    show(wide_page, template, context(**more))
    wide_page.wait_for_load_state("networkidle")
    assert len({url for url in asked if not url.startswith("data:")}) <= 8, asked
