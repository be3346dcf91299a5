"""Passwords of staff: made, hashed (Argon2id) and compared, and what happens to an account at which somebody guesses."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.accounts import store
from server.accounts.documents import Account
from server.kernel.errors import Problem
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

HASHED_AT_ONCE = 2
"""Of one batch: each hash takes 64 MiB and a core, and others want to sign in meanwhile."""

_hasher = PasswordHasher()
_NOBODYS_HASH = _hasher.hash(secrets.token_hex(16))
"""Verified when the username is unknown, so that an answer takes as long as for a known one."""


class AccountLocked(Problem):
    status = 429
    slug = "account-locked"
    title = "账号已暂时锁定"


def new_password() -> str:
    """A first password: 16 characters of an alphabet without look-alikes, 79 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def token_hash(token: str) -> str:
    """SHA-256 of a random token: nothing that can be guessed needs a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


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
        await asyncio.to_thread(_hasher.verify, stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return account is not None


def require_unlocked(locked_until: datetime | None, now: datetime) -> None:
    """Raises AccountLocked after too many wrong passwords or codes in a row."""
    if locked_until and locked_until > now:
        minutes = math.ceil((locked_until - now) / timedelta(minutes=1))
        raise AccountLocked(f"密码或验证码连续输错次数过多，请 {minutes} 分钟后再试，或请管理人员重置密码。")


async def begin_try(platform: Platform, account: Account | None, username: str) -> int:
    """Counts a try at a password before it is looked at; returns the count. Raises AccountLocked.

    After the look would be too late: who sends a thousand guesses at the same moment would have all of them looked at. A username
    that nobody has is counted and locked alike, under its hash, for what was typed there may be a password.
    """
    now, most = platform.machine.now(), platform.settings.lockout_failures
    until = now + timedelta(minutes=platform.settings.lockout_minutes)
    if account:
        require_unlocked(account.locked_until, now)
        count = await store.begin_try(platform, account.id, most, until, now)
    else:
        nobody = token_hash(username)
        require_unlocked(await store.lock_of_nobody(platform, nobody), now)
        count = await store.begin_try_at_nobody(platform, nobody, most, until, now)
    if count is None:  # others were faster
        require_unlocked(until, now)
    assert count is not None
    return count


async def end_try(platform: Platform, account: Account) -> None:
    """The password was right: the try does not count."""
    await store.end_try(platform, account)


@transactional
async def note_refusal(unit: UnitOfWork, account_id: str, failures: int) -> None:
    """An entry in the trail for a wrong password that `begin_try` has counted."""
    unit.audit("accounts:sign-in-refused", account_id, failures=failures)


@transactional
async def record_failure(unit: UnitOfWork, account_id: str) -> None:
    """Counts a wrong code; too many in a row lock the account for a while."""
    settings = unit.platform.settings
    now = unit.platform.machine.now()
    until = now + timedelta(minutes=settings.lockout_minutes)
    failures = await store.count_failure(unit, account_id, settings.lockout_failures, until, now)
    unit.audit("accounts:sign-in-refused", account_id, failures=failures)
