"""Accounts over HTTP: two steps to sign in, the own second factor, colleagues, bulk allocation, sessions and rights."""

from __future__ import annotations

import base64
import html
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook

from scripts.before_class import centre_prepares
from server.accounts import second_factor, staff, totp
from server.accounts.fictional import make_person
from server.accounts.sign_in import HALF_LIFE
from server.accounts.staff import AccountDraft
from server.institutions.account_sheet import Column
from server.kernel.clock import FixedClock
from server.kernel.identity import Role, system
from server.kernel.permissions import CHAPTERS, ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.kernel.spreadsheets import workbook
from tests import cast, stage
from tests.admin.browserless import Browser, Shown, sign_in

NEXT_STEP = timedelta(seconds=totp.STEP_SECONDS)
HEBEI = cast.HEBEI_OFFICER
PASSWORD_OF_HEBEI = {"username": HEBEI.username, "password": HEBEI.password}
REASON = {"reason": "调离本单位"}
BATCHES = "/admin/accounts/batches"
ROWS = [
    ("hebei-two", "冀试二", "省级管理部门", "河北", ""),
    ("xingtai-two", "邢试二", "教师培训基地", "", "009"),
]


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


def sheet(*rows: tuple[str, ...]) -> bytes:
    return workbook("账号", [(column.title, 20) for column in Column], rows)


def secret_on(page: Shown) -> str:
    found = re.search(r'data-key="([A-Z2-7]{32})"', page.html)
    assert found, page.text
    return found[1]


def code_of(platform: Platform, secret: str) -> str:
    return totp.code_at(secret, totp.step_at(platform.clock.now()))


def passwords_on(page: Shown) -> dict[str, str]:
    """The workbook inside the page: username → first password."""
    found = re.search(r'href="data:[^;]+;base64,([^"]+)" download="([^"]+)"', page.html)
    assert found, page.text
    assert found[2] == "初始密码-2026-03-16.xlsx"
    book = load_workbook(io.BytesIO(base64.b64decode(html.unescape(found[1]))))
    _, *rows = book.active.iter_rows(values_only=True) if book.active else []
    return {str(row[0]): str(row[1]) for row in rows}


OWN = {"password": cast.XINGTAI_OFFICER.password}


async def account_id(platform: Platform, username: str) -> str:
    row = await platform["accounts"].find_one({"username": username})
    assert row is not None
    return str(row["_id"])


# ---- Two steps


async def test_after_the_password_the_code_is_asked_and_nothing_opens_before(
    platform: Platform, site: str
) -> None:
    await stage.sign_up(platform, HEBEI)
    browser = Browser(site)
    asked = await browser.post("/admin/login", {**PASSWORD_OF_HEBEI, "next": "/admin/plans"})
    assert asked.location == "/admin/login/code?next=%2Fadmin%2Fplans"
    assert any("HttpOnly" in line and "Path=/admin/login" in line for line in browser.set_cookies)
    assert (await browser.get("/admin")).location.startswith("/admin/login?")
    page = await browser.get(asked.location)
    assert page.status == 200 and "6 位数字" in page.text
    assert 'inputmode="numeric"' in page.html and "恢复码" in page.text
    wrong = await browser.post(asked.location, {"code": "12345"})
    assert wrong.status == 422 and 'id="field-code-error"' in wrong.html
    right = await browser.post(asked.location, {"code": stage.code_for(platform, HEBEI)})
    assert (right.status, right.location) == (303, "/admin/plans")
    assert (await browser.get("/admin")).status == 200


async def test_a_code_that_comes_too_late_leads_back_to_the_password(
    platform: Platform, site: str, clock: FixedClock
) -> None:
    await stage.sign_up(platform, HEBEI)
    browser = Browser(site)
    await browser.post("/admin/login", PASSWORD_OF_HEBEI)
    clock.advance(HALF_LIFE)
    late = await browser.post("/admin/login/code", {"code": stage.code_for(platform, HEBEI)})
    assert late.location == "/admin/login?next=%2Fadmin"
    assert "太久没有输入验证码" in (await browser.get(late.location)).text
    assert (await Browser(site).get("/admin/login/code")).location.startswith("/admin/login?")


