"""The seal that an institution puts on its certificates, and what is needed to sign them."""

from __future__ import annotations

from dataclasses import dataclass

from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.seals import keys, store
from server.seals.authority import Authority, authority, certificates
from server.seals.checker import PdfCheck, check_pdf
from server.seals.documents import KeyOrigin, Seal
from server.seals.external import SealService
from server.seals.signer import KeyUnusable, Signed, SigningMaterial, sign

__all__ = [
    "Authority",
    "KeyUnusable",
    "PdfCheck",
    "SealImage",
    "Signed",
    "SigningMaterial",
    "authority",
    "certificates",
    "check_pdf",
    "material",
    "seal_in_force",
    "seal_of_version",
    "sign",
    "unusable",
]


@dataclass(frozen=True)
class SealImage:
    id: str
    """Of this version, for what is printed with it."""
    content: bytes
    media_type: str


async def seal_in_force(scope: Scope, institution_code: str) -> SealImage | None:
    """None: what is issued now is 未盖章."""
    return _image(await store.in_force(scope, institution_code))


async def seal_of_version(scope: Scope, seal_id: str) -> SealImage | None:
    """The version that something was printed with, whatever became of it since."""
    return _image(await store.seal(scope, seal_id))


def _image(found: Seal | None) -> SealImage | None:
    return SealImage(found.id, found.content, found.media_type) if found else None


async def unusable(platform: Platform, institution_code: str) -> str:
    """Why nothing can be signed for it now, in words; empty when it can: the platform's own key is made at the first need."""
    key = await store.current_key(platform, institution_code, KeyOrigin.OWN)
    return await keys.usable(platform, key) if key and not platform.settings.seal_service_url else ""


async def material(platform: Platform, institution_code: str) -> SigningMaterial:
    """What a worker signs with for this institution: a seal service of others where one is set, else its own key, else one that the
    platform issues for it. Raises KeyUnusable where that cannot be used: no other takes its place in silence."""
    settings = platform.settings
    if settings.seal_service_url:
        service = SealService(
            settings.seal_service_url, settings.seal_service_token.get_secret_value(), institution_code
        )
        return SigningMaterial(b"", (), True, "外部电子印章服务", service=service)
    key = await store.current_key(platform, institution_code, KeyOrigin.OWN)
    if key is None:
        key = await keys.of_platform(platform, institution_code)
    return SigningMaterial(
        await keys.opened(platform, key), tuple(key.chain), key.own, key.signer, settings.timestamp_url
    )
