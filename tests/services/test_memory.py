"""What a worker remembers of a stage is what the services left there, and nothing that a test does gets into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from server.accounts import phones
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import certifying, opening, stage
from tests.memory import KEPT, Memory, known_to, remembered
from tests.planning import XINGTAI

Again = Callable[[], Awaitable[None]]
taken: list[str] = []


@remembered
async def rename(platform: Platform, name: str) -> list[str]:
    """Stores, changes and deletes a row."""
    taken.append(name)
    await platform["outbox"].insert_one({"_id": ObjectId(), "name": name})
    await platform["institutions"].update_one({"_id": "009"}, {"$set": {"name": name}})
    await platform["institutions"].delete_one({"_id": "017"})
    return [name]


@pytest.fixture
def again(platform: Platform, clock: FixedClock, memory: Memory) -> Again:
    """Begins anew, as the next test would."""
    begun = clock.now()

    async def begin() -> None:
        clock.set(begun)
        memory.begin_again()
        await opening.first_start(platform)

    taken.clear()
    return begin


async def rows(platform: Platform) -> dict[str, list[Any]]:
    names = sorted(set(await platform.db.list_collection_names()) - KEPT)
    return {name: await platform[name].find().sort("_id", 1).to_list(None) for name in names}


async def test_a_step_is_taken_once_and_leaves_the_same_rows_each_time(
    platform: Platform, again: Again
) -> None:
    untouched = await rows(platform)
    assert await rename(platform, "once") == ["once"]
    left = await rows(platform)
    await again()
    assert await rows(platform) == untouched != left
    assert await rename(platform, "once") == ["once"]
    assert await rows(platform) == left
    assert taken == ["once"]


async def test_what_a_test_does_to_a_result_is_its_own_affair(platform: Platform, again: Again) -> None:
    (await rename(platform, "mine")).append("changed")
    await again()
    (await rename(platform, "mine")).append("changed")
    await again()
    assert await rename(platform, "mine") == ["mine"]
    assert taken == ["mine"]


async def test_steps_follow_each_other(platform: Platform, again: Again) -> None:
    for _ in range(2):
        await again()
        await rename(platform, "first")
        await rename(platform, "second")
        names = [row["name"] async for row in platform["outbox"].find().sort("_id", 1)]
        assert names == ["first", "second"]
        assert taken == ["first", "second"]


async def test_a_step_is_taken_again_after_anything_else_was_written(
    platform: Platform, again: Again
) -> None:
    await rename(platform, "here")
    await again()
    await platform["outbox"].insert_one({"_id": ObjectId(), "name": "before"})
    await rename(platform, "here")
    assert [row["name"] async for row in platform["outbox"].find()] == ["before", "here"]
    await again()
    await stage.open_class(platform, XINGTAI, stage.class_draft())  # in a transaction
    await rename(platform, "here")
    assert taken == ["here", "here", "here"]


async def test_a_step_is_taken_again_with_other_words_at_another_time_and_under_other_settings(
    platform: Platform, again: Again, clock: FixedClock
) -> None:
    await rename(platform, "one")
    await again()
    await rename(platform, "other")
    await again()
    clock.advance(timedelta(seconds=1))
    await rename(platform, "one")
    await again()
    platform.settings = platform.settings.model_copy(update={"session_hours": 1.0})
    await rename(platform, "one")
    assert taken == ["one", "other", "one", "one"]


async def test_wechat_knows_what_it_knew(platform: Platform, wechat: Simulator, again: Again) -> None:
    first = await stage.class_in_session(platform, wechat)
    knew = known_to(wechat.world)
    await again()
    assert known_to(wechat.world) != knew
    assert await stage.class_in_session(platform, wechat) == first
    assert known_to(wechat.world) == knew
    session = await phones.log_in(platform, wechat.world.give_code(first.teacher.openid))
    assert (await phones.PhoneAuthenticator(platform).actor_of(session.token)).id == first.teacher.actor.id


async def test_a_step_is_taken_again_when_wechat_knows_anything_else(
    platform: Platform, wechat: Simulator, again: Again
) -> None:
    await rename(platform, "known")
    await again()
    wechat.world.failures["/sns/jscode2session"] = "hang"
    await rename(platform, "known")
    assert taken == ["known", "known"]
    assert wechat.world.failures == {"/sns/jscode2session": "hang"}


async def test_the_clock_goes_to_where_a_step_had_put_it(
    platform: Platform, wechat: Simulator, clock: FixedClock, again: Again
) -> None:
    passed = await certifying.passed_class(platform, wechat)
    assert clock.now() == certifying.on_last_day(passed)
    await again()
    assert await certifying.passed_class(platform, wechat) == passed
    assert clock.now() == certifying.on_last_day(passed)
