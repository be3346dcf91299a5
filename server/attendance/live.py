"""Live rolls: whoever watches a session hears of each check-in within a moment, on whichever process it arrived.

A process has one change stream for all sessions that are watched on it, because an open stream occupies a thread of Motor.
The stream only says which session changed; the boards then get its whole roll, so that nothing can be missed for long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pymongo.errors import PyMongoError

from server.attendance import rolls, store
from server.attendance.documents import TeachingSession
from server.attendance.rolls import Roll
from server.kernel.platform import Platform

Board = Callable[[Roll], None]

PACE_SECONDS = 0.05
"""Between two rolls of one session at least: a class that checks in all at once costs some rolls a second, not fifty."""
REST = 4
"""Times as long as it took to read a roll nothing is read: where a thousand boards are watched, each takes its turn."""
LONGEST_REST_SECONDS = 0.5
WAIT_MS = 250
"""How long the stream waits for a change before it looks whether other sessions are watched by now."""
RETRY_SECONDS = 1.0
log = logging.getLogger("platform.attendance")


class LiveRolls:
    """Tells the boards of this process. Made once an application; it is at rest while nobody watches."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._watched: dict[str, _Watched] = {}
        self._listener: asyncio.Task[None] | None = None

    def join(self, session: TeachingSession, board: Board) -> None:
        """From now on `board` is called with the roll of a session that the caller has fetched: at once, and after changes."""
        watched = self._watched.get(session.id)
        if watched is None:
            watched = self._watched[session.id] = _Watched(self._platform, session)
        watched.boards.add(board)
        watched.changed.set()
        if self._listener is None:
            self._listener = asyncio.get_running_loop().create_task(self._listen())

    def leave(self, session: TeachingSession, board: Board) -> None:
        """Ends what `join` began; soon after the last board the change stream ends too."""
        watched = self._watched.get(session.id)
        if watched is None:
            return
        watched.boards.discard(board)
        if not watched.boards:
            watched.teller.cancel()
            del self._watched[session.id]

    async def close(self) -> None:
        """Tells nobody any more; returns when the change stream is closed."""
        for watched in self._watched.values():
            watched.teller.cancel()
        self._watched = {}
        if self._listener is not None:
            await self._listener

    async def _listen(self) -> None:
        """Hands over from stream to stream, each for the sessions that are watched by then: the next is open before the last has been read
        to its end, so that nobody's roll has to be read again because somebody else came."""
        stream: Any = None
        while self._watched:
            sessions = frozenset(self._watched)
            try:
                last, stream = stream, store.watch_check_ins(self._platform, sessions, wait_ms=WAIT_MS)
                await stream.__aenter__()
                if last is None:  # nothing is known of what came before
                    for watched in self._watched.values():
                        watched.changed.set()
                else:
                    while await self._hear(last):
                        pass
                    await last.close()
                while self._watched.keys() == sessions and bool(stream.alive):
                    await self._hear(stream)
                if not stream.alive:
                    stream = None
            except PyMongoError as error:  # the driver has tried to resume already
                log.warning("the change stream of check-ins broke: %s", type(error).__name__)
                stream = None
                await asyncio.sleep(RETRY_SECONDS)
        if stream is not None:
            await stream.close()
        self._listener = None

    async def _hear(self, stream: Any) -> bool:
        """Notes the next change, if there is one. Raises PyMongoError."""
        change = await stream.try_next()
        if change and (found := self._watched.get(change["fullDocument"]["session_id"])):
            found.changed.set()
        return bool(change)


class _Watched:
    """A session, the boards that show it, and the task that reads its roll for all of them."""

    def __init__(self, platform: Platform, session: TeachingSession) -> None:
        self.boards: set[Board] = set()
        self.changed = asyncio.Event()
        self.teller = asyncio.get_running_loop().create_task(self._tell(platform, session))

    async def _tell(self, platform: Platform, session: TeachingSession) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.changed.wait()
            self.changed.clear()
            begun = loop.time()
            try:
                roll = await rolls.roll_for_boards(platform, session)
            except PyMongoError as error:
                log.warning("a live roll could not be read: %s", type(error).__name__)
                self.changed.set()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for board in tuple(self.boards):
                board(roll)
            rest = min(REST * (loop.time() - begun), LONGEST_REST_SECONDS)
            await asyncio.sleep(max(PACE_SECONDS, rest))
