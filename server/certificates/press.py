"""The printing press of a process: one thread that draws, and a queue that has an end."""

from __future__ import annotations

import asyncio
import base64
import io
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from operator import methodcaller
from typing import TypeVar

from pypdf import PdfWriter

from server.certificates.render import CertificateRenderer, FontsMissing, Sheet, renderer
from server.kernel.errors import Unavailable
from server.kernel.platform import Platform

Drawn = TypeVar("Drawn")

WAITING_MOST = 64
"""Pages that may wait: some 3 seconds of PDF, 10 of PNG. Whoever comes then is asked to come again."""
PAGES_AT_ONCE = 10
"""Of a book: a second of work and 10 MB. Between two parts the press draws for others."""


class Press:
    """Draws off the event loop. Typst does not hold the GIL, and its compiler draws one page at a time: a second thread would wait."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="certificates")
        self._waiting = 0

    async def pdf(self, sheet: Sheet) -> bytes:
        """A one-page PDF/A. Raises RenderFailed, or Unavailable when too many wait."""
        return await self.draw(methodcaller("render_pdf", sheet))

    async def book(self, sheets: Sequence[Sheet], title: str) -> bytes:
        """Many certificates as one PDF, a page each, in their order. Raises RenderFailed, or Unavailable when too many wait."""
        parts = [sheets[first : first + PAGES_AT_ONCE] for first in range(0, len(sheets), PAGES_AT_ONCE)]
        drawn = [await self.draw(methodcaller("render_book", part, title)) for part in parts]
        return drawn[0] if len(drawn) == 1 else await asyncio.to_thread(bound, drawn, title)

    async def png(self, sheet: Sheet) -> bytes:
        """The same as an image."""
        return await self.draw(methodcaller("render_png", sheet))

    async def jpeg(self, sheet: Sheet) -> bytes:
        """The same as an image for a phone."""
        return await self.draw(methodcaller("render_jpeg", sheet))

    async def missing(self, words: Sequence[str]) -> str:
        """Which of their characters no font here has."""
        return await self.draw(methodcaller("missing", words))

    async def draw(self, draw: Callable[[CertificateRenderer], Drawn]) -> Drawn:
        """Whatever a renderer does, in the thread that draws. Raises Unavailable when too many wait."""
        if self._waiting >= WAITING_MOST:
            raise Unavailable("同时打印证书的人太多，请稍后再试。")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: draw(renderer()))
        finally:
            self._waiting -= 1

    def fonts_report(self) -> str:
        """One line for the start-up: in which fonts certificates are printed here, or why none can be."""
        try:
            return renderer().fonts_report()
        except FontsMissing as problem:
            return f"证书暂时不能打印：{problem}"


def bound(parts: Sequence[bytes], title: str) -> bytes:
    """The parts one behind the other. Takes about 2 ms a page: call it in a thread."""
    with PdfWriter() as book:
        for part in parts:
            book.append(io.BytesIO(part), import_outline=False)
        book.remove_annotations(None)  # the fields of signatures: a reader would call them broken
        for signed in ("/AcroForm", "/Perms"):
            book.root_object.pop(signed, None)
        book.add_metadata({"/Title": title})
        whole = io.BytesIO()
        book.write(whole)
    return whole.getvalue()


@cache
def press() -> Press:
    """The one of this process, as Typst's own cache is. It holds fonts and no data."""
    return Press()


def new_token() -> str:
    """What stands in the QR code: 128 random bits, in the letters that such a code packs best."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def verify_url(platform: Platform, token: str) -> str:
    """What the QR code on the paper opens."""
    return f"{platform.settings.home}/verify/{token}"
