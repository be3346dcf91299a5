"""领取登记 of one's own certificate: what the issuer has entered, and that it has arrived (article 18)."""

from __future__ import annotations

from datetime import date, datetime

from miniprogram_api.handler import ApiHandler, Response, operation
from server.kernel.errors import NotFound
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.stock import handing
from server.stock.documents import Handover
from server.stock.rules import How, NotHandedOver


class HandoverAnswer(Response):
    how: How
    how_title: str
    on: date
    recipient: str
    carrier: str
    tracking: str
    confirmed_at: datetime | None
    """When its holder confirmed it here; until then it rests on the signature on paper."""


def handover_answer(one: Handover) -> HandoverAnswer:
    return HandoverAnswer(**one.model_dump(include=_TOLD), how_title=one.how.label)


_TOLD = HandoverAnswer.model_fields.keys() & Handover.model_fields.keys()


class MyHandover(ApiHandler):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="To whom the printed certificate was given",
        answers={200: HandoverAnswer},
        problems=(NotFound, NotHandedOver),
    )
    async def get(self, certificate_id: str) -> None:
        self.answer(handover_answer(await handing.my_handover(self.platform, self.actor, certificate_id)))

    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="I have received the printed certificate; said twice, it is said once",
        answers={200: HandoverAnswer},
        problems=(NotFound, NotHandedOver),
        rate="20/minute",
        rate_by="phone",
    )
    async def post(self, certificate_id: str) -> None:
        self.answer(handover_answer(await handing.confirm(self.platform, self.actor, certificate_id)))


ROUTES: list[Route] = [(r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/handover", MyHandover)]
