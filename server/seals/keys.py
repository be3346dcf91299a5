"""The keys that sign the certificates of an institution: its own, uploaded once and never shown again, or one that the platform issues."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from asn1crypto import x509
from pymongo.errors import DuplicateKeyError

from server.institutions import service as institutions
from server.kernel.identity import system
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.seals import sealing, store
from server.seals.authority import RENEWED_BEFORE, authority
from server.seals.documents import KeyOrigin, KeyState, SigningKey
from server.seals.inspecting import in_words
from server.seals.signer import KeyUnusable

PLATFORM_SIGNS = system("platform-signing")


async def opened(platform: Platform, key: SigningKey) -> bytes:
    """The private key, PKCS#8 in DER. Raises KeyUnusable where it has ended or cannot be opened."""
    if platform.machine.now() >= key.valid_to:
        raise KeyUnusable(
            f"本机构的签名证书已于 {key.valid_to:%Y-%m-%d} 到期，暂不能核发证书；已核发的证书和查验不受影响。"
            "请在“印章与签名”中上传续期后的证书，或停用它，由平台代签。"
        )
    return await sealing.opened(platform, key.id, key.key)


# ---- what the platform issues


async def of_platform(platform: Platform, institution_code: str) -> SigningKey:
    """The key by which the platform signs for an institution that has none of its own; made at the first need and renewed in time."""
    found = await store.current_key(platform, institution_code, KeyOrigin.PLATFORM)
    if found and not ends_soon(platform, found, RENEWED_BEFORE):
        return found
    institution = await institutions.institution(platform, PLATFORM_SIGNS, institution_code)
    now = platform.machine.now()
    key, chain, ends = (await authority(platform)).issue(institution.name, now)
    row = new_id()
    certificate = x509.Certificate.load(chain[0])
    new = SigningKey(
        id=row,
        institution_code=institution.id,
        province_code=institution.province_code,
        institution_name=institution.name,
        origin=KeyOrigin.PLATFORM,
        key=await sealing.seal(platform, row, key),
        chain=chain,
        fingerprint=hashlib.sha256(chain[0]).hexdigest(),
        subject=in_words(certificate),
        issuer=in_words(x509.Certificate.load(chain[1])),
        algorithm="EC secp256r1",
        valid_from=certificate["tbs_certificate"]["validity"]["not_before"].native,
        valid_to=ends,
        made_at=now,
        made_by=PLATFORM_SIGNS.name,
    )
    try:
        await _issue(platform, PLATFORM_SIGNS, new, found)
    except DuplicateKeyError:  # another process was first
        return await of_platform(platform, institution_code)
    return new


@transactional
async def _issue(unit: UnitOfWork, new: SigningKey, before: SigningKey | None) -> None:
    if before:
        await _end(unit, before, KeyState.REPLACED, "临近到期，平台续签")
    await store.insert_key(unit, new)
    unit.audit(
        "seals:issue-certificate", new.institution_code, key=new.id, until=new.valid_to.date().isoformat()
    )


async def _end(unit: UnitOfWork, key: SigningKey, state: KeyState, reason: str) -> bool:
    """Puts a key out of force for good: the private part is forgotten, the certificate stays. False when it was already."""
    changes = {
        "key": None,
        "state": state,
        "current": False,
        "ended_at": unit.platform.machine.now(),
        "ended_by": unit.actor.name,
        "reason": reason,
    }
    return await store.change_key(unit, key, changes)


def ends_soon(platform: Platform, key: SigningKey, early: timedelta) -> bool:
    return key.valid_to <= platform.machine.now() + early
