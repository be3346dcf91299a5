"""SIGKILL in the middle of a morning: what was acknowledged is there after the next start."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from server.__main__ import SIMULATED_SECRET, open_platform
from server.attendance import timetable
from server.attendance.documents import TeachingSession
from server.attendance.timetable import SessionDraft
from server.kernel.clock import SystemClock, beijing_date
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.platform import Platform
from server.settings import Settings
from server.wechat.simulator import Simulator, start_simulator
from tests import stage
from tests.faults.server import ServerProcess
from tests.stage import ClassInSession

PHONES = 60
KILLED_AFTER = 15
"""Acknowledged check-ins after which the server is killed."""


@asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[tuple[Platform, Simulator]]:
    """The platform on this data directory without a server: to set the stage, and to look afterwards."""
    mongod = EmbeddedMongod(data_dir)
    settings = Settings(data_dir=data_dir, mongodb_uri=mongod.start()).with_secrets()
    simulator = start_simulator(clock=SystemClock(), secret=SIMULATED_SECRET)
    port = int(simulator.base_url.rpartition(":")[2])
    platform = await open_platform(settings.model_copy(update={"simulator_port": port}), SystemClock())
    try:
        yield platform, simulator
    finally:
        platform.limiter.close()
        platform.vault.close()
        platform.db.client.close()
        await simulator.stop()
        mongod.stop()


async def class_of_today(platform: Platform, simulator: Simulator) -> tuple[ClassInSession, TeachingSession]:
    """A class with a session whose check-in is open now."""
    now = platform.clock.now()
    today = beijing_date(now)
    held = await stage.class_in_session(
        platform, simulator, PHONES, starts_on=today - timedelta(days=1), ends_on=today + timedelta(days=1)
    )
    draft = SessionDraft(
        title="被打断的课次",
        place="实训楼 301",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        hours=1,
        opens_at=now - timedelta(minutes=5),
        late_after=now + timedelta(minutes=20),
        closes_at=now + timedelta(minutes=40),
    )
    return held, await timetable.add_session(platform, held.officer, held.id, draft)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_killing_server_and_database_loses_no_acknowledged_check_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as (platform, simulator):
        held, session = await class_of_today(platform, simulator)

    acknowledged: set[str] = set()
    with ServerProcess(tmp_path, free_port(), "--no-scheduler") as server:
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=120) as http:
            shown = await http.get(f"/teaching/sessions/{session.id}/code", headers=held.teacher.headers)
            code = shown.json()["code"]

            async def check_in(phone: stage.Phone) -> None:
                body = {"code": code, "nonce": phone.openid}
                answer = await http.post("/check-ins", json=body, headers=phone.headers)
                assert answer.status_code == 201, answer.text
                acknowledged.add(answer.json()["id"])
                if len(acknowledged) == KILLED_AFTER:
                    server.kill()

            results = await asyncio.gather(*map(check_in, held.trainees), return_exceptions=True)
    cut_off = [result for result in results if isinstance(result, httpx.TransportError)]
    assert len(acknowledged) + len(cut_off) == PHONES

    async with opened(tmp_path) as (platform, _):
        kept = {row["_id"] async for row in platform["check_ins"].find({"session_id": session.id})}
    assert acknowledged <= kept
    assert len(acknowledged) >= KILLED_AFTER
