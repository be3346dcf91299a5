"""Certificates: issued on a class's page, kept in the ledger (台账), and checked by anybody on the public pages (article 18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from admin.downloads import download
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, LevelCode, Listing, Options, Query, Words, Year, fetched_by
from admin.options import years
from admin.puzzled import NO_PUZZLE, PublicUpload, Puzzled
from admin.steps import Done, shows, step
from server.certificates import agreement, issue, reconcile, verify
from server.certificates import service as certificates
from server.certificates.documents import Certificate, CertificateStatus, LedgerFilter, LedgerFinding
from server.certificates.press import verify_url
from server.certificates.verify import CertificateMissing, CertificateQueryRequest, CheckedFile, Paper, paper
from server.institutions import service as institutions
from server.kernel.addresses import counted_as
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Problem
from server.kernel.permissions import Permission
from server.kernel.public_questions import Asker
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.ledger import roots
from server.ledger import service as ledger
from server.reissues import history
from server.seals.checker import MOST_BYTES
from server.stock import handing, papers

PAGE_SIZE = 30
BOOK_RATE = "10/minute"


# ---- a class's page


class ClassCertificates(PageHandler):
    address = "/admin/classes/{class_id}/certificates"
    get = shows(Permission.CERTIFICATES_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await issue.class_certificates(self.platform, self.actor, class_id)
        self.render_page(
            "certificates/class.html",
            training_class=seen.training_class,
            seen=seen,
            **outcome,
        )


@step(ClassCertificates, Permission.CERTIFICATES_ISSUE)
async def issue_certificates(page: ClassCertificates, class_id: str) -> str | Done:
    issued = await issue.issue_certificates(page.platform, page.actor, class_id)
    if issued:
        return f"{issued} 张证书已取号，正在制作和签名。完成后生效，并通知本人。"
    none_due = "没有需要核发的证书：符合条件的学员都已有证书。"
    return Done(none_due, f"/admin/classes/{class_id}/certificates", "warning")


@step(ClassCertificates, Permission.CERTIFICATES_ISSUE)
async def try_again(page: ClassCertificates, class_id: str) -> str | Done:
    if count := await issue.try_again(page.platform, page.actor, class_id):
        return f"正在重新制作 {count} 张证书，编号不变。"
    return Done("没有需要重新制作的证书。", f"/admin/classes/{class_id}/certificates", "warning")


@download(Permission.CERTIFICATES_ISSUE, page=ClassCertificates)
async def archive(page: PageHandler, class_id: str) -> Download:
    return await certificates.class_archive(page.platform, page.actor, class_id)


@download(Permission.CERTIFICATES_ISSUE, page=ClassCertificates, rate=BOOK_RATE)
async def book(page: PageHandler, class_id: str) -> Download:
    return await certificates.class_book(page.platform, page.actor, class_id)


# ---- the ledger


def years_of_issue(page: PageHandler) -> Options:
    """Up to this one: nothing is issued in advance."""
    return years(page.platform.clock.now())[1:]


class LedgerQuery(ByAge):
    q: Annotated[Words, Filter("姓名或编号", hint="从第一个字开始")] = ""
    year: Annotated[Year, Filter("发证年份", years_of_issue)] = None
    level: LevelCode = ""
    institution: Annotated[str, Field(pattern=r"^[0-9]{3}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    status: CertificateStatus | None = None
    major: Annotated[str, Field(max_length=20)] = ""
    month: Annotated[str, Field(pattern=r"^20[0-9]{2}-[0-9]{2}$")] = ""
    issued: bool = False


async def institutions_to_choose(
    page: PageHandler, query: LedgerQuery, rows: Sequence[Certificate]
) -> dict[str, Any]:
    """None for who sees one only."""
    if page.actor.institution_code:
        return {"institutions": []}
    listed = await institutions.list_institutions(page.platform, page.actor)
    return {"institutions": [(one.id, f"{one.id} {one.name}") for one in listed]}


SHEET = Sheet[Certificate](
    "证书台账",
    [
        Column("证书序列号", 14, lambda one: one.printed.serial),
        Column("证书编号", 18, lambda one: one.printed.number),
        Column("姓名", 14, lambda one: one.printed.name),
        Column("证件号", 22, lambda one: one.printed.id_number_masked),
        Column("培训班", 36, lambda one: one.printed.class_name),
        Column("级别", 10, lambda one: one.printed.level.label),
        Column("专业大类", 12, lambda one: one.printed.major),
        Column("培训时间", 26, lambda one: f"{one.printed.training_from} 至 {one.printed.training_to}"),
        Column("课时", 8, lambda one: one.printed.class_hours),
        Column("发证机构", 26, lambda one: one.printed.issuer),
        Column("发证日期", 12, lambda one: one.printed.issued_on),
        Column("状态", 10, lambda one: one.status.label),
        Column("撤销、作废日期", 12, lambda one: beijing_date(one.ended_at) if one.ended_at else ""),
        Column("由序列号代替", 14, lambda one: one.replaced_by_serial),
        Column("撤销、作废理由", 40, lambda one: one.revoke_reason or ""),
    ],
)
LEDGER = Listing(
    "/admin/certificates",
    "certificates/ledger.html",
    Permission.CERTIFICATES_READ,
    LedgerQuery,
    fetched_by(certificates.ledger, LedgerFilter),
    institutions_to_choose,
    SHEET,
    page_size=PAGE_SIZE,
)


async def checks(page: PageHandler, query: Query, rows: Sequence[LedgerFinding]) -> dict[str, Any]:
    return {
        "checks": await reconcile.checks(page.platform, page.actor),
        "chain_broken": (await roots.state(page.platform)).broken,
        "kind_title": reconcile.kind_title,
        "of_one": page.actor.institution_code is not None,
    }


LEDGER_CHECK = Listing(
    reconcile.PAGE,
    "certificates/check.html",
    Permission.CERTIFICATES_READ,
    Query,
    fetched_by(reconcile.findings),
    checks,
    Sheet[LedgerFinding](
        "台账核查",
        [
            Column("问题", 20, lambda one: reconcile.kind_title(one.kind)),
            Column("培训机构", 30, lambda one: one.institution_name),
            Column("内容", 60, lambda one: one.detail),
            Column("发现时间", 18, lambda one: one.found_at),
        ],
    ),
    page_size=PAGE_SIZE,
)
"""台账核查: what the daily check found."""


class OneCertificate(PageHandler):
    address = "/admin/certificates/{certificate_id}"
    get = shows(Permission.CERTIFICATES_READ)

    async def show(self, certificate_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await certificates.certificate(self.platform, self.actor, certificate_id)
        self.render_page(
            "certificates/one.html",
            certificate=found,
            paper=paper(found),
            doubts=await agreement.in_doubt(self.platform, [found]),
            after=await history.after_issue(self.platform, self.actor, found),
            verify_url=verify_url(self.platform, found.token),
            entries=await ledger.entries_of(self.platform, certificate_id),
            sheet=(await papers.of_class(self.platform, [found.id])).get(found.id),
            handover=await handing.of_certificate(self.platform, found.id),
            **outcome,
        )


@download(Permission.CERTIFICATES_ISSUE, page=OneCertificate)
async def pdf(page: PageHandler, certificate_id: str) -> Download:
    sheet = await certificates.staff_pdf(page.platform, page.actor, certificate_id)
    return Download.of(sheet.file_name, "application/pdf", sheet.content)


# ---- the public pages


class CertificateQueries(Puzzled):
    """The call of the phones shares the limit: twenty questions in all."""

    counted_as = verify.QUERIES_COUNTED_AS

    get = shows(Permission.ANYONE)

    @allow(Permission.ANYONE, rate=verify.QUERY_RATE)
    async def post(self) -> None:
        try:
            found = await verify.query(self.platform, self.form(CertificateQueryRequest), self.asker)
        except CertificateMissing as problem:
            await self.show(await self.once_more(problem) | {"problem": None}, missed=True)
        except Problem as problem:
            await self.show(await self.once_more(problem))
        else:
            await self.show(found=found)

    async def show(
        self, outcome: Outcome = NO_ERRORS | NO_PUZZLE, *, found: Sequence[Paper] = (), missed: bool = False
    ) -> None:
        self.render_page("certificates/query.html", found=found, missed=missed, **outcome)


class CheckFile(PublicUpload):
    """A PDF in the hand: intact, ours, still valid?"""

    get = shows(Permission.ANYONE)

    @allow(Permission.ANYONE, rate=verify.FILE_RATE, body=MOST_BYTES + 2**20)
    async def post(self) -> None:
        sent = self.request.files.get("file")
        try:
            checked = await verify.check_file(self.platform, self.asker, sent[0].body if sent else b"")
        except Problem as problem:
            await self.show(await self.once_more(problem))
        else:
            await self.show(checked=checked)

    async def show(
        self, outcome: Outcome = NO_ERRORS | NO_PUZZLE, *, checked: CheckedFile | None = None
    ) -> None:
        self.render_page("certificates/check_file.html", checked=checked, largest=MOST_BYTES, **outcome)


class Verify(PageHandler):
    """What the QR code opens."""

    @allow(Permission.ANYONE, rate=verify.VERIFY_RATE)
    async def get(self, token: str) -> None:
        asker = Asker(counted_as(self.request.remote_ip or ""))
        found = await verify.verify(self.platform, token, asker)
        if found is None:
            self.set_status(404)
        self.render_page("certificates/verify.html", certificate=found, checked_at=self.platform.clock.now())


_OF_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates"
_ONE = r"/admin/certificates/(?P<certificate_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (_OF_CLASS, ClassCertificates),
    (rf"{_OF_CLASS}/issue", issue_certificates),
    (rf"{_OF_CLASS}/try-again", try_again),
    (rf"{_OF_CLASS}\.zip", archive),
    (rf"{_OF_CLASS}\.pdf", book),
    *LEDGER.routes,
    *LEDGER_CHECK.routes,
    (_ONE, OneCertificate),
    (rf"{_ONE}/pdf", pdf),
    (r"/certificates/query", CertificateQueries),
    (r"/certificates/check-file", CheckFile),
    (r"/verify/(?P<token>[^/]{1,200})", Verify),
    (r"/V/(?P<token>[A-Z2-7]{26})", Verify),
]
