"""Acts and their ways back (README, 办理与退路): each is a case that sets its stage, does the act, and goes back by the services.

A case is an async generator of three parts: up to its first `yield` it sets the stage, up to its second it does the act, and what
follows is the way back. Its key is what the trail notes of both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.admitting import clock_of

Key = tuple[str, str]
Documents = dict[str, dict[str, dict[str, Any]]]
"""Collection → id → document."""

TRAIL = {
    "audit",
    "invitation_guards",
    "inbox_marks",
    "leases",
    "office_messages",
    "outbox",
    "rate_limit_windows",
    "rate_limits",
    "reminders",
    "sequences",
    "wechat_tokens",
}
"""What was noted, told and counted; and rows of the machine, such as those at which two transactions meet."""
HISTORY = {"history", "changes", "versions", "status_since"}
"""Of any document: who brought it where it is, and since when."""
COUNTERS = {"classes": {"version"}, "persons": {"version"}, "accounts": {"version"}}
"""What only counts how often a row was written, so that two transactions meet at it."""


@dataclass(frozen=True)
class World:
    platform: Platform
    wechat: Simulator

    def now_is(self, moment: Any) -> None:
        clock_of(self.platform).set(moment)

    async def documents(self) -> Documents:
        """All that stands, without the trail."""
        found: Documents = {}
        for name in await self.platform.db.list_collection_names():
            if name in TRAIL or name.startswith("system."):
                continue
            left_out = HISTORY | COUNTERS.get(name, set())
            found[name] = {
                str(row["_id"]): {
                    key: LAST_COUNTS[key](value) if key in LAST_COUNTS else value
                    for key, value in row.items()
                    if key not in left_out
                }
                async for row in self.platform[name].find()
            }
        return found

    async def noted(self) -> list[str]:
        """The actions of the trail, oldest first."""
        return [row["action"] async for row in self.platform["audit"].find().sort("_id", 1)]

    async def messages(self) -> int:
        return await self.platform["outbox"].count_documents({})


def _grade(marks: list[Any]) -> list[Any]:
    """Of the marks of a grade the last counts; those of a result name no scores and stand as they are."""
    return [marks[-1]["scores"]] if marks and "scores" in marks[-1] else marks


def _judged(verdicts: list[Any]) -> list[Any]:
    """Of the verdicts on the flags of a check-in the last counts."""
    return [verdicts[-1]["verdict"]] if verdicts else []


LAST_COUNTS: dict[str, Callable[[list[Any]], list[Any]]] = {"marks": _grade, "verdicts": _judged}


Walk = Callable[[World], AsyncIterator[None]]


@dataclass(frozen=True)
class Case:
    walk: Walk
    keeps: frozenset[str]
    """The collections in which the act leaves a record that the way back closes, and nothing deletes."""


CASES: dict[Key, Case] = {}


def way_back(act: str, back: str, keeps: Collection[str] = ()) -> Callable[[Walk], Walk]:
    def register(walk: Walk) -> Walk:
        assert (act, back) not in CASES, f"{act} → {back} has two cases"
        CASES[act, back] = Case(walk, frozenset(keeps))
        return walk

    return register
