"""人员: whoever is or was in the classes of one's reach, a page for each of them, and the search box in the head."""

from __future__ import annotations

from typing import Annotated

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import Filter, Listing, Query, Words, fetched_by
from admin.steps import shows
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.moves import service as moves
from server.persons import search, service
from server.persons.service import PersonRow


class PersonQuery(Query):
    q: Annotated[Words, Filter("姓名或证件号后四位", hint="如：张 1234")] = ""


SHEET = Sheet[PersonRow](
    "人员",
    [
        Column("姓名", 14, lambda one: one.name),
        Column("证件号", 22, lambda one: one.id_number_masked),
        Column("工作单位", 32, lambda one: one.work_unit),
        Column("最近列入名册", 14, lambda one: one.seen_on or ""),
    ],
)
PEOPLE = Listing(
    "/admin/people",
    "people/list.html",
    Permission.CLASSES_READ,
    PersonQuery,
    fetched_by(service.list_people),
    sheet=SHEET,
    cursor=lambda one: one.cursor,
)


class OnePerson(PageHandler):
    address = "/admin/people/{person_id}"
    get = shows(Permission.CLASSES_READ)

    async def show(self, person_id: str, outcome: Outcome = NO_ERRORS) -> None:
        record = await service.person(self.platform, self.actor, person_id)
        move = await moves.offered(self.platform, self.actor, record.work_unit)
        self.render_page("people/one.html", record=record, person=record.person, move=move, **outcome)


class SearchPage(PageHandler):
    @allow(Permission.CLASSES_READ, rate="120/minute")
    async def get(self) -> None:
        words = self.query(PersonQuery).q
        self.render_page(
            "search.html", words=words, groups=await search.find(self.platform, self.actor, words)
        )


ROUTES: list[Route] = [
    *PEOPLE.routes,
    (r"/admin/people/(?P<person_id>[0-9a-f]{24})", OnePerson),
    ("/admin/search", SearchPage),
]