async def test_who_must_have_a_second_factor_is_led_to_it_before_anything_else(
    platform: Platform, site: str, clock: FixedClock
) -> None:
    draft = AccountDraft(username="hebei-new", name="冀试新", role=Role.PROVINCE, province_code="13")
    _, first = await staff.allocate(platform, system("test"), draft)
    browser = Browser(site)
    await browser.post("/admin/login", {"username": "hebei-new", "password": first})
    assert (await browser.get("/admin/second-factor")).location == "/admin/password"
    changed = f"{first}-2026"
    await browser.post("/admin/password", {"current": first, "new": changed, "again": changed})
    for path in ("/admin", "/admin/plans", "/admin/accounts", "/admin/sessions", "/admin/password"):
        assert (await browser.get(path)).location == "/admin/second-factor"
    assert (await browser.post("/admin/second-factor/remove")).location == "/admin/second-factor"
    offered = await browser.get("/admin/second-factor")
    assert "开始设置" in offered.text and "主导航" not in offered.html
    began = await browser.post("/admin/second-factor", {"password": changed})
    assert began.location == "/admin/second-factor"
    secret = secret_on(await browser.get("/admin/second-factor"))
    wrong = await browser.post("/admin/second-factor/confirm", {"code": "12345"})
    assert wrong.status == 422 and secret_on(wrong) == secret
    codes = await browser.post("/admin/second-factor/confirm", {"code": code_of(platform, secret)})
    assert "恢复码只显示这一次" in codes.text and codes.headers["Cache-Control"] == "no-store"
    assert len(re.findall(r"([a-z2-9]{4}-){3}[a-z2-9]{4}</li>", codes.html)) == second_factor.RECOVERY_CODES
    assert (await browser.get("/admin")).status == 200
    own = await browser.get("/admin/second-factor")
    assert "两步验证已开通" in own.text and secret not in own.html
    clock.advance(NEXT_STEP)
    again = Browser(site)
    entered = await again.post("/admin/login", {"username": "hebei-new", "password": changed})
    assert entered.location.startswith("/admin/login/code")
    assert (await again.post(entered.location, {"code": code_of(platform, secret)})).location == "/admin"


