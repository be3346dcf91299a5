"""The states of a document as a table: which step leads where, and who may take it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from server.kernel.errors import Problem
from server.kernel.identity import Role

State = TypeVar("State")
Action = TypeVar("Action")
Next = TypeVar("Next")
"""The states that a step can lead to; `State` may hold one more: that of what is not there yet."""


@dataclass(frozen=True)
class StateTable(Generic[State, Action, Next]):
    """(state, action) → state with who may act; everything else is refused in the chapter's own words."""

    steps: Mapping[tuple[State, Action], Next]
    may_act: Mapping[Action, frozenset[Role]]
    """What nobody may do is what the platform does by itself: its actor has no role."""
    not_yours: Callable[[Action], Problem]
    no_such_step: Callable[[State, Action], Problem]

    def require_right(self, action: Action, roles: Collection[Role]) -> None:
        """Raises `not_yours` for whoever may never take this step."""
        may = self.may_act[action]
        if not may & frozenset(roles) and may != frozenset(roles):
            raise self.not_yours(action)

    def after(self, state: State, action: Action, roles: Collection[Role]) -> Next:
        """The state that `action` leads to. Raises `not_yours`, or `no_such_step` where the table has none."""
        self.require_right(action, roles)
        if (state, action) not in self.steps:
            raise self.no_such_step(state, action)
        return self.steps[state, action]
