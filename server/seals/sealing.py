"""Private keys at rest: under a data key of their own (kernel.encryption), each bound to the row that it is of."""

from __future__ import annotations

import base64
import hmac

from bson.binary import Binary
from pymongo.errors import EncryptionError

from server.kernel.platform import Platform
from server.seals.signer import KeyUnusable


async def seal(platform: Platform, row: str, key: bytes) -> Binary:
    [sealed] = await platform.vault.encrypt_secrets([f"{row}:{base64.b64encode(key).decode()}"])
    return sealed


async def opened(platform: Platform, row: str, sealed: Binary | None) -> bytes:
    """Raises KeyUnusable, also for the key of another row."""
    if sealed is None:
        raise KeyUnusable()
    try:
        [text] = await platform.vault.decrypt([sealed])
        of, _, key = text.partition(":")
        if not hmac.compare_digest(of, row):
            raise KeyUnusable()
        return base64.b64decode(key, validate=True)
    except (EncryptionError, ValueError, TypeError) as error:
        raise KeyUnusable() from error
