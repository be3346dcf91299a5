"""Signs a certificate's PDF so that any later change of it shows: PAdES, certified, no change permitted. Pure, for worker processes.

pyHanko holds the interpreter, so workers are processes; each keeps the loaded key, by what it is, and so pays for loading it once.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol, cast

from asn1crypto import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_cms import Signer as CmsSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from server.kernel.errors import Conflict
from server.seals import timestamps
from server.seals.external import SealService
from server.seals.inspecting import Integrity, inspect
from server.seals.timestamps import TimestampRefused

FIELD = "CertificateSeal"
"""The name of the signature's field, which readers show."""
DIGESTS: dict[int, tuple[str, hashes.HashAlgorithm]] = {
    256: ("sha256", hashes.SHA256()),
    384: ("sha384", hashes.SHA384()),
    521: ("sha512", hashes.SHA512()),
}
"""By the size of a curve; RSA takes the first."""
MOST_SIGNATURE = 139
"""Bytes of an ECDSA signature of P-521 in DER, and so of any of ours that is not RSA."""

SigningPrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeyUnusable(Conflict):
    """Stops issuing, never verifying."""

    slug = "signing-key-unusable"
    title = "签名密钥无法使用"
    default_detail = "签名密钥无法打开，暂不能核发证书；已核发的证书和查验不受影响。请在“印章与签名”中查看，必要时更换密钥。"


@dataclass(frozen=True)
class SigningMaterial:
    """What a worker process needs to sign for one institution. In memory only; `repr` leaves the key out."""

    key: bytes = field(repr=False)
    """PKCS#8, DER. Empty where a service of others signs."""
    chain: tuple[bytes, ...]
    """Certificates in DER, the signer's first."""
    own_key: bool
    """The institution's own; otherwise the platform's, which is evidence of integrity and no 电子印章."""
    signed_by: str
    """The subject of the signer's certificate, in words."""
    timestamp_url: str = ""
    service: SealService | None = None


@dataclass(frozen=True)
class Signed:
    pdf: bytes
    signed_at: datetime
    timestamped: bool
    """As read back from the signature: a timestamp authority has confirmed the moment (PAdES B-T, else B-B)."""


class Signer(Protocol):
    """Whoever can sign a PDF: a key of ours, or a seal service of others."""

    def sign(self, pdf: bytes, *, reason: str, place: str) -> Signed: ...


def sign(pdf: bytes, material: SigningMaterial, *, reason: str, place: str) -> Signed:
    """The PDF with a certifying signature added after its last byte. Raises KeyUnusable, SealServiceFailed."""
    return signer_of(material).sign(pdf, reason=reason, place=place)


@lru_cache(maxsize=64)
def signer_of(material: SigningMaterial) -> Signer:
    """Loaded once for each key in each process."""
    if material.service is not None:
        return _ServiceSigner(material.service)
    return _KeySigner(material)


class _KeySigner:
    """By a key in memory."""

    def __init__(self, material: SigningMaterial) -> None:
        try:
            key = serialization.load_der_private_key(material.key, None)
            chain = [x509.Certificate.load(one) for one in material.chain]
            self._cms = _LoadedKey(cast(SigningPrivateKey, key), chain)
        except (ValueError, TypeError, IndexError, KeyError) as error:
            raise KeyUnusable() from error
        self._timestamps = timestamps.authority_at(material.timestamp_url) if material.timestamp_url else None

    def sign(self, pdf: bytes, *, reason: str, place: str) -> Signed:
        if self._timestamps and self._timestamps.answers:
            try:
                return self._sign(pdf, reason, place, self._timestamps)
            except TimestampRefused:
                pass  # the certificate does not wait for it: its level says that it has none (server/decisions/0040)
        return self._sign(pdf, reason, place, None)

    def _sign(self, pdf: bytes, reason: str, place: str, authority: timestamps.Authority | None) -> Signed:
        described = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm=self._cms.digest,
            reason=reason,
            location=place,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            subfilter=fields.SigSeedSubFilter.PADES,
            tight_size_estimates=True,
        )
        out = io.BytesIO()
        at = datetime.now(UTC)
        try:
            signer = signers.PdfSigner(described, signer=self._cms, timestamper=authority)
            _to_its_end(signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out))
        except SigningError as error:
            raise KeyUnusable() from error
        signed = out.getvalue()
        return Signed(signed, at, authority is not None and inspect(signed).timestamped)


def _to_its_end(work: Coroutine[Any, Any, Any]) -> None:
    """Also where an event loop runs in this thread already: a test that needs no worker."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work).result()


class _LoadedKey(CmsSigner):
    """pyHanko's own signer for keys in memory reads an RSA key anew for each signature; this one keeps the object."""

    def __init__(self, key: SigningPrivateKey, chain: list[x509.Certificate]) -> None:
        others = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko's
        others.register_multiple(chain[1:])
        super().__init__(signing_cert=chain[0], cert_registry=others)
        self._key = key
        size = key.curve.key_size if isinstance(key, ec.EllipticCurvePrivateKey) else 256
        self.digest, self._hash = DIGESTS[size]

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return bytes(MOST_SIGNATURE) if dry_run else self._key.sign(data, ec.ECDSA(self._hash))
        return (
            bytes(self._key.key_size // 8)
            if dry_run
            else self._key.sign(data, padding.PKCS1v15(), self._hash)
        )


class _ServiceSigner:
    """By a seal service of others (电子印章系统): what comes back is looked at before it is believed."""

    def __init__(self, service: SealService) -> None:
        self._service = service

    def sign(self, pdf: bytes, *, reason: str, place: str) -> Signed:
        signed = self._service.sign(pdf, reason=reason, place=place)
        found = inspect(signed)
        if not signed.startswith(pdf) or found.integrity is not Integrity.INTACT:
            raise self._service.failed("返回的文件不是对原文件的完整签名")
        return Signed(signed, found.signed_at or datetime.now(UTC), found.timestamped)
