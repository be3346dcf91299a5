"""Whether a certificate says what its ledger sealed: asked before one is confirmed, handed out or replaced (article 18: 防伪).

Whoever can write into the database can change a row, or put one in. The entries that decide whether a certificate is valid carry a mark
under a key that is not there: what is told of a certificate is what they say, or that it is being looked into. Nothing is read here but
documents; the stored file is compared by its digest, and read through when it is handed out, and each night (recount.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from pymongo.errors import DuplicateKeyError

from server.certificates import findings, sealed, store
from server.certificates.documents import Certificate, CertificateStatus
from server.certificates.findings import Finding, FindingKind
from server.kernel.errors import Conflict
from server.kernel.identity import system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import ENDING, STANDING, EntryKind

log = logging.getLogger("platform.certificates")

JOB = system("certificates")


class CertificateInDoubt(Conflict):
    slug = "certificate-in-doubt"
    title = "证书记录与台账不符"
    default_detail = (
        "这张证书的记录与台账不符，正在核查，暂不能作为依据，也不能打印、下载或办理。请联系发证机构。"
    )


async def in_doubt(scope: Scope, found: Sequence[Certificate]) -> dict[str, list[Finding]]:
    """By id, of those that do not agree with what was entered, what is wrong."""
    ids = [one.id for one in found]
    rows = await store.rows(scope, ids)
    entries = await entries_of(scope, ids, deciding=True)
    wrong = {one: list(wrong_with(scope.platform, row, entries.get(one, []))) for one, row in rows.items()}
    gone = {
        one: [Finding(FindingKind.NO_CERTIFICATE, one, "库中已没有这张证书。")]
        for one in ids
        if one not in rows
    }
    return gone | {one: what for one, what in wrong.items() if what}


async def doubted(platform: Platform, found: Sequence[Certificate]) -> set[str]:
    """The ids of those; at one moment, for what was done between two readings is no doubt. They are at once among what 台账核查 shows."""
    wrong = await in_doubt(platform, found)
    if not wrong:
        return set()
    again = [one for one in found if one.id in wrong]
    try:
        return await _look_again(platform, JOB, again)
    except DuplicateKeyError:  # somebody else asks at this moment, and has noted it
        return set(await in_doubt(platform, again))


async def require_agreed(platform: Platform, found: Sequence[Certificate]) -> None:
    """Raises CertificateInDoubt, which names those of several."""
    if wrong := await doubted(platform, found):
        numbers = "、".join(one.printed.number for one in found if one.id in wrong)
        several = f"其中证书 {numbers} 的记录与台账不符，正在核查，核查清楚以前不能打印。其余证书请逐张下载。"
        raise CertificateInDoubt(several) if len(found) > 1 else CertificateInDoubt()


@transactional
async def _look_again(unit: UnitOfWork, found: Sequence[Certificate]) -> set[str]:
    wrong = await in_doubt(unit, found)
    noted = 0
    for one in found:
        if one.id in wrong:
            log.error("certificate %s does not agree with the ledger", one.id)
            noted += await findings.note(unit, one.institution_code, wrong[one.id])
    if not noted:
        unit.nothing_written()
    return set(wrong)


async def entries_of(
    scope: Scope, certificate_ids: Sequence[str], *, deciding: bool = False
) -> dict[str, list[Row]]:
    """By certificate, oldest first; those only that decide whether one is valid, or all."""
    by_certificate: dict[str, list[Row]] = {}
    for entry in await ledger.rows_of(scope, certificate_ids, STANDING if deciding else None):
        by_certificate.setdefault(entry["certificate_id"], []).append(entry)
    return by_certificate


# ---- the comparison, without I/O: rows may say anything


def wrong_with(platform: Platform, row: Row, entries: Sequence[Row]) -> Iterator[Finding]:
    """What of a certificate its entries do not say."""

    def finding(kind: FindingKind, what: str) -> Finding:
        return Finding(kind, str(row["_id"]), f"证书编号 {number_of(row)}：{what}")

    if not all(ledger.is_ours(platform, one) for one in entries):
        yield finding(FindingKind.ENTRY, "它在台账中的记录被改动过。")
    issued, status = issued_by(row, entries), row.get("status")
    if status == CertificateStatus.PENDING:
        if any(one.get("kind") in STANDING for one in entries):
            yield finding(FindingKind.STATUS, "台账已记核发或撤销，证书却是“待签”。")
        if not sealed.is_as_numbered(platform, row):
            words = "待签的内容不是平台取号时写下的，不予签名。请核对这个编号是怎样来的，查明后作废它。"
            yield finding(FindingKind.NUMBERED, words)
        return
    if issued is None:
        yield finding(FindingKind.NO_ENTRY, "库中有这张证书，台账没有它的核发记录。")
        return
    if not _same(row, issued):
        words = "内容（姓名、身份证号、课时、考核结果等）与核发时封存的不同，请与纸质证书或签名文件核对。"
        yield finding(FindingKind.CONTENT, words)
    if words := _status_differs(row, entries):
        yield finding(FindingKind.STATUS, words)
    if file_of(row) != issued.get("file"):
        yield finding(FindingKind.FILE, "登记的文件不是核发时的那一份。")


def issued_by(row: Row, entries: Sequence[Row]) -> Row | None:
    """The entry that says what was issued; where no certificate could be made and its number was given up, the one that says so."""
    by_kind = {str(one.get("kind")): one for one in reversed(entries)}
    given_up = row.get("status") == CertificateStatus.VOID and not file_of(row)
    return by_kind.get(EntryKind.ISSUED) or (by_kind.get(EntryKind.VOID) if given_up else None)


def _status_differs(row: Row, entries: Sequence[Row]) -> str:
    """Why a certificate does not stand as its ledger says, in words."""
    status, ended = row.get("status"), [one for one in entries if one.get("kind") in ENDING]
    expected = str(ended[-1]["kind"]) if ended else CertificateStatus.VALID
    if status != expected or (row.get("current") is True) is not (status == CertificateStatus.VALID):
        return f"按台账应为“{CertificateStatus(expected).label}”，库中不是。"
    if status in (CertificateStatus.REVOKED, CertificateStatus.VOID):
        facts = ended[-1].get("facts")
        if not isinstance(facts, dict) or facts.get("reason") != (row.get("revoke_reason") or ""):
            return "撤销、作废的理由与台账记下的不同。"
    return ""


def _same(row: Row, issued: Row) -> bool:
    try:
        content = sealed.content_of(row)
        codes = (
            row["institution_code"],
            row["province_code"],
            row["printed"]["serial"],
            row["printed"]["number"],
        )
    except sealed.NONSENSE:
        return False
    entered = tuple(issued.get(name) for name in ("institution_code", "province_code", "serial", "number"))
    return (content, codes) == (issued.get("content"), entered)


def number_of(row: Row) -> str:
    printed = row.get("printed")
    return str(printed.get("number")) if isinstance(printed, dict) else ""


def file_of(row: Row) -> str:
    file = row.get("file")
    return str(file.get("sha256")) if isinstance(file, dict) else ""
