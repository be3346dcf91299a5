"""What the runner of the steps promises: each step once, whoever dies, one process at a time, and never backwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo import MongoClient, UpdateOne

from server.kernel import leases
from server.kernel.clock import FixedClock
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades import batches, runner
from server.upgrades.batches import in_batches
from server.upgrades.runner import DatabaseNewer, Upgrade, bring_up_to_date, steps_left
from server.upgrades.steps import STEPS, Step
from tests.faults.server import ROOT
from tests.faults.test_killed_server import free_port

Run = Callable[[Platform], AsyncIterator[int]]


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
async def older(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """A database in use that has had no step, with five documents that wait for one; and nobody waits in earnest."""
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0)
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    had = await platform["upgrades"].find({}).to_list(None)
    await platform["upgrades"].delete_many({})
    await platform["things"].insert_many([{"_id": number} for number in range(5)])
    yield platform
    await platform["things"].drop()
    await platform["upgrades"].delete_many({})
    await platform["upgrades"].insert_many(had)


async def mark(platform: Platform) -> AsyncIterator[int]:
    """The work of a step: marks each thing that has no mark, and counts how often."""
    async for changed in in_batches(platform, "things", {"marks": {"$exists": False}}, _marks):
        yield changed


async def _marks(platform: Platform, rows: list[Row]) -> list[UpdateOne]:
    return [UpdateOne({"_id": row["_id"]}, {"$inc": {"marks": 1}}) for row in rows]


async def nothing(platform: Platform) -> AsyncIterator[int]:
    yield 0


def dying(work: Run, times: int = 1) -> Run:
    """This work, which dies after its first batch, so many times."""
    left = times

    async def run(platform: Platform) -> AsyncIterator[int]:
        nonlocal left
        async for changed in work(platform):
            yield changed
            if left:
                left -= 1
                raise Killed

    return run


def table(*works: Run) -> tuple[Step, ...]:
    return tuple(Step(f"s{number:04}", f"第 {number} 步", work) for number, work in enumerate(works, start=1))


def quiet(text: str) -> None:
    pass


async def had(platform: Platform) -> dict[str, Upgrade]:
    return {row["_id"]: Upgrade.from_mongo(row) async for row in platform["upgrades"].find({})}


async def marks(platform: Platform) -> list[int]:
    return [row.get("marks", 0) async for row in platform["things"].find({}).sort("_id", 1)]


async def finished(platform: Platform) -> Sequence[str]:
    rows = platform["audit"].find({"action": "upgrades:finish"}).sort("_id", 1)
    return [f"{row['subject']} {row['facts']['documents']}" async for row in rows]


async def test_steps_run_in_their_order_with_a_line_of_progress_and_a_second_start_runs_nothing(
    older: Platform,
) -> None:
    said: list[str] = []
    steps = table(mark, nothing)
    await bring_up_to_date(older, said.append, steps)
    assert said == [
        "升级数据 1/2：第 1 步……",
        "升级数据 1/2：第 1 步，完成，更新 5 条。",
        "升级数据 2/2：第 2 步……",
        "升级数据 2/2：第 2 步，完成，更新 0 条。",
    ]
    assert await finished(older) == ["s0001 5", "s0002 0"]
    assert [one.title for one in (await had(older)).values()] == ["第 1 步", "第 2 步"]
    assert await steps_left(older.db, steps) == []
    await bring_up_to_date(older, said.append, steps)
    assert len(said) == 4 and await marks(older) == [1] * 5


async def test_a_long_step_says_how_far_it_is(older: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TELL_SECONDS", 0)
    said: list[str] = []
    await bring_up_to_date(older, said.append, table(mark))
    assert [line for line in said if "已处理" in line] == [
        f"升级数据 1/1：第 1 步，已处理 {count} 条……" for count in (2, 4, 5)
    ]


async def test_a_step_that_comes_later_runs_alone(older: Platform) -> None:
    await bring_up_to_date(older, quiet, table(mark))
    said: list[str] = []
    await bring_up_to_date(older, said.append, table(mark, nothing))
    assert said[0] == "升级数据 1/1：第 2 步……"


async def test_a_database_that_is_new_has_had_every_step_and_runs_none(older: Platform) -> None:
    await older["institutions"].delete_many({})
    said: list[str] = []
    await bring_up_to_date(older, said.append, table(mark, nothing))
    assert (said, await marks(older), await finished(older)) == ([], [0] * 5, [])
    assert all(one.done_at and one.documents == 0 for one in (await had(older)).values())


async def test_the_platform_of_every_other_test_has_had_every_step(platform: Platform) -> None:
    assert await steps_left(platform.db) == []
    assert list(await had(platform)) == [step.name for step in STEPS]


async def test_a_step_that_dies_in_the_middle_is_begun_again_and_does_the_rest(older: Platform) -> None:
    steps = table(dying(mark, times=2), nothing)
    for so_far in ([1, 1, 0, 0, 0], [1, 1, 1, 1, 0]):
        with pytest.raises(Killed):
            await bring_up_to_date(older, quiet, steps)
        assert await marks(older) == so_far
        assert (await had(older))["s0001"].done_at is None
    await bring_up_to_date(older, quiet, steps)
    assert await marks(older) == [1] * 5
    assert await finished(older) == ["s0001 5", "s0002 0"]


async def test_of_two_that_start_at_once_one_upgrades_and_the_other_waits(older: Platform) -> None:
    entered, gate = asyncio.Event(), asyncio.Event()
    begun = 0

    async def slow(platform: Platform) -> AsyncIterator[int]:
        nonlocal begun
        begun += 1
        entered.set()
        await gate.wait()
        async for changed in mark(platform):
            yield changed

    steps = table(slow, nothing)
    first = asyncio.ensure_future(bring_up_to_date(older, quiet, steps))
    await entered.wait()

    def let_go(text: str) -> None:
        assert text == "另一个服务进程正在升级数据，等待它完成……"
        assert not first.done()
        gate.set()

    await asyncio.gather(first, bring_up_to_date(older, let_go, steps))
    assert begun == 1 and await finished(older) == ["s0001 5", "s0002 0"]


async def test_whoever_waits_takes_over_when_the_lease_of_a_dead_process_has_run_out(
    older: Platform, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_time_left(platform: Platform, name: str, holder: str) -> None:
        """A process that is killed lets nothing go."""

    steps = table(dying(mark))
    with monkeypatch.context() as patch:
        patch.setattr(leases, "release", no_time_left)
        with pytest.raises(Killed):
            await bring_up_to_date(older, quiet, steps)
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        if "等待" in text:
            clock.advance(runner.LEASE)

    await bring_up_to_date(older, hear, steps)
    assert said[0] == "另一个服务进程正在升级数据，等待它完成……"
    assert await marks(older) == [1] * 5 and await finished(older) == ["s0001 5"]


async def test_whoever_has_lost_the_lease_ends_nothing_and_waits(older: Platform, clock: FixedClock) -> None:
    async def overtaken(platform: Platform) -> AsyncIterator[int]:
        async for changed in mark(platform):
            if await marks(platform) == [1, 1, 0, 0, 0]:
                clock.advance(runner.LEASE)
                assert await leases.hold(platform, runner.NAME, runner.LEASE, "another")
            yield changed

    seen: list[bool] = []

    def hear(text: str) -> None:
        if "等待" in text:
            seen.append(True)
            clock.advance(runner.LEASE + timedelta(seconds=1))  # the other dies as well

    await bring_up_to_date(older, hear, table(overtaken))
    assert seen == [True] and await marks(older) == [1] * 5
    assert await finished(older) == ["s0001 5"]


async def test_a_database_with_a_step_of_a_later_version_is_refused_also_when_the_step_was_only_begun(
    older: Platform,
) -> None:
    await bring_up_to_date(older, quiet, table(nothing, nothing))
    await older["upgrades"].update_one({"_id": "s0002"}, {"$set": {"done_at": None}})
    with pytest.raises(DatabaseNewer, match="s0002"):
        await bring_up_to_date(older, quiet, table(nothing))


def test_a_server_gives_up_on_a_newer_database_with_one_clear_line_and_writes_nothing(
    mongodb_uri: str, worker_database_name: str, tmp_path: Path
) -> None:
    name = f"{worker_database_name}_newer"
    with MongoClient[Row](mongodb_uri) as client:
        client.drop_database(name)
        client[name]["upgrades"].insert_one({"_id": "s9999_of_tomorrow", "done_at": None})
        ended = subprocess.run(
            [sys.executable, "-m", "server", "--data-dir", str(tmp_path), "--port", str(free_port())],
            cwd=ROOT,
            env=os.environ | {"MONGODB_URI": mongodb_uri, "PLATFORM_MONGODB_DATABASE": name},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert client[name].list_collection_names() == ["upgrades"]
        client.drop_database(name)
    assert ended.returncode == 1
    assert ended.stderr.startswith("平台无法启动：数据库已由更新版本的程序升级（s9999_of_tomorrow）"), (
        ended.stderr
    )
    assert ended.stderr.count("\n") == 1 and ended.stdout == ""
