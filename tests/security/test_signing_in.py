"""Nobody guesses their way in, nobody keeps others out, and nothing opened with an old credential survives a new one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from server.accounts import binding, passwords, phones, second_factor, sign_in, staff, store, totp
from server.accounts.documents import Account, Person
from server.accounts.phones import PhoneAuthenticator
from server.accounts.sign_in import SignInRefused, Where
from server.accounts.staff import AccountDraft
from server.accounts.tries import AccountLocked
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotSignedIn
from server.kernel.identity import ANYBODY, Actor, Role, system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser
from tests.admin.browserless import sign_in as signed_in_browser

HERE = Where("127.0.0.1", "a browser")
NAME = cast.XINGTAI_OFFICER.username
RIGHT = cast.XINGTAI_OFFICER.password
NEW = "another-password-2026"


async def guess(platform: Platform, where: Where = HERE, name: str = NAME) -> type[Exception]:
    with pytest.raises((SignInRefused, AccountLocked)) as refused:
        await sign_in.sign_in(platform, name, "wrong-2026", where)
    return refused.type


async def account_of(platform: Platform, name: str = NAME) -> Account:
    account = await store.account_by_username(platform, name)
    assert account is not None
    return account


async def actor_in(platform: Platform) -> tuple[Actor, str]:
    entered = await sign_in.sign_in(platform, NAME, RIGHT, HERE)
    return await sign_in.actor_of_token(platform, entered.token), entered.token


# ---- guessing


async def test_one_try_now_and_then_keeps_nobody_out(platform: Platform, clock: FixedClock) -> None:
    """A lock that each failure renewed was kept up for ever with one try in fifteen minutes."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    for _ in range(platform.settings.lockout_failures):
        assert await guess(platform) is SignInRefused
    for _ in range(4):
        clock.advance(timedelta(minutes=platform.settings.lockout_minutes))
        assert await guess(platform) is SignInRefused
        assert (await sign_in.sign_in(platform, NAME, RIGHT, HERE)).token


async def test_strangers_lock_out_strangers_and_the_users_own_browser_goes_on(platform: Platform) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    known = await sign_in.sign_in(platform, NAME, RIGHT, HERE)
    for _ in range(platform.settings.lockout_failures):
        await guess(platform)
    with pytest.raises(AccountLocked):
        await sign_in.sign_in(platform, NAME, RIGHT, HERE)
    own = Where("127.0.0.1", "a browser", known.device)
    again = await sign_in.sign_in(platform, NAME, RIGHT, own)
    assert again.device == known.device
    for _ in range(platform.settings.lockout_failures):  # which is no way to guess on
        await guess(platform, own)
    with pytest.raises(AccountLocked):
        await sign_in.sign_in(platform, NAME, RIGHT, own)


async def test_the_mark_of_a_browser_serves_its_own_user_only(platform: Platform) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    await stage.sign_up(platform, cast.YANGZHOU_OFFICER)
    of_another = await sign_in.sign_in(
        platform, cast.YANGZHOU_OFFICER.username, cast.YANGZHOU_OFFICER.password, HERE
    )
    for _ in range(platform.settings.lockout_failures):
        await guess(platform)
    assert await guess(platform, Where("127.0.0.1", "a browser", of_another.device)) is AccountLocked


async def test_a_browser_keeps_its_mark_and_cannot_make_one_up(platform: Platform, site: str) -> None:
    known = await signed_in_browser(platform, site, cast.XINGTAI_OFFICER)
    for _ in range(platform.settings.lockout_failures):
        await guess(platform)
    form = {"username": NAME, "password": RIGHT}
    assert (await known.post("/admin/login", form)).status == 303
    stranger = Browser(site)
    stranger.cookies["device"] = f"{passwords.token_hash(NAME)}.made-up"
    assert (await stranger.post("/admin/login", form)).status == 429


