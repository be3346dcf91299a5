"""Accounts in bulk: nothing before the confirmation, then all or nothing, and first passwords that exist once (article 25.1)."""

import asyncio
from collections.abc import Sequence

import bson
import pytest

from server.accounts import passwords, sign_in, staff
from server.accounts.documents import AccountBatch, BatchState
from server.accounts.sign_in import SignInRefused, Where
from server.accounts.staff import AccountDraft
from server.institutions import allocation
from server.institutions.account_sheet import ROWS_MOST, Column
from server.institutions.allocation import BatchConfirmed, BatchHasProblems
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound
from server.kernel.identity import Role
from server.kernel.platform import Platform
from server.kernel.spreadsheets import workbook
from tests import cast, stage

CENTRE = stage.actor(cast.CENTRE)
HERE = Where("127.0.0.1", "a browser")
THREE = [
    ("hebei-two", "冀试二", "省级管理部门", "河北", ""),
    ("xingtai-two", "邢试二", "教师培训基地", "", "009"),
    ("changzhou-two", "常试二", "师资研修中心", "江苏", "江苏省常州技师学院"),
]


async def preview(platform: Platform, rows: Sequence[Sequence[str]]) -> AccountBatch:
    sheet = workbook("账号", [(column.title, 20) for column in Column], rows)
    return await allocation.preview(platform, CENTRE, "账号.xlsx", sheet)


async def everything(platform: Platform) -> str:
    """Every document of the database, as text where it is text."""
    rows = [
        bson.encode(row)
        for name in await platform.db.list_collection_names()
        async for row in platform[name].find({})
    ]
    return b"\n".join(rows).decode("utf-8", "replace")


async def test_nothing_is_made_until_it_is_confirmed_and_then_everything(platform: Platform) -> None:
    batch = await preview(platform, THREE)
    assert (len(batch.rows), batch.problems) == (3, [])
    assert await platform["accounts"].count_documents({}) == 0
    given = await allocation.confirm(platform, CENTRE, batch.id)
    assert [account.username for account, _ in given] == [row[0] for row in THREE]
    assert [account.unit for account, _ in given] == [
        (Role.PROVINCE, "13", None),
        (Role.TRAINING_BASE, "13", "009"),
        (Role.TRAINING_CENTRE, "32", "017"),
    ]
    for account, password in given:
        entered = await sign_in.sign_in(platform, account.username, password, HERE)
        assert (await sign_in.actor_of_token(platform, entered.token)).must_change_password
    entries = [row async for row in platform["audit"].find({"action": "accounts:allocate"})]
    assert {row["subject"] for row in entries} == {account.id for account, _ in given}


async def test_no_first_password_is_kept_anywhere(platform: Platform) -> None:
    batch = await preview(platform, THREE)
    given = await allocation.confirm(platform, CENTRE, batch.id)
    kept = await everything(platform)
    assert "xingtai-two" in kept
    assert [password for _, password in given if password in kept] == []


async def test_a_username_that_is_taken_or_was_stands_in_the_preview(platform: Platform) -> None:
    draft = AccountDraft(username="xingtai-two", name="已有者", role=Role.NATIONAL_CENTRE)
    await staff.allocate(platform, CENTRE, draft)
    await platform["accounts"].update_one({}, {"$set": {"deactivated_at": platform.clock.now()}})
    batch = await preview(platform, THREE)
    [problem] = batch.problems
    assert (problem.row, problem.column, problem.letters) == (3, "用户名", "A")
    assert [row.row for row in batch.rows] == [2, 4]
    with pytest.raises(BatchHasProblems):
        await allocation.confirm(platform, CENTRE, batch.id)
    assert await platform["accounts"].count_documents({}) == 1


async def test_what_changed_since_the_preview_stops_the_whole_batch(platform: Platform) -> None:
    batch = await preview(platform, THREE)
    draft = AccountDraft(username="changzhou-two", name="抢先者", role=Role.NATIONAL_CENTRE)
    await staff.allocate(platform, CENTRE, draft)
    with pytest.raises(BatchHasProblems, match="被别人用了"):
        await allocation.confirm(platform, CENTRE, batch.id)
    assert await platform["accounts"].count_documents({}) == 1
    assert (await allocation.get_batch(platform, batch.id)).state is BatchState.PREVIEW


async def test_an_institution_that_lost_its_qualification_stops_the_whole_batch(platform: Platform) -> None:
    batch = await preview(platform, THREE)
    await platform["institutions"].update_one({"_id": "009"}, {"$set": {"qualifications": []}})
    with pytest.raises(BatchHasProblems, match="资格变了"):
        await allocation.confirm(platform, CENTRE, batch.id)
    assert await platform["accounts"].count_documents({}) == 0


async def test_confirmed_twice_at_the_same_moment_the_accounts_are_made_once(platform: Platform) -> None:
    batch = await preview(platform, THREE)
    results = await asyncio.gather(
        *(allocation.confirm(platform, CENTRE, batch.id) for _ in range(2)), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, BatchConfirmed | BatchHasProblems)]
    assert len(refused) == 1
    assert await platform["accounts"].count_documents({}) == 3
    with pytest.raises(BatchConfirmed):
        await allocation.confirm(platform, CENTRE, batch.id)


async def test_a_sheet_that_never_arrived_is_made_anew_for_those_who_have_not_signed_in(
    platform: Platform,
) -> None:
    batch = await preview(platform, THREE)
    given = dict(
        zip((row[0] for row in THREE), await allocation.confirm(platform, CENTRE, batch.id), strict=True)
    )
    account, first = given["xingtai-two"]
    await sign_in.change_password(platform, staff.actor_of(account), first, "a-new-one-2026")
    again = await allocation.reissue(platform, CENTRE, batch.id)
    assert [one.username for one, _ in again] == ["hebei-two", "changzhou-two"]
    with pytest.raises(SignInRefused):
        await sign_in.sign_in(platform, "hebei-two", given["hebei-two"][1], HERE)
    await sign_in.sign_in(platform, "hebei-two", again[0][1], HERE)
    await sign_in.sign_in(platform, "xingtai-two", "a-new-one-2026", HERE)


async def test_a_preview_is_over_after_a_day_and_a_confirmed_one_stays(
    platform: Platform, clock: FixedClock
) -> None:
    batch = await preview(platform, THREE[:1])
    done = await preview(platform, THREE[1:])
    await allocation.confirm(platform, CENTRE, done.id)
    clock.advance(allocation.PREVIEW_LIFE)
    with pytest.raises(NotFound):
        await allocation.confirm(platform, CENTRE, batch.id)
    assert (await allocation.get_batch(platform, done.id)).state is BatchState.CONFIRMED


async def test_the_largest_batch_hashes_a_few_at_once_and_outside_the_transaction(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = 0, 0

    async def counted(password: str) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return f"hash of {password}"

    monkeypatch.setattr(passwords, "hash_password", counted)
    rows = [(f"user-{number:03d}", "邢试众", "教师培训基地", "", "009") for number in range(ROWS_MOST)]
    given = await allocation.confirm(platform, CENTRE, (await preview(platform, rows)).id)
    assert most == passwords.HASHED_AT_ONCE
    assert [account.password_hash for account, _ in given] == [f"hash of {one}" for _, one in given]
    assert await platform["accounts"].count_documents({}) == ROWS_MOST
