"""Documents that are reviewed, and the one way in which a step of theirs is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, TypeVar

from server.kernel.history import Step, step
from server.kernel.identity import Actor
from server.kernel.mongo import Document
from server.kernel.reviews import Procedure
from server.kernel.titled import Titled
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.kernel.waiting import NEWS_FOR, Waiting


class Reviewed(Document):
    """A document with a state and the history of who brought it there. A chapter declares `state` and `actions` as its own."""

    collection: ClassVar[str]
    actions: ClassVar[type[Titled]]

    state: str
    history: list[Step]

    def called(self, taken: Step) -> str:
        """The Chinese name of a step."""
        return self.actions(taken.action).label

    @property
    def told(self) -> list[tuple[Step, str]]:
        """Its steps and what they are called, newest first."""
        return [(taken, self.called(taken)) for taken in reversed(self.history)]

    def last(self, *actions: str) -> Step | None:
        """The latest time that one of these was done to it."""
        return next((one for one in reversed(self.history) if one.action in actions), None)


R = TypeVar("R", bound=Reviewed)


async def take(
    unit: UnitOfWork,
    procedure: Procedure[Any, Any],
    found: R,
    action: str,
    reason: str = "",
    *,
    seen: int | None = None,
    changes: Mapping[str, object] | None = None,
) -> R:
    """Takes a step: the next state, the step in the history, and what else `changes`.

    Raises what the procedure says of whoever may not, of no such step, and, with `seen`, of what is not as it was read.
    """
    state = procedure.after(found.state, action, unit.actor.roles)
    if seen is not None:
        procedure.require_seen(seen, found.history)
    history = [*found.history, step(unit, action, reason)]
    changed = found.model_copy(update={**(changes or {}), "state": state, "history": history})
    if not await replace(unit, found, changed):
        raise procedure.overtaken()
    return changed


async def replace(scope: Scope, before: Reviewed, after: Reviewed) -> bool:
    """Writes `after` in the place of `before`; False when somebody has taken a step in between."""
    done = await scope[before.collection].replace_one(
        {"_id": before.id, "state": before.state, "history": {"$size": len(before.history)}},
        after.to_mongo(),
        session=scope.session,
    )
    return bool(done.modified_count)


async def waiting(
    scope: Scope, actor: Actor, procedure: Procedure[Any, Any], kind: type[Reviewed], page: str
) -> list[Waiting]:
    """What of this kind waits for the actor, with the list on `page` that shows it."""
    found = []
    for one in procedure.waits:
        if one.who & actor.roles:
            condition = {"$and": [actor.jurisdiction.filter(), {"state": one.state}]}
            count = await scope[kind.collection].count_documents(condition, session=scope.session)
            found.append(Waiting(one.title, f"{page}?state={one.state}", count))
    return [one for one in found if one.count]


DECIDED_MOST = 20


async def decided_lately(scope: Scope, actor: Actor, kind: type[R], actions: Collection[str]) -> list[R]:
    """What of this kind, in the actor's reach, was last decided in one of these ways, and not long ago."""
    since = scope.platform.clock.now() - NEWS_FOR
    lately = {"history": {"$elemMatch": {"action": {"$in": list(actions)}, "at": {"$gt": since}}}}
    rows = scope[kind.collection].find({"$and": [actor.jurisdiction.filter(), lately]}, session=scope.session)
    found = [kind.from_mongo(row) async for row in rows.sort("_id", -1).limit(DECIDED_MOST)]
    return [one for one in found if one.history[-1].action in actions]
