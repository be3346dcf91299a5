"""The chain of the audit trail is checked piece by piece, and its end is remembered."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from server.kernel import audit, chain
from server.kernel.chain import ChainBroken
from server.kernel.clock import FixedClock
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional


@transactional
async def do_something(unit: UnitOfWork, number: int) -> None:
    unit.audit("tests:do", f"subject-{number}", number=number)


async def entries(platform: Platform, count: int) -> None:
    for number in range(count):
        await do_something(platform, system("tests"), number)
    await audit.seal(platform)


async def at(platform: Platform, position: int, **fields: Any) -> None:
    """Changes the entry at a position as somebody with the database in hand would."""
    await platform["audit"].update_one({"position": position}, {"$set": fields})


@pytest.fixture(autouse=True)
async def _ten(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trail of a fresh platform has entries of its own; ten more, in pieces of four."""
    monkeypatch.setattr(chain, "PIECE", 4)
    await platform["audit"].delete_many({})
    await entries(platform, 10)


async def test_each_run_goes_on_where_the_last_one_stopped(platform: Platform) -> None:
    assert [(await chain.check(platform))["校验"] for _ in range(4)] == [4, 4, 2, 0]
    state = await chain.state(platform)
    assert (state.position, state.anchor_position) == (10, 10)
    assert state.whole_at is not None
    await entries(platform, 1)
    assert await chain.check(platform) == {"校验": 1}


async def test_a_change_is_found_when_its_piece_is_reached_and_again_each_time(platform: Platform) -> None:
    await at(platform, 6, actor_name="别人")
    assert await chain.check(platform) == {"校验": 4}
    for _ in range(2):
        with pytest.raises(ChainBroken, match="第 6 条"):
            await chain.check(platform)


async def test_what_was_checked_is_checked_again_each_week(platform: Platform, clock: FixedClock) -> None:
    for _ in range(3):
        await chain.check(platform)
    await at(platform, 2, facts={"number": 99})
    assert await chain.check(platform) == {"校验": 0}
    clock.advance(chain.WHOLE_AGAIN)
    with pytest.raises(ChainBroken, match="第 2 条"):
        await chain.check(platform)


async def test_a_week_is_counted_from_the_beginning_and_no_pass_is_left_half_done(
    platform: Platform, clock: FixedClock
) -> None:
    await chain.check(platform)
    clock.advance(chain.WHOLE_AGAIN + timedelta(days=3))  # nobody ran a scheduler in the middle of a pass
    assert [(await chain.check(platform))["校验"] for _ in range(2)] == [4, 2]
    assert await chain.check(platform) == {"校验": 4}, "then the whole again"


@pytest.mark.parametrize("newest", [1, 3])
async def test_removing_the_newest_entries_shows(platform: Platform, newest: int) -> None:
    for _ in range(3):
        await chain.check(platform)
    await platform["audit"].delete_many({"position": {"$gt": 10 - newest}})
    assert await audit.first_broken(platform) is None, "to the chain alone it looks whole"
    with pytest.raises(ChainBroken, match="已校验到第 10 条"):
        await chain.check(platform)


async def test_new_entries_in_the_place_of_removed_ones_show(platform: Platform) -> None:
    for _ in range(3):
        await chain.check(platform)
    await platform["audit"].delete_many({"position": {"$gt": 8}})
    await entries(platform, 5)
    assert await audit.first_broken(platform) is None
    with pytest.raises(ChainBroken):
        await chain.check(platform)


async def test_the_anchor_is_written_to_the_log(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="platform.audit"):
        await chain.check(platform)
    state = await chain.state(platform)
    assert f"entry 4, hash {state.anchor_hash}" in caplog.text
