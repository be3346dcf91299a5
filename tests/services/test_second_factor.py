"""Two steps to sign in: enrolment, one use a code, recovery, lockout, and what an open session owes (article 25.1)."""

import asyncio
import math
from datetime import timedelta

import pytest

from scripts.reset_second_factor import reset
from server.accounts import second_factor, sign_in, staff, store, totp
from server.accounts.documents import Account
from server.accounts.second_factor import AlreadyEnrolled, CodeRefused, NotEnrolled
from server.accounts.sign_in import HALF_LIFE, Entered, SignInOver, SignInRefused, Where
from server.accounts.staff import NotOneself
from server.accounts.tries import AccountLocked
from server.kernel import policies
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Conflict, Invalid, NotFound, Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from tests import cast, stage
from tests.cast import Officer

HERE = Where("127.0.0.1", "a browser")
NEXT_STEP = timedelta(seconds=totp.STEP_SECONDS)
SECOND_CENTRE = Officer("centre-two", "部试辛", cast.CENTRE.role)


async def stored(platform: Platform, officer: Officer) -> Account:
    account = await store.account_by_username(platform, officer.username)
    assert account is not None
    return account


async def password_step(platform: Platform, officer: Officer) -> Entered:
    return await sign_in.sign_in(platform, officer.username, officer.password, HERE)


async def signed_in(platform: Platform, officer: Officer) -> Actor:
    """Somebody who has signed in, with both steps where they have two."""
    await stage.sign_up(platform, officer)
    entered = await password_step(platform, officer)
    if entered.half:
        code = stage.code_for(platform, officer)
        entered = await sign_in.enter_code(platform, entered.token, code, HERE)
    return await sign_in.actor_of_token(platform, entered.token)


async def enrolled(platform: Platform, actor: Actor) -> tuple[str, list[str]]:
    """Enrols an app of the actor: its secret and the recovery codes."""
    await begun(platform, actor)
    secret = (await second_factor.standing(platform, actor)).secret
    assert secret is not None
    return secret, await second_factor.confirm(platform, actor, code_of(platform, secret))


async def begun(platform: Platform, actor: Actor) -> None:
    account = await store.account(platform, actor.id)
    assert account is not None
    await second_factor.begin(platform, actor, Officer(account.username, account.name, account.role).password)


def code_of(platform: Platform, secret: str) -> str:
    return totp.code_at(secret, totp.step_at(platform.clock.now()))


async def set_requirement(platform: Platform, value: bool) -> None:
    today = beijing_date(platform.clock.now())
    wanted = PolicyChange(key="second_factor_required", value=value, effective_from=today, reason="先行试点")
    await policies.change(platform, stage.actor(cast.CENTRE), wanted)


# ---- Signing in


async def test_the_password_alone_opens_nothing(platform: Platform) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    entered = await password_step(platform, cast.HEBEI_OFFICER)
    assert entered.half
    assert await sign_in.actor_of_token(platform, entered.token) is ANYBODY
    assert await platform["staff_sessions"].count_documents({}) == 0
    code = stage.code_for(platform, cast.HEBEI_OFFICER)
    whole = await sign_in.enter_code(platform, entered.token, code, HERE)
    actor = await sign_in.actor_of_token(platform, whole.token)
    assert (actor.name, actor.must_enrol) == (cast.HEBEI_OFFICER.name, False)
    assert await platform["half_sign_ins"].count_documents({}) == 0


async def test_a_half_sign_in_is_over_after_five_minutes_and_after_one_use(
    platform: Platform, clock: FixedClock
) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    late = await password_step(platform, cast.HEBEI_OFFICER)
    clock.advance(HALF_LIFE)
    with pytest.raises(SignInOver):
        await sign_in.enter_code(platform, late.token, stage.code_for(platform, cast.HEBEI_OFFICER), HERE)
    used = await password_step(platform, cast.HEBEI_OFFICER)
    await sign_in.enter_code(platform, used.token, stage.code_for(platform, cast.HEBEI_OFFICER), HERE)
    clock.advance(NEXT_STEP)
    with pytest.raises(SignInOver):
        await sign_in.enter_code(platform, used.token, stage.code_for(platform, cast.HEBEI_OFFICER), HERE)


