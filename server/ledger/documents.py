"""An entry of the ledger, and the root that is signed over all of them each day."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from server.kernel.chain import Chain
from server.kernel.mongo import Document, Row
from server.kernel.titled import Titled


class EntryKind(Titled):
    """What can happen to a certificate (article 18 (1): 打印、核发、登记、补发……)."""

    ISSUED = "ISSUED", "核发"
    PRINTED = "PRINTED", "打印"
    HANDED_OVER = "HANDED_OVER", "领取"
    TAKEN = "TAKEN", "存档下载"
    """By its issuer, as a file: for the archive, or to be sent."""
    FETCHED = "FETCHED", "本人下载"
    MAILED = "MAILED", "邮寄"
    CONFIRMED = "CONFIRMED", "本人确认收到"
    LOST = "LOST", "挂失"
    REISSUED = "REISSUED", "补发"
    REPLACED = "REPLACED", "换发"
    REVOKED = "REVOKED", "撤销"
    VOID = "VOID", "号码作废"
    """No certificate could be made under it."""
    CORRECTED = "CORRECTED", "更正登记"
    """Another entry was wrong; both stay."""


ENDING = frozenset({EntryKind.REISSUED, EntryKind.REPLACED, EntryKind.REVOKED, EntryKind.VOID})
"""With such an entry a certificate ceases to be valid: it stands with the one that was, not with the new one."""
STANDING = frozenset({EntryKind.ISSUED, *ENDING})
"""What decides whether a certificate is valid: of these a proof is given to the public. Who printed or fetched it concerns nobody else."""


@dataclass(frozen=True)
class Subject:
    """The certificate of an entry, as it is at that moment."""

    certificate_id: str
    institution_code: str
    province_code: str
    serial: str
    number: str
    content: str
    """SHA-256 over all that the certificate says (certificates.sealed)."""
    sessions: str
    """SHA-256 over the result and the sessions that it rests on."""
    file: str = ""
    """SHA-256 of the stored file; empty for one of before files were kept."""


class LedgerEntry(Document):
    """One line of the ledger. Nothing of it is ever changed but its place in the chain, once."""

    at: datetime
    kind: EntryKind
    actor_id: str
    actor_name: str
    actor_kind: str
    certificate_id: str
    institution_code: str
    province_code: str
    serial: str
    number: str
    content: str
    sessions: str
    file: str
    facts: dict[str, str | int]
    late: bool
    """补录: entered afterwards, for a certificate of before there was a ledger."""
    sealed: bool = False
    mark: str
    position: int | None = None
    seal: str | None = None

    @property
    def by(self) -> str:
        """Who did it: also of what was entered afterwards, or when the platform had signed it. A person is always its holder, and two may
        have one name."""
        if self.actor_kind == "person":
            return "持证人本人"
        return str(self.facts.get("by") or self.facts.get("issued_by") or self.actor_name)

    @property
    def words(self) -> str:
        """What else is said of it. An entry 补发 or 换发 stands with the certificate that ceased to be valid."""
        instead = f"本证作废，由序列号 {self.facts['serial']} 代替" if "serial" in self.facts else ""
        return "；".join(
            filter(None, ["补录" if self.late else "", instead, str(self.facts.get("reason", ""))])
        )


SAID = tuple(
    name if name != "id" else "_id"
    for name in LedgerEntry.model_fields
    if name not in ("sealed", "mark", "position", "seal")
)
"""What of an entry is sealed."""
CHAIN = Chain("ledger", "证书台账链", SAID, "ledger-entry", "ledger")


def leaf_of(entry: Row) -> bytes:
    """The leaf of an entry in the tree of the signed root: canonical JSON that may be shown to anybody.

    Who acted is in it by the seal only, which commits to the whole entry; what the certificate says, by digests.
    """
    leaf: dict[str, Any] = {
        "position": entry["position"],
        "kind": entry["kind"],
        "at": entry["at"],
        "serial": entry["serial"],
        "number": entry["number"],
        "content": entry["content"],
        "sessions": entry["sessions"],
        "file": entry["file"],
        "seal": entry["seal"],
    }
    return orjson.dumps(leaf, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


class SignedRoot(BaseModel):
    """The root of the ledger at the end of a day, as it is published."""

    model_config = ConfigDict(frozen=True)

    day: str
    size: int
    """Entries that it covers, from the first on."""
    root: str
    """Hexadecimal, RFC 9162 section 2.1."""
    statement: str
    """The very text that is signed: JSON with day, size and root."""
    signature: str
    """Base64 of ECDSA with SHA-256 (DER) over the statement in UTF-8."""
    certificate: str
    """PEM of the authority that has signed."""


class LedgerRoot(Document):
    """`id` is the day in Beijing. Kept for good."""

    size: int
    root: str
    statement: str
    signature: str
    certificate: str
    signed_at: datetime

    @property
    def published(self) -> SignedRoot:
        return SignedRoot(day=self.id, **self.model_dump(exclude={"id", "signed_at"}))

    @property
    def key(self) -> str:
        """The fingerprint of the authority's certificate, as people compare it."""
        body = self.certificate.split("-----")[2]
        return hashlib.sha256(base64.b64decode("".join(body.split()))).hexdigest()


class InclusionProof(BaseModel):
    """That an entry stands in the ledger over which a root is signed. Whoever has it can check it without the platform."""

    model_config = ConfigDict(frozen=True)

    kind: str
    """What the entry says, in Chinese."""
    at: datetime
    leaf: str
    """The very text of the leaf."""
    index: int
    """From nought."""
    path: list[str]
    """Hexadecimal, from the leaf upwards."""
    signed_root: SignedRoot


class ConsistencyProof(BaseModel):
    """That one signed ledger begins with the whole of an earlier one: nothing was changed or taken out since."""

    model_config = ConfigDict(frozen=True)

    earlier: SignedRoot
    later: SignedRoot
    path: list[str]
