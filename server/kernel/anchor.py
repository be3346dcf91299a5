"""The anchor of a chain: where its sealed heads stand outside the database, one line of JSON each, only ever appended.

Who owns the database can rewrite every row of it, but not what has been written down elsewhere. The anchor is a file, best on another
machine's disk, or an address that keeps what is POSTed to it and gives all of it back, line by line, to a GET.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
from tornado.httpclient import AsyncHTTPClient

from server.settings import Settings

LINE_MOST = 4096
ANSWER_SECONDS = 10.0
ANSWER_MOST = 8 << 30


@dataclass(frozen=True)
class Head:
    """The newest entry of the chain at some time."""

    position: int
    seal: str

    def line(self, chain: str, at: datetime) -> bytes:
        said = {"chain": chain, "position": self.position, "seal": self.seal, "at": at}
        return orjson.dumps(said, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def read(cls, chain: str, line: bytes) -> Head | None:
        """None for a line of another chain, and for one that was cut off while it was written."""
        with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            said = orjson.loads(line)
            if said["chain"] == chain:
                return cls(int(said["position"]), str(said["seal"]))
        return None


Heads = contextlib.AbstractAsyncContextManager[Iterator[Head]]


class Anchor(Protocol):
    async def append(self, head: Head, at: datetime) -> None:
        """Returns when the head is kept. Raises OSError."""

    async def newest(self) -> Head | None:
        """What was appended last."""

    def heads(self) -> Heads:
        """All that stand there at this moment, in their order, read as they are asked for."""


TRAIL = "audit"


def anchor_of(settings: Settings, chain: str = TRAIL) -> Anchor:
    """All chains share an address; beside the file of the trail each other chain has one of its own."""
    where = settings.audit_anchor
    if where.startswith(("http://", "https://")):
        return AnchorAtAddress(where, chain)
    beside = settings.data_dir / "anchor" / f"{settings.mongodb_database}.jsonl"
    file = Path(where) if where else beside
    return AnchorFile(file if chain == TRAIL else file.with_name(f"{file.stem}.{chain}{file.suffix}"), chain)


@dataclass(frozen=True)
class AnchorFile:
    path: Path
    chain: str = TRAIL

    async def append(self, head: Head, at: datetime) -> None:
        await asyncio.to_thread(self._append, head.line(self.chain, at))

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            end = os.fstat(file).st_size
            torn = end and os.pread(file, 1, end - 1) != b"\n"  # the machine stopped in the middle of a line
            os.write(file, b"\n" + line if torn else line)
            os.fsync(file)
        finally:
            os.close(file)

    async def newest(self) -> Head | None:
        return await asyncio.to_thread(self._newest)

    def _newest(self) -> Head | None:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LINE_MOST))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        return next((head for line in reversed(lines) if (head := Head.read(self.chain, line))), None)

    @asynccontextmanager
    async def heads(self) -> AsyncIterator[Iterator[Head]]:
        try:
            file = await asyncio.to_thread(self.path.open, "rb")
        except FileNotFoundError:
            yield iter(())
            return
        with file:
            yield _lines(self.chain, file, os.fstat(file.fileno()).st_size)


@dataclass(frozen=True)
class AnchorAtAddress:
    """A failed call is an OSError, like a disk that cannot be written."""

    url: str
    chain: str = TRAIL

    async def append(self, head: Head, at: datetime) -> None:
        headers = {"Content-Type": "application/jsonl"}
        await self._call(method="POST", body=head.line(self.chain, at), headers=headers)

    async def newest(self) -> Head | None:
        async with self.heads() as heads:
            return next(iter(deque(heads, maxlen=1)), None)

    @asynccontextmanager
    async def heads(self) -> AsyncIterator[Iterator[Head]]:
        with tempfile.TemporaryFile() as file:

            def keep(piece: bytes) -> None:  # tornado would await the number of bytes that write returns
                file.write(piece)

            await self._call(streaming_callback=keep)
            size = file.tell()
            file.seek(0)
            yield _lines(self.chain, file, size)

    async def _call(self, **request: Any) -> None:
        client = AsyncHTTPClient(force_instance=True, defaults={}, max_body_size=ANSWER_MOST)
        try:
            await client.fetch(self.url, request_timeout=ANSWER_SECONDS, **request)
        except Exception as error:  # whatever it is, the anchor was not reached
            raise OSError(f"anchor: {type(error).__name__}: {error}") from error
        finally:
            client.close()


def _lines(chain: str, file: IO[bytes], size: int) -> Iterator[Head]:
    """The heads in the first `size` bytes."""
    while file.tell() < size and (line := file.readline(LINE_MOST)):
        if head := Head.read(chain, line):
            yield head
