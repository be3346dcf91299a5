"""Live rolls on a real change stream: who watches a session hears of what happens in it, and of nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from server.attendance import live, store
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.live import LiveRolls
from server.attendance.rolls import LateRegistration, Roll, register_late
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from tests import stage
from tests.stage import ClassInSession, Phone

ARRIVES_WITHIN = 120


class Watcher:
    """A board that keeps what it was told."""

    def __init__(self) -> None:
        self.rolls: asyncio.Queue[Roll] = asyncio.Queue()

    def __call__(self, roll: Roll) -> None:
        self.rolls.put_nowait(roll)

    async def until_missing(self, count: int) -> Roll:
        """The next roll with so many missing; earlier ones may still say more."""
        async with asyncio.timeout(ARRIVES_WITHIN):
            while len((roll := await self.rolls.get()).missing) != count:
                pass
        return roll


@pytest.fixture
async def rolls(platform: Platform) -> AsyncIterator[LiveRolls]:
    rolls = LiveRolls(platform)
    yield rolls
    await rolls.close()


async def check_in(platform: Platform, session: TeachingSession, *phones: Phone) -> None:
    desk = CheckInDesk(platform)
    scan = Scan(stage.code_of(platform, session), "nonce")
    await asyncio.gather(*(desk.check_in(phone.actor, scan) for phone in phones))


async def test_who_watches_gets_the_roll_at_once_and_after_each_check_in(
    platform: Platform, opened: ClassInSession, session: TeachingSession, rolls: LiveRolls
) -> None:
    first, second = Watcher(), Watcher()
    rolls.join(session, first)
    await first.until_missing(4)
    await check_in(platform, session, opened.trainees[0])
    await first.until_missing(3)
    rolls.join(session, second)
    await second.until_missing(3)
    wanted = LateRegistration(person_id=opened.trainees[1].actor.id, reason="手机没电")
    await register_late(platform, opened.officer, opened.id, session.id, wanted)
    for watcher in (first, second):
        roll = await watcher.until_missing(2)
        assert [one.by_hand for one in roll.present] == [False, True]


async def test_sessions_that_are_watched_later_do_not_lose_the_earlier_ones(
    platform: Platform, opened: ClassInSession, session: TeachingSession, rolls: LiveRolls, clock: FixedClock
) -> None:
    evening = session.starts_at + timedelta(hours=9)
    other = await stage.teaching_session(
        platform, opened, starts_at=evening, ends_at=evening + timedelta(hours=1)
    )
    morning_board, evening_board = Watcher(), Watcher()
    rolls.join(session, morning_board)
    await morning_board.until_missing(4)
    rolls.join(other, evening_board)
    await evening_board.until_missing(4)
    await check_in(platform, session, *opened.trainees[:2])
    clock.set(other.opens_at)
    await check_in(platform, other, opened.trainees[0])
    await morning_board.until_missing(2)
    assert (await evening_board.until_missing(3)).session.id == other.id


async def test_a_class_that_comes_all_at_once_costs_few_rolls(
    platform: Platform, opened: ClassInSession, session: TeachingSession, rolls: LiveRolls
) -> None:
    watcher = Watcher()
    rolls.join(session, watcher)
    await watcher.until_missing(4)
    begun = asyncio.get_running_loop().time()
    for phone in opened.trainees:
        await check_in(platform, session, phone)
    told = 0
    async with asyncio.timeout(ARRIVES_WITHIN):
        while (await watcher.rolls.get()).missing:
            told += 1
    elapsed = asyncio.get_running_loop().time() - begun
    assert told <= 2 + elapsed / live.PACE_SECONDS


async def test_a_broken_change_stream_is_opened_again_and_what_was_missed_is_made_up(
    platform: Platform,
    opened: ClassInSession,
    session: TeachingSession,
    rolls: LiveRolls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.01)
    really_watch = store.watch_check_ins
    broken = asyncio.Event()

    def watch(*args: Any, **kwargs: Any) -> Any:
        if not broken.is_set():
            broken.set()
            raise OperationFailure("the resume point may no longer be in the oplog", 286)
        return really_watch(*args, **kwargs)

    monkeypatch.setattr(store, "watch_check_ins", watch)
    watcher = Watcher()
    rolls.join(session, watcher)
    async with asyncio.timeout(ARRIVES_WITHIN):
        await broken.wait()
    await check_in(platform, session, opened.trainees[0])
    await watcher.until_missing(3)
    await check_in(platform, session, opened.trainees[1])
    await watcher.until_missing(2)


async def test_who_has_left_hears_nothing_and_the_last_one_ends_the_stream(
    platform: Platform, opened: ClassInSession, session: TeachingSession, rolls: LiveRolls
) -> None:
    stays, leaves = Watcher(), Watcher()
    for watcher in (stays, leaves):
        rolls.join(session, watcher)
        await watcher.until_missing(4)
    rolls.leave(session, leaves)
    while not leaves.rolls.empty():
        leaves.rolls.get_nowait()
    await check_in(platform, session, opened.trainees[0])
    await stays.until_missing(3)
    assert leaves.rolls.empty()
    rolls.leave(session, stays)
    rolls.leave(session, stays)
    async with asyncio.timeout(ARRIVES_WITHIN):
        await rolls.close()
    rolls.join(session, stays)
    await stays.until_missing(3)
