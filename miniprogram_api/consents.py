"""同意: what a person is told before personal data is taken."""

from __future__ import annotations

from miniprogram_api.handler import ApiHandler, Response, operation
from server.accounts import consents
from server.kernel.permissions import Permission
from server.kernel.web import Route


class ConsentItem(Response):
    purpose: str
    """"real-name", "location", "face", "messages"."""
    title: str
    text: str
    needed: bool
    """Whether nothing can be done without it; all others may be refused."""
    withdrawal: str
    """How it is taken back, and what that means."""


class ConsentsAnswer(Response):
    version: str
    """Sent back as `consent_version` by whoever agrees; any other is refused."""
    items: list[ConsentItem]


class CurrentConsents(ApiHandler):
    @operation(
        Permission.ANYONE,
        summary="The texts that a person agrees to, and their version",
        answers={200: ConsentsAnswer},
    )
    async def get(self) -> None:
        items = [ConsentItem.model_validate(one) for one in consents.CONSENTS]
        self.answer(ConsentsAnswer(version=consents.VERSION, items=items))


ROUTES: list[Route] = [(r"/api/v1/consents/current", CurrentConsents)]
