"""补发、换发和撤销 of one's own certificate: ask, take back, state the case, and read what became of it (article 18)."""

from __future__ import annotations

from datetime import date, datetime

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from miniprogram_api.screening import flag, hear
from server.kernel.errors import NonceReused, NotFound
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.reissues import history, revoking, service
from server.reissues.documents import Reissue
from server.reissues.revoking import HoldersStatement, TooManyStatements
from server.reissues.rules import (
    BeingSigned,
    CertificateNotValid,
    Kind,
    MatterOpen,
    NotWithdrawnByYou,
    NumbersUsedUp,
    RequestSettled,
    State,
    StatementOver,
)
from server.reissues.service import HoldersRequest, RegisteredOtherwise
from server.wechat.content import ContentRefused


class CertificateRequest(Request, HoldersRequest):
    """`kind`: LOST and DAMAGED ask for a copy, CORRECTED for one that says what is registered now or should be printed. `nonce` makes the
    same request, sent again over a bad network, one."""


class RevocationStatementRequest(Request, HoldersStatement):
    """The same again answers the same; the last word counts. `agrees`: the issuer need not wait for the last day then."""


class StepAnswer(Response):
    at: datetime
    title: str
    reason: str


class CertificateRequestAnswer(Response):
    id: str
    certificate_id: str
    certificate_number: str
    class_name: str
    kind: Kind
    kind_title: str
    reason: str
    by_holder: bool
    state: State
    state_title: str
    open: bool
    may_withdraw: bool
    until: date | None
    """Of a revocation that is heard: the last day on which it may be stated."""
    statement: str
    agrees: bool | None
    new_certificate_id: str | None
    steps: list[StepAnswer]
    """Newest first."""


class EventAnswer(Response):
    at: datetime
    title: str
    number: str
    reason: str


class HistoryAnswer(Response):
    items: list[EventAnswer]
    """Oldest first: of this certificate, and of those before and after it."""


def request_answer(one: Reissue) -> CertificateRequestAnswer:
    return CertificateRequestAnswer(
        **one.model_dump(include=_TOLD),
        kind_title=one.kind.label,
        state_title=one.state.label,
        may_withdraw=one.open and one.by_holder,
        new_certificate_id=None if one.state is State.UNMADE else one.made,
        steps=[StepAnswer(at=taken.at, title=title, reason=taken.reason) for taken, title in one.told],
    )


_TOLD = CertificateRequestAnswer.model_fields.keys() & Reissue.model_fields.keys()


class Requests(ApiHandler):
    @operation(
        Permission.REISSUES_APPLY,
        summary="Ask for another certificate in the place of mine; sent again, it is asked once",
        body=CertificateRequest,
        answers={201: CertificateRequestAnswer, 200: CertificateRequestAnswer},
        problems=(
            NonceReused,
            NotFound,
            CertificateNotValid,
            MatterOpen,
            BeingSigned,
            NumbersUsedUp,
            RegisteredOtherwise,
            ContentRefused,
        ),
        rate="20/minute",
        rate_by="phone",
    )
    async def post(self, certificate_id: str) -> None:
        asked = self.body(CertificateRequest)
        found, new = await service.ask_as_holder(self.platform, self.actor, certificate_id, asked)
        self.answer(request_answer(found), status=201 if new else 200)


class MyRequests(ApiHandler):
    @operation(
        Permission.REISSUES_APPLY,
        summary="What was asked about my certificates, by me or by the issuer, newest first",
        query=Paging,
        answers={200: Page[CertificateRequestAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found = await service.my_reissues(self.platform, self.actor, before=paging.cursor, limit=paging.limit)
        following = found[-1].id if len(found) == paging.limit else None
        items = [request_answer(one) for one in found]
        self.answer(Page[CertificateRequestAnswer](items=items, next=following))


class Withdraw(ApiHandler):
    @operation(
        Permission.REISSUES_APPLY,
        summary="Take my request back; sent again, it answers the same",
        answers={200: CertificateRequestAnswer},
        problems=(NotFound, RequestSettled, NotWithdrawnByYou),
        rate="20/minute",
        rate_by="phone",
    )
    async def post(self, reissue_id: str) -> None:
        self.answer(request_answer(await service.withdraw_own(self.platform, self.actor, reissue_id)))


class Statement(ApiHandler):
    @operation(
        Permission.REISSUES_APPLY,
        summary="State my case before my certificate is revoked, or agree; sent again, it answers the same",
        body=RevocationStatementRequest,
        answers={200: CertificateRequestAnswer},
        problems=(NotFound, RequestSettled, StatementOver, TooManyStatements),
        rate="20/minute",
        rate_by="phone",
    )
    async def post(self, reissue_id: str) -> None:
        said = self.body(RevocationStatementRequest)
        screened = await hear(self, {"text": said.text}, revoking.state_own, reissue_id, said)
        stated = await revoking.state_own(self.platform, self.actor, reissue_id, said)
        await flag(self, screened, f"reissues:{reissue_id}", "对拟撤销证书的陈述", stated.class_id)
        self.answer(request_answer(stated))


class History(ApiHandler):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="What became of my certificate, oldest first",
        answers={200: HistoryAnswer},
        problems=(NotFound,),
    )
    async def get(self, certificate_id: str) -> None:
        events = await history.my_history(self.platform, self.actor, certificate_id)
        self.answer(HistoryAnswer(items=[EventAnswer.model_validate(one) for one in events]))


_CERTIFICATE = r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})"
_ONE = r"/api/v1/certificate-requests/(?P<reissue_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (rf"{_CERTIFICATE}/requests", Requests),
    (rf"{_CERTIFICATE}/history", History),
    (r"/api/v1/certificate-requests", MyRequests),
    (rf"{_ONE}/withdraw", Withdraw),
    (rf"{_ONE}/statement", Statement),
]
