"""Certificates: issued on a class's page, kept in the ledger (台账), and checked by anybody on the public pages (article 18)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.ledger_export import workbook_of
from admin.options import LEVELS
from admin.paging import Way
from server.certificates import issue, reconcile, verify
from server.certificates import service as certificates
from server.certificates.documents import LedgerFilter
from server.certificates.issue import Revocation
from server.certificates.press import verify_url
from server.certificates.verify import CertificateMissing, CertificateQueryRequest, paper
from server.institutions import service as institutions
from server.kernel import downloads
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 30
FIRST_YEAR = 2022
"""Of the guide."""


# ---- a class's page


class ClassPage(PageHandler):
    async def show(self, class_id: str, **context: Any) -> None:
        seen = await issue.class_certificates(self.platform, self.actor, class_id)
        self.render_page(
            "certificates/class.html",
            training_class=seen.training_class,
            tab="certificates",
            seen=seen,
            may_issue=holds(self.actor, Permission.CERTIFICATES_ISSUE),
            **context,
        )


class ClassCertificates(ClassPage):
    @allow(Permission.CERTIFICATES_READ)
    async def get(self, class_id: str) -> None:
        await self.show(class_id, **NO_ERRORS)


class IssueCertificates(ClassPage):
    @allow(Permission.CERTIFICATES_ISSUE)
    async def post(self, class_id: str) -> None:
        try:
            issued = await issue.issue_certificates(self.platform, self.actor, class_id)
        except Problem as problem:
            return await self.show(class_id, **self.refuse(problem))
        if issued:
            self.flash(f"已核发 {issued} 张证书，并已通知本人。")
        else:
            self.flash("没有需要核发的证书：符合条件的学员都已有证书。", "warning")
        return self.see_other(f"/admin/classes/{class_id}/certificates")


class ClassArchive(ClassPage):
    @allow(Permission.CERTIFICATES_ISSUE)
    async def get(self, class_id: str) -> None:
        try:
            archive = await certificates.class_archive(self.platform, self.actor, class_id)
        except certificates.NothingToPrint as problem:
            return await self.show(class_id, **self.refuse(problem))
        await downloads.send(self, Download(archive.file_name, "application/zip", None, archive.content))
        return None


# ---- the ledger


class LedgerQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    year: Annotated[str, Field(pattern=r"^(20[0-9]{2})?$")] = ""
    level: Annotated[str, Field(pattern=r"^[G123]?$")] = ""
    institution: Annotated[str, Field(pattern=r"^([0-9]{3})?$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"q": self.q, "year": self.year, "level": self.level, "institution": self.institution}

    @property
    def given(self) -> dict[str, str]:
        return {name: value for name, value in self.conditions.items() if value}

    @property
    def narrowed(self) -> LedgerFilter:
        return LedgerFilter(
            words=self.q.strip(),
            year=int(self.year) if self.year else None,
            level=self.level,
            institution_code=self.institution,
        )


class Ledger(PageHandler):
    @allow(Permission.CERTIFICATES_READ)
    async def get(self) -> None:
        query = self.query(LedgerQuery)
        way = Way.read("/admin/certificates", query.conditions, query.way)
        found = await certificates.ledger(
            self.platform, self.actor, query.narrowed, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        this_year = beijing_date(self.platform.clock.now()).year
        self.render_page(
            "certificates/ledger.html",
            rows=rows,
            query=query,
            export=f"/admin/certificates.xlsx?{urlencode(query.given)}",
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            years=[(str(year), f"{year} 年") for year in range(this_year, FIRST_YEAR - 1, -1)],
            levels=LEVELS,
            institutions=await self._institutions(),
        )

    async def _institutions(self) -> list[tuple[str, str]]:
        """Empty for who sees one only."""
        if self.actor.institution_code:
            return []
        listed = await institutions.list_institutions(self.platform, self.actor)
        return [(one.id, f"{one.id} {one.name}") for one in listed]


class CheckQuery(BaseModel):
    way: Annotated[str, Field(max_length=2000)] = ""


class LedgerCheck(PageHandler):
    """台账核查: what the daily check found."""

    @allow(Permission.CERTIFICATES_READ)
    async def get(self) -> None:
        way = Way.read(reconcile.PAGE, {}, self.query(CheckQuery).way)
        found = await reconcile.findings(self.platform, self.actor, before=way.cursor, limit=PAGE_SIZE + 1)
        rows = found[:PAGE_SIZE]
        self.render_page(
            "certificates/check.html",
            rows=rows,
            checks=await reconcile.checks(self.platform, self.actor),
            kind_title=reconcile.kind_title,
            may_run=holds(self.actor, Permission.JOBS_RUN),
            of_one=self.actor.institution_code is not None,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
        )


class LedgerExport(PageHandler):
    @allow(Permission.CERTIFICATES_READ, rate="30/minute")
    async def get(self) -> None:
        narrowed = self.query(LedgerQuery).narrowed
        file = await workbook_of(certificates.export_ledger(self.platform, self.actor, narrowed))
        await downloads.send(self, file)


class LedgerRow(PageHandler):
    """One certificate."""

    async def show(self, certificate_id: str, **context: Any) -> None:
        found = await certificates.certificate(self.platform, self.actor, certificate_id)
        self.render_page(
            "certificates/one.html",
            certificate=found,
            paper=paper(found),
            verify_url=verify_url(self.platform, found.token),
            may_print=holds(self.actor, Permission.CERTIFICATES_ISSUE),
            may_revoke=holds(self.actor, Permission.CERTIFICATES_REVOKE),
            **context,
        )


class OneCertificate(LedgerRow):
    @allow(Permission.CERTIFICATES_READ)
    async def get(self, certificate_id: str) -> None:
        await self.show(certificate_id, **NO_ERRORS)


class CertificatePdf(LedgerRow):
    @allow(Permission.CERTIFICATES_ISSUE)
    async def get(self, certificate_id: str) -> None:
        try:
            sheet = await certificates.staff_pdf(self.platform, self.actor, certificate_id)
        except Problem as problem:
            return await self.show(certificate_id, **self.refuse(problem))
        self.set_header("Content-Type", "application/pdf")
        self.set_header("Content-Disposition", f'attachment; filename="{sheet.file_name}"')
        return await self.finish(sheet.content)


class RevokeCertificate(LedgerRow):
    @allow(Permission.CERTIFICATES_REVOKE)
    async def post(self, certificate_id: str) -> None:
        try:
            await issue.revoke_certificate(self.platform, self.actor, certificate_id, self.form(Revocation))
        except Problem as problem:
            return await self.show(certificate_id, **self.refuse(problem))
        self.flash("证书已撤销，公开验证页即时显示“已撤销”。")
        return self.see_other(f"/admin/certificates/{certificate_id}")


# ---- the public pages


class CertificateQueries(PageHandler):
    """The limit counts by the handler's name, which the call of the phones shares: twenty questions in all."""

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        self.render_page("certificates/query.html", found=[], missed=False, **NO_ERRORS)

    @allow(Permission.ANYONE, rate=verify.QUERY_RATE)
    async def post(self) -> None:
        try:
            found = await verify.query(self.platform, self.form(CertificateQueryRequest))
        except CertificateMissing as problem:
            refused = self.refuse(problem) | {"problem": None}
            return self.render_page("certificates/query.html", found=[], missed=True, **refused)
        except Problem as problem:
            return self.render_page("certificates/query.html", found=[], missed=False, **self.refuse(problem))
        return self.render_page("certificates/query.html", found=found, missed=False, **NO_ERRORS)


class Verify(PageHandler):
    """What the QR code opens."""

    @allow(Permission.ANYONE, rate=verify.VERIFY_RATE)
    async def get(self, token: str) -> None:
        found = await verify.verify(self.platform, token)
        if found is None:
            self.set_status(404)
        self.render_page("certificates/verify.html", certificate=found, checked_at=self.platform.clock.now())


ROUTES: list[Route] = [
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates", ClassCertificates),
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates/issue", IssueCertificates),
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates\.zip", ClassArchive),
    (r"/admin/certificates", Ledger),
    (r"/admin/certificates\.xlsx", LedgerExport),
    (reconcile.PAGE, LedgerCheck),
    (r"/admin/certificates/(?P<certificate_id>[0-9a-f]{24})", OneCertificate),
    (r"/admin/certificates/(?P<certificate_id>[0-9a-f]{24})/pdf", CertificatePdf),
    (r"/admin/certificates/(?P<certificate_id>[0-9a-f]{24})/revoke", RevokeCertificate),
    (r"/certificates/query", CertificateQueries),
    (r"/verify/(?P<token>[^/]{1,200})", Verify),
]
