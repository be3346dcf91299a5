"""A unit looks after its own staff; who leaves leaves for good, and history keeps the name (article 25.1)."""

import asyncio

import pytest

from server.accounts import sign_in, staff, store
from server.accounts.account_names import AccountNameInvalid
from server.accounts.documents import Account, AccountFilter
from server.accounts.sign_in import SignInRefused, Where
from server.accounts.staff import (
    AccountDraft,
    AlreadyDeactivated,
    ColleagueDraft,
    NotOneself,
    StillActive,
    UsernameTaken,
)
from server.institutions import service as institutions
from server.kernel.errors import Forbidden, NotFound
from server.kernel.identity import ANYBODY, Actor, Role
from server.kernel.mongo import ensure_indexes
from server.kernel.platform import Platform
from tests import cast, stage
from tests.cast import Officer

HERE = Where("127.0.0.1", "a browser")
REASON = "调离本单位"
NEIGHBOURS = (cast.YANGZHOU_OFFICER, cast.CHANGZHOU_OFFICER, cast.JIANGSU_OFFICER)


async def of(platform: Platform, officer: Officer) -> Actor:
    """The officer with an account that is stored."""
    await stage.sign_up(platform, officer)
    account = await store.account_by_username(platform, officer.username)
    assert account is not None
    return staff.actor_of(account)


async def colleague_of(platform: Platform, actor: Actor, username: str = "colleague") -> tuple[Account, str]:
    return await staff.add_colleague(platform, actor, ColleagueDraft(username=username, name="同事甲"))


async def names(platform: Platform, actor: Actor, wanted: AccountFilter | None = None) -> list[str]:
    found = await staff.accounts(platform, actor, wanted or AccountFilter(), limit=50)
    return [one.username for one in found]


@pytest.mark.parametrize("officer", cast.OFFICERS)
async def test_a_colleague_has_the_same_office_and_never_more(platform: Platform, officer: Officer) -> None:
    actor = await of(platform, officer)
    colleague, password = await colleague_of(platform, actor)
    assert colleague.unit == (officer.role, officer.province_code, officer.institution_code)
    assert colleague.must_change_password
    entered = await sign_in.sign_in(platform, "colleague", password, HERE)
    theirs = await sign_in.actor_of_token(platform, entered.token)
    assert (theirs.roles, theirs.jurisdiction) == (actor.roles, actor.jurisdiction)
    with pytest.raises(UsernameTaken):
        await colleague_of(platform, actor)


async def test_nobody_gives_a_colleague_the_name_of_another_office(platform: Platform) -> None:
    await institutions.ensure_annex_1(platform)
    actor = await of(platform, cast.XINGTAI_OFFICER)
    for name in ("河北省 示例管理员", "江苏省常州技师学院", "部指导中心管理员"):
        with pytest.raises(AccountNameInvalid):
            await institutions.add_colleague(platform, actor, ColleagueDraft(username="other", name=name))
    mine = ColleagueDraft(username="own", name="邢台技师学院 李试四")
    assert (await institutions.add_colleague(platform, actor, mine))[0].name == mine.name


async def test_each_sees_the_own_unit_and_the_centre_everybody(platform: Platform) -> None:
    actors = {officer.username: await of(platform, officer) for officer in cast.OFFICERS}
    for officer in cast.OFFICERS[1:]:
        assert await names(platform, actors[officer.username]) == [officer.username]
    centre = actors[cast.CENTRE.username]
    assert await names(platform, centre) == sorted(actors)
    assert await names(platform, centre, AccountFilter(role=Role.PROVINCE)) == [
        "hebei-sheng",
        "jiangsu-sheng",
    ]
    assert await names(platform, centre, AccountFilter(words="扬试")) == ["yangzhou-019"]
    first = await staff.accounts(platform, centre, limit=4)
    rest = await staff.accounts(platform, centre, after_id=first[-1].id, limit=4)
    assert [one.username for one in (*first, *rest)] == sorted(actors)


async def test_one_school_with_two_offices_keeps_their_staff_apart(platform: Platform) -> None:
    """A school may be 师资研修中心 and 教师培训基地 at once: each has its own accounts."""
    base = await of(platform, cast.XINGTAI_OFFICER)
    both = Officer("xingtai-centre", "邢试庚", Role.TRAINING_CENTRE, cast.HEBEI, cast.XINGTAI)
    other = await of(platform, both)
    assert await names(platform, base) == ["xingtai-009"]
    with pytest.raises(NotFound):
        await staff.reset_password(platform, base, other.id)


@pytest.mark.parametrize("stranger", [*NEIGHBOURS, cast.HEBEI_OFFICER])
async def test_for_a_neighbour_and_for_the_province_above_a_colleague_does_not_exist(
    platform: Platform, stranger: Officer
) -> None:
    colleague, _ = await colleague_of(platform, await of(platform, cast.XINGTAI_OFFICER))
    actor = await of(platform, stranger)
    with pytest.raises(NotFound):
        await staff.get_account(platform, actor, colleague.id)
    with pytest.raises(NotFound):
        await staff.reset_password(platform, actor, colleague.id)
    with pytest.raises(NotFound):
        await staff.deactivate(platform, actor, colleague.id, REASON)
    account = await store.account(platform, colleague.id)
    assert account == colleague


