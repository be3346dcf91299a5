"""What the tests share: one real mongod for the whole run, and a clean database of its own for each worker.

The database is the one of `MONGODB_URI` when that is set, else the embedded mongod on a directory that goes away.
"""

import functools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from jinja2 import Environment, FileSystemBytecodeCache
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import MongoClient

from admin.rendering import make_environment
from server.__main__ import SIMULATED_SECRET
from server.accounts import passwords
from server.kernel import chain
from server.kernel.clock import FixedClock
from server.kernel.embedded_mongod import EmbeddedMongod, MongodUnavailable
from server.kernel.mongo import CollectionSpec, Row, ensure_collections, ensure_indexes
from server.kernel.platform import Platform
from server.kernel.processes import settle_memory
from server.kernel.unit_of_work import UnitOfWork
from server.messages.kinds import KINDS
from server.settings import Settings
from server.wechat.simulator import Simulator, start_simulator
from server.wechat.terms import MESSAGE_VALUES
from tests import opening
from tests.memory import Memory, remembering

MEMORY = Path("/dev/shm")  # the machine's memory: a data directory on it costs no fsync
MEMORY_NEEDED = 1 << 30

# A busy machine makes an example slow, not wrong. `--hypothesis-profile deep` looks ten times as deep.
house = hypothesis.settings(deadline=None, print_blob=True)
hypothesis.settings.register_profile("house", house)
hypothesis.settings.register_profile("deep", house, max_examples=10 * house.max_examples)
hypothesis.settings.load_profile("house")


# ---- the mongod of the run: the controller of pytest-xdist has it, its workers are told where


class MongodOfTheRun:
    """Started when it is first asked for, so that a run of pure rules starts none."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._mongod: EmbeddedMongod | None = None
        self._uri = os.environ.get("MONGODB_URI", "")

    def uri(self) -> str:
        if not self._uri:
            remove_folders_of_killed_runs()
            self._folder = Path(tempfile.mkdtemp(prefix=f"gongxue-tests-{os.getpid()}-", dir=roomy_place()))
            self._mongod = EmbeddedMongod(self._folder)
            try:
                self._uri = self._mongod.start()
            except MongodUnavailable as reason:
                pytest.exit(f"没有可用于测试的数据库: {reason}", returncode=1)
        return self._uri

    def stop(self) -> None:
        if self._mongod is not None:
            self._mongod.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def roomy_place() -> Path:
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        return MEMORY
    return Path(tempfile.gettempdir())


def remove_folders_of_killed_runs() -> None:
    for folder in roomy_place().glob("gongxue-tests-*-*"):
        if not Path("/proc", folder.name.split("-")[2]).exists():
            shutil.rmtree(folder, ignore_errors=True)


MONGOD = pytest.StashKey[MongodOfTheRun]()


def pytest_configure(config: pytest.Config) -> None:
    # Some machines forbid to keep what was compiled. A run starts dozens of processes: it has a place of its own for that.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix) / "pycache")
    config.stash[MONGOD] = MongodOfTheRun()
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(roomy_place()))  # the databases of servers under test


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a worker often waits for a browser, a database or a server under test."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The controller of pytest-xdist makes a worker."""
    node.workerinput["mongodb_uri"] = node.config.stash[MONGOD].uri()


def pytest_collection_finish() -> None:
    """What is imported stays to the end: the garbage collector need not walk it again and again."""
    settle_memory()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[MONGOD].stop()


# ---- the database of a worker


@pytest.fixture(scope="session")
def mongodb_uri(pytestconfig: pytest.Config) -> str:
    """The address of the mongod of this run, credentials included."""
    told: dict[str, str] = getattr(pytestconfig, "workerinput", {})
    return told.get("mongodb_uri") or pytestconfig.stash[MONGOD].uri()


@pytest.fixture(scope="session")
def worker_database_name() -> str:
    """The database of this worker for the whole run: made once, because collections and indexes are slow to make."""
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.fixture(scope="session")
def memory(mongodb_uri: str, worker_database_name: str) -> Iterator[Memory]:
    with MongoClient[Row](mongodb_uri) as client:
        # The clock of a test stands still, often in the past: what expires by it must not vanish by the machine's clock.
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
        # Nobody reads what was there five minutes ago; kept, it lies in the way of every test that empties the database.
        client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=0)
        client.drop_database(worker_database_name)
    with remembering(mongodb_uri, worker_database_name) as memory:
        yield memory


