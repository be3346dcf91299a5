"""What an entry of the ledger seals of a certificate (article 18: 信息安全……数据准确): all that it says, and what its hours rest on.

Both digests are of documents as they are stored, so that the nightly check recounts them from rows that may say anything. The encrypted ID
number is in both: nobody without the key of the database guesses a number or a mark from a digest that is shown. What is empty is left
out: a field that comes with a later version changes no digest of before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from server.assessment import service as assessment
from server.attendance import work
from server.certificates.documents import Certificate
from server.kernel.audit import under_key
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.layouts.documents import Layout
from server.ledger.documents import Subject
from server.seals.service import SealImage

RESULT = (
    "passed",
    "reason",
    "marks",
    "formative_tenths",
    "summative_tenths",
    "total_tenths",
    "hours_attended",
    "hours_total",
    "attendance_ok",
)
"""What of a frozen result counts."""
SESSION = ("_id", "title", "course", "starts_at", "ends_at", "hours")
"""What of a session counts. Who taught it may be named later."""
NUMBERED = "certificate-numbered"
FIXED = ("_id", "institution_code", "province_code", "replaces", "issued_at", "issued_by")
"""What beside its words is fixed when a certificate gets its number."""
NONSENSE = (KeyError, TypeError, AttributeError, ValueError)
"""What a row raises in which somebody has put one thing in the place of another."""


def content_of(certificate: Row) -> str:
    """SHA-256 of all that a certificate says, by its row. Raises KeyError, TypeError for one that says nonsense."""
    printed = {name: value for name, value in certificate["printed"].items() if value not in (None, "")}
    whose = [certificate["class_id"], certificate["person_id"], certificate["token"]]
    return _digest("certificate", *whose, printed)


def basis_of(certificate: Row, result: Row | None, sessions: Iterable[Row]) -> str:
    """SHA-256 of the result and of the sessions that were over when a certificate got its number, in the order of their ids."""
    until = certificate["issued_at"]
    counted = sorted(
        (one for one in sessions if one["cancelled_at"] is None and one["ends_at"] <= until),
        key=lambda one: str(one["_id"]),
    )
    return _digest(
        "basis",
        certificate["token"],
        certificate["printed"]["id_number"],
        {name: result.get(name) for name in RESULT} if result else None,
        [{name: one.get(name) for name in SESSION} for one in counted],
    )


def numbered(platform: Platform, new: Certificate) -> Certificate:
    """With the mark of its number: who owns the database can neither put in a certificate that is signed, nor change one that waits."""
    return new.model_copy(update={"numbered": _mark_of(platform, new.to_mongo())})


def is_as_numbered(platform: Platform, row: Row) -> bool:
    """Whether a row says what it said when it got its number."""
    try:
        return hmac.compare_digest(str(row["numbered"]).encode(), _mark_of(platform, row).encode())
    except NONSENSE:
        return False


def _mark_of(platform: Platform, row: Row) -> str:
    return under_key(platform, NUMBERED, content_of(row), [row.get(name) for name in FIXED])


def look_of(layout: Layout | None, seal: SealImage | None) -> str:
    """SHA-256 of what a certificate is drawn with beside its words; empty for the program's own layout without a seal."""
    if layout is None and seal is None:
        return ""
    style = layout and layout.style.model_dump(mode="json", exclude_unset=True)  # as it is stored
    image = seal and hashlib.sha256(seal.content).hexdigest()
    return _digest(
        "look", layout and [layout.id, layout.version, style], seal and [seal.id, seal.media_type, image]
    )


async def subject_of(scope: Scope, certificate: Certificate) -> Subject:
    [subject] = await subjects_of(scope, [certificate])
    return subject


async def subjects_of(scope: Scope, certificates: Sequence[Certificate]) -> list[Subject]:
    """For several, mostly of one class: its results and sessions are read once."""
    bases = await rows_of_classes(scope, {one.class_id for one in certificates})
    return [
        subject_of_row(one.to_mongo(), bases[one.class_id], one.file.sha256 if one.file else "")
        for one in certificates
    ]


Basis = tuple[Mapping[str, Row], Sequence[Row]]
"""Of a class: results by person, and sessions."""


async def rows_of_classes(scope: Scope, class_ids: Iterable[str]) -> dict[str, Basis]:
    return {
        one: (await assessment.result_rows(scope, one), await work.session_rows(scope, one))
        for one in class_ids
    }


def subject_of_row(row: Row, basis: Basis, file: str) -> Subject:
    results, sessions = basis
    return Subject(
        certificate_id=row["_id"],
        institution_code=row["institution_code"],
        province_code=row["province_code"],
        serial=row["printed"]["serial"],
        number=row["printed"]["number"],
        content=content_of(row),
        sessions=basis_of(row, results.get(row["person_id"]), sessions),
        file=file,
    )


def _digest(*said: Any) -> str:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
    return hashlib.sha256(orjson.dumps(said, option=options, default=_plain)).hexdigest()


def _plain(value: Any) -> Any:
    """Encrypted values as base64; whatever else somebody may have put in the place of a word, by its looks."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)
