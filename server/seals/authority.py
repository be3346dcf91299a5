"""The platform's own authority: a P-256 key made once, kept encrypted, that vouches for keys which sign where an institution has none.

What it proves is that a file is as the platform issued it. It is no 电子印章 in the sense of the law, and each of its certificates says
whose it is. All of it is machine time (server/decisions/0040).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo.errors import DuplicateKeyError

from server.kernel.errors import NotFound
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.seals import sealing, store
from server.seals.documents import SigningAuthority
from server.seals.signer import KeyUnusable

PLATFORM = "技工院校工学一体化教师培训管理服务平台"
AUTHORITY_YEARS = timedelta(days=20 * 365)
CERTIFICATE_LIFE = timedelta(days=3 * 365)
RENEWED_BEFORE = timedelta(days=90)
"""So early another takes the place of a certificate, and so early before its certificates the authority itself."""
CLOCKS_APART = timedelta(days=1)
NAME_MOST = 57
"""Characters: an X.509 name has room for 64, and says whose the certificate is."""
_DER, _PEM = serialization.Encoding.DER, serialization.Encoding.PEM


@dataclass(frozen=True)
class Authority:
    certificate_pem: str
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_pem.encode())

    def sign(self, data: bytes) -> bytes:
        """ECDSA with SHA-256, in DER."""
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))

    def issue(self, institution: str, now: datetime) -> tuple[bytes, list[bytes]]:
        """A new key for an institution: PKCS#8, and its certificate and ours in DER."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"{institution[:NAME_MOST]}（平台代签）")
        certificate = _certificate(
            name, self.certificate.subject, key.public_key(), self._key, now, now + CERTIFICATE_LIFE
        )
        chain = [certificate.public_bytes(_DER), self.certificate.public_bytes(_DER)]
        return _pkcs8(key), chain


async def authority(platform: Platform) -> Authority:
    """The one that issues now; made at the first need, and again before it is too old to issue. Raises KeyUnusable."""
    found = await store.authorities(platform)
    if found and found[0].valid_to > platform.machine.now() + CERTIFICATE_LIFE + RENEWED_BEFORE:
        return await _opened(platform, found[0])
    key, certificate = _founded(platform.machine.now())
    new_id = f"{len(found) + 1:04d}"
    new = SigningAuthority(
        id=new_id,
        key=await sealing.seal(platform, new_id, key),
        certificate=certificate.public_bytes(_PEM).decode(),
        valid_to=certificate.not_valid_after_utc,
        made_at=platform.machine.now(),
    )
    try:
        await _keep(platform, system("signing-authority"), new)
    except DuplicateKeyError:  # another process was first
        return await _opened(platform, (await store.authorities(platform))[0])
    return await _opened(platform, new)


async def certificates(platform: Platform) -> str:
    """All that the platform's authority ever had, the newest first, in PEM: for whoever checks a file without us. Raises NotFound before
    anything was signed."""
    found = await ours(platform)
    if not found:
        raise NotFound("平台还没有代签过证书，因此还没有 CA 证书。")
    return "".join(found)


async def ours(platform: Platform) -> list[str]:
    """The certificates of those whose key is ours, in PEM: who owns the database can put any other beside them, but can seal no key."""
    opened = []
    for one in await store.authorities(platform):
        with contextlib.suppress(KeyUnusable):
            opened.append((await _opened(platform, one)).certificate_pem)
    return opened


@transactional
async def _keep(unit: UnitOfWork, new: SigningAuthority) -> None:
    await store.insert_authority(unit, new)
    unit.audit("seals:found-authority", "signing-authority", until=new.valid_to.date().isoformat())


async def _opened(platform: Platform, kept: SigningAuthority) -> Authority:
    key = serialization.load_der_private_key(await sealing.opened(platform, kept.id, kept.key), None)
    found = Authority(kept.certificate, key)  # type: ignore[arg-type]  # what we made is of a curve
    if found.certificate.public_key() != key.public_key():
        raise KeyUnusable()
    return found


def _founded(now: datetime) -> tuple[bytes, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("培训合格证书完整性证明机构")
    certificate = _certificate(name, name, key.public_key(), key, now, now + AUTHORITY_YEARS, authority=True)
    return _pkcs8(key), certificate


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, PLATFORM),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    now: datetime,
    ends: datetime,
    *,
    authority: bool = False,
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_APART)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
