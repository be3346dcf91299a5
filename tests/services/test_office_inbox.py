"""What staff are told: one message an office, read by each for themselves, and nothing of what a neighbour is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts import staff
from server.accounts.staff import ColleagueDraft
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.offices import Said, Topic, account, institution
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.messages import office_inbox, office_store
from server.messages.forget import forget_messages
from server.messages.office_inbox import InboxFilter, Line
from server.plans import service as plans
from tests import cast, planning, stage
from tests.admin.browserless import sign_in
from tests.planning import CENTRE, CHANGZHOU, HEBEI, JIANGSU, YANGZHOU

ALL = InboxFilter()


@transactional
async def say(unit: UnitOfWork, to: str, words: str) -> None:
    unit.tell(Said(to, Topic.URGED, words, "/admin/plans"))
    unit.audit("plans:submit", "nothing")


async def signed_up(platform: Platform) -> Actor:
    """邢台's officer, with an account."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    return staff.actor_of(await staff.account_called(platform, cast.XINGTAI_OFFICER.username))


async def inbox(platform: Platform, actor: Actor, narrowed: InboxFilter = ALL) -> list[Line]:
    return await office_inbox.inbox(platform, actor, narrowed, limit=50)


async def test_a_decision_is_told_to_the_office_that_had_asked_and_to_nobody_else(platform: Platform) -> None:
    plan = await planning.submitted(platform)
    mine = await signed_up(platform)
    assert await inbox(platform, mine) == []
    returned = Return(seen=len(plan.history), reason="四月项目人数偏多。")
    plan = await plans.send_back(platform, HEBEI, plan.id, returned)
    plan = await plans.submit(platform, mine, plan.id, len(plan.history))
    await plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history)))
    approved, sent_back = await inbox(platform, mine)
    assert (approved.topic, approved.by) == (Topic.DECIDED, cast.HEBEI_OFFICER.name)
    assert approved.href == f"/admin/plans/{plan.id}" and "已批准" in approved.words
    assert sent_back.topic is Topic.RETURNED and sent_back.words.endswith("理由：四月项目人数偏多。")
    assert [one.title for one in await office_inbox.news(platform, mine)] == [approved.words]
    for stranger in (HEBEI, JIANGSU, YANGZHOU, CHANGZHOU, CENTRE):
        assert await inbox(platform, stranger) == []
        with pytest.raises(NotFound):
            await office_inbox.read_one(platform, stranger, approved.id)


async def test_each_member_of_an_office_reads_for_themselves_and_who_comes_later_begins_with_nothing_unread(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    mine = staff.actor_of(await staff.account_called(platform, cast.XINGTAI_OFFICER.username))
    colleague, _ = await staff.add_colleague(
        platform, mine, ColleagueDraft(username="xingtai-two", name="邢试二")
    )
    other = staff.actor_of(colleague)
    for number in range(3):
        await say(platform, HEBEI, institution(cast.XINGTAI), f"请报送培训计划 {number}")
    await say(platform, HEBEI, account(other.id), "只给一个人")
    assert (await office_inbox.unread(platform, mine), await office_inbox.unread(platform, other)) == (3, 4)
    newest, middle, oldest = await inbox(platform, mine)
    assert await office_inbox.read_one(platform, mine, middle.id) == "/admin/plans"
    assert [one.id for one in await inbox(platform, mine, InboxFilter(unread=True))] == [newest.id, oldest.id]
    assert await office_inbox.unread(platform, other) == 4
    page = await browser.get("/admin/inbox")
    assert "消息，2 条未读" in page.html and "只给一个人" not in page.text
    opened = await browser.post(f"/admin/inbox/{oldest.id}")
    assert (opened.status, opened.location) == (303, "/admin/plans")
    await browser.post("/admin/inbox/read-all", {"up_to": newest.id})
    assert "未读" not in (await browser.get("/admin")).html
    await say(platform, HEBEI, institution(cast.XINGTAI), "再报一次")
    assert await office_inbox.unread(platform, mine) == 1
    await office_inbox.read_all(platform, mine, oldest.id)
    assert await office_inbox.unread(platform, mine) == 1, "a mark never moves back"
    third, _ = await staff.add_colleague(
        platform, mine, ColleagueDraft(username="xingtai-three", name="邢试三")
    )
    assert await office_inbox.unread(platform, staff.actor_of(third)) == 0


async def test_the_badge_counts_to_a_hundred_on_an_index_and_messages_go_after_the_policy_s_months(
    platform: Platform, clock: FixedClock
) -> None:
    mine = await signed_up(platform)
    for number in range(3):
        await say(platform, HEBEI, institution(cast.YANGZHOU), f"请报送 {number}")
    await say(platform, HEBEI, institution(cast.XINGTAI), "请报送")
    sought = office_store.unread_of(office_inbox.boxes(mine), mine.id, mine.id)
    plan = await platform["office_messages"].find(sought).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 1
    clock.advance(timedelta(days=800))
    assert (await forget_messages(platform))["清除消息"] >= 4
    assert await inbox(platform, mine) == []
