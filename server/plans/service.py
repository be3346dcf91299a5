"""Annual training plans: an institution plans and submits, its province approves or returns, the centre reads all (article 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.institutions import service as institutions
from server.institutions.rules import Level
from server.kernel import history, money, reviewed
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Waiting
from server.plans import rules, store
from server.plans.documents import Plan, PlanFilter
from server.plans.rules import Action, Change, PlanItem, State


class ItemDraft(BaseModel):
    """`id` is that of the item as an earlier version has it; none for a new one."""

    id: str | None = None
    level: Annotated[Level, Field(title="级别")]
    major: Annotated[str, Field(title="专业大类", pattern=r"^[0-9]{2}$")]
    title: Annotated[str, Field(title="名称", min_length=4, max_length=60)]
    month: Annotated[int, Field(title="月份", ge=1, le=12)]
    places: Annotated[int, Field(title="人数", ge=1, le=2000)]
    class_hours: Annotated[int, Field(title="课时", ge=1, le=2000)]
    budget_fen: Annotated[int, Field(title="预算", ge=0, le=money.LARGEST_FEN)]


class PlanDraft(BaseModel):
    items: Annotated[list[ItemDraft], Field(title="计划项目", max_length=rules.ITEMS_MOST)]


@dataclass(frozen=True)
class PlanRecord:
    """A version with all others of the same plan, the latest first, and what it changes of the one before it."""

    plan: Plan
    versions: list[Plan]
    before: Plan | None
    changes: list[Change]


# ---- the institution


async def begin(platform: Platform, actor: Actor, year: int) -> Plan:
    """The version of the actor's plan of `year` that is on its way: the open one, else a new draft that starts from the latest.

    Asked for twice, it answers the same. Raises Invalid for a year that is not this one or the next, NotYours.
    """
    try:
        return await _begin(platform, actor, year)
    except DuplicateKeyError:  # a colleague was first
        return await _begin(platform, actor, year)


@transactional
async def _begin(unit: UnitOfWork, year: int) -> Plan:
    rules.STEPS.require_right(Action.BEGIN, unit.actor.roles)
    institution = await institutions.institution(unit, unit.actor, unit.actor.institution_code or "")
    versions = await store.versions(unit, institution.id, year)
    latest = versions[0] if versions else None
    if latest is not None and latest.state in rules.OPEN:
        unit.nothing_written()
        return latest
    rules.check_year(year, beijing_date(unit.now))
    new = Plan(
        institution_code=institution.id,
        institution_name=institution.name,
        province_code=institution.province_code,
        year=year,
        version=1 if latest is None else latest.version + 1,
        state=State.DRAFT,
        items=[] if latest is None else latest.items,
        history=[history.step(unit, Action.BEGIN)],
    )
    await store.insert(unit, new)
    unit.audit("plans:begin", new.id, year=year, version=new.version)
    return new


@transactional
async def amend(unit: UnitOfWork, plan_id: str, draft: PlanDraft, seen: int) -> Plan:
    """Replaces the items of a draft or returned version. Raises Invalid at the item's row, NotInThisState, NotYours, Overtaken."""
    plan = await get_plan(unit, unit.actor, plan_id)
    rules.STEPS.after(plan.state, Action.AMEND, unit.actor.roles)
    known = {item.id for item in plan.items}
    items = [
        PlanItem(**one.model_dump(exclude={"id"}), id=one.id if one.id in known and one.id else new_id())
        for one in draft.items
    ]
    await _require_qualified(unit, plan, items)
    unit.audit("plans:amend", plan.id, items=len(items))
    return await take(unit, rules.STEPS, plan, Action.AMEND, seen=seen, changes={"items": items})


@transactional
async def submit(unit: UnitOfWork, plan_id: str, seen: int) -> Plan:
    """Reports a version to the province (article 4.1). Raises Invalid when it is empty or no longer covered by a qualification."""
    plan = await get_plan(unit, unit.actor, plan_id)
    rules.STEPS.after(plan.state, Action.SUBMIT, unit.actor.roles)
    rules.check_complete(plan.items)
    await _require_qualified(unit, plan, plan.items)
    unit.audit("plans:submit", plan.id, version=plan.version, items=len(plan.items))
    return await take(unit, rules.STEPS, plan, Action.SUBMIT, seen=seen)


async def _require_qualified(unit: UnitOfWork, plan: Plan, items: list[PlanItem]) -> None:
    institution = await institutions.institution(unit, unit.actor, plan.institution_code)
    rules.check_items(items, institution.qualifications, plan.year)


# ---- the province


@transactional
async def approve(unit: UnitOfWork, plan_id: str, review: Review) -> Plan:
    """Puts a version in force; the one that was in force before is superseded in the same moment (article 25.4)."""
    plan = await get_plan(unit, unit.actor, plan_id)
    rules.STEPS.after(plan.state, Action.APPROVE, unit.actor.roles)
    before = await store.approved(unit, plan.institution_code, plan.year)
    if before is not None:
        unit.audit("plans:supersede", before.id, version=before.version)
        await take(unit, rules.STEPS, before, Action.SUPERSEDE)
    unit.audit("plans:approve", plan.id, version=plan.version)
    return await take(unit, rules.STEPS, plan, Action.APPROVE, seen=review.seen)


@transactional
async def send_back(unit: UnitOfWork, plan_id: str, wanted: Return) -> Plan:
    """Returns a version to its institution with a reason."""
    plan = await get_plan(unit, unit.actor, plan_id)
    unit.audit("plans:return", plan.id, version=plan.version, reason=wanted.reason)
    return await take(unit, rules.STEPS, plan, Action.RETURN, wanted.reason, seen=wanted.seen)


# ---- reading


async def get_plan(scope: Scope, actor: Actor, plan_id: str) -> Plan:
    """A version in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.plan(scope, actor.jurisdiction, plan_id)
    if found is None:
        raise NotFound("没有这份培训计划，或不在您的管理范围内。")
    return found


async def plan_record(platform: Platform, actor: Actor, plan_id: str) -> PlanRecord:
    """A version with its siblings and what it changes. Raises NotFound."""
    plan = await get_plan(platform, actor, plan_id)
    versions = await store.versions(platform, plan.institution_code, plan.year)
    before = next((one for one in versions if one.version < plan.version), None)
    changes = [] if before is None else rules.difference(before.items, plan.items)
    return PlanRecord(plan, versions, before, changes)


async def list_plans(
    platform: Platform, actor: Actor, narrowed: PlanFilter, *, before: str | None = None, limit: int = 20
) -> list[Plan]:
    """The versions in the actor's jurisdiction, newest first."""
    return await store.plans(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def plan_in_force(scope: Scope, institution_code: str, year: int) -> Plan | None:
    """The approved version of an institution that the caller has established as its own or in its reach."""
    return await store.approved(scope, institution_code, year)


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """Returned plans wait for their institution, submitted ones for their province."""
    return await reviewed.waiting(platform, actor, rules.STEPS, Plan, "/admin/plans")
