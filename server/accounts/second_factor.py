"""两步验证: after the password a code from an authenticator app, for those who oversee others (centre and province) by policy.

`server/decisions/0010-two-steps-to-sign-in.md` says why like this.
"""

from __future__ import annotations

from dataclasses import dataclass

from bson.binary import Binary

from server.accounts import passwords, store, totp, tries
from server.accounts.delegation_rules import require_oneself
from server.accounts.documents import Account, SecondFactor
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor, Role
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

OVERSEERS = frozenset({Role.NATIONAL_CENTRE, Role.PROVINCE})
"""Whom the policy `second_factor_required` binds; an institution's staff enrol if they like."""
RECOVERY_CODES = 10
TRIES = "10/minute"
"""Of the first code of an app."""


_USED = "这个验证码已经用过，请等验证器显示下一个（每 30 秒一个）。"


class CodeRefused(Invalid):
    slug = "code-refused"
    title = "验证码不正确"

    def __init__(self, detail: str = "") -> None:
        words = (
            detail or "验证码不正确。请填写验证器上现在显示的 6 位数字；手机时间不准也会这样，请校准后再试。"
        )
        super().__init__(words, fields=[FieldError("code", words)])


class AlreadyEnrolled(Conflict):
    slug = "second-factor-enrolled"
    title = "已经开通两步验证"
    default_detail = "已经开通两步验证。换手机请先停用，再重新开通。"


class NotEnrolled(Conflict):
    slug = "second-factor-not-enrolled"
    title = "还没有开通两步验证"
    default_detail = "还没有开通两步验证，请先开通。"


async def required(scope: Scope, role: Role) -> bool:
    """Whether somebody of this role has to enrol before anything else."""
    if role not in OVERSEERS:
        return False
    return (await policies.on(scope, beijing_date(scope.platform.clock.now()))).second_factor_required


@dataclass(frozen=True)
class Standing:
    """The second factor of the actor, for the own page."""

    account: Account
    required: bool
    secret: str | None
    """Of the enrolment that waits for its first code; shown to its owner only."""

    @property
    def uri(self) -> str:
        return totp.enrolment_uri(self.secret or "", self.account.username)


async def standing(platform: Platform, actor: Actor) -> Standing:
    account = await _own(platform, actor)
    [secret] = await platform.vault.decrypt([account.enrolling]) if account.enrolling else [None]
    return Standing(account, await required(platform, account.role), secret)


async def begin(platform: Platform, actor: Actor, password: str) -> None:
    """A new secret, which counts for nothing until the app has shown a code; for the password, because whoever finds a session open must
    not lock its owner out with an app of their own. Raises Invalid at `password`, AccountLocked, AlreadyEnrolled."""
    account = await _own(platform, actor)
    if account.second_factor:
        raise AlreadyEnrolled()
    await passwords.prove_own(platform, actor, account, password, "password")
    [sealed] = await platform.vault.encrypt_random([totp.new_secret()])
    await _begin(platform, actor, sealed)


@transactional
async def _begin(unit: UnitOfWork, sealed: Binary) -> None:
    if not await store.change_account(
        unit, unit.actor.id, {"$set": {"enrolling": sealed}}, second_factor=None
    ):
        raise AlreadyEnrolled()
    unit.audit("accounts:begin-second-factor", unit.actor.id)


async def confirm(platform: Platform, actor: Actor, typed: str) -> list[str]:
    """Enrols the app with its first code and ends the actor's other sessions; returns the recovery codes, this once.

    Raises CodeRefused, NotEnrolled when no enrolment has begun, AlreadyEnrolled.
    """
    now = platform.machine.now()
    account = await _own(platform, actor)
    if account.second_factor:
        raise AlreadyEnrolled()
    if account.enrolling is None:
        raise NotEnrolled()
    await platform.limiter.hit("second-factor", TRIES, account.id)
    [secret] = await platform.vault.decrypt([account.enrolling])
    step = totp.step_of(secret, totp.normalise(typed), now, last_step=0)
    if step is None:
        raise CodeRefused()
    codes = _new_recovery_codes()
    factor = SecondFactor(
        secret=account.enrolling, enrolled_at=now, last_step=step, recovery=list(map(_hash, codes))
    )
    await _confirm(platform, actor, factor)
    return codes


