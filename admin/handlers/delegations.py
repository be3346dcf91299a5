"""请假代办: who stands in for whom, and in whose place this log-in acts."""

from __future__ import annotations

from functools import partial

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import Query, one_page
from admin.steps import Done, WordForm, shows, step
from server.accounts import delegations
from server.accounts.delegations import PAGE, DelegationDraft
from server.kernel.permissions import Permission
from server.kernel.web import Route


class Delegations(PageHandler):
    address = PAGE
    get = shows(Permission.ACCOUNTS_OWN)

    async def show(self, delegation_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        """The same page whichever delegation a step names."""
        fetch = partial(delegations.list_delegations, self.platform, self.actor)
        colleagues = await delegations.colleagues(self.platform, self.actor)
        self.render_page(
            "accounts/delegations.html",
            **await one_page(
                self, PAGE, self.query(Query), lambda before, limit: fetch(before=before, limit=limit)
            ),
            colleagues=[(one.id, one.name) for one in colleagues],
            offered=await delegations.offered(self.platform, self.actor),
            may_end=partial(delegations.may_end, self.actor, today=self.today),
            **outcome,
        )


@step(Delegations, Permission.ACCOUNTS_OWN, rate="10/day", rate_by="account")
async def delegate(page: Delegations) -> str:
    new = await delegations.delegate(page.platform, page.actor, page.form(DelegationDraft))
    return f"已委托{new.to_name}在 {new.from_on} 至 {new.until_on} 代办，到期自动结束。"


@step(Delegations, Permission.ACCOUNTS_OWN)
async def step_back(page: Delegations) -> str:
    await delegations.step_back(page.platform, page.actor)
    return "已回到本人，以后的办理只记您自己的名字。"


@step(Delegations, Permission.ACCOUNTS_OWN)
async def end(page: Delegations, delegation_id: str) -> str:
    reason = page.form(WordForm).reason
    ended = await delegations.end(page.platform, page.actor, delegation_id, reason)
    return f"{ended.to_name}代{ended.from_name}办理已结束。"


@step(Delegations, Permission.ACCOUNTS_OWN)
async def stand_in(page: Delegations, delegation_id: str) -> Done:
    found = await delegations.stand_in(page.platform, page.actor, delegation_id)
    return Done(f"从现在起代{found.from_name}办理，办理记录上有两个人的名字。", "/admin")


_ONE = rf"{PAGE}/(?P<delegation_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (PAGE, Delegations),
    (f"{PAGE}/new", delegate),
    (f"{PAGE}/step-back", step_back),
    (rf"{_ONE}/end", end),
    (rf"{_ONE}/stand-in", stand_in),
]
