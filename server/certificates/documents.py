"""What a certificate says, and the certificate as a row of the ledger (台账)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Self

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from server.certificates.rules import NUMBER_BEGINS, is_number, is_serial, parse_number, parse_serial
from server.institutions.rules import Level
from server.kernel.found import Found
from server.kernel.mongo import Document
from server.kernel.titled import Titled

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\r\n\t]+$")
]


class Printed(BaseModel):
    """Everything that is printed (article 17) but the ID number, fixed at issue: later changes of names or courses do not reach it.

    `template_version` names the layout that printed it, so that an old certificate can be printed again as it was.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    name: Line
    training_from: date
    training_to: date
    level: Level
    major: Line
    courses: Annotated[tuple[Line, ...], Field(min_length=1, max_length=8)]
    class_hours: Annotated[int, Field(gt=0, lt=10_000)]
    result: Line
    issuer: Line
    serial: str
    number: str
    issued_on: date
    class_name: Line
    template_version: int
    layout: str | None = None
    """Id of the centre's layout (server.layouts) that printed it; None for the one that the program brings."""
    seal: str | None = None
    """Id of the issuer's seal (server.seals) that is pressed over name and date; None is 未盖章."""
    mark: Annotated[str, StringConstraints(max_length=10)] = ""
    """What the paper says about itself beside article 17: 补发, or nothing."""
    look: str = ""
    """SHA-256 of that layout and that seal as they were (certificates.sealed): changed since, they print nothing. Empty for neither, and
    of before it was kept."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.training_to < self.training_from:
            raise ValueError("培训结束日期不能早于开始日期")
        if not is_serial(self.serial) or not is_number(self.number):
            raise ValueError("证书序列号或证书编号不符合编码规则（指南第十七条）")
        if parse_serial(self.serial)[:2] != parse_number(self.number)[:2]:
            raise ValueError("证书序列号与证书编号不属于同一培训机构")
        if parse_number(self.number).level is not self.level:
            raise ValueError("证书编号的级别代码与培训级别不一致")
        return self


class CertificateSnapshot(Printed):
    """What is handed to the printer. `id_number` is in clear and lives in memory only; `repr` and error messages leave it out."""

    id_number: Annotated[str, Field(repr=False, pattern=r"^[0-9]{17}[0-9X]$")]


class SealedSnapshot(Printed):
    """The same as it is stored: the number encrypted, deterministically so that a query can find it (article 18)."""

    id_number: Binary
    id_number_masked: str

    def opened(self, id_number: str) -> CertificateSnapshot:
        """With the decrypted number."""
        printed = self.model_dump(exclude={"id_number", "id_number_masked"})
        return CertificateSnapshot(**printed, id_number=id_number)


MOST_ATTEMPTS = 5
"""Of drawing and signing one; then the issuer is told, and says when it is tried again."""


class CertificateStatus(Titled):
    PENDING = "PENDING", "待签"
    """It has its number; it is not valid until its file is signed and stored."""
    VALID = "VALID", "有效"
    REVOKED = "REVOKED", "已撤销"
    REISSUED = "REISSUED", "已作废（已补发）"
    REPLACED = "REPLACED", "已作废（已换发）"
    VOID = "VOID", "号码作废"
    """It could not be made, and its number is given to nobody: it never was a certificate, and is nothing to the public."""

    @property
    def issued(self) -> bool:
        """Whether there is, or ever was, a certificate."""
        return self not in (CertificateStatus.PENDING, CertificateStatus.VOID)


NOT_ISSUED = tuple(one for one in CertificateStatus if not one.issued)


class IssuedFile(BaseModel):
    """The signed PDF as it was issued: what is handed out is this file, and never drawn again."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    file_id: str
    size: int
    """Bytes."""
    sha256: str
    """Of the whole file, hexadecimal."""
    signed_at: datetime
    signed_by: str
    """The subject of the signer's certificate, in words."""
    own_key: bool
    """Signed by the institution's own key; otherwise by the platform's, which is evidence of integrity and no 电子印章."""
    timestamped: bool
    """A timestamp authority (RFC 3161) has confirmed the moment."""


