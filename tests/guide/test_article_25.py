"""第二十五条: who manages what on the platform."""

import re

import pytest

from server.accounts.staff import AccountDraft
from server.classes import service as classes
from server.institutions import service as institutions
from server.kernel import audit
from server.kernel.errors import Invalid, NotFound
from server.kernel.identity import Role
from server.kernel.platform import Platform
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in

CENTRE = stage.actor(cast.CENTRE)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


async def test_the_centre_allocates_the_accounts_with_their_first_passwords(
    platform: Platform, site: str
) -> None:
    """（一）部指导中心……统一分配用户账号（含初始密码）。"""
    centre = await sign_in(platform, site, cast.CENTRE)
    form = {"username": "hebei-new", "name": "冀试新", "role": "PROVINCE", "province_code": "13"}
    shown = await centre.post("/admin/accounts/new", form)
    password = re.search(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", shown.html)
    assert password is not None
    newcomer = Browser(site)
    await newcomer.post("/admin/login", {"username": "hebei-new", "password": password[0]})
    assert (await newcomer.get("/admin")).location == "/admin/password"


@pytest.mark.parametrize("officer", [one for one in cast.OFFICERS if one is not cast.CENTRE])
async def test_nobody_else_allocates_accounts(platform: Platform, site: str, officer: cast.Officer) -> None:
    browser = await sign_in(platform, site, officer)
    form = {"username": "more", "name": "多一个", "role": "NATIONAL_CENTRE"}
    assert (await browser.get("/admin/accounts")).status == 403
    assert (await browser.post("/admin/accounts/new", form)).status == 403
    assert await platform["accounts"].count_documents({}) == 1


async def test_an_account_reaches_no_further_than_its_office(platform: Platform) -> None:
    """（二）省级管理部门……本地区; （三）培训机构……培训班: a reach is the account's, whatever the form said."""
    province, _ = await institutions.allocate_account(
        platform,
        CENTRE,
        AccountDraft(
            username="hebei-new",
            name="冀试新",
            role=Role.PROVINCE,
            province_code="13",
            institution_code="017",
        ),
    )
    assert (province.province_code, province.institution_code) == ("13", None)
    base, _ = await institutions.allocate_account(
        platform,
        CENTRE,
        AccountDraft(
            username="base-new",
            name="邢试新",
            role=Role.TRAINING_BASE,
            province_code="32",
            institution_code="009",
        ),
    )
    assert (base.province_code, base.institution_code) == ("13", "009")
    with pytest.raises(Invalid):
        await institutions.allocate_account(
            platform, CENTRE, AccountDraft(username="nowhere", name="无处", role=Role.PROVINCE)
        )


async def test_an_institution_manages_the_data_of_its_own_trainees_only(platform: Platform) -> None:
    """（三）培训机构负责审核、管理培训班参训教师数据信息。"""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    preview = await classes.preview_roster(
        platform, XINGTAI, opened.id, "名册.xlsx", stage.roster_of([cast.TRAINEE])
    )
    for stranger in (cast.YANGZHOU_OFFICER, cast.CHANGZHOU_OFFICER, cast.JIANGSU_OFFICER):
        with pytest.raises(NotFound):
            await classes.confirm_roster(platform, stage.actor(stranger), preview.id)
    await classes.confirm_roster(platform, XINGTAI, preview.id)
    assert [one.name for one in await classes.trainees(platform, opened.id)] == [cast.TRAINEE.name]


async def test_what_is_done_leaves_a_trace(platform: Platform) -> None:
    """（四）谁发布，谁负责: every act is kept with who did it, in a chain that shows tampering."""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    [entry] = await audit.of_subject(platform, opened.id)
    assert (entry["action"], entry["actor_name"]) == ("classes:open", cast.XINGTAI_OFFICER.name)
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await audit.seal(platform)
    assert await audit.first_broken(platform) is None
    await platform["audit"].delete_one({"_id": entry["_id"]})
    assert await audit.first_broken(platform) is not None
