"""Accounts of staff: allocated by the centre with first passwords, looked after by each unit itself (article 25.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import rules, store, tries
from server.accounts.account_names import AccountName
from server.accounts.documents import EVERY_ACCOUNT, Account, AccountFilter
from server.accounts.passwords import hash_password, hash_passwords, new_password, token_hash
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from server.kernel.identity import INSTITUTION_ROLES, Actor, Jurisdiction, Role, system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional


class UsernameTaken(Conflict):
    slug = "username-taken"
    title = "用户名已被使用"


class NotOneself(Conflict):
    """Nobody ends the own account or takes off the own second factor this way: somebody else has to look."""

    slug = "not-oneself"
    title = "不能对自己的账号这样操作"
    default_detail = "不能停用、恢复或重置自己的账号，请由其他管理人员办理。"


class AlreadyDeactivated(Conflict):
    slug = "account-deactivated"
    title = "账号已经停用"
    default_detail = "这个账号已经停用。如需恢复，请联系部指导中心。"


class StillActive(Conflict):
    slug = "account-active"
    title = "账号没有停用"
    default_detail = "这个账号正在使用，不需要恢复。"


class AccountDraft(BaseModel):
    username: Annotated[str, Field(title="用户名", pattern=r"^[a-z0-9][a-z0-9._-]{2,31}$")]
    name: AccountName
    role: Annotated[
        Literal[Role.NATIONAL_CENTRE, Role.PROVINCE, Role.TRAINING_CENTRE, Role.TRAINING_BASE],
        Field(title="用户类别"),
    ]
    province_code: str | None = None
    institution_code: str | None = None


class ColleagueDraft(BaseModel):
    """A colleague of the own unit: role and reach are those of whoever adds them, whatever a form says."""

    username: Annotated[str, Field(title="用户名", pattern=r"^[a-z0-9][a-z0-9._-]{2,31}$")]
    name: AccountName


def actor_of(account: Account, session_id: str | None = None, *, must_enrol: bool = False) -> Actor:
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
        must_enrol=must_enrol,
    )


def managed_by(actor: Actor) -> Row:
    """The accounts that an actor manages, as a condition inside every query: all for the centre, else those of the own unit.

    A unit is one role at one province or institution. Narrower than the jurisdiction: a province oversees its institutions,
    whose accounts are not its own.
    """
    if Role.NATIONAL_CENTRE in actor.roles or actor.kind == "system":
        return {}
    return unit_of(actor)


def unit_of(actor: Actor) -> Row:
    """The accounts of the actor's own unit, as a condition."""
    return {
        "role": {"$in": sorted(actor.roles)},
        "province_code": actor.province_code,
        "institution_code": actor.institution_code,
    }


async def accounts(
    platform: Platform,
    actor: Actor,
    wanted: AccountFilter = EVERY_ACCOUNT,
    *,
    after_id: str | None = None,
    limit: int,
) -> list[Account]:
    """The accounts that the actor manages, by username, after the account `after_id`."""
    reach = managed_by(actor)
    after = await store.account(platform, after_id, reach) if after_id else None
    return await store.accounts(platform, reach, wanted, after=after.username if after else "", limit=limit)


async def get_account(scope: Scope, actor: Actor, account_id: str) -> Account:
    """An account that the actor manages. Raises NotFound."""
    found = await store.account(scope, account_id, managed_by(actor))
    if found is None:
        raise NotFound("没有这个账号，或不归您管理。")
    return found


async def account_called(platform: Platform, username: str) -> Account:
    """Raises NotFound."""
    found = await store.account_by_username(platform, rules.normalise_username(username))
    if found is None:
        raise NotFound(f"没有用户名为 {username} 的账号。")
    return found


async def any_account(platform: Platform) -> bool:
    return await store.any_account(platform)


async def any_of_institution(scope: Scope, code: str) -> bool:
    """Whether anybody of this institution can sign in."""
    return await store.any_account(scope, {"institution_code": code, "deactivated_at": None})


async def any_beside_the_centre(platform: Platform) -> bool:
    return await store.any_account(platform, {"role": {"$ne": Role.NATIONAL_CENTRE}})


async def is_alone(platform: Platform, actor: Actor) -> bool:
    """Whether no other account of the actor's unit is in use: nobody there could help with a lost phone or password."""
    unit = {**unit_of(actor), "deactivated_at": None, "_id": {"$ne": actor.id}}
    return not await store.any_account(platform, unit)


async def allocate(platform: Platform, actor: Actor, draft: AccountDraft) -> tuple[Account, str]:
    """A new staff account and its first password, which is shown once and must be changed (article 25.1).

    Raises Invalid when the role lacks its province or institution, UsernameTaken.
    """
    if draft.role is Role.PROVINCE and not draft.province_code:
        raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    if draft.role in INSTITUTION_ROLES and not (draft.institution_code and draft.province_code):
        raise Invalid(fields=[FieldError("institution_code", "请选择培训机构。")])
    password = new_password()
    [account] = new_accounts(platform, [draft], [await hash_password(password)])
    try:
        await _insert_account(platform, actor, account)
    except DuplicateKeyError:
        raise UsernameTaken(fields=[FieldError("username", "该用户名已被使用，请换一个。")]) from None
    return account, password


