"""Messages (消息发送): what became of them, those that could not be sent, and the templates of WeChat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing
from admin.steps import Done, shows, step
from server.kernel.outbox_state import State
from server.kernel.permissions import Permission
from server.kernel.seen import Saving
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.messages import delivery as messages
from server.messages import templates as message_templates
from server.messages.delivery import COUNTED_MOST, MessageSettled, Told
from server.messages.kinds import KINDS
from server.messages.templates import TemplateChange

HOME = "/admin/messages"


class MessageQuery(ByAge):
    state: State = State.DEAD
    kind: Annotated[
        str,
        Field(max_length=40),
        Filter("消息类别", [(name, kind.title) for name, kind in KINDS.items()]),
    ] = ""


async def fetch(page: Desk, query: MessageQuery, before: str | None, limit: int) -> list[Told]:
    return await messages.list_messages(
        page.platform, query.state, kind=query.kind, before=before, limit=limit
    )


async def around(page: PageHandler, query: MessageQuery, rows: Sequence[Told]) -> dict[str, Any]:
    seen = await messages.overview(page.platform)
    return {
        "tabs": [
            (state.label, f"{HOME}?state={state}", state is query.state, in_words(count))
            for state, count in seen.counts.items()
        ],
        "pause": seen.pause,
    }


def in_words(count: int) -> str:
    return f"{COUNTED_MOST}+" if count >= COUNTED_MOST else str(count)


SHEET = Sheet[Told](
    "消息发送",
    [
        Column("消息", 30, lambda one: one.title),
        Column("收件人", 14, lambda one: one.person),
        Column("原因", 40, lambda one: one.reason),
        Column("次数", 8, lambda one: one.attempts),
        Column("产生时间", 18, lambda one: one.created_at),
        Column("处理时间", 18, lambda one: one.settled_at),
        Column("状态", 14, lambda one: one.state.label),
    ],
)
MESSAGES = Listing(
    HOME,
    "messages/list.html",
    Permission.MESSAGES_MANAGE,
    MessageQuery,
    fetch,
    around,
    SHEET,
)


class SendAllForm(BaseModel):
    kind: Annotated[str, Field(title="消息类别", max_length=40)] = ""


@step(MESSAGES.page, Permission.MESSAGES_MANAGE)
async def send_all_again(page: PageHandler) -> Done:
    count = await messages.send_all_again(page.platform, page.actor, page.form(SendAllForm).kind)
    if count:
        return Done(f"已将 {count} 条消息排入待发送。", f"{HOME}?state={State.WAITING}")
    none_left = "没有要再次发送的消息，可能已经有人处理过了。"
    return Done(none_left, f"{HOME}?state={State.DEAD}", "warning")


class OneMessage(PageHandler):
    address = f"{HOME}/{{message_id}}"
    get = shows(Permission.MESSAGES_MANAGE)

    async def show(self, message_id: str, outcome: Outcome = NO_ERRORS) -> None:
        message = await messages.one_message(self.platform, message_id)
        self.render_page("messages/one.html", message=message, **outcome)


@step(OneMessage, Permission.MESSAGES_MANAGE)
async def send_again(page: OneMessage, message_id: str) -> str | Done:
    try:
        await messages.send_again(page.platform, page.actor, message_id)
    except MessageSettled as refusal:
        return Done(refusal.detail, f"{HOME}/{message_id}", "warning")
    return "已排入待发送，几秒钟内发出。"


@step(OneMessage, Permission.MESSAGES_MANAGE)
async def stop(page: OneMessage, message_id: str) -> str | Done:
    try:
        await messages.stop(page.platform, page.actor, message_id)
    except MessageSettled as refusal:
        return Done(refusal.detail, f"{HOME}/{message_id}", "warning")
    return "这条消息不再通过微信发送，收件人仍可在小程序的站内消息中看到。"


# ---- the templates of WeChat


class TemplateTable(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def get(self) -> None:
        self.render_page(
            "messages/templates.html", kinds=await message_templates.kind_states(self.platform, self.today)
        )


class OneTemplate(PageHandler):
    address = f"{HOME}/templates"
    get = shows(Permission.MESSAGES_MANAGE)

    async def show(self, message_kind: str, outcome: Outcome = NO_ERRORS) -> None:
        state = await message_templates.kind_state(self.platform, message_kind, self.today)
        self.render_page("messages/template.html", state=state, **outcome)


class TemplateForm(TemplateChange):
    keys: Annotated[  # type: ignore[assignment]  # in one field, until they are split
        str, Field(title="模板字段", pattern=r"^ *[a-z_]+[0-9]{1,3}( +[a-z_]+[0-9]{1,3}){0,9} *$")
    ]


@step(OneTemplate, Permission.MESSAGES_MANAGE)
async def set_template(page: OneTemplate, message_kind: str) -> str:
    state = await message_templates.kind_state(page.platform, message_kind, page.today)
    form, seen = page.form(TemplateForm), page.form(Saving).seen
    wanted = TemplateChange(**form.model_dump() | {"keys": form.keys.split()})
    version = await message_templates.set_template(page.platform, page.actor, message_kind, wanted, seen)
    return f"已设置“{state.kind.title}”的微信模板，自 {version.effective_from} 起使用。"


_ONE = rf"{HOME}/(?P<message_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    *MESSAGES.routes,
    (rf"{HOME}/send-again", send_all_again),
    (_ONE, OneMessage),
    (rf"{_ONE}/send-again", send_again),
    (rf"{_ONE}/stop", stop),
    (rf"{HOME}/templates", TemplateTable),
    (rf"{HOME}/templates/(?P<message_kind>[a-z-]{{1,40}})", set_template),
]
