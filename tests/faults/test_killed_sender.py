"""Senders in processes of their own: two at once share the work and the access token, and one that is killed loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.messages import delivery as messages
from server.wechat.simulator import Simulator
from tests import stage
from tests.messaging import SEND, TOKEN, received, states, subscribe, tell
from tests.stage import Phone
from tests.surveying import clock_of

ROOT = Path(__file__).parents[2]
MESSAGES = 20


@pytest.fixture
async def phone(platform: Platform, wechat: Simulator) -> Phone:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    await platform["outbox"].delete_many({})
    [phone] = held.trainees
    await subscribe(platform, wechat, phone, MESSAGES)
    return phone


@asynccontextmanager
async def sender(platform: Platform) -> AsyncIterator[Process]:
    """A process that is ready to send."""
    settings = platform.settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.sender", platform.clock.now().isoformat()),
        cwd=ROOT,
        env=os.environ
        | {
            "MONGODB_URI": settings.mongodb_uri,
            "PLATFORM_MONGODB_DATABASE": settings.mongodb_database,
            "PLATFORM_DATA_DIR": str(settings.data_dir),
            "PLATFORM_SIMULATOR_PORT": str(settings.simulator_port),
            "WECHAT_TIMEOUT_SECONDS": "30",
        },
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def go(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")


async def counts(process: Process) -> dict[str, int]:
    assert process.stdout is not None
    return dict(json.loads(await process.stdout.readline()))


async def test_two_processes_share_the_messages_and_fetch_the_token_once(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    told = await tell(platform, phone, count=MESSAGES)
    async with sender(platform) as one, sender(platform) as other:
        go(one)
        go(other)
        sent = [await counts(process) for process in (one, other)]
    assert sum(count.get("已发送", 0) for count in sent) == MESSAGES
    assert sorted(received(wechat, phone)) == told
    assert wechat.world.calls[TOKEN] == 1
    assert wechat.world.calls[SEND] == MESSAGES


async def test_a_sender_killed_while_it_waits_for_wechat_leaves_the_next_one_to_settle_it(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    told = await tell(platform, phone, count=MESSAGES)
    wechat.world.fail(SEND, "hang")
    async with sender(platform) as process:
        go(process)
        while wechat.world.calls[SEND] < messages.PARALLEL:  # noqa: ASYNC110 - calls arrive over HTTP, without an event
            await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
    assert await states(platform) == {State.WAITING, State.SENDING}
    wechat.world.heal()
    for _ in range(3):
        await messages.deliver(platform)
        clock_of(platform).advance(timedelta(minutes=2))
    assert await states(platform) == {State.SENT, State.UNCERTAIN}
    uncertain = await platform["outbox"].count_documents({"state": State.UNCERTAIN})
    assert uncertain == messages.PARALLEL
    assert len(received(wechat, phone)) == MESSAGES - uncertain
    assert set(received(wechat, phone)) < set(told)
