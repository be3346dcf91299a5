"""One way of a step: a form posted to a page, one service call, words on success, the page again with what was typed and what is wrong.

class OnePlan(PageHandler):
    address = "/admin/plans/{plan_id}"
    get = shows(Permission.PLANS_READ)

    async def show(self, plan_id: str, outcome: Outcome = NO_ERRORS) -> None: ...


@step(OnePlan, Permission.PLANS_REVIEW)
async def approve(page: OnePlan, plan_id: str) -> str:
    plan = await service.approve(page.platform, page.actor, plan_id, page.form(Review))
    return f"已批准{plan.name}。"


ROUTES = [(_PLAN, OnePlan), (rf"{_PLAN}/approve", approve)]
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from admin.handler import PageHandler
from server.kernel.errors import NotFound, Problem
from server.kernel.permissions import Permission
from server.kernel.reasons import Reason
from server.kernel.web import allow

Page = TypeVar("Page", bound=PageHandler)


@dataclass(frozen=True)
class Done:
    """A step that was taken: its words stand on the page at `address`. `kind`: success, warning or danger."""

    said: str
    address: str
    kind: str = "success"


class ReasonForm(BaseModel):
    """Of a step that needs nothing but a reason."""

    reason: Reason


def shows(permission: Permission) -> Callable[..., Awaitable[None]]:
    """The `get` of a page that is shown as it is, by its own `show`."""

    async def get(page: Any, **ids: str) -> None:
        await page.show(**ids)

    return allow(permission)(get)


def step(
    page: type[Page], permission: Permission, *, rate: str | None = None, body: int | None = None
) -> Callable[[Callable[..., Awaitable[str | Done | None]]], type[Page]]:
    """Makes a function the handler of a step that belongs to `page`; a step that only gives words leads back to the page's address,
    and one that gives None has answered by itself: a first password is shown once, and never again.

    A refusal shows the page again with its status, and `wrong` names the step whose form came back; what does not exist, or is out of
    reach, is an error page. What the address names goes to the function as to the page's `show`.
    """

    def declare(take: Callable[..., Awaitable[str | Done | None]]) -> type[Page]:
        async def post(self: Any, **ids: str) -> None:
            try:
                done = await take(self, **ids)
            except NotFound:
                raise
            except Problem as problem:
                await self.show(**ids, outcome=self.refuse(problem, wrong=take.__name__))
                return
            if done is None:
                return
            if isinstance(done, str):
                done = Done(done, self.address.format(**ids))
            if done.said:
                self.flash(done.said, done.kind)
            self.see_other(done.address)

        members = {
            "post": allow(permission, rate=rate, body=body)(post),
            "__module__": take.__module__,
            "__doc__": take.__doc__,
        }
        return cast(type[Page], type(take.__name__, (page,), members))

    return declare
