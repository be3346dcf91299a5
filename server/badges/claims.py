"""A certificate in the words of Open Badges 3.0 and of Bitstring Status List v1.0. Pure.

What stands in a credential stands on the paper (article 17), but of the ID number nothing: a hash of it beside its salt would be worked
out in a second, for whoever knows the last four digits has some hundred numbers left to try.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from server.certificates.documents import Printed
from server.kernel.clock import BEIJING

LIST_SIZE = 131_072
"""Places of one list: the least that the specification allows, and more than an institution has 序列号."""
_CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


@dataclass(frozen=True)
class Issuer:
    """The platform as it signs credentials."""

    home: str
    key_id: str

    @property
    def did(self) -> str:
        """did:web of the host at which the platform is public; a port is percent-encoded."""
        return f"did:web:{quote(urlsplit(self.home).netloc, safe='.-')}"

    @property
    def method(self) -> str:
        return f"{self.did}#{self.key_id}"

    def list_address(self, institution_code: str) -> str:
        """Of the states of what an institution has issued."""
        return f"{self.home}/credentials/status/{institution_code}"


def did_document(issuer: Issuer, public_key: dict[str, Any]) -> dict[str, Any]:
    """What did:web resolves to (DID Core 1.0)."""
    method = {
        "id": issuer.method,
        "type": "JsonWebKey2020",
        "controller": issuer.did,
        "publicKeyJwk": public_key,
    }
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": issuer.did,
        "verificationMethod": [method],
        "assertionMethod": [issuer.method],
    }


def credential(
    issuer: Issuer,
    printed: Printed,
    *,
    certificate_id: str,
    verify_url: str,
    identities: list[dict[str, Any]],
    listed: str,
    place: int,
    now: datetime,
) -> dict[str, Any]:
    """The claims of the signed credential: itself, and those that a JWT names its own way (OB 3.0, 8.2.4)."""
    name = f"urn:uuid:{uuid5(NAMESPACE_URL, f'{issuer.home}/certificates/{certificate_id}')}"
    since = _moment(printed.issued_on)
    index = str(place)
    return {
        "@context": [_CREDENTIALS, _BADGES],
        "id": name,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "工学一体化教师培训合格证书",
        "issuer": {
            "id": issuer.did,
            "type": ["Profile"],
            "name": "技工院校工学一体化教师培训管理服务平台",
            "url": issuer.home,
        },
        "validFrom": _written(since),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": identities,
            "licenseNumber": printed.number,
            "activityStartDate": _written(_moment(printed.training_from)),
            "activityEndDate": _written(_moment(printed.training_to)),
            "creditsEarned": float(printed.class_hours),
            "achievement": _achievement(issuer, printed),
            "result": [{"type": ["Result"], "value": printed.result}],
        },
        "evidence": [{"id": verify_url, "type": ["Evidence"], "name": f"证书序列号 {printed.serial}"}],
        "credentialStatus": {
            "id": f"{listed}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": index,
            "statusListCredential": listed,
        },
        "iss": issuer.did,
        "jti": name,
        "nbf": int(since.timestamp()),
        "iat": int(now.timestamp()),
    }


def _achievement(issuer: Issuer, printed: Printed) -> dict[str, Any]:
    what = f"{printed.issuer} {printed.level.value} {printed.major} {'、'.join(printed.courses)}"
    return {
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{issuer.home}/achievements/{what}')}",
        "type": ["Achievement"],
        "achievementType": "CertificateOfCompletion",
        "name": printed.level.training,
        "description": f"{printed.major}：{'、'.join(printed.courses)}，{printed.class_hours} 课时",
        "fieldOfStudy": printed.major,
        "creditsAvailable": float(printed.class_hours),
        "criteria": {"narrative": "按《技工院校工学一体化教师培训管理指南（试行）》完成培训，考核合格。"},
        "creator": {
            "id": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{issuer.home}/institutions/{printed.issuer}')}",
            "type": ["Profile"],
            "name": printed.issuer,
        },
        "inLanguage": "zh-CN",
    }


def identity(kind: str, value: str, salt: str, *, told: bool) -> dict[str, Any]:
    """An IdentityObject; the salt stands in it where it is `told`, and otherwise the holder has it."""
    hashed = hashlib.sha256(f"{value}{salt}".encode()).hexdigest()
    found = {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${hashed}",
        "identityType": kind,
    }
    return found | ({"salt": salt} if told else {})


def status_list(issuer: Issuer, address: str, ended: Iterable[int], now: datetime) -> dict[str, Any]:
    """The claims of a signed list: a bit for each place, 1 for what does not count any more."""
    return {
        "@context": [_CREDENTIALS],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.did,
        "validFrom": _written(now),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded(ended),
            "ttl": 300_000,
        },
        "iss": issuer.did,
        "jti": address,
        "nbf": int(now.timestamp()),
        "iat": int(now.timestamp()),
    }


def encoded(places: Iterable[int]) -> str:
    """The first bit is the highest of the first byte; gzip, then multibase base64url."""
    bits = bytearray(LIST_SIZE // 8)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    return f"u{base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).decode().rstrip('=')}"


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
