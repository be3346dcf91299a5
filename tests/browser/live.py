"""The platform, served from a loop of its own while the test itself waits on the browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from playwright.sync_api import Page
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from server.__main__ import LARGEST_BODY, SIMULATED_SECRET, make_application, open_platform
from server.attendance.live import LiveRolls
from server.kernel.clock import Clock
from server.kernel.platform import Platform
from server.settings import Settings
from server.wechat.simulator import Simulator, start_simulator
from tests import stage
from tests.cast import Officer

Result = TypeVar("Result")
PATIENCE = 60.0
"""Seconds that a step on the server may take on a busy machine."""


class LiveSite:
    """`address` is without a trailing slash; `do` runs a coroutine where the platform lives."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: str,
        platform: Platform,
        wechat: Simulator,
        rolls: LiveRolls,
    ) -> None:
        self._loop = loop
        self.address = address
        self.platform = platform
        self.wechat = wechat
        self.rolls = rolls

    def do(self, step: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(PATIENCE)

    def sign_in(self, page: Page, officer: Officer) -> None:
        """Stores the officer's account and signs in as a person would."""
        self.do(stage.sign_up(self.platform, officer))
        page.goto(f"{self.address}/admin/login")
        page.get_by_label("用户名").fill(officer.username)
        page.locator("#field-password").fill(officer.password)
        page.get_by_role("button", name="登录").click()
        if stage.has_second_factor(officer):
            page.locator("#field-code").fill(stage.code_for(self.platform, officer))
            page.get_by_role("button", name="登录").click()
        page.wait_for_url(f"{self.address}/admin")


@contextmanager
def live_site(settings: Settings, clock: Clock) -> Iterator[LiveSite]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="live-site", daemon=True)
    thread.start()

    async def start() -> tuple[HTTPServer, LiveSite]:
        wechat = start_simulator(clock=clock, secret=SIMULATED_SECRET)
        port = int(wechat.base_url.rpartition(":")[2])
        platform = await open_platform(settings.model_copy(update={"simulator_port": port}), clock)
        application = make_application(platform, simulator_url=wechat.base_url)
        server = HTTPServer(application, max_body_size=LARGEST_BODY)
        [socket] = sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        return server, LiveSite(loop, address, platform, wechat, application.settings["live_rolls"])

    async def stop(server: HTTPServer, site: LiveSite) -> None:
        server.stop()
        await server.close_all_connections()
        await site.rolls.close()
        await site.wechat.stop()
        site.platform.limiter.close()
        site.platform.vault.close()
        site.platform.db.client.close()

    def run(step: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(step, loop).result(PATIENCE)

    server, site = run(start())
    try:
        yield site
    finally:
        run(stop(server, site))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
