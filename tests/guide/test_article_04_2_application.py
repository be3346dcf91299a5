"""第四条（二）骨干教师选择: 培训机构应及时提出开班申请及授课骨干教师的选择倾向。"""

from datetime import date, datetime, time, timedelta

import pytest

from server.applications import service
from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import OnlyDates, StartPassed, State
from server.applications.service import Approval, ItemTaken, NewDates
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.kernel.clock import BEIJING, FixedClock, beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import NotYours, Return
from tests import cast, stage
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, application_draft, applied, approved, item
from tests.progressing import waits


async def test_an_application_says_which_backbone_teachers_are_wished_for(platform: Platform) -> None:
    teacher_id = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    new = await applied(platform, wished=[teacher_id])
    assert [(one.person_id, one.name) for one in new.wished] == [(teacher_id, cast.BACKBONE_TEACHER.name)]


async def test_only_teachers_of_the_pool_can_be_wished_for(platform: Platform) -> None:
    with pytest.raises(Invalid, match="invalid") as refused:
        await applied(platform, wished=["f" * 24])
    assert "骨干教师库" in refused.value.fields[0].message


async def test_the_province_decides_and_its_approval_makes_the_class(platform: Platform) -> None:
    new = await applied(platform)
    assert await classes.list_classes(platform, CENTRE, ClassFilter()) == []
    with pytest.raises(NotFound):
        await service.approve(platform, JIANGSU, new.id, Approval(seen=1))
    with pytest.raises(NotYours, match="application-not-yours: "):
        await service.approve(platform, XINGTAI, new.id, Approval(seen=1))
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    [made] = await classes.list_classes(platform, CENTRE, ClassFilter())
    assert (made.item.id, made.item.application_id) == (done.class_id, new.id)


async def test_a_returned_application_makes_no_class(platform: Platform) -> None:
    new = await applied(platform)
    back = await service.send_back(platform, HEBEI, new.id, Return(seen=1, reason="请调整培训时间。"))
    assert back.state is State.RETURNED
    assert await classes.list_classes(platform, CENTRE, ClassFilter()) == []


async def test_one_item_of_the_plan_is_one_class(platform: Platform) -> None:
    plan = await approved(platform)
    new = await applied(platform, plan)
    await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    with pytest.raises(ItemTaken):
        await service.apply(platform, XINGTAI, plan.id, plan.items[0].id, application_draft(name="再开一班"))


async def test_the_hours_are_not_below_the_floor_and_the_places_not_above_the_plan(
    platform: Platform,
) -> None:
    plan = await approved(platform)
    for wrong in ({"class_hours": 79}, {"places": plan.items[0].places + 1}):
        with pytest.raises(Invalid):
            await applied(platform, plan, **wrong)
    await applied(platform, plan, class_hours=80, places=plan.items[0].places)


# ---- 及时: some days ahead, never for a start that has passed, and nothing waits unseen


@pytest.mark.parametrize("days", [0, 1, 2])
async def test_a_class_is_applied_for_some_days_ahead(platform: Platform, days: int) -> None:
    first = date(2026, 3, 16) + timedelta(days=days)
    with pytest.raises(Invalid) as refused:
        await applied(platform, starts_on=first)
    assert "2026-03-19" in refused.value.fields[0].message


async def test_a_start_that_has_passed_is_not_approved_and_comes_back_for_other_dates(
    platform: Platform, clock: FixedClock
) -> None:
    new = await applied(platform)
    clock.advance(timedelta(days=(new.starts_on - date(2026, 3, 16)).days))
    assert (await service.get_application(platform, HEBEI, new.id)).starts_on == new.starts_on
    clock.advance(timedelta(days=1))
    with pytest.raises(StartPassed, match="退回改期"):
        await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert await platform["classes"].count_documents({}) == 0


async def test_a_return_for_dates_keeps_the_rest_of_the_application(platform: Platform) -> None:
    new = await applied(platform)
    back = await service.send_back_for_dates(
        platform, HEBEI, new.id, Return(seen=1, reason="与另一期冲突，请改期。")
    )
    assert (back.state, back.only_dates) == (State.RETURNED, True)
    with pytest.raises(OnlyDates):
        await service.resubmit(platform, XINGTAI, new.id, application_draft(places=3), 2)
    dates = NewDates(seen=2, starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22))
    again = await service.redate(platform, XINGTAI, new.id, dates)
    changed = {"starts_on", "ends_on", "history", "warnings"}
    assert again.model_dump(exclude=changed) == new.model_dump(exclude=changed)
    assert (again.starts_on, again.ends_on) == (date(2026, 5, 11), date(2026, 5, 22))


async def test_what_waits_too_long_stands_at_the_head_of_the_list_over_all_pages(
    platform: Platform, clock: FixedClock
) -> None:
    names = [f"机械类三级教师培训班第{number}期" for number in range(6)]
    plan = await approved(platform, [item(title=name) for name in names])

    async def apply(number: int) -> str:
        draft = application_draft(name=names[number])
        return (await service.apply(platform, XINGTAI, plan.id, plan.items[number].id, draft)).id

    old = [await apply(number) for number in range(3)]
    await service.approve(platform, HEBEI, old[1], Approval(seen=1))
    overdue = datetime.combine(beijing_date(clock.now()) + timedelta(days=6), time(), BEIJING)
    clock.set(overdue - timedelta(seconds=1))
    [line] = await waits(platform, HEBEI, Application)
    assert (line.count, line.overdue) == (2, False)
    new = [await apply(number) for number in range(3, 6)]
    clock.advance(timedelta(seconds=1))
    [line] = await waits(platform, HEBEI, Application)
    assert (line.count, line.overdue) == (5, True)
    expected = [old[2], old[0], new[2], new[1], new[0], old[1]]
    for size in range(1, 7):
        seen: list[str] = []
        while page := await service.list_applications(
            platform, HEBEI, ApplicationFilter(), before=seen[-1] if seen else None, limit=size
        ):
            seen += [one.id for one in page]
        assert seen == expected
