"""Every list can be taken along as it is shown: all its rows, the columns of its page, narrowed as it is, each at a rate of its own."""

from __future__ import annotations

import html
import re
from importlib import import_module
from io import BytesIO
from pkgutil import iter_modules

import openpyxl
import pytest

from admin import handlers
from admin.lists import ByAge, Listing
from server.kernel.platform import Platform
from tests.security.test_every_route_and_role import TABLE
from tests.security.visiting import IN, Visitors

LISTINGS: list[Listing] = sorted(  # type: ignore[type-arg]
    {
        one.address: one
        for module in iter_modules(handlers.__path__)
        for one in vars(import_module(f"{handlers.__name__}.{module.name}")).values()
        if isinstance(one, Listing)
    }.values(),
    key=lambda one: one.address,
)
NO_TABLE = ("/admin/inbox",)
"""Lists whose rows are no rows of a table."""
TRAIL = "/admin/audit"
"""Looking at it stands in it."""
FILLED_LEAST = 14
"""Lists that hold something in the world of the tests, or nothing would be compared."""


def words(markup: str) -> str:
    """What stands in a cell, without its notes and marks."""
    bare = re.sub(r'<small.*?</small>|<span class="mark.*?</span>', "", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def shown(page: str) -> tuple[list[str], list[str]]:
    """The heads of the columns of the first table, but of its buttons and boxes, and those of its rows."""
    begins = page.index("<table")
    table = page[begins : page.index("</table>", begins)]
    heads = re.findall(r'<th scope="col"([^>]*)>(.*?)</th>', table, re.DOTALL)
    columns = [words(one) for kind, one in heads if not re.search("actions|choose", kind)]
    return columns, [words(one) for one in re.findall(r'<th scope="row"[^>]*>(.*?)</th>', table, re.DOTALL)]


def difference(page: str, head: tuple[object, ...], rows: list[tuple[object, ...]]) -> str:
    """What stands in only one of a page's table and a sheet; empty when all is well."""
    columns, names = shown(page)
    if missing := set(columns) - set(head):
        return f"the sheet lacks {sorted(missing)}"
    listed = {row[head.index(columns[0])] for row in rows}
    goes_on = 'rel="next"' in page  # what follows is in the sheet too
    if set(names) - listed or (listed - set(names) and not goes_on):
        return f"{sorted(map(str, listed ^ set(names)))} stand in one of the two"
    return ""


class Comparison:
    """Lists and their exports, as everybody sees them who may."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self.wrong: list[str] = []
        self.filled = 0

    async def sheet(self, who: str, address: str) -> list[tuple[object, ...]]:
        taken = await self._visitors.answered(who, "GET", address)
        assert taken.status == 200, f"{address} by {who}: {taken.status}"
        return list(openpyxl.load_workbook(BytesIO(taken.body)).worksheets[0].values)

    async def compare(self, one: Listing, who: str) -> None:  # type: ignore[type-arg]
        page = (await self._visitors.answered(who, "GET", one.address)).html
        link = re.search(rf'href="({one.address}/export[^"]*)"', page)
        address = html.unescape(link[1]) if link else f"{one.address}/export"
        head, *rows = await self.sheet(who, address)
        if link is not None and "<table" in page:
            self.filled += 1
            if difference_found := difference(page[link.start() :], head, rows):
                self.wrong.append(f"{address} by {who}: {difference_found}")
        elif rows and one.address not in NO_TABLE:
            self.wrong.append(f"{address} by {who}: {len(rows)} rows are taken along that no page shows")
        if issubclass(one.query, ByAge) and one.address != TRAIL:
            joined = "&" if "?" in address else "?"
            if (await self.sheet(who, f"{address}{joined}sort=oldest"))[1:] != rows[::-1]:
                self.wrong.append(f"{address} by {who}: from the oldest on it is not the same")


async def test_every_list_is_taken_along_as_its_page_shows_it(
    platform: Platform, visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    async def count(name: str, *_: object, **__: object) -> None:
        counted.append(name)

    monkeypatch.setattr(platform.limiter, "hit", count)
    seen = Comparison(visitors)
    for one in LISTINGS:
        for who in (name for name, what in TABLE[f"GET {one.address}"].items() if what == IN):
            await seen.compare(one, who)
    assert not seen.wrong, "\n".join(seen.wrong)
    assert seen.filled >= FILLED_LEAST
    assert set(counted) >= {f"GET {one.address}/export" for one in LISTINGS}, "each at a rate of its own"
