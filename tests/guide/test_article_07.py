"""第七条: 骨干教师的培训选拔由师资研修中心举办，统一组织培训及考核，向合格教师核发骨干教师培训合格证书."""

from datetime import date

import pytest

from server.applications import service as applications
from server.applications.service import Approval
from server.certificates import rules as certificates
from server.classes import service as classes
from server.institutions.rules import Level
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.plans import service as plans
from server.plans.service import PlanDraft
from tests import cast
from tests.planning import CHANGZHOU, JIANGSU, XINGTAI, YEAR, application_draft, item

BACKBONE = item(level=Level.BACKBONE, title="骨干教师培训班")


async def test_a_training_centre_plans_applies_for_and_holds_the_training_of_backbone_teachers(
    platform: Platform,
) -> None:
    """推荐符合条件的技工院校教师参加由师资研修中心举办的骨干教师培训选拔。"""
    plan = await plans.begin(platform, CHANGZHOU, YEAR, PlanDraft(items=[BACKBONE]))
    plan = await plans.submit(platform, CHANGZHOU, plan.id, len(plan.history))
    plan = await plans.approve(platform, JIANGSU, plan.id, Review(seen=len(plan.history)))
    wanted = application_draft(name="2026年骨干教师培训班", courses=["工学一体化课程开发"])
    applied = await applications.apply(platform, CHANGZHOU, plan.id, plan.items[0].id, wanted)
    done = await applications.approve(platform, JIANGSU, applied.id, Approval(seen=len(applied.history)))
    assert done.class_id is not None
    held = await classes.get_class(platform, CHANGZHOU, done.class_id)
    assert (held.level, held.level.training) == (Level.BACKBONE, "工学一体化骨干教师培训")


async def test_a_training_base_cannot_plan_the_training_of_backbone_teachers(platform: Platform) -> None:
    """师资研修中心统一组织骨干教师培训及考核。"""
    with pytest.raises(Invalid) as refusal:
        await plans.begin(platform, XINGTAI, YEAR, PlanDraft(items=[BACKBONE]))
    assert any("第四条" in field.message for field in refusal.value.fields)


def test_the_certificate_of_a_backbone_teacher_carries_the_letter_g() -> None:
    """由师资研修中心向合格教师核发工学一体化骨干教师培训合格证书。"""
    year_month = certificates.year_month(date(2022, 12, 5))
    assert certificates.number("32", cast.CHANGZHOU, year_month, Level.BACKBONE, 1) == "32017202212G001"
