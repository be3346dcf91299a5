"""Real-name evidence beyond the roster: what there is, and the providers that a phone may ask. All of it is voluntary."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.accounts import PersonAnswer, person_answer
from miniprogram_api.handler import ApiHandler, Request, Response, operation
from server.accounts import real_name
from server.accounts.consents import ConsentOutdated
from server.accounts.real_name import BindFirst, NotVerified, ProviderNotOffered
from server.accounts.rules import Evidence
from server.kernel.errors import NotFound
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.wechat.errors import WeChatCodeInvalid, WeChatRefused, WeChatUnavailable


class ProviderItem(Response):
    name: str
    title: str
    proves: Evidence
    """What a match makes of the evidence."""
    proves_title: str


class ProvidersAnswer(Response):
    """Beside these, staff who see the card at the reception desk make it 已实名认证."""

    items: list[ProviderItem]


class FaceRequest(Request):
    consent_version: Annotated[str, Field(min_length=1, max_length=20)]
    """The separate consent to the use of the face, as it was shown."""


class FaceAnswer(Response):
    verify_id: str
    """For wx.requestFacialVerify."""
    expires_at: datetime


class FaceResultRequest(Request):
    verify_id: Annotated[str, Field(min_length=1, max_length=256)]


class WeChatPayRequest(Request):
    code: Annotated[str, Field(min_length=1, max_length=512)]
    """What WeChat's authorisation page gave."""


class Providers(ApiHandler):
    @operation(
        Permission.PHONE, summary="Who may be asked to confirm a real name", answers={200: ProvidersAnswer}
    )
    def get(self) -> None:
        items = [
            ProviderItem(name=one.name, title=one.title, proves=one.proves, proves_title=one.proves.label)
            for one in real_name.offered(self.platform)
        ]
        self.answer(ProvidersAnswer(items=items))


PROBLEMS = (ProviderNotOffered, BindFirst, WeChatUnavailable, WeChatRefused)


class Face(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Begin a face verification, which nobody has to do",
        body=FaceRequest,
        answers={201: FaceAnswer},
        problems=(*PROBLEMS, ConsentOutdated),
        rate="10/hour",
        rate_by="phone",
    )
    async def post(self) -> None:
        consent = self.body(FaceRequest).consent_version
        begun = await real_name.begin_face(self.platform, self.actor, consent)
        self.answer(FaceAnswer(verify_id=begun.verify_id, expires_at=begun.expires_at), status=201)


class FaceResult(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Have the server ask how the face verification ended; a yes makes it provider_verified",
        body=FaceResultRequest,
        answers={200: PersonAnswer},
        problems=(*PROBLEMS, NotVerified, NotFound),
        rate="30/hour",
        rate_by="phone",
    )
    async def post(self) -> None:
        verify_id = self.body(FaceResultRequest).verify_id
        person = await real_name.verify(self.platform, self.actor, real_name.WECHAT_FACE, verify_id)
        self.answer(person_answer(person))


class WeChatPay(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Have the name and number compared with those of the phone owner's WeChat Pay",
        body=WeChatPayRequest,
        answers={200: PersonAnswer},
        problems=(*PROBLEMS, NotVerified, WeChatCodeInvalid),
        rate="10/hour",
        rate_by="phone",
    )
    async def post(self) -> None:
        code = self.body(WeChatPayRequest).code
        person = await real_name.verify(self.platform, self.actor, real_name.WECHAT_PAY, code)
        self.answer(person_answer(person))


ROUTES: list[Route] = [
    (r"/api/v1/real-name/providers", Providers),
    (r"/api/v1/real-name/face", Face),
    (r"/api/v1/real-name/face/result", FaceResult),
    (r"/api/v1/real-name/wechat-pay", WeChatPay),
]
