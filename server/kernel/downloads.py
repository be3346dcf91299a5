"""A file on its way out: streamed, saved and never shown inside our own pages (RFC 6266, CSP `sandbox`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

SEALED = "default-src 'none'; sandbox"
"""Whatever a stranger's file holds, it gets no origin, no script and no form."""


@dataclass(frozen=True)
class Download:
    name: str
    media_type: str
    size: int | None
    """Bytes; None when nobody knows before the end."""
    content: AsyncIterator[bytes]

    @classmethod
    def of(cls, name: str, media_type: str, content: bytes) -> Download:
        """Of what is in memory."""
        return cls(name, media_type, len(content), _at_once(content))


async def _at_once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def send(handler: RequestHandler, file: Download) -> None:
    """Answers with the file, a chunk at a time. Raises what reading it raises, before anything was sent."""
    first = await anext(file.content, b"")
    handler.set_header("Content-Type", file.media_type)
    if file.size is not None:
        handler.set_header("Content-Length", str(file.size))
    handler.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file.name, safe='')}")
    handler.set_header("Content-Security-Policy", SEALED)
    handler.set_header("X-Content-Type-Options", "nosniff")
    try:
        handler.write(first)
        await handler.flush()
        async for chunk in file.content:
            handler.write(chunk)
            await handler.flush()
    except StreamClosedError:
        pass  # nobody is there any more
