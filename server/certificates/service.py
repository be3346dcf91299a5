"""Certificates once they are issued: the ledger of staff, one's own, and their sheets as PDF and PNG (article 18).

Issuing and revoking are `issue`, the public's questions are `verify`.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from server.certificates import sealed, store
from server.certificates.agreement import require_agreed
from server.certificates.documents import Certificate, CertificateStatus, LedgerFilter
from server.certificates.press import bound, press
from server.certificates.render import RenderFailed
from server.certificates.sheets import sheet_of
from server.certificates.signing import issued_pdf
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.institutions.rules import Level
from server.kernel.clock import BEIJING
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, State
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as entries
from server.ledger.documents import EntryKind

KEEP_A_NUMBER = 20
"""As many certificates as one number is looked for among: a 补发 keeps it."""
Draw = Callable[[Platform, Certificate], Awaitable[bytes]]


class CertificateRevoked(Conflict):
    slug = "certificate-revoked"
    title = "证书已撤销"
    default_detail = "这张证书已经撤销，不能再打印。如有疑问，请联系发证机构。"


class CertificateNotReady(Conflict):
    slug = "certificate-not-ready"
    title = "证书正在制作"
    default_detail = "这张证书已经取号，正在制作和签名，完成后即可打印，并会通知本人。请稍后再试。"


class CertificateSuperseded(Conflict):
    slug = "certificate-superseded"
    title = "证书已由新证书代替"
    default_detail = "这张证书已补发或换发，不再有效。请下载代替它的新证书。"


class NumberGivenUp(Conflict):
    slug = "certificate-number-void"
    title = "号码已作废"
    default_detail = "这个号码没有制成证书，已经作废，不能打印。"


REFUSALS: Mapping[CertificateStatus, type[Conflict]] = {
    CertificateStatus.PENDING: CertificateNotReady,
    CertificateStatus.REVOKED: CertificateRevoked,
    CertificateStatus.REISSUED: CertificateSuperseded,
    CertificateStatus.REPLACED: CertificateSuperseded,
    CertificateStatus.VOID: NumberGivenUp,
}
"""What is not valid is not handed out."""


def require_valid(found: Certificate) -> None:
    """Raises one of REFUSALS."""
    if not found.valid:
        raise REFUSALS[found.status]()


class NothingToPrint(Conflict):
    slug = "nothing-to-print"
    title = "没有可以打印的证书"
    default_detail = "本班还没有制作完成的证书，或已核发的证书都已撤销。"


@dataclass(frozen=True)
class Sheet:
    """A drawn certificate and the name under which it is saved."""

    file_name: str
    content: bytes


# ---- staff


async def ledger(
    platform: Platform, actor: Actor, narrowed: LedgerFilter, *, before: str | None = None, limit: int = 50
) -> list[Certificate]:
    """The certificates in the actor's jurisdiction, newest first."""
    return await store.ledger(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def count(platform: Platform, actor: Actor) -> int:
    """How many certificates were issued in the actor's jurisdiction, revoked ones included."""
    return await store.count(platform, actor.jurisdiction)


async def tally(platform: Platform, actor: Actor, year: int, by: object) -> list[tuple[str, str, int]]:
    """How many were issued in a year in the actor's jurisdiction, by `by` and status."""
    return await store.tally(platform, actor.jurisdiction, year, by)


async def certificate(scope: Scope, actor: Actor, certificate_id: str) -> Certificate:
    """A certificate in a staff actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, certificate_id)
    if found is None:
        raise NotFound("没有这张证书，或不在您的管理范围内。")
    return found


async def staff_pdf(platform: Platform, actor: Actor, certificate_id: str) -> Sheet:
    """The file as it was issued, with the whole ID number: the look is noted. Raises NotFound, RenderFailed, and one of REFUSALS."""
    found = await certificate(platform, actor, certificate_id)
    return await _look(platform, actor, found, issued_pdf, "pdf")


async def class_archive(platform: Platform, actor: Actor, class_id: str) -> Download:
    """All valid certificates of a class as a zip of their files, read and sent one by one: the look is noted once, with how many.

    Raises NotFound, NothingToPrint. A file that is not there is named in a text file inside.
    """
    training_class, valid = await _to_print(platform, actor, class_id)
    facts = {"certificates": len(valid)}
    await _note(platform, actor, "certificates:print-class", class_id, facts, valid, EntryKind.TAKEN)
    return Download(f"{training_class.name}证书.zip", "application/zip", None, _zipped(platform, valid))


async def class_book(platform: Platform, actor: Actor, class_id: str) -> Download:
    """Their pages as one PDF for the printer, in the order of the serials: a copy, for signatures do not outlive being bound together.

    Raises NotFound, NothingToPrint, RenderFailed, Unavailable.
    """
    training_class, valid = await _to_print(platform, actor, class_id)
    pages = [await issued_pdf(platform, one) for one in valid]
    copy = await asyncio.to_thread(bound, pages, f"{training_class.name}证书（打印用）")
    await note_print(platform, actor, class_id, valid)
    return Download.of(f"{training_class.name}证书（打印用）.pdf", "application/pdf", copy)


async def _to_print(
    platform: Platform, actor: Actor, class_id: str
) -> tuple[TrainingClass, list[Certificate]]:
    training_class = await classes.get_class(platform, actor, class_id)
    of_class = await store.of_class(platform, class_id)
    valid = [one for one in of_class.values() if one.valid]
    if not valid:
        raise NothingToPrint()
    await require_agreed(platform, valid)
    return training_class, sorted(valid, key=lambda one: one.printed.serial)


async def note_print(platform: Platform, actor: Actor, class_id: str, taken: Sequence[Certificate]) -> None:
    facts = {"certificates": len(taken)}
    await _note(platform, actor, "certificates:print-class", class_id, facts, taken, EntryKind.PRINTED)


async def holders(scope: Scope, person_ids: Sequence[str], level: Level, major_name: str) -> set[str]:
    """Those of these people who hold a valid certificate of this level and 专业大类 already: a second one makes reviewers think."""
    return await store.holders(scope, person_ids, level.value, major_name)


async def of_class(scope: Scope, class_id: str) -> dict[str, Certificate]:
    """By person, for a class that the caller has fetched already; revoked ones too."""
    return await store.of_class(scope, class_id)


async def printed_on(scope: Scope, certificate_ids: Sequence[str]) -> dict[str, Certificate]:
    """By id, of certificates that the caller's own documents hold."""
    rows = await store.rows(scope, certificate_ids)
    return {one: Certificate.from_mongo(row) for one, row in rows.items()}


async def of_person(scope: Scope, actor: Actor, person_id: str, *, limit: int) -> list[Certificate]:
    """Those that the actor's reach has issued to somebody, newest first, revoked ones included."""
    return await store.of_person(scope, person_id, actor.jurisdiction.filter(), before=None, limit=limit)


async def valid_one(scope: Scope, id_number: Binary, number: str, level: Level) -> bool:
    """Whether there is a valid certificate of this number and level under this (encrypted) ID number."""
    found = await store.matching(scope, name=None, id_number=id_number, number=number, limit=KEEP_A_NUMBER)
    return any(one.status is CertificateStatus.VALID and one.printed.level is level for one in found)


async def numbered(scope: Scope, number: str) -> str | None:
    """The id of the newest certificate of this number."""
    return await store.numbered(scope, number)


async def not_in_force(scope: Scope, institution_code: str) -> list[str]:
    """The 序列号 of those that were revoked, or have another in their place: few of many."""
    return await store.not_in_force(scope, institution_code)


async def needed(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people who hold a certificate, revoked ones included: what was issued is never forgotten (article 18)."""
    return await store.people_with_certificates(scope, person_ids)


# ---- one's own


async def my_certificates(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[Certificate]:
    """Newest first; a revoked one stays in the list."""
    return await store.of_person(platform, actor.person_id, actor.reach.filter(), before=before, limit=limit)


async def my_certificate(scope: Scope, actor: Actor, certificate_id: str) -> Certificate:
    """Raises NotFound for anybody else's."""
    found = await store.one_of_person(scope, actor.person_id, actor.reach.filter(), certificate_id)
    if found is None:
        raise NotFound("没有这张证书。")
    return found


async def my_pdf(platform: Platform, actor: Actor, certificate_id: str) -> Sheet:
    """The file as it was issued. Raises NotFound, RenderFailed, and one of REFUSALS."""
    found = await my_certificate(platform, actor, certificate_id)
    return await _look(platform, actor, found, issued_pdf, "pdf")


async def my_png(platform: Platform, actor: Actor, certificate_id: str) -> Sheet:
    found = await my_certificate(platform, actor, certificate_id)
    return await _look(platform, actor, found, _png, "png")


async def my_image(platform: Platform, actor: Actor, certificate_id: str) -> Sheet:
    """A JPEG as wide as phones show it."""
    found = await my_certificate(platform, actor, certificate_id)
    return await _look(platform, actor, found, _jpeg, "jpg")


# ---- sheets


async def _look(platform: Platform, actor: Actor, found: Certificate, draw: Draw, suffix: str) -> Sheet:
    require_valid(found)
    await require_agreed(platform, [found])
    drawn = await draw(platform, found)
    noted = "certificates:print", found.id, {"number": found.printed.number}, [found]
    try:
        await _note(platform, actor, *noted)
    except DuplicateKeyError:  # another look at this moment was the first of the day
        await _note(platform, actor, *noted)
    return Sheet(f"{found.printed.number}.{suffix}", drawn)


async def _png(platform: Platform, found: Certificate) -> bytes:
    return await press().png(await sheet_of(platform, found))


async def _jpeg(platform: Platform, found: Certificate) -> bytes:
    return await press().jpeg(await sheet_of(platform, found))


@transactional
async def _note(
    unit: UnitOfWork,
    action: str,
    subject: str,
    facts: Mapping[str, str | int],
    taken: Sequence[Certificate] = (),
    kind: EntryKind = EntryKind.TAKEN,
) -> None:
    """In the trail, that whole ID numbers were shown; in the ledger, of each certificate that was taken along (流向清晰, article 18): by
    its issuer as a file, unless it was for the printer."""
    unit.audit(action, subject, **facts)
    subjects = await sealed.subjects_of(unit, taken)
    if unit.actor.kind == "person":
        for one in subjects:
            await entries.record_fetched(unit, one)
    else:
        await entries.record_several(unit, kind, [(one, {}) for one in subjects])


async def _zipped(platform: Platform, certificates: Sequence[Certificate]) -> AsyncIterator[bytes]:
    chunks = _Chunks()
    missing = []
    with zipfile.ZipFile(chunks, "w") as archive:  # stored: a PDF is compressed already
        for one in certificates:
            try:
                sheet = await issued_pdf(platform, one)
            except RenderFailed as refusal:
                missing.append(f"{one.printed.number} {one.printed.name}：{refusal.detail}")
                continue
            archive.writestr(_entry(f"{one.printed.number}-{one.printed.name}.pdf", one.issued_at), sheet)
            yield chunks.take()
        if missing:
            archive.writestr("未能生成的证书.txt", "\r\n".join(missing))
    yield chunks.take()


def _entry(name: str, moment: datetime) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, moment.astimezone(BEIJING).timetuple()[:6])


class _Chunks(io.RawIOBase):
    """Where a zip is written that goes out at once: what is taken is forgotten. It cannot be rewound, and zipfile copes with that."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # any buffer; zipfile gives bytes
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """证书: due once the results are released, done with the first that was issued (article 16)."""
    of_class = await store.of_class(platform, training_class.id)
    issued = [one for one in of_class.values() if not one.pending]
    first = min(issued, key=lambda one: one.issued_at, default=None)
    due: State = "current" if training_class.results_released_at else "todo"
    return [
        LifeStep(
            "证书",
            "done" if issued else due,
            first.issued_by if first else "",
            first.issued_at if first else None,
            f"/admin/classes/{training_class.id}/certificates",
            f"{sum(one.current for one in issued)} 张" if issued else "",
        )
    ]
