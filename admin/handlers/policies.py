"""What the guide leaves open: the values in force, their history, and a new one by the centre."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import Filter, Query, Words
from admin.steps import shows, step
from server.kernel import policies
from server.kernel.permissions import Permission
from server.kernel.policies import PolicyChange
from server.kernel.reasons import Reason
from server.kernel.seen import Saving
from server.kernel.web import Route, allow


class PolicyQuery(Query):
    q: Annotated[Words, Filter("政策名称")] = ""


class PolicyTable(PageHandler):
    @allow(Permission.POLICIES_READ)
    async def get(self) -> None:
        query = self.query(PolicyQuery)
        groups = await policies.by_group(self.platform, self.today, query.q)
        self.render_page("policies/list.html", groups=groups, query=query, filters=query.filters(self))


class OnePolicy(PageHandler):
    address = "/admin/policies"
    get = shows(Permission.POLICIES_READ)

    async def show(self, key: str, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page(
            "policies/one.html",
            policy=await policies.state_of(self.platform, key, self.today),
            **outcome,
        )


class ChangeForm(BaseModel):
    value: Annotated[str, Field(title="数值", max_length=20)]
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Reason


@step(OnePolicy, Permission.POLICIES_CHANGE)
async def change(page: OnePolicy, key: str) -> str:
    policy = await policies.state_of(page.platform, key, page.today)
    wanted = PolicyChange(key=key, **page.form(ChangeForm).model_dump())
    version = await policies.change(page.platform, page.actor, wanted, page.form(Saving).seen)
    return f"已核定“{policy.title}”，自 {version.effective_from} 起执行。"


ROUTES: list[Route] = [
    (r"/admin/policies", PolicyTable),
    (r"/admin/policies/(?P<key>[a-z_]{1,40})", change),
]
