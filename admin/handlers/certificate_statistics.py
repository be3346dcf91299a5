"""统计 of certificates: each figure leads to its list (article 18)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.downloads import download
from admin.handler import PageHandler
from admin.handlers.certificates import years_of_issue
from admin.rendering import province_name
from server.certificates.documents import CertificateStatus
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.stock.statistics import By, Line, statistics


class Asked(BaseModel):
    year: Annotated[int, Field(ge=0, le=2100)] = 0
    """0 is this year."""
    by: By = By.INSTITUTION


def asked(page: PageHandler) -> Asked:
    """What does not fit falls back: a link may be old or cut off."""
    what = page.query(Asked)
    return (
        what if what.year else what.model_copy(update={"year": beijing_date(page.platform.clock.now()).year})
    )


def title_of(line: Line, by: By) -> str:
    return province_name(line.key) if by is By.PROVINCE else line.title


class CertificateStatistics(PageHandler):
    @allow(Permission.CERTIFICATES_READ)
    async def get(self) -> None:
        what = asked(self)
        self.render_page(
            "certificates/statistics.html",
            lines=await statistics(self.platform, self.actor, what.year, what.by),
            asked=what,
            years=years_of_issue(self),
            ways=[(one.value, one.label) for one in By],
            title_of=title_of,
        )


@download(Permission.CERTIFICATES_READ)
async def workbook(page: PageHandler) -> Download:
    what = asked(page)
    lines = await statistics(page.platform, page.actor, what.year, what.by)
    columns: list[Column[Any]] = [
        Column(what.by.label, 30, lambda one: title_of(one, what.by)),
        Column("核发", 10, lambda one: one.issued),
        *(
            Column(status.label, 16, lambda one, of=status: one.count(of))  # type: ignore[misc]
            for status in CertificateStatus
            if status.issued
        ),
        Column("打印", 10, lambda one: one.printed),
        Column("领取", 10, lambda one: one.handed),
        Column("空白结存", 10, lambda one: one.blank),
    ]
    return await Sheet("证书统计", columns).download(lines, f"{what.year}-{what.by.label}")


ROUTES: list[Route] = [
    (r"/admin/certificates/statistics", CertificateStatistics),
    (r"/admin/certificates/statistics\.xlsx", workbook),
]
