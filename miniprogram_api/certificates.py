"""培训合格证书: one's own, as a list, PDF and image; and the public query (article 18)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from miniprogram_api.handler import ApiHandler, Page, Paging, Response, operation
from server.certificates import service as certificates
from server.certificates import verify
from server.certificates.agreement import CertificateInDoubt
from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.certificates.render import CharacterMissing, TextTooLong
from server.certificates.service import CertificateRevoked, Sheet
from server.certificates.verify import CertificateMissing, CertificateQueryRequest, Paper, PublicPaper, paper
from server.kernel import puzzles
from server.kernel.addresses import counted_as
from server.kernel.errors import Invalid
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from server.kernel.puzzles import PuzzleNeeded
from server.kernel.web import Route


class CertificateAnswer(Response, Paper):
    id: str
    class_id: str
    class_name: str
    issued_at: datetime
    verify_url: str | None
    """What the QR code on the paper opens: the holder may send it to whoever asks. None while it waits to be signed."""


class CertificateQueryAnswer(Response):
    items: list[PublicPaper]


class SolvedQueryRequest(CertificateQueryRequest):
    """Exactly two of the three, and the solved puzzle."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2, "maxProperties": 3})

    proof: Annotated[str, Field(max_length=4000)] = ""
    """Base64 of the JSON `{"challenge": <the whole answer of GET /puzzles>, "solution": {"counter": …, "derivedKey": "<hex>"}}`. Serves one
    question, which may be sent again when the answer was lost. Missing, used, too old or too easy: 428 with the `level` that is needed."""


class PuzzleQuery(BaseModel):
    """How hard: 0 for the first question, then the `level` of the refusal."""

    model_config = ConfigDict(frozen=True)

    level: Annotated[int, Field(ge=0, le=puzzles.LEVEL_MOST)] = 0


class PuzzleData(Response):
    level: int
    until: int
    """Unix seconds: solved later, it is too old."""


class PuzzleParameters(Response):
    """ALTCHA's, protocol 2. For counter 0, 1, 2 …: key = PBKDF2-HMAC-SHA-256(password = nonce and the counter as four bytes, the highest
    first; salt; `cost` iterations; `keyLength` bytes). The puzzle is solved when the key begins with `keyPrefix`."""

    algorithm: str
    cost: int
    key_length: Annotated[int, Field(alias="keyLength")]
    key_prefix: Annotated[str, Field(alias="keyPrefix")]
    """Hex, as nonce, salt and key are."""
    nonce: str
    salt: str
    key_signature: Annotated[str, Field(alias="keySignature")]
    """Sent back as it is, like the rest."""
    data: PuzzleData


class PuzzleAnswer(Response):
    parameters: PuzzleParameters
    signature: str


def certificate_answer(platform: Platform, one: Certificate) -> CertificateAnswer:
    return CertificateAnswer(
        **dict(paper(one)),
        id=one.id,
        class_id=one.class_id,
        class_name=one.printed.class_name,
        issued_at=one.issued_at,
        verify_url=verify_url(platform, one.token) if one.status.issued else None,
    )


class MyCertificates(ApiHandler):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="My certificates, newest first",
        query=Paging,
        answers={200: Page[CertificateAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found = await certificates.my_certificates(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        following = found[-1].id if len(found) == paging.limit else None
        items = [certificate_answer(self.platform, one) for one in found]
        self.answer(Page[CertificateAnswer](items=items, next=following))


class MyCertificate(ApiHandler):
    @operation(
        Permission.CERTIFICATES_FETCH, summary="One of my certificates", answers={200: CertificateAnswer}
    )
    async def get(self, certificate_id: str) -> None:
        found = await certificates.my_certificate(self.platform, self.actor, certificate_id)
        self.answer(certificate_answer(self.platform, found))


class MySheet(ApiHandler):
    def send(self, sheet: Sheet, media_type: str) -> None:
        self.set_header("Content-Type", media_type)
        self.set_header("Content-Disposition", f'inline; filename="{sheet.file_name}"')
        self.finish(sheet.content)


class MyPdf(MySheet):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="The certificate as PDF, to print",
        answers={200: "application/pdf"},
        problems=(CertificateRevoked, CertificateInDoubt, CharacterMissing, TextTooLong),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, certificate_id: str) -> None:
        sheet = await certificates.my_pdf(self.platform, self.actor, certificate_id)
        self.send(sheet, "application/pdf")


class MyPng(MySheet):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="The certificate as a large image",
        answers={200: "image/png"},
        problems=(CertificateRevoked, CertificateInDoubt, CharacterMissing, TextTooLong),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, certificate_id: str) -> None:
        sheet = await certificates.my_png(self.platform, self.actor, certificate_id)
        self.send(sheet, "image/png")


class MyImage(MySheet):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="The certificate as a JPEG 1080 pixels wide, to look at on the phone",
        answers={200: "image/jpeg"},
        problems=(CertificateRevoked, CertificateInDoubt, CharacterMissing, TextTooLong),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, certificate_id: str) -> None:
        sheet = await certificates.my_image(self.platform, self.actor, certificate_id)
        self.send(sheet, "image/jpeg")


class CertificateQueries(ApiHandler):
    """The public page shares the limit: twenty questions in all."""

    counted_as = verify.QUERIES_COUNTED_AS

    @operation(
        Permission.ANYONE,
        summary="Check a certificate by two of name, ID number and certificate number (article 18)",
        body=SolvedQueryRequest,
        answers={200: CertificateQueryAnswer},
        problems=(CertificateMissing, Invalid, PuzzleNeeded),
        rate=verify.QUERY_RATE,
    )
    async def post(self) -> None:
        asked = self.body(SolvedQueryRequest)
        asker = Asker(counted_as(self.request.remote_ip or ""), asked.proof)
        self.answer(CertificateQueryAnswer(items=await verify.query(self.platform, asked, asker)))


class Puzzles(ApiHandler):
    """The public page fetches its puzzle here too."""

    @operation(
        Permission.ANYONE,
        summary="A puzzle to solve before a question of the public",
        query=PuzzleQuery,
        answers={200: PuzzleAnswer},
        rate="60/minute",
    )
    async def get(self) -> None:
        given: dict[str, Any] = puzzles.puzzle(self.platform, self.query(PuzzleQuery).level)
        self.answer(given)


ROUTES: list[Route] = [
    (r"/api/v1/certificates", MyCertificates),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})", MyCertificate),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/pdf", MyPdf),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/png", MyPng),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/image", MyImage),
    (r"/api/v1/certificate-queries", CertificateQueries),
    (r"/api/v1/puzzles", Puzzles),
]
