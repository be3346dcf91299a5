"""Opens platforms for the tests: connections and keys once a worker, for each test whatever could hold something of another one."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket

from tornado.netutil import bind_sockets
from tornado.web import Application

from server.__main__ import make_application, make_wechat, open_platform
from server.attendance.live import LiveRolls
from server.kernel.clock import FixedClock, SystemClock
from server.kernel.front_door import Limits, open_door
from server.kernel.platform import Platform
from server.settings import Settings
from server.wechat.simulator import Simulator
from tests.memory import Memory, remembered


@asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[Platform]:
    """What the platforms of a worker have in common, since it is slow to make: connections to the database and the vault's key."""
    platform = await open_platform(settings.model_copy(update={"simulator_port": 1}), SystemClock())
    yield platform
    close(platform)


@asynccontextmanager
async def platform_in(
    house: Platform, settings: Settings, clock: FixedClock, wechat: Simulator, memory: Memory
) -> AsyncIterator[Platform]:
    """A platform on the empty database of these settings: with annex 1, as `open_platform` leaves it, and a WeChat of its own."""
    port = int(wechat.base_url.rpartition(":")[2])
    settings = settings.model_copy(update={"simulator_port": port})
    client = make_wechat(settings, house.db, clock)
    platform = dataclasses.replace(house, settings=settings, clock=clock, wechat=client)
    memory.watch(wechat.world, clock)
    await first_start(platform)
    yield platform
    await client.close()


@remembered
async def first_start(platform: Platform) -> None:
    """Annex 1, and whatever else stands in a database that was empty."""
    close(await open_platform(platform.settings, platform.clock))


def close(platform: Platform) -> None:
    platform.limiter.close()
    platform.vault.close()
    platform.db.client.close()


@asynccontextmanager
async def served(
    platform: Platform, wechat: Simulator, limits: Limits | None = None, door: socket | None = None
) -> AsyncIterator[tuple[str, LiveRolls]]:
    """The platform over HTTP on loopback: its address, without a trailing slash, and its live rolls."""
    application = make_application(platform, simulator_url=wechat.base_url)
    async with application_served(application, limits, door) as address:
        yield address, application.settings["live_rolls"]


@asynccontextmanager
async def application_served(
    application: Application, limits: Limits | None = None, door: socket | None = None
) -> AsyncIterator[str]:
    """An application on loopback: its address, without a trailing slash. A `door` that listens already is left open."""
    server = open_door(application, limits)
    [listening] = [door.dup()] if door else bind_sockets(0, "127.0.0.1")
    server.add_socket(listening)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.stop()
    await server.close_all_connections()
    await application.settings["live_rolls"].close()
