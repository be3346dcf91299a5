"""Coalescing: requests in flight share one round trip to the database.

Motor hands every call to a thread, and that hop, not MongoDB, is the limit of a process. A hop a batch is none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Coalescer(Generic[Item, Answer]):
    """Answers each item through `run`, which takes a batch and gives one answer an item, in order.

    An item that finds a free lane leaves at once, with those that came in the same turn of the event loop; those that come
    while all `lanes` are busy leave together when one frees. So few requests never wait for company, and many always
    travel in it, but no more than `largest`: two batches keep both the database and this process busy, where one of
    everybody would let them take turns.

    An answer that is an exception is raised to its own item only; an exception of `run` itself, to its batch.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        lanes: int = 2,
        largest: int = 100,
    ) -> None:
        self._run = run
        self._free_lanes = lanes
        self._largest = largest
        self._boarding = False
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._flights: set[asyncio.Task[None]] = set()

    def __call__(self, item: Item) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free_lanes and not self._boarding:
            self._board()
        return future

    def _board(self) -> None:
        """Lets a flight leave in the next turn of the event loop, with all who wait by then."""
        self._boarding = True
        self._free_lanes -= 1
        flight = asyncio.get_running_loop().create_task(self._fly())
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self) -> None:
        self._boarding = False
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest))]
        if self._waiting and self._free_lanes:
            self._board()
        try:
            answers = await self._run([item for item, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        self._free_lanes += 1
        if self._waiting and not self._boarding:
            self._board()
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # its request was cancelled
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