async def test_who_leaves_is_out_at_once_and_the_name_stays(platform: Platform) -> None:
    officer = await of(platform, cast.XINGTAI_OFFICER)
    colleague, password = await colleague_of(platform, officer)
    token = (await sign_in.sign_in(platform, "colleague", password, HERE)).token
    await staff.deactivate(platform, officer, colleague.id, REASON)
    assert await sign_in.actor_of_token(platform, token) is ANYBODY
    with pytest.raises(SignInRefused, match="已停用"):
        await sign_in.sign_in(platform, "colleague", password, HERE)
    with pytest.raises(SignInRefused, match="用户名或密码"):
        await sign_in.sign_in(platform, "colleague", "guessed-2026", HERE)
    with pytest.raises(UsernameTaken):
        await colleague_of(platform, officer)
    with pytest.raises(AlreadyDeactivated):
        await staff.deactivate(platform, officer, colleague.id, REASON)
    with pytest.raises(AlreadyDeactivated):
        await staff.reset_password(platform, officer, colleague.id)
    assert await names(platform, officer, AccountFilter(deactivated=True)) == ["colleague"]
    assert await names(platform, officer, AccountFilter(deactivated=False)) == ["xingtai-009"]
    entry = await platform["audit"].find_one({"action": "accounts:deactivate"})
    assert entry is not None and entry["facts"] == {"username": "colleague", "reason": REASON}
    signed = await platform["audit"].find_one({"action": "accounts:sign-in", "subject": colleague.id})
    assert signed is not None and signed["actor_name"] == "同事甲"


async def test_a_session_that_opens_while_somebody_leaves_opens_nothing(platform: Platform) -> None:
    """The password was checked before, the session was stored after."""
    officer = await of(platform, cast.XINGTAI_OFFICER)
    colleague, password = await colleague_of(platform, officer)
    token = (await sign_in.sign_in(platform, "colleague", password, HERE)).token
    await platform["accounts"].update_one(
        {"_id": colleague.id}, {"$set": {"deactivated_at": platform.clock.now()}}
    )
    assert await sign_in.actor_of_token(platform, token) is ANYBODY


async def test_who_is_alone_in_a_unit_is_told_so(platform: Platform) -> None:
    officer = await of(platform, cast.XINGTAI_OFFICER)
    await of(platform, cast.HEBEI_OFFICER)
    assert await staff.is_alone(platform, officer)
    colleague, _ = await colleague_of(platform, officer)
    assert not await staff.is_alone(platform, officer)
    await staff.deactivate(platform, officer, colleague.id, REASON)
    assert await staff.is_alone(platform, officer)


async def test_nobody_ends_the_own_account_so_a_unit_keeps_one(platform: Platform) -> None:
    officer = await of(platform, cast.XINGTAI_OFFICER)
    with pytest.raises(NotOneself):
        await staff.deactivate(platform, officer, officer.id, REASON)
    centre = await of(platform, cast.CENTRE)
    await staff.deactivate(platform, centre, officer.id, "基地资格已取消")
    assert await names(platform, centre, AccountFilter(deactivated=True)) == ["xingtai-009"]


async def test_of_two_who_deactivate_each_other_at_the_same_moment_one_stays(platform: Platform) -> None:
    officer = await of(platform, cast.XINGTAI_OFFICER)
    account, _ = await colleague_of(platform, officer)
    colleague = staff.actor_of(account)
    results = await asyncio.gather(
        staff.deactivate(platform, officer, colleague.id, REASON),
        staff.deactivate(platform, colleague, officer.id, REASON),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Account) for one in results) == 1
    assert sum(isinstance(one, Forbidden | AlreadyDeactivated) for one in results) == 1
    assert await platform["accounts"].count_documents({"deactivated_at": None}) == 1


async def test_the_centre_brings_somebody_back_as_if_newly_allocated(platform: Platform) -> None:
    centre = await of(platform, cast.CENTRE)
    officer = await of(platform, cast.HEBEI_OFFICER)
    with pytest.raises(StillActive):
        await staff.reactivate(platform, centre, officer.id, "返岗")
    await staff.deactivate(platform, centre, officer.id, REASON)
    account, password = await staff.reactivate(platform, centre, officer.id, "返岗")
    with pytest.raises(SignInRefused):
        await sign_in.sign_in(platform, "hebei-sheng", cast.HEBEI_OFFICER.password, HERE)
    entered = await sign_in.sign_in(platform, "hebei-sheng", password, HERE)
    actor = await sign_in.actor_of_token(platform, entered.token)
    assert (actor.id, actor.must_change_password, actor.must_enrol) == (account.id, True, True)


async def test_all_other_sessions_end_and_the_one_that_asks_stays(platform: Platform) -> None:
    await of(platform, cast.XINGTAI_OFFICER)
    tokens = []
    for _ in range(3):
        entered = await sign_in.sign_in(
            platform, cast.XINGTAI_OFFICER.username, cast.XINGTAI_OFFICER.password, HERE
        )
        tokens.append(entered.token)
    mine = await sign_in.actor_of_token(platform, tokens[1])
    await sign_in.revoke_other_sessions(platform, mine)
    actors = [await sign_in.actor_of_token(platform, token) for token in tokens]
    assert [one is ANYBODY for one in actors] == [True, False, True]


async def test_a_list_of_accounts_runs_on_an_index(platform: Platform) -> None:
    officer = await of(platform, cast.XINGTAI_OFFICER)
    await ensure_indexes(platform.db, [one for one in store.COLLECTIONS if one.name == "accounts"])
    reach = {"$and": [staff.managed_by(officer), {"username": {"$gt": ""}}]}
    plan = await platform["accounts"].find(reach).sort("username", 1).limit(51).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


async def test_an_allocated_username_is_one_account_whoever_is_first(platform: Platform) -> None:
    centre = await of(platform, cast.CENTRE)
    draft = AccountDraft(username="twice", name="部试壬", role=Role.NATIONAL_CENTRE)
    results = await asyncio.gather(
        *(staff.allocate(platform, centre, draft) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, UsernameTaken) for one in results) == 1
