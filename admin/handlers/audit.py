"""The audit trail (留痕) and the state of its chain."""

from __future__ import annotations

from admin.handler import PageHandler
from admin.lists import Listing, Query
from server.audit_words import Told, tell
from server.kernel import audit, chain
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow


async def fetch(page: PageHandler, query: Query, before: str | None, limit: int) -> list[Told]:
    return await tell(page.platform, await audit.recent(page.platform, before=before, limit=limit))


TRAIL = Listing("/admin/audit", "audit/trail.html", Permission.AUDIT_READ, Query, fetch, page_size=50)


class ChainState(PageHandler):
    """Reads the whole chain, so it is asked for, not shown by the way."""

    @allow(Permission.AUDIT_READ, rate="6/minute")
    async def get(self) -> None:
        checked = await chain.state(self.platform)
        missing = ""
        try:
            await chain.require_anchor(self.platform, checked)
        except chain.ChainBroken as problem:
            missing = problem.detail
        broken = await audit.first_broken(self.platform)
        self.render_page("audit/chain.html", broken=broken, missing=missing, checked=checked)


ROUTES: list[Route] = [*TRAIL.routes, (r"/admin/audit/chain", ChainState)]
