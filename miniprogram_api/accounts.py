"""Log-in and real name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Request, Response, operation
from server.accounts import binding, phones
from server.accounts.binding import AlreadyBound, LetGo, NotOnARoster, RealName
from server.accounts.codes import PersonalCodeWrong
from server.accounts.consents import ConsentOutdated
from server.accounts.documents import Person
from server.accounts.rules import Evidence, IdNumberInvalid
from server.kernel.errors import NotFound
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.wechat.errors import WeChatCodeInvalid, WeChatUnavailable


class LoginRequest(Request):
    code: Annotated[str, Field(min_length=1, max_length=128)]
    """What wx.login gave."""


class LoginAnswer(Response):
    token: str
    expires_at: datetime
    bound: bool


class EvidenceAnswer(Response):
    """How well the identity was checked; only the last two levels may be called 已实名认证."""

    level: Evidence
    title: str


class PersonAnswer(Response):
    person_id: str
    name: str
    id_number_masked: str
    evidence: EvidenceAnswer


def person_answer(person: Person) -> PersonAnswer:
    evidence = Evidence(person.evidence)
    return PersonAnswer(
        person_id=person.id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        evidence=EvidenceAnswer(level=evidence, title=evidence.label),
    )


class Login(ApiHandler):
    @operation(
        Permission.ANYONE,
        summary="Log in with a code of wx.login",
        body=LoginRequest,
        answers={200: LoginAnswer},
        problems=(WeChatCodeInvalid, WeChatUnavailable),
        rate="600/minute",
    )
    async def post(self) -> None:
        session = await phones.log_in(self.platform, self.body(LoginRequest).code)
        self.answer(LoginAnswer(token=session.token, expires_at=session.expires_at, bound=session.bound))


class BindRealName(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Bind this phone to a real name of a roster; without a proof it waits to be confirmed, see GET /me",
        body=RealName,
        answers={200: PersonAnswer},
        problems=(
            ConsentOutdated,
            IdNumberInvalid,
            NotOnARoster,
            AlreadyBound,
            PersonalCodeWrong,
            WeChatCodeInvalid,
            WeChatUnavailable,
        ),
        rate="10/hour",
        rate_by="phone",
    )
    async def post(self) -> None:
        person = await binding.bind_real_name(self.platform, self.actor, self.body(RealName))
        self.answer(person_answer(person))


class LetRealNameGo(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="This phone speaks for its person no more",
        body=LetGo,
        answers={204: None},
        problems=(NotFound,),
        rate="10/hour",
        rate_by="phone",
    )
    async def post(self) -> None:
        await binding.let_go(self.platform, self.actor, self.body(LetGo))
        self.set_status(204)


ROUTES: list[Route] = [
    (r"/api/v1/login", Login),
    (r"/api/v1/real-name", BindRealName),
    (r"/api/v1/real-name/let-go", LetRealNameGo),
]