async def test_a_right_password_is_looked_at_beside_wrong_ones_and_admits_no_more_of_them(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over and over, whatever the order: with 5 allowed and one right, 6 at most are looked at. Nine were."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    looked_at: list[str] = []
    fits = passwords.password_fits

    async def counted(account: Account | None, password: str) -> bool:
        looked_at.append(password)
        return await fits(account, password)

    monkeypatch.setattr(passwords, "password_fits", counted)
    for place in range(0, 16, 3):
        await platform["sign_in_tries"].delete_many({})
        looked_at.clear()
        guesses = [f"guess-{number}-2026" for number in range(15)]
        guesses.insert(place, RIGHT)
        await asyncio.gather(
            *(sign_in.sign_in(platform, NAME, one, HERE) for one in guesses), return_exceptions=True
        )
        assert len(looked_at) <= platform.settings.lockout_failures + (RIGHT in looked_at), place


async def test_a_name_that_nobody_has_costs_the_same_work(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same hash and the same commands to the database, as the database itself counts them."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    verified: list[str] = []
    hasher = passwords._hasher

    class Counted:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored.rpartition("$")[0].rpartition("$")[0])  # the method and what it costs
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counted())

    async def work(name: str) -> tuple[list[str], Counter[tuple[str, str]]]:
        verified.clear()
        await platform.db.command("profile", 2)
        try:
            await guess(platform, name=name)
        finally:
            await platform.db.command("profile", 0)
        seen = platform.db["system.profile"].find({"ns": {"$not": {"$regex": "system.profile"}}})
        done = Counter([(row["op"], row["ns"]) async for row in seen])
        await platform.db["system.profile"].drop()
        return list(verified), done

    await work(NAME)  # what is done once only
    assert await work(NAME) == await work("nobody-here")
    assert len(verified) == 1


# ---- a new credential


async def test_a_session_that_opens_while_the_password_changes_opens_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password was looked at before the change, and the session stored after it."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    actor, token = await actor_in(platform)
    fits = passwords.password_fits
    begun, changed = asyncio.Event(), asyncio.Event()

    async def slow(account: Account | None, password: str) -> bool:
        right = await fits(account, password)
        begun.set()
        await changed.wait()
        return right

    monkeypatch.setattr(passwords, "password_fits", slow)
    late = asyncio.create_task(sign_in.sign_in(platform, NAME, RIGHT, HERE))
    await begun.wait()
    monkeypatch.undo()
    await sign_in.change_password(platform, actor, RIGHT, NEW)
    changed.set()
    with pytest.raises(SignInRefused):
        await late
    assert await platform["staff_sessions"].count_documents({}) == 1
    assert (await sign_in.actor_of_token(platform, token)).id == actor.id, "who changes it goes on"


