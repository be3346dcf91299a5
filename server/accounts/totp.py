"""One-time codes by time (TOTP, RFC 6238), as authenticator apps make them: SHA-1, 6 digits, 30 seconds.

Pure. The library is `cryptography`; `server/decisions/0010-two-steps-to-sign-in.md` says why.
"""

import base64
import hmac
import re
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
"""The length that RFC 4226 section 4 recommends."""
DRIFT_STEPS = 1
"""A phone's clock may be so many steps before or behind ours (RFC 6238 section 5.2)."""
ISSUER = "工学一体化平台"

_CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """A secret in Base32 (RFC 4648), as it is typed into an app: 32 characters."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def step_at(now: datetime) -> int:
    """The number of the time step since 1970 that `now` falls into."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """The code that the app shows in that step."""
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def step_of(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The step whose code this is: at most one off from now, and later than `last_step`, for a code serves once. Else None."""
    if not _CODE.fullmatch(code):
        return None
    present = step_at(now)
    fitting = [
        step
        for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1)
        if hmac.compare_digest(code_at(secret, step), code)
    ]
    return next((step for step in fitting if step > last_step), None)


def enrolment_uri(secret: str, username: str) -> str:
    """What the QR code says to an app (Key Uri Format)."""
    return _totp(secret).get_provisioning_uri(username, ISSUER)


def normalise(typed: str) -> str:
    """`typed` without the spaces that apps show between the digits, in half-width digits and small letters."""
    half_width = typed.translate({wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)})
    return "".join(half_width.split()).lower()


def _totp(secret: str) -> TOTP:
    # SHA-1 is what every app knows; as an HMAC it is sound (RFC 6238 section 1.2, RFC 6151).
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303
