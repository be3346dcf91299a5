"""第四条（一）培训信息报送: 制定本机构培训计划，按要求报送省级管理部门审核，并根据培训计划适时开展培训招生工作。"""

import pytest

from server.applications import service as applications
from server.applications.service import NotInPlan
from server.institutions.rules import Level
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import NotYours, Return, Review
from server.plans import service as plans
from server.plans.documents import PlanFilter
from server.plans.rules import State
from server.plans.service import PlanDraft
from tests.planning import (
    CENTRE,
    CHANGZHOU,
    HEBEI,
    JIANGSU,
    XINGTAI,
    YEAR,
    application_draft,
    approved,
    begun,
    draft_of,
    item,
    submitted,
)


async def test_an_institution_makes_its_own_plan_and_reports_it_to_its_province(platform: Platform) -> None:
    plan = await submitted(platform)
    assert (plan.institution_name, plan.state) == ("邢台技师学院", State.SUBMITTED)
    [waiting] = await plans.list_plans(platform, HEBEI, PlanFilter(state=State.SUBMITTED))
    assert waiting == plan
    assert await plans.list_plans(platform, JIANGSU, PlanFilter()) == []


async def test_the_province_reviews_it_and_gives_its_reasons(platform: Platform) -> None:
    plan = await submitted(platform)
    with pytest.raises(NotFound):
        await plans.approve(platform, JIANGSU, plan.id, Review(seen=len(plan.history)))
    with pytest.raises(NotYours, match="plan-not-yours: "):
        await plans.approve(platform, CENTRE, plan.id, Review(seen=len(plan.history)))
    returned = await plans.send_back(
        platform, HEBEI, plan.id, Return(seen=len(plan.history), reason="请把四月的班移到五月。")
    )
    assert returned.history[-1].reason == "请把四月的班移到五月。"
    moved = PlanDraft(items=[draft_of(returned)[0].model_copy(update={"month": 5})])
    amended = await plans.amend(platform, XINGTAI, plan.id, moved, len(returned.history))
    again = await plans.submit(platform, XINGTAI, plan.id, len(amended.history))
    done = await plans.approve(platform, HEBEI, plan.id, Review(seen=len(again.history)))
    assert (done.state, done.items[0].month) == (State.APPROVED, 5)


@pytest.mark.parametrize(
    ("level", "major"), [(Level.BACKBONE, "01"), (Level.ONE, "01")], ids=["骨干教师", "一级"]
)
async def test_a_base_plans_only_what_article_4_gives_it(
    platform: Platform, level: Level, major: str
) -> None:
    """师资研修中心负责骨干教师培训，以及……一级教师培训；教师培训基地负责……二、三级教师培训。"""
    plan = await begun(platform)
    draft = PlanDraft(items=[item(level=level, major=major)])
    with pytest.raises(Invalid) as refused:
        await plans.amend(platform, XINGTAI, plan.id, draft, len(plan.history))
    assert "第四条" in refused.value.fields[0].message
    await plans.begin(platform, CHANGZHOU, YEAR, draft)


async def test_training_follows_the_plan(platform: Platform) -> None:
    """根据培训计划适时开展培训招生工作: no class without an approved plan that holds it."""
    plan = await submitted(platform)
    with pytest.raises(NotInPlan, match="第四条"):
        await applications.apply(platform, XINGTAI, plan.id, plan.items[0].id, application_draft())


async def test_the_centre_reads_every_plan(platform: Platform) -> None:
    plan = await approved(platform)
    assert await plans.list_plans(platform, CENTRE, PlanFilter(year=YEAR)) == [plan]
