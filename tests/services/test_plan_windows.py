"""报送窗口 on the database: who announces what, who owes a plan, and who is urged."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Forbidden, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.offices import Topic
from server.kernel.platform import Platform
from server.kernel.reviews import Overtaken, Review
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.plans import service as plans
from server.plans import windows
from server.plans.documents import PlanWindow, ReportFilter, ReportRow
from server.plans.window_rules import Report, WindowStands
from server.plans.windows import WindowChange, WindowDraft, WindowWithdrawal
from server.progress import desk, lines
from server.progress.lines import LineFilter, Place
from tests import cast, planning
from tests.admin.browserless import sign_in
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, YANGZHOU, YEAR


def days(platform: Platform, until: int, seen: int = 0) -> WindowDraft:
    today = beijing_date(platform.clock.now())
    return WindowDraft(
        year=YEAR, opens_on=today, closes_on=today + timedelta(days=until), words="请按时报送。", seen=seen
    )


async def told(platform: Platform, actor: Actor, topic: Topic) -> list[str]:
    found = await office_inbox.inbox(platform, actor, InboxFilter(topic), limit=50)
    return [one.words for one in found]


async def row_of(platform: Platform, actor: Actor, code: str) -> ReportRow:
    return next(one for one in await windows.reports(platform, actor, ReportFilter(YEAR)) if one.id == code)


async def announced(platform: Platform) -> PlanWindow:
    """By the centre for thirty days, by 河北 for ten."""
    await windows.announce(platform, CENTRE, days(platform, 30))
    return await windows.announce(platform, HEBEI, days(platform, 10))


async def test_a_draft_is_due_with_its_window_on_every_list_and_without_one_on_no_day(
    platform: Platform, clock: FixedClock
) -> None:
    plan = await planning.drafted(platform)

    async def said() -> date | None:
        seen = await desk.desk(platform, XINGTAI)
        [line] = [one for one in seen.mine if one.url == f"/admin/plans/{plan.id}"]
        [listed] = await lines.lines(platform, XINGTAI, LineFilter(place=Place.PLAN))
        assert listed.step and line.title == f"{listed.step.title}：{plan.named}"
        assert (line.due, line.overdue, line.since) == (listed.step.due, listed.overdue, listed.step.since)
        return line.due

    clock.advance(timedelta(days=9))
    assert await said() is None, "nobody has asked for it"
    window = await announced(platform)
    assert await said() == window.closes_on
    clock.advance(timedelta(days=11))
    assert await said() == window.closes_on
    filed = await plans.submit(platform, XINGTAI, plan.id, len(plan.history))
    await plans.approve(platform, HEBEI, plan.id, Review(seen=len(filed.history)))
    plan = await planning.begun(platform)
    seen = await desk.desk(platform, XINGTAI)
    [line] = [one for one in seen.mine if one.url == f"/admin/plans/{plan.id}"]
    assert line.due is None and not line.overdue, "the year's plan is there"


async def test_a_province_announces_within_the_centres_days_and_its_institutions_hear_of_both(
    platform: Platform,
) -> None:
    with pytest.raises(Forbidden):
        await windows.announce(platform, XINGTAI, days(platform, 10))
    await announced(platform)
    with pytest.raises(Invalid):
        await windows.announce(platform, JIANGSU, days(platform, 31))
    with pytest.raises(WindowStands):
        await windows.announce(platform, HEBEI, days(platform, 9, seen=1))
    assert len(await told(platform, XINGTAI, Topic.WINDOW)) == 2
    assert (
        len(await told(platform, YANGZHOU, Topic.WINDOW))
        == len(await told(platform, JIANGSU, Topic.WINDOW))
        == 1
    )
    mine = await row_of(platform, CENTRE, cast.XINGTAI)
    theirs = await row_of(platform, CENTRE, cast.YANGZHOU)
    today = beijing_date(platform.clock.now())
    assert (mine.due_on, theirs.due_on) == (today + timedelta(days=10), today + timedelta(days=30))
    later = WindowChange(**days(platform, 20, seen=1).model_dump(), reason="机构反映时间太紧。")
    changed = await windows.change(platform, HEBEI, later)
    assert [one.closes_on for one in changed.history] == [mine.due_on, today + timedelta(days=20)]
    with pytest.raises(Overtaken):
        await windows.change(platform, HEBEI, later)
    withdrawal = WindowWithdrawal(year=YEAR, seen=2, reason="以部里的时间为准。")
    await windows.withdraw(platform, HEBEI, withdrawal)
    assert (await row_of(platform, XINGTAI, cast.XINGTAI)).due_on == theirs.due_on
    again = await windows.announce(platform, HEBEI, days(platform, 5, seen=3))
    assert len(again.history) == 4 and not again.withdrawn


async def test_nobody_announces_and_withdraws_all_day_long(platform: Platform, site: str) -> None:
    one = await sign_in(platform, site, cast.HEBEI_OFFICER)
    refused = [(await one.post(f"{windows.PAGE}/announce")) for _ in range(11)]
    assert [shown.status for shown in refused] == [422] * 10 + [429] and "一天内最多 10 次" in refused[
        -1
    ].text
    neighbour = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    assert (await neighbour.post(f"{windows.PAGE}/announce")).status == 422, "each office for itself"


async def test_who_owes_a_plan_is_listed_and_urged_once_a_day_and_a_late_one_is_taken_and_marked(
    platform: Platform, clock: FixedClock, site: str
) -> None:
    await announced(platform)
    plan = await planning.drafted(platform)
    mine = await row_of(platform, HEBEI, cast.XINGTAI)
    assert (mine.report, mine.late, mine.plan_id) == (Report.DRAFTING, False, plan.id)
    assert {one.province_code for one in await windows.reports(platform, HEBEI, ReportFilter(YEAR))} == {
        cast.HEBEI
    }
    owing = len(await windows.reports(platform, HEBEI, ReportFilter(YEAR, outstanding=True)))
    assert await windows.urge(platform, HEBEI, YEAR, cast.XINGTAI) == 1
    assert await windows.urge(platform, HEBEI, YEAR) == owing - 1, "each once a day"
    assert await windows.urge(platform, HEBEI, YEAR) == 0
    everybody = len(await windows.reports(platform, CENTRE, ReportFilter(YEAR, outstanding=True)))
    assert await windows.urge(platform, CENTRE, YEAR) == everybody - owing, "Hebei has asked its own today"
    with pytest.raises(NotFound):
        await windows.urge(platform, HEBEI, YEAR, cast.YANGZHOU)
    [words] = await told(platform, XINGTAI, Topic.URGED)
    assert words.startswith("河北省级管理部门催办：")
    [words] = await told(platform, YANGZHOU, Topic.URGED)
    assert words.startswith("部指导中心催办：")
    [due] = await windows.waiting(platform, YANGZHOU)
    assert not due.overdue and "未编制" in due.title
    [line] = (await desk.desk(platform, XINGTAI)).mine
    assert line.url == f"/admin/plans/{plan.id}", "what is begun is one line and not two"
    clock.advance(timedelta(days=11))
    assert (await windows.tell_overdue(platform), await windows.tell_overdue(platform)) == (owing, 0)
    assert len(await told(platform, XINGTAI, Topic.OVERDUE)) == 1
    assert await told(platform, YANGZHOU, Topic.OVERDUE) == []
    [all_late] = await windows.waiting(platform, HEBEI)
    assert all_late.overdue and all_late.count == owing
    await plans.submit(platform, XINGTAI, plan.id, len(plan.history))
    mine = await row_of(platform, HEBEI, cast.XINGTAI)
    assert (mine.report, mine.late) == (Report.FILED, True)
    assert await windows.waiting(platform, XINGTAI) == []
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    page = await province.get(f"{windows.PAGE}?year={YEAR}")
    assert "逾期报送" in page.text and f"全部催办（{owing - 1}）" in page.text
    assert "逾期报送" in (await province.get(f"/admin/plans/{plan.id}")).text
    sheet = await province.get(f"{windows.PAGE}/export?year={YEAR}")
    assert sheet.status == 200 and sheet.body.startswith(b"PK")
    wrong = await province.post(
        f"{windows.PAGE}/change?year={YEAR}", {"year": str(YEAR), "seen": "1", "words": "请尽快报送。"}
    )
    assert wrong.status == 422 and "开始日期" in wrong.text and "请尽快报送。" in wrong.text
    assert isinstance(mine.filed_on, date)
