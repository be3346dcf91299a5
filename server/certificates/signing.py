"""From the number to the certificate: those that wait (待签) are drawn, signed and stored; then, in one transaction, they are valid.

What is signed is what was written with the number, as its mark says, and no word that somebody has put in since.

Each step may be cut off. A certificate keeps its number, and names each file that is begun for it: the next run names its own, removes
what there is of the others, and begins again. Of two runs at once, the later makes it valid, the other takes its own file back.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from gridfs.errors import CorruptGridFile

from server.backbone import service as backbone
from server.certificates import agreement, findings, reconcile, sealed, store
from server.certificates.documents import MOST_ATTEMPTS, Certificate, CertificateStatus, IssuedFile
from server.certificates.press import press
from server.certificates.render import RenderFailed, Sheet
from server.certificates.sheets import sheet_of, sheets_of
from server.certificates.workshop import Order, workshop
from server.kernel import offices
from server.kernel.errors import Conflict, NotFound, Problem
from server.kernel.identity import system
from server.kernel.offices import Said, Topic
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.seals import service as seals
from server.seals.signer import KeyUnusable, Signed, SigningMaterial

log = logging.getLogger("platform.certificates")

SIGNER = system("certificates")
PARCEL = 200
"""Certificates that are fetched together."""
FIRST_PAUSE = timedelta(seconds=10)
"""Until a certificate that failed is tried again; four times as long after each further time."""
REMOVED_AT_ONCE = 1_000


@dataclass
class _Parcel:
    """What several certificates that are fetched together share."""

    platform: Platform
    bases: dict[str, sealed.Basis]
    """By class: its frozen results and its sessions."""
    materials: dict[str, SigningMaterial | Problem]
    """By institution; or why nothing can be signed for it."""
    sheets: dict[str, Sheet]
    """By certificate; none when there is one among them that cannot be printed as it was issued."""

    @classmethod
    async def of(cls, platform: Platform, waiting: Sequence[Certificate]) -> _Parcel:
        bases = await sealed.rows_of_classes(platform, {one.class_id for one in waiting})
        codes = {one.institution_code for one in waiting}
        materials = {code: await _material(platform, code) for code in codes}
        try:
            sheets = await sheets_of(platform, waiting)
        except RenderFailed:
            sheets = []
        return cls(
            platform, bases, materials, {one.id: each for one, each in zip(waiting, sheets, strict=False)}
        )

    async def sheet(self, one: Certificate) -> Sheet:
        return self.sheets.get(one.id) or await sheet_of(self.platform, one)

    def material(self, one: Certificate) -> SigningMaterial:
        found = self.materials[one.institution_code]
        if isinstance(found, Problem):
            raise found
        return found


async def _material(platform: Platform, institution_code: str) -> SigningMaterial | Problem:
    try:
        return await seals.material(platform, institution_code)
    except KeyUnusable as refusal:
        return refusal


async def sign_waiting(platform: Platform) -> Counts:
    """Draws, signs and stores whatever waits to be signed, the oldest first."""
    counts: Counter[str] = Counter()
    while rows := await store.waiting(platform, platform.machine.now(), PARCEL):
        waiting = []
        for row in rows:
            if sealed.is_as_numbered(platform, row):
                waiting.append(Certificate.from_mongo(row))
            else:
                counts[await _refuse(platform, SIGNER, row["_id"])] += 1
        parcel = await _Parcel.of(platform, waiting)
        hands = asyncio.Semaphore(workshop(platform).at_once)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_in_turn(hands, parcel, one)) for one in waiting]
        counts.update(task.result() for task in tasks)
    return counts


async def _in_turn(hands: asyncio.Semaphore, parcel: _Parcel, one: Certificate) -> str:
    """What became of it, in a word."""
    async with hands:
        try:
            material = parcel.material(one)
            order = Order(await parcel.sheet(one), material)
            return await _keep(parcel, one, material, await workshop(parcel.platform).make(order))
        except NotAsNumbered:
            return await _refuse(parcel.platform, SIGNER, one.id)
        except Problem as refusal:
            why = refusal.detail
        except Exception as error:
            log.exception("a certificate was not made", extra={"certificate": one.id})
            why = f"制作时出错（{type(error).__name__}），详情见服务器日志。"
        await _note_failure(parcel.platform, SIGNER, one.id, why)
        return "没有制成"


async def _keep(parcel: _Parcel, one: Certificate, material: SigningMaterial, made: Signed) -> str:
    platform = parcel.platform
    file = platform.files.create(f"{one.printed.number}.pdf", {"certificate_id": one.id})
    left_behind = await store.begin_file(platform, one.id, file.id)
    if left_behind is not None:
        for other in left_behind:
            await platform.files.delete(other)
        await file.write(made.pdf)
        await file.close()
        kept = IssuedFile(
            file_id=file.id,
            size=len(made.pdf),
            sha256=hashlib.sha256(made.pdf).hexdigest(),
            signed_at=made.signed_at,
            signed_by=material.signed_by,
            own_key=material.own_key,
            timestamped=made.timestamped,
        )
        if await _make_valid(platform, SIGNER, one, kept, parcel.bases[one.class_id]):
            return "制成证书"
        await platform.files.delete(file.id)
    return "已由别处制成"


@transactional
async def _make_valid(unit: UnitOfWork, drawn: Certificate, file: IssuedFile, basis: sealed.Basis) -> bool:
    """False when it waits no more, or another run is writing another file for it. Raises NotAsNumbered where it does not say any more
    what was drawn, or was entered before."""
    row = await store.row(unit, drawn.id)
    if (
        row is None
        or row["status"] != CertificateStatus.PENDING
        or row.get("drafts", [])[-1:] != [file.file_id]
    ):
        unit.nothing_written()
        return False
    if row.get("numbered") != drawn.numbered or not sealed.is_as_numbered(unit.platform, row):
        raise NotAsNumbered()
    if await ledger.rows_of(unit, [drawn.id]):
        raise NotAsNumbered()
    waiting = Certificate.from_mongo(row)
    if waiting.replaces is not None:
        await _stand_back(unit, waiting)
    one = await store.sign(unit, drawn.id, file)
    assert one is not None  # read in this transaction
    subject = sealed.subject_of_row(one.to_mongo(), basis, file.sha256)
    await ledger.record(unit, EntryKind.ISSUED, subject, issued_by=one.issued_by)
    unit.notify(
        one.person_id,
        "certificate-issued",
        certificate_id=one.id,
        class_name=one.printed.class_name,
        number=one.printed.number,
        issuer=one.printed.issuer,
    )
    unit.audit("certificates:sign", one.id, number=one.printed.number)
    return True


async def _stand_back(unit: UnitOfWork, new: Certificate) -> None:
    """The old one stays as it is until this moment; one that was revoked stays revoked."""
    assert new.replaces is not None
    old = await store.by_id(unit, new.replaces)
    assert old is not None
    status = old.status
    if old.valid:
        reissued = bool(new.printed.mark)
        status = CertificateStatus.REISSUED if reissued else CertificateStatus.REPLACED
        kind = EntryKind.REISSUED if reissued else EntryKind.REPLACED
        subject = await sealed.subject_of(unit, old)
        await ledger.record(
            unit, kind, subject, number=new.printed.number, serial=new.printed.serial, issued_by=new.issued_by
        )
        if new.printed.number != old.printed.number:
            await backbone.follow_certificate(unit, old.person_id, old.printed.number, new.printed.number)
    await store.stand_back(unit, old.id, for_=new, at=unit.now, status=status)


class NotAsNumbered(Conflict):
    slug = "certificate-not-as-numbered"
    title = "待签证书与取号时不符"
    default_detail = (
        "待签的内容不是平台取号时写下的，没有签名。请到“台账核查”查明原因；这个号码可以作废，再另行核发。"
    )


@transactional
async def _refuse(unit: UnitOfWork, row_id: str) -> str:
    """It is not tried again until somebody says so; the institution is told, and it stands among what 台账核查 shows."""
    row = await store.refuse(unit, row_id, NotAsNumbered.default_detail)
    if row is None:
        unit.nothing_written()
        return "已由别处制成"
    code, entries = str(row.get("institution_code")), await ledger.rows_of(unit, [row_id])
    found = list(agreement.wrong_with(unit.platform, row, entries))
    log.error("a certificate that waits is not as it was numbered", extra={"certificate": str(row_id)})
    if await findings.note(unit, code, found):
        words = f"证书 {agreement.number_of(row)} 没有签名：{NotAsNumbered.default_detail}"
        unit.tell(Said(offices.institution(code), Topic.FAILED, words, reconcile.PAGE))
    unit.audit("certificates:fail", str(row_id), number=agreement.number_of(row), attempts=MOST_ATTEMPTS)
    return "不予签名"


@transactional
async def _note_failure(unit: UnitOfWork, certificate_id: str, why: str) -> None:
    before = await store.by_id(unit, certificate_id)
    pause = FIRST_PAUSE * 4 ** (before.attempts if before else 0)
    again_at = unit.platform.machine.now() + pause
    one = await store.note_failure(unit, certificate_id, why, again_at)
    if one is None:
        return unit.nothing_written()
    unit.audit("certificates:fail", one.id, number=one.printed.number, attempts=one.attempts)
    if one.given_up:
        words = f"{one.printed.class_name}的证书 {one.printed.number} 没有制成：{why}处理后请在证书页上重试。"
        href = f"/admin/classes/{one.class_id}/certificates"
        unit.tell(Said(offices.institution(one.institution_code), Topic.FAILED, words, href))
    return None


async def remove_abandoned_files(platform: Platform) -> Counts:
    """Removes what killed runs have left of files for certificates that do not wait any more."""
    found = await store.abandoned_files(platform, REMOVED_AT_ONCE)
    for certificate_id, file_ids in found:
        for file_id in file_ids:
            await platform.files.delete(file_id)
        await store.forget_files(platform, certificate_id, file_ids)
    return {"清理中断的证书文件": len(found)}


# ---- what was issued is what is handed out


class FileNotAsIssued(RenderFailed):
    slug = "certificate-file-not-as-issued"
    title = "证书文件读不到"
    default_detail = "这张证书的文件不在，或与核发时不一致，不能提供。请联系平台管理员从备份中恢复。"


async def issued_pdf(platform: Platform, one: Certificate) -> bytes:
    """The file as it was signed, byte for byte; a certificate of before files were kept is drawn.

    Raises FileNotAsIssued, RenderFailed, Unavailable.
    """
    if one.file is None:
        return await press().pdf(await sheet_of(platform, one))
    try:
        kept = b"".join([chunk async for chunk in platform.files.read(one.file.file_id)])
    except (NotFound, CorruptGridFile):
        raise FileNotAsIssued() from None
    if hashlib.sha256(kept).hexdigest() != one.file.sha256:
        raise FileNotAsIssued()
    return kept
