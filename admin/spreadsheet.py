"""Lists as .xlsx workbooks: what staff take along into Excel."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import date
from typing import IO, Any, TypeVar
from urllib.parse import quote

import xlsxwriter

from admin.handler import PageHandler
from server.kernel.downloads import Download
from server.kernel.errors import TooLarge

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value = str | int | float | date
Row = TypeVar("Row")
ROWS_MOST = 1_000_000
"""A sheet has 1,048,576 rows."""
BATCH = 500
CHUNK_BYTES = 256 * 1024


def workbook(title: str, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[Value]]) -> bytes:
    """One sheet with a frozen header. `columns`: (heading, width in characters). Text stays text: nobody's name becomes a formula."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet(title)
        heading = book.add_format({"bold": True, "bg_color": "#E8F0FA", "border": 1})
        for place, (words, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, words, heading)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, start=1):
            _write_row(sheet, number, row)
    return content.getvalue()


async def stream_workbook(
    file_name: str,
    title: str,
    columns: Sequence[tuple[str, int]],
    rows: AsyncIterator[Row],
    cells: Callable[[Row], Sequence[Value]],
) -> Download:
    """The same for a list of any length, written row by row into a file that is gone when it has been sent. Raises TooLarge."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its last byte is read
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet(title)
    heading = book.add_format({"bold": True, "bg_color": "#E8F0FA", "border": 1})
    for place, (_, width) in enumerate(columns):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, [words for words, _ in columns], heading)
    written = 1
    batch: list[Row] = []
    try:
        async for one in rows:
            batch.append(one)
            if len(batch) == BATCH:
                written = await asyncio.to_thread(_write, sheet, written, batch, cells)
                batch = []
            if written > ROWS_MOST:
                raise TooLarge("超过一百万行，一张表放不下。请先筛选，再分别导出。")
        await asyncio.to_thread(_write, sheet, written, batch, cells)
    finally:
        await asyncio.to_thread(book.close)
    return Download(file_name, XLSX, file.tell(), _read(file))


def _write(sheet: Any, first: int, batch: Sequence[Row], cells: Callable[[Row], Sequence[Value]]) -> int:
    for number, one in enumerate(batch, start=first):
        _write_row(sheet, number, cells(one))
    return first + len(batch)


def _write_row(sheet: Any, number: int, row: Sequence[Value]) -> None:
    for place, value in enumerate(row):
        if isinstance(value, int | float):
            sheet.write_number(number, place, value)
        else:
            sheet.write_string(number, place, str(value))


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


async def send_workbook(
    handler: PageHandler,
    file_name: str,
    title: str,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[Value]],
) -> None:
    """Answers with a workbook as a download."""
    send_file(handler, file_name, await asyncio.to_thread(workbook, title, columns, list(rows)))


def send_file(handler: PageHandler, file_name: str, content: bytes, kind: str = XLSX) -> None:
    """Answers with a download under a name that may be Chinese (RFC 6266, RFC 8187)."""
    handler.set_header("Content-Type", kind)
    handler.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file_name)}")
    handler.finish(content)
