"""A client that sends bytes as it likes, where a real one would not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
from tornado.httputil import HTTPHeaders

PATIENCE = 30
"""Seconds, after which a server that should have answered has not."""


@dataclass
class Line:
    """A connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Heard:
        """The next answer, whole. Raises IncompleteReadError where the connection ends instead, ConnectionResetError for a reset."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, _, rest = head.partition("\r\n")
            headers = HTTPHeaders.parse(rest)
            body = await self.reader.readexactly(int(headers.get("Content-Length", "0")))
        return Heard(int(first.split()[1]), headers, body)

    async def is_closed(self) -> bool:
        """Waits until the server has closed; whatever it says before is thrown away."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.reader.read()
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True)
class Heard:
    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def problem(self) -> str:
        return str(orjson.loads(self.body)["type"])

    @property
    def detail(self) -> str:
        return str(orjson.loads(self.body)["detail"])


@asynccontextmanager
async def line_to(site: str) -> AsyncIterator[Line]:
    address = urlsplit(site)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def head(method: str, path: str, **headers: str) -> bytes:
    """The first lines of a request; `content_type` becomes `Content-Type`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: platform.test"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def ask(site: str, method: str, path: str, body: bytes = b"", **headers: str) -> Heard:
    """One request, sent to its last byte before anything is read, as a phone does."""
    async with line_to(site) as line:
        if body:
            headers["content_length"] = str(len(body))
        await line.send(head(method, path, **headers) + body)
        return await line.answer()
