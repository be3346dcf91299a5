"""What a worker remembers: a stage is set once, and whoever asks for the same again gets its rows put back.

To open a class takes dozens of transactions; to put back what they left takes one write a collection. Nothing is made up: a step that is
`remembered` ran through the services once, on this worker, at the same time of the clock and after the same steps; its rows are what it
left then. As soon as anything else has written to the database, or changed what the simulated WeChat knows, steps simply run.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteMany, InsertOne, MongoClient, ReplaceOne, WriteConcern, monitoring
from pymongo.database import Database

from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from server.wechat.world import World

R = TypeVar("R")
Step = TypeVar("Step", bound=Callable[..., Coroutine[Any, Any, Any]])
Row = dict[str, Any]
Rows = dict[str, dict[Any, RawBSONDocument]]
"""Collection → id → the row as it is stored."""

KEPT = {"encryption_keys", "upgrades"}
"""The vault of a worker remembers its data key; and a database that was made by this version is never an earlier one's."""
WRITES = {"insert", "update", "delete", "findAndModify", "create", "drop", "dropDatabase"}
NOT_OF_THE_WORLD = {"clock", "app_id", "secret", "on_event", "on_media", "healed"}
"""How a simulator is wired; everything else of it is what it knows."""
BEFORE_TIME = datetime(2000, 1, 1, tzinfo=UTC)
AT_ONCE = WriteConcern(w=1)
SEEN_BY_ALL = WriteConcern(w="majority")
"""What a reader of majority-committed data sees. It holds for all writes before it, too."""


@dataclass
class Moment:
    """How things stood after a step, what the step returned, and the moments that have followed."""

    rows: Rows
    world: Row
    clock: datetime
    result: Any = None
    next: dict[str, Moment] = field(default_factory=dict)


class Memory(monitoring.CommandListener):
    """Of one worker's database. It hears every write of this process, so that it knows when a moment is over."""

    def __init__(self, uri: str, name: str) -> None:
        self._name = name
        self._clock = FixedClock(BEFORE_TIME)
        self._world = World(self._clock, "", "")
        self._beginning = Moment({}, known_to(self._world), BEFORE_TIME)
        self._now: Moment | None = None
        monitoring.register(self)
        self._client: MongoClient[Row] = MongoClient(uri)
        self._database: Database[Row] = self._client[name]
        raw: CodecOptions[Any] = CodecOptions(RawBSONDocument)
        self._raw: Database[Any] = self._client.get_database(name, codec_options=raw)

    def close(self) -> None:
        self._client.close()

    def empty(self) -> None:
        """No document is left; collections, indexes and the data key stay from test to test."""
        self._write({name: [DeleteMany({})] for name in self._written_to()})
        self._now = self._beginning

    def watch(self, world: World, clock: FixedClock) -> None:
        """The WeChat and the clock of this test."""
        self._world, self._clock = world, clock

    def begin_again(self) -> None:
        """As `empty`, and WeChat knows nothing of this test any more."""
        self.empty()
        self._world_knows(self._beginning.world)

    def is_of(self, platform: Platform) -> bool:
        """Whether this platform is the test's: a copy of it may have another clock, or a second one."""
        return platform.clock is self._clock is platform.machine

    async def step(self, key: str, take: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """What `take` returned, after which everything stands as it left it: because it has run, or because it is remembered."""
        before = self._now
        if before is None or known_to(self._world) != before.world:
            return await take()
        if (after := before.next.get(key)) is None:
            self._now = None  # steps within this one simply run
            result = await take()
            after = Moment(self._rows(), known_to(self._world), self._clock.now(), copy.deepcopy(result))
            before.next[key] = after
        else:
            self._put_back(before.rows, after.rows)
            self._world_knows(after.world)
            self._clock.set(after.clock)
            result = copy.deepcopy(after.result)
        self._now = after
        return result

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in WRITES and event.database_name == self._name:
            self._now = None

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """A write has been heard when it started."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """A write that failed may have written."""

    def _world_knows(self, known: Row) -> None:
        vars(self._world).update(copy.deepcopy(known))

    def _written_to(self) -> list[str]:
        """The collections that hold anything, asked in one go: a question for each takes longer than many a test."""
        names = set(self._database.list_collection_names()) - KEPT
        asked: list[Row] = []
        for name in sorted(name for name in names if not name.startswith("system.")):
            one: list[Row] = [{"$limit": 1}, {"$project": {"_id": 0, "name": name}}]
            asked.append({"$unionWith": {"coll": name, "pipeline": one}})
        nothing: list[Row] = [{"$documents": []}]
        return [row["name"] for row in self._database.aggregate(nothing + asked)]

    def _rows(self) -> Rows:
        return {name: {row["_id"]: row for row in self._raw[name].find()} for name in self._written_to()}

    def _put_back(self, before: Rows, after: Rows) -> None:
        writes: dict[str, list[Any]] = {}
        for name in before.keys() | after.keys():
            old, new = before.get(name, {}), after.get(name, {})
            gone = [one for one in old if one not in new]
            writes[name] = [
                *([DeleteMany({"_id": {"$in": gone}})] if gone else []),
                *(
                    ReplaceOne({"_id": one}, row)
                    for one, row in new.items()
                    if one in old and row != old[one]
                ),
                *(InsertOne(row) for one, row in new.items() if one not in old),
            ]
        self._write(writes)

    def _write(self, writes: dict[str, list[Any]]) -> None:
        due = [(name, todo) for name, todo in writes.items() if todo]
        for number, (name, todo) in enumerate(due, 1):
            concern = SEEN_BY_ALL if number == len(due) else AT_ONCE
            self._raw[name].with_options(write_concern=concern).bulk_write(todo, ordered=False)


def known_to(world: World) -> Row:
    return copy.deepcopy({name: value for name, value in vars(world).items() if name not in NOT_OF_THE_WORLD})


# ---- for the steps


_memories: dict[str, Memory] = {}
"""By database, for a platform is all that a step knows of where it is."""


def memory_of(platform: Platform) -> Memory:
    return _memories[platform.db.name]


@contextmanager
def remembering(uri: str, database: str) -> Iterator[Memory]:
    """Open it before anything else connects to the database: who is connected already is not heard."""
    memory = _memories[database] = Memory(uri, database)
    yield memory
    memory.close()
    del _memories[database]


def remembered(step: Step) -> Step:
    """Makes a step of the stage, a coroutine function of the platform, one that is remembered.

    What it returns is plain data, and its arguments say in their `repr` all that matters. What a test patches it patches after the
    steps that it shares with others, lest they remember its patch.
    """

    @functools.wraps(step)
    async def taken(platform: Platform, *args: Any, **kwargs: Any) -> Any:
        memory = _memories.get(platform.db.name)
        if memory is None or not memory.is_of(platform):
            return await step(platform, *args, **kwargs)
        told = [one for one in args if not isinstance(one, Simulator)]
        settings = platform.settings.model_dump(exclude={"simulator_port"})
        key = (step.__module__, step.__name__, told, sorted(kwargs.items()), platform.clock.now(), settings)
        return await memory.step(repr(key), lambda: step(platform, *args, **kwargs))

    return cast(Step, taken)
