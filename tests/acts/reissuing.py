"""What is asked about a certificate that was issued."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.certificates.documents import Certificate
from server.kernel.clock import beijing_date
from server.kernel.reviews import Withdrawal
from server.reissues import revoking
from server.reissues import service as reissues
from server.reissues.documents import Reissue
from server.reissues.printing import Wanted
from server.reissues.revoking import Proposal
from server.reissues.rules import Kind
from server.reissues.service import ReissueRequest
from server.stock import handing, papers
from server.stock.handing import HandingOver, TakingBack
from server.stock.papers import Asking, Batch, Because
from tests import certifying
from tests.acts.walking import World, way_back
from tests.stage import ClassInSession

LOST = ReissueRequest(kind=Kind.LOST, reason="本人遗失证书，已写明情况。")


async def the_paper(world: World) -> tuple[ClassInSession, Certificate]:
    held = await certifying.passed_class(world.platform, world.wechat, trainees=1)
    [paper] = await certifying.issued(world.platform, held)
    return held, paper


async def taken_back(world: World, held: ClassInSession, asked: Reissue) -> None:
    back = Withdrawal(seen=len(asked.history), reason="证书已经找到，不必办理。")
    await reissues.withdraw(world.platform, held.officer, asked.id, back)


@way_back("reissues:ask", "reissues:withdraw", keeps={"reissues"})
async def a_copy_is_asked_for(world: World) -> AsyncIterator[None]:
    held, paper = await the_paper(world)
    yield
    asked = await reissues.ask(world.platform, held.officer, paper.id, LOST)
    yield
    await taken_back(world, held, asked)


@way_back("reissues:file", "reissues:withdraw", keeps={"reissues"})
async def other_words_are_asked_for(world: World) -> AsyncIterator[None]:
    held, paper = await the_paper(world)
    yield
    wanted = Wanted(reason="课程名称印错一个字。", courses="工学一体化课程教学")
    filed = await reissues.file_new(world.platform, held.officer, paper.id, wanted)
    yield
    await taken_back(world, held, filed)


@way_back("reissues:propose", "reissues:withdraw", keeps={"reissues"})
async def a_revocation_is_proposed(world: World) -> AsyncIterator[None]:
    held, paper = await the_paper(world)
    yield
    wanted = Proposal(reason="成绩需要复核，拟撤销。")
    heard = await revoking.propose(world.platform, held.officer, paper.id, wanted)
    yield
    await taken_back(world, held, heard)


@way_back("certificates:hand-over", "certificates:take-back-handover", keeps={"handovers", "ledger"})
async def a_certificate_is_handed_over(world: World) -> AsyncIterator[None]:
    held, paper = await the_paper(world)
    yield
    wanted = HandingOver(on=beijing_date(world.platform.clock.now()))
    await handing.hand_over(world.platform, held.officer, paper.id, wanted)
    yield
    back = TakingBack(reason="登记到了另一个人名下。")
    await handing.take_back(world.platform, held.officer, paper.id, back)


async def boxes(world: World, held: ClassInSession) -> None:
    today = beijing_date(world.platform.clock.now())
    box = Batch(first="HB000101", quantity=5, on=today, origin="河北印刷厂")
    await papers.receive(world.platform, held.officer, box)


@way_back("stock:receive", "stock:take-back", keeps={"paper_movements"})
async def a_delivery_is_entered(world: World) -> AsyncIterator[None]:
    held, _ = await the_paper(world)
    yield
    await boxes(world, held)
    line = (await papers.movements(world.platform, held.officer))[0].id
    yield
    back = Because(reason="起始号码登记错了。")
    await papers.take_back(world.platform, held.officer, line, back)


@way_back("stock:assign", "stock:release", keeps={"paper_movements"})
async def a_sheet_is_assigned(world: World) -> AsyncIterator[None]:
    held, paper = await the_paper(world)
    await boxes(world, held)
    yield
    await papers.assign(world.platform, held.officer, held.id)
    yield
    back = Because(reason="这次不套打，纸仍是空白。")
    await papers.release(world.platform, held.officer, paper.id, back)


@way_back("stock:ask", "stock:withdraw", keeps={"paper_requests"})
async def blank_paper_is_asked_for(world: World) -> AsyncIterator[None]:
    held, _ = await the_paper(world)
    yield
    asked = await papers.ask(world.platform, held.officer, Asking(quantity=30, reason="本月发证用纸"))
    yield
    back = Withdrawal(seen=1, reason="库存还够用，不必申领。")
    await papers.withdraw(world.platform, held.officer, asked.id, back)
