"""Recounts each certificate against its entries in the ledger, what they sealed, and its stored file (article 18 (2): 账实相符).

The ledger is trusted no more than the certificate: an entry that the platform did not write has no mark, and whether all of them stand
where they stood is for the check of the chain and the signed roots (server.ledger.roots). Only a batch is in memory, and of a file a chunk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from server.certificates import agreement, sealed, sheets, store
from server.certificates.documents import CertificateStatus
from server.certificates.findings import Finding, FindingKind
from server.certificates.sealed import Basis
from server.kernel.errors import NotFound
from server.kernel.identity import system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as ledger

JOB = system("certificates")
AT_ONCE = 100


async def differences(platform: Platform, institution_code: str) -> list[Finding]:
    """What of the certificates of an institution does not agree with its ledger."""
    found: list[Finding] = []
    seen: set[str] = set()
    looks: dict[str, str] = {}
    async for batch in _batches(store.rows_of_institution(platform, institution_code)):
        seen.update(str(row["_id"]) for row in batch)
        entries = await agreement.entries_of(platform, [row["_id"] for row in batch])
        bases = await sealed.rows_of_classes(platform, {str(row.get("class_id")) for row in batch})
        for row in batch:
            basis = bases[str(row.get("class_id"))]
            wrong = list(_wrong_with(platform, row, entries.get(row["_id"], []), basis))
            if wrong or await _look_differs(platform, row, looks) or await _file_differs(platform, row):
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
    entries = (await agreement.entries_of(unit, [certificate_id])).get(certificate_id, [])
    basis = (await sealed.rows_of_classes(unit, [class_id]))[class_id]
    found = list(_wrong_with(unit.platform, row, entries, basis))
    if differs := await _look_differs(unit, row, {}):
        found.append(_finding(FindingKind.LOOK, row, differs))
    if all(one.kind is not FindingKind.FILE for one in found) and (
        differs := await _file_differs(unit.platform, row)
    ):
        found.append(_finding(FindingKind.FILE, row, differs))
    return found


def _wrong_with(platform: Platform, row: Row, entries: Sequence[Row], basis: Basis) -> Iterator[Finding]:
    """As far as the documents say; the file is read apart."""
    found = list(agreement.wrong_with(platform, row, entries))
    yield from found
    issued = agreement.issued_by(row, entries)
    same = all(one.kind is not FindingKind.CONTENT for one in found)
    asked = issued is not None and same and row.get("status") == CertificateStatus.VALID
    if asked and issued and _basis_of(row, basis) != issued.get("sessions"):
        words = "所依据的考核结果或课次（成绩、课时、上课时间）在核发以后被改动过。"
        yield _finding(FindingKind.BASIS, row, words)


def _finding(kind: FindingKind, row: Row, words: str) -> Finding:
    return Finding(kind, str(row["_id"]), f"证书编号 {agreement.number_of(row)}：{words}")


def _basis_of(row: Row, basis: Basis) -> str:
    results, sessions = basis
    try:
        return sealed.basis_of(row, results.get(row["person_id"]), sessions)
    except sealed.NONSENSE:
        return ""


async def _look_differs(scope: Scope, row: Row, known: dict[str, str]) -> str:
    """Why a certificate would not be drawn as it was when it got its number, in words. `known`: looks that were reckoned already."""
    printed: Any = row.get("printed")
    if not isinstance(printed, dict) or not printed.get("look"):
        return ""
    layout, seal = str(printed.get("layout") or ""), str(printed.get("seal") or "")
    of = f"{layout} {seal}"
    if of not in known:
        known[of] = await sheets.look_now(scope, layout, seal)
    return "" if known[of] == printed["look"] else "核发时用的样式或印章后来被改动过，不能照原样打印。"


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
    same = hmac.compare_digest(digest.hexdigest(), agreement.file_of(row)) and size == file.get("size")
    return "" if same else "存档的证书文件与核发时的不同。"


async def _batches(rows: AsyncIterator[Row]) -> AsyncIterator[list[Row]]:
    batch: list[Row] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
