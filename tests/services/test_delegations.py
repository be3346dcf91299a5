"""代办 on the database: both names stand on what is done, only as long as it holds, and never on what belongs to an account."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server import audit_words
from server.accounts import delegations, staff
from server.accounts.delegation_rules import DelegationClash
from server.accounts.delegations import DelegationDraft
from server.accounts.documents import Account
from server.accounts.staff import ColleagueDraft
from server.kernel import audit
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Forbidden, Invalid, NotFound
from server.kernel.platform import Platform
from server.plans import service as plans
from tests import cast
from tests.admin.browserless import Browser, sign_in
from tests.planning import HEBEI, JIANGSU, YANGZHOU, drafted

PAGE = delegations.PAGE


async def colleague(platform: Platform, username: str, name: str) -> Account:
    first = staff.actor_of(await staff.account_called(platform, cast.XINGTAI_OFFICER.username))
    account, _ = await staff.add_colleague(platform, first, ColleagueDraft(username=username, name=name))
    return account


def draft(platform: Platform, to: Account, first: int = 0, last: int = 3) -> DelegationDraft:
    today = beijing_date(platform.clock.now())
    return DelegationDraft(
        to_id=to.id,
        from_on=today + timedelta(days=first),
        until_on=today + timedelta(days=last),
        reason="年休假",
    )


async def test_both_names_stand_on_what_is_done_as_long_as_it_holds_and_on_nothing_of_an_account(
    platform: Platform, clock: FixedClock, site: str
) -> None:
    plan = await drafted(platform)
    mine: Browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    account = await staff.account_called(platform, cast.XINGTAI_OFFICER.username)
    away = await colleague(platform, "xingtai-two", "李试某")
    new = await delegations.delegate(platform, staff.actor_of(away), draft(platform, account))
    home = await mine.get(PAGE)
    assert "李试某请您代办" in home.text and "1 条未读" in home.html
    taken = await mine.post(f"{PAGE}/{new.id}/stand-in")
    assert taken.status == 303
    both = f"{cast.XINGTAI_OFFICER.name}（代李试某）"
    assert both in (await mine.get("/admin")).text
    await mine.review(f"/admin/plans/{plan.id}", "submit")
    submitted = (await plans.get_plan(platform, HEBEI, plan.id)).history[-1]
    assert (submitted.actor_name, submitted.actor_id) == (both, account.id)
    [entry, *_] = await audit.of_subject(platform, plan.id)
    assert entry["facts"]["on_behalf_of"] == away.id
    told = await audit_words.tell(platform, await audit.recent(platform, before=None, limit=20))
    assert {one.who for one in told} >= {both, cast.XINGTAI_OFFICER.name}, "each entry as it was done"
    for who in (away.name, away.username):
        found = await audit_words.trail(platform, who=who, action="plans:submit", before=None, limit=20)
        assert [(one.who, one.subject_id) for one in found] == [(both, plan.id)], "by who was stood in for"
    for address in ("/admin/accounts", "/admin/accounts/new", "/admin/second-factor"):
        assert (await mine.get(address)).status == 403
    change = {
        "current": cast.XINGTAI_OFFICER.password,
        "new": "a-new-long-password-1",
        "again": "a-new-long-password-1",
    }
    assert "正在代人办理" in (await mine.post("/admin/password", change)).text
    passed_on = await mine.post(f"{PAGE}/new", draft(platform, away).model_dump(mode="json"))
    assert passed_on.status == 403
    platform.machine_clock = FixedClock(clock.now())  # the log-in goes on, the days of the leave pass
    clock.advance(timedelta(days=4))
    assert both not in (await mine.get("/admin")).text, "it ends by itself"
    assert (await mine.get("/admin/accounts")).status == 200


async def test_it_ends_early_by_either_or_from_above_and_nobody_else_sees_it(
    platform: Platform, site: str
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    account = await staff.account_called(platform, cast.XINGTAI_OFFICER.username)
    away = await colleague(platform, "xingtai-two", "李试某")
    third = await colleague(platform, "xingtai-three", "王试某")
    new = await delegations.delegate(platform, staff.actor_of(away), draft(platform, account))
    form = new.model_dump(mode="json", include={"from_on", "until_on"}) | {"to_id": third.id, "reason": "无"}
    refused = await mine.post(f"{PAGE}/new", form)
    assert refused.status == 422 and "事由：至少 2 个字符" in refused.text
    await mine.post(f"{PAGE}/{new.id}/stand-in")
    for stranger in (JIANGSU, YANGZHOU):
        assert await delegations.list_delegations(platform, stranger) == []
        with pytest.raises(NotFound):
            await delegations.end(platform, stranger, new.id, "与我没有关系。")
    with pytest.raises(Forbidden):
        await delegations.end(platform, staff.actor_of(third), new.id, "与我没有关系。")
    with pytest.raises(Invalid):
        await delegations.delegate(platform, HEBEI, draft(platform, account))
    ended = await delegations.end(platform, HEBEI, new.id, "岗位调整。")
    assert ended.ended_by == cast.HEBEI_OFFICER.name
    assert "（代李试某）" not in (await mine.get("/admin")).text, "at the very next request"
    again = await delegations.delegate(platform, staff.actor_of(away), draft(platform, account))
    await mine.post(f"{PAGE}/{again.id}/stand-in")
    first = staff.actor_of(third)
    await staff.deactivate(platform, first, away.id, "离职离岗。")
    assert "（代李试某）" not in (await mine.get("/admin")).text, "nobody stands in for who has left"


async def test_of_two_delegations_that_would_close_a_circle_one_is_kept(
    platform: Platform, site: str
) -> None:
    await sign_in(platform, site, cast.XINGTAI_OFFICER)
    one, two = (
        await colleague(platform, "xingtai-two", "李试某"),
        await colleague(platform, "xingtai-three", "王试某"),
    )
    tried = await asyncio.gather(
        delegations.delegate(platform, staff.actor_of(one), draft(platform, two)),
        delegations.delegate(platform, staff.actor_of(two), draft(platform, one)),
        return_exceptions=True,
    )
    assert sorted(isinstance(each, DelegationClash) for each in tried) == [False, True]
