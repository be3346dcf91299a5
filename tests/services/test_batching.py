"""Coalescing: who travels with whom, and whose mistake is whose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from server.kernel.batching import Coalescer


class Road:
    """A `run` that notes its batches and waits until it is let go."""

    def __init__(self, *, closed: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        if not closed:
            self.open.set()

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        await self.open.wait()
        if 500 in items:
            raise RuntimeError("the whole batch")
        return [ValueError(str(item)) if item < 0 else item * 2 for item in items]


async def a_turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_an_item_that_comes_alone_leaves_at_once() -> None:
    road = Road()
    double = Coalescer(road)
    assert [await double(1), await double(2)] == [2, 4]
    assert road.batches == [[1], [2]]


async def test_items_of_one_turn_travel_together_and_each_gets_its_own_answer() -> None:
    road = Road()
    double = Coalescer(road)
    answers = await asyncio.gather(*(double(item) for item in (1, -2, 3)), return_exceptions=True)
    assert road.batches == [[1, -2, 3]]
    assert answers[0] == 2 and isinstance(answers[1], ValueError) and answers[2] == 6


async def test_what_comes_while_all_lanes_are_busy_leaves_together_when_one_frees() -> None:
    road = Road(closed=True)
    double = Coalescer(road, lanes=2)
    first = [double(1)]
    await a_turn()
    first.append(double(2))
    await a_turn()
    later = [double(item) for item in (3, 4, 5)]
    await a_turn()
    assert road.batches == [[1], [2]]
    road.open.set()
    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8, 10]
    assert road.batches == [[1], [2], [3, 4, 5]]


async def test_a_batch_has_a_largest_size() -> None:
    road = Road()
    double = Coalescer(road, lanes=2, largest=3)
    assert await asyncio.gather(*(double(item) for item in range(8))) == [item * 2 for item in range(8)]
    assert road.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


async def test_what_goes_wrong_with_a_whole_batch_is_told_to_all_of_it_and_the_lane_is_free_again() -> None:
    double = Coalescer(Road(), lanes=1)
    answers = await asyncio.gather(*(double(item) for item in (1, 500, 2)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["the whole batch"] * 3
    assert await double(7) == 14


async def test_a_request_that_went_away_takes_nobody_with_it() -> None:
    road = Road(closed=True)
    double = Coalescer(road)
    gone, stays = double(1), double(2)
    await a_turn()
    gone.cancel()
    road.open.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