@transactional
async def _insert_account(unit: UnitOfWork, account: Account) -> None:
    await store.insert_account(unit, account)
    unit.audit("accounts:allocate", account.id, username=account.username, role=account.role.value)


async def add_colleague(platform: Platform, actor: Actor, draft: ColleagueDraft) -> tuple[Account, str]:
    """An account of the actor's own unit: the same role at the same place, never more. Raises UsernameTaken, Forbidden.

    What its name may say is looked at by institutions.add_colleague, which knows the names of all offices."""
    if actor.kind != "account":
        raise Forbidden()
    [role] = actor.roles
    whole = AccountDraft(
        **draft.model_dump(),
        role=role,
        province_code=actor.province_code,
        institution_code=actor.institution_code,
    )
    return await allocate(platform, actor, whole)


def new_accounts(
    platform: Platform, drafts: Sequence[AccountDraft], password_hashes: Sequence[str]
) -> list[Account]:
    """Accounts that nobody has stored yet, each with a first password."""
    now, given = platform.clock.now(), platform.machine.now()
    return [
        Account(
            **draft.model_dump(),
            password_hash=hashed,
            must_change_password=True,
            first_password_at=given,
            created_at=now,
        )
        for draft, hashed in zip(drafts, password_hashes, strict=True)
    ]


async def taken(platform: Platform, usernames: Sequence[str]) -> set[str]:
    """Those of the usernames that somebody has or had: none is ever given again."""
    return {one.username for one in await store.accounts_called(platform, usernames)}


async def insert_accounts(unit: UnitOfWork, new: Sequence[Account]) -> None:
    """Stores a batch of accounts in the caller's transaction, with an audit entry for each. Raises DuplicateKeyError."""
    await store.insert_accounts(unit, new)
    for one in new:
        unit.audit("accounts:allocate", one.id, username=one.username, role=one.role.value)


async def renew_first_passwords(
    platform: Platform, actor: Actor, usernames: Sequence[str]
) -> list[tuple[Account, str]]:
    """New first passwords for those of the accounts that still have one: what was handed out before serves no more.

    Raises NotFound when everybody has changed theirs.
    """
    called = await store.accounts_called(platform, usernames)
    waiting = [one for one in called if one.must_change_password and one.active]
    if not waiting:
        raise NotFound("这批账号都已修改初始密码或停用，没有要重新生成的。")
    waiting.sort(key=lambda one: usernames.index(one.username))
    fresh = [new_password() for _ in waiting]
    hashes = await hash_passwords(fresh)
    await _renew(platform, actor, {one.id: hashed for one, hashed in zip(waiting, hashes, strict=True)})
    return list(zip(waiting, fresh, strict=True))


@transactional
async def _renew(unit: UnitOfWork, hashes: dict[str, str]) -> None:
    for account_id, hashed in hashes.items():
        await _give_first_password(unit, account_id, hashed)
        unit.audit("accounts:reset-password", account_id)


async def reset_password(platform: Platform, actor: Actor, account_id: str) -> tuple[Account, str]:
    """A fresh first password for an account that was locked out or forgotten; ends all its sessions.

    Raises NotFound for an account that the actor does not manage, NotOneself, AlreadyDeactivated.
    """
    found = await get_account(platform, actor, account_id)
    _require_other(actor, account_id)
    password = new_password()
    await _reset_password(platform, actor, account_id, await hash_password(password))
    return found, password


@transactional
async def _reset_password(unit: UnitOfWork, account_id: str, password_hash: str) -> None:
    if not (await get_account(unit, unit.actor, account_id)).active:
        raise AlreadyDeactivated()
    await _give_first_password(unit, account_id, password_hash)
    unit.audit("accounts:reset-password", account_id)


async def _give_first_password(
    unit: UnitOfWork, account_id: str, password_hash: str, besides: Row | None = None
) -> None:
    """One that must be changed; whatever was opened before ends, and whatever was tried is forgotten."""
    first: Row = {
        "password_hash": password_hash,
        "must_change_password": True,
        "first_password_at": unit.platform.machine.now(),
    }
    await store.change_credential(unit, account_id, {"$set": first | (besides or {})})
    account = await store.account(unit, account_id)
    assert account is not None
    await tries.forget(unit, account, token_hash(account.username))


