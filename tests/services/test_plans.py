"""Annual plans on the database: who takes which step, what a version keeps, and what nobody else sees."""

from __future__ import annotations

import asyncio

import pytest

from server.institutions.rules import Level
from server.kernel import audit
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, NotYours, Overtaken, Return, Review
from server.plans import service
from server.plans.documents import Plan, PlanFilter
from server.plans.rules import Action, ChangeKind, State
from server.plans.service import PlanDraft
from tests.planning import (
    CENTRE,
    CHANGZHOU,
    HEBEI,
    JIANGSU,
    XINGTAI,
    YANGZHOU,
    YEAR,
    approved,
    begun,
    draft_of,
    drafted,
    item,
    submitted,
)
from tests.progressing import waits


def seen(plan: Plan) -> Review:
    return Review(seen=len(plan.history))


def reason(plan: Plan, words: str = "四月项目的人数偏多，请核减。") -> Return:
    return Return(seen=len(plan.history), reason=words)


async def test_a_plan_is_submitted_returned_amended_and_approved(platform: Platform) -> None:
    plan = await submitted(platform)
    plan = await service.send_back(platform, HEBEI, plan.id, reason(plan))
    assert plan.state is State.RETURNED
    smaller = [draft_of(plan)[0].model_copy(update={"places": 30})]
    plan = await service.amend(platform, XINGTAI, plan.id, PlanDraft(items=smaller), len(plan.history))
    assert plan.state is State.RETURNED and plan.items[0].places == 30
    plan = await service.submit(platform, XINGTAI, plan.id, len(plan.history))
    plan = await service.approve(platform, HEBEI, plan.id, seen(plan))
    assert plan.state is State.APPROVED
    assert [step.action for step in plan.history] == [
        Action.BEGIN, Action.AMEND, Action.SUBMIT, Action.RETURN, Action.AMEND, Action.SUBMIT, Action.APPROVE,
    ]  # fmt: skip
    assert plan.history[3].reason == "四月项目的人数偏多，请核减。"
    assert await service.get_plan(platform, XINGTAI, plan.id) == plan
    trail = [one["action"] for one in await audit.of_subject(platform, plan.id)]
    assert trail[::-1][0] == "plans:begin" and trail[0] == "plans:approve" and len(trail) == 7


async def test_beginning_twice_leads_to_the_same_version(platform: Platform) -> None:
    found = await asyncio.gather(*(begun(platform) for _ in range(4)))
    assert len({one.id for one in found}) == 1
    assert await platform["plans"].count_documents({}) == 1
    other_year = await begun(platform, YEAR + 1)
    assert other_year.id != found[0].id
    assert (await begun(platform, officer=YANGZHOU)).institution_code == YANGZHOU.institution_code


@pytest.mark.parametrize("year", [YEAR - 1, YEAR + 2])
async def test_a_plan_is_for_this_year_or_the_next(platform: Platform, year: int) -> None:
    with pytest.raises(Invalid):
        await begun(platform, year)


async def test_only_institutions_plan_and_only_their_province_reviews(platform: Platform) -> None:
    for stranger in (HEBEI, CENTRE):
        with pytest.raises(NotYours, match="plan-not-yours: "):
            await service.begin(platform, stranger, YEAR, PlanDraft(items=[item()]))
    plan = await submitted(platform)
    for stranger in (XINGTAI, CENTRE):
        with pytest.raises(NotYours, match="plan-not-yours: "):
            await service.approve(platform, stranger, plan.id, seen(plan))
        with pytest.raises(NotYours, match="plan-not-yours: "):
            await service.send_back(platform, stranger, plan.id, reason(plan))


