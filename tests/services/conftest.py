"""A class with a session to check in to; a file that needs another class has an `opened` of its own."""

from __future__ import annotations

import pytest

from server.attendance.check_in import CheckInDesk
from server.attendance.documents import TeachingSession
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.stage import ClassInSession


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=4)


@pytest.fixture
async def session(platform: Platform, opened: ClassInSession, clock: FixedClock) -> TeachingSession:
    """The clock stands where it begins."""
    made = await stage.teaching_session(platform, opened)
    clock.set(made.starts_at)
    return made


@pytest.fixture
def desk(platform: Platform) -> CheckInDesk:
    return CheckInDesk(platform)
