"""Documents that are reviewed, and the one way in which a step of theirs is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from server.kernel import offices
from server.kernel.history import Step, step
from server.kernel.identity import Actor
from server.kernel.mongo import Document
from server.kernel.offices import Said, Topic
from server.kernel.reviews import Procedure
from server.kernel.titled import Titled
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.kernel.waiting import Waiting


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

    def tells(self, taken: Step) -> Sequence[Said]:
        """What which office hears of a step that was taken just now: of most, nothing."""
        return ()

    def last(self, *actions: str) -> Step | None:
        """The latest time that one of these was done to it."""
        return next((one for one in reversed(self.history) if one.action in actions), None)


R = TypeVar("R", bound=Reviewed)


def decided(
    institution_code: str | None, words: str, href: str, taken: Step, *, back: bool = False
) -> list[Said]:
    """What an institution hears of a decision on what it had asked for; `back`: it is its own again, for the reason of the step."""
    if not institution_code:
        return []
    because = f"，理由：{taken.reason}" if taken.reason else ""
    topic = Topic.RETURNED if back else Topic.DECIDED
    return [Said(offices.institution(institution_code), topic, f"{words}{because}", href)]


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
    for said in changed.tells(history[-1]):
        unit.tell(said)
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
