"""One way of a list: what it is narrowed to, page by page on a cursor, and the same rows as a workbook.

    class PlanQuery(Query):
        q: Annotated[Words, Filter("机构或培训班名称")] = ""
        state: Annotated[State | None, Filter("状态")] = None


    PLANS = Listing(
        "/admin/plans", "plans/list.html", Permission.PLANS_READ, PlanQuery, fetched_by(service.list_plans, PlanFilter), …
    )
    ROUTES = [*PLANS.routes, …]

The template gets `rows`, `query`, `narrowed`, `filters`, `previous`, `next`, `total` and `export`, and what `around` adds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from operator import attrgetter
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, Field

from admin.downloads import require_our_page
from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.options import LEVELS, MAJOR_OPTIONS, MONTHS, PROVINCE_OPTIONS, years
from admin.paging import Way
from server.exports import service as exports
from server.exports.service import Reading
from server.kernel import downloads
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.mongo import OLDEST
from server.kernel.numbers import without_whole_numbers
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.queries import COUNTED_TO, Part, within_time
from server.kernel.spreadsheets import BATCH, Sheet, TooLong
from server.kernel.titled import Titled
from server.kernel.web import Route, allow

PAGE_SIZE = 20
EXPORT_RATE = "30/minute"
AT_ONCE = 5_000
"""Rows that somebody waits for; longer exports are prepared while one does something else."""

NOT_NARROWING = {"way", "sort"}
IN_SERVICES = {"q": "words", "province": "province_code", "institution": "institution_code"}
"""What the address calls shorter than the services do."""

Options = Sequence[tuple[Any, Any]]
"""(value, title); or (title, [(value, title), …]) for choices under a heading."""


# ---- what a list is narrowed to


@dataclass(frozen=True)
class Filter:
    """How staff set a field of a query: its title, and its choices, if it has any; what offers no choice is not shown.

    An enumeration offers its members by itself, and a year or a month what it usually offers."""

    title: str
    options: Options | Callable[[PageHandler], Options] | None = None
    blank: str | None = "全部"
    """The choice of all; None where one is always chosen."""
    hint: str = "输入后自动查询"
    """Stands in the field until words are typed."""


@dataclass(frozen=True)
class ShownFilter:
    name: str
    title: str
    options: Options | None
    """None: words are typed, or a day is chosen."""
    value: str
    blank: str | None = "全部"
    hint: str = ""
    is_day: bool = False


class Query(BaseModel):
    """What the address of a list says. A field with a `Filter` can be set on the page; the others come by links."""

    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        """What the list is narrowed to, as its address says it: "" for what is not."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "way"}
        return {name: "" if value is None else str(value) for name, value in values.items()}

    @property
    def arguments(self) -> dict[str, Any]:
        """The same as a service calls it: `q` are its words, and a province its code."""
        names = (name for name in type(self).model_fields if name not in NOT_NARROWING)
        return {IN_SERVICES.get(name, name): getattr(self, name) for name in names}

    def filters(self, page: PageHandler) -> list[ShownFilter]:
        """In the order of the fields; of two filters of one field the outer one counts."""
        shown = []
        for name, info in type(self).model_fields.items():
            found = [one for one in info.metadata if isinstance(one, Filter)]
            if not found:
                continue
            one = found[-1]
            offered = next(
                (each.options for each in found[::-1] if each.options is not None), _members(info.annotation)
            )
            options = offered(page) if callable(offered) else offered
            if options is None or options:
                value = self.conditions[name]
                is_day = date in get_args(info.annotation)
                shown.append(ShownFilter(name, one.title, options, value, one.blank, one.hint, is_day))
        return shown


class ByAge(Query):
    """Of a list that its store reads from either end (server.kernel.mongo.by_age); its template names the column that says so ("age")."""

    sort: Annotated[str, Field(pattern="^oldest$")] = ""


def named(titled: type[Titled]) -> Options:
    """The members of an enumeration as choices."""
    return [(member.value, member.label) for member in titled]


def _members(annotation: Any) -> Options | None:
    """Of a field that is a member of an enumeration or nothing yet; None of any other."""
    kinds = [one for one in get_args(annotation) if isinstance(one, type) and issubclass(one, Titled)]
    return named(kinds[0]) if kinds else None


