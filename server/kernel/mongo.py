"""MongoDB through Motor: documents, collections and the unit of work.

Only this module, the batching of hot paths and the stores touch the driver, so that its successor needs a small change.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

from bson.codec_options import CodecOptions, TypeRegistry
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pymongo import IndexModel, ReadPreference, WriteConcern
from pymongo.errors import BulkWriteError, CollectionInvalid, DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from server.kernel.errors import Unavailable
from server.kernel.identity import Actor

if TYPE_CHECKING:
    from server.kernel.platform import Platform

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
Row = dict[str, Any]

PATIENCE = 45.0
"""Seconds that a use case tries before the person is told to come again; the driver alone would try for two minutes."""
NAMESPACE_EXISTS = 48  # error_codes.yml of the server
DUPLICATE_KEY = 11000
"""In error_codes.yml of the server."""
DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)


_PROCESS = secrets.token_hex(5)
_COUNT = itertools.count(secrets.randbelow(2**24))


def new_id() -> str:
    """A new document id: 24 hexadecimal characters that sort by time of creation.

    An ObjectId in its parts (second, process, count) but without asking for the process id each time: processes of ours
    are spawned, never forked.
    """
    return f"{int(time.time()):08x}{_PROCESS}{next(_COUNT) & 0xFFFFFF:06x}"


def _encode_date(value: Any) -> Any:
    """BSON has no calendar date: it is kept as ISO 8601 text, which sorts as the calendar does."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"BSON cannot hold {type(value).__name__}")


CODEC: CodecOptions[Row] = CodecOptions(
    tz_aware=True, tzinfo=UTC, type_registry=TypeRegistry(fallback_encoder=_encode_date)
)


class Document(BaseModel):
    """A document as it is stored. Unknown fields are an error: the database holds what the model says."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,  # nothing stored gets into a log by way of an error
    )

    id: str = Field(default_factory=new_id, alias="_id")

    def to_mongo(self) -> Row:
        return self.model_dump(by_alias=True)

    @classmethod
    def from_mongo(cls, row: Mapping[str, Any]) -> Self:
        return cls.model_validate(row)


@dataclass(frozen=True)
class Index:
    keys: Sequence[tuple[str, int]]
    unique: bool = False
    partial: Row | None = None
    expire_after_seconds: int | None = None

    def model(self) -> IndexModel:
        options: Row = {"unique": self.unique}
        if self.partial is not None:
            options["partialFilterExpression"] = self.partial
        if self.expire_after_seconds is not None:
            options["expireAfterSeconds"] = self.expire_after_seconds
        return IndexModel(list(self.keys), **options)


@dataclass(frozen=True)
class CollectionSpec:
    """A collection, the key it would be sharded by (None: small, stays whole) and its indexes.

    A clustered collection keeps its rows in the order of `_id` instead of the order of arrival.
    """

    name: str
    shard_key: str | None
    indexes: tuple[Index, ...] = ()
    clustered: bool = False


USUAL_OPTIONS: dict[str, Any] = {"serverSelectionTimeoutMS": 5_000, "appname": "gongxue", "maxPoolSize": 100}
"""What holds unless the operator's URI says otherwise: by itself the driver would let the URI lose."""


def connect(uri: str, name: str) -> AsyncIOMotorDatabase[Row]:
    """A database whose reads see majority-committed data and whose writes are durable before they are acknowledged."""
    usual = {name: value for name, value in USUAL_OPTIONS.items() if f"{name}=".lower() not in uri.lower()}
    client: AsyncIOMotorClient[Row] = AsyncIOMotorClient(uri, tz_aware=True, **usual)
    return client.get_database(
        name,
        codec_options=CODEC,
        write_concern=DURABLE,
        read_concern=ReadConcern("majority"),
        read_preference=ReadPreference.PRIMARY,
    )


def containing(words: str, *texts: str | Row) -> Row:
    """The condition that one of the texts (expressions: "$name") holds `words`, exactly as they are typed: they are no pattern."""
    joined = [part for text in texts for part in ("\n", {"$ifNull": [text, ""]})]
    return {"$expr": {"$gte": [{"$indexOfCP": [{"$concat": joined}, {"$literal": words}]}, 0]}}


def month_of(year: int | None, month: int | None) -> str:
    """The pattern of the days (kept as ISO 8601) of a year, of a month, or of a month whatever the year."""
    return f"^{year or '[0-9]{4}'}-{f'{month:02}-' if month else ''}"


