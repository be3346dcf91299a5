"""The list of everything in hand, from the plan to the certificate: each 环节, whom it waits for, and paging over all of it (article 4)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.applications import service as applications
from server.applications.service import Approval
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review, Withdrawal
from server.plans import service as plans
from server.progress import desk
from server.progress.known import Owner
from server.progress.lines import Line, LineFilter, Place, lines
from server.wechat.simulator import Simulator
from tests import certifying, stage
from tests.assessing import clock_of
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, applied, approved, item, submitted


async def shown(platform: Platform, actor: object = HEBEI, **narrowed: object) -> list[tuple[str, str, str]]:
    found = await lines(platform, actor, LineFilter(**narrowed), limit=100)  # type: ignore[arg-type]
    return [(one.place, one.name, one.step.owner.name if one.step else "") for one in found]


async def test_a_plan_waits_then_its_items_then_the_application_then_the_class(platform: Platform) -> None:
    plan = await submitted(platform, [item(), item(title="五月三级教师培训班", month=5)])
    name = "2026 年培训计划第 1 版（2 个班）"
    assert await shown(platform) == [("计划", name, "PROVINCE")]
    plan = await plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history)))
    items = [("计划", one.title, "INSTITUTION") for one in plan.items]
    assert await shown(platform) == items
    new = await applied(platform, plan)
    assert await shown(platform) == [("申请", new.name, "PROVINCE"), items[1]]
    assert await shown(platform, JIANGSU) == [], "a neighbour"
    back = await applications.send_back(platform, HEBEI, new.id, Return(seen=1, reason="场地信息不全。"))
    assert await shown(platform, place=Place.APPLICATION) == [("申请", new.name, "INSTITUTION")]
    withdrawn = Withdrawal(seen=len(back.history), reason="改在下月举办。")
    await applications.withdraw(platform, XINGTAI, new.id, withdrawn)
    assert await shown(platform) == items, "whoever gave it up has to apply again"
    again = await applied(platform, await plans.get_plan(platform, XINGTAI, plan.id))
    await applications.approve(platform, HEBEI, again.id, Approval(seen=1))
    places = [(place, name) for place, name, _ in await shown(platform)]
    assert places == [("筹备", again.name), ("计划", items[1][1])]
    assert await shown(platform, level="2") == [] and len(await shown(platform, major="01")) == 2
    assert len(await shown(platform, year=2026)) == 2 and await shown(platform, year=2025) == []


async def test_a_class_goes_through_the_phases_and_is_over_with_its_last_certificate(
    platform: Platform, wechat: Simulator
) -> None:
    clock = clock_of(platform)
    held = await certifying.passed_class(platform, wechat)
    assert [one[0] for one in await shown(platform, place=Place.CLOSE)] == ["结业"]
    assert await shown(platform, place=Place.TEACH) == []
    await certifying.issued(platform, held)
    [only] = await shown(platform, place=Place.ALL)
    assert only[0] in ("结业", "已办结")
    fresh = await stage.open_class(
        platform,
        XINGTAI,
        stage.class_draft(name="七月三级教师培训班", starts_on=date(2026, 7, 6), ends_on=date(2026, 7, 17)),
    )
    assert [one[1] for one in await shown(platform, place=Place.PREPARE)] == [fresh.name]
    for day, place in (("2026-07-06", Place.TEACH), ("2026-07-18", Place.NOT_HELD)):  # nobody came
        clock.set(clock.now().replace(month=7, day=int(day[-2:])))
        assert [one[1] for one in await shown(platform, place=place)] == [fresh.name]
        for reader in (XINGTAI, HEBEI, CENTRE):
            [line] = await lines(platform, reader, LineFilter(place=place), limit=5)
            card = await desk.of_class(platform, reader, fresh)
            assert line.step and line.step.title == card[0].line.title, "its page names the same step"
        assert await shown(platform, place=Place.PREPARE) == []


@pytest.mark.parametrize("narrowed", [{}, {"owner": Owner.INSTITUTION}, {"place": Place.ALL}])
async def test_pages_follow_each_other_through_all_collections_without_loss_or_doubles(
    platform: Platform, narrowed: dict[str, object]
) -> None:
    plan = await approved(platform, [item(title=f"机械类三级教师培训班 {n}", month=n + 3) for n in range(7)])
    new = await applied(platform, plan)
    await applications.send_back(platform, HEBEI, new.id, Return(seen=1, reason="场地信息不全。"))
    for n in range(6):
        day = date(2026, 3, 16) + timedelta(days=n // 2)
        await stage.open_class(
            platform, XINGTAI, stage.class_draft(name=f"三级教师培训班 {n}", starts_on=day)
        )
    wanted = LineFilter(**narrowed)  # type: ignore[arg-type]
    whole = await lines(platform, HEBEI, wanted, limit=100)
    assert len(whole) == (6 if narrowed.get("place") else 13)
    walked: list[Line] = []
    at = None
    while part := await lines(platform, HEBEI, wanted, before=at, limit=2):
        walked += part
        at = part[-1].id
    assert [one.id for one in walked] == [one.id for one in whole]


async def test_what_waits_too_long_is_overdue_and_a_look_that_finds_nothing_says_where_it_ended(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await applied(platform)
    assert await shown(platform, overdue="1") == []
    clock_of(platform).advance(timedelta(days=20))
    assert await shown(platform, overdue="1", owner=Owner.PROVINCE) == [("申请", new.name, "PROVINCE")]
    [line] = await lines(platform, HEBEI, LineFilter(overdue="1"), limit=5)
    assert line.overdue and line.waited == 20
    for n in range(4):
        await stage.open_class(platform, XINGTAI, stage.class_draft(name=f"三级教师培训班 {n}"))
    monkeypatch.setattr("server.progress.lines.BATCH", 2)
    monkeypatch.setattr("server.progress.lines.LOOKED_AT_MOST", 2)
    wanted = LineFilter(owner=Owner.CENTRE)
    part = await lines(platform, HEBEI, wanted, limit=2)
    assert part == [] and part.goes_on is not None
    while part.goes_on:
        part = await lines(platform, HEBEI, wanted, before=part.goes_on, limit=2)
    assert part == []
