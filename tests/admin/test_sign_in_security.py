"""The door: cookies, forged forms, first passwords, lockout, revoked sessions, and where one is led afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tornado.web import create_signed_value, decode_signed_value

from server.accounts import staff
from server.accounts.staff import AccountDraft
from server.kernel.clock import FixedClock
from server.kernel.identity import Role, system
from server.kernel.platform import Platform
from server.kernel.web import SECURITY_HEADERS
from server.settings import Settings
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in

RIGHT = {"username": cast.XINGTAI_OFFICER.username, "password": cast.XINGTAI_OFFICER.password}
WRONG = {**RIGHT, "password": "not-this-one-2026"}
NEW_PASSWORD = "a-new-password-2026"


async def test_the_cookies_cannot_be_read_by_scripts_nor_sent_by_other_sites(
    platform: Platform, site: str
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    await browser.get("/admin/login")
    [xsrf] = browser.set_cookies
    await browser.post("/admin/login", RIGHT)
    [session] = [line for line in browser.set_cookies if line.startswith("session=")]
    for line in (xsrf, session):
        assert "httponly" in line.lower() and "samesite=lax" in line.lower()
        assert "path=/" in line.lower()


async def test_a_form_without_its_token_does_nothing_and_says_what_to_do(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    for path in ("/admin/logout", "/admin/plans/new", "/admin/password"):
        answer = await browser.post(path, xsrf=False)
        assert answer.status == 403 and "返回上一页刷新" in answer.text
    assert (await browser.get("/admin")).status == 200  # still signed in


async def test_every_page_carries_the_security_headers(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.CENTRE)
    for path in ("/admin", "/admin/login", "/admin/audit", "/admin/no-such-page", "/admin/plans"):
        answer = await browser.get(path)
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["X-Request-Id"] in answer.text


async def test_a_wrong_name_and_a_wrong_password_are_refused_in_the_same_words(
    platform: Platform, site: str
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    wrong = await browser.post("/admin/login", WRONG)
    unknown = await browser.post("/admin/login", {**WRONG, "username": "nobody-here"})
    assert wrong.status == unknown.status == 422
    assert "用户名或密码不正确" in wrong.text and "用户名或密码不正确" in unknown.text
    assert WRONG["password"] not in wrong.html
    assert "session" not in browser.cookies


async def test_five_failures_lock_the_account_for_a_while(
    platform: Platform, site: str, clock: FixedClock
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    for _ in range(platform.settings.lockout_failures):
        assert (await browser.post("/admin/login", WRONG)).status == 422
    locked = await browser.post("/admin/login", RIGHT)
    assert locked.status == 429 and "15 分钟后再试" in locked.text
    clock.advance(timedelta(minutes=platform.settings.lockout_minutes, seconds=1))
    assert (await browser.post("/admin/login", RIGHT)).status == 303


async def test_a_success_before_the_fifth_failure_starts_the_count_anew(
    platform: Platform, site: str
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    for _ in range(2):
        for _ in range(platform.settings.lockout_failures - 1):
            await browser.post("/admin/login", WRONG)
        assert (await browser.post("/admin/login", RIGHT)).status == 303


async def test_a_first_password_must_be_changed_before_anything_else(platform: Platform, site: str) -> None:
    draft = AccountDraft(username="new-centre", name="部试新", role=Role.NATIONAL_CENTRE)
    _, first = await staff.allocate(platform, system("test"), draft)
    browser = Browser(site)
    await browser.post("/admin/login", {"username": "new-centre", "password": first})
    for path in ("/admin", "/admin/accounts", "/admin/classes", "/admin/sessions"):
        answer = await browser.get(path)
        assert (answer.status, answer.location) == (302, "/admin/password")
    assert (await browser.post("/admin/accounts/new", {})).location == "/admin/password"
    change = {"current": first, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    for wrong, place in (
        ({**change, "current": "guessed"}, "current"),
        ({**change, "again": "something-else-2026"}, "again"),
        ({**change, "new": first, "again": first}, "new"),
        ({**change, "new": "short", "again": "short"}, "new"),
    ):
        refused = await browser.post("/admin/password", wrong)
        assert refused.status == 422
        assert f'id="field-{place}-error"' in refused.html and first not in refused.html
    assert (await browser.post("/admin/password", change)).location == "/admin"
    assert (await browser.get("/admin/accounts")).location == "/admin/second-factor"
    assert (
        await Browser(site).post("/admin/login", {"username": "new-centre", "password": first})
    ).status == 422


async def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(
    platform: Platform, site: str
) -> None:
    here = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    elsewhere = Browser(site)
    await elsewhere.post("/admin/login", RIGHT)
    change = {"current": RIGHT["password"], "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    await here.post("/admin/password", change)
    assert (await here.get("/admin")).status == 200
    assert (await elsewhere.get("/admin")).location.startswith("/admin/login")


async def test_a_revoked_session_is_out_at_its_next_request(platform: Platform, site: str) -> None:
    here = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    elsewhere = Browser(site)
    await elsewhere.post("/admin/login", RIGHT)
    stranger = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    [other] = [
        part[:64]
        for part in (await here.get("/admin/sessions")).html.split("/admin/sessions/")[1:]
        if part[64:].startswith("/revoke")
    ]
    assert (await stranger.post(f"/admin/sessions/{other}/revoke")).status == 404
    assert (await elsewhere.get("/admin")).status == 200
    await here.post(f"/admin/sessions/{other}/revoke")
    assert (await elsewhere.get("/admin")).location.startswith("/admin/login")


async def test_a_session_is_over_after_its_hours_and_after_signing_out(
    platform: Platform, site: str, clock: FixedClock
) -> None:
    leaving = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    kept = dict(leaving.cookies)
    await leaving.post("/admin/logout")
    leaving.cookies = kept  # a copied cookie opens nothing any more
    assert (await leaving.get("/admin")).location.startswith("/admin/login")
    staying = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    clock.advance(timedelta(hours=platform.settings.session_hours, seconds=1))
    assert (await staying.get("/admin")).location.startswith("/admin/login")


async def test_a_cookie_of_ones_own_making_opens_nothing(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    forged = Browser(site)
    for value in ("x", browser.cookies["session"][:-3] + "abc", "2|1:0|10:0|7:session|4:eHh4|00"):
        forged.cookies["session"] = value
        assert (await forged.get("/admin")).location.startswith("/admin/login")


async def test_a_cookie_signed_in_the_manner_of_old_opens_nothing(platform: Platform, site: str) -> None:
    """ASVS 5.0, 9.1.2: one algorithm, whatever a token says of itself."""
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    secret = platform.settings.cookie_secret.get_secret_value()
    token = decode_signed_value(secret, "session", browser.cookies["session"].strip('"'))
    assert token is not None
    for version, opens in ((1, False), (2, True)):
        browser.cookies["session"] = create_signed_value(secret, "session", token, version=version).decode()
        assert ((await browser.get("/admin")).status == 200) is opens


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "javascript:alert(1)",
        "\t//evil.test",
        "/\t/evil.test",
        "https:/evil.test",
    ],
)
async def test_signing_in_never_leads_to_another_site(platform: Platform, site: str, elsewhere: str) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    answer = await browser.post("/admin/login", {**RIGHT, "next": elsewhere})
    assert answer.status == 303
    assert answer.location.startswith("/") and not answer.location.startswith(("//", "/\\", "/\t"))


async def test_who_was_stopped_on_the_way_is_led_there_after_signing_in(
    platform: Platform, site: str
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    stopped = await browser.get("/admin/classes?level=3")
    assert stopped.location == "/admin/login?next=%2Fadmin%2Fclasses%3Flevel%3D3"
    answer = await browser.post(stopped.location, RIGHT)
    assert answer.location == "/admin/classes?level=3"


async def test_a_page_of_others_is_refused_with_what_to_do(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    for path in ("/admin/accounts/batches", "/admin/audit", "/admin/backbone/new"):
        answer = await browser.get(path)
        assert answer.status == 403 and "请联系上级管理部门" in answer.text


async def test_a_session_that_nobody_uses_is_over_and_is_listed_no_more(
    platform: Platform, site: str, clock: FixedClock
) -> None:
    usual = Settings.model_fields["session_idle_minutes"].default
    platform.settings = platform.settings.model_copy(update={"session_idle_minutes": usual})
    left = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    idle = timedelta(minutes=usual)
    for _ in range(2):  # each request begins it anew
        clock.advance(idle - timedelta(minutes=2))
        assert (await left.get("/admin")).status == 200
    clock.advance(idle + timedelta(seconds=1))
    assert (await left.get("/admin")).location.startswith("/admin/login")
    here = Browser(site)
    await here.post("/admin/login", RIGHT)
    assert '/revoke"' not in (await here.get("/admin/sessions")).html.replace('revoke-others"', "")


async def test_signing_in_again_takes_the_place_of_the_session_before(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    copied = Browser(site)
    copied.cookies = dict(browser.cookies)
    await browser.post("/admin/login", RIGHT)
    assert (await browser.get("/admin")).status == 200
    assert (await copied.get("/admin")).location.startswith("/admin/login")
    assert await platform["staff_sessions"].count_documents({}) == 1


async def test_a_password_is_what_was_typed_with_its_blanks(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    new = f" {NEW_PASSWORD} "
    change = {"current": RIGHT["password"], "new": new, "again": new}
    assert (await browser.post("/admin/password", change)).status == 303
    assert (await Browser(site).post("/admin/login", {**RIGHT, "password": NEW_PASSWORD})).status == 422
    assert (await Browser(site).post("/admin/login", {**RIGHT, "password": new})).status == 303