class Certificate(Found):
    """A row of the ledger. It is never deleted: revoking keeps it with the reason, and so does giving its number up (article 18)."""

    class_id: str
    person_id: str
    institution_code: str
    province_code: str
    printed: SealedSnapshot
    folded_name: str
    """The printed name as it is looked for: see kernel.folding."""
    token: str
    """What stands in the QR code: 128 random bits, so that nobody finds a certificate by trying."""
    status: CertificateStatus = CertificateStatus.VALID
    current: bool = True
    """The one that stands for its person and class, and for its number. False once it was revoked, or another took its place."""
    file: IssuedFile | None = None
    """None while it waits to be signed, and of certificates issued before files were kept: those are drawn when asked for."""
    drafts: tuple[str, ...] = ()
    """Ids of files that were begun for it, the newest last: that is being written, or was when its run was killed."""

    attempts: int = 0
    """How often it could not be drawn or signed, one after the other."""
    failure: str = ""
    """Why it could not be drawn or signed when that was tried last, in words; empty when it was, or was not tried."""
    try_again_at: datetime | None = None
    """Machine time before which it is not tried again."""
    issued_at: datetime
    """When it got its number."""
    issued_by: str
    numbered: str = ""
    """Under the key of the trail, what it says as it got its number (certificates.sealed): nothing else is signed. Empty of before."""
    replaces: str | None = None
    """Id of the certificate in whose place it was issued (补发, 换发, or after a revocation)."""
    replaced_by: str | None = None
    replaced_at: datetime | None = None
    replaced_by_serial: str = ""
    """序列号 of that one; empty of before it was kept."""
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    revoke_reason: str | None = None

    @property
    def made(self) -> bool:
        """It was a certificate once: neither waits it to be signed, nor was its number given up."""
        return self.status not in (CertificateStatus.PENDING, CertificateStatus.VOID)

    @property
    def valid(self) -> bool:
        return self.status is CertificateStatus.VALID

    @property
    def pending(self) -> bool:
        return self.status is CertificateStatus.PENDING

    @property
    def given_up(self) -> bool:
        """Tried often enough: it waits for somebody to look at the reason."""
        return self.pending and self.attempts >= MOST_ATTEMPTS

    @property
    def ended_at(self) -> datetime | None:
        """When it ceased to count: revoked, or another took its place."""
        return self.revoked_at or self.replaced_at

    def names(self) -> Iterable[str]:
        return (self.printed.name,)

    def facets(self) -> Iterable[tuple[str, object]]:
        of_number = (("number", self.printed.number[:length]) for length in NUMBER_BEGINS)
        narrowed = ("year", self.printed.issued_on.year), ("level", self.printed.level)
        return (*narrowed, ("serial", self.printed.serial), *of_number)


class LedgerFilter(BaseModel):
    """What the ledger is narrowed to; what is empty matches everything."""

    model_config = ConfigDict(frozen=True)

    words: str = ""
    """Parts of the name, or the beginning of a number, or a whole serial."""
    year: int | None = None
    """Of issue."""
    level: str = ""
    institution_code: str = ""
    province_code: str = ""
    status: CertificateStatus | None = None
    major: str = ""
    month: str = ""
    """Of issue: 2026-03."""
    issued: bool = False
    """Without what waits to be signed, and numbers that were given up."""


class LedgerFinding(Document):
    """Something in the ledger that did not fit when it was checked (article 18). Unique by institution, kind and subject while open."""

    institution_code: str
    province_code: str
    institution_name: str
    kind: str
    """findings.FindingKind"""
    subject: str
    detail: str
    found_at: datetime
    open: bool = True
    resolved_at: datetime | None = None
    """When a later check found it right."""


class LedgerCheck(Document):
    """When the ledger of an institution was last checked, and how it stood. `id` is the institution's code."""

    institution_code: str
    province_code: str
    institution_name: str
    checked_at: datetime
    certificates: int
    findings: int