async def test_a_code_serves_once_even_at_the_same_moment_in_two_processes(platform: Platform) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    halves = [await password_step(platform, cast.HEBEI_OFFICER) for _ in range(2)]
    code = stage.code_for(platform, cast.HEBEI_OFFICER)
    results = await asyncio.gather(
        *(sign_in.enter_code(platform, half.token, code, HERE) for half in halves), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["CodeRefused", "Entered"]
    assert await platform["staff_sessions"].count_documents({}) == 1


async def test_a_code_of_before_does_not_serve_again_and_the_next_one_does(
    platform: Platform, clock: FixedClock
) -> None:
    await signed_in(platform, cast.HEBEI_OFFICER)
    half = await password_step(platform, cast.HEBEI_OFFICER)
    with pytest.raises(CodeRefused):
        await sign_in.enter_code(platform, half.token, stage.code_for(platform, cast.HEBEI_OFFICER), HERE)
    clock.advance(NEXT_STEP)
    await sign_in.enter_code(platform, half.token, stage.code_for(platform, cast.HEBEI_OFFICER), HERE)


async def test_wrong_codes_lock_the_code_and_a_right_password_does_not_begin_them_anew(
    platform: Platform, clock: FixedClock
) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    with pytest.raises(SignInRefused):
        await sign_in.sign_in(platform, cast.HEBEI_OFFICER.username, "wrong-2026", HERE)
    for _ in range(platform.settings.lockout_failures):
        half = await password_step(platform, cast.HEBEI_OFFICER)
        with pytest.raises(CodeRefused):
            await sign_in.enter_code(platform, half.token, "not-a-code", HERE)
    for minutes in (0, platform.settings.lockout_minutes):
        clock.advance(timedelta(minutes=minutes))
        half = await password_step(platform, cast.HEBEI_OFFICER)
        right = stage.code_for(platform, cast.HEBEI_OFFICER)
        with pytest.raises(AccountLocked):
            await sign_in.enter_code(platform, half.token, right, HERE)
    clock.advance(timedelta(minutes=platform.settings.code_lockout_minutes))
    half = await password_step(platform, cast.HEBEI_OFFICER)
    await sign_in.enter_code(platform, half.token, stage.code_for(platform, cast.HEBEI_OFFICER), HERE)


async def test_of_many_passwords_at_the_same_moment_no_more_are_looked_at_than_the_lockout_allows(
    platform: Platform,
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    guesses = [*(f"guess-{number}-2026" for number in range(11)), cast.XINGTAI_OFFICER.password]
    tried = await asyncio.gather(
        *(sign_in.sign_in(platform, cast.XINGTAI_OFFICER.username, guess, HERE) for guess in guesses),
        return_exceptions=True,
    )
    looked_at = [one for one in tried if not isinstance(one, AccountLocked)]
    assert len(looked_at) <= platform.settings.lockout_failures + any(
        isinstance(one, Entered) for one in tried
    )


async def test_a_right_password_forgives_nothing_that_was_tried_beside_it(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found right while four guesses are still being looked at, and five more come."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    most = platform.settings.lockout_failures
    right, beside = cast.XINGTAI_OFFICER.password, [f"beside-{number}-2026" for number in range(most - 1)]
    looked_at: list[str] = []
    news = asyncio.Condition()
    open_for: set[str] = set()

    async def looks(account: Account | None, password: str) -> bool:
        async with news:
            looked_at.append(password)
            news.notify_all()
            await news.wait_for(lambda: password in open_for or password.startswith("later"))
        return password == right

    async def begin(passwords: list[str]) -> list[asyncio.Task[Entered]]:
        name = cast.XINGTAI_OFFICER.username
        tasks = [asyncio.create_task(sign_in.sign_in(platform, name, one, HERE)) for one in passwords]
        async with news:
            await news.wait_for(lambda: set(passwords) <= set(looked_at))
        return tasks

    async def answer(passwords: list[str]) -> None:
        async with news:
            open_for.update(passwords)
            news.notify_all()

    monkeypatch.setattr("server.accounts.passwords.password_fits", looks)
    [entering] = await begin([right])
    guessing = await begin(beside)
    await answer([right])
    assert isinstance(await entering, Entered)
    for number in range(most):
        with pytest.raises(AccountLocked):
            await sign_in.sign_in(platform, cast.XINGTAI_OFFICER.username, f"later-{number}-2026", HERE)
    await answer(beside)
    refused = await asyncio.gather(*guessing, return_exceptions=True)
    assert all(isinstance(one, SignInRefused) for one in refused) and len(looked_at) == most


async def test_a_username_that_nobody_has_is_locked_like_any_other(
    platform: Platform, clock: FixedClock
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)

    async def answers(username: str, times: int) -> list[str]:
        words = []
        for _ in range(times):
            with pytest.raises(Problem) as refusal:
                await sign_in.sign_in(platform, username, "wrong-2026", HERE)
            words.append(refusal.value.detail)
        return words

    failures = platform.settings.lockout_failures
    for minutes in (0, 3, platform.settings.lockout_minutes):
        clock.advance(timedelta(minutes=minutes))
        known = await answers(cast.XINGTAI_OFFICER.username, failures + 1)
        assert await answers("nobody-here", failures + 1) == known
        assert "分钟后再试" in known[-1]
    kept = await platform["sign_in_tries"].find({}).to_list(None)
    assert len(kept) == 2 and "nobody-here" not in str(kept)


async def test_the_current_password_cannot_be_guessed_from_an_open_session_either(platform: Platform) -> None:
    actor = await signed_in(platform, cast.XINGTAI_OFFICER)
    for _ in range(platform.settings.lockout_failures):
        with pytest.raises(Invalid):
            await sign_in.change_password(platform, actor, "wrong-2026", "another-password-2026")
    with pytest.raises(AccountLocked):
        await sign_in.change_password(platform, actor, cast.XINGTAI_OFFICER.password, "another-password-2026")


async def test_of_many_codes_at_the_same_moment_no_more_are_looked_at_than_the_lockout_allows(
    platform: Platform,
) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    half = await password_step(platform, cast.HEBEI_OFFICER)
    tried = await asyncio.gather(
        *(sign_in.enter_code(platform, half.token, f"x{number:05d}", HERE) for number in range(14)),
        return_exceptions=True,
    )
    looked_at = sum(isinstance(one, CodeRefused) for one in tried)
    assert looked_at == platform.settings.lockout_failures
    assert sum(isinstance(one, AccountLocked) for one in tried) == 14 - looked_at


# ---- Enrolment


async def test_whoever_must_have_a_second_factor_is_told_so_until_it_is_enrolled(
    platform: Platform, clock: FixedClock
) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    await platform["accounts"].update_one({}, {"$set": {"second_factor": None}})
    tokens = [(await password_step(platform, cast.HEBEI_OFFICER)).token for _ in range(2)]
    actor = await sign_in.actor_of_token(platform, tokens[0])
    assert actor.must_enrol
    secret, codes = await enrolled(platform, actor)
    assert not (await sign_in.actor_of_token(platform, tokens[0])).must_enrol
    assert await sign_in.actor_of_token(platform, tokens[1]) is ANYBODY, "it was opened with a password only"
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    account = await stored(platform, cast.HEBEI_OFFICER)
    assert account.second_factor is not None
    assert secret.encode() not in bytes(account.second_factor.secret) and account.enrolling is None
    assert not set(codes) & set(account.second_factor.recovery)
    with pytest.raises(AlreadyEnrolled):
        await begun(platform, actor)
    half = await password_step(platform, cast.HEBEI_OFFICER)
    with pytest.raises(CodeRefused):
        await sign_in.enter_code(platform, half.token, code_of(platform, secret), HERE)
    clock.advance(NEXT_STEP)
    await sign_in.enter_code(platform, half.token, code_of(platform, secret), HERE)


async def test_the_policy_decides_also_for_a_session_that_is_open(platform: Platform) -> None:
    await set_requirement(platform, False)
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    await platform["accounts"].update_one({}, {"$set": {"second_factor": None}})
    token = (await password_step(platform, cast.HEBEI_OFFICER)).token
    assert not (await sign_in.actor_of_token(platform, token)).must_enrol
    await set_requirement(platform, True)
    assert (await sign_in.actor_of_token(platform, token)).must_enrol


async def test_an_institution_may_and_need_not(platform: Platform, clock: FixedClock) -> None:
    actor = await signed_in(platform, cast.XINGTAI_OFFICER)
    assert not actor.must_enrol
    secret, _ = await enrolled(platform, actor)
    clock.advance(NEXT_STEP)
    assert (await password_step(platform, cast.XINGTAI_OFFICER)).half
    await second_factor.remove(platform, actor, code_of(platform, secret))
    assert not (await password_step(platform, cast.XINGTAI_OFFICER)).half


async def test_nothing_is_enrolled_without_the_first_code(platform: Platform) -> None:
    actor = await signed_in(platform, cast.XINGTAI_OFFICER)
    with pytest.raises(NotEnrolled):
        await second_factor.confirm(platform, actor, "123456")
    await begun(platform, actor)
    with pytest.raises(CodeRefused):
        await second_factor.confirm(platform, actor, "not-a-code")
    assert (await stored(platform, cast.XINGTAI_OFFICER)).second_factor is None
    with pytest.raises(NotEnrolled):
        await second_factor.remove(platform, actor, "123456")


async def test_of_two_windows_that_confirm_the_same_enrolment_one_gets_the_codes(platform: Platform) -> None:
    actor = await signed_in(platform, cast.XINGTAI_OFFICER)
    await begun(platform, actor)
    secret = (await second_factor.standing(platform, actor)).secret or ""
    results = await asyncio.gather(
        *(second_factor.confirm(platform, actor, code_of(platform, secret)) for _ in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in results) == ["AlreadyEnrolled", "list"]


# ---- Recovery


def test_a_recovery_code_has_more_bits_than_anybody_guesses() -> None:
    """ASVS 5.0, 6.5.2: with 112 bits a plain hash is enough."""
    for code in second_factor._new_recovery_codes():
        assert len(code.replace("-", "")) * math.log2(31) >= 112


async def test_a_recovery_code_serves_once_in_place_of_the_phone(platform: Platform) -> None:
    actor = await signed_in(platform, cast.XINGTAI_OFFICER)
    _, codes = await enrolled(platform, actor)
    halves = [await password_step(platform, cast.XINGTAI_OFFICER) for _ in range(2)]
    results = await asyncio.gather(
        *(sign_in.enter_code(platform, half.token, codes[3].upper(), HERE) for half in halves),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in results) == ["CodeRefused", "Entered"]
    account = await stored(platform, cast.XINGTAI_OFFICER)
    assert account.second_factor is not None
    assert len(account.second_factor.recovery) == second_factor.RECOVERY_CODES - 1


async def test_new_recovery_codes_replace_the_old_ones_and_cost_a_code(
    platform: Platform, clock: FixedClock
) -> None:
    actor = await signed_in(platform, cast.XINGTAI_OFFICER)
    secret, old = await enrolled(platform, actor)
    with pytest.raises(CodeRefused):
        await second_factor.renew_recovery_codes(platform, actor, code_of(platform, secret))
    clock.advance(NEXT_STEP)
    new = await second_factor.renew_recovery_codes(platform, actor, code_of(platform, secret))
    half = await password_step(platform, cast.XINGTAI_OFFICER)
    with pytest.raises(CodeRefused):
        await sign_in.enter_code(platform, half.token, old[0], HERE)
    await sign_in.enter_code(platform, half.token, new[0], HERE)


async def test_the_centre_takes_a_lost_second_factor_off_and_nobody_does_so_for_themselves(
    platform: Platform,
) -> None:
    centre = await signed_in(platform, cast.CENTRE)
    officer = await signed_in(platform, cast.HEBEI_OFFICER)
    await stage.sign_up(platform, SECOND_CENTRE)
    account = await stored(platform, cast.HEBEI_OFFICER)
    half = await password_step(platform, cast.HEBEI_OFFICER)
    with pytest.raises(NotOneself):
        await staff.reset_second_factor(platform, centre, centre.id, "手机丢失")
    await staff.reset_second_factor(platform, centre, account.id, "手机丢失，已电话核实")
    with pytest.raises(SignInOver):
        await sign_in.half_signed_in(platform, half.token)
    with pytest.raises(Conflict):
        await staff.reset_second_factor(platform, centre, account.id, "再来一次")
    token = (await password_step(platform, cast.HEBEI_OFFICER)).token
    assert (await sign_in.actor_of_token(platform, token)).must_enrol
    colleague = await stored(platform, SECOND_CENTRE)
    await staff.reset_second_factor(platform, centre, colleague.id, "换手机")
    trail = platform["audit"].find({"action": "accounts:reset-second-factor"}).sort("_id", 1)
    assert [(row["subject"], row["facts"]["reason"]) async for row in trail] == [
        (account.id, "手机丢失，已电话核实"),
        (colleague.id, "换手机"),
    ]
    with pytest.raises(NotFound):
        await staff.reset_second_factor(platform, officer, colleague.id, "不归我管")


async def test_the_operator_of_the_server_is_the_last_resort(platform: Platform) -> None:
    await stage.sign_up(platform, cast.CENTRE)
    await reset(platform, cast.CENTRE.username)
    assert (await stored(platform, cast.CENTRE)).second_factor is None
    entry = await platform["audit"].find_one({"action": "accounts:reset-second-factor"})
    assert entry is not None and entry["actor_kind"] == "system"
    with pytest.raises(NotFound):
        await reset(platform, "nobody")


async def test_a_reset_password_leaves_the_second_factor_and_ends_what_was_half_open(
    platform: Platform, clock: FixedClock
) -> None:
    centre = await signed_in(platform, cast.CENTRE)
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    half = await password_step(platform, cast.HEBEI_OFFICER)
    account = await stored(platform, cast.HEBEI_OFFICER)
    _, password = await staff.reset_password(platform, centre, account.id)
    with pytest.raises(SignInOver):
        await sign_in.half_signed_in(platform, half.token)
    entered = await sign_in.sign_in(platform, cast.HEBEI_OFFICER.username, password, HERE)
    assert entered.half
