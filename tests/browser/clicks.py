"""How often a task makes somebody press something: a task that takes more than it should fails its test.

    with at_most(page, 4):
        page.get_by_role("link", name="邀请").click()
        …

What counts is pressed with the mouse or a finger, fields that must be clicked into included; keys do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

COUNT = """
if (!window.countsPresses) {
  window.countsPresses = true;
  addEventListener("pointerdown", () => {
    sessionStorage.setItem("presses", 1 + Number(sessionStorage.getItem("presses")));
  }, true);
}
"""
"""In the storage of the tab, so that it goes on over the pages of one site."""


@contextmanager
def at_most(page: Page, most: int) -> Iterator[None]:
    """Counts on the page as it stands and on those that follow in its tab; fails when the task within takes more presses than `most`."""
    page.add_init_script(COUNT)
    page.evaluate(COUNT)
    page.evaluate("sessionStorage.removeItem('presses')")
    yield
    made = int(page.evaluate("Number(sessionStorage.getItem('presses'))"))
    assert 0 < made <= most, f"the task took {made} clicks and should take at most {most}"
