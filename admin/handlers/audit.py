"""The audit trail (留痕) and the state of its chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from admin.handler import Desk, PageHandler
from admin.lists import ByAge, Day, Filter, Listing, Words
from admin.rendering import beijing
from server.audit_told import Told
from server.audit_words import choices, trail
from server.kernel import chain
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow


class TrailQuery(ByAge):
    who: Annotated[Words, Filter("操作人", hint="姓名或用户名")] = ""
    action: Annotated[str, Field(max_length=60), Filter("操作", choices())] = ""
    since: Annotated[Day, Filter("自")] = None
    until: Annotated[Day, Filter("至")] = None
    about: Annotated[Words, Filter("对象", hint="培训班、人员、证书编号、用户名或机构")] = ""


async def fetch(page: Desk, query: TrailQuery, before: str | None, limit: int) -> list[Told]:
    return await trail(page.platform, **query.arguments, before=before, limit=limit)


async def around(page: PageHandler, query: TrailQuery, rows: Sequence[Told]) -> Mapping[str, Any]:
    return {
        "end_in_doubt": await chain.end_in_doubt(page.platform),
        "checked": await chain.state(page.platform),
    }


SHEET = Sheet[Told](
    "操作留痕",
    [
        Column("操作", 28, lambda one: one.title),
        Column("时间", 20, lambda one: beijing(one.at, "second")),
        Column("操作人", 18, lambda one: one.who),
        Column("单位", 24, lambda one: one.office),
        Column("内容", 48, lambda one: one.detail),
        Column("对象", 40, lambda one: one.subject),
        Column("入链", 12, lambda one: one.standing),
    ],
)
TRAIL = Listing(
    "/admin/audit",
    "audit/trail.html",
    Permission.AUDIT_READ,
    TrailQuery,
    fetch,
    around,
    SHEET,
    page_size=50,
)


class ChainState(PageHandler):
    """Reads the whole chain, so it is asked for, not shown by the way."""

    @allow(Permission.AUDIT_READ, rate="6/minute")
    async def get(self) -> None:
        entries, broken = await chain.follow(self.platform)
        checked = await chain.state(self.platform)
        self.render_page("audit/chain.html", entries=entries, broken=broken, checked=checked)


ROUTES: list[Route] = [*TRAIL.routes, (r"/admin/audit/chain", ChainState)]
