"""The audit trail (留痕) and the state of its chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from admin.handler import PageHandler
from admin.lists import Listing, Query
from server.audit_words import Told, tell
from server.kernel import audit, chain
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow


async def fetch(page: PageHandler, query: Query, before: str | None, limit: int) -> list[Told]:
    entries = await audit.recent(page.platform, before=before, limit=limit)
    doubtful = await chain.doubtful(page.platform, entries)
    return [replace(one, doubtful=one.id in doubtful) for one in await tell(page.platform, entries)]


async def around(page: PageHandler, query: Query, rows: Sequence[Told]) -> Mapping[str, Any]:
    return {
        "end_in_doubt": await chain.end_in_doubt(page.platform),
        "checked": await chain.state(page.platform),
    }


TRAIL = Listing(
    "/admin/audit", "audit/trail.html", Permission.AUDIT_READ, Query, fetch, around=around, page_size=50
)


class ChainState(PageHandler):
    """Reads the whole chain, so it is asked for, not shown by the way."""

    @allow(Permission.AUDIT_READ, rate="6/minute")
    async def get(self) -> None:
        entries, broken = await chain.follow(self.platform)
        checked = await chain.state(self.platform)
        self.render_page("audit/chain.html", entries=entries, broken=broken, checked=checked)


ROUTES: list[Route] = [*TRAIL.routes, (r"/admin/audit/chain", ChainState)]
