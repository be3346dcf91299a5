"""Signing in to the browser's face: the password, the code of the second step, and the sessions that follow (article 25.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from server.accounts import delegations, passwords, rules, second_factor, store, tries
from server.accounts.delegation_rules import require_oneself
from server.accounts.documents import Account, HalfSignIn, StaffSession
from server.accounts.passwords import token_hash
from server.accounts.second_factor import CodeRefused, Proof
from server.accounts.staff import actor_of, first_password_over
from server.kernel.errors import FieldError, Invalid, NotFound, NotSignedIn, Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

HALF_LIFE = timedelta(minutes=5)
"""Between the password and the code."""
SEEN_EVERY = timedelta(minutes=1)
UNKNOWN = "unknown"
"""In the trail, for a username that nobody has: what was typed there may be a password."""


class SignInRefused(Problem):
    status = 422
    slug = "sign-in-refused"
    title = "登录失败"
    default_detail = "用户名或密码不正确。"


class SignInOver(Problem):
    """The half sign-in is used, over or was never there."""

    status = 401
    slug = "sign-in-over"
    title = "登录没有完成"
    default_detail = "输入密码后太久没有输入验证码，请重新登录。"


@dataclass(frozen=True)
class Where:
    """From where somebody signs in, as the own list of sessions shows it."""

    address: str
    user_agent: str
    device: str = ""
    """What this browser was given when somebody signed in here: see Entered."""


@dataclass(frozen=True)
class Entered:
    """A token to be kept in a cookie: of a session, or of a `half` one that only the code makes whole.

    With a session goes a `device` to be kept for long: it opens nothing, but the browser counts its wrong tries by itself from then on.
    """

    token: str
    half: bool
    device: str = ""


async def sign_in(platform: Platform, username: str, password: str, where: Where) -> Entered:
    """The first step. Whoever has a second factor gets a half sign-in, which opens nothing.

    Raises SignInRefused in the same words for a wrong name and a wrong password, AccountLocked after repeated failures at either. A name
    that nobody has costs the same work, look-ups and writes as one that somebody has.
    """
    username = rules.normalise_username(username)
    account = await store.account_by_username(platform, username)
    counter = tries.of_password(platform, token_hash(username), _known_device(where, username))
    failures = await tries.begin(platform, counter)
    if not await passwords.password_fits(account, password):
        await passwords.note_refusal(platform, ANYBODY, account.id if account else UNKNOWN, failures)
        raise SignInRefused()
    assert account is not None
    await tries.take_back(platform, counter, failures)
    if not account.active:
        raise SignInRefused("这个账号已停用。如需恢复，请联系部指导中心。")
    await _require_fresh(platform, account)
    token = secrets.token_urlsafe(32)
    if account.second_factor:
        await _keep_half(platform, actor_of(account), account, token_hash(token))
        return Entered(token, half=True)
    await _open_session(platform, actor_of(account), account, _session(platform, account, token, where), None)
    return Entered(token, half=False, device=_device(where, username))


async def _require_fresh(platform: Platform, account: Account) -> None:
    """Raises SignInRefused for a first password that nobody has used in time: until then it lies in a mail or on a paper."""
    if (days := await first_password_over(platform, account)) is not None:
        raise SignInRefused(
            f"初始密码超过 {days} 天没有使用，已经失效。请联系本单位的管理人员或部指导中心重置。"
        )


def _known_device(where: Where, username: str) -> str:
    """The mark of a browser in which this name has signed in before; empty for any other."""
    name, _, mark = where.device.partition(".")
    return mark if name == token_hash(username) else ""


def _device(where: Where, username: str) -> str:
    return f"{token_hash(username)}.{_known_device(where, username) or secrets.token_urlsafe(16)}"


async def half_signed_in(platform: Platform, token: str) -> Account:
    """Whose code is awaited. Raises SignInOver."""
    half = await store.half_sign_in(platform, token_hash(token), platform.machine.now())
    account = await store.account(platform, half.account_id) if half else None
    if half is None or account is None or not account.active or half.credential != account.credential:
        raise SignInOver()
    return account


async def enter_code(platform: Platform, token: str, typed: str, where: Where) -> Entered:
    """The second step: a code of the app or a recovery code makes the half sign-in of `token` a session.

    Raises CodeRefused, which counts towards the lockout, SignInOver, AccountLocked.
    """
    account = await half_signed_in(platform, token)
    new = secrets.token_urlsafe(32)
    session = _session(platform, account, new, where)
    counter = tries.of_code(platform, account, _known_device(where, account.username))
    failures = await tries.begin(platform, counter)
    try:
        proof = await second_factor.prove(platform, account, typed)
        await _open_session(platform, actor_of(account), account, session, (token_hash(token), proof))
    except CodeRefused:
        await passwords.note_refusal(platform, ANYBODY, account.id, failures)
        raise
    await tries.take_back(platform, counter, failures)
    return Entered(new, half=False, device=_device(where, account.username))


def _session(platform: Platform, account: Account, token: str, where: Where) -> StaffSession:
    now = platform.machine.now()
    return StaffSession(
        id=token_hash(token),
        account_id=account.id,
        credential=account.credential,
        created_at=now,
        expires_at=now + timedelta(hours=platform.settings.session_hours),
        address=where.address,
        user_agent=where.user_agent[:200],
        seen_at=now,
    )


@transactional
async def _keep_half(unit: UnitOfWork, account: Account, half_id: str) -> None:
    if not await store.enter(unit, account):
        raise SignInRefused()
    half = HalfSignIn(
        id=half_id,
        account_id=account.id,
        credential=account.credential,
        expires_at=unit.platform.machine.now() + HALF_LIFE,
    )
    await store.insert_half_sign_in(unit, half)
    unit.audit("accounts:password-accepted", unit.actor.id)


@transactional
async def _open_session(
    unit: UnitOfWork, account: Account, session: StaffSession, half: tuple[str, Proof] | None
) -> None:
    if not await store.enter(unit, account):
        raise SignInOver() if half else SignInRefused()
    if half is not None:
        half_id, proof = half
        await second_factor.use(unit, session.account_id, proof)
        if not await store.delete_half_sign_in(unit, half_id):
            raise SignInOver()
    await store.insert_staff_session(unit, session)
    unit.audit("accounts:sign-in", session.account_id)


async def actor_of_token(platform: Platform, token: str) -> Actor:
    """Whose browser this is; ANYBODY when the session is unknown, revoked, idle or over, or its user has left."""
    now = platform.machine.now()
    session = await store.staff_session(platform, token_hash(token), now)
    if session is not None and _lies_idle(platform, session):
        return ANYBODY
    account = await store.account(platform, session.account_id) if session else None
    if account is None or session is None or not account.active or session.credential != account.credential:
        return ANYBODY
    if session.seen_at is None or now - session.seen_at >= SEEN_EVERY:
        await store.see_staff_session(platform, session.id, now)
    must_enrol = account.second_factor is None and await second_factor.required(platform, account.role)
    actor = actor_of(account, session.id, must_enrol=must_enrol)
    if session.delegation_id is None:
        return actor
    return await delegations.standing_in(platform, actor, session.delegation_id)


def _lies_idle(platform: Platform, session: StaffSession) -> bool:
    """Nobody has asked for anything for so long that somebody else may sit there now."""
    most = timedelta(minutes=platform.settings.session_idle_minutes)
    return platform.machine.now() - (session.seen_at or session.created_at) > most


@transactional
async def sign_out(unit: UnitOfWork) -> None:
    if unit.actor.session_id:
        await store.delete_staff_session(unit, unit.actor.id, unit.actor.session_id)
    unit.audit("accounts:sign-out", unit.actor.id)


async def my_sessions(platform: Platform, actor: Actor) -> list[StaffSession]:
    lasting = await store.staff_sessions(platform, actor.id, platform.machine.now())
    return [session for session in lasting if not _lies_idle(platform, session)]


@transactional
async def revoke_session(unit: UnitOfWork, session_id: str) -> None:
    """Ends one of the actor's own sessions. Raises NotFound for anybody else's."""
    require_oneself(unit.actor)
    if not await store.delete_staff_session(unit, unit.actor.id, session_id):
        raise NotFound()
    unit.audit("accounts:revoke-session", unit.actor.id)


@transactional
async def revoke_other_sessions(unit: UnitOfWork) -> None:
    """Ends all of the actor's sessions but the one that asks."""
    require_oneself(unit.actor)
    await store.delete_staff_sessions(unit, unit.actor.id, but=unit.actor.session_id)
    unit.audit("accounts:revoke-other-sessions", unit.actor.id)


async def change_password(platform: Platform, actor: Actor, current: str, new: str) -> None:
    """Sets the actor's own password and ends all other sessions. Raises Invalid with the field that is wrong, AccountLocked."""
    account = await store.account(platform, actor.id)
    if account is None:
        raise NotFound()
    await passwords.prove_own(platform, actor, account, current, "current")
    if new == current:
        raise Invalid(fields=[FieldError("new", "新密码不能与当前密码相同。")])
    rules.check_password(new, account.username)
    await _set_password(platform, actor, account, await passwords.hash_password(new))


@transactional
async def _set_password(unit: UnitOfWork, account: Account, password_hash: str) -> None:
    """Raises NotSignedIn when somebody has given the account another password meanwhile."""
    change: Row = {
        "$set": {"password_hash": password_hash, "must_change_password": False, "first_password_at": None}
    }
    kept, credential = unit.actor.session_id, account.credential
    if not await store.change_credential(unit, account.id, change, but=kept, credential=credential):
        raise NotSignedIn()
    unit.audit("accounts:change-password", unit.actor.id)
