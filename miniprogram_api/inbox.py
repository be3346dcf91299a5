"""站内消息: what the platform told me, and which WeChat messages this phone agrees to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, TargetAnswer, operation
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.messages import inbox
from server.messages.rules import Answer


class MessageAnswer(Response):
    id: str
    kind: str
    """What kind of news: "enrolled", "invitation-sent" …"""
    title: str
    text: str
    data: dict[str, str]
    """Ids by which the page about it can be opened, and the facts of the text."""
    created_at: datetime
    read: bool
    target: TargetAnswer
    """The page that it leads to; a message of an old kind leads to itself."""


def message_answer(one: inbox.Message) -> MessageAnswer:
    kind, its_id = one.target
    return MessageAnswer(
        id=one.id,
        kind=one.kind,
        title=one.title,
        text=one.text,
        data=dict(one.data),
        created_at=one.created_at,
        read=one.read,
        target=TargetAnswer(kind=kind, id=its_id),
    )


class UpToRequest(Request):
    up_to: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
    """The newest message that the person has seen; newer ones stay unread."""


class ReadAnswer(Response):
    unread: int
    """What is left, counted to 100."""


TemplateId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class OfferAnswer(Response):
    template_id: str
    titles: list[str]
    """The kinds of message that use it."""
    kinds: list[str]
    """The same, by name: "enrolled", "session-soon" …"""
    left: int
    """Messages that may still be sent to this phone."""


class GrantsRequest(Request):
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    """Made by the phone once a question: the same report again counts nothing."""
    answers: Annotated[dict[TemplateId, Answer], Field(min_length=1, max_length=10)]
    """Template → what `wx.requestSubscribeMessage` said of it."""


class OffersQuery(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    moment: inbox.Moment | None = None
    """What matters next then, at most three templates: as many as one tap may ask for."""


class OffersAnswer(Response):
    items: list[OfferAnswer]


def offers_answer(found: list[inbox.Offer]) -> OffersAnswer:
    return OffersAnswer(items=[OfferAnswer.model_validate(one) for one in found])


class Inbox(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="What the platform told me, newest first; empty before the real name is bound",
        query=Paging,
        answers={200: Page[MessageAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found, cursor = await inbox.my_inbox(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        self.answer(Page(items=[message_answer(one) for one in found], next=cursor))


class OneMessage(ApiHandler):
    @operation(Permission.PHONE, summary="One of my messages", answers={200: MessageAnswer})
    async def get(self, message_id: str) -> None:
        self.answer(message_answer(await inbox.my_message(self.platform, self.actor, message_id)))


class ReadUpTo(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Marks all my messages up to one as read",
        body=UpToRequest,
        answers={200: ReadAnswer},
    )
    async def post(self) -> None:
        await inbox.read_all(self.platform, self.actor, self.body(UpToRequest).up_to)
        self.answer(ReadAnswer(unread=await inbox.unread(self.platform, self.actor)))


class ReadOne(ApiHandler):
    @operation(Permission.PHONE, summary="Marks one of my messages as read", answers={200: ReadAnswer})
    async def post(self, message_id: str) -> None:
        await inbox.read_one(self.platform, self.actor, message_id)
        self.answer(ReadAnswer(unread=await inbox.unread(self.platform, self.actor)))


class Templates(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="The templates that this phone can subscribe to, and how many messages of each may still be sent to it",
        query=OffersQuery,
        answers={200: OffersAnswer},
    )
    async def get(self) -> None:
        moment = self.query(OffersQuery).moment
        self.answer(offers_answer(await inbox.offers(self.platform, self.actor, moment)))


class Grants(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="What the person has just answered to wx.requestSubscribeMessage; may be sent twice",
        body=GrantsRequest,
        answers={200: OffersAnswer},
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self) -> None:
        told = self.body(GrantsRequest)
        found = await inbox.report_grants(self.platform, self.actor, told.nonce, told.answers)
        self.answer(offers_answer(found))


ROUTES: list[Route] = [
    (r"/api/v1/inbox", Inbox),
    (r"/api/v1/inbox/read", ReadUpTo),
    (r"/api/v1/inbox/(?P<message_id>[0-9a-f]{24})", OneMessage),
    (r"/api/v1/inbox/(?P<message_id>[0-9a-f]{24})/read", ReadOne),
    (r"/api/v1/message-templates", Templates),
    (r"/api/v1/message-grants", Grants),
]