@pytest.mark.parametrize("change", ["password", "reset", "second factor", "deactivated"])
async def test_whatever_was_opened_before_ends_with_the_change_also_where_its_row_stayed(
    platform: Platform, change: str
) -> None:
    """A row that a race or a restored backup has left behind carries the number of its credential."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    actor, _ = await actor_in(platform)
    other = await sign_in.sign_in(platform, NAME, RIGHT, HERE)
    kept = await platform["staff_sessions"].find_one({"_id": passwords.token_hash(other.token)})
    assert kept is not None
    await stage.sign_up(platform, cast.CENTRE)
    centre = staff.actor_of(await account_of(platform, cast.CENTRE.username))
    changes: dict[str, Callable[[], Awaitable[object]]] = {
        "password": lambda: sign_in.change_password(platform, actor, RIGHT, NEW),
        "reset": lambda: staff.reset_password(platform, centre, actor.id),
        "second factor": lambda: enrolled(platform, actor),
        "deactivated": lambda: staff.deactivate(platform, centre, actor.id, "调离本单位"),
    }
    await changes[change]()
    await platform["staff_sessions"].insert_one(kept)
    assert await sign_in.actor_of_token(platform, other.token) is ANYBODY


async def enrolled(platform: Platform, actor: Actor) -> None:
    await second_factor.begin(platform, actor, RIGHT)
    secret = (await second_factor.standing(platform, actor)).secret or ""
    code = totp.code_at(secret, totp.step_at(platform.machine.now()))
    await second_factor.confirm(platform, actor, code)


async def test_of_a_change_and_sign_ins_at_the_same_moment_nothing_old_survives(platform: Platform) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    actor, _ = await actor_in(platform)
    results = await asyncio.gather(
        *(sign_in.sign_in(platform, NAME, RIGHT, HERE) for _ in range(4)),
        sign_in.change_password(platform, actor, RIGHT, NEW),
        return_exceptions=True,
    )
    tokens = [one.token for one in results if isinstance(one, sign_in.Entered)]
    assert [await sign_in.actor_of_token(platform, one) for one in tokens] == [ANYBODY] * len(tokens)


async def test_a_password_that_somebody_else_has_reset_is_not_changed_from_an_old_session(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    await stage.sign_up(platform, cast.CENTRE)
    centre = staff.actor_of(await account_of(platform, cast.CENTRE.username))
    actor, _ = await actor_in(platform)
    hashing = passwords.hash_password

    async def meanwhile(password: str) -> str:
        monkeypatch.undo()
        await staff.reset_password(platform, centre, actor.id)
        return await hashing(password)

    monkeypatch.setattr(passwords, "hash_password", meanwhile)
    with pytest.raises(NotSignedIn):
        await sign_in.change_password(platform, actor, RIGHT, NEW)
    assert (await account_of(platform)).must_change_password


async def test_a_phone_that_logs_in_while_it_is_released_speaks_for_nobody(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    [phone] = opened.trainees
    openid, person_id = phone.actor.openid or "", phone.actor.person_id

    @transactional
    async def release(unit: UnitOfWork) -> None:
        await binding.release(unit, person_id, "换手机")

    read = store.person

    async def meanwhile(scope: Scope, wanted: str) -> Person | None:
        """The log-in has read the binding; the release commits before it does."""
        monkeypatch.undo()
        await release(platform, system("test"))
        return await read(scope, wanted)

    monkeypatch.setattr(store, "person", meanwhile)
    await phones._open_session(platform, ANYBODY, openid, passwords.token_hash("a token"))
    actor = await PhoneAuthenticator(platform).actor_of("a token")
    assert (actor.openid, actor.roles) == (openid, frozenset())


# ---- enrolling, first passwords


async def test_whoever_finds_a_session_open_enrols_no_app(platform: Platform) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    actor, _ = await actor_in(platform)
    for _ in range(platform.settings.lockout_failures):
        with pytest.raises(Invalid) as refused:
            await second_factor.begin(platform, actor, "guessed-2026")
        assert [one.place for one in refused.value.fields] == ["password"]
    with pytest.raises(AccountLocked):
        await second_factor.begin(platform, actor, RIGHT)
    assert (await account_of(platform)).enrolling is None


async def test_a_first_password_that_nobody_has_used_ends(platform: Platform, clock: FixedClock) -> None:
    draft = AccountDraft(username="hebei-new", name="冀试新", role=Role.PROVINCE, province_code="13")
    account, first = await staff.allocate(platform, system("test"), draft)
    clock.advance(timedelta(days=14, seconds=-1))
    assert (await sign_in.sign_in(platform, "hebei-new", first, HERE)).token
    clock.advance(timedelta(seconds=1))
    with pytest.raises(SignInRefused, match="14 天"):
        await sign_in.sign_in(platform, "hebei-new", first, HERE)
    assert await guess(platform, name="hebei-new") is SignInRefused
    await stage.sign_up(platform, cast.CENTRE)
    centre = staff.actor_of(await account_of(platform, cast.CENTRE.username))
    _, second = await staff.reset_password(platform, centre, account.id)
    assert (await sign_in.sign_in(platform, "hebei-new", second, HERE)).token


async def test_a_platform_that_nobody_has_used_gives_its_first_password_anew(
    platform: Platform, clock: FixedClock
) -> None:
    first = await staff.ensure_first_account(platform)
    assert first and await staff.ensure_first_account(platform) is None
    clock.advance(timedelta(days=15))
    second = await staff.ensure_first_account(platform)
    assert second and second != first
    entered = await sign_in.sign_in(platform, "centre", second, HERE)
    assert (await sign_in.actor_of_token(platform, entered.token)).must_change_password
