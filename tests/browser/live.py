"""The platform, served from a loop of its own while the test itself waits on the browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from socket import socket
from typing import Any, TypeVar

from playwright.sync_api import Page
from tornado.netutil import bind_sockets

from server.__main__ import SIMULATED_SECRET, make_application
from server.attendance.live import LiveRolls
from server.demonstration.clock import DemonstrationClock
from server.kernel.clock import AheadClock, FixedClock
from server.kernel.platform import Platform
from server.settings import Settings
from server.wechat.simulator import Simulator, start_simulator
from tests import opening
from tests.admin.browserless import sign_in
from tests.cast import Officer
from tests.memory import Memory

Result = TypeVar("Result")
PATIENCE = 300.0
"""Seconds that a step on the server may take on a busy machine."""


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="live-site", daemon=True)
        self._thread.start()

    def do(self, step: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(PATIENCE)

    @contextmanager
    def within(self, context: AbstractAsyncContextManager[Result]) -> Iterator[Result]:
        """What an asynchronous context holds, entered and left over there; how the test ends is the test's own affair."""
        held = self.do(context.__aenter__())
        try:
            yield held
        finally:
            self.do(context.__aexit__(None, None, None))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class LiveSite:
    """`address` is without a trailing slash; `do` runs a coroutine where the platform lives."""

    loop: Loop
    address: str
    platform: Platform
    wechat: Simulator
    rolls: LiveRolls

    def do(self, step: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.do(step)

    def sign_in(self, page: Page, officer: Officer) -> None:
        """Stores the officer's account and gives the page what a log-in gives; how a person logs in, test_accounts shows."""
        cookies = self.do(sign_in(self.platform, self.address, officer)).cookies
        page.context.add_cookies(
            [{"name": name, "value": cookies[name], "url": self.address} for name in cookies]
        )
        page.goto(f"{self.address}/admin")
        assert page.url == f"{self.address}/admin"


@cache
def door() -> socket:
    """Where the site of each test stands: one address, so that the browser knows its assets again."""
    [listening] = bind_sockets(0, "127.0.0.1")
    return listening


@asynccontextmanager
async def live_site(
    loop: Loop, house: Platform, settings: Settings, clock: FixedClock, memory: Memory
) -> AsyncIterator[LiveSite]:
    wechat = start_simulator(clock=clock, secret=SIMULATED_SECRET)
    async with (
        opening.platform_in(house, settings, clock, wechat, memory) as platform,
        opening.served(platform, wechat, door=door()) as (address, rolls),
    ):
        yield LiveSite(loop, address, platform, wechat, rolls)
    await wechat.stop()


@asynccontextmanager
async def everything(platform: Platform, wechat: Simulator) -> AsyncIterator[str]:
    """The platform with the routes of a demonstration too, whose clock is not moved: its address."""
    clock = DemonstrationClock(platform, AheadClock(platform.clock), ())
    application = make_application(platform, simulator_url=wechat.base_url, demonstration=clock)
    async with opening.application_served(application) as address:
        yield address
