"""Whoever signs in hears what happened at the account meanwhile: tries of others, and changes to how one signs in."""

from __future__ import annotations

import pytest

from server.accounts import staff
from server.accounts.since_last import BY_RECOVERY_CODE, REFUSED, SIGNED_IN, _between
from server.kernel.identity import Role, system
from server.kernel.platform import Platform
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in

RIGHT = {"username": cast.XINGTAI_OFFICER.username, "password": cast.XINGTAI_OFFICER.password}
WRONG = {**RIGHT, "password": "not-this-one-2026"}
NEWS = "上次登录以来"


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    await browser.post("/admin/login", RIGHT)
    return browser


async def test_tries_of_others_are_told_at_the_next_sign_in_and_once(site: str, mine: Browser) -> None:
    assert NEWS not in (await mine.get("/admin")).text
    for _ in range(2):
        await Browser(site).post("/admin/login", WRONG)
    await mine.post("/admin/login", RIGHT)
    assert "上次登录以来：密码或验证码输错 2 次。如不是您本人所为" in (await mine.get("/admin")).text
    await mine.post("/admin/login", RIGHT)
    assert NEWS not in (await mine.get("/admin")).text


async def test_a_change_to_how_one_signs_in_is_told(platform: Platform, site: str, mine: Browser) -> None:
    new = "another-one-of-mine-2026"
    await mine.post("/admin/password", {"current": RIGHT["password"], "new": new, "again": new})
    elsewhere = Browser(site)
    await elsewhere.post("/admin/login", {**RIGHT, "password": new})
    assert "上次登录以来：密码被修改。" in (await elsewhere.get("/admin")).text


async def test_a_reset_by_an_administrator_is_told(platform: Platform, site: str, mine: Browser) -> None:
    account = await platform["accounts"].find_one({"username": RIGHT["username"]})
    assert account is not None
    _, first = await staff.reset_password(platform, system("test"), account["_id"])
    await mine.post("/admin/login", {**RIGHT, "password": first})
    assert "密码被管理人员重置" in (await mine.get("/admin/password")).text


def test_a_recovery_code_is_news_at_the_sign_in_after_its_own() -> None:
    newest_first = [SIGNED_IN, BY_RECOVERY_CODE, REFUSED, SIGNED_IN]
    assert _between(newest_first) == [REFUSED, SIGNED_IN]
    assert _between([SIGNED_IN, *newest_first]) == [SIGNED_IN, BY_RECOVERY_CODE]


async def test_who_signs_in_for_the_first_time_hears_of_nothing(platform: Platform, site: str) -> None:
    draft = staff.AccountDraft(username="new-centre", name="部试新", role=Role.NATIONAL_CENTRE)
    _, first = await staff.allocate(platform, system("test"), draft)
    browser = Browser(site)
    await browser.post("/admin/login", {"username": "new-centre", "password": first})
    assert NEWS not in (await browser.get("/admin/password")).text


async def test_the_news_of_one_are_not_those_of_another(platform: Platform, site: str, mine: Browser) -> None:
    await Browser(site).post("/admin/login", WRONG)
    other = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert NEWS not in (await other.get("/admin")).text
