"""The platform with every door, and everybody before it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.__main__ import make_application
from server.demonstration.clock import DemonstrationClock
from server.kernel.clock import AheadClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.opening import application_served
from tests.security.visiting import Visitors
from tests.security.world import build_world


@pytest.fixture
async def site(platform: Platform, wechat: Simulator) -> AsyncIterator[str]:
    """The platform with every route that there is, those of a demonstration too; its clock is not moved here."""
    clock = DemonstrationClock(platform, AheadClock(platform.clock), ())
    async with application_served(
        make_application(platform, simulator_url=wechat.base_url, demonstration=clock)
    ) as address:
        yield address


@pytest.fixture
async def visitors(
    platform: Platform, wechat: Simulator, site: str, monkeypatch: pytest.MonkeyPatch
) -> Visitors:
    """Everybody, with a world behind the doors."""
    monkeypatch.setattr(platform.limiter, "hit", _never_too_often)
    return await Visitors.before(platform, site, await build_world(platform, wechat))


async def _never_too_often(*_: str, **__: int) -> None:
    """Rate limits are tested where they stand; here one address knocks for the whole country."""
