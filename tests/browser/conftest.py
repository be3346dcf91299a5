"""Chromium for the browser tests: the system's own, started once a module, so that no loop of Playwright outlives it.

The tests that use these fixtures are plain functions (Playwright's sync API), skipped with a reason where there is no browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.settings import Settings
from tests import opening
from tests.browser.live import LiveSite, Loop, live_site
from tests.memory import Memory

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
AXE = Path(__file__).parents[2] / "admin" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no /usr/bin/chromium: install Debian's chromium to run the browser tests")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def wide_page(browser: Browser) -> Iterator[Page]:
    yield from opened(browser, WIDE)


@pytest.fixture
def phone_page(browser: Browser) -> Iterator[Page]:
    yield from opened(browser, PHONE)


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Each test that asks for it runs twice: on an office screen and on a phone."""
    yield from opened(browser, request.param)


@pytest.fixture(scope="session")
def _loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def _live_house(
    _loop: Loop, settings_of_the_worker: Settings, memory: Memory, _slow_things_are_made_once: None
) -> Iterator[Platform]:
    with _loop.within(opening.house(settings_of_the_worker)) as house:
        yield house


@pytest.fixture
def live(
    _loop: Loop, _live_house: Platform, settings: Settings, clock: FixedClock, memory: Memory
) -> Iterator[LiveSite]:
    """The real platform on an empty database with annex 1, served to the browser."""
    with _loop.within(live_site(_loop, _live_house, settings, clock, memory)) as site:
        yield site


def opened(browser: Browser, viewport: ViewportSize) -> Iterator[Page]:
    """A page in a context of its own; a script error or a breach of the content security policy fails the test."""
    context = browser.new_context(
        viewport=viewport,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        has_touch=viewport is PHONE,
        is_mobile=viewport is PHONE,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None,
    )
    yield page
    context.close()
    assert not complaints, "\n".join(complaints)


def assert_accessible(page: Page) -> None:
    """Runs axe-core (WCAG 2 A and AA) on the page as it stands; serious and critical violations fail."""
    if not AXE.exists():
        pytest.skip("no axe-core: run `npm ci` in admin/")
    page.evaluate(AXE.read_text("utf-8"))
    violations = page.evaluate(
        """async () => (await axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})).violations
            .filter(({impact}) => impact === "serious" || impact === "critical")
            .map(({id, help, nodes}) => `${id}: ${help}\\n` + nodes.map(node => `  ${node.target} ${node.failureSummary}`).join("\\n"))"""
    )
    assert not violations, "\n".join(violations)


def assert_fits(page: Page) -> None:
    """Nothing makes the page itself scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
