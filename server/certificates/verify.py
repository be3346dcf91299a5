"""The public's questions: is this certificate genuine? (article 18: 三种查询方式; 防伪)

Whoever asks sees all that the paper shows, so that an altered one is caught, but of the ID number the last four digits only. Every
miss gets the same answer after the same work, and costs the next question more (`server.kernel.public_questions`), so that nobody learns by
trying who holds a certificate, or by which number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from server.accounts.rules import last_four
from server.certificates import agreement, store
from server.certificates.documents import Certificate, CertificateStatus, IssuedFile
from server.certificates.rules import check_query
from server.kernel import hostile, public_questions
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FileUnreadable, NotFound
from server.kernel.folding import folded
from server.kernel.numbers import AS_CERTIFICATE_NUMBER, AS_ID_NUMBER
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from server.kernel.titled import Titled
from server.ledger import service as ledger
from server.ledger.documents import InclusionProof
from server.seals.checker import MOST_BYTES, PdfCheck, check_pdf

QUERY_RATE = "20/minute"
"""Questions from one address."""
QUERIES_COUNTED_AS = "certificate-queries"
"""Those of the public page and of the phones together."""
VERIFY_RATE = "120/minute"
"""Scans from one address: a hall of people behind one router may scan their certificates together."""
FILE_RATE = "20/minute"
FOUND_MOST = 20
"""Certificates of one person that a query by name and ID number shows, newest first."""

_Given = Annotated[str, Field(min_length=1, max_length=60)]


class CertificateMissing(NotFound):
    slug = "certificate-not-found"
    title = "没有查到相符的证书"
    default_detail = "请核对所填内容与证书上的是否完全一致。多次核对仍查不到的，请联系发证机构。"


class CertificateQueryRequest(BaseModel):
    """Exactly two of the three (article 18)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={"minProperties": 2, "maxProperties": 2},
    )

    name: _Given | SkipJsonSchema[None] = None
    id_number: Annotated[_Given, AS_ID_NUMBER] | SkipJsonSchema[None] = None
    certificate_number: Annotated[_Given, AS_CERTIFICATE_NUMBER] | SkipJsonSchema[None] = None


class Signature(BaseModel):
    """Of the signed file: what was issued has not been changed since."""

    model_config = ConfigDict(frozen=True)

    signed_by: str
    own_key: bool
    """The institution's own; else the platform's, which is evidence of integrity and no 电子印章."""
    signed_at: datetime
    timestamped: bool


class Doubt(Titled):
    """What the public is told instead of a state, where the row is not what the ledger has sealed."""

    IN_DOUBT = "IN_DOUBT", "记录与台账不符，正在核查"


class Paper(BaseModel):
    """All that the paper shows, the ID number masked, and whether it still counts."""

    model_config = ConfigDict(frozen=True)

    name: str
    id_number_masked: str
    starts_on: date
    ends_on: date
    level_title: str
    major: str
    courses: list[str]
    class_hours: int
    result: str
    issuer: str
    serial: str
    number: str
    issued_on: date
    mark: str
    """补发 and the like, as it stands on the paper; mostly empty."""
    status: CertificateStatus | Doubt
    revoked_on: date | None
    revoke_reason: str | None
    replaced_on: date | None
    """When another took its place. Nothing of that one is told: a lost paper may lie in anybody's hand."""
    signature: Signature | None
    """None of what was issued before files were signed."""


class PublicPaper(Paper):
    """What the public is told beside it: that the platform cannot tell anybody else otherwise."""

    proof: InclusionProof | None
    """That the ledger has it, under the root that was signed and published last; None until the night after it was entered."""


async def public_papers(platform: Platform, certificates: Sequence[Certificate]) -> list[PublicPaper]:
    """For whoever asks. Where a row does not say what the ledger has sealed, it is in doubt, and nothing is proven of it."""
    doubted = await agreement.doubted(platform, certificates)
    papers = []
    for one in certificates:
        told = dict(paper(one)) | {"id_number_masked": last_four(one.printed.id_number_masked)}
        if one.id in doubted:
            papers.append(PublicPaper(**told | {"status": Doubt.IN_DOUBT}, proof=None))
        else:
            papers.append(PublicPaper(**told, proof=await ledger.proof_of(platform, one.id)))
    return papers


