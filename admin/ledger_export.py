"""The ledger of certificates as a workbook, written row by row: however long it is, little of it is in memory."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, Any

import xlsxwriter

from admin.spreadsheet import XLSX
from server.certificates.documents import Certificate
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import TooLarge

ROWS_MOST = 1_000_000
"""A sheet has 1,048,576 rows."""
BATCH = 500
CHUNK_BYTES = 256 * 1024

COLUMNS = (
    ("证书序列号", 14),
    ("证书编号", 18),
    ("姓名", 14),
    ("证件号", 22),
    ("培训班", 36),
    ("培训级别", 10),
    ("专业大类", 12),
    ("培训时间", 26),
    ("课时", 8),
    ("发证机构", 26),
    ("发证日期", 12),
    ("状态", 10),
    ("撤销日期", 12),
    ("撤销理由", 40),
)
"""Heading and width in characters."""


async def workbook_of(rows: AsyncIterator[Certificate]) -> Download:
    """An .xlsx of these certificates, in a file that is gone when it has been sent. Raises TooLarge."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its last byte is read
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet("证书台账")
    heading = book.add_format({"bold": True, "bg_color": "#E8F0FA", "border": 1})
    for place, (_, width) in enumerate(COLUMNS):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, [words for words, _ in COLUMNS], heading)
    written = 1
    batch: list[Certificate] = []
    try:
        async for one in rows:
            batch.append(one)
            if len(batch) == BATCH:
                written = await asyncio.to_thread(_write, sheet, written, batch)
                batch = []
            if written > ROWS_MOST:
                raise TooLarge("台账超过一百万行，一张表放不下。请先按年份或级别筛选，再分别导出。")
        await asyncio.to_thread(_write, sheet, written, batch)
    finally:
        await asyncio.to_thread(book.close)
    return Download("证书台账.xlsx", XLSX, file.tell(), _read(file))


def _write(sheet: Any, first: int, batch: Sequence[Certificate]) -> int:
    for place, one in enumerate(batch, start=first):
        for column, value in enumerate(_cells(one)):
            if isinstance(value, int):
                sheet.write_number(place, column, value)
            else:
                sheet.write_string(place, column, value)  # text stays text: nobody's name becomes a formula
    return first + len(batch)


def _cells(one: Certificate) -> list[str | int]:
    printed = one.printed
    return [
        printed.serial,
        printed.number,
        printed.name,
        printed.id_number_masked,
        printed.class_name,
        printed.level.title,
        printed.major,
        f"{printed.training_from} 至 {printed.training_to}",
        printed.class_hours,
        printed.issuer,
        str(printed.issued_on),
        one.status.title,
        str(beijing_date(one.revoked_at)) if one.revoked_at else "",
        one.revoke_reason or "",
    ]


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
