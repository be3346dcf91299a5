"""One use case, one transaction: its documents, its audit entries and its messages commit together or not at all."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection
from pydantic import JsonValue
from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern

from server.kernel import audit
from server.kernel.errors import Unavailable
from server.kernel.identity import Actor
from server.kernel.mongo import DURABLE, Row, new_id
from server.kernel.office_messages import OfficeMessage
from server.kernel.offices import Said
from server.kernel.platform import Platform

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE = 45.0
"""Seconds that a use case tries before the person is told to come again; the driver alone would try for two minutes."""


class Scope(Protocol):
    """What a store needs: collections, the transaction it runs in (if any) and the platform's parts."""

    @property
    def session(self) -> AsyncIOMotorClientSession | None: ...
    @property
    def platform(self) -> Platform: ...
    def __getitem__(self, collection: str) -> AsyncIOMotorCollection[Row]: ...


@dataclass
class UnitOfWork:
    """One use case in one transaction: its documents, its audit entries and its messages commit together or not at all."""

    platform: Platform
    actor: Actor
    session: AsyncIOMotorClientSession
    now: datetime
    """Civil time."""
    audit_entries: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    office_messages: list[Row] = field(default_factory=list)
    wrote: bool = True

    def __getitem__(self, collection: str) -> AsyncIOMotorCollection[Row]:
        return self.platform.db[collection]

    def audit(self, action: str, subject: str, **facts: JsonValue) -> None:
        """Notes that `actor` did `action` to `subject` (a document id). Facts never hold personal data in clear."""
        self.audit_entries.append(
            {
                "_id": new_id(),
                "at": self.now,
                "actor_id": self.actor.id,
                "actor_name": self.actor.name,
                "actor_kind": self.actor.kind,
                "province_code": self.actor.province_code,
                "institution_code": self.actor.institution_code,
                "action": action,
                "subject": subject,
                "facts": facts | ({"on_behalf_of": self.actor.stands_for} if self.actor.stands_for else {}),
                "sealed": False,
            }
        )

    def notify(self, person_id: str, template: str, *, to_phone: str | None = None, **data: str) -> None:
        """Puts a message to a person into the outbox: it is sent if, and only if, this transaction commits.

        `to_phone`: the openid that it goes to, also when that phone does not speak for the person any more.
        """
        self.messages.append(
            {
                "_id": new_id(),
                "person_id": person_id,
                **({"to_phone": to_phone} if to_phone else {}),
                "template": template,
                "data": data,
                "created_at": self.now,
                "state": "waiting",
                "attempts": 0,
                "next_attempt_at": self.platform.machine.now(),
                "read": False,
            }
        )

    def tell(self, said: Said) -> None:
        """Puts a message into the inbox of an office, or of one account, if this transaction commits. Nobody is told of the own acts."""
        if said.to != self.actor.office:
            new = OfficeMessage(
                to=said.to,
                topic=said.topic,
                words=said.words,
                href=said.href,
                at=self.now,
                by=self.actor.name,
            )
            self.office_messages.append(new.to_mongo())

    def nothing_written(self) -> None:
        """Says that this use case turned out to change nothing (a repeated request), so that no audit entry is due."""
        self.wrote = False

    async def _flush(self) -> None:
        if not self.wrote:
            return
        if not self.audit_entries:
            raise AssertionError("a use case that writes must leave an audit entry")
        marked = [entry | {"mark": audit.mark_of(self.platform, entry)} for entry in self.audit_entries]
        await self["audit"].insert_many(marked, session=self.session)
        if self.messages:
            await self["outbox"].insert_many(self.messages, session=self.session)
        if self.office_messages:
            await self["office_messages"].insert_many(self.office_messages, session=self.session)


def transactional(
    use_case: Callable[Concatenate[UnitOfWork, P], Awaitable[R]],
) -> Callable[Concatenate[Platform, Actor, P], Coroutine[Any, Any, R]]:
    """Makes a use case one transaction, majority-committed and journaled, retried by the driver on transient errors.

    The use case takes the unit of work first; its callers pass the platform and the actor instead. It may run more than
    once, so it must do nothing outside the database.
    """

    @functools.wraps(use_case)
    async def run(platform: Platform, actor: Actor, *args: P.args, **kwargs: P.kwargs) -> R:
        async def attempt(session: AsyncIOMotorClientSession) -> R:
            unit = UnitOfWork(platform, actor, session, platform.clock.now())
            result = await use_case(unit, *args, **kwargs)
            await unit._flush()
            return result

        return await _in_transaction(platform, attempt)

    return run  # type: ignore[return-value]  # wraps() names the first two parameters, a Callable cannot


async def _in_transaction(
    platform: Platform, attempt: Callable[[AsyncIOMotorClientSession], Coroutine[Any, Any, R]]
) -> R:
    session = await platform.db.client.start_session()
    try:
        async with asyncio.timeout(PATIENCE):
            result: R = await session.with_transaction(
                attempt,
                read_concern=ReadConcern("snapshot"),
                write_concern=DURABLE,
                read_preference=ReadPreference.PRIMARY,
            )
            return result
    except TimeoutError:
        raise Unavailable() from None
    finally:
        # Not `async with`: Motor would abort what is open in this very thread, and everybody else would wait for the line.
        await session.end_session()


class _TakenBack(Exception):
    """Ends the transaction of a rehearsal."""


async def rehearse(
    act: Callable[Concatenate[Platform, Actor, P], Coroutine[Any, Any, object]],
    platform: Platform,
    actor: Actor,
    *args: P.args,
    **kwargs: P.kwargs,
) -> bool:
    """Whether a transactional use case would write anything, or was done before: it runs to its end and all of it is taken back.

    Raises what it raises. For what costs somebody else something and is to be asked only once the act is known to be allowed;
    the act itself decides again.
    """
    use_case: Callable[..., Awaitable[object]] = act.__wrapped__  # type: ignore[attr-defined]  # `transactional` has wrapped it
    unit: UnitOfWork | None = None

    async def attempt(session: AsyncIOMotorClientSession) -> None:
        nonlocal unit
        unit = UnitOfWork(platform, actor, session, platform.clock.now())
        await use_case(unit, *args, **kwargs)
        raise _TakenBack()

    with suppress(_TakenBack):
        await _in_transaction(platform, attempt)
    assert unit is not None
    return unit.wrote
