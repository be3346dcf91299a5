"""The class of the demonstration that is going on: whenever the server is started, its session of now is one that could be."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.demonstration.life import Life
from server.demonstration.stage import Stage
from server.kernel.clock import BEIJING, beijing_date

A_CLASS_HOUR = timedelta(minutes=45)


@pytest.mark.parametrize("minute", [0, 1, 11, 12, 13, 240, 720, 1200, 1246, 1247, 1248, 1300, 1438, 1439])
def test_the_session_of_now_is_going_on_lies_in_one_day_and_is_as_long_as_its_hours(minute: int) -> None:
    now = datetime(2026, 11, 30, tzinfo=BEIJING) + timedelta(minutes=minute, seconds=7)

    def day(days: int, at: time) -> datetime:
        return datetime.combine(now.date() + timedelta(days=days), at, BEIJING)

    stage: Any = SimpleNamespace(now=now, day=day)
    session = Life(cast(Stage, stage))._session_of_now("实训楼 405")
    assert session.starts_at <= now
    assert now < session.ends_at + timedelta(minutes=1)
    assert beijing_date(session.starts_at) == beijing_date(session.ends_at) == now.date()
    assert session.ends_at - session.starts_at >= session.hours * A_CLASS_HOUR
