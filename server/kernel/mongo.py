"""MongoDB through Motor: documents, collections and indexes.

Only this module, the unit of work, the batching of hot paths and the stores touch the driver, so that its successor needs a small change.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any, Self

from bson.codec_options import CodecOptions, TypeRegistry
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel, ReadPreference, WriteConcern
from pymongo.errors import CollectionInvalid, OperationFailure
from pymongo.read_concern import ReadConcern

Row = dict[str, Any]

NAMESPACE_EXISTS = 48  # error_codes.yml of the server
DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)

_PROCESS = secrets.token_hex(5)
_COUNT = itertools.count(secrets.randbelow(2**24))


def new_id() -> str:
    """A new document id: 24 hexadecimal characters that sort by time of creation.

    An ObjectId in its parts (second, process, count) but without asking for the process id each time: processes of ours
    are spawned, never forked.
    """
    return f"{int(time.time()):08x}{_PROCESS}{next(_COUNT) & 0xFFFFFF:06x}"


def first_id(moment: datetime) -> str:
    """What every id made from this second on is not less than."""
    return f"{max(0, int(moment.timestamp())):08x}"


OLDEST = "+"
"""What a cursor begins with that goes from the oldest on."""


def by_age(condition: Row, before: str | None) -> tuple[Row, int]:
    """The condition and the direction of `_id` in which a list is read: newest first after the id `before`, or oldest first where that
    begins with OLDEST. Every index that ends with `_id` backs both, and no id is empty or comes twice."""
    oldest = (before or "").startswith(OLDEST)
    after = (before or "").removeprefix(OLDEST)
    beyond = [{"_id": {"$gt" if oldest else "$lt": after}}] if after else []
    return {"$and": [condition, *beyond]}, 1 if oldest else -1


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


def collections_of(package: ModuleType) -> tuple[CollectionSpec, ...]:
    """What the modules of a package declare as COLLECTIONS, by name: a new chapter is on no list that could forget it."""
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith(".__main__")]
    declared = [spec for module in modules for spec in vars(module).get("COLLECTIONS", ())]
    by_name = {spec.name: spec for spec in declared}
    if len(by_name) < len(declared):
        twice = [name for name, count in Counter(spec.name for spec in declared).items() if count > 1]
        raise ValueError(f"declared more than once: {', '.join(twice)}")
    return tuple(by_name[name] for name in sorted(by_name))


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


async def ensure_collections(db: AsyncIOMotorDatabase[Row], specs: Iterable[CollectionSpec]) -> None:
    """Creates the collections that are missing, for a transaction must not create them."""
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


async def ensure_indexes(db: AsyncIOMotorDatabase[Row], specs: Iterable[CollectionSpec]) -> None:
    """Creates the indexes that are missing."""
    for spec in specs:
        if spec.indexes:
            await db[spec.name].create_indexes([index.model() for index in spec.indexes])
