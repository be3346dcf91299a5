"""What the content check has flagged, for a person to look at; and the mini-program code of a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import ByAge, Listing
from admin.steps import shows, step
from server.accounts import people
from server.admissions import service as admissions
from server.kernel.permissions import Permission
from server.kernel.reasons import OptionalReason
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.wechat import codes, content
from server.wechat.content_documents import ContentCheck


class CheckQuery(ByAge):
    seen: Annotated[str, Field(pattern=r"^1$")] = ""
    """1: those that need nobody any more."""


async def fetch(page: Desk, query: CheckQuery, before: str | None, limit: int) -> list[ContentCheck]:
    return await content.listed(page.platform, page.actor, flagged=not query.seen, before=before, limit=limit)


async def called(page: Desk, rows: Sequence[ContentCheck]) -> dict[str, str]:
    return await people.called(page.platform, {one.person_id: one.person_name for one in rows})


async def around(page: PageHandler, query: CheckQuery, rows: Sequence[ContentCheck]) -> dict[str, Any]:
    return {"mark_of": content.mark_of, "called": await called(page, rows)}


async def exported(
    page: Desk, query: CheckQuery, rows: Sequence[ContentCheck]
) -> list[tuple[ContentCheck, str]]:
    names = await called(page, rows)
    return [(one, names[one.person_id]) for one in rows]


SHEET = Sheet[tuple[ContentCheck, str]](
    "内容检查",
    [
        Column("内容", 30, lambda row: row[0].title),
        Column("文件", 24, lambda row: row[0].file_name),
        Column("发布人", 18, lambda row: row[1]),
        Column("培训班", 36, lambda row: row[0].class_name),
        Column("时间", 18, lambda row: row[0].created_at),
        Column("状态", 16, lambda row: content.mark_of(row[0].state).title),
    ],
)
CHECKS = Listing(
    "/admin/content-checks",
    "content/list.html",
    Permission.CONTENT_REVIEW,
    CheckQuery,
    fetch,
    around,
    SHEET,
    exported,
)


class OneCheck(PageHandler):
    address = CHECKS.address
    get = shows(Permission.CONTENT_REVIEW)

    async def show(self, check_id: str, outcome: Outcome = NO_ERRORS) -> None:
        check = await content.get_check(self.platform, self.actor, check_id)
        self.render_page("content/one.html", check=check, mark=content.mark_of(check.state), **outcome)


class DecisionForm(BaseModel):
    harmless: Annotated[bool, Field(title="查看结果")]
    reason: Annotated[OptionalReason, Field(title="说明")] = ""


@step(OneCheck, Permission.CONTENT_REVIEW)
async def decide(page: OneCheck, check_id: str) -> str:
    form = page.form(DecisionForm)
    done = await content.decide(page.platform, page.actor, check_id, harmless=form.harmless, note=form.reason)
    return f"{done.title}：{done.state.label}。"


class MiniProgramCode(PageHandler):
    @allow(Permission.ADMISSIONS_READ, rate="60/minute")
    async def get(self, class_id: str) -> None:
        picture = await admissions.mini_program_code(self.platform, self.actor, class_id)
        self.set_header("Content-Type", codes.media_type(picture))
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(picture)


_ID = r"[0-9a-f]{24}"
ROUTES: list[Route] = [
    *CHECKS.routes,
    (rf"/admin/content-checks/(?P<check_id>{_ID})", decide),
    (
        rf"/admin/content-checks/(?P<check_id>{_ID})/picture",
        file_of(content.picture_in_reach, Permission.CONTENT_REVIEW),
    ),
    (rf"/admin/classes/(?P<class_id>{_ID})/mini-program-code", MiniProgramCode),
]
