"""Places typed after the approval of a class that wait for the province's words (article 11): the list, the form, and one of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, fetched_by, named
from admin.steps import Done, shows, step
from server.classes import service as classes
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Withdrawal
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.venues import service
from server.venues.documents import PlaceCheck, PlaceFilter
from server.venues.rules import STEPS, Action, State
from server.venues.service import Finding, PlaceDraft


class PlaceQuery(ByAge):
    q: Annotated[Words, Filter("地点、培训班或培训机构")] = ""
    state: Annotated[State | None, Filter("状态", named(State))] = None
    province: ProvinceCode = ""


SHEET = Sheet[PlaceCheck](
    "地点核实",
    [
        Column("地点", 36, lambda one: one.place),
        Column("培训班", 36, lambda one: one.class_name),
        Column("培训机构", 30, lambda one: one.institution_name),
        Column("待核实的事项", 40, lambda one: "".join(flag.words for flag in one.flags)),
        Column("最近办理", 18, lambda one: one.history[-1].at),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
PLACES = Listing(
    "/admin/places",
    "venues/list.html",
    Permission.VENUES_READ,
    PlaceQuery,
    fetched_by(service.list_checks, PlaceFilter),
    sheet=SHEET,
)


class AskedPlace(BaseModel):
    place: Annotated[str, Field(max_length=100)] = ""


class FormOfPlace(PageHandler):
    get = shows(Permission.VENUES_ASK)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        if outcome["problem"] is None:
            outcome = outcome | {"values": {"place": self.query(AskedPlace).place}}
        self.render_page("venues/form.html", training_class=training_class, tab="sessions", **outcome)


@step(FormOfPlace, Permission.VENUES_ASK)
async def ask(page: FormOfPlace, class_id: str) -> Done:
    asked = await service.ask(page.platform, page.actor, class_id, page.form(PlaceDraft))
    said = {
        State.WAITING: "已报省级管理部门核实。核实可用后，就可以在课次和课表中填写这个地点。",
        State.RESOLVED: "省级管理部门已核实这个地点可以使用，请直接填写。",
    }[asked.state]
    return Done(said, f"/admin/places/{asked.id}")


class OnePlace(PageHandler):
    address = "/admin/places/{place_check_id}"
    get = shows(Permission.VENUES_READ)

    async def show(self, place_check_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.get_check(self.platform, self.actor, place_check_id)
        may_review = holds(self.actor, Permission.VENUES_REVIEW)
        self.render_page(
            "venues/one.html",
            check=found,
            may_resolve=may_review and STEPS.has(found.state, Action.RESOLVE),
            may_refuse=await service.may_refuse(self.platform, self.actor, found),
            may_withdraw=holds(self.actor, Permission.VENUES_ASK) and STEPS.has(found.state, Action.WITHDRAW),
            **outcome,
        )


@step(OnePlace, Permission.VENUES_REVIEW)
async def allow(page: OnePlace, place_check_id: str) -> str:
    await service.allow(page.platform, page.actor, place_check_id, page.form(Finding))
    return "已核实，培训机构可以使用这个地点。"


@step(OnePlace, Permission.VENUES_REVIEW)
async def refuse(page: OnePlace, place_check_id: str) -> str:
    await service.refuse(page.platform, page.actor, place_check_id, page.form(Finding))
    return "已记录，培训机构不得使用这个地点。"


@step(OnePlace, Permission.VENUES_ASK)
async def withdraw(page: OnePlace, place_check_id: str) -> str:
    await service.withdraw(page.platform, page.actor, place_check_id, page.form(Withdrawal))
    return "已撤回。"


_ID = "[0-9a-f]{24}"
_PLACE = rf"/admin/places/(?P<place_check_id>{_ID})"
ROUTES: list[Route] = [
    *PLACES.routes,
    (rf"/admin/classes/(?P<class_id>{_ID})/places/new", ask),
    (_PLACE, OnePlace),
    (rf"{_PLACE}/allow", allow),
    (rf"{_PLACE}/refuse", refuse),
    (rf"{_PLACE}/withdraw", withdraw),
]
