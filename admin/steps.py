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
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound, Problem
from server.kernel.permissions import Permission
from server.kernel.reasons import Reason, ShortReason
from server.kernel.web import allow

Page = TypeVar("Page", bound=PageHandler)


@dataclass(frozen=True)
class Done:
    """A step that was taken: its words stand on the page at `address`. `kind`: success, warning or danger."""

    said: str
    address: str
    kind: str = "success"


CHOSEN_MOST = 500
"""Rows of one page."""


class Chosen(BaseModel):
    """The rows that were ticked, each by its id, or by id and what of it was seen: "…-3"."""

    chosen: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{24}(-[0-9]{1,4})?$")]],
        Field(title="所选", min_length=1, max_length=CHOSEN_MOST),
    ]


@dataclass(frozen=True)
class Batch:
    """What became of a step that was taken for several rows, where it was not taken for all: each of the others with its reason."""

    said: str
    done: int
    refused: list[tuple[str, str]]


class NothingMore(BaseModel):
    """Of a step that needs nothing but its rows."""


class ReasonForm(BaseModel):
    """Of a step that needs nothing but a reason."""

    reason: Reason


class WordForm(BaseModel):
    """The same where a word may be the whole of it."""

    reason: ShortReason


def shows(permission: Permission) -> Callable[..., Awaitable[None]]:
    """The `get` of a page that is shown as it is, by its own `show`."""

    async def get(page: Any, **ids: str) -> None:
        await page.show(**ids)

    return allow(permission)(get)


def step(
    page: type[Page],
    permission: Permission,
    *,
    rate: str | None = None,
    rate_by: str = "address",
    body: int | None = None,
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
            "post": allow(permission, rate=rate, rate_by=rate_by, body=body)(post),
            "__module__": take.__module__,
            "__doc__": take.__doc__,
        }
        return cast(type[Page], type(take.__name__, (page,), members))

    return declare


def batch(
    page: type[Page],
    permission: Permission,
    said: str,
    called: Callable[..., Awaitable[str]],
    form: type[BaseModel] = NothingMore,
) -> Callable[[Callable[..., Awaitable[object]]], type[Page]]:
    """Makes a function that takes a step for one row (page, row, what `form` read, names of the address) the handler of that step for all
    rows that were ticked. Each is a use case of its own: what is refused for one is done for the others, and the page lists it by the
    name that `called` gives. `said` has a place for how many were done.
    """

    def declare(take: Callable[..., Awaitable[object]]) -> type[Page]:
        async def post(self: Any, **ids: str) -> None:
            try:
                if not self.get_body_arguments("chosen"):
                    raise Invalid(fields=[FieldError("chosen", "请先在表中勾选。")])
                rows, given = list(dict.fromkeys(self.form(Chosen).chosen)), self.form(form)
            except Problem as problem:
                await self.show(**ids, outcome=self.refuse(problem, wrong=take.__name__))
                return
            refused = []
            for row in rows:
                try:
                    await take(self, row, given, **ids)
                except Problem as problem:
                    why = problem.fields[0].message if problem.fields else problem.detail
                    refused.append((await _name(called, self, row, **ids), why))
            done = Batch(said.format(len(rows) - len(refused)), len(rows) - len(refused), refused)
            if not refused:
                self.flash(done.said)
                self.see_other(self.address.format(**ids))
                return
            self.set_status(207 if done.done else Conflict.status)
            await self.show(**ids, outcome=NO_ERRORS | {"batch": done})

        members = {"post": allow(permission)(post), "__module__": take.__module__, "__doc__": take.__doc__}
        return cast(type[Page], type(take.__name__, (page,), members))

    return declare


async def _name(called: Callable[..., Awaitable[str]], page: PageHandler, row: str, **ids: str) -> str:
    """What a row is called that a step was refused for; perhaps it is not there any more."""
    try:
        return await called(page, row, **ids)
    except NotFound:
        return "已不在列表中的一项"
