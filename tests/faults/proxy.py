"""A wire between the platform and its database that can be cut in the middle of a transaction."""

from __future__ import annotations

import asyncio
import struct
from typing import Self
from urllib.parse import urlsplit

HEADER = struct.Struct("<i")
"""A message of MongoDB's wire protocol begins with its length, header included (OP_MSG specification)."""
OF_A_TRANSACTION = b"autocommit"


class Wire:
    """Passes everything on until the `cut_at`th message of a transaction; from then on nothing, and no new connection."""

    def __init__(self, uri: str) -> None:
        self._to = urlsplit(uri)
        self.cut_at: int | None = None
        self.is_cut = False
        self._seen = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def uri(self) -> str:
        """The database's own address, by way of this wire, for a client that gives up soon."""
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._to.netloc.rpartition("@")[0]
        options = self._to.query.replace("replicaSet=embedded&", "")
        return f"mongodb://{credentials}@127.0.0.1:{port}/?{options}&serverSelectionTimeoutMS=60"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cut()
        self._server.close()

    def mend(self, cut_at: int | None) -> None:
        """Lets everything pass again, until the next cut."""
        self.cut_at, self.is_cut, self._seen = cut_at, False, 0

    def _cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        from_server, to_server = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers |= {writer, to_server}
        await asyncio.gather(self._up(reader, to_server), self._down(from_server, writer))

    async def _up(self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(HEADER.size)
                message = head + await reader.readexactly(HEADER.unpack(head)[0] - HEADER.size)
                if OF_A_TRANSACTION in message:
                    self._seen += 1
                    if self._seen == self.cut_at:
                        self._cut()
                        return
                to_server.write(message)
                await to_server.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            to_server.close()

    async def _down(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await from_server.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()
