"""Rows as .xlsx workbooks: what staff take along into Excel."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any, Generic, TypeVar

import xlsxwriter

from server.kernel.clock import BEIJING
from server.kernel.downloads import Download

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value = str | int | float | date | None
R = TypeVar("R")
ROWS_MOST = 1_000_000
"""A sheet has 1,048,576 rows; what is longer goes on in a second one."""
BATCH = 500
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Column(Generic[R]):
    """`width` in characters."""

    title: str
    width: int
    value: Callable[[R], Value]


class TooLong(Exception):
    """More rows than whoever asked wanted to wait for."""


@dataclass
class Written:
    """A workbook on its way out, and how many rows it has."""

    file: Download
    rows: int


@dataclass(frozen=True)
class Sheet(Generic[R]):
    """A list as a workbook."""

    title: str
    columns: Sequence[Column[R]]
    rows: Callable[[Sequence[Any]], Iterable[R]] = tuple
    """What the sheet has a row for, where that is not the row of the list itself."""
    numbered: bool = False
    """Whether 序号 is the first column."""
    file: str = ""
    """The name of the file, where that is not the title."""

    async def download(self, found: Sequence[Any], of: object) -> Download:
        """`of`: what stands in the file's name beside its own: a day, a class."""
        headings, rows = self._headings, [self._cells(row) for row in self.rows(found)]
        if self.numbered:
            headings = [("序号", 6), *headings]
            rows = [[number, *cells] for number, cells in enumerate(rows, start=1)]
        content = await asyncio.to_thread(workbook, self.title, headings, rows)
        return Download.of(self.named(of), XLSX, content)

    def named(self, of: object) -> str:
        """The name of its file."""
        return f"{self.file or self.title}-{of}.xlsx"

    async def stream(self, file_name: str, rows: AsyncIterator[R], *, most: int | None = None) -> Written:
        """However long it is, written part by part into a file that is gone when it has been read. Raises TooLong above `most` rows."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its last byte is read
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        sheet = _begin(book, self.title, self._headings)
        written, on_sheet, sheets = 0, 0, 1
        try:
            async for batch in _batches(rows):
                written += len(batch)
                if most is not None and written > most:
                    raise TooLong
                if on_sheet + len(batch) > ROWS_MOST:
                    sheets += 1
                    sheet, on_sheet = _begin(book, f"{self.title}（{sheets}）", self._headings), 0
                await asyncio.to_thread(self._write, sheet, on_sheet + 1, batch)
                on_sheet += len(batch)
        except BaseException:
            await asyncio.to_thread(book.close)
            file.close()
            raise
        await asyncio.to_thread(book.close)
        return Written(Download(file_name, XLSX, file.tell(), _read(file)), written)

    @property
    def _headings(self) -> list[tuple[str, int]]:
        return [(column.title, column.width) for column in self.columns]

    def _cells(self, row: R) -> list[Value]:
        return [column.value(row) for column in self.columns]

    def _write(self, sheet: Any, first: int, batch: Sequence[R]) -> None:
        for number, one in enumerate(batch, start=first):
            _write_row(sheet, number, self._cells(one))


async def _batches(rows: AsyncIterator[R]) -> AsyncIterator[list[R]]:
    batch: list[R] = []
    async for one in rows:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def workbook(title: str, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[Value]]) -> bytes:
    """One sheet with a frozen header. `columns`: (heading, width in characters). Text stays text: nobody's name becomes a formula."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = _begin(book, title, columns)
        for number, row in enumerate(rows, start=1):
            _write_row(sheet, number, row)
    return content.getvalue()


def _begin(book: Any, title: str, columns: Sequence[tuple[str, int]]) -> Any:
    """The sheet with its header; the widths first, for what is written in constant memory cannot be gone back to."""
    sheet = book.add_worksheet(title)
    heading = book.add_format({"bold": True, "bg_color": "#E8F0FA", "border": 1})
    for place, (_, width) in enumerate(columns):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    for place, (words, _) in enumerate(columns):
        sheet.write_string(0, place, words, heading)
    return sheet


def _write_row(sheet: Any, number: int, row: Sequence[Value]) -> None:
    for place, value in enumerate(row):
        if isinstance(value, int | float):
            sheet.write_number(number, place, value)
        else:
            sheet.write_string(number, place, _words(value))


def _words(value: str | date | None) -> str:
    """As pages show it: a moment in Beijing's time, nothing for what is not there."""
    if isinstance(value, datetime):
        return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
