"""WeChat's face verification (人脸核身): what is sent about a person's card, and what counts as passed.

Source: `getVerifyId` and `queryVerifyInfo` of WeChat's server API. It is an option beside others, never the only way
(人脸识别技术应用安全管理办法, article 10: another way must be offered to who does not want it).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

CERT_TYPE = "IDENTITY_CARD"
FACE_PASSED = 10000
"""The only verify_ret that means: the living person on the phone is the one of this card."""


@dataclass(frozen=True)
class CertInfo:
    """Name and ID number of the card, in clear and in memory only."""

    name: str = field(repr=False)
    number: str = field(repr=False)

    def to_json(self) -> dict[str, str]:
        return {"cert_type": CERT_TYPE, "cert_name": self.name, "cert_no": self.number}


@dataclass(frozen=True)
class FaceSession:
    """A verification that the phone may begin with `wx.requestFacialVerify`, for so long."""

    verify_id: str
    expires_in: timedelta


def cert_hash(cert: CertInfo) -> str:
    """SHA-256 over the fields in the order of their names, each value in base64: what proves that who asks knows the card."""
    pairs = sorted(cert.to_json().items())
    joined = "&".join(f"{name}={base64.b64encode(value.encode()).decode()}" for name, value in pairs)
    return hashlib.sha256(joined.encode()).hexdigest()