@transactional
async def deactivate(unit: UnitOfWork, account_id: str, reason: str) -> Account:
    """Somebody leaves: no sign-in any more, the sessions end at once, the username is never given again, history keeps the name.

    Nobody can leave by the own hand, so a unit that looks after itself always keeps an account; only the centre can take the
    last one. Raises NotFound, NotOneself, AlreadyDeactivated.
    """
    found = await get_account(unit, unit.actor, account_id)
    _require_other(unit.actor, account_id)
    # Two colleagues who deactivate each other at the same moment: the second finds the own account gone.
    if not await store.change_account(unit, unit.actor.id, {"$inc": {"version": 1}}, deactivated_at=None):
        raise Forbidden()
    change = {"$set": {"deactivated_at": unit.now}}
    if not await store.change_credential(unit, account_id, change, deactivated_at=None):
        raise AlreadyDeactivated()
    unit.audit("accounts:deactivate", account_id, username=found.username, reason=reason)
    return found


async def reactivate(platform: Platform, actor: Actor, account_id: str, reason: str) -> tuple[Account, str]:
    """Somebody comes back, as if newly allocated: a first password, and no second factor of the old phone.

    For the centre. Raises NotFound, StillActive.
    """
    password = new_password()
    account = await _reactivate(platform, actor, account_id, await hash_password(password), reason)
    return account, password


@transactional
async def _reactivate(unit: UnitOfWork, account_id: str, password_hash: str, reason: str) -> Account:
    found = await get_account(unit, unit.actor, account_id)
    if found.active:
        raise StillActive()
    afresh: Row = {"deactivated_at": None, "second_factor": None, "enrolling": None}
    await _give_first_password(unit, account_id, password_hash, afresh)
    unit.audit("accounts:reactivate", account_id, username=found.username, reason=reason)
    return found


@transactional
async def reset_second_factor(unit: UnitOfWork, account_id: str, reason: str) -> Account:
    """For who has lost phone and recovery codes: the second factor is taken off, all sessions end.

    For the centre, and for another one's account there; the operator of the server has `scripts/reset-second-factor`. Raises
    NotFound, NotOneself, Conflict when nothing is enrolled.
    """
    found = await get_account(unit, unit.actor, account_id)
    _require_other(unit.actor, account_id)
    if found.second_factor is None:
        raise Conflict("这个账号没有开通两步验证。")
    await store.change_credential(unit, account_id, {"$set": {"second_factor": None, "enrolling": None}})
    unit.audit("accounts:reset-second-factor", account_id, username=found.username, reason=reason)
    return found


def _require_other(actor: Actor, account_id: str) -> None:
    if actor.id == account_id:
        raise NotOneself()


async def locks(platform: Platform, accounts: Sequence[Account]) -> dict[str, datetime]:
    """By the ids of those accounts at which strangers have guessed too often: until when nobody new gets in."""
    found: dict[str, datetime] = {}
    counters = {
        counter.key: account.id
        for account in accounts
        for counter in _counters_of_strangers(platform, account)
    }
    asked = [counter for account in accounts for counter in _counters_of_strangers(platform, account)]
    for key, end in (await tries.locked_until(platform, asked)).items():
        found[counters[key]] = max(end, found.get(counters[key], end))
    return found


def standing(account: Account, locked: Mapping[str, datetime]) -> str:
    """In words; `locked` is what `locks` found."""
    if not account.active:
        return "已停用"
    if account.id in locked:
        return "已锁定"
    return "待改初始密码" if account.must_change_password else "正常"


def _counters_of_strangers(platform: Platform, account: Account) -> list[tries.Counter]:
    of_password = tries.of_password(platform, token_hash(account.username), device="")
    return [of_password, tries.of_code(platform, account, device="")]


async def ensure_first_account(platform: Platform, username: str = "centre") -> str | None:
    """On an empty platform, makes the centre's account and returns its first password; so too where nobody has used it and it is over,
    for there is nobody who could give another. Otherwise None."""
    first = await store.account_by_username(platform, username)
    if first is not None and first.must_change_password and await _is_over_and_alone(platform, first):
        password = new_password()
        await _reset_password(platform, system("start"), first.id, await hash_password(password))
        return password
    if await store.any_account(platform):
        return None
    draft = AccountDraft(username=username, name="部指导中心管理员", role=Role.NATIONAL_CENTRE)
    try:
        return (await allocate(platform, system("start"), draft))[1]
    except UsernameTaken:  # another process was first
        return None


async def _is_over_and_alone(platform: Platform, account: Account) -> bool:
    if await store.any_account(platform, {"_id": {"$ne": account.id}}):
        return False
    return await first_password_over(platform, account) is not None


async def first_password_over(platform: Platform, account: Account) -> int | None:
    """After how many days a first password that nobody has changed ended; None where it has not."""
    if not account.must_change_password or account.first_password_at is None:
        return None
    days = (await policies.on(platform, beijing_date(platform.clock.now()))).first_password_days
    over = account.first_password_at + timedelta(days=days) <= platform.machine.now()
    return days if over else None
