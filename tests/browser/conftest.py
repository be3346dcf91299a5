"""Chromium for the browser tests: the system's own, started once a worker and for this package, so that no loop of Playwright outlives it.

The tests that use these fixtures are plain functions (Playwright's sync API), skipped with a reason where there is no browser.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.settings import Settings
from tests import opening
from tests.admin.front_end import way_to_the_site
from tests.browser.live import LiveSite, Loop, everything, live_site
from tests.memory import Memory

WITHOUT_WINDOWS = Path(sys.prefix) / "chromium" / "chromium-headless-shell"
"""The same engine as Debian's chromium for two thirds of the work (scripts/bootstrap)."""
CHROMIUM = WITHOUT_WINDOWS if WITHOUT_WINDOWS.exists() else Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--renderer-process-limit=1",  # of each context, for as long as it has a page (`_contexts`)
]
WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
PATIENCE_MS = 120_000  # a busy machine makes a page slow, not wrong
expect.set_options(timeout=PATIENCE_MS)
SCREENS = {"wide": WIDE, "phone": PHONE}
Contexts = Callable[[str], BrowserContext]
AXE = Path(__file__).parents[2] / "admin" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no /usr/bin/chromium: install Debian's chromium to run the browser tests")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, way_to_the_site()])
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def _contexts(browser: Browser) -> Contexts:
    """Screen → the context of the worker, made when it is first asked for: what a browser keeps of the assets, it keeps.

    An empty page stays in it, and with that the process that shows pages: what this has compiled of them need not be compiled again.
    """

    @cache
    def context(screen: str) -> BrowserContext:
        made = new_context(browser, SCREENS[screen])
        made.new_page()
        return made

    return context


@pytest.fixture
def wide_page(_contexts: Contexts) -> Iterator[Page]:
    yield from looked_at(_contexts("wide"))


@pytest.fixture
def phone_page(_contexts: Contexts) -> Iterator[Page]:
    yield from looked_at(_contexts("phone"))


@pytest.fixture(params=SCREENS)
def page(_contexts: Contexts, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Each test that asks for it runs twice: on an office screen and on a phone."""
    yield from looked_at(_contexts(request.param))


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


@pytest.fixture
def demonstrated(live: LiveSite) -> Iterator[str]:
    """The same as a demonstration: its address."""
    with live.loop.within(everything(live.platform, live.wechat)) as address:
        yield address


def new_context(browser: Browser, viewport: ViewportSize) -> BrowserContext:
    context = browser.new_context(
        viewport=viewport,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        has_touch=viewport is PHONE,
        is_mobile=viewport is PHONE,
        reduced_motion="reduce",  # colours on their way are no colours to be judged
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def opened(browser: Browser, viewport: ViewportSize) -> Iterator[Page]:
    """A page in a context of its own, for a test in which several people sit at their machines."""
    context = new_context(browser, viewport)
    yield from looked_at(context)
    context.close()


def looked_at(context: BrowserContext) -> Iterator[Page]:
    """A page in a context that remembers nobody; a script error or a breach of the content security policy fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None,
    )
    origins: set[str] = set()
    page.on(
        "framenavigated", lambda frame: origins.add("{0.scheme}://{0.netloc}".format(urlsplit(frame.url)))
    )
    yield page
    forget(context, origins)
    assert not complaints, "\n".join(complaints)


def forget(context: BrowserContext, origins: set[str]) -> None:
    """Closes the pages but the first and takes away cookies and whatever else they stored; only the cache of the assets stays."""
    first, *others = context.pages
    for page in others:
        page.close()
    session = context.new_cdp_session(first)
    for origin in origins:
        stored = {"origin": origin, "storageTypes": "local_storage,indexeddb,service_workers,cache_storage"}
        session.send("Storage.clearDataForOrigin", stored)
    session.detach()
    context.clear_cookies()
    context.clear_permissions()


WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def assert_accessible(page: Page, rules: Any = WCAG) -> None:
    """Runs axe-core (WCAG 2 A and AA) on the page as it stands; serious and critical violations fail."""
    if not AXE.exists():
        pytest.skip("no axe-core: run `npm ci` in admin/")
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    violations = page.evaluate(
        """async rules => (await axe.run({runOnly: rules, resultTypes: ["violations"], preload: false, iframes: false})).violations
            .filter(({impact}) => impact === "serious" || impact === "critical")
            .map(({id, help, nodes}) => `${id}: ${help}\\n` + nodes.map(node => `  ${node.target} ${node.failureSummary}`).join("\\n"))""",
        rules,
    )
    assert not violations, "\n".join(violations)


def assert_looks_right(page: Page) -> None:
    """Of a page on an office screen: accessible there; nothing scrolls sideways there or on a phone, nor out of the keyboard's reach."""
    assert_accessible(page)
    assert_fits(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    assert_accessible(page, rules={"type": "rule", "values": ["scrollable-region-focusable"]})
    page.set_viewport_size(WIDE)


def assert_fits(page: Page) -> None:
    """Nothing makes the page itself scroll sideways."""
    page.wait_for_load_state()  # a page that has only begun has nothing that could
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