async def ensure_collections(db: AsyncIOMotorDatabase[Row], specs: Iterable[CollectionSpec]) -> None:
    """Creates what is missing: collections first, for a transaction must not create them, then their indexes."""
    existing = set(await db.list_collection_names())
    for spec in specs:
        if spec.name not in existing:
            options: Row = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}} if spec.clustered else {}
            try:
                await db.create_collection(spec.name, **options)
            except (CollectionInvalid, OperationFailure) as error:
                if isinstance(error, OperationFailure) and error.code != NAMESPACE_EXISTS:
                    raise
                # another process was first
        if spec.indexes:
            await db[spec.name].create_indexes([index.model() for index in spec.indexes])


class Scope(Protocol):
    """What a store needs: collections, the transaction it runs in (if any) and the platform's parts."""

    @property
    def session(self) -> AsyncIOMotorClientSession | None: ...
    @property
    def platform(self) -> Platform: ...
    def __getitem__(self, collection: str) -> AsyncIOMotorCollection[Row]: ...


async def insert_many(scope: Scope, collection: str, new: Sequence[Document]) -> None:
    """Raises DuplicateKeyError, as `insert_one` does, where a unique index has one of them already.

    Its details name the keys of that index and nothing of what was to be stored: they may get into a log.
    """
    if not new:
        return
    try:
        await scope[collection].insert_many([one.to_mongo() for one in new], session=scope.session)
    except BulkWriteError as error:
        wrong = (error.details or {}).get("writeErrors", [])
        if not wrong or any(one["code"] != DUPLICATE_KEY for one in wrong):
            raise
        keys = {"keyPattern": wrong[0].get("keyPattern", {})}
        raise DuplicateKeyError(f"{collection} has one already", DUPLICATE_KEY, keys) from None


@dataclass(frozen=True)
class LookUp(Generic[R]):
    """What is looked for in a collection, and how the rows found are read: it can travel together with another."""

    collection: str
    condition: Row
    read: Callable[[list[Row]], R]
    projection: Row | None = None


async def look_up_both(scope: Scope, one: LookUp[R], other: LookUp[S]) -> tuple[R, S]:
    """Two look-ups in one round trip, for a path on which Motor's hop to its thread costs more than either query."""

    def stages(wanted: LookUp[Any], place: int) -> list[Row]:
        shown = [{"$project": wanted.projection}] if wanted.projection else []
        return [{"$match": wanted.condition}, *shown, {"$set": {"_look_up": place}}]

    joined = {"$unionWith": {"coll": other.collection, "pipeline": stages(other, 1)}}
    # one reply, where the driver's 101 rows a batch would be several
    found = scope[one.collection].aggregate([*stages(one, 0), joined], session=scope.session, batchSize=2_000)
    rows: tuple[list[Row], list[Row]] = ([], [])
    for row in await found.to_list(None):
        rows[row.pop("_look_up")].append(row)
    return one.read(rows[0]), other.read(rows[1])


@dataclass
class UnitOfWork:
    """One use case in one transaction: its documents, its audit entries and its messages commit together or not at all."""

    platform: Platform
    actor: Actor
    session: AsyncIOMotorClientSession
    now: datetime
    audit_entries: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
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
                "facts": facts,
                "sealed": False,
            }
        )

    def notify(self, person_id: str, template: str, **data: str) -> None:
        """Puts a message to a person into the outbox: it is sent if, and only if, this transaction commits."""
        self.messages.append(
            {
                "_id": new_id(),
                "person_id": person_id,
                "template": template,
                "data": data,
                "created_at": self.now,
                "state": "waiting",
                "attempts": 0,
                "next_attempt_at": self.now,
                "read": False,
            }
        )

    def nothing_written(self) -> None:
        """Says that this use case turned out to change nothing (a repeated request), so that no audit entry is due."""
        self.wrote = False

    async def _flush(self) -> None:
        if not self.wrote:
            return
        if not self.audit_entries:
            raise AssertionError("a use case that writes must leave an audit entry")
        await self["audit"].insert_many(self.audit_entries, session=self.session)
        if self.messages:
            await self["outbox"].insert_many(self.messages, session=self.session)


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

        session = await platform.db.client.start_session()
        try:
            async with asyncio.timeout(PATIENCE):
                return await session.with_transaction(
                    attempt,
                    read_concern=ReadConcern("snapshot"),
                    write_concern=DURABLE,
                    read_preference=ReadPreference.PRIMARY,
                )
        except TimeoutError:
            raise Unavailable() from None
        finally:
            # Not `async with`: Motor would abort what is open in this very thread, and everybody else would wait for the line.
            await session.end_session()

    return run  # type: ignore[return-value]  # wraps() names the first two parameters, a Callable cannot
