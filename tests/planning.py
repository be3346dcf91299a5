"""Sets the stage for plans and applications: items, plans that a province has approved, and drafts that stand the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from server.applications import service as applications
from server.applications.documents import Application
from server.applications.service import ApplicationDraft
from server.institutions.rules import Level
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.plans import service as plans
from server.plans.documents import Plan
from server.plans.service import ItemDraft, PlanDraft
from tests import cast, stage
from tests.memory import remembered

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)
CHANGZHOU = stage.actor(cast.CHANGZHOU_OFFICER)
YEAR = 2026
COURSES = ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"]


def item(**changes: object) -> ItemDraft:
    """A 三级 class in 机械类 of April, for 40 people and 120,000 yuan."""
    draft: dict[str, object] = {
        "level": Level.THREE,
        "major": "01",
        "title": "机械类三级教师培训班",
        "month": 4,
        "places": 40,
        "class_hours": 80,
        "budget_fen": 12_000_000,
    }
    return ItemDraft.model_validate(draft | changes)


def draft_of(plan: Plan) -> list[ItemDraft]:
    """The items of a version as its form shows them."""
    return [ItemDraft.model_validate(one.model_dump()) for one in plan.items]


@remembered
async def begun(platform: Platform, year: int = YEAR, officer: Actor = XINGTAI) -> Plan:
    """A new version that says what the one in force does, the first one the April item."""
    before, _ = await plans.plan_of_year(platform, officer, year)
    items = draft_of(before) if before else [item()]
    return await plans.begin(platform, officer, year, PlanDraft(items=items))


async def drafted(platform: Platform, items: Sequence[ItemDraft] | None = None, year: int = YEAR) -> Plan:
    """The open version of 邢台, with these items."""
    plan = await begun(platform, year)
    wanted = PlanDraft(items=list(items or [item()]))
    return await plans.amend(platform, XINGTAI, plan.id, wanted, len(plan.history))


@remembered
async def submitted(platform: Platform, items: Sequence[ItemDraft] | None = None) -> Plan:
    plan = await drafted(platform, items)
    return await plans.submit(platform, XINGTAI, plan.id, len(plan.history))


@remembered
async def approved(platform: Platform, items: Sequence[ItemDraft] | None = None) -> Plan:
    """A plan of 邢台 that 河北 has approved."""
    plan = await submitted(platform, items)
    return await plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history)))


def application_draft(**changes: object) -> ApplicationDraft:
    """For the April item, at the school itself."""
    draft: dict[str, object] = {
        "name": "2026年4月机械类三级教师培训班",
        "starts_on": date(2026, 4, 13),
        "ends_on": date(2026, 4, 24),
        "places": 40,
        "class_hours": 80,
        "courses": COURSES,
        "venue": {"name": "实训楼 301", "address": "河北省邢台市信都区示例路 1 号", "stars": None},
    }
    return ApplicationDraft.model_validate(draft | changes)


@remembered
async def applied(platform: Platform, plan: Plan | None = None, **changes: Any) -> Application:
    """An application of 邢台 that waits for 河北; `changes` are those of application_draft."""
    plan = plan or await approved(platform)
    draft = application_draft(**changes)
    return await applications.apply(platform, XINGTAI, plan.id, plan.items[0].id, draft)
