"""The classes of an approved plan that nobody has applied for (articles 4.1 and 4.2), for 工作台 and for the list of classes alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.unit_of_work import Scope
from server.plans import service as plans
from server.plans.documents import Plan
from server.plans.rules import PlanItem


@dataclass(frozen=True)
class ToApply:
    """An item of a plan in force, since when it is to be applied for, and until when."""

    plan: Plan
    number: int
    """Of the item in its plan."""
    item: PlanItem
    since: date
    due: date

    @property
    def key(self) -> str:
        """For 催办."""
        return f"plans:{self.plan.id}:{self.item.id}"

    @property
    def form(self) -> str:
        """Where its institution applies."""
        return f"{self.plan.address}/items/{self.item.id}/apply"


def of_plan(plan: Plan, lead_days: int) -> list[ToApply]:
    """In the order of the plan; `lead_days` is the policy `application_lead_days`."""
    found = []
    for number, item in enumerate(plan.items):
        if item.id in plan.to_apply:
            since = beijing_date(plan.waits_since(item.id))
            due = date(plan.year, item.month, 1) - timedelta(days=lead_days)
            found.append(ToApply(plan, number, item, since, max(due, since)))
    return found


async def one(scope: Scope, actor: Actor, plan_id: str, item_id: str, lead_days: int) -> ToApply | None:
    """None for what was applied for, or is no more in force. Raises NotFound for a plan outside the actor's reach."""
    found = of_plan(await plans.get_plan(scope, actor, plan_id), lead_days)
    return next((each for each in found if each.item.id == item_id), None)
