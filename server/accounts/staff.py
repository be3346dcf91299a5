"""Staff in a browser: accounts, log-in, sessions (article 25.1)."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
from datetime import timedelta
from typing import Annotated, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import rules, store
from server.accounts.documents import Account, StaffSession
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound, Problem
from server.kernel.identity import ANYBODY, INSTITUTION_ROLES, Actor, Jurisdiction, Role, system
from server.kernel.mongo import UnitOfWork, transactional
from server.kernel.platform import Platform

_hasher = PasswordHasher()
_NOBODYS_HASH = _hasher.hash(secrets.token_hex(16))
"""Verified when the username is unknown, so that an answer takes as long as for a known one."""


class SignInRefused(Problem):
    status = 422
    slug = "sign-in-refused"
    title = "登录失败"
    default_detail = "用户名或密码不正确。"


class AccountLocked(Problem):
    status = 429
    slug = "account-locked"
    title = "账号已暂时锁定"


class UsernameTaken(Conflict):
    slug = "username-taken"
    title = "用户名已被使用"


class AccountDraft(BaseModel):
    username: Annotated[str, Field(title="用户名", pattern=r"^[a-z0-9][a-z0-9._-]{2,31}$")]
    name: Annotated[str, Field(title="使用人姓名", min_length=2, max_length=40)]
    role: Annotated[
        Literal[Role.NATIONAL_CENTRE, Role.PROVINCE, Role.TRAINING_CENTRE, Role.TRAINING_BASE],
        Field(title="用户类别"),
    ]
    province_code: str | None = None
    institution_code: str | None = None


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_password() -> str:
    """A first password: 16 characters of a Base32-like alphabet without look-alikes, 75 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def _password_fits(account: Account | None, password: str) -> bool:
    stored = account.password_hash if account else _NOBODYS_HASH
    try:
        await asyncio.to_thread(_hasher.verify, stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return account is not None


def actor_of(account: Account, session_id: str | None = None) -> Actor:
    """What this account may act as, and where."""
    if account.role is Role.NATIONAL_CENTRE:
        reach = Jurisdiction.everything()
    elif account.role is Role.PROVINCE:
        reach = Jurisdiction.of_province(account.province_code or "")
    else:
        reach = Jurisdiction.of_institution(account.institution_code or "")
    return Actor(
        account.id,
        account.name,
        "account",
        frozenset({account.role}),
        reach,
        province_code=account.province_code,
        institution_code=account.institution_code,
        session_id=session_id,
        must_change_password=account.must_change_password,
    )


async def sign_in(platform: Platform, username: str, password: str, address: str, user_agent: str) -> str:
    """Opens a session and returns its token, to be kept in a cookie.

    Raises SignInRefused in the same words for a wrong name and a wrong password, AccountLocked after repeated failures.
    """
    account = await store.account_by_username(platform, username)
    now = platform.clock.now()
    if account and account.locked_until and account.locked_until > now:
        minutes = math.ceil((account.locked_until - now) / timedelta(minutes=1))
        raise AccountLocked(f"密码连续输错次数过多，请 {minutes} 分钟后再试，或联系部指导中心重置密码。")
    if not await _password_fits(account, password):
        if account:
            await _record_failure(platform, ANYBODY, account.id)
        raise SignInRefused()
    assert account is not None
    token = secrets.token_urlsafe(32)
    await _open_session(platform, actor_of(account), account, token_hash(token), address, user_agent[:200])
    return token


@transactional
async def _record_failure(unit: UnitOfWork, account_id: str) -> None:
    settings = unit.platform.settings
    until = unit.now + timedelta(minutes=settings.lockout_minutes)
    failures = await store.count_failure(unit, account_id, settings.lockout_failures, until)
    unit.audit("accounts:sign-in-refused", account_id, failures=failures)


@transactional
async def _open_session(
    unit: UnitOfWork, account: Account, session_id: str, address: str, user_agent: str
) -> None:
    expires = unit.now + timedelta(hours=unit.platform.settings.session_hours)
    await store.clear_failures(unit, account.id)
    await store.insert_staff_session(
        unit,
        StaffSession(
            id=session_id,
            account_id=account.id,
            created_at=unit.now,
            expires_at=expires,
            address=address,
            user_agent=user_agent,
        ),
    )
    unit.audit("accounts:sign-in", account.id)


async def actor_of_token(platform: Platform, token: str) -> Actor:
    """Whose browser this is; ANYBODY when the session is unknown, revoked or over."""
    session = await store.staff_session(platform, token_hash(token), platform.clock.now())
    account = await store.account(platform, session.account_id) if session else None
    return actor_of(account, session.id) if account and session else ANYBODY


@transactional
async def sign_out(unit: UnitOfWork) -> None:
    if unit.actor.session_id:
        await store.delete_staff_session(unit, unit.actor.id, unit.actor.session_id)
    unit.audit("accounts:sign-out", unit.actor.id)


async def my_sessions(platform: Platform, actor: Actor) -> list[StaffSession]:
    return await store.staff_sessions(platform, actor.id, platform.clock.now())


@transactional
async def revoke_session(unit: UnitOfWork, session_id: str) -> None:
    """Ends one of the actor's own sessions. Raises NotFound for anybody else's."""
    if not await store.delete_staff_session(unit, unit.actor.id, session_id):
        raise NotFound()
    unit.audit("accounts:revoke-session", unit.actor.id)


async def change_password(platform: Platform, actor: Actor, current: str, new: str) -> None:
    """Sets the actor's own password and ends all other sessions. Raises Invalid with the field that is wrong."""
    account = await store.account(platform, actor.id)
    if account is None:
        raise NotFound()
    if not await _password_fits(account, current):
        await _record_failure(platform, actor, account.id)
        raise Invalid(fields=[FieldError("current", "当前密码不正确。")])
    if new == current:
        raise Invalid(fields=[FieldError("new", "新密码不能与当前密码相同。")])
    rules.check_password(new, account.username)
    await _set_password(platform, actor, await hash_password(new))


@transactional
async def _set_password(unit: UnitOfWork, password_hash: str) -> None:
    await store.set_password(unit, unit.actor.id, password_hash, must_change=False)
    await store.delete_staff_sessions(unit, unit.actor.id, but=unit.actor.session_id)
    unit.audit("accounts:change-password", unit.actor.id)


async def accounts(platform: Platform, actor: Actor, *, role: str = "", words: str = "") -> list[Account]:
    """Staff accounts; only the centre holds the permission to ask."""
    return await store.accounts(platform, role=role, words=words)


async def get_account(platform: Platform, account_id: str) -> Account:
    """Raises NotFound."""
    found = await store.account(platform, account_id)
    if found is None:
        raise NotFound("没有这个账号。")
    return found


async def allocate(platform: Platform, actor: Actor, draft: AccountDraft) -> tuple[Account, str]:
    """A new staff account and its first password, which is shown once and must be changed (article 25.1).

    Raises Invalid when the role lacks its province or institution, UsernameTaken.
    """
    if draft.role is Role.PROVINCE and not draft.province_code:
        raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    if draft.role in INSTITUTION_ROLES and not (draft.institution_code and draft.province_code):
        raise Invalid(fields=[FieldError("institution_code", "请选择培训机构。")])
    password = new_password()
    account = Account(
        **draft.model_dump(),
        password_hash=await hash_password(password),
        must_change_password=True,
        created_at=platform.clock.now(),
    )
    try:
        await _insert_account(platform, actor, account)
    except DuplicateKeyError:
        raise UsernameTaken(fields=[FieldError("username", "该用户名已被使用，请换一个。")]) from None
    return account, password


@transactional
async def _insert_account(unit: UnitOfWork, account: Account) -> None:
    await store.insert_account(unit, account)
    unit.audit("accounts:allocate", account.id, username=account.username, role=account.role.value)


async def reset_password(platform: Platform, actor: Actor, account_id: str) -> tuple[Account, str]:
    """A fresh first password for an account that was locked out or forgotten; ends all its sessions. Raises NotFound."""
    found = await get_account(platform, account_id)
    password = new_password()
    await _reset_password(platform, actor, account_id, await hash_password(password))
    return found, password


@transactional
async def _reset_password(unit: UnitOfWork, account_id: str, password_hash: str) -> None:
    await store.set_password(unit, account_id, password_hash, must_change=True)
    await store.delete_staff_sessions(unit, account_id)
    unit.audit("accounts:reset-password", account_id)


async def ensure_first_account(platform: Platform, username: str = "centre") -> str | None:
    """On an empty platform, makes the centre's account and returns its first password; otherwise None."""
    if await store.any_account(platform):
        return None
    draft = AccountDraft(username=username, name="部指导中心管理员", role=Role.NATIONAL_CENTRE)
    try:
        return (await allocate(platform, system("start"), draft))[1]
    except UsernameTaken:  # another process was first
        return None