async def test_the_journey_enrols_on_a_platform_that_nobody_has_used_yet(
    platform: Platform, site: str, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """`scripts/demo` without `--demo` on the other side; it computes the codes by the machine's clock."""
    clock.set(datetime.now(UTC).replace(microsecond=0))
    first = await staff.ensure_first_account(platform)
    assert first is not None
    officer, province = await centre_prepares(site, first, "", "000001", make_person(1))
    await officer.close()
    await province.close()
    enrolled = platform["accounts"].find({"second_factor": {"$ne": None}}).sort("username", 1)
    assert [row["username"] async for row in enrolled] == ["centre", "hebei-000001"]
    assert "验证器的密钥" in capsys.readouterr().out


async def test_an_institution_turns_it_on_and_off(
    platform: Platform, mine: Browser, clock: FixedClock
) -> None:
    assert "别人知道了密码也登录不了" in (await mine.get("/admin/second-factor")).text
    await mine.post("/admin/second-factor", OWN)
    secret = secret_on(await mine.get("/admin/second-factor"))
    await mine.post("/admin/second-factor/confirm", {"code": code_of(platform, secret)})
    again = await mine.post("/admin/second-factor/confirm", {"code": code_of(platform, secret)})
    assert again.status == 409 and (await mine.post("/admin/second-factor", OWN)).status == 409
    clock.advance(NEXT_STEP)
    renewed = await mine.post("/admin/second-factor/recovery-codes", {"code": code_of(platform, secret)})
    assert renewed.status == 200 and "恢复码只显示这一次" in renewed.text
    used = await mine.post("/admin/second-factor/remove", {"code": code_of(platform, secret)})
    assert used.status == 422 and "已经用过" in used.text
    clock.advance(NEXT_STEP)
    await mine.post("/admin/second-factor/remove", {"code": code_of(platform, secret)})
    assert "两步验证已停用" in (await mine.get("/admin/second-factor")).text


async def test_a_recovery_code_opens_the_door_once(platform: Platform, site: str, mine: Browser) -> None:
    await mine.post("/admin/second-factor", OWN)
    secret = secret_on(await mine.get("/admin/second-factor"))
    shown = await mine.post("/admin/second-factor/confirm", {"code": code_of(platform, secret)})
    found = re.search(r"([a-z2-9]{4}-){5}[a-z2-9]{4}", shown.html)
    assert found is not None
    password = {"username": cast.XINGTAI_OFFICER.username, "password": cast.XINGTAI_OFFICER.password}
    for status in (303, 422):
        browser = Browser(site)
        await browser.post("/admin/login", password)
        assert "恢复码" in (await browser.get("/admin/login/code?recovery=1")).text
        assert (await browser.post("/admin/login/code?recovery=1", {"code": found[0]})).status == status


# ---- Colleagues


async def test_a_unit_adds_resets_and_ends_the_account_of_a_colleague(
    platform: Platform, site: str, mine: Browser, clock: FixedClock
) -> None:
    page = await mine.get("/admin/accounts/new")
    assert "新账号和您的账号权限相同" in page.text and 'name="role"' not in page.html
    refused = await mine.post("/admin/accounts/new", {"username": "X", "name": "邢试又"})
    assert refused.status == 422 and 'id="field-username-error"' in refused.html
    shown = await mine.post("/admin/accounts/new", {"username": "xingtai-two", "name": "邢试又"})
    first = re.search(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", shown.html)
    assert first is not None and "只显示这一次" in shown.text
    listed = await mine.get("/admin/accounts")
    assert "xingtai-two 邢试又 待改初始密码 未开通" in listed.text and "批量分配" not in listed.text
    colleague = Browser(site)
    await colleague.post("/admin/login", {"username": "xingtai-two", "password": first[0]})
    home = f"/admin/accounts/{await account_id(platform, 'xingtai-two')}"
    assert (await mine.post(f"{home}/reset")).status == 200
    assert (await colleague.get("/admin")).location.startswith("/admin/login")
    assert "立即退出所有登录" in (await mine.get(f"{home}/deactivate")).text
    refused = await mine.post(f"{home}/deactivate", {"reason": ""})
    assert refused.status == 422 and "理由" in refused.text
    assert (await mine.post(f"{home}/deactivate", REASON)).location == "/admin/accounts"
    left = await mine.get("/admin/accounts?state=left")
    assert "2026-03-16 停用" in left.text and "恢复" not in left.text
    assert (await mine.post(f"{home}/deactivate", REASON)).status == 409
    assert (await mine.post(f"{home}/reactivate", REASON)).status == 403


async def test_several_accounts_are_ended_at_once_and_who_cannot_be_is_named(
    platform: Platform, mine: Browser
) -> None:
    for name in ("one", "two"):
        await mine.post("/admin/accounts/new", {"username": f"xingtai-{name}", "name": "邢试又"})
    own, one, two = [
        await account_id(platform, name)
        for name in (cast.XINGTAI_OFFICER.username, "xingtai-one", "xingtai-two")
    ]
    page = "/admin/accounts/deactivate"
    assert "请先在表中勾选" in (await mine.post(page, REASON)).text
    assert (await mine.post(page, {"chosen": [one]})).status == 422, "without a reason nobody's is ended"
    some = await mine.post(page, {"chosen": [one, own], **REASON})
    assert some.status == 207 and "已停用 1 个账号" in some.text
    assert f"{cast.XINGTAI_OFFICER.username}：" in some.text and "自己的账号" in some.text
    assert (await mine.post(page, {"chosen": [two], **REASON})).location == "/admin/accounts"
    left = (await mine.get("/admin/accounts?state=left")).text
    assert "xingtai-one" in left and "xingtai-two" in left


async def test_the_own_account_is_not_ended_by_oneself(platform: Platform, mine: Browser) -> None:
    home = f"/admin/accounts/{await account_id(platform, cast.XINGTAI_OFFICER.username)}"
    for action in ("deactivate", "reset"):
        answer = await mine.post(f"{home}/{action}", REASON)
        assert answer.status == 409 and "自己的账号" in answer.text
    assert (await mine.get("/admin")).status == 200


@pytest.mark.parametrize("officer", [cast.YANGZHOU_OFFICER, cast.HEBEI_OFFICER])
async def test_a_neighbour_and_the_province_see_nothing_of_it(
    platform: Platform, site: str, officer: cast.Officer
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    home = f"/admin/accounts/{await account_id(platform, cast.XINGTAI_OFFICER.username)}"
    stranger = await sign_in(platform, site, officer)
    assert cast.XINGTAI_OFFICER.username not in (await stranger.get("/admin/accounts")).text
    assert cast.XINGTAI_OFFICER.name not in (await stranger.get("/admin/accounts?q=xingtai")).text
    for action in ("reset", "deactivate"):
        assert (await stranger.get(f"{home}/{action}")).status == 404
        assert (await stranger.post(f"{home}/{action}", REASON)).status == 404
    assert (await stranger.post(f"{home}/second-factor", REASON)).status == 403


async def test_the_centre_brings_back_and_takes_off_a_second_factor(
    platform: Platform, centre: Browser
) -> None:
    await stage.sign_up(platform, HEBEI)
    home = f"/admin/accounts/{await account_id(platform, HEBEI.username)}"
    assert "重置两步验证" in (await centre.get("/admin/accounts")).text
    assert "手机和恢复码都没有了" in (await centre.get(f"{home}/second-factor")).text
    assert (await centre.post(f"{home}/second-factor", {"reason": "手机丢失，已核实"})).status == 303
    assert (await centre.post(f"{home}/second-factor", {"reason": "再来一次"})).status == 409
    await centre.post(f"{home}/deactivate", REASON)
    assert "新的初始密码" in (await centre.get(f"{home}/reactivate")).text
    back = await centre.post(f"{home}/reactivate", {"reason": "返回岗位"})
    assert back.status == 200 and "只显示这一次" in back.text
    trail = (await centre.get("/admin/audit")).text
    for words in ("重置他人的两步验证", "停用账号", "恢复账号"):
        assert words in trail


async def test_accounts_page_by_username(platform: Platform, centre: Browser) -> None:
    for number in range(55):
        draft = AccountDraft(username=f"many-{number:02d}", name="部试众", role=Role.NATIONAL_CENTRE)
        await platform["accounts"].insert_one(staff.new_accounts(platform, [draft], ["-"])[0].to_mongo())
    first = await centre.get("/admin/accounts")
    assert "many-48" in first.text and "many-49" not in first.text
    [after] = re.findall(r'href="([^"]+)" rel="next"', first.html)
    rest = await centre.get(html.unescape(after))
    assert "many-49" in rest.text and "many-54" in rest.text and "many-48" not in rest.text


# ---- In bulk


async def test_a_sheet_is_previewed_confirmed_and_answered_with_the_passwords_once(
    platform: Platform, site: str, centre: Browser
) -> None:
    template = await centre.get(f"{BATCHES}/template")
    assert template.body.startswith(b"PK")
    uploaded = await centre.upload(BATCHES, "file", "账号.xlsx", sheet(*ROWS))
    preview = await centre.get(uploaded.location)
    assert "可以分配 2 个" in preview.text and "请不要关闭页面" in preview.html
    assert await platform["accounts"].count_documents({}) == 1
    done = await centre.post(uploaded.location)
    assert done.status == 200 and done.headers["Cache-Control"] == "no-store"
    given = passwords_on(done)
    assert list(given) == ["hebei-two", "xingtai-two"]
    assert not [one for one in given.values() if one in done.text], "not on the screen"
    newcomer = Browser(site)
    form = {"username": "xingtai-two", "password": given["xingtai-two"]}
    assert (await newcomer.post("/admin/login", form)).status == 303
    assert (await newcomer.get("/admin")).location == "/admin/password"
    again = await centre.post(uploaded.location)
    assert again.status == 409 and "data:" not in again.html.replace("data:image", "")
    assert "没有保存" in (await centre.get(uploaded.location)).text
    renewed = passwords_on(await centre.post(f"{uploaded.location}/reissue"))
    assert renewed.keys() == given.keys() and renewed["hebei-two"] != given["hebei-two"]


async def test_a_sheet_with_one_wrong_row_gives_nobody_an_account(
    platform: Platform, centre: Browser
) -> None:
    wrong = ("xingtai-two", "邢试二", "班主任", "", "009")
    uploaded = await centre.upload(BATCHES, "file", "账号.xlsx", sheet(ROWS[0], wrong))
    preview = await centre.get(uploaded.location)
    assert "一个都没有分配" in preview.text and "3 行 C 列 用户类别" in preview.text
    assert "确认分配" not in preview.text
    assert (await centre.post(uploaded.location)).status == 409
    assert await platform["accounts"].count_documents({}) == 1


async def test_what_is_no_sheet_is_refused_at_the_file(centre: Browser) -> None:
    for content in (b"", b"not a workbook", sheet()):
        answer = await centre.upload(BATCHES, "file", "账号.xlsx", content)
        assert answer.status == 422 and 'id="field-file-error"' in answer.html
    assert (await centre.post(BATCHES)).status == 422
    assert (await centre.get(f"{BATCHES}/{'0' * 24}")).status == 404


# ---- Sessions and rights


async def test_my_sessions_say_when_each_was_last_used_and_the_others_end_together(
    platform: Platform, site: str, mine: Browser, clock: FixedClock
) -> None:
    form = {"username": cast.XINGTAI_OFFICER.username, "password": cast.XINGTAI_OFFICER.password}
    others = [Browser(site), Browser(site)]
    for one in others:
        await one.post("/admin/login", form)
    clock.advance(timedelta(minutes=5))
    page = await mine.get("/admin/sessions")
    assert "127.0.0.1 2026-03-16 12:00 2026-03-16 12:05 2026-03-17 00:00" in page.text
    assert "退出其他所有设备" in page.text
    assert (await mine.post("/admin/sessions/revoke-others")).location == "/admin/sessions"
    for one in others:
        assert (await one.get("/admin")).location.startswith("/admin/login")
    alone = await mine.get("/admin/sessions")
    assert "其他设备上的登录已全部退出" in alone.text and "data-dialog-open" not in alone.html


async def test_the_table_of_rights_is_grouped_by_chapter_and_marks_what_is_mine(mine: Browser) -> None:
    page = await mine.get("/admin/rights")
    shown = [one for one in Permission if one not in (Permission.ANYONE, Permission.PHONE)]
    headings = re.findall(r"<h2>([^<]+)<", page.html)
    assert headings == [title for title in CHAPTERS.values() if title in {one.chapter for one in shown}]
    assert page.text.count("您可以办") == len(ROLE_PERMISSIONS[Role.TRAINING_BASE])


def test_every_chapter_has_a_name() -> None:
    assert {one.partition(":")[0] for one in Permission if ":" in one} <= CHAPTERS.keys()
