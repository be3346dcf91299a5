"""Random officers do random things to plans and applications on the real database: no step but the tables', none without its audit entry.

Each example is a story: a list of (who, what). After every act the document is where the table says, or where it was; the trail has one
entry more for each document that changed, and none when the act was refused.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.applications import rules as application_rules
from server.applications import service as applications
from server.applications.documents import Application
from server.applications.service import Approval, NewDates
from server.kernel.errors import NotFound, Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review, Withdrawal
from server.plans import rules as plan_rules
from server.plans import service as plans
from server.plans.documents import Plan
from server.plans.service import PlanDraft
from tests import stage
from tests.examples import examples
from tests.planning import (
    CENTRE,
    HEBEI,
    JIANGSU,
    XINGTAI,
    YANGZHOU,
    application_draft,
    applied,
    approved,
    begun,
    item,
)

OFFICERS = {"centre": CENTRE, "hebei": HEBEI, "jiangsu": JIANGSU, "xingtai": XINGTAI, "yangzhou": YANGZHOU}
IN_REACH = {"centre", "hebei", "xingtai"}
# Those whose act it is come up more often: a story should get somewhere.
who = st.sampled_from([*OFFICERS, "xingtai", "xingtai", "hebei", "hebei"])


@dataclass
class Counted:
    """What the database holds besides the document itself."""

    entries: int
    classes: int


async def counted(platform: Platform) -> Counted:
    return Counted(await platform["audit"].count_documents({}), await platform["classes"].count_documents({}))


async def refusal_of(act: Awaitable[Any]) -> Problem | None:
    try:
        await act
    except Problem as problem:
        return problem
    return None


def plan_act(platform: Platform, officer: Actor, plan: Plan, action: plan_rules.Action) -> Awaitable[Any]:
    seen = len(plan.history)
    match action:
        case plan_rules.Action.AMEND:
            return plans.amend(platform, officer, plan.id, PlanDraft(items=[item(places=seen)]), seen)
        case plan_rules.Action.SUBMIT:
            return plans.submit(platform, officer, plan.id, seen)
        case plan_rules.Action.APPROVE:
            return plans.approve(platform, officer, plan.id, Review(seen=seen))
        case plan_rules.Action.WITHDRAW:
            return plans.withdraw(platform, officer, plan.id, Withdrawal(seen=seen, reason="还要修改"))
        case plan_rules.Action.DISCARD:
            return plans.discard(platform, officer, plan.id, Withdrawal(seen=seen, reason="不再办理"))
        case _:
            return plans.send_back(platform, officer, plan.id, Return(seen=seen, reason="请再核对一遍。"))


PLAN_ACTS = [
    plan_rules.Action.AMEND,
    plan_rules.Action.SUBMIT,
    plan_rules.Action.APPROVE,
    plan_rules.Action.RETURN,
    plan_rules.Action.WITHDRAW,
    plan_rules.Action.DISCARD,
]


@examples(20)
@given(st.lists(st.tuples(who, st.sampled_from(PLAN_ACTS)), min_size=4, max_size=16), st.booleans())
async def test_a_plan_goes_only_where_its_table_says(
    platform: Platform, story: list[tuple[str, plan_rules.Action]], second: bool
) -> None:
    await stage.clear(platform)
    older = await approved(platform) if second else None
    plan = await begun(platform)
    for name, action in story:
        officer, before = OFFICERS[name], await counted(platform)
        refused = await refusal_of(plan_act(platform, officer, plan, action))
        now = await plans.get_plan(platform, CENTRE, plan.id)
        entries = (await counted(platform)).entries - before.entries
        allowed = (
            name in IN_REACH
            and officer.roles & plan_rules.STEPS.may_act(action)
            and (plan.state, action) in plan_rules.STEPS.transitions
        )
        empty = action is plan_rules.Action.SUBMIT and not plan.items
        if allowed and not empty:
            superseded = action is plan_rules.Action.APPROVE and older is not None
            assert refused is None
            assert now.state is plan_rules.STEPS.transitions[plan.state, action]
            assert [*plan.history, now.history[-1]] == now.history
            assert (now.history[-1].actor_id, entries) == (officer.id, 2 if superseded else 1)
        else:
            assert refused is not None and now == plan and entries == 0
            assert isinstance(refused, NotFound) == (name not in IN_REACH)
        plan = now
    in_force = [
        one async for one in platform["plans"].find({"state": plan_rules.State.APPROVED}, {"version": 1})
    ]
    assert len(in_force) == (1 if older or plan.state is plan_rules.State.APPROVED else 0)


def application_act(
    platform: Platform, officer: Actor, one: Application, action: application_rules.Action
) -> Awaitable[Any]:
    seen = len(one.history)
    match action:
        case application_rules.Action.RESUBMIT:
            return applications.resubmit(platform, officer, one.id, application_draft(places=seen), seen)
        case application_rules.Action.APPROVE:
            return applications.approve(platform, officer, one.id, Approval(seen=seen))
        case application_rules.Action.RETURN:
            wanted = Return(seen=seen, reason="请再核对一遍。")
            return applications.send_back(platform, officer, one.id, wanted)
        case application_rules.Action.RETURN_FOR_DATES:
            wanted = Return(seen=seen, reason="请改到下一个月。")
            return applications.send_back_for_dates(platform, officer, one.id, wanted)
        case application_rules.Action.REDATE:
            dates = NewDates(seen=seen, starts_on=one.starts_on, ends_on=one.ends_on)
            return applications.redate(platform, officer, one.id, dates)
        case _:
            return applications.withdraw(platform, officer, one.id, Withdrawal(seen=seen, reason="计划有变"))


APPLICATION_ACTS = [
    application_rules.Action.RESUBMIT,
    application_rules.Action.APPROVE,
    application_rules.Action.RETURN,
    application_rules.Action.RETURN_FOR_DATES,
    application_rules.Action.REDATE,
    application_rules.Action.WITHDRAW,
]


@examples(20)
@given(st.lists(st.tuples(who, st.sampled_from(APPLICATION_ACTS)), min_size=4, max_size=16))
async def test_an_application_goes_only_where_its_table_says_and_makes_one_class_at_most(
    platform: Platform, story: list[tuple[str, application_rules.Action]]
) -> None:
    await stage.clear(platform)
    one = await applied(platform)
    for name, action in story:
        officer, before = OFFICERS[name], await counted(platform)
        refused = await refusal_of(application_act(platform, officer, one, action))
        now = await applications.get_application(platform, CENTRE, one.id)
        after = await counted(platform)
        allowed = (
            name in IN_REACH
            and officer.roles & application_rules.STEPS.may_act(action)
            and (one.state, action) in application_rules.STEPS.transitions
            and not (action is application_rules.Action.RESUBMIT and one.only_dates)
        )
        if allowed:
            makes = action is application_rules.Action.APPROVE
            assert refused is None
            assert now.state is application_rules.STEPS.transitions[one.state, action]
            assert [*one.history, now.history[-1]] == now.history
            assert after.entries - before.entries == (2 if makes else 1)
            assert after.classes - before.classes == (1 if makes else 0)
        else:
            assert refused is not None and now == one and after == before
            assert isinstance(refused, NotFound) == (name not in IN_REACH)
        one = now
    assert (one.class_id is not None) == (one.state is application_rules.State.APPROVED)
