"""第四条（二）骨干教师选择: 培训机构应及时提出开班申请及授课骨干教师的选择倾向。"""

import pytest

from server.applications import service
from server.applications.rules import State
from server.applications.service import Approval, ItemTaken
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import NotYours, Return
from tests import cast, stage
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, application_draft, applied, approved


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
