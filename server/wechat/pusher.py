"""How the simulated WeChat pushes: signed, encrypted, and sent again when no answer comes within five seconds."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

from server.wechat.pushes import PushKeys
from server.wechat.terms import Json
from server.wechat.world import World

PATIENCE = 5
"""Seconds in which the answer must come."""
TRIES = 3
LARGEST_FILE = 10 * 2**20


@dataclass(frozen=True)
class PushTarget:
    """The address that the owner of the mini-program set up, and the keys that go with it."""

    url: str
    keys: PushKeys = field(repr=False)


class Pusher:
    """Carries the events of `world` to `target`, each in a task of its own, so that no call waits for its push."""

    def __init__(self, world: World) -> None:
        self.target: PushTarget | None = None
        self._world = world
        self._tasks: set[asyncio.Task[None]] = set()
        world.on_event = self.push
        world.on_media = self.judge

    def push(self, event: Json) -> None:
        if self.target is not None:
            self._begin(self._push(event, self.target))

    def judge(self, url: str, event: Json) -> None:
        self._begin(self._judge(url, event))

    async def settled(self) -> None:
        """When nothing is on its way any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _judge(self, url: str, event: Json) -> None:
        answer = await _fetch(self._nearby(url), "GET", None)
        content = answer.body if answer is not None and answer.code == 200 else None
        self._world.emit({**event, **self._world.media_verdict(content)})

    def _nearby(self, url: str) -> str:
        """The platform's address on this machine instead of its name in the world, which may not lead here."""
        if self.target is None:
            return url
        return urlsplit(url)._replace(scheme="http", netloc=urlsplit(self.target.url).netloc).geturl()

    async def _push(self, event: Json, target: PushTarget) -> None:
        tries, status = 0, None
        while tries < TRIES and status != 200:
            tries += 1
            status = await self._push_once(event, target)
        self._world.pushes.append(
            {
                "event": event["Event"],
                "openid": event["FromUserName"],
                "at": self._world.clock.now().isoformat(),
                "tries": tries,
                "status": status,
            }
        )

    async def _push_once(self, event: Json, target: PushTarget) -> int | None:
        """The status of the answer; None when there was none in time."""
        moment = str(int(self._world.clock.now().timestamp()))
        text = orjson.dumps(event).decode()
        sealed = target.keys.seal(text, event["ToUserName"], moment, secrets.token_hex(5))
        answer = await _fetch(f"{target.url}?{sealed.query}", "POST", sealed.body)
        return None if answer is None else answer.code


async def _fetch(url: str, method: str, body: bytes | None) -> HTTPResponse | None:
    """None when no answer comes in time."""
    client = AsyncHTTPClient(force_instance=True, max_body_size=LARGEST_FILE)
    try:
        return await client.fetch(
            url, method=method, body=body, request_timeout=PATIENCE, raise_error=False, follow_redirects=False
        )
    except (HTTPClientError, OSError):
        return None
    finally:
        client.close()
