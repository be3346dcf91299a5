"""Class applications on the database: from an item of a plan to a class, and what stands in the way."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from pymongo.errors import ConnectionFailure

from server.applications import service
from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import State
from server.applications.service import Approval, ItemTaken, NotInPlan
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.institutions.rules import Level, NotQualified
from server.kernel import policies, reviewed
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import NotInThisState, NotYours, Overtaken, Return, Review, Withdrawal
from server.plans import service as plans
from server.plans.service import PlanDraft
from server.venues.rules import FlagKind
from tests import cast, stage
from tests.planning import (
    CENTRE,
    CHANGZHOU,
    HEBEI,
    JIANGSU,
    XINGTAI,
    YANGZHOU,
    application_draft,
    applied,
    approved,
    begun,
    draft_of,
    item,
    submitted,
)
from tests.progressing import waits

SCENIC = {"name": "黄山云谷山庄", "address": "安徽省黄山市黄山风景区", "stars": 4}

GIVEN_UP = Withdrawal(seen=1, reason="计划有变")


async def test_an_approval_makes_the_class(platform: Platform) -> None:
    teacher_id = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    new = await applied(platform, wished=[teacher_id])
    assert (new.state, new.venue_flags, new.warnings) == (State.SUBMITTED, [], [])
    assert [one.name for one in new.wished] == [cast.BACKBONE_TEACHER.name]
    assert await classes.list_classes(platform, XINGTAI, ClassFilter()) == []
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert done.class_id is not None
    made = await classes.get_class(platform, XINGTAI, done.class_id)
    assert (made.name, made.level, made.major, made.places) == (new.name, Level.THREE, "01", 40)
    assert (made.application_id, made.institution_code) == (new.id, cast.XINGTAI)
    assert made.place == "实训楼 301（河北省邢台市信都区示例路 1 号）"


async def test_approved_twice_there_is_one_class(platform: Platform) -> None:
    new = await applied(platform)
    outcomes = await asyncio.gather(
        *(service.approve(platform, HEBEI, new.id, Approval(seen=1)) for _ in range(3)),
        return_exceptions=True,
    )
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert len(refused) == 2 and all(isinstance(one, NotInThisState) for one in refused)
    assert len(await classes.list_classes(platform, XINGTAI, ClassFilter())) == 1


async def test_an_approval_cut_off_in_the_middle_leaves_nothing_behind(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await applied(platform)
    trail = await platform["audit"].count_documents({})

    async def cut_off(*_: object) -> bool:
        raise ConnectionFailure("the database is gone")

    with monkeypatch.context() as broken:
        broken.setattr(reviewed, "replace", cut_off)
        with pytest.raises(ConnectionFailure):
            await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert await classes.list_classes(platform, XINGTAI, ClassFilter()) == []
    assert await service.get_application(platform, HEBEI, new.id) == new
    assert await platform["audit"].count_documents({}) == trail
    assert (await service.approve(platform, HEBEI, new.id, Approval(seen=1))).class_id


async def test_an_item_is_applied_for_once_at_a_time(platform: Platform) -> None:
    plan = await approved(platform)
    outcomes = await asyncio.gather(
        *(applied(platform, plan, name=f"机械类三级教师培训班 {number}") for number in range(4)),
        return_exceptions=True,
    )
    taken = [one for one in outcomes if isinstance(one, Exception)]
    assert len(taken) == 3 and all(isinstance(one, ItemTaken) for one in taken)
    [mine] = await service.list_applications(platform, XINGTAI, ApplicationFilter())
    await service.withdraw(platform, XINGTAI, mine.id, GIVEN_UP)
    again = await applied(platform, plan)
    await service.approve(platform, HEBEI, again.id, Approval(seen=1))
    with pytest.raises(ItemTaken):
        await applied(platform, plan)


async def test_only_an_approved_plan_is_a_ground(platform: Platform) -> None:
    plan = await submitted(platform)
    with pytest.raises(NotInPlan, match="待审核"):
        await applied(platform, plan)
    with pytest.raises(NotFound):
        await service.apply(platform, XINGTAI, plan.id, "0" * 24, application_draft())


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"places": 41}, "places"),
        ({"class_hours": 79}, "class_hours"),
        ({"starts_on": date(2027, 4, 12), "ends_on": date(2027, 4, 23)}, "starts_on"),
        ({"ends_on": date(2026, 4, 12)}, "ends_on"),
        ({"courses": ["教学场所使用管理", "教学场所使用管理"]}, "courses"),
        ({"wished": ["0" * 24]}, "wished"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    platform: Platform, changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await applied(platform, **changes)
    assert [field.place for field in refused.value.fields] == [place]
    assert await platform["applications"].count_documents({}) == 0


async def test_another_month_warns_and_does_not_stop(platform: Platform) -> None:
    new = await applied(platform, starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22))
    assert new.warnings == ["计划在 4 月举办，申请在 5 月开班。"]


async def test_a_flagged_venue_needs_words_and_nothing_else(platform: Platform) -> None:
    new = await applied(platform, venue=SCENIC)
    assert [flag.kind for flag in new.venue_flags] == [FlagKind.SCENIC_AREA, FlagKind.STARS]
    with pytest.raises(Invalid) as refused:
        await service.approve(platform, HEBEI, new.id, Approval(seen=1, venue_note="  好 "))
    assert [field.place for field in refused.value.fields] == ["venue_note"]
    assert await classes.list_classes(platform, XINGTAI, ClassFilter()) == []
    words = "已电话核实，在景区门外的职工培训中心，不对外经营。"
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=1, venue_note=words))
    assert (done.state, done.venue_note, done.history[-1].reason) == (State.APPROVED, words, words)


async def test_the_stars_follow_the_policy_of_the_day(platform: Platform) -> None:
    hotel = {"name": "示例宾馆", "address": "河北省邢台市示例路 9 号", "stars": 4}
    await policies.change(
        platform,
        CENTRE,
        PolicyChange(
            key="venue_stars_most", value=4, effective_from=date(2026, 3, 16), reason="部指导中心核定"
        ),
    )
    assert (await applied(platform, venue=hotel)).venue_flags == []


async def test_a_returned_application_is_changed_and_handed_in_again(platform: Platform) -> None:
    new = await applied(platform, venue=SCENIC)
    back = await service.send_back(platform, HEBEI, new.id, Return(seen=1, reason="请改在本校举办。"))
    assert back.state is State.RETURNED
    with pytest.raises(NotInThisState, match="application-state: "):
        await service.approve(platform, HEBEI, new.id, Approval(seen=2, venue_note="已经核实过了"))
    with pytest.raises(Overtaken, match="application-overtaken: "):
        await service.resubmit(platform, XINGTAI, new.id, application_draft(), 1)
    again = await service.resubmit(platform, XINGTAI, new.id, application_draft(), 2)
    assert (again.state, again.venue_flags, again.venue.name) == (State.SUBMITTED, [], "实训楼 301")
    with pytest.raises(Overtaken, match="application-overtaken: "):
        await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=3))
    assert done.state is State.APPROVED


async def test_what_the_plan_no_longer_holds_is_not_approved(platform: Platform) -> None:
    plan = await approved(platform, [item(), item(title="另一个三级教师培训班", month=6)])
    new = await applied(platform, plan)
    second = await begun(platform, plan.year)
    kept = PlanDraft(items=draft_of(second)[1:])
    second = await plans.amend(platform, XINGTAI, second.id, kept, len(second.history))
    second = await plans.submit(platform, XINGTAI, second.id, len(second.history))
    await plans.approve(platform, HEBEI, second.id, Review(seen=len(second.history)))
    with pytest.raises(NotInPlan):
        await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    with pytest.raises(NotInPlan):
        await applied(platform, plan)
    await service.withdraw(platform, XINGTAI, new.id, GIVEN_UP)


async def test_a_qualification_lost_meanwhile_stops_the_approval(platform: Platform) -> None:
    new = await applied(platform)
    await platform["institutions"].update_one(
        {"_id": cast.XINGTAI}, {"$set": {"qualifications.0.status": "WITHDRAWN"}}
    )
    with pytest.raises(NotQualified):
        await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert (await service.get_application(platform, HEBEI, new.id)).state is State.SUBMITTED


async def test_each_step_belongs_to_its_office(platform: Platform) -> None:
    plan = await approved(platform)
    with pytest.raises(NotYours, match="application-not-yours: "):
        await service.apply(platform, HEBEI, plan.id, plan.items[0].id, application_draft())
    new = await applied(platform, plan)
    for stranger in (XINGTAI, CENTRE):
        with pytest.raises(NotYours, match="application-not-yours: "):
            await service.approve(platform, stranger, new.id, Approval(seen=1))
    with pytest.raises(NotYours, match="application-not-yours: "):
        await service.withdraw(platform, HEBEI, new.id, GIVEN_UP)


async def test_the_neighbours_see_nothing_of_it(platform: Platform) -> None:
    plan = await approved(platform)
    new = await applied(platform, plan)
    for stranger in (JIANGSU, YANGZHOU, CHANGZHOU):
        for refused in (
            service.get_application(platform, stranger, new.id),
            service.approve(platform, stranger, new.id, Approval(seen=1)),
            service.withdraw(platform, stranger, new.id, GIVEN_UP),
            service.planned_item(platform, stranger, plan.id, plan.items[0].id),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await service.list_applications(platform, stranger, ApplicationFilter()) == []
        assert await waits(platform, stranger, Application) == []
    assert [one.count for one in await waits(platform, HEBEI, Application)] == [1]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        (ApplicationFilter(words="机械类"), True),
        (ApplicationFilter(words="邢台"), True),
        (ApplicationFilter(words="扬州"), False),
        (ApplicationFilter(state=State.SUBMITTED, level="3", year=2026, month=4, province_code="13"), True),
        (ApplicationFilter(month=5), False),
        (ApplicationFilter(level="2"), False),
        (ApplicationFilter(year=2025), False),
    ],
)
async def test_the_list_is_narrowed(platform: Platform, narrowed: ApplicationFilter, found: bool) -> None:
    await applied(platform)
    assert bool(await service.list_applications(platform, CENTRE, narrowed)) is found
