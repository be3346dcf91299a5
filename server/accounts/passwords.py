"""Passwords of staff: made, hashed (Argon2id) and compared."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.accounts import tries
from server.accounts.delegation_rules import require_oneself
from server.accounts.documents import Account
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

HASHED_AT_ONCE = 2
"""Of one batch: each hash takes 64 MiB and a core, and others want to sign in meanwhile."""

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(2 * HASHED_AT_ONCE, thread_name_prefix="passwords")
"""Apart from those of other work, and few: a burst of sign-ins takes 256 MiB and no more."""
_NOBODYS_HASH = _hasher.hash(secrets.token_hex(16))
"""Verified when the username is unknown, so that an answer takes as long as for a known one."""


def new_password(fours: int = 4) -> str:
    """A first password: 16 characters of an alphabet without look-alikes, 79 bits; with six `fours` 24 characters, 118 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(fours))


def token_hash(token: str) -> str:
    """SHA-256 of a random token: nothing that can be guessed needs a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def hash_password(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def hash_passwords(passwords: Sequence[str]) -> list[str]:
    """The hashes in order, a few at a time. 200 take 10 to 20 seconds on two idle cores: never inside a transaction."""
    lanes = asyncio.Semaphore(HASHED_AT_ONCE)

    async def in_a_lane(password: str) -> str:
        async with lanes:
            return await hash_password(password)

    return list(await asyncio.gather(*map(in_a_lane, passwords)))


async def password_fits(account: Account | None, password: str) -> bool:
    stored = account.password_hash if account else _NOBODYS_HASH
    try:
        await asyncio.get_running_loop().run_in_executor(_threads, _hasher.verify, stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return account is not None


@transactional
async def note_refusal(unit: UnitOfWork, subject: str, failures: int) -> None:
    """An entry in the trail for a wrong password or code."""
    unit.audit("accounts:sign-in-refused", subject, failures=failures)


async def prove_own(platform: Platform, actor: Actor, account: Account, password: str, field: str) -> None:
    """Whoever sits at an open session says the password once more. Raises Invalid at `field`, AccountLocked, NotWhileStandingIn."""
    require_oneself(actor)
    counter = tries.of_own_password(platform, account)
    failures = await tries.begin(platform, counter)
    if not await password_fits(account, password):
        await note_refusal(platform, actor, account.id, failures)
        raise Invalid(fields=[FieldError(field, "当前密码不正确。")])
    await tries.take_back(platform, counter, failures)
