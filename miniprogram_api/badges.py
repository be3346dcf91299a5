"""The certificate as a verifiable credential, and what anybody checks one by: two public addresses that other programs read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Response, operation
from server.badges import service
from server.badges.service import NotInForce
from server.certificates.agreement import CertificateInDoubt
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow

CHECK_RATE = "120/minute"
"""From one address: whoever checks the credentials of a hall of people keeps a list for the minutes that it says."""


class CredentialAnswer(Response):
    credential: str
    """An Open Badge 3.0 as VC-JWT (ES256). Whoever has it can read what the paper shows, but for the ID number."""
    identity_salt: Annotated[str, Field(min_length=32, max_length=32)]
    """For whoever the holder shows the identity card to: SHA-256 of number and salt is the second `identityHash` of the credential. It
    is not in the credential, for with it the number can be worked out."""
    did: str
    """Whose signature it is: resolves to `/.well-known/did.json`."""


class MyCredential(ApiHandler):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="The certificate as Open Badges 3.0 credential, to be given to other systems",
        answers={200: CredentialAnswer},
        problems=(NotInForce, CertificateInDoubt),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, certificate_id: str) -> None:
        self.answer(
            CredentialAnswer.model_validate(
                await service.my_credential(self.platform, self.actor, certificate_id)
            )
        )


class ForPrograms(ApiHandler):
    """Read by programs of others, also inside their pages."""

    def for_everybody(self, seconds: int) -> None:
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Cache-Control", f"public, max-age={seconds}")


class DidDocument(ForPrograms):
    @allow(Permission.ANYONE, rate=CHECK_RATE)
    async def get(self) -> None:
        self.for_everybody(3600)
        self.answer(await service.did_document(self.platform))


class StatusList(ForPrograms):
    @allow(Permission.ANYONE, rate=CHECK_RATE)
    async def get(self, list_number: str) -> None:
        signed = await service.status_list(self.platform, list_number)
        self.for_everybody(300)
        self.set_header("Content-Type", "application/vc+jwt")
        self.finish(signed)


ROUTES: list[Route] = [
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/credential", MyCredential),
]
FOR_ANYBODY: list[Route] = [
    (r"/\.well-known/did\.json", DidDocument),
    (r"/credentials/status/(?P<list_number>[0-9]{3})", StatusList),
]
