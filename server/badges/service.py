"""The holder fetches the certificate as a signed credential; anybody reads the key and the list of states that it is checked by."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey
from pymongo.errors import DuplicateKeyError

from server.badges import claims, store
from server.badges.claims import LIST_SIZE, Issuer
from server.badges.documents import BadgeEntry, BadgeKey
from server.certificates import service as certificates
from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.kernel import puzzles, sequences
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor, system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

ALGORITHM = "ES256"
LISTS_MOST = 1_000


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
    """Signed anew each time, with its place in the list of states kept. Raises NotFound, NotInForce."""
    found = await certificates.my_certificate(platform, actor, certificate_id)
    if not found.valid:
        raise NotInForce(
            f"这张证书的状态是“{found.status.label}”，不能领取数字凭证。如有疑问，请联系发证机构。"
        )
    place = await _place(platform, actor, found)
    [id_number] = await platform.vault.decrypt([found.printed.id_number])
    salt = _salt(platform, found, "number")
    key, issuer = await _signer(platform)
    said = claims.credential(
        issuer,
        found.printed,
        certificate_id=found.id,
        verify_url=verify_url(platform, found.token),
        identities=[
            claims.identity("name", found.printed.name, _salt(platform, found, "name"), told=True),
            claims.identity("ext:residentIdentityNumber", id_number, salt, told=False),
        ],
        place=place,
        now=platform.machine.now(),
    )
    return Signed(_sign(key, issuer, said), salt, issuer.did)


async def did_document(platform: Platform) -> dict[str, Any]:
    """Whoever checks a credential finds the key here."""
    key, issuer = await _signer(platform)
    return claims.did_document(issuer, key.as_dict(private=False))


async def status_list(platform: Platform, number: int) -> str:
    """A list as it stands now: what was revoked a moment ago is in it. Raises NotFound for a list that has nobody in it yet."""
    first = (number - 1) * LIST_SIZE
    if not 1 <= number <= LISTS_MOST or (number > 1 and not await store.reaches(platform, first)):
        raise NotFound("没有这份状态列表。")
    ended = await certificates.not_in_force(platform)
    places = await store.places_of(platform, ended, first, first + LIST_SIZE)
    key, issuer = await _signer(platform)
    return _sign(key, issuer, claims.status_list(issuer, number, places, platform.machine.now()))


# ---- places and key


async def _place(platform: Platform, actor: Actor, found: Certificate) -> int:
    kept = await store.entry(platform, found.id)
    return kept.place if kept else await _enter(platform, actor, found.id)


@transactional
async def _enter(unit: UnitOfWork, certificate_id: str) -> int:
    """Two phones of one person at once: both write the sequence, and the later one finds what the first has entered."""
    if kept := await store.entry(unit, certificate_id):
        unit.nothing_written()
        return kept.place
    place = await sequences.take(unit, "credential-status", 1, last=LISTS_MOST * LIST_SIZE) - 1
    await store.insert_entry(unit, BadgeEntry(id=certificate_id, place=place, at=unit.now))
    unit.audit("certificates:issue-credential", certificate_id, place=place)
    return place


def _salt(platform: Platform, found: Certificate, of: str) -> str:
    """The same at each fetch, and known to nobody who does not know our secret."""
    said = f"{of}\n{found.token}".encode()
    return hmac.digest(puzzles.secret(platform, "salt of a credential"), said, "sha256").hex()[:32]


async def _signer(platform: Platform) -> tuple[ECKey, Issuer]:
    kept = await store.key(platform, ALGORITHM)
    if kept is None:
        try:
            await _make_key(platform, system("badges"))
        except DuplicateKeyError:
            pass  # another server was first
        kept = await store.key(platform, ALGORITHM)
        assert kept is not None
    [opened] = await platform.vault.decrypt([kept.sealed])
    key = ECKey.import_key(orjson.loads(opened))
    return key, Issuer(platform.settings.home, key.thumbprint())


@transactional
async def _make_key(unit: UnitOfWork) -> None:
    private = ECKey.generate_key("P-256").as_dict(private=True)
    [sealed] = await unit.platform.vault.encrypt_random([orjson.dumps(private).decode()])
    await store.insert_key(unit, BadgeKey(id=ALGORITHM, sealed=sealed, made_at=unit.now))
    unit.audit("certificates:make-credential-key", ALGORITHM)


def _sign(key: ECKey, issuer: Issuer, said: dict[str, Any]) -> str:
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT", "kid": issuer.method}, said, key)
