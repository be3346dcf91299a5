"""空白证书: the book of an office, what institutions ask for, and on which sheet each certificate of a class is printed (article 18)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.handlers.handing import HandoverRegister, called
from admin.lists import ByAge, Listing, fetched_by
from admin.steps import Done, batch, shows, step
from server.kernel.permissions import Permission
from server.kernel.reviews import Return, Withdrawal
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.stock import papers
from server.stock.paper_documents import PaperMovement
from server.stock.paper_rules import Fate
from server.stock.papers import Asking, Batch, Because, Counting, Giving, WritingOff


class StockPage(PageHandler):
    address = papers.PAGE
    get = shows(Permission.STOCK_READ)

    async def show(
        self, outcome: Outcome = NO_ERRORS, paper_request_id: str = "", movement_id: str = ""
    ) -> None:
        if paper_request_id:
            await papers.request(self.platform, self.actor, paper_request_id)
        if movement_id:
            await papers.delivery(self.platform, self.actor, movement_id)
        self.render_page(
            "stock/page.html",
            seen=await papers.stock(self.platform, self.actor),
            fates=[(one.value, one.label) for one in (Fate.SPOILED, Fate.LOST)],
            at=paper_request_id or movement_id,
            **outcome,
        )


class WhereAsked(BaseModel):
    institution: Annotated[str, Field(pattern=r"^[0-9]{3}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    number: Annotated[str, Field(max_length=22)] = ""


class LeftPaper(PageHandler):
    @allow(Permission.STOCK_READ)
    async def get(self) -> None:
        asked = self.query(WhereAsked)
        piles = await papers.piles(self.platform, self.actor, asked.institution, asked.province)
        found = await papers.whereabouts(self.platform, self.actor, asked.number) if asked.number else []
        total = sum(one.count for one in piles)
        self.render_page("stock/left.html", piles=piles, total=total, number=asked.number, found=found)


@step(StockPage, Permission.STOCK_KEEP)
async def receive(page: StockPage) -> str:
    return f"已入库 {await papers.receive(page.platform, page.actor, page.form(Batch))} 张空白证书。"


@step(StockPage, Permission.STOCK_KEEP)
async def write_off(page: StockPage) -> str:
    return f"已登记 {await papers.write_off(page.platform, page.actor, page.form(WritingOff))} 张。"


@step(StockPage, Permission.STOCK_KEEP)
async def count(page: StockPage) -> str:
    done = await papers.count(page.platform, page.actor, page.form(Counting))
    return f"已盘点：账面 {done.book} 张，实有 {done.counted} 张。"


@step(StockPage, Permission.STOCK_ASK)
async def ask(page: StockPage) -> str:
    await papers.ask(page.platform, page.actor, page.form(Asking))
    return "已向省级管理部门申领。"


@step(StockPage, Permission.STOCK_KEEP)
async def take_back(page: StockPage, movement_id: str) -> Done:
    await papers.take_back(page.platform, page.actor, movement_id, page.form(Because))
    return Done("入库登记已撤回，这些号码可以重新登记。", papers.PAGE)


@step(StockPage, Permission.STOCK_GIVE)
async def give(page: StockPage, paper_request_id: str) -> str:
    await papers.give(page.platform, page.actor, paper_request_id, page.form(Giving))
    return "已发放，对方的账同时入库。"


@step(StockPage, Permission.STOCK_GIVE)
async def decline(page: StockPage, paper_request_id: str) -> str:
    await papers.decline(page.platform, page.actor, paper_request_id, page.form(Return))
    return "已答复不予发放。"


@step(StockPage, Permission.STOCK_ASK)
async def withdraw(page: StockPage, paper_request_id: str) -> str:
    await papers.withdraw(page.platform, page.actor, paper_request_id, page.form(Withdrawal))
    return "申领已撤回。"


MOVEMENTS = Listing(
    f"{papers.PAGE}/movements",
    "stock/movements.html",
    Permission.STOCK_READ,
    ByAge,
    fetched_by(papers.movements),
    sheet=Sheet[PaperMovement](
        "空白证书收发账",
        [
            Column("日期", 12, lambda one: one.on),
            Column("事项", 12, lambda one: one.kind.label),
            Column("号码", 30, lambda one: f"{one.first} 至 {one.last}" if one.quantity > 1 else one.first),
            Column("增减", 8, lambda one: one.delta),
            Column("来源或去向", 30, lambda one: one.other),
            Column("单据号", 20, lambda one: one.document),
            Column("说明", 40, lambda one: one.reason),
            Column("登记", 12, lambda one: one.by),
        ],
    ),
)


# ---- on the register of a class


@step(HandoverRegister, Permission.CERTIFICATES_ISSUE)
async def assign(page: HandoverRegister, class_id: str) -> str | Done:
    if taken := await papers.assign(page.platform, page.actor, class_id):
        return f"已按证书序列号依次登记 {taken} 张用纸。打坏的请选中后登记换纸。"
    return Done("有效证书都已登记用纸。", page.address.format(class_id=class_id), "warning")


@batch(
    HandoverRegister, Permission.CERTIFICATES_ISSUE, "已作废 {} 张用纸，并换上下一个号码。", called, Because
)
async def spoil(page: HandoverRegister, certificate_id: str, form: Because, class_id: str) -> None:
    await papers.spoil(page.platform, page.actor, certificate_id, form)


@batch(HandoverRegister, Permission.CERTIFICATES_ISSUE, "已撤回 {} 张证书的用纸登记。", called, Because)
async def release(page: HandoverRegister, certificate_id: str, form: Because, class_id: str) -> None:
    await papers.release(page.platform, page.actor, certificate_id, form)


_REGISTER = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates/register"
_REQUEST = rf"{papers.PAGE}/requests/(?P<paper_request_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (papers.PAGE, StockPage),
    (rf"{papers.PAGE}/left", LeftPaper),
    (rf"{papers.PAGE}/receive", receive),
    (rf"{papers.PAGE}/write-off", write_off),
    (rf"{papers.PAGE}/count", count),
    (rf"{papers.PAGE}/ask", ask),
    (rf"{papers.PAGE}/movements/(?P<movement_id>[0-9a-f]{{24}})/take-back", take_back),
    (rf"{_REQUEST}/give", give),
    (rf"{_REQUEST}/decline", decline),
    (rf"{_REQUEST}/withdraw", withdraw),
    *MOVEMENTS.routes,
    (rf"{_REGISTER}/papers", assign),
    (rf"{_REGISTER}/spoil", spoil),
    (rf"{_REGISTER}/release", release),
]
