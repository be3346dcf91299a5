"""Messages (消息发送): what became of them, those that could not be sent, and the templates of WeChat."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.paging import Way
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound, Problem
from server.kernel.outbox_state import State
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow
from server.messages import delivery as messages
from server.messages import templates as message_templates
from server.messages.delivery import COUNTED_MOST, MessageSettled
from server.messages.kinds import KINDS
from server.messages.templates import KindState, TemplateChange

PAGE_SIZE = 20
HOME = "/admin/messages"
KIND_OPTIONS = [(name, kind.title) for name, kind in KINDS.items()]


class ListQuery(BaseModel):
    state: State = State.DEAD
    kind: Annotated[str, Field(max_length=40)] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"state": self.state.value, "kind": self.kind}


class MessageList(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read(HOME, query.conditions, query.way)
        found = await messages.list_messages(
            self.platform, query.state, kind=query.kind, before=way.cursor, limit=PAGE_SIZE + 1
        )
        seen = await messages.overview(self.platform)
        rows = found[:PAGE_SIZE]
        self.render_page(
            "messages/list.html",
            rows=rows,
            query=query,
            tabs=[
                (state.label, f"{HOME}?state={state}", state is query.state, _count(count))
                for state, count in seen.counts.items()
            ],
            pause=seen.pause,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            kinds=KIND_OPTIONS,
        )


def _count(count: int) -> str:
    return f"{COUNTED_MOST}+" if count >= COUNTED_MOST else str(count)


class OneMessage(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def get(self, message_id: str) -> None:
        self.render_page("messages/one.html", message=await messages.one_message(self.platform, message_id))


class SendAgain(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def post(self, message_id: str) -> None:
        try:
            await messages.send_again(self.platform, self.actor, message_id)
        except MessageSettled as refusal:
            self.flash(refusal.detail, "warning")
        else:
            self.flash("已排入待发送，几秒钟内发出。")
        self.see_other(f"{HOME}/{message_id}")


class Stop(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def post(self, message_id: str) -> None:
        try:
            await messages.stop(self.platform, self.actor, message_id)
        except MessageSettled as refusal:
            self.flash(refusal.detail, "warning")
        else:
            self.flash("这条消息不再通过微信发送，收件人仍可在小程序的站内消息中看到。")
        self.see_other(f"{HOME}/{message_id}")


class SendAllForm(BaseModel):
    kind: Annotated[str, Field(title="消息类别", max_length=40)] = ""


class SendAllAgain(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def post(self) -> None:
        kind = self.form(SendAllForm).kind
        count = await messages.send_all_again(self.platform, self.actor, kind)
        if count:
            self.flash(f"已将 {count} 条消息排入待发送。")
        else:
            self.flash("没有要再次发送的消息，可能已经有人处理过了。", "warning")
        self.see_other(f"{HOME}?state={State.WAITING if count else State.DEAD}")


class TemplateTable(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def get(self) -> None:
        today = beijing_date(self.platform.clock.now())
        self.render_page(
            "messages/templates.html", kinds=await message_templates.kind_states(self.platform, today)
        )


class TemplateForm(BaseModel):
    template_id: Annotated[str, Field(title="模板编号", pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""
    keys: Annotated[
        str, Field(title="模板字段", pattern=r"^ *[a-z_]+[0-9]{1,3}( +[a-z_]+[0-9]{1,3}){0,9} *$")
    ]
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Annotated[str, Field(title="理由", min_length=2, max_length=500)]


class OneTemplate(PageHandler):
    @allow(Permission.MESSAGES_MANAGE)
    async def get(self, message_kind: str) -> None:
        self._show(await self._state(message_kind), NO_ERRORS)

    @allow(Permission.MESSAGES_MANAGE)
    async def post(self, message_kind: str) -> None:
        state = await self._state(message_kind)
        try:
            form = self.form(TemplateForm)
            wanted = TemplateChange(
                template_id=form.template_id,
                keys=form.keys.split(),
                effective_from=form.effective_from,
                reason=form.reason,
            )
            version = await message_templates.set_template(self.platform, self.actor, message_kind, wanted)
        except Problem as problem:
            return self._show(state, self.refuse(problem))
        self.flash(f"已设置“{state.kind.title}”的微信模板，自 {version.effective_from} 起使用。")
        return self.see_other(f"{HOME}/templates")

    async def _state(self, name: str) -> KindState:
        today = beijing_date(self.platform.clock.now())
        for state in await message_templates.kind_states(self.platform, today):
            if state.kind.name == name:
                return state
        raise NotFound("没有这类消息。")

    def _show(self, state: KindState, outcome: dict[str, Any]) -> None:
        self.render_page("messages/template.html", state=state, **outcome)


_ONE = rf"{HOME}/(?P<message_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (HOME, MessageList),
    (rf"{HOME}/send-again", SendAllAgain),
    (_ONE, OneMessage),
    (rf"{_ONE}/send-again", SendAgain),
    (rf"{_ONE}/stop", Stop),
    (rf"{HOME}/templates", TemplateTable),
    (rf"{HOME}/templates/(?P<message_kind>[a-z-]{{1,40}})", OneTemplate),
]