def paper(certificate: Certificate) -> Paper:
    """For the holder and for staff."""
    printed = certificate.printed
    return Paper(
        name=printed.name,
        id_number_masked=printed.id_number_masked,
        starts_on=printed.training_from,
        ends_on=printed.training_to,
        level_title=printed.level.training,
        major=printed.major,
        courses=list(printed.courses),
        class_hours=printed.class_hours,
        result=printed.result,
        issuer=printed.issuer,
        serial=printed.serial,
        number=printed.number,
        issued_on=printed.issued_on,
        mark=printed.mark,
        status=certificate.status,
        revoked_on=beijing_date(certificate.revoked_at) if certificate.revoked_at else None,
        revoke_reason=certificate.revoke_reason,
        replaced_on=beijing_date(certificate.replaced_at) if certificate.replaced_at else None,
        signature=_signature(certificate.file),
    )


def _signature(file: IssuedFile | None) -> Signature | None:
    if file is None:
        return None
    return Signature(
        signed_by=file.signed_by,
        own_key=file.own_key,
        signed_at=file.signed_at,
        timestamped=file.timestamped,
    )


async def verify(platform: Platform, token: str, asker: Asker) -> PublicPaper | None:
    """What the QR code of a certificate opens; None for a token that no certificate has.

    Nobody guesses a token, so there is no puzzle before it. Raises TooManyRequests for an address that has missed too often.
    """
    await public_questions.check_address(platform, asker.address)
    found = await store.by_token(platform, token)
    if found is None or not found.status.issued:  # it waits to be signed, or its number was given up
        await public_questions.missed(platform, asker.address)
        return None
    [shown] = await public_papers(platform, [found])
    return shown


async def query(platform: Platform, asked: CertificateQueryRequest, asker: Asker) -> list[PublicPaper]:
    """The certificates that carry both of what is asked for; by name and ID number there may be several, newest first.

    Raises Invalid unless exactly two are given; TooManyRequests or PuzzleNeeded before anything is looked up; CertificateMissing for
    every miss, whatever is wrong.
    """
    check_query(asked.name, asked.id_number, asked.certificate_number)
    given = {
        "name": folded(asked.name) if asked.name is not None else None,
        "id_number": asked.id_number,
        "certificate_number": asked.certificate_number,
    }
    targets = {kind: value for kind, value in given.items() if value is not None}
    question = await public_questions.admit(platform, asker, targets)
    # also when it is not asked for: the same work
    [sealed] = await platform.vault.encrypt_searchable([asked.id_number or ""])
    found = await store.matching(
        platform,
        name=asked.name,
        id_number=sealed if asked.id_number is not None else None,
        number=asked.certificate_number,
        limit=FOUND_MOST,
    )
    if not found:
        raise CertificateMissing()
    await public_questions.answered(platform, question)
    return await public_papers(platform, found)


class ProofNotYet(Conflict):
    slug = "ledger-proof-not-yet"
    title = "还没有入账证明"
    default_detail = "证书台账每天凌晨签名公布一次，新核发的证书从第二天起可以下载入账证明。请明天再来。"


async def proof(platform: Platform, token: str, asker: Asker) -> InclusionProof:
    """What scripts/verify-certificate checks a file by. Raises NotFound, ProofNotYet, TooManyRequests."""
    found = await verify(platform, token, asker)
    if found is None:
        raise NotFound("没有这张证书。")
    if found.proof is None:
        raise ProofNotYet()
    return found.proof


# ---- a file in the hand


@dataclass(frozen=True)
class CheckedFile:
    """What a PDF proves. `paper` only where it is the very file that the platform keeps, and intact: then whoever has it has read all
    of that."""

    check: PdfCheck
    paper: PublicPaper | None

    @property
    def words(self) -> str:
        if self.paper is not None or not self.check.intact:
            return self.check.words
        return (
            f"签名完好，由“{self.check.signer}”签名，但平台没有存档这个文件，不能证明它是核发的证书原件。"
            "请用证书编号查询，或向持证人索要从平台下载的原件。"
        )


async def check_file(platform: Platform, asker: Asker, content: bytes) -> CheckedFile:
    """Whether a PDF is intact, ours and still valid. What is not ours counts as a question that found nothing.

    Raises FileUnreadable, TooManyRequests, PuzzleNeeded; Unavailable, OneFileAtATime.
    """
    if not content:
        raise FileUnreadable("请选择证书的 PDF 文件。")
    if len(content) > MOST_BYTES:
        raise FileUnreadable(f"文件超过 {MOST_BYTES // 2**20} MiB。平台核发的证书不到 1 MiB，请上传原件。")
    question = await public_questions.admit(
        platform,
        asker,
        {"file": hashlib.sha256(content).hexdigest(), "files of": asker.address},
        repeats_cost=True,
    )
    check = await check_pdf(platform, content, hostile.stranger(asker.address))
    found = await store.by_file(platform, check.sha256)
    if found is None or not found.status.issued or not check.intact:
        return CheckedFile(check, None)
    await public_questions.answered(platform, question)
    [shown] = await public_papers(platform, [found])
    return CheckedFile(check, shown)