@transactional
async def _confirm(unit: UnitOfWork, factor: SecondFactor) -> None:
    change = {"$set": {"second_factor": factor.model_dump(), "enrolling": None}}
    kept = unit.actor.session_id
    if not await store.change_credential(unit, unit.actor.id, change, but=kept, enrolling=factor.secret):
        raise AlreadyEnrolled()  # by another window
    unit.audit("accounts:enrol-second-factor", unit.actor.id)


async def renew_recovery_codes(platform: Platform, actor: Actor, typed: str) -> list[str]:
    """Ten new recovery codes in place of what was left, shown this once. Raises CodeRefused, NotEnrolled, AccountLocked."""
    codes = _new_recovery_codes()
    account = await _own(platform, actor)
    change = {"second_factor.recovery": list(map(_hash, codes))}
    await _with_code(platform, actor, account, typed, "accounts:renew-recovery-codes", change)
    return codes


async def remove(platform: Platform, actor: Actor, typed: str) -> None:
    """Turns the second factor off, with a code; whom the policy binds must enrol anew at once (a new phone).

    Raises CodeRefused, NotEnrolled, AccountLocked.
    """
    account = await _own(platform, actor)
    await _with_code(
        platform, actor, account, typed, "accounts:remove-second-factor", {"second_factor": None}
    )


async def _with_code(
    platform: Platform, actor: Actor, account: Account, typed: str, action: str, change: Row
) -> None:
    counter = tries.of_code(platform, account, "own")
    failures = await tries.begin(platform, counter)
    try:
        proof = await prove(platform, account, typed)
        await _use_and_change(platform, actor, proof, action, change)
    except CodeRefused:
        await passwords.note_refusal(platform, actor, account.id, failures)
        raise
    await tries.take_back(platform, counter, failures)


@transactional
async def _use_and_change(unit: UnitOfWork, proof: Proof, action: str, change: Row) -> None:
    await use(unit, unit.actor.id, proof)
    await store.change_account(unit, unit.actor.id, {"$set": change})
    unit.audit(action, unit.actor.id)


@dataclass(frozen=True)
class Proof:
    """A code that fits, not yet used up: a time step, or the hash of a recovery code."""

    step: int | None = None
    recovery: str | None = None


async def prove(platform: Platform, account: Account, typed: str) -> Proof:
    """What a typed code proves; whoever asks has counted the try. Raises CodeRefused, NotEnrolled."""
    now = platform.machine.now()
    factor = account.second_factor
    if factor is None:
        raise NotEnrolled()
    code = totp.normalise(typed)
    if (recovery := _hash(code)) in factor.recovery:
        return Proof(recovery=recovery)
    [secret] = await platform.vault.decrypt([factor.secret])
    step = totp.step_of(secret, code, now, factor.last_step)
    if step is None:
        raise CodeRefused(_USED if totp.step_of(secret, code, now, last_step=0) else "")
    return Proof(step=step)


async def use(unit: UnitOfWork, account_id: str, proof: Proof) -> None:
    """Uses a proof up in the transaction of what it is for. Raises CodeRefused when it has served already, whoever was first."""
    if proof.recovery is not None:
        fresh = await store.use_recovery_code(unit, account_id, proof.recovery)
        unit.audit("accounts:use-recovery-code", account_id)
    else:
        assert proof.step is not None
        fresh = await store.use_step(unit, account_id, proof.step)
    if not fresh:
        raise CodeRefused(_USED)


def _new_recovery_codes() -> list[str]:
    return [passwords.new_password(fours=6) for _ in range(RECOVERY_CODES)]


def _hash(code: str) -> str:
    return passwords.token_hash(code)


async def _own(platform: Platform, actor: Actor) -> Account:
    require_oneself(actor)
    account = await store.account(platform, actor.id)
    if account is None:
        raise NotFound()
    return account
