"""Every page that can be opened, as each role that may open it: readable by everybody, on an office screen, on a phone and in the dark.

The addresses are those of the table of routes and roles, so that a new page is looked at as soon as it exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import APIResponse, Browser, Page, ViewportSize

from server.__main__ import routes
from tests import cast
from tests.admin.browserless import sign_in
from tests.browser.conftest import AXE, PHONE, WIDE, new_context
from tests.browser.live import LiveSite
from tests.security.test_every_route_and_role import address_of, openings
from tests.security.world import build_world

pytestmark = pytest.mark.browser

OFFICERS = {one.username: one for one in cast.OFFICERS}
ROLES = ("xingtai-009", "hebei-sheng", "centre", "changzhou-017")
"""One of each role, in the order in which they are asked whether a page is theirs."""
LOOK = """async rules => {
    const seen = [];
    const {scrollWidth, clientWidth} = document.documentElement;
    if (scrollWidth > clientWidth) seen.push(`scrolls sideways: ${scrollWidth} > ${clientWidth}`);
    if (!rules.type && !rules.length) return seen;
    const found = await axe.run({runOnly: rules, resultTypes: ["violations"], preload: false, iframes: false});
    for (const {id, impact, help, nodes} of found.violations) {
        if (impact !== "serious" && impact !== "critical") continue;
        seen.push([`${id}: ${help}`, ...nodes.slice(0, 3).map(node => `${node.target} ${node.failureSummary}`)].join("\\n    "));
    }
    return seen;
}"""
TWICE_AS_LARGE = ViewportSize(width=640, height=400)
LOOKS: list[tuple[ViewportSize, Literal["light", "dark"], Any]] = [
    (WIDE, "light", ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]),
    (WIDE, "dark", {"type": "rule", "values": ["color-contrast"]}),
    (TWICE_AS_LARGE, "dark", []),
    (PHONE, "light", ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]),
]
"""Screen, the system's wish, and what axe looks for, if anything."""


def pages() -> Iterator[tuple[str, list[str]]]:
    """Each page once, with who may open it: the GET of a step shows the page that it belongs to."""
    shown: set[object] = set()
    handlers = {address_of(route): route[1] for route in routes(simulated=True, demonstration=True)}
    for address, inside in openings():
        show = handlers[address].get
        if not address.startswith("/api/") and show not in shown:
            shown.add(show)
            yield address, inside


def shape(answer: APIResponse) -> frozenset[str]:
    """Which kinds of elements a page is made of; of a file, and of an address that only leads on, none."""
    assert answer.status < 500, answer.url
    if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
        return frozenset()
    return frozenset(re.findall(r"<[a-z0-9]+(?: type=\"\w+\")?(?: class=\"[^\"]*\")?", answer.text()))


def faults(page: Page, *, new_colours: bool) -> Iterator[str]:
    """What is wrong with the page that is open, on each screen, and in the dark where it has kinds of elements that no page had before."""
    for screen, wish, rules in LOOKS if new_colours else [LOOKS[0], *LOOKS[2:]]:
        page.set_viewport_size(screen)
        page.emulate_media(color_scheme=wish, reduced_motion="reduce")
        yield from (f"{screen['width']} {wish}: {fault}" for fault in page.evaluate(LOOK, rules))


def test_every_page_is_accessible_and_fits_for_each_role(
    live: LiveSite, demonstrated: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is looked at again as another role where that sees something else of it."""
    if not AXE.exists():
        pytest.skip("no axe-core: run `npm ci` in admin/")
    monkeypatch.setattr(live.platform.limiter, "hit", never_too_often)
    ids = live.do(build_world(live.platform, live.wechat)).ids | {"account_id": "0" * 24}
    context = new_context(browser, WIDE)
    context.add_init_script(path=AXE)
    page = context.new_page()
    known: dict[str, frozenset[str]] = {}
    wrong: list[str] = []
    for role in ("anybody", *ROLES):
        context.clear_cookies()
        if role != "anybody":
            cookies = live.do(sign_in(live.platform, demonstrated, OFFICERS[role])).cookies
            context.add_cookies(
                [{"name": name, "value": cookies[name], "url": demonstrated} for name in cookies]
            )
        for address in (address for address, inside in pages() if role in inside):
            path = address.format(**ids)
            made_of = shape(context.request.get(demonstrated + path, max_redirects=0))
            if made_of <= known.get(address, frozenset()):
                continue
            new_colours = not made_of <= frozenset().union(*known.values())
            known[address] = made_of | known.get(address, frozenset())
            page.goto(demonstrated + path)
            wrong += [f"{path} as {role}, {fault}" for fault in faults(page, new_colours=new_colours)]
    context.close()
    assert not wrong, "\n".join(wrong)


async def never_too_often(*_: str, **__: int) -> None:
    """One address looks at everything at once."""
