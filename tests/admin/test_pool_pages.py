"""The pool of backbone teachers over HTTP: search, export, one teacher's page, and what the centre does (article 9.1)."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import openpyxl
import pytest

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.kernel.platform import Platform
from server.selection import pool
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in
from tests.selecting import SERVED, registered, through

TEACHER, OTHER = cast.BACKBONE_TEACHER, cast.SECOND_BACKBONE_TEACHER


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


@pytest.fixture
async def base(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


@pytest.fixture
async def teacher(platform: Platform) -> str:
    await stage.register_backbone(platform, OTHER, ("02",))
    return await stage.register_backbone(platform, TEACHER)


def address(**conditions: str) -> str:
    return "/admin/backbone?" + urlencode(conditions)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({}, {TEACHER.name, OTHER.name}),
        ({"q": "邢台"}, {TEACHER.name}),
        ({"major": "02"}, {OTHER.name}),
        ({"status": "SUSPENDED"}, set()),
        ({"status": "ACTIVE", "tasks": "none"}, {TEACHER.name, OTHER.name}),
        ({"tasks": "1"}, set()),
        ({"tasks": "99"}, set()),
        ({"year": "2026", "satisfaction": "unrated"}, {TEACHER.name, OTHER.name}),
        ({"year": "2026", "satisfaction": "met"}, set()),
        ({"number": "32017202212g001"}, set()),
        ({"q": "(.*"}, set()),
        ({"status": "NONSENSE", "year": "x"}, {TEACHER.name, OTHER.name}),
    ],
)
async def test_the_pool_is_searched_by_everything_it_shows(
    platform: Platform, base: Browser, teacher: str, conditions: dict[str, str], found: set[str]
) -> None:
    await pool.refresh_figures(platform)
    page = await base.get(address(**conditions))
    assert page.status == 200
    assert {name for name in (TEACHER.name, OTHER.name) if name in page.text} == found
    assert found or "没有符合条件的骨干教师" in page.text


async def test_an_institution_sees_what_it_needs_to_choose_and_no_number(
    platform: Platform, base: Browser, centre: Browser, teacher: str
) -> None:
    masked = (await backbone.member_of_pool(platform, teacher)).id_number_masked
    for path in ("/admin/backbone", f"/admin/backbone/{teacher}"):
        seen = await base.get(path)
        assert TEACHER.unit in seen.text
        assert masked not in seen.html and TEACHER.id_number not in seen.html
        assert masked in (await centre.get(path)).text
    assert "暂停" not in (await base.get(f"/admin/backbone/{teacher}")).text


async def test_a_province_sees_the_number_of_its_own_teachers_only(
    platform: Platform, site: str, teacher: str
) -> None:
    masked = (await backbone.member_of_pool(platform, teacher)).id_number_masked
    hebei = await sign_in(platform, site, cast.HEBEI_OFFICER)
    jiangsu = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    assert masked in (await hebei.get("/admin/backbone")).text
    assert masked not in (await jiangsu.get("/admin/backbone")).text


async def test_the_whole_number_is_shown_once_to_the_centre(centre: Browser, teacher: str) -> None:
    home = f"/admin/backbone/{teacher}"
    shown = await centre.post(home + "/id-number")
    assert TEACHER.id_number in shown.text and shown.headers["Cache-Control"] == "no-store"
    assert (await centre.get(home + "/id-number")).location == home
    assert TEACHER.id_number not in (await centre.get(home)).html
    assert "查看骨干教师完整身份证号" in (await centre.get("/admin/audit")).text


async def test_the_centre_suspends_and_resumes_with_a_reason(
    platform: Platform, centre: Browser, teacher: str
) -> None:
    home = f"/admin/backbone/{teacher}"
    refused = await centre.post(home + "/suspend", {"effective_on": "2026-03-15", "reason": "接受组织调查"})
    assert refused.status == 422 and "不能早于今天" in refused.text
    assert (await centre.post(home + "/suspend", {"effective_on": "2026-03-16"})).status == 422
    wanted = {"effective_on": "2026-03-16", "reason": "接受组织调查"}
    assert (await centre.post(home + "/suspend", wanted)).status == 303
    page = await centre.get(home)
    assert "即日起生效" in page.text and "接受组织调查" in page.text
    assert (await centre.post(home + "/suspend", wanted)).status == 409
    assert (await centre.post(home + "/resume", wanted)).status == 303
    assert (await backbone.member_of_pool(platform, teacher)).status is PoolStatus.ACTIVE
    later = {"effective_on": "2026-04-01", "reason": "接受组织调查"}
    assert (await centre.post(home + "/suspend", later)).status == 303
    assert "2026-04-01 起状态变更" in (await centre.get(home)).text


async def test_the_pool_is_taken_along_as_it_is_narrowed(
    base: Browser, centre: Browser, teacher: str
) -> None:
    for browser, knows in ((base, False), (centre, True)):
        answer = await browser.get("/admin/backbone/export?" + urlencode({"q": "邢台"}))
        sheet = openpyxl.load_workbook(io.BytesIO(answer.body)).active
        assert sheet is not None
        [heading, row] = list(sheet.iter_rows(values_only=True))
        cells = dict(zip(heading, row, strict=True))
        assert (cells["姓名"], cells["工作单位"], cells["状态"]) == (TEACHER.name, TEACHER.unit, "在库")
        assert bool(cells["证件号"]) is knows
        assert TEACHER.id_number not in str(row)


async def test_a_teacher_registered_by_a_decision_leads_to_it(platform: Platform, site: str) -> None:
    _, new = await through(platform, [SERVED])
    decision = await registered(platform, new)
    centre = await sign_in(platform, site, cast.CENTRE)
    page = await centre.get(f"/admin/backbone/{new.passed[0].person_id}")
    assert decision.number in page.text and f"/admin/selection/lists/{new.id}" in page.html
    base = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert decision.number not in (await base.get(f"/admin/backbone/{new.passed[0].person_id}")).text


async def test_the_pages_of_the_pool_go_on_and_back(platform: Platform, base: Browser) -> None:
    for number in range(31):
        await stage.register_backbone(platform, cast.person(200 + number))
    first = await base.get("/admin/backbone")
    assert "本页 30 条" in first.text and "way=" in first.html
    way = first.html.split("way=")[1].split('"')[0].split("&")[0]
    second = await base.get(f"/admin/backbone?way={way}")
    assert "本页 1 条" in second.text


async def test_somebody_who_is_not_in_the_pool_is_not_found(centre: Browser) -> None:
    assert (await centre.get("/admin/backbone/" + "0" * 24)).status == 404
    assert (await centre.post("/admin/backbone/" + "0" * 24 + "/id-number")).status == 404
    assert (await centre.post("/admin/backbone/" + "0" * 24 + "/suspend")).status == 404
