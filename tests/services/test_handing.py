"""领取登记: to whom a certificate was given, entered once, confirmed by its holder, and taken back with a reason."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.certificates.documents import Certificate
from server.certificates.service import CertificateRevoked
from server.kernel.clock import beijing_date
from server.kernel.errors import Invalid, NotFound, Problem
from server.kernel.platform import Platform
from server.ledger import service as ledger
from server.stock import handing
from server.stock.handing import HandingOver, TakingBack
from server.stock.rules import AlreadyHandedOver, HolderConfirmed, NotHandedOver
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admin.browserless import sign_in
from tests.certifying import passed_class
from tests.stage import ClassInSession

WHY = TakingBack(reason="登记到了另一个人名下。")


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def papers(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await certifying.issued(platform, opened)


def came(platform: Platform, **more: str) -> HandingOver:
    return HandingOver.model_validate({"on": beijing_date(platform.clock.now()), **more})


async def said_of(platform: Platform, one: Certificate) -> list[str]:
    return [f"{each.kind.label} {each.words}".strip() for each in await ledger.entries_of(platform, one.id)]


async def test_it_is_entered_once_confirmed_by_its_holder_and_stands_in_the_ledger(
    platform: Platform, opened: ClassInSession, papers: list[Certificate]
) -> None:
    me, officer, mine = opened.trainees[0].actor, opened.officer, papers[0]
    with pytest.raises(NotHandedOver):
        await handing.confirm(platform, me, mine.id)
    both = await asyncio.gather(
        *(handing.hand_over(platform, officer, mine.id, came(platform)) for _ in range(2)),
        return_exceptions=True,
    )
    assert [type(one) for one in both if isinstance(one, Problem)] == [AlreadyHandedOver]
    await handing.take_back(platform, officer, mine.id, WHY)
    by_mail = came(platform, how="MAIL", carrier="中国邮政", tracking="EMS0001")
    assert (await handing.hand_over(platform, officer, mine.id, by_mail)).words == "邮寄，中国邮政，EMS0001"
    for _ in range(2):
        assert (await handing.confirm(platform, me, mine.id)).confirmed_at is not None
    with pytest.raises(HolderConfirmed):
        await handing.take_back(platform, officer, mine.id, WHY)
    said = await said_of(platform, mine)
    assert said[1:] == ["领取 本人领取", "更正登记 撤回领取登记", "邮寄 邮寄", "本人确认收到"]
    with pytest.raises(NotFound):
        await handing.confirm(platform, opened.trainees[1].actor, mine.id)
    assert (await handing.register(platform, officer, opened.id)).handed == 1


async def test_whoever_comes_for_another_is_named_and_no_day_is_made_up(
    platform: Platform, opened: ClassInSession, papers: list[Certificate]
) -> None:
    officer, paper = opened.officer, papers[0]
    for wrong, fields in (
        (came(platform, how="PROXY"), ["recipient", "reason"]),
        (came(platform, how="MAIL", carrier="中国邮政"), ["tracking"]),
        (HandingOver(on=paper.printed.issued_on - timedelta(days=1)), ["on"]),
        (HandingOver(on=beijing_date(platform.clock.now()) + timedelta(days=1)), ["on"]),
    ):
        with pytest.raises(Invalid) as refused:
            await handing.hand_over(platform, officer, paper.id, wrong)
        assert [one.place for one in refused.value.fields] == fields
    with pytest.raises(NotFound):
        await handing.hand_over(platform, stage.actor(cast.YANGZHOU_OFFICER), paper.id, came(platform))
    await certifying.revoked(platform, officer, paper, "成绩复核后不合格。")
    with pytest.raises(CertificateRevoked):
        await handing.hand_over(platform, officer, paper.id, came(platform))
    assert await platform["handovers"].count_documents({}) == 0


async def test_all_who_are_present_are_entered_on_one_page(
    platform: Platform, opened: ClassInSession, papers: list[Certificate], site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = f"/admin/classes/{opened.id}/certificates/register"
    today = str(beijing_date(platform.clock.now()))
    form: dict[str, str | list[str]] = {"chosen": [one.id for one in papers], "on": today, "how": "PROXY"}
    refused = await browser.post(f"{page}/hand-over", form)
    assert "请填写代领人的姓名" in refused.text and refused.status == 409
    done = await browser.post(f"{page}/hand-over", form | {"recipient": "王老师", "reason": "同校教师代领"})
    assert done.status == 303
    shown = (await browser.get(page)).text
    assert shown.count("他人代领，王老师，同校教师代领") == 2
    assert "领取人签名" in (await browser.get(f"{page}/print")).text
