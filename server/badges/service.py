"""The holder fetches the certificate as a signed credential; anybody reads the key and the list of states that it is checked by.

Nothing is kept of either: the key comes from a secret, and a certificate's place in the list of its institution from its 序列号.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from server.badges import claims
from server.badges.claims import Issuer
from server.certificates import service as certificates
from server.certificates.agreement import require_agreed
from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.certificates.rules import parse_serial
from server.institutions import service as institutions
from server.kernel import puzzles
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform

ALGORITHM = "ES256"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (FIPS 186-5)."""


class NotInForce(Conflict):
    slug = "certificate-not-in-force"
    title = "证书现在不是有效状态"


@dataclass(frozen=True)
class Signed:
    """A credential, and what opens the hash of the ID number in it: only for whom the holder shows the identity card."""

    credential: str
    identity_salt: str
    did: str


async def my_credential(platform: Platform, actor: Actor, certificate_id: str) -> Signed:
    """Signed anew each time. Raises NotFound, NotInForce, CertificateInDoubt."""
    found = await certificates.my_certificate(platform, actor, certificate_id)
    if not found.valid:
        raise NotInForce(
            f"这张证书的状态是“{found.status.label}”，不能领取数字凭证。如有疑问，请联系发证机构。"
        )
    await require_agreed(platform, [found])
    [id_number] = await platform.vault.decrypt([found.printed.id_number])
    salt = _salt(platform, found, "number")
    key, issuer = _signer(platform)
    said = claims.credential(
        issuer,
        found.printed,
        certificate_id=found.id,
        verify_url=verify_url(platform, found.token),
        identities=[
            claims.identity("name", found.printed.name, _salt(platform, found, "name"), told=True),
            claims.identity("ext:residentIdentityNumber", id_number, salt, told=False),
        ],
        listed=issuer.list_address(found.institution_code),
        place=parse_serial(found.printed.serial).order,
        now=platform.machine.now(),
    )
    return Signed(_sign(key, issuer, said), salt, issuer.did)


async def did_document(platform: Platform) -> dict[str, Any]:
    """Whoever checks a credential finds the key here."""
    key, issuer = _signer(platform)
    return claims.did_document(issuer, key.as_dict(private=False))


async def status_list(platform: Platform, institution_code: str) -> str:
    """The list of an institution as it stands now: what was revoked a moment ago is in it. Raises NotFound for no institution."""
    if await institutions.numbered(platform, institution_code) is None:
        raise NotFound("没有这份状态列表。")
    ended = await certificates.not_in_force(platform, institution_code)
    places = [parse_serial(serial).order for serial in ended]
    key, issuer = _signer(platform)
    address = issuer.list_address(institution_code)
    return _sign(key, issuer, claims.status_list(issuer, address, places, platform.machine.now()))


def _salt(platform: Platform, found: Certificate, of: str) -> str:
    """The same at each fetch, and known to nobody who does not know our secret."""
    said = f"{of}\n{found.token}".encode()
    return hmac.digest(puzzles.secret(platform, "salt of a credential"), said, "sha256").hex()[:32]


def _signer(platform: Platform) -> tuple[ECKey, Issuer]:
    key = _key(platform.settings.trail_secret.get_secret_value())
    return key, Issuer(platform.settings.home, key.thumbprint())


@cache
def _key(secret: str) -> ECKey:
    """Of the secret that seals the trail: it is kept as long as the platform is, and is in no database."""
    drawn = HKDF(SHA256(), 48, None, b"credentials ES256").derive(secret.encode())
    private = derive_private_key(int.from_bytes(drawn, "big") % (_ORDER - 1) + 1, SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ECKey.import_key(pem)


def _sign(key: ECKey, issuer: Issuer, said: dict[str, Any]) -> str:
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT", "kid": issuer.method}, said, key)
