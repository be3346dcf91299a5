"""调动: the list, one with its confirmation, and the form of who is to move."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, fetched_by
from admin.rendering import province_name
from admin.steps import Done, shows, step
from server.kernel.permissions import Permission
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.moves import service
from server.moves.documents import Move, MoveFilter
from server.moves.rules import State
from server.moves.service import PAGE, MoveDraft


class MoveQuery(ByAge):
    q: Annotated[Words, Filter("姓名或单位")] = ""
    state: Annotated[State | None, Filter("状态")] = None
    waiting: Annotated[bool | None, Filter("待办", [("True", "待本省确认")])] = None
    province: ProvinceCode = ""
    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")] = ""


async def around(page: PageHandler, query: MoveQuery, rows: Sequence[Move]) -> dict[str, Any]:
    return {"shows_number": partial(service.shows_number, page.actor)}


SHEET = Sheet[Move](
    "人员调动",
    [
        Column("姓名", 14, lambda row: row.name),
        Column("调出单位", 30, lambda row: row.from_unit),
        Column("调出省份", 10, lambda row: province_name(row.from_province) if row.from_province else ""),
        Column("调入单位", 30, lambda row: row.to_unit),
        Column("调入省份", 10, lambda row: province_name(row.to_province)),
        Column("生效日期", 12, lambda row: row.took_effect_on or row.effective_on),
        Column("状态", 16, lambda row: row.state.label),
        Column("事由", 40, lambda row: row.reason),
    ],
)
MOVES = Listing(
    PAGE,
    "moves/list.html",
    Permission.MOVES_READ,
    MoveQuery,
    fetched_by(service.list_moves, MoveFilter),
    around,
    SHEET,
)


class Whom(BaseModel):
    person: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")] = "0" * 24


class NewMove(PageHandler):
    get = shows(Permission.MOVES_ASK)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        asking = await service.asking(self.platform, self.actor, self.query(Whom).person)
        self.render_page("moves/form.html", asking=asking, **outcome)


@step(NewMove, Permission.MOVES_ASK, rate="30/hour", rate_by="office")
async def ask(page: NewMove) -> Done:
    person_id = page.query(Whom).person
    new = await service.ask(page.platform, page.actor, person_id, page.form(MoveDraft))
    return Done(f"已提出调动：{new.state.label}。", f"{PAGE}/{new.id}")


class OneMove(PageHandler):
    address = "/admin/moves/{move_id}"
    get = shows(Permission.MOVES_READ)

    async def show(self, move_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.move(self.platform, self.actor, move_id)
        self.render_page(
            "moves/one.html",
            move=found,
            shows_number=service.shows_number(self.actor, found),
            may_confirm=service.may_confirm(self.actor, found),
            may_withdraw=service.may_withdraw(self.actor, found),
            **outcome,
        )


@step(OneMove, Permission.MOVES_CONFIRM)
async def confirm(page: OneMove, move_id: str) -> str:
    found = await service.confirm(page.platform, page.actor, move_id, page.form(Review))
    return f"已确认。{found.words}：{found.state.label}。"


@step(OneMove, Permission.MOVES_CONFIRM)
async def decline(page: OneMove, move_id: str) -> str:
    await service.decline(page.platform, page.actor, move_id, page.form(Return))
    return "已答复不予确认，提出的一方会看到理由；单位和省份不变。"


@step(OneMove, Permission.MOVES_ASK)
async def withdraw(page: OneMove, move_id: str) -> str:
    await service.withdraw(page.platform, page.actor, move_id, page.form(Withdrawal))
    return "已撤回，单位和省份不变。"


_ONE = rf"{PAGE}/(?P<move_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    *MOVES.routes,
    (f"{PAGE}/new", ask),
    (_ONE, OneMove),
    (rf"{_ONE}/confirm", confirm),
    (rf"{_ONE}/decline", decline),
    (rf"{_ONE}/withdraw", withdraw),
]
