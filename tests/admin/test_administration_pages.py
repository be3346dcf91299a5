"""Accounts, institutions, the pool, policies, the trail and the rights, over HTTP."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

import server
from server.institutions.annex1 import INSTITUTIONS
from server.kernel import chain, policies
from server.kernel.clock import FixedClock
from server.kernel.identity import Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from tests import cast, stage
from tests.admin.browserless import Browser, Form, enter, sign_in

SERVER = Path(server.__file__ or "").parent
ACCOUNT = {"username": "xingtai-new", "name": "邢试新", "role": "TRAINING_BASE", "institution_code": "009"}


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


def first_password(page: str) -> str:
    found = re.search(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", page)
    assert found, page
    return found[0]


# ---- Accounts


async def test_the_centre_allocates_an_account_whose_first_password_is_shown_once(
    platform: Platform, site: str, centre: Browser
) -> None:
    shown = await centre.post("/admin/accounts/new", ACCOUNT)
    assert shown.status == 200 and "只显示这一次" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    password = first_password(shown.html)
    listed = await centre.get("/admin/accounts")
    assert "xingtai-new 邢试新 教师培训基地 邢台技师学院 待改初始密码 未开通" in listed.text
    assert password not in listed.html
    row = await platform["accounts"].find_one({"username": "xingtai-new"})
    assert row is not None and (row["province_code"], row["institution_code"]) == ("13", "009")
    newcomer = Browser(site)
    answer = await newcomer.post("/admin/login", {"username": "xingtai-new", "password": password})
    assert answer.status == 303 and (await newcomer.get("/admin")).location == "/admin/password"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"username": "X"}, "username"),
        ({"username": "centre"}, "username"),
        ({"name": ""}, "name"),
        ({"role": "TRAINEE"}, "role"),
        ({"institution_code": ""}, "institution_code"),
        ({"institution_code": "999"}, "institution_code"),
        ({"role": "PROVINCE"}, "province_code"),
        ({"role": "PROVINCE", "province_code": "99"}, "province_code"),
        # 邢台技师学院 carries no star: it holds no 师资研修中心 qualification (annex 1).
        ({"role": "TRAINING_CENTRE"}, "role"),
    ],
)
async def test_a_wrong_account_is_refused_at_its_field(
    platform: Platform, centre: Browser, changes: Form, place: str
) -> None:
    answer = await centre.post("/admin/accounts/new", {**ACCOUNT, **changes})
    assert answer.status in (409, 422) and f'id="field-{place}-error"' in answer.html
    assert await platform["accounts"].count_documents({}) == 1


async def test_a_reset_password_replaces_the_old_one_and_ends_the_sessions(
    platform: Platform, site: str, centre: Browser
) -> None:
    officer = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    row = await platform["accounts"].find_one({"username": cast.XINGTAI_OFFICER.username})
    assert row is not None
    path = f"/admin/accounts/{row['_id']}/reset"
    assert "所有登录都会退出" in (await centre.get(path)).text
    password = first_password((await centre.post(path)).html)
    assert (await officer.get("/admin")).location.startswith("/admin/login")
    answer = await officer.post(
        "/admin/login", {"username": cast.XINGTAI_OFFICER.username, "password": password}
    )
    assert answer.status == 303 and (await officer.get("/admin")).location == "/admin/password"
    assert (await centre.get(f"/admin/accounts/{'0' * 24}/reset")).status == 404


async def test_accounts_are_found_by_name_and_role_and_a_locked_one_says_until_when(
    platform: Platform, site: str, centre: Browser
) -> None:
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    await stage.sign_up(platform, cast.YANGZHOU_OFFICER)
    by_role = await centre.get("/admin/accounts?role=PROVINCE")
    assert "hebei-sheng" in by_role.text and "yangzhou-019" not in by_role.text
    by_words = await centre.get("/admin/accounts?q=yangzhou")
    assert "yangzhou-019" in by_words.text and "hebei-sheng" not in by_words.text
    assert "没有符合条件的账号" in (await centre.get("/admin/accounts?q=nobody")).text
    for _ in range(platform.settings.lockout_failures):
        await Browser(site).post("/admin/login", {"username": "hebei-sheng", "password": "wrong-2026"})
    assert "锁定至 12:15" in (await centre.get("/admin/accounts")).text


# ---- Institutions


async def test_the_centre_sees_all_51_institutions_and_others_their_own(
    platform: Platform, site: str, centre: Browser
) -> None:
    everything = await centre.get("/admin/institutions")
    assert all(one.name in everything.text for one in INSTITUTIONS)
    hebei = await sign_in(platform, site, cast.HEBEI_OFFICER)
    own = await hebei.get("/admin/institutions")
    assert "邢台技师学院" in own.text and "江苏省常州技师学院" not in own.text
    assert (await hebei.get("/admin/institutions/017")).status == 404
    one = await centre.get("/admin/institutions/017")
    assert "骨干教师、一级培训" in one.text and "师资研修中心 待核" in one.text
    assert (await centre.get("/admin/institutions/999")).status == 404


# ---- The pool


async def test_the_centre_registers_a_backbone_teacher_and_everybody_finds_them(
    platform: Platform, site: str, centre: Browser
) -> None:
    teacher = cast.BACKBONE_TEACHER
    form = {
        "name": f" {teacher.name} ",
        "id_number": teacher.id_number.lower(),
        "province_code": "13",
        "work_unit": teacher.unit,
        "majors": ["01", "02"],
        "proof": "PAPER",
        "paper_number": "人社培试〔2022〕7 号",
        "paper_dated_on": "2022-12-20",
    }
    assert "骨干教师库还是空的" in (await centre.get("/admin/backbone")).text
    assert (await centre.post("/admin/backbone/new", form)).location == "/admin/backbone"
    base = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    pool = await base.get("/admin/backbone?" + urlencode({"major": "02", "q": "邢台"}))
    assert teacher.name in pool.text and "机械类、电工电子类" in pool.text
    assert teacher.id_number not in pool.html and "登记入库" not in pool.text
    assert "没有符合条件的骨干教师" in (await base.get("/admin/backbone?major=05")).text
    again = await centre.post("/admin/backbone/new", form)
    assert again.status == 409 and "已登记入库" in again.text


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": ""}, "name"),
        ({"id_number": "110101199001011234"}, "id_number"),
        ({"province_code": "99"}, "province_code"),
        ({"majors": []}, "majors"),
        ({"majors": ["99"]}, "majors"),
        ({"proof": "LEDGER", "certificate_number": ""}, "certificate_number"),
        ({"proof": "LEDGER", "certificate_number": "32017202212G001"}, "certificate_number"),
        ({"paper_number": ""}, "paper_number"),
        ({"paper_dated_on": ""}, "paper_dated_on"),
    ],
)
async def test_a_wrong_registration_is_refused_at_its_field(
    centre: Browser, changes: Form, place: str
) -> None:
    form: Form = {
        "name": cast.BACKBONE_TEACHER.name,
        "id_number": cast.BACKBONE_TEACHER.id_number,
        "province_code": "13",
        "work_unit": "邢台技师学院",
        "majors": ["01"],
        "proof": "PAPER",
        "paper_number": "人社培试〔2022〕7 号",
        "paper_dated_on": "2022-12-20",
    }
    answer = await centre.post("/admin/backbone/new", {**form, **changes})
    assert answer.status == 422 and f'href="#field-{place}"' in answer.html


# ---- Policies


async def test_a_policy_is_to_be_confirmed_until_the_centre_sets_it(
    platform: Platform, centre: Browser, clock: FixedClock
) -> None:
    before = await centre.get("/admin/policies")
    assert "合格分数线（满分 100） 60 待核 初始值" in before.text
    form = {"value": "65", "effective_from": "2026-03-20", "reason": "中心〔2026〕1 号"}
    assert (await centre.save("/admin/policies/pass_mark", form)).location == "/admin/policies"
    coming = await centre.get("/admin/policies")
    assert "合格分数线（满分 100） 60 初始值 — 2026-03-20 起为 65" in coming.text
    clock.advance(timedelta(days=4))
    await enter(platform, centre, cast.CENTRE)
    in_force = await centre.get("/admin/policies")
    assert "合格分数线（满分 100） 65 2026-03-20 起核定 部试甲" in in_force.text
    found = (await centre.get("/admin/policies?" + urlencode({"q": "合格分数"}))).text
    assert "考核和学习成果" in found and "合格分数线" in found and "签到码" not in found
    history = await centre.get("/admin/policies/pass_mark")
    assert "1 65 2026-03-20 中心〔2026〕1 号 部试甲 2026-03-16 12:00" in history.text
    assert (await policies.on(platform, clock.now().date())).pass_mark == 65


@pytest.mark.parametrize(
    ("key", "changes", "place"),
    [
        ("pass_mark", {"value": "101"}, "value"),
        ("pass_mark", {"value": "sixty"}, "value"),
        ("pass_mark", {"value": ""}, "value"),
        ("survey_required", {"value": "perhaps"}, "value"),
        ("pass_mark", {"effective_from": "2026-03-15"}, "effective_from"),
        ("pass_mark", {"reason": ""}, "reason"),
    ],
)
async def test_a_wrong_policy_is_refused_at_its_field(
    platform: Platform, centre: Browser, key: str, changes: Form, place: str
) -> None:
    form: Form = {"value": "65", "effective_from": "2026-03-16", "reason": "依据文件"}
    answer = await centre.save(f"/admin/policies/{key}", {**form, **changes})
    assert answer.status == 422 and f'id="field-{place}-error"' in answer.html
    assert await policies.versions(platform) == []


async def test_only_the_centre_changes_a_policy_and_an_unknown_one_is_not_found(
    platform: Platform, site: str, centre: Browser
) -> None:
    base = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "核定新的数值" not in (await base.get("/admin/policies/pass_mark")).text
    form: Form = {"value": "1", "effective_from": "2026-03-16", "reason": "不该成功"}
    assert (await base.post("/admin/policies/pass_mark", form)).status == 403
    assert (await centre.get("/admin/policies/no_such_policy")).status == 404


async def test_a_yes_or_no_policy_is_set_from_its_words(platform: Platform, centre: Browser) -> None:
    form: Form = {"value": "false", "effective_from": "2026-03-16", "reason": "先行试点"}
    await centre.save("/admin/policies/survey_required", form)
    assert "领取证书前须完成满意度评价 否" in (await centre.get("/admin/policies")).text
    assert (await policies.on(platform, platform.clock.now().date())).survey_required is False


# ---- The trail


async def test_the_trail_is_narrowed_by_person_action_days_and_object(
    platform: Platform, site: str, centre: Browser
) -> None:
    await centre.post("/admin/accounts/new", ACCOUNT)
    hebei = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert hebei is not None

    async def told(**asked: str) -> set[str]:
        page = (await centre.get("/admin/audit?" + urlencode(asked))).html
        return set(re.findall(r'<th scope="row" class="nowrap">(.*?)</th>', page))

    by_name = await told(who=cast.HEBEI_OFFICER.name)
    assert "登录" in by_name and "分配用户账号" not in by_name
    assert await told(who=cast.HEBEI_OFFICER.username) == by_name
    assert await told(action="accounts:allocate") == {"分配用户账号"}
    assert await told(about=ACCOUNT["username"]) == {"分配用户账号"}
    assert await told(about="没有这样的对象") == set() == await told(who="没有这个人")
    assert await told(until="2026-03-15") == set() == await told(since="2026-03-17")
    assert await told(since="2026-03-16", until="2026-03-16", action="accounts:sign-in") == {"登录"}
    listed = (await centre.get("/admin/audit?action=accounts:allocate")).text
    assert "账号：xingtai-new 邢试新" in listed, "by name, not by id"


async def test_the_trail_tells_who_did_what_and_pages(platform: Platform, centre: Browser) -> None:
    for number in range(10, 70):
        wanted = PolicyChange(
            key="pass_mark", value=number, effective_from=date(2026, 3, 16), reason=f"第 {number} 稿"
        )
        await policies.change(platform, stage.actor(cast.CENTRE), wanted)
    first = await centre.get("/admin/audit")
    assert (
        "核定平台政策 2026-03-16 12:00:00 部试甲 部指导中心 理由：第 69 稿，新值 69，自 2026-03-16 起 合格分数线"
        in first.text
    )
    assert "第 12 稿" not in first.text
    [after] = re.findall(r'href="([^"]+)" rel="next"', first.html)
    assert "第 12 稿" in (await centre.get(html.unescape(after))).text


async def test_the_trail_names_the_person_whom_an_entry_is_about(platform: Platform, centre: Browser) -> None:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    trail = (await centre.get("/admin/audit")).text
    assert re.search(rf"登记骨干教师入库 [-\d]+ [:\d]+ \S+ 部指导中心 {cast.BACKBONE_TEACHER.name}", trail)


async def test_the_chain_is_whole_until_somebody_tampers_with_it(platform: Platform, centre: Browser) -> None:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await chain.seal(platform)
    assert "留痕链完整" in (await centre.get("/admin/audit/chain")).text
    await platform["audit"].update_one({"position": 2}, {"$set": {"actor_id": "somebody-else"}})
    assert "第 2 条断开" in (await centre.get("/admin/audit/chain")).text


async def test_no_page_of_the_trail_shows_an_id_number(platform: Platform, centre: Browser) -> None:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    assert cast.BACKBONE_TEACHER.id_number not in (await centre.get("/admin/audit")).html


# ---- The rights


async def test_the_table_of_rights_says_what_each_role_holds(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get("/admin/rights")
    granted = sum(len(permissions) for permissions in ROLE_PERMISSIONS.values())
    assert page.html.count('class="granted"') == granted
    for permission in Permission:
        assert (permission.label in page.text) is (permission not in (Permission.ANYONE, Permission.PHONE))
    assert all(role.label in page.text for role in Role)
