"""What the signature of a PDF proves, worked out from its bytes alone: pure, for a process of its own.

Whether the signer is one of ours is for the caller, who knows our certificates.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSStructuralError, extract_certificate_info, extract_signer_info
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from server.kernel.errors import FileUnreadable
from server.kernel.titled import Titled

MOST_SIGNATURES = 20


class Integrity(Titled):
    INTACT = "INTACT", "签名完好，内容未被改动"
    CHANGED = "CHANGED", "签名后内容被改动"
    APPENDED = "APPENDED", "签名后追加了内容"
    UNSIGNED = "UNSIGNED", "没有数字签名"


@dataclass(frozen=True)
class Inspected:
    integrity: Integrity
    certificate: bytes = b""
    """The first signer's, DER; empty where nothing is signed."""
    others: tuple[bytes, ...] = ()
    """Certificates that came along."""
    signer: str = ""
    """Its subject, in words."""
    signed_at: datetime | None = None
    """As the signer states it; as the timestamp does, where there is one."""
    timestamped: bool = False


def inspect(content: bytes) -> Inspected:
    """Raises FileUnreadable where it is no PDF that can be judged."""
    if b"%PDF-" not in content[:1024]:
        raise FileUnreadable("这不是 PDF 文件。请上传证书的 PDF 原件（不是照片、截图或扫描件）。")
    try:
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        if reader.encrypted:
            raise FileUnreadable("这个 PDF 设有密码或加密，无法核验。平台核发的证书不加密，请上传原件。")
        found = reader.embedded_regular_signatures
        if len(found) > MOST_SIGNATURES:
            raise FileUnreadable("这个 PDF 的签名太多，不是平台核发的证书。")
        return _judged(found)
    except FileUnreadable:
        raise
    except (
        PdfError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        RecursionError,
        OSError,
        AssertionError,
    ):
        # a broken file breaks its reader in many ways
        raise FileUnreadable(
            "这个 PDF 已损坏或不合规范，无法核验，不能当作完好的证书。请上传从平台下载的原件。"
        ) from None


def _judged(found: list[EmbeddedPdfSignature]) -> Inspected:
    if not found:
        return Inspected(Integrity.UNSIGNED)
    first = found[0]
    if not all(_holds(one) for one in found):
        integrity = Integrity.CHANGED
    elif first.evaluate_signature_coverage() is SignatureCoverageLevel.ENTIRE_FILE:
        integrity = Integrity.INTACT
    else:
        integrity = Integrity.APPENDED
    certificate: x509.Certificate = first.signer_cert
    stamped = _timestamp(first)
    return Inspected(
        integrity,
        certificate.dump(),
        tuple(one.dump() for one in first.other_embedded_certs),
        in_words(certificate),
        stamped or first.self_reported_timestamp,
        stamped is not None,
    )


def _holds(one: EmbeddedPdfSignature) -> bool:
    """Whether the signed bytes are what was signed, by whom it says. Trust is another question."""
    try:
        intact, valid = validate_sig_integrity(one.signer_info, one.signer_cert, "data", one.compute_digest())
    except (SignatureValidationError, CMSStructuralError):
        return False
    return intact and valid


def _timestamp(one: EmbeddedPdfSignature) -> datetime | None:
    """The moment of a timestamp of this very signature. Whether its authority is to be trusted is another question."""
    for token in _tokens(one.signer_info):
        held = token["encap_content_info"]["content"]
        stated = held.parsed
        imprint, signer = stated["message_imprint"], extract_signer_info(token)
        same = _digest(imprint["hash_algorithm"]["algorithm"].native, one.signer_info["signature"].native)
        digest = _digest(signer["digest_algorithm"]["algorithm"].native, bytes(held))
        try:
            certificate = extract_certificate_info(token).signer_cert
            holds = validate_sig_integrity(signer, certificate, "tst_info", digest)
        except (SignatureValidationError, CMSStructuralError):
            continue
        if all(holds) and same == imprint["hashed_message"].native:
            moment: datetime = stated["gen_time"].native
            return moment
    return None


def _tokens(signer: cms.SignerInfo) -> list[cms.SignedData]:
    return [
        token["content"]
        for attribute in signer["unsigned_attrs"] or ()
        if attribute["type"].native == "signature_time_stamp_token"
        for token in attribute["values"]
    ]


def _digest(algorithm: str, content: bytes) -> bytes:
    return hashlib.new(algorithm.replace("_", "-"), content).digest()


def in_words(certificate: x509.Certificate) -> str:
    """Whom a certificate names: the common name, with the organisation where that is another."""
    named = certificate.subject.native
    common, organisation = str(named.get("common_name", "")), str(named.get("organization_name", ""))
    if not common or not organisation or organisation in common:
        return common or organisation or certificate.subject.human_friendly
    return f"{common}（{organisation}）"
