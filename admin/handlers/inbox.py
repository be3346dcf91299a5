"""The inbox of staff: what their office is told, and what they are told themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import Desk, PageHandler
from admin.lists import Filter, Listing, Query
from admin.steps import Done, step
from server.kernel.offices import Topic
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter

HOME = "/admin/inbox"


class InboxQuery(Query):
    topic: Annotated[Topic | None, Filter("类别")] = None
    unread: Annotated[bool | None, Filter("是否已读", [("true", "未读")])] = None


async def fetch(page: Desk, query: InboxQuery, before: str | None, limit: int) -> list[office_inbox.Line]:
    narrowed = InboxFilter(query.topic, bool(query.unread))
    return await office_inbox.inbox(page.platform, page.actor, narrowed, before=before, limit=limit)


SHEET = Sheet[office_inbox.Line](
    "消息",
    [
        Column("消息", 60, lambda one: one.words),
        Column("类别", 12, lambda one: one.topic.label),
        Column("办理人", 14, lambda one: one.by),
        Column("时间", 18, lambda one: one.at),
        Column("已读", 8, lambda one: "是" if one.read else "否"),
    ],
)
INBOX = Listing(HOME, "messages/inbox.html", Permission.ACCOUNTS_OWN, InboxQuery, fetch, sheet=SHEET)


class UpTo(BaseModel):
    up_to: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


@step(INBOX.page, Permission.ACCOUNTS_OWN)
async def read_all(page: PageHandler) -> Done:
    await office_inbox.read_all(page.platform, page.actor, page.form(UpTo).up_to)
    return Done("已全部标为已读。", HOME)


class OpenMessage(PageHandler):
    """Leads to what it is about: a POST, for it leaves a mark."""

    @allow(Permission.ACCOUNTS_OWN)
    async def post(self, message_id: str) -> None:
        self.see_other(await office_inbox.read_one(self.platform, self.actor, message_id))


ROUTES: list[Route] = [
    *INBOX.routes,
    (rf"{HOME}/read-all", read_all),
    (rf"{HOME}/(?P<message_id>[0-9a-f]{{24}})", OpenMessage),
]
