"""Annual training plans: an institution plans and submits, its province approves or returns, the centre reads all (article 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.institutions import service as institutions
from server.institutions.rules import Level
from server.kernel import history, money
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
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


class PlanBegun(Conflict):
    slug = "plan-begun"
    title = "已有正在编制的一版"
    default_detail = (
        "同事已经开始编制这一年的计划，您填写的内容还没有保存。请打开正在编制的一版，在那里补上。"
    )


@dataclass(frozen=True)
class PlanRecord:
    """A version with all others of the same plan, the latest first, and what it changes of the one before it."""

    plan: Plan
    versions: list[Plan]
    before: Plan | None
    changes: list[Change]


# ---- the institution


async def begin(platform: Platform, actor: Actor, year: int, draft: PlanDraft) -> Plan:
    """Makes the next version of the actor's plan of `year`, with its first items; before them nothing is there.

    Sent twice, it answers the same. Raises Invalid for a year that is not this one or the next, without an item, or at an item's row,
    PlanBegun when another version is on its way, NotYours.
    """
    try:
        return await _begin(platform, actor, year, draft)
    except DuplicateKeyError:  # a colleague was first
        return await _begin(platform, actor, year, draft)


@transactional
async def _begin(unit: UnitOfWork, year: int, draft: PlanDraft) -> Plan:
    rules.STEPS.require_right(Action.BEGIN, unit.actor.roles)
    institution = await institutions.institution(unit, unit.actor, unit.actor.institution_code or "")
    versions = await store.versions(unit, institution.id, year)
    standing = _standing(versions)
    if standing is not None and standing.state in rules.OPEN:
        if _said(standing.items) != _said(draft.items):
            raise PlanBegun()
        unit.nothing_written()
        return standing
    rules.check_year(year, beijing_date(unit.now))
    rules.check_complete(draft.items)
    new = Plan(
        institution_code=institution.id,
        institution_name=institution.name,
        province_code=institution.province_code,
        year=year,
        version=_next_number(versions),
        state=State.DRAFT,
        items=_items(draft, standing.items if standing else []),
        history=[history.step(unit, Action.BEGIN)],
    )
    await _require_qualified(unit, new, new.items)
    await store.insert(unit, new)
    unit.audit("plans:begin", new.id, year=year, version=new.version, items=len(new.items))
    return new


def _items(draft: PlanDraft, before: Sequence[PlanItem]) -> list[PlanItem]:
    """The items of a draft; one that was there before keeps its id."""
    known = {item.id for item in before}
    return [
        PlanItem(**one.model_dump(exclude={"id"}), id=one.id if one.id in known and one.id else new_id())
        for one in draft.items
    ]


def _said(items: Sequence[PlanItem | ItemDraft]) -> list[dict[str, object]]:
    return [one.model_dump(exclude={"id"}) for one in items]


def _next_number(versions: Sequence[Plan]) -> int:
    return versions[0].version + 1 if versions else 1


def _standing(versions: Sequence[Plan]) -> Plan | None:
    """The latest version that was not given up."""
    return next((one for one in versions if one.state is not State.DISCARDED), None)


@transactional
async def amend(unit: UnitOfWork, plan_id: str, draft: PlanDraft, seen: int) -> Plan:
    """Replaces the items of a draft or returned version. Raises Invalid at the item's row, NotInThisState, NotYours, Overtaken."""
    plan = await get_plan(unit, unit.actor, plan_id)
    rules.STEPS.after(plan.state, Action.AMEND, unit.actor.roles)
    items = _items(draft, plan.items)
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


@transactional
async def withdraw(unit: UnitOfWork, plan_id: str, wanted: Withdrawal) -> Plan:
    """Takes a version back from the province before it has decided; it can be amended again."""
    plan = await get_plan(unit, unit.actor, plan_id)
    unit.audit("plans:withdraw", plan.id, version=plan.version, reason=wanted.reason)
    return await take(unit, rules.STEPS, plan, Action.WITHDRAW, wanted.reason, seen=wanted.seen)


