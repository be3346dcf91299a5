"""The ledger of certificates: the signed roots that anybody can keep, and for staff what happened to which certificate (article 18)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from admin.handler import PageHandler
from admin.handlers.certificates import years_of_issue
from admin.lists import ByAge, Filter, Listing, Words, Year, fetched_by
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.ledger import roots, service
from server.ledger.documents import EntryKind, LedgerEntry
from server.ledger.service import EntryFilter


class RootsQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    before: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""


class Roots(PageHandler):
    @allow(Permission.ANYONE, rate="60/minute")
    async def get(self) -> None:
        before = self.query(RootsQuery).before
        found = await roots.published(self.platform, before=before or None)
        checked = await roots.state(self.platform)
        self.render_page("ledger/roots.html", roots=found, checked=checked, before=before, most=roots.SHOWN)


class EntryQuery(ByAge):
    number: Annotated[Words, Filter("证书编号", hint="完整的 15 位")] = ""
    kind: Annotated[EntryKind | None, Filter("事项")] = None
    year: Annotated[Year, Filter("年份", years_of_issue)] = None
    institution: Annotated[str, Field(pattern=r"^[0-9]{3}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""


SHEET = Sheet[LedgerEntry](
    "证书台账记录",
    [
        Column("时间", 20, lambda one: one.at),
        Column("事项", 12, lambda one: one.kind.label),
        Column("证书编号", 18, lambda one: one.number),
        Column("证书序列号", 14, lambda one: one.serial),
        Column("经办", 24, lambda one: one.by),
        Column("说明", 40, lambda one: one.words),
        Column("链上位置", 10, lambda one: one.position or ""),
        Column("内容摘要", 66, lambda one: one.content),
    ],
)
ENTRIES = Listing(
    "/admin/certificates/entries",
    "ledger/entries.html",
    Permission.CERTIFICATES_READ,
    EntryQuery,
    fetched_by(service.entries, EntryFilter),
    sheet=SHEET,
    page_size=30,
)

ROUTES: list[Route] = [(r"/ledger", Roots), *ENTRIES.routes]
