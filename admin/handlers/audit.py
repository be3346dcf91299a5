"""The audit trail (留痕) and the state of its chain."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.audit_words import tell
from admin.handler import PageHandler
from admin.paging import Way
from server.kernel import audit, chain
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow

PAGE_SIZE = 50


class TrailQuery(BaseModel):
    way: Annotated[str, Field(max_length=2000)] = ""


class Trail(PageHandler):
    @allow(Permission.AUDIT_READ)
    async def get(self) -> None:
        way = Way.read("/admin/audit", {}, self.query(TrailQuery).way)
        found = await audit.recent(self.platform, before=way.cursor, limit=PAGE_SIZE + 1)
        entries = await tell(self.platform, found[:PAGE_SIZE])
        self.render_page(
            "audit/trail.html",
            entries=entries,
            previous=way.previous,
            next=way.next(entries[-1].id) if len(found) > PAGE_SIZE else None,
        )


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


ROUTES: list[Route] = [(r"/admin/audit", Trail), (r"/admin/audit/chain", ChainState)]
