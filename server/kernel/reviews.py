"""How something is drafted, filed, returned, approved, withdrawn, replaced, said once. Pure.

A chapter's `rules` state their procedure as data: whose each step is and where it leads, what is told to whoever cannot take it, and
what waits for whom. `kernel.reviewed` takes the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sized
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field

from server.kernel.errors import Conflict, Forbidden, Problem
from server.kernel.identity import Role
from server.kernel.reasons import OptionalReason, Reason
from server.kernel.titled import Titled

State = TypeVar("State")
Action = TypeVar("Action")

NOBODY: frozenset[Role] = frozenset()
"""Whose step it is that the platform takes by itself: its actor has no role."""
PROVINCE = frozenset({Role.PROVINCE})
CENTRE = frozenset({Role.NATIONAL_CENTRE})


@dataclass(frozen=True)
class By(Generic[State]):
    """Whose a step is, and from which state it leads to which; None is the state of what is not there yet."""

    who: frozenset[Role]
    leads: Mapping[State | None, State] = field(default_factory=dict)
    """Empty for what only begins: everything that is made has its first state by being made."""


@dataclass(frozen=True)
class Waits(Generic[State]):
    """What is in `state` waits for `who`; `title` is the line of their home page on 工作台."""

    who: frozenset[Role]
    state: State
    title: str
    told: bool = True
    """Whether others see that it waits: a draft is nobody else's business."""


@dataclass(frozen=True)
class Procedure(Generic[State, Action]):
    """Each action with whose it is and where it leads; everything else is refused in the chapter's own words."""

    steps: Mapping[Action, By[State]]
    not_yours: Callable[[Action], Problem]
    not_now: Callable[[State | None, Action], Problem]
    overtaken: Callable[[], Problem] = Conflict
    waits: tuple[Waits[State], ...] = ()

    @cached_property
    def transitions(self) -> dict[tuple[State | None, Action], State]:
        """(state, action) → state."""
        return {(now, action): then for action, by in self.steps.items() for now, then in by.leads.items()}

    def may_act(self, action: Action) -> frozenset[Role]:
        return self.steps[action].who if action in self.steps else NOBODY

    def has(self, state: State | None, action: Action) -> bool:
        """Whether there is such a step, whoever may take it."""
        return (state, action) in self.transitions

    def may(self, state: State | None, action: Action, roles: Collection[Role]) -> bool:
        """Whether there is such a step, and it is theirs."""
        return self.has(state, action) and bool(self.may_act(action) & frozenset(roles))

    def require_right(self, action: Action, roles: Collection[Role]) -> None:
        """Raises `not_yours` for whoever may never take this step."""
        may = self.may_act(action)
        if not may & frozenset(roles) and may != frozenset(roles):
            raise self.not_yours(action)

    def require_seen(self, seen: int, history: Sized) -> None:
        """Raises `overtaken` unless the history is as long as it was when somebody read it."""
        if seen != len(history):
            raise self.overtaken()

    def after(self, state: State | None, action: Action, roles: Collection[Role]) -> State:
        """The state that `action` leads to. Raises `not_yours`, or `not_now` where there is no such step."""
        self.require_right(action, roles)
        if not self.has(state, action):
            raise self.not_now(state, action)
        return self.transitions[state, action]


# ---- what is told to whoever cannot take a step: a stable type, a title and what to do


class NotYours(Forbidden):
    """The step is somebody else's (articles 4 and 25)."""


class NotInThisState(Conflict):
    """It is too early or too late for the step."""


class Overtaken(Conflict):
    """Somebody has taken a step since the page was read."""


R = TypeVar("R", bound=Problem)


def _told(problem: R, slug: str, title: str) -> R:
    problem.slug, problem.title = slug, title
    return problem


def not_yours(slug: str, detail: str) -> Callable[[object], Problem]:
    return lambda action: _told(NotYours(detail), slug, "这一步不由您办理")


def not_now(
    slug: str, title: str, now: str, then: str = "请刷新页面，看看现在的情况。"
) -> Callable[[Titled | None, Titled], Problem]:
    """`now` says how it stands and names {state}: 这份申请{state}. `then` is what to do."""
    told = refused(NotInThisState, f"{now}，不能{{action}}。{then}")
    return lambda state, action: _told(told(state, action), slug, title)


def refused(
    problem: type[Problem], detail: str, *, unmade: str = ""
) -> Callable[[Titled | None, Titled], Problem]:
    """A refusal by a problem of the chapter's own, which others know by its class; `detail` names {state} and {action}, and `unmade` is
    what None is called."""
    return lambda state, action: problem(
        detail.format(state=state.label if state else unmade, action=action.label)
    )


def overtaken(
    slug: str,
    title: str,
    what: str,
    words: str = "在您打开页面之后，{what}又有了变动。请刷新页面，核对后再办理。",
) -> Callable[[], Problem]:
    return lambda: _told(Overtaken(words.format(what=what)), slug, title)


# ---- what a reviewer sends


class Review(BaseModel):
    """A decision on what somebody has read: `seen` is the number of steps in its history then."""

    seen: Annotated[int, Field(title="页面", ge=0)]
    comment: Annotated[OptionalReason, Field(title="意见")] = ""
    """What a reviewer says with an approval: it stands in the history, and whoever filed it reads it there."""


class Return(Review):
    reason: Annotated[Reason, Field(title="退回理由")]


class Withdrawal(Review):
    """Its author takes something back while it waits, or gives a draft up."""

    reason: Reason