@transactional
async def discard(unit: UnitOfWork, plan_id: str, wanted: Withdrawal) -> Plan:
    """Gives up a draft or returned version: the one in force stays, and the next begins where it stood before."""
    plan = await get_plan(unit, unit.actor, plan_id)
    unit.audit("plans:discard", plan.id, version=plan.version, reason=wanted.reason)
    return await take(unit, rules.STEPS, plan, Action.DISCARD, wanted.reason, seen=wanted.seen)


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
        await take(
            unit, rules.STEPS, before, Action.SUPERSEDE, changes={"to_apply": [], "to_apply_since": {}}
        )
    unit.audit("plans:approve", plan.id, version=plan.version)
    left = rules.to_apply(before.items if before else (), before.to_apply if before else (), plan.items)
    same = {one.id for one in before.items if one in plan.items} if before else set()
    since = {one: before.waits_since(one) if before and one in same else unit.now for one in left}
    changes = {"to_apply": left, "to_apply_since": since}
    return await take(
        unit, rules.STEPS, plan, Action.APPROVE, review.comment, seen=review.seen, changes=changes
    )


@transactional
async def send_back(unit: UnitOfWork, plan_id: str, wanted: Return) -> Plan:
    """Returns a version to its institution with a reason."""
    plan = await get_plan(unit, unit.actor, plan_id)
    unit.audit("plans:return", plan.id, version=plan.version, reason=wanted.reason)
    return await take(unit, rules.STEPS, plan, Action.RETURN, wanted.reason, seen=wanted.seen)


# ---- part of an application


async def take_item(unit: UnitOfWork, plan: Plan, item_id: str) -> None:
    """Part of an application: it holds an item of this plan, which the caller has fetched."""
    await store.take_item(unit, plan.id, item_id)


async def give_item_back(unit: UnitOfWork, institution_code: str, year: int, item_id: str) -> None:
    """Part of its end: if the plan in force has the item, somebody has to apply for it again."""
    await store.give_item_back(unit, institution_code, year, item_id, unit.now)


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
    before = _standing([one for one in versions if one.version < plan.version])
    changes = [] if before is None else rules.difference(before.items, plan.items)
    return PlanRecord(plan, versions, before, changes)


async def plan_of_year(scope: Scope, actor: Actor, year: int) -> tuple[Plan | None, int]:
    """The version of the actor's own plan of a year that is on its way, else the one in force; and the number of the next."""
    versions = await store.versions(scope, actor.institution_code or "", year)
    return _standing(versions), _next_number(versions)


async def list_plans(
    platform: Platform, actor: Actor, narrowed: PlanFilter, *, before: str | None = None, limit: int = 20
) -> list[Plan]:
    """The versions in the actor's jurisdiction, newest first; those that were given up only where they are asked for."""
    return await store.plans(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def on_their_way(
    platform: Platform, actor: Actor, narrowed: PlanFilter, *, after: str | None, limit: int
) -> list[Plan]:
    """The versions in the actor's jurisdiction that are drafted, filed or returned, the oldest first, later than the id `after`."""
    return await store.on_their_way(platform, actor.jurisdiction, narrowed, after=after, limit=limit)


async def with_items_to_apply(
    platform: Platform, actor: Actor, narrowed: PlanFilter, *, begin: str | None, limit: int
) -> list[Plan]:
    """The versions in force, of this year and later, that have an item for which somebody has still to apply: oldest first, from the id
    `begin` on."""
    this_year = beijing_date(platform.clock.now()).year
    return await store.with_items_to_apply(
        platform, actor.jurisdiction, narrowed, this_year, begin=begin, limit=limit
    )


async def plan_in_force(scope: Scope, institution_code: str, year: int) -> Plan | None:
    """The approved version of an institution that the caller has established as its own or in its reach."""
    return await store.approved(scope, institution_code, year)