async def test_the_neighbours_see_nothing_of_it(platform: Platform) -> None:
    plan = await submitted(platform)
    for stranger in (JIANGSU, YANGZHOU, CHANGZHOU):
        for refused in (
            service.get_plan(platform, stranger, plan.id),
            service.plan_record(platform, stranger, plan.id),
            service.approve(platform, stranger, plan.id, seen(plan)),
            service.submit(platform, stranger, plan.id, 0),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await service.list_plans(platform, stranger, PlanFilter()) == []
    for reader in (CENTRE, HEBEI, XINGTAI):
        assert await service.list_plans(platform, reader, PlanFilter(year=YEAR)) == [plan]
    assert await service.list_plans(platform, CENTRE, PlanFilter(state=State.APPROVED)) == []
    assert await service.list_plans(platform, CENTRE, PlanFilter(province_code="32")) == []


async def test_what_lies_with_the_province_is_not_changed(platform: Platform) -> None:
    plan = await submitted(platform)
    with pytest.raises(NotInThisState, match="plan-state: ") as refused:
        await service.amend(platform, XINGTAI, plan.id, PlanDraft(items=[item()]), len(plan.history))
    assert "待审核" in refused.value.detail
    with pytest.raises(NotInThisState, match="plan-state: "):
        await service.submit(platform, XINGTAI, plan.id, len(plan.history))


async def test_an_empty_plan_is_not_submitted(platform: Platform) -> None:
    with pytest.raises(Invalid, match="还没有项目"):
        await service.begin(platform, XINGTAI, YEAR, PlanDraft(items=[]))
    plan = await begun(platform)
    plan = await service.amend(platform, XINGTAI, plan.id, PlanDraft(items=[]), len(plan.history))
    with pytest.raises(Invalid, match="还没有项目"):
        await service.submit(platform, XINGTAI, plan.id, len(plan.history))


async def test_two_colleagues_do_not_overwrite_each_other(platform: Platform) -> None:
    plan = await drafted(platform)
    await service.amend(platform, XINGTAI, plan.id, PlanDraft(items=[item(places=20)]), len(plan.history))
    with pytest.raises(Overtaken, match="plan-overtaken: "):
        await service.amend(platform, XINGTAI, plan.id, PlanDraft(items=[item(places=99)]), len(plan.history))
    assert (await service.get_plan(platform, XINGTAI, plan.id)).items[0].places == 20


async def test_a_province_approves_only_what_it_has_read(platform: Platform) -> None:
    read = await submitted(platform)
    returned = await service.send_back(platform, HEBEI, read.id, reason(read))
    await service.submit(platform, XINGTAI, read.id, len(returned.history))
    with pytest.raises(Overtaken, match="plan-overtaken: "):
        await service.approve(platform, HEBEI, read.id, seen(read))


async def test_an_item_beyond_the_qualification_is_refused_at_its_row(platform: Platform) -> None:
    plan = await begun(platform)
    items = [item(), item(title="机械类一级教师培训班", level=Level.ONE)]
    with pytest.raises(Invalid) as refused:
        await service.amend(platform, XINGTAI, plan.id, PlanDraft(items=items), len(plan.history))
    [field] = refused.value.fields
    assert field.place == "items.1.level"
    assert "第四条" in field.message and "师资研修中心" in field.message


async def test_a_qualification_that_is_lost_stops_the_submission(platform: Platform) -> None:
    plan = await drafted(platform)
    await platform["institutions"].update_one(
        {"_id": "009"}, {"$set": {"qualifications.0.status": "SUSPENDED"}}
    )
    with pytest.raises(Invalid) as refused:
        await service.submit(platform, XINGTAI, plan.id, len(plan.history))
    assert "暂停" in refused.value.fields[0].message


async def test_a_new_version_says_what_it_changes_and_supersedes_the_old_one(platform: Platform) -> None:
    first = await approved(platform, [item(), item(title="信息类三级教师培训班", major="03", month=9)])
    second = await begun(platform)
    assert (second.version, second.state, second.items) == (2, State.DRAFT, first.items)
    [kept, _] = draft_of(second)
    items = [
        kept.model_copy(update={"places": 50}),
        item(title="服务类二级教师培训班", major="05", level="2"),
    ]
    second = await service.amend(platform, XINGTAI, second.id, PlanDraft(items=items), len(second.history))
    assert second.items[0].id == first.items[0].id, "an item keeps its id from version to version"
    record = await service.plan_record(platform, HEBEI, second.id)
    assert [(one.kind, one.title) for one in record.changes] == [
        (ChangeKind.CHANGED, "机械类三级教师培训班"),
        (ChangeKind.ADDED, "服务类二级教师培训班"),
        (ChangeKind.REMOVED, "信息类三级教师培训班"),
    ]
    assert (record.changes[0].before, record.changes[0].after) == ({"人数": "40 人"}, {"人数": "50 人"})
    second = await service.submit(platform, XINGTAI, second.id, len(second.history))
    in_force = await service.plan_in_force(platform, "009", YEAR)
    assert in_force is not None and in_force.id == first.id, (
        "the old version holds until the new one is approved"
    )
    second = await service.approve(platform, HEBEI, second.id, seen(second))
    old = await service.get_plan(platform, CENTRE, first.id)
    assert old.state is State.SUPERSEDED and old.items == first.items
    assert [one.version for one in (await service.plan_record(platform, CENTRE, old.id)).versions] == [2, 1]
    in_force = await service.plan_in_force(platform, "009", YEAR)
    assert in_force is not None and in_force.id == second.id


async def test_plans_wait_for_whom_they_concern(platform: Platform) -> None:
    plan = await submitted(platform)
    [line] = await waits(platform, HEBEI, Plan)
    assert (line.count, line.href) == (1, "/admin/plans?state=SUBMITTED")
    for other in (JIANGSU, XINGTAI, CENTRE):
        assert await waits(platform, other, Plan) == []
    await service.send_back(platform, HEBEI, plan.id, reason(plan))
    assert [one.count for one in await waits(platform, XINGTAI, Plan)] == [1]
    assert await waits(platform, HEBEI, Plan) == await waits(platform, YANGZHOU, Plan) == []
