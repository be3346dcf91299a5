"""A wire between the platform and its database that can be cut in the middle of a transaction."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

import bson

HEADER = struct.Struct("<i")
"""A message of MongoDB's wire protocol begins with its length, header included (OP_MSG specification)."""
COMMAND_AT = 16 + 4 + 1
"""Where an OP_MSG has its command: after the header, the flags and the kind of its first section."""


class Wire:
    """Passes everything on until the `cut_at`th message of a transaction; from then on nothing, and no new connection.

    Or until a commit: that still arrives and is answered, and the answer does not come back.
    """

    def __init__(self, uri: str) -> None:
        self._to = urlsplit(uri)
        self._writers: set[asyncio.StreamWriter] = set()
        self.mend(None)

    @property
    def uri(self) -> str:
        """The database's own address, by way of this wire, for a client that gives up at once."""
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._to.netloc.rpartition("@")[0]
        options = self._to.query.replace("replicaSet=embedded&", "")
        return f"mongodb://{credentials}@127.0.0.1:{port}/?{options}&serverSelectionTimeoutMS=20"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cut()
        self._server.close()

    def mend(
        self, cut_at: int | None, *, at_commit: bool = False, when_cut: Callable[[], None] = lambda: None
    ) -> None:
        """Lets everything pass again, until the next cut."""
        self._cut_at, self._at_commit, self._when_cut = cut_at, at_commit, when_cut
        self._to_be_lost: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.messages = 0
        """Of transactions, since it was mended."""
        self.sessions: dict[bytes, dict[str, Any]] = {}
        """Whose transactions these were, for the `killSessions` of whoever tidies up."""

    def _cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        from_server, to_server = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers.add(to_server)
        if self.is_cut:  # before, or while this connection was made
            return self._cut()
        await asyncio.gather(self._up(reader, to_server, writer), self._down(from_server, writer))
        return None

    async def _up(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                head = await reader.readexactly(HEADER.size)
                message = head + await reader.readexactly(HEADER.unpack(head)[0] - HEADER.size)
                command = _command(message)
                before = self._counted(command) == self._cut_at
                after = self._at_commit and "commitTransaction" in command
                if after:
                    self._to_be_lost.add(back)
                if before:
                    self._cut()
                    self._when_cut()
                    return
                to_server.write(message)
                await to_server.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            to_server.close()

    def _counted(self, command: dict[str, Any]) -> int:
        """The number of a message of a transaction; 0 for any other."""
        if "autocommit" not in command:
            return 0
        self.sessions[command["lsid"]["id"]] = command["lsid"]
        self.messages += 1
        return self.messages

    async def _down(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await from_server.read(65536):
                if writer in self._to_be_lost:
                    self._cut()
                    self._when_cut()
                    return
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()


def _command(message: bytes) -> dict[str, Any]:
    size = HEADER.unpack_from(message, COMMAND_AT)[0]
    return bson.decode(message[COMMAND_AT : COMMAND_AT + size])
