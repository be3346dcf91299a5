"""Documents that are reviewed, and the one way in which a step of theirs is taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, TypeVar

from server.kernel import offices
from server.kernel.clock import beijing_date
from server.kernel.found import Found, set_in_found
from server.kernel.history import Step, step
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role
from server.kernel.mongo import Document, Row
from server.kernel.offices import Said, Topic
from server.kernel.permissions import Permission, holds
from server.kernel.policies import Policies
from server.kernel.reviews import Procedure
from server.kernel.titled import Titled
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.kernel.waiting import Item, Waiting


class Reviewed(Document):
    """A document with a state and the history of who brought it there. A chapter declares `state` and `actions` as its own."""

    collection: ClassVar[str]
    actions: ClassVar[type[Titled]]
    in_hand: ClassVar[Row] = {"open": True}
    """Which of this kind follow their institution when it is renamed: those that are not settled, and what is in force."""

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

    @property
    def named(self) -> str:
        """What it is called in a list of many kinds."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Its page."""
        raise NotImplementedError

    def last(self, *actions: str) -> Step | None:
        """The latest time that one of these was done to it."""
        return next((one for one in reversed(self.history) if one.action in actions), None)


R = TypeVar("R", bound=Reviewed)
COUNTED_MOST = 1_000


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


async def follow_institution(scope: Scope, code: str, name: str, *, but_of: Sequence[str]) -> None:
    """What an institution has in hand, of every kind that carries its name, calls it by its new one; but for what is about one of these
    classes."""
    fields: Row = {"institution_name": name}
    for kind in Reviewed.__subclasses__():
        if "institution_name" not in kind.model_fields:
            continue
        whom: Row = {"institution_code": code, "class_id": {"$nin": list(but_of)}, **kind.in_hand}
        if issubclass(kind, Found):
            await set_in_found(scope, kind, kind.collection, whom, fields)
        else:
            await scope[kind.collection].update_many(whom, {"$set": fields}, session=scope.session)


async def replace(scope: Scope, before: Reviewed, after: Reviewed) -> bool:
    """Writes `after` in the place of `before`; False when somebody has taken a step in between."""
    done = await scope[before.collection].replace_one(
        {"_id": before.id, "state": before.state, "history": {"$size": len(before.history)}},
        after.to_mongo(),
        session=scope.session,
    )
    return bool(done.modified_count)


LastDays = Callable[[Scope, Sequence[Any]], Awaitable[Mapping[str, date]]]
"""By id of documents until when each is due; what is left out is due on no day."""


@dataclass(frozen=True)
class Pending:
    """Documents of one kind in one state that wait for `who`; the list on `page` shows them."""

    kind: type[Reviewed]
    who: frozenset[Role]
    condition: Mapping[str, object]
    title: str
    page: str
    reads: Permission
    """Who may see them beside whoever they wait for."""
    told: bool = True
    """Whether others see that it waits: a draft is nobody else's business."""
    last_days: LastDays | None = None
    """Of what nobody returned and no policy gives days to: until when, where that is announced."""
    turn: str = ""
    """The field with the codes of the provinces that it waits for, where it lies in the reach of others too."""
    dated: Callable[[Any, Policies], tuple[date, date]] | None = None
    """Since when and until when one waits, where that is not since its last step and as long as a review takes."""

    def shares(self, actor: Actor) -> list[tuple[bool, Row]]:
        """Which of these the actor sees: whether they wait for the own office, and by what these are told from the rest."""
        own, told = bool(self.who & actor.roles), self.told and holds(actor, self.reads)
        if own and self.turn:
            others: list[tuple[bool, Row]] = [(False, {self.turn: {"$ne": actor.province_code}})]
            return [(True, {self.turn: actor.province_code}), *(others if told else [])]
        return [(own, {})] if own or told else []

    async def within(
        self,
        scope: Scope,
        actor: Actor,
        limit: int,
        in_force: Policies,
        today: date,
        share: Mapping[str, object] | None = None,
    ) -> Waiting | None:
        """Those in the actor's reach that have waited longest, and how many there are; None where there is nothing."""
        condition = {"$and": [actor.jurisdiction.filter(), dict(self.condition), dict(share or {})]}
        since = "$first" if self.turn or self.dated else "$last"
        longest: list[Row] = [
            {"$match": condition},
            {"$set": {"_waits": {since: "$history.at"}}},
            {"$sort": {"_waits": 1, "_id": 1}},
            {"$limit": limit},
            {"$unset": "_waits"},
        ]
        found = [
            self.kind.from_mongo(row)
            async for row in scope[self.kind.collection].aggregate(longest, session=scope.session)
        ]
        if not found:
            return None
        count = len(found)
        if count == limit:
            count = await scope[self.kind.collection].count_documents(
                condition, limit=COUNTED_MOST, session=scope.session
            )
        items = tuple(self.item(one, in_force) for one in found)
        if self.last_days:
            days = await self.last_days(scope, found)
            items = tuple(
                dataclasses.replace(item, due=days.get(one.id))
                for item, one in zip(items, found, strict=True)
            )
        overdue = any(one.due is not None and today > one.due for one in items)
        state = self.condition.get("state")
        href = f"{self.page}?state={state}" if isinstance(state, str) else self.page
        return Waiting(self.title, href, count, overdue, items)

    async def still(self, scope: Scope, actor: Actor, document_id: str) -> tuple[bool, Reviewed | None]:
        """Whether the actor reaches such a document, and the document as long as it waits here."""
        collection = scope[self.kind.collection]
        reached = {"$and": [actor.jurisdiction.filter(), {"_id": document_id}]}
        row = await collection.find_one(reached, session=scope.session)
        if row is None:
            return False, None
        waits = {"$and": [{"_id": document_id}, dict(self.condition)]}
        there = await collection.find_one(waits, {"_id": 1}, session=scope.session)
        return True, self.kind.from_mongo(row) if there else None

    def item(self, one: Reviewed, in_force: Policies) -> Item:
        back = INSTITUTION_ROLES & self.who or self.condition.get("state") in ("RETURNED", "DECLINED")
        days = timedelta(days=in_force.revision_days if back else in_force.review_days)
        if self.dated:
            since, due = self.dated(one, in_force)
        else:
            since = beijing_date(one.history[0 if self.turn else -1].at)
            due = since + days
        provinces = getattr(one, self.turn or "province_code", None)
        institution = getattr(one, "institution_code", None)
        return Item(
            f"{self.kind.collection}:{one.id}",
            one.named,
            one.address,
            since,
            due,
            str(getattr(one, "institution_name", "")),
            institution if isinstance(institution, str) else None,
            tuple(provinces if isinstance(provinces, list) else [provinces] if provinces else []),
        )


def pending(
    kind: type[Reviewed], procedure: Procedure[Any, Any], page: str, reads: Permission
) -> list[Pending]:
    """What of this kind waits, by its procedure."""
    return [
        Pending(kind, one.who, {"state": one.state}, one.title, page, reads, one.told)
        for one in procedure.waits
    ]
