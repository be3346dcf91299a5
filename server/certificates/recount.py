"""Recounts each certificate against its entries in the ledger, what they sealed, and its stored file (article 18 (2): 账实相符).

The ledger is trusted no more than the certificate: an entry that the platform did not write has no mark, and whether all of them stand
where they stood is for the check of the chain and the signed roots (server.ledger.roots). Only a batch is in memory, and of a file a chunk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from server.certificates import sealed, store
from server.certificates.documents import CertificateStatus
from server.certificates.findings import Finding, FindingKind
from server.certificates.sealed import Basis
from server.kernel.errors import NotFound
from server.kernel.identity import system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import ENDING, EntryKind

JOB = system("certificates")
AT_ONCE = 100
NONSENSE = (KeyError, TypeError, AttributeError, ValueError)
"""What a row raises in which somebody has put one thing in the place of another."""


async def differences(platform: Platform, institution_code: str) -> list[Finding]:
    """What of the certificates of an institution does not agree with its ledger."""
    found: list[Finding] = []
    seen: set[str] = set()
    async for batch in _batches(store.rows_of_institution(platform, institution_code)):
        seen.update(str(row["_id"]) for row in batch)
        entries = await _entries(platform, [row["_id"] for row in batch])
        bases = await sealed.rows_of_classes(platform, {str(row.get("class_id")) for row in batch})
        for row in batch:
            basis = bases[str(row.get("class_id"))]
            wrong = list(_wrong_with(platform, row, entries.get(row["_id"], []), basis))
            if wrong or await _file_differs(platform, row):
                found += await _once_more(platform, JOB, row["_id"])
    async for entry in ledger.issued_in(platform, institution_code):
        if entry["certificate_id"] not in seen and not await store.row(platform, entry["certificate_id"]):
            detail = f"证书编号 {entry['number']}：台账记有核发，库中已没有这张证书。"
            found.append(Finding(FindingKind.NO_CERTIFICATE, entry["certificate_id"], detail))
    return found


@transactional
async def _once_more(unit: UnitOfWork, certificate_id: str) -> list[Finding]:
    """At one moment: what changed between two readings is no finding."""
    unit.nothing_written()
    row = await store.row(unit, certificate_id)
    if row is None:
        return []
    class_id = str(row.get("class_id"))
    entries = (await _entries(unit, [certificate_id])).get(certificate_id, [])
    basis = (await sealed.rows_of_classes(unit, [class_id]))[class_id]
    found = list(_wrong_with(unit.platform, row, entries, basis))
    if all(one.kind is not FindingKind.FILE for one in found) and (
        differs := await _file_differs(unit.platform, row)
    ):
        found.append(Finding(FindingKind.FILE, certificate_id, f"证书编号 {_number(row)}：{differs}"))
    return found


def _wrong_with(platform: Platform, row: Row, entries: Sequence[Row], basis: Basis) -> Iterator[Finding]:
    """As far as the documents say; the file is read apart."""

    def finding(kind: FindingKind, what: str) -> Finding:
        return Finding(kind, str(row["_id"]), f"证书编号 {_number(row)}：{what}")

    if not all(ledger.is_ours(platform, one) for one in entries):
        yield finding(FindingKind.ENTRY, "它在台账中的记录被改动过。")
    issued, status = _first(row, entries), row.get("status")
    if status == CertificateStatus.PENDING:
        if issued:
            yield finding(FindingKind.STATUS, "台账已记核发，证书却是“待签”。")
        return
    if issued is None:
        yield finding(FindingKind.NO_ENTRY, "库中有这张证书，台账没有它的核发记录。")
        return
    said = _said(row, basis)
    same = said is not None and (said.content, said.codes) == (issued.get("content"), _codes(issued))
    if not same:
        words = "内容（姓名、身份证号、课时、考核结果等）与核发时封存的不同，请与纸质证书或签名文件核对。"
        yield finding(FindingKind.CONTENT, words)
    if words := _status_differs(row, entries):
        yield finding(FindingKind.STATUS, words)
    if same and said and status == CertificateStatus.VALID and said.basis != issued.get("sessions"):
        words = "所依据的考核结果或课次（成绩、课时、上课时间）在核发以后被改动过。"
        yield finding(FindingKind.BASIS, words)
    if _file_of(row) != issued.get("file"):
        yield finding(FindingKind.FILE, "登记的文件不是核发时的那一份。")


def _status_differs(row: Row, entries: Sequence[Row]) -> str:
    """Why a certificate does not stand as its ledger says, in words."""
    status, ended = row.get("status"), [one for one in entries if one.get("kind") in ENDING]
    expected = str(ended[-1]["kind"]) if ended else CertificateStatus.VALID
    if status != expected or (row.get("current") is True) is not (status == CertificateStatus.VALID):
        return f"按台账应为“{CertificateStatus(expected).label}”，库中不是。"
    if status == CertificateStatus.REVOKED:
        facts = ended[-1].get("facts")
        if not isinstance(facts, dict) or facts.get("reason") != (row.get("revoke_reason") or ""):
            return "公开的撤销理由与台账记下的不同。"
    return ""


def _first(row: Row, entries: Sequence[Row]) -> Row | None:
    """The entry that says what was issued; where no certificate could be made and its number was given up, the one that says so."""
    by_kind = {str(one.get("kind")): one for one in reversed(entries)}
    given_up = row.get("status") == CertificateStatus.REVOKED and not _file_of(row)
    return by_kind.get(EntryKind.ISSUED) or (by_kind.get(EntryKind.REVOKED) if given_up else None)


@dataclass(frozen=True)
class _Said:
    content: str
    basis: str
    codes: tuple[object, ...]


def _said(row: Row, basis: Basis) -> _Said | None:
    """None for nonsense."""
    try:
        subject = sealed.subject_of_row(row, basis, "")
        return _Said(subject.content, subject.sessions, _codes(vars(subject)))
    except NONSENSE:
        return None


def _codes(of: Row) -> tuple[object, ...]:
    return tuple(of.get(name) for name in ("institution_code", "province_code", "serial", "number"))


def _number(row: Row) -> str:
    printed = row.get("printed")
    return str(printed.get("number")) if isinstance(printed, dict) else ""


def _file_of(row: Row) -> str:
    file = row.get("file")
    return str(file.get("sha256")) if isinstance(file, dict) else ""


async def _file_differs(platform: Platform, row: Row) -> str:
    """Why the stored file is not what the certificate says it is, in words; read through, a chunk at a time."""
    file: Any = row.get("file")
    if not isinstance(file, dict):
        return ""
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in platform.files.read(file.get("file_id")):  # type: ignore[arg-type]  # may be anything
            digest.update(chunk)
            size += len(chunk)
    except NotFound:
        return "存档的证书文件不见了。"
    except Exception as error:  # a file whose chunks were taken apart raises what the driver raises
        return f"存档的证书文件读不出来（{type(error).__name__}）。"
    same = hmac.compare_digest(digest.hexdigest(), _file_of(row)) and size == file.get("size")
    return "" if same else "存档的证书文件与核发时的不同。"


async def _entries(scope: Scope, certificate_ids: Sequence[str]) -> dict[str, list[Row]]:
    by_certificate: dict[str, list[Row]] = {}
    for entry in await ledger.rows_of(scope, certificate_ids):
        by_certificate.setdefault(entry["certificate_id"], []).append(entry)
    return by_certificate


async def _batches(rows: AsyncIterator[Row]) -> AsyncIterator[list[Row]]:
    batch: list[Row] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
