"""The ledger of certificates as a workbook, written row by row: however long it is, little of it is in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from admin.spreadsheet import Value, stream_workbook
from server.certificates.documents import Certificate
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download

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
    return await stream_workbook("证书台账.xlsx", "证书台账", COLUMNS, rows, _cells)


def _cells(one: Certificate) -> list[Value]:
    printed = one.printed
    return [
        printed.serial,
        printed.number,
        printed.name,
        printed.id_number_masked,
        printed.class_name,
        printed.level.label,
        printed.major,
        f"{printed.training_from} 至 {printed.training_to}",
        printed.class_hours,
        printed.issuer,
        str(printed.issued_on),
        one.status.label,
        str(beijing_date(one.revoked_at)) if one.revoked_at else "",
        one.revoke_reason or "",
    ]
