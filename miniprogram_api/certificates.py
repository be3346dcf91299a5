"""培训合格证书: one's own, as a list, PDF and image; and the public query (article 18)."""

from __future__ import annotations

from datetime import datetime

from miniprogram_api.handler import ApiHandler, Page, Paging, Response, operation
from server.certificates import service as certificates
from server.certificates import verify
from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.certificates.render import CharacterMissing, TextTooLong
from server.certificates.service import CertificateRevoked, Sheet
from server.certificates.verify import CertificateMissing, CertificateQueryRequest, Paper, paper
from server.kernel.errors import Invalid
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.web import Route


class CertificateAnswer(Response, Paper):
    id: str
    class_id: str
    class_name: str
    issued_at: datetime
    verify_url: str
    """What the QR code on the paper opens: the holder may send it to whoever asks."""


class CertificateQueryAnswer(Response):
    items: list[Paper]


def certificate_answer(platform: Platform, one: Certificate) -> CertificateAnswer:
    return CertificateAnswer(
        **dict(paper(one)),
        id=one.id,
        class_id=one.class_id,
        class_name=one.printed.class_name,
        issued_at=one.issued_at,
        verify_url=verify_url(platform, one.token),
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
        problems=(CertificateRevoked, CharacterMissing, TextTooLong),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, certificate_id: str) -> None:
        sheet = await certificates.my_pdf(self.platform, self.actor, certificate_id)
        self.send(sheet, "application/pdf")


class MyPng(MySheet):
    @operation(
        Permission.CERTIFICATES_FETCH,
        summary="The certificate as an image, to look at on the phone",
        answers={200: "image/png"},
        problems=(CertificateRevoked, CharacterMissing, TextTooLong),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, certificate_id: str) -> None:
        sheet = await certificates.my_png(self.platform, self.actor, certificate_id)
        self.send(sheet, "image/png")


class CertificateQueries(ApiHandler):
    """The public page shares the limit: twenty questions in all."""

    counted_as = verify.QUERIES_COUNTED_AS

    @operation(
        Permission.ANYONE,
        summary="Check a certificate by two of name, ID number and certificate number (article 18)",
        body=CertificateQueryRequest,
        answers={200: CertificateQueryAnswer},
        problems=(CertificateMissing, Invalid),
        rate=verify.QUERY_RATE,
    )
    async def post(self) -> None:
        found = await verify.query(self.platform, self.body(CertificateQueryRequest))
        self.answer(CertificateQueryAnswer(items=found))


ROUTES: list[Route] = [
    (r"/api/v1/certificates", MyCertificates),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})", MyCertificate),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/pdf", MyPdf),
    (r"/api/v1/certificates/(?P<certificate_id>[0-9a-f]{24})/png", MyPng),
    (r"/api/v1/certificate-queries", CertificateQueries),
]
