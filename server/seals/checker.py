"""Whether a PDF that somebody brings is intact and signed by one of ours (article 18: 证书查询、鉴别)."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from server.kernel import hostile
from server.kernel.errors import FileUnreadable
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.seals import inspecting, sealing, store
from server.seals.documents import KeyState, SigningKey
from server.seals.inspecting import Inspected, Integrity
from server.seals.signer import KeyUnusable

MOST_BYTES = 10 * 1024 * 1024

hostile.reads_here(inspecting.__name__)


@dataclass(frozen=True)
class PdfCheck:
    sha256: str
    """Of the whole file, hexadecimal: whether it is the very file that was issued is for who keeps those."""
    integrity: Integrity
    signer: str = ""
    """In words; empty where nothing is signed."""
    signed_at: datetime | None = None
    """As the signer states it, or the timestamp where there is one."""
    timestamped: bool = False
    ours: bool = False
    """Signed by a key that signs, or signed, for the platform."""
    own_key: bool = False
    """Of ours: the institution's own; otherwise the platform signed for it."""
    institution_code: str = ""
    """Of ours: whose key it is."""
    withdrawn: bool = False
    """Of ours: the key was put out of use by its institution."""

    @property
    def intact(self) -> bool:
        """As one of ours signed it."""
        return self.ours and self.integrity is Integrity.INTACT

    @property
    def words(self) -> str:
        if self.integrity is Integrity.UNSIGNED:
            return "这个 PDF 没有数字签名，无法据此判断真伪。请用证书编号查询，或上传从平台下载的原件。"
        if self.integrity is Integrity.CHANGED:
            return "这个 PDF 在签名以后被改动过，不是签发时的内容，请勿采信。"
        if self.integrity is Integrity.APPENDED:
            return "这个 PDF 在签名以后被追加了内容，显示的可能不是签发时的内容，请勿采信。"
        if not self.ours:
            return f"这个 PDF 由“{self.signer}”签名，不是本平台登记的密钥，不能证明是本平台核发的证书。"
        late = "该密钥后来已停用，请同时核对证书的状态。" if self.withdrawn else ""
        return f"签名完好，自签发以来未被改动，由“{self.signer}”签名。{late}"


async def check_pdf(platform: Platform, content: bytes, whom: str = "") -> PdfCheck:
    """`whom`: who asks (kernel.hostile.whose), who has one file read at a time.

    Raises FileUnreadable for what is no PDF, encrypted, damaged, too large or too slow to read; Unavailable where too many wait.
    """
    if len(content) > MOST_BYTES:
        raise FileUnreadable(
            f"文件超过 {MOST_BYTES // 1024 // 1024} MB。平台核发的证书不到 1 MB，请上传原件。"
        )
    found = await hostile.read_apart(
        platform,
        whom or new_id(),
        partial(inspecting.inspect, content),
        otherwise="请上传从平台下载的证书原件，不要上传转换或合并过的文件。",
    )
    sha256 = (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
    key = await _key_of(platform, found)
    return PdfCheck(
        sha256,
        found.integrity,
        key.signer if key else found.signer,
        found.signed_at,
        found.timestamped,
        key is not None or _of_the_service(platform, found),
        key.own if key else False,
        key.institution_code if key else "",
        key is not None and key.state is KeyState.WITHDRAWN,
    )


async def _key_of(platform: Platform, found: Inspected) -> SigningKey | None:
    """The key of ours that signed it, where our row says so that we wrote."""
    if not found.certificate:
        return None
    fingerprint = hashlib.sha256(found.certificate)
    key = await store.key_of_certificate(platform, fingerprint.hexdigest())
    with suppress(KeyUnusable):
        if key and await sealing.opened(platform, key.id, key.vouched) == fingerprint.digest():
            return key
    return None


def _of_the_service(platform: Platform, found: Inspected) -> bool:
    """Whether the seal service of others signed it, whose authority the operator has named."""
    named = platform.settings.seal_service_authorities
    if named is None or not found.certificate:
        return False
    try:
        trusted = x509.load_pem_x509_certificates(named.read_bytes())
        signer, *between = map(x509.load_der_x509_certificate, (found.certificate, *found.others))
    except (OSError, ValueError):
        return False
    known = [*trusted, *(one for one in between if any(_issued(one, root) for root in trusted))]
    return any(_issued(signer, one) for one in known)


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
