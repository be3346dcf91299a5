"""Blank certificate paper: no number twice, never fewer than none, and the book fits the sheets after whatever happened."""

from __future__ import annotations

import asyncio

import pytest

from server.certificates.documents import Certificate
from server.certificates.service import CertificateRevoked
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, Invalid, NotFound, Problem
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, Return
from server.progress import desk
from server.stock import handing, paper_rules, papers
from server.stock.handing import HandingOver, TakingBack
from server.stock.paper_rules import Book, Counted, Fate, Moved, PaperHandedOut, PaperMissing
from server.stock.papers import Asking, Batch, Because, Counting, Giving, WritingOff
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admin.browserless import sign_in
from tests.certifying import passed_class
from tests.planning import HEBEI, JIANGSU, XINGTAI
from tests.stage import ClassInSession

WHY = Because(reason="打印机卡纸，撕破一角。")


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def issued(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await certifying.issued(platform, opened)


def box(platform: Platform, first: str, quantity: int) -> Batch:
    today = beijing_date(platform.clock.now())
    return Batch(first=first, quantity=quantity, on=today, origin="河北印刷厂", document="出库单 12")


def test_numbers_keep_their_width_and_go_in_stretches() -> None:
    assert paper_rules.numbers("HB0098", 3) == ["HB0098", "HB0099", "HB0100"]
    for first, quantity in (("HB99", 2), ("号码", 1), ("HB", 1)):
        with pytest.raises(Invalid):
            paper_rules.numbers(first, quantity)
    assert paper_rules.runs(["A3", "A1", "A2", "A5"]) == [("A1", "A3", 3), ("A5", "A5", 1)]


async def test_the_province_gives_what_is_asked_for_and_both_books_fit(platform: Platform) -> None:
    await papers.receive(platform, HEBEI, box(platform, "HB0001", 10))
    asked = await papers.ask(platform, XINGTAI, Asking(quantity=4, reason="本月发证用纸"))
    assert any("待发放的空白证书" in one.title for one in (await desk.desk(platform, HEBEI)).mine)
    given = Giving(first="HB0001", quantity=4, seen=1)
    with pytest.raises(Forbidden):
        await papers.give(platform, XINGTAI, asked.id, given)
    with pytest.raises(NotFound):
        await papers.give(platform, JIANGSU, asked.id, given)
    with pytest.raises(PaperMissing):
        await papers.give(platform, HEBEI, asked.id, Giving(first="HB0008", quantity=4, seen=1))
    both = await asyncio.gather(
        *(papers.give(platform, HEBEI, asked.id, given) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, Problem) for one in both) == 1
    theirs, mine = await papers.stock(platform, HEBEI), await papers.stock(platform, XINGTAI)
    assert theirs.book == Book(0, 10, 4, 0, 0, 0, 6) and mine.book == Book(0, 4, 0, 0, 0, 0, 4)
    assert theirs.book.fits and mine.book.fits and mine.first_left == "HB0001"
    with pytest.raises(NotInThisState):
        await papers.decline(platform, HEBEI, asked.id, Return(reason="库存不够。", seen=2))
    [line] = [one for one in theirs.moved if one.kind == "PRINTED"]
    with pytest.raises(Moved):
        await papers.take_back(platform, HEBEI, line.id, Because(reason="号码登记错了。"))


async def test_no_number_comes_twice_also_of_two_at_once(platform: Platform) -> None:
    both = await asyncio.gather(
        papers.receive(platform, HEBEI, box(platform, "HB0001", 5)),
        papers.receive(platform, XINGTAI, box(platform, "HB0005", 5)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Invalid) for one in both) == 1
    assert await platform["blank_papers"].count_documents({}) == 5
    await papers.receive(platform, JIANGSU, box(platform, "HB0001", 5))  # another province's own numbers
    lost = WritingOff(fate=Fate.LOST, first="HB0001", quantity=6, reason="搬库房时遗失。")
    with pytest.raises(PaperMissing, match="只有 5 张"):
        await papers.write_off(platform, JIANGSU, lost)
    assert (await papers.stock(platform, JIANGSU)).book.left == 5


async def test_each_certificate_has_its_sheet_and_a_spoiled_one_is_replaced(
    platform: Platform, opened: ClassInSession, issued: list[Certificate]
) -> None:
    officer, ids = opened.officer, [one.id for one in issued]
    await papers.receive(platform, officer, box(platform, "HB0001", 1))
    with pytest.raises(PaperMissing, match="需要 2 张"):
        await papers.assign(platform, officer, opened.id)
    await papers.receive(platform, officer, box(platform, "HB0002", 3))
    assert [await papers.assign(platform, officer, opened.id) for _ in range(2)] == [2, 0]
    assert await papers.spoil(platform, officer, ids[0], WHY) == "HB0003"
    await papers.release(platform, officer, ids[1], Because(reason="这张不套打。"))
    seen = await papers.stock(platform, officer)
    assert seen.book == Book(0, 4, 0, 1, 1, 0, 2) and seen.book.fits and seen.first_left == "HB0002"
    assert {key: one.number for key, one in (await papers.of_class(platform, ids)).items()} == {
        ids[0]: "HB0003"
    }
    with pytest.raises(Invalid) as refused:
        await papers.count(platform, officer, Counting(counted=1))
    assert "请说明差异" in refused.value.fields[0].message
    counted = await papers.count(platform, officer, Counting(counted=1, reason="一张待查，已报告负责人。"))
    assert (counted.book, counted.counted) == (2, 1)
    with pytest.raises(Counted):
        await papers.release(platform, officer, ids[0], Because(reason="这张不套打。"))
    with pytest.raises(NotFound):
        await papers.spoil(platform, stage.actor(cast.YANGZHOU_OFFICER), ids[0], WHY)


async def test_the_sheet_of_a_certificate_that_was_handed_over_stays_with_it(
    platform: Platform, opened: ClassInSession, issued: list[Certificate]
) -> None:
    today = beijing_date(platform.clock.now())
    await papers.receive(platform, XINGTAI, Batch(first="HB0001", quantity=4, on=today, origin="印刷厂"))
    await handing.hand_over(platform, XINGTAI, issued[1].id, HandingOver(on=today))
    assert await papers.assign(platform, XINGTAI, opened.id) == 1, (
        "what went out is printed on something already"
    )
    await handing.hand_over(platform, XINGTAI, issued[0].id, HandingOver(on=today))
    for act in (papers.release, papers.spoil):
        with pytest.raises(PaperHandedOut):
            await act(platform, XINGTAI, issued[0].id, WHY)
    await handing.take_back(platform, XINGTAI, issued[0].id, TakingBack(reason="登记错了人。"))
    [at] = await papers.whereabouts(platform, HEBEI, "hb0001")
    assert (at.institution, at.certificate, at.handed) == ("邢台技师学院", issued[0], None)
    assert await papers.whereabouts(platform, JIANGSU, "HB0001") == []
    await certifying.revoked(platform, XINGTAI, issued[0], "成绩复核后不合格。")
    with pytest.raises(CertificateRevoked):
        await papers.spoil(platform, XINGTAI, issued[0].id, WHY)


async def test_the_pages_show_the_book_and_say_what_is_wrong(
    platform: Platform, opened: ClassInSession, issued: list[Certificate], site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "还没有空白证书" in (await browser.get("/admin/stock")).text
    form = {"first": "HB0001", "quantity": "3", "origin": "印刷厂", "on": "2020-01-01"}
    assert (await browser.post("/admin/stock/receive", form)).status == 303
    again = await browser.post("/admin/stock/receive", form)
    assert again.status == 422 and "同一号码不能登记两次" in again.text
    assert "HB0001 至 HB0003" in (await browser.get("/admin/stock")).text
    register = f"/admin/classes/{opened.id}/certificates/register"
    assert (await browser.post(f"{register}/papers")).status == 303
    torn = await browser.post(f"{register}/spoil", {"chosen": issued[0].id, "reason": WHY.reason})
    assert torn.status == 303 and "HB0003" in (await browser.get(register)).text
    assert (await browser.get("/admin/stock/movements/export")).status == 200


async def test_the_page_of_statistics_and_its_workbook_are_there_also_for_a_broken_link(
    platform: Platform, issued: list[Certificate], site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get("/admin/certificates/statistics?year=abc&by=level")
    assert page.status == 200 and "按 培训级别" in page.text.replace("按培训级别", "按 培训级别")
    leads = (
        f"/admin/certificates?year={issued[0].printed.issued_on.year}&level={issued[0].printed.level.value}"
    )
    assert (await browser.get(f"{leads}&status=VALID")).text.count(issued[0].printed.number) == 1