def provinces_in_reach(page: PageHandler) -> Options:
    """None to choose from for who sees one province only."""
    return PROVINCE_OPTIONS if page.actor.province_code is None else []


def years_offered(page: PageHandler) -> Options:
    return years(page.platform.clock.now())


Words = Annotated[str, Field(max_length=60), AfterValidator(str.strip), AfterValidator(without_whole_numbers)]
Year = Annotated[int | None, Field(ge=2000, le=2100), Filter("年度", years_offered)]
Day = Annotated[date | None, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
"""Within which the clock can reckon: the first and the last day of the calendar have none before or after them."""
Month = Annotated[int | None, Field(ge=1, le=12), Filter("月份", MONTHS)]
LevelCode = Annotated[str, Field(pattern=r"^[G123]$"), Filter("培训级别", LEVELS)]
MajorCode = Annotated[str, Field(pattern=r"^[0-9]{2}$"), Filter("专业大类", MAJOR_OPTIONS)]
ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$"), Filter("省份", provinces_in_reach)]

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")


# ---- the list


async def one_page(
    page: PageHandler,
    address: str,
    query: Query,
    fetch: Callable[[str | None, int], Awaitable[Sequence[R]]],
    *,
    size: int = PAGE_SIZE,
    cursor: Callable[[R], str] = attrgetter("id"),
) -> dict[str, Any]:
    """A page of a list as its template takes it; also of a list that is only a part of what is shown."""
    way = Way.read(address, query.conditions, query.way)
    with within_time():
        found = await fetch(way.cursor, size + 1)
    rows = found[:size]
    # Where a look was broken off before the page was full, it goes on from there.
    looked = found if isinstance(found, Part) else Part[R]()
    last = cursor(rows[-1]) if len(found) > size else looked.goes_on
    return {
        "rows": rows,
        "query": query,
        "narrowed": any(value for name, value in query.conditions.items() if name not in NOT_NARROWING),
        "filters": query.filters(page),
        "previous": way.previous,
        "next": way.next(last) if last else None,
        "total": _total(way, looked, size, len(rows), ended=not last),
        "export": way.export(f"{address}/export"),
        "sorts": {"age": age_of(way, query)} if isinstance(query, ByAge) else {},
    }


def _total(way: Way, looked: Part[Any], size: int, here: int, *, ended: bool) -> str | None:
    """共 N 条: on the last page, whose way is known, and where the index of the list tells it."""
    count = way.counted(size, here) if ended and looked.full_pages else looked.counted
    if count is None:
        return None
    return f"{count} 条" if count <= COUNTED_TO else f"{COUNTED_TO} 条以上"


def age_of(way: Way, query: ByAge) -> dict[str, str]:
    """The link in the head of the column by whose age a list is ordered, and how it is now."""
    href = way.sorted("" if query.sort else "oldest")
    return {"href": href, "direction": "ascending" if query.sort else "descending"}


def fetched_by(
    service: Callable[..., Awaitable[Sequence[R]]], to: Callable[..., Any] | None = None
) -> Callable[[Desk, Query, str | None, int], Awaitable[Sequence[R]]]:
    """The `fetch` of a service that takes what the query says by name, as its filter `to`, or one by one where it has none."""

    async def fetch(page: Desk, query: Query, before: str | None, limit: int) -> Sequence[R]:
        if to is None:
            return await service(page.platform, page.actor, **query.arguments, before=before, limit=limit)
        return await service(page.platform, page.actor, to(**query.arguments), before=before, limit=limit)

    return fetch


async def nothing_around(page: PageHandler, query: Query, rows: Sequence[Any]) -> Mapping[str, Any]:
    return {}


async def as_listed(page: Desk, query: Query, rows: Sequence[R]) -> Sequence[R]:
    return rows


# ---- taking it along


@dataclass(frozen=True)
class Away:
    """Where a list is read when its page is gone."""

    platform: Platform
    actor: Actor

    @property
    def today(self) -> date:
        return beijing_date(self.platform.clock.now())


@dataclass(frozen=True)
class Export(Generic[Q]):
    """All that a list holds, narrowed as it is, as a workbook; a long one is prepared by the scheduled work."""

    address: str
    """Of the list."""
    permission: Permission
    query: type[Q]
    sheet: Callable[[Desk, Q], Sheet[Any]]
    rows: Callable[[Desk, Q], AsyncIterator[Any]]

    def __post_init__(self) -> None:
        exports.LISTS[self.address] = self

    def read(self, platform: Platform, actor: Actor, conditions: Mapping[str, str]) -> Reading:
        desk, query = Away(platform, actor), self.query.model_validate(conditions)
        return Reading(self.sheet(desk, query), self.rows(desk, query))

    @cached_property
    def route(self) -> Route:
        export = self

        class TakeAlong(PageHandler):
            @allow(export.permission, rate=EXPORT_RATE)
            async def get(self) -> None:
                require_our_page(self)
                query = self.query(export.query)
                sheet = export.sheet(self, query)
                asked = (export.address, sheet.title, query.conditions)
                if held := await exports.held(self.platform, self.actor, *asked):
                    return self.see_other(f"{exports.PAGE}/{held.id}")
                try:
                    written = await sheet.stream(
                        sheet.named(self.today), export.rows(self, query), most=AT_ONCE
                    )
                except TooLong:
                    begun = await exports.begin(self.platform, self.actor, *asked)
                    self.see_other(f"{exports.PAGE}/{begun.id}")
                else:
                    await exports.note(self.platform, self.actor, export.address, sheet.title, written.rows)
                    await downloads.send(self, written.file)

        return (f"{self.address}/export", TakeAlong)


@dataclass(frozen=True)
class Listing(Generic[Q, R]):
    """A list and its export. `fetch(page, query, before, limit)` gives the rows after the cursor `before`."""

    address: str
    template: str
    permission: Permission
    query: type[Q]
    fetch: Callable[[Desk, Q, str | None, int], Awaitable[Sequence[R]]]
    around: Callable[[PageHandler, Q, Sequence[R]], Awaitable[Mapping[str, Any]]] = nothing_around
    """What else the page shows."""
    sheet: Sheet[Any] | Callable[[Desk, Q], Sheet[Any]] | None = None
    exported: Callable[[Desk, Q, Sequence[R]], Awaitable[Sequence[Any]]] = as_listed
    """What the sheet has for so many rows of the list, where that is not the rows themselves."""
    page_size: int = PAGE_SIZE
    cursor: Callable[[R], str] = attrgetter("id")

    @property
    def routes(self) -> list[Route]:
        return [(self.address, self.page), *([self.export.route] if self.sheet else [])]

    @cached_property
    def export(self) -> Export[Q]:
        return Export(self.address, self.permission, self.query, self._sheet, self._all)

    def _sheet(self, desk: Desk, query: Q) -> Sheet[Any]:
        assert self.sheet is not None
        return self.sheet if isinstance(self.sheet, Sheet) else self.sheet(desk, query)

    async def _all(self, desk: Desk, query: Q) -> AsyncIterator[Any]:
        """What the pages hold from the first to the last, a part at a time."""
        sheet, oldest = self._sheet(desk, query), OLDEST if getattr(query, "sort", "") else ""
        before = oldest or None
        while found := await self.fetch(desk, query, before, BATCH):
            for one in sheet.rows(await self.exported(desk, query, found)):
                yield one
            if len(found) < BATCH:
                break
            before = oldest + self.cursor(found[-1])

    @cached_property
    def page(self) -> type[PageHandler]:
        listing = self

        class ListPage(PageHandler):
            lists = listing
            address = listing.address

            @allow(listing.permission)
            async def get(self) -> None:
                await self.show()

            async def show(self, outcome: Outcome = NO_ERRORS) -> None:
                query = self.query(listing.query)
                fetch = partial(listing.fetch, self, query)
                seen = await one_page(
                    self, listing.address, query, fetch, size=listing.page_size, cursor=listing.cursor
                )
                around = await listing.around(self, query, seen["rows"])
                self.render_page(listing.template, **seen, **around, **outcome)

        return ListPage
