"""举报 of forged certificates: taken from anybody, worked on by who is meant, and told to nobody else."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta

import pytest
from PIL import Image

from server.forgeries import rules, service
from server.forgeries.documents import ForgeryFilter
from server.forgeries.forget import forget_forgeries
from server.forgeries.rules import Outcome, State
from server.forgeries.service import Assignment, Conclusion, Findings, Report
from server.kernel import pictures
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.pictures import PictureRefused
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.public_questions import Asker
from server.kernel.puzzles import PuzzleNeeded
from server.kernel.reviews import NotYours, Review
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.progress import desk
from tests import cast, reporting
from tests.admin.browserless import Browser
from tests.asking import solved
from tests.planning import CENTRE, CHANGZHOU, HEBEI, JIANGSU, XINGTAI
from tests.reporting import NONCE, SEEN, reported

OF_XINGTAI = "130092026113001"


async def listed(platform: Platform, actor: Actor) -> list[str]:
    return [one.id for one in await service.list_forgeries(platform, actor, ForgeryFilter())]


async def test_the_number_on_the_paper_leads_to_issuer_and_province_and_an_unknown_one_to_the_centre(
    platform: Platform,
) -> None:
    found = await reported(platform, OF_XINGTAI)
    unknown = await reported(platform, "no such number", nonce="6" * 32)
    assert await listed(platform, XINGTAI) == await listed(platform, HEBEI) == [found.id]
    assert await listed(platform, CHANGZHOU) == []
    assert await listed(platform, CENTRE) == [unknown.id, found.id]
    [told] = await office_inbox.inbox(platform, HEBEI, InboxFilter(), limit=9)
    assert SEEN not in told.words and told.href == f"/admin/forgeries/{found.id}"
    today = beijing_date(platform.clock.now())
    for actor, waits in ((XINGTAI, found), (CENTRE, unknown)):
        mine = {one.url: one.due for one in (await desk.desk(platform, actor)).mine}
        assert mine == {waits.address: today + timedelta(days=Policies().forgery_days)}
    moved = await service.assign(platform, CENTRE, unknown.id, Assignment(seen=1, institution="017"))
    assert await listed(platform, CHANGZHOU) == await listed(platform, JIANGSU) == [unknown.id]
    assert (await desk.desk(platform, CHANGZHOU)).mine[0].url == moved.address
    with pytest.raises(NotYours):
        await service.assign(platform, JIANGSU, unknown.id, Assignment(seen=2, institution=cast.XINGTAI))


async def test_sent_twice_it_is_one_report_with_one_code_and_costs_a_puzzle(platform: Platform) -> None:
    wanted = Report(nonce=NONCE, description=f"{SEEN} 本人身份证号 {'1' * 17}X")
    asker = Asker("192.0.2.5", solved(platform))
    codes = {await service.report(platform, asker, wanted, b"") for _ in range(2)}
    assert len(codes) == 1 and await platform["forgeries"].count_documents({}) == 1
    row = await platform["forgeries"].find_one({})
    assert row is not None and "1" * 17 not in row["description"], "whole numbers are cut"
    another = Report(nonce="7" * 32, description=wanted.description)
    with pytest.raises(PuzzleNeeded):
        await service.report(platform, Asker("192.0.2.5"), another, b"")
    [code] = codes
    other_words = Report(nonce=NONCE, description=f"{SEEN} 另一件事，写在同一张表上。")
    with pytest.raises(service.ReportedAlready, match=code):
        await service.report(platform, asker, other_words, b"")
    standing = await service.ask(platform, asker, f"{code[:4]}-{code[4:]}".lower())
    assert standing.state is State.RECEIVED
    with pytest.raises(NotFound):
        await service.ask(platform, asker, "A" * 16)


async def test_the_picture_is_drawn_anew_without_where_it_was_taken(platform: Platform) -> None:
    found = await reported(platform, OF_XINGTAI)
    kept = await platform["forgery_pictures"].find_one({"_id": found.id})
    assert kept is not None and b"Camera" in reporting.photo() and b"Camera" not in kept["content"]
    with Image.open(io.BytesIO(kept["content"])) as shown:
        assert (shown.format, shown.size) == ("JPEG", (200, 320)), "upright"
    for content in (b"<svg onload='alert(1)'/>", b"GIF89a", reporting.photo()[:200]):
        with pytest.raises(PictureRefused, match="不是可以读取的图片"):
            pictures.redrawn(content)
    bomb = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(bomb, "PNG")
    with pytest.raises(PictureRefused, match="像素太多"):
        pictures.redrawn(bomb.getvalue())
    with pytest.raises(PictureRefused):
        await reported(platform, nonce="7" * 32, picture=b"x" * (pictures.LARGEST + 1))
    assert await platform["forgeries"].count_documents({}) == 1


async def test_the_issuer_answers_and_does_not_judge_itself_nor_see_who_reported(platform: Platform) -> None:
    found = await reported(platform, OF_XINGTAI)
    said = Findings(seen=1, reason="台账中没有这张证书。")
    checking = await service.answer(platform, XINGTAI, found.id, said)
    judged = Conclusion(
        seen=2, outcome=Outcome.CONFIRM, reason="编号不存在，系伪造。", reply="经核实，证书是伪造的。"
    )
    with pytest.raises(NotYours):
        await service.conclude(platform, XINGTAI, found.id, judged)
    with pytest.raises(NotYours):
        await service.contact(platform, XINGTAI, found.id)
    assert await service.contact(platform, HEBEI, found.id) == "zhang@example.cn"
    assert "zhang" not in str(await platform["forgeries"].find_one({"_id": found.id}))
    done = await service.conclude(platform, HEBEI, found.id, judged)
    assert (checking.state, done.state, done.open) == (State.CHECKING, State.CONFIRMED, False)
    code = service._code(platform, NONCE)
    standing = await service.ask(platform, Asker("192.0.2.9"), code)
    assert standing.reply == judged.reply
    assert judged.reason not in str(standing) and HEBEI.name not in str(standing)


async def test_a_settled_report_loses_picture_and_contact_and_keeps_what_came_of_it(
    platform: Platform, clock: FixedClock
) -> None:
    found = await reported(platform, OF_XINGTAI)
    settled = Conclusion(seen=2, outcome=Outcome.REFUTE, reason="经核对台账，证书是真的。")
    await service.take_up(platform, HEBEI, found.id, Review(seen=1))
    await service.conclude(platform, HEBEI, found.id, settled)
    assert await forget_forgeries(platform) == {"清除举报": 0}
    clock.advance(timedelta(days=740))
    assert await forget_forgeries(platform) == {"清除举报": 1}
    assert await forget_forgeries(platform) == {"清除举报": 0}
    kept = await service.forgery(platform, HEBEI, found.id)
    assert (kept.contact, kept.pictured, kept.state) == (None, False, State.UNFOUNDED)
    assert kept.description == SEEN and await platform["forgery_pictures"].count_documents({}) == 0


def test_what_was_not_handed_over_yet_is_not_noted() -> None:
    for on in (date(2026, 3, 1), date(2026, 3, 12)):
        with pytest.raises(Invalid):
            rules.require_day(on, date(2026, 3, 2), date(2026, 3, 11))


async def test_a_browser_that_runs_no_script_reports_after_a_wait(
    platform: Platform, site: str, clock: FixedClock
) -> None:
    browser = Browser(site)
    form = {"nonce": NONCE, "number": OF_XINGTAI, "description": SEEN}
    first = await browser.post("/certificates/report", form)
    assert (
        first.status == 428 and "再按一次“举报”" in first.text and SEEN in first.html and NONCE in first.html
    )
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', first.html)
    clock.advance(timedelta(seconds=Policies().public_wait_seconds + 1))
    content = reporting.photo() + b"\0" * 2**17
    done = await browser.upload(
        "/certificates/report", "picture", "照片.jpg", content, {**form, "ticket": ticket}
    )
    assert done.status == 200 and "已收到您的举报" in done.text
    wrong = await browser.post("/certificates/report", form | {"description": "短"})
    assert wrong.status == 422 and "情况说明：至少 10 个字符" in wrong.text
