"""Lists as .xlsx workbooks: what staff take along into Excel."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable, Sequence
from datetime import date
from urllib.parse import quote

import xlsxwriter

from admin.handler import PageHandler

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value = str | int | float | date


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
            for place, value in enumerate(row):
                if isinstance(value, int | float):
                    sheet.write_number(number, place, value)
                else:
                    sheet.write_string(number, place, str(value))
    return content.getvalue()


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
