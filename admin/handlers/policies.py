"""What the guide leaves open: the values in force, their history, and a new one by the centre."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.policies import PolicyChange, PolicyState
from server.kernel.web import Route, allow


class PolicyTable(PageHandler):
    @allow(Permission.POLICIES_READ)
    async def get(self) -> None:
        today = beijing_date(self.platform.clock.now())
        states = await policies.overview(self.platform, today)
        self.render_page(
            "policies/list.html",
            policies=states,
            may_change=holds(self.actor, Permission.POLICIES_CHANGE),
        )


class ChangeForm(BaseModel):
    value: Annotated[str, Field(title="数值", max_length=20)]
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Annotated[str, Field(title="理由", min_length=2, max_length=500)]


class OnePolicy(PageHandler):
    @allow(Permission.POLICIES_READ)
    async def get(self, key: str) -> None:
        self._show(await self._policy(key), NO_ERRORS)

    @allow(Permission.POLICIES_CHANGE)
    async def post(self, key: str) -> None:
        policy = await self._policy(key)
        try:
            wanted = PolicyChange(key=key, **self.form(ChangeForm).model_dump())
            version = await policies.change(self.platform, self.actor, wanted)
        except Problem as problem:
            return self._show(policy, self.refuse(problem))
        self.flash(f"已核定“{policy.title}”，自 {version.effective_from} 起执行。")
        return self.see_other("/admin/policies")

    async def _policy(self, key: str) -> PolicyState:
        today = beijing_date(self.platform.clock.now())
        for policy in await policies.overview(self.platform, today):
            if policy.key == key:
                return policy
        raise NotFound("没有这项政策。")

    def _show(self, policy: PolicyState, outcome: dict[str, Any]) -> None:
        self.render_page(
            "policies/one.html",
            policy=policy,
            may_change=holds(self.actor, Permission.POLICIES_CHANGE),
            **outcome,
        )


ROUTES: list[Route] = [
    (r"/admin/policies", PolicyTable),
    (r"/admin/policies/(?P<key>[a-z_]{1,40})", OnePolicy),
]
