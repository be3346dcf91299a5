"""Rows as .xlsx workbooks: what staff take along into Excel."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Any, Generic, TypeVar

import xlsxwriter

from server.kernel.downloads import Download
from server.kernel.errors import TooLarge

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value = str | int | float | date
R = TypeVar("R")
ROWS_MOST = 1_000_000
"""A sheet has 1,048,576 rows."""
BATCH = 500
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Column(Generic[R]):
    """`width` in characters."""

    title: str
    width: int
    value: Callable[[R], Value]


@dataclass(frozen=True)
class Sheet(Generic[R]):
    """A list as a workbook of one sheet, at most `most` rows of it."""

    title: str
    columns: Sequence[Column[R]]
    most: int = 5_000
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
        return Download.of(f"{self.file or self.title}-{of}.xlsx", XLSX, content)

    async def stream(self, file_name: str, rows: AsyncIterator[R]) -> Download:
        """However long it is, written row by row into a file that is gone when it has been sent. Raises TooLarge."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its last byte is read
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        sheet = _begin(book, self.title, self._headings)
        written = 1
        batch: list[R] = []
        try:
            async for one in rows:
                batch.append(one)
                if len(batch) == BATCH:
                    written = await asyncio.to_thread(self._write, sheet, written, batch)
                    batch = []
                if written > ROWS_MOST:
                    raise TooLarge("超过一百万行，一张表放不下。请先筛选，再分别导出。")
            await asyncio.to_thread(self._write, sheet, written, batch)
        finally:
            await asyncio.to_thread(book.close)
        return Download(file_name, XLSX, file.tell(), _read(file))

    @property
    def _headings(self) -> list[tuple[str, int]]:
        return [(column.title, column.width) for column in self.columns]

    def _cells(self, row: R) -> list[Value]:
        return [column.value(row) for column in self.columns]

    def _write(self, sheet: Any, first: int, batch: Sequence[R]) -> int:
        for number, one in enumerate(batch, start=first):
            _write_row(sheet, number, self._cells(one))
        return first + len(batch)


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
            sheet.write_string(number, place, str(value))


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