@pytest.fixture
def database_name(memory: Memory, worker_database_name: str) -> str:
    """A database with no document in it; its collections, indexes and data key stay from test to test."""
    memory.empty()
    return worker_database_name


# ---- what no test may do


@pytest.fixture(autouse=True)
def _every_message_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a chapter tells anybody in a test has its row in the table of kinds, and every field that the row shows."""
    notify = UnitOfWork.notify

    def checked(
        unit: UnitOfWork, person_id: str, template: str, *, to_phone: str | None = None, **data: str
    ) -> None:
        assert template in KINDS, f"“{template}” has no row in server/messages/kinds.py"
        kind = KINDS[template]
        for key, value in kind.wechat_data(kind.usual_keys, data).items():
            assert MESSAGE_VALUES[key.rstrip("0123456789")].fullmatch(value), f"{template}: {key} = {value}"
        notify(unit, person_id, template, to_phone=to_phone, **data)

    monkeypatch.setattr(UnitOfWork, "notify", checked)


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """What hashes passwords in earnest. It is slow on purpose, and nearly every test of a page signs somebody in: they get a cheap one."""
    real, cheap = passwords._hasher, PasswordHasher.from_parameters(CHEAPEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cheap)
        patch.setattr(passwords, "_NOBODYS_HASH", cheap.hash("nobody's"))
        yield real


# ---- the platform of a test


NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
"""2026-03-16 12:00 in Beijing: a Monday in term."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def settings_of_the_worker(
    mongodb_uri: str, worker_database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return Settings(
        mongodb_uri=mongodb_uri,
        mongodb_database=worker_database_name,
        data_dir=tmp_path_factory.getbasetemp() / "data",
        public_url="https://platform.test",
        certificate_workers=0,  # in a thread: a test must not wait for processes to start
        session_idle_minutes=12
        * 60,  # a clock of the tests jumps over hours in which people would have clicked
    ).with_secrets()


@pytest.fixture
def settings(settings_of_the_worker: Settings, database_name: str) -> Settings:
    settings = settings_of_the_worker.model_copy(update={"mongodb_database": database_name}, deep=True)
    for anchor in (settings.data_dir / "anchor").glob(f"{database_name}.*"):
        anchor.unlink()
    return settings


@pytest.fixture
async def wechat(clock: FixedClock) -> AsyncIterator[Simulator]:
    """A simulated WeChat on loopback."""
    simulator = start_simulator(clock=clock, secret=SIMULATED_SECRET)
    yield simulator
    await simulator.stop()


Ensure = Callable[[AsyncIOMotorDatabase[Row], Iterable[CollectionSpec]], Awaitable[None]]


def environment_of_the_tests() -> Environment:
    environment = make_environment()
    compiled = Path(sys.prefix) / "pycache" / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    environment.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    return environment


@pytest.fixture(scope="session")
def _slow_things_are_made_once() -> Iterator[None]:
    """Collections and indexes, which are many and stay from test to test, and templates: a worker makes them for its first platform."""

    def once(ensure: Ensure) -> Ensure:
        made: set[str] = set()

        async def ensure_once(db: AsyncIOMotorDatabase[Row], specs: Iterable[CollectionSpec]) -> None:
            if db.name not in made:
                await ensure(db, specs)
                made.add(db.name)

        return ensure_once

    with pytest.MonkeyPatch.context() as patch:
        for ensure in (ensure_collections, ensure_indexes):
            patch.setattr(f"server.__main__.{ensure.__name__}", once(ensure))
        patch.setattr("server.__main__.make_environment", functools.cache(environment_of_the_tests))
        # What is put back (tests.memory) has the ids of when it was first made: the trail would look as if nobody had sealed it.
        patch.setattr(chain, "OVERDUE", timedelta(days=1))
        yield


@pytest.fixture(scope="session")
async def _house(
    settings_of_the_worker: Settings, memory: Memory, _slow_things_are_made_once: None
) -> AsyncIterator[Platform]:
    async with opening.house(settings_of_the_worker) as house:
        yield house


@pytest.fixture
async def platform(
    _house: Platform, settings: Settings, clock: FixedClock, wechat: Simulator, memory: Memory
) -> AsyncIterator[Platform]:
    """The platform on an empty database with annex 1."""
    async with opening.platform_in(_house, settings, clock, wechat, memory) as platform:
        yield platform


@pytest.fixture
async def site(platform: Platform, wechat: Simulator) -> AsyncIterator[str]:
    """The platform served over HTTP on loopback: its address, without a trailing slash."""
    async with opening.served(platform, wechat) as (address, _):
        yield address
