"""What the content check has flagged, for a person to look at; and the mini-program code of a class."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.paging import Way
from server.admissions import service as admissions
from server.kernel import downloads
from server.kernel.errors import Problem
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow
from server.wechat import codes, content

PAGE_SIZE = 20


class ListQuery(BaseModel):
    seen: Annotated[str, Field(pattern=r"^1$")] = ""
    """1: those that need nobody any more."""
    way: Annotated[str, Field(max_length=2000)] = ""


class DecisionForm(BaseModel):
    harmless: Annotated[bool, Field(title="查看结果")]
    reason: Annotated[str, Field(title="说明", max_length=500)] = ""


class CheckList(PageHandler):
    @allow(Permission.CONTENT_REVIEW)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/content-checks", {"seen": query.seen}, query.way)
        found = await content.listed(
            self.platform, self.actor, flagged=not query.seen, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "content/list.html",
            rows=[(one, content.mark_of(one.state)) for one in rows],
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
        )


class OneCheck(PageHandler):
    @allow(Permission.CONTENT_REVIEW)
    async def get(self, check_id: str) -> None:
        await self._show(check_id, NO_ERRORS)

    @allow(Permission.CONTENT_REVIEW)
    async def post(self, check_id: str) -> None:
        await content.get_check(self.platform, self.actor, check_id)
        try:
            form = self.form(DecisionForm)
            done = await content.decide(
                self.platform, self.actor, check_id, harmless=form.harmless, note=form.reason
            )
        except Problem as problem:
            return await self._show(check_id, self.refuse(problem))
        self.flash(f"{done.title}：{done.state.label}。")
        return self.see_other("/admin/content-checks")

    async def _show(self, check_id: str, outcome: dict[str, Any]) -> None:
        check = await content.get_check(self.platform, self.actor, check_id)
        self.render_page("content/one.html", check=check, mark=content.mark_of(check.state), **outcome)


class CheckedPicture(PageHandler):
    @allow(Permission.CONTENT_REVIEW)
    async def get(self, check_id: str) -> None:
        await downloads.send(self, await content.picture_in_reach(self.platform, self.actor, check_id))


class MiniProgramCode(PageHandler):
    @allow(Permission.ADMISSIONS_READ, rate="60/minute")
    async def get(self, class_id: str) -> None:
        picture = await admissions.mini_program_code(self.platform, self.actor, class_id)
        self.set_header("Content-Type", codes.media_type(picture))
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(picture)


_ID = r"[0-9a-f]{24}"
ROUTES: list[Route] = [
    (r"/admin/content-checks", CheckList),
    (rf"/admin/content-checks/(?P<check_id>{_ID})", OneCheck),
    (rf"/admin/content-checks/(?P<check_id>{_ID})/picture", CheckedPicture),
    (rf"/admin/classes/(?P<class_id>{_ID})/mini-program-code", MiniProgramCode),
]
