"""The pages of class applications over HTTP: from the plan's item to the class, with the venue's review."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from server.applications import service
from server.applications.documents import ApplicationFilter
from server.applications.service import Approval
from server.classes import service as classes
from server.kernel.platform import Platform
from server.kernel.reviews import Return
from tests import cast, stage
from tests.admin.browserless import Form, sign_in
from tests.planning import HEBEI, XINGTAI, applied, approved

FORM: dict[str, Any] = {
    "name": "2026 年第 1 期机械类三级教师培训班",
    "starts_on": "2026-04-13",
    "ends_on": "2026-04-24",
    "places": "36",
    "class_hours": "80",
    "courses": ["工学一体化课程教学实施", "数控加工示范课", "", "工业机器人示范课"],
    "venue_name": "实训楼 301",
    "venue_address": "河北省邢台市信都区示例路 1 号",
    "venue_stars": "0",
}


async def test_an_institution_applies_from_its_plan(platform: Platform, site: str) -> None:
    teacher_id = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    plan = await approved(platform)
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get(f"/admin/plans/{plan.id}")
    address = f"/admin/plans/{plan.id}/items/{plan.items[0].id}/apply"
    assert address in page.html
    form = await browser.get(address)
    assert "三级培训不低于 80 课时" in form.text and "不超过计划批准的 40 人" in form.text
    assert 'value="机械类三级教师培训班"' in form.html and cast.BACKBONE_TEACHER.name in form.text
    answer = await browser.post(address, {**FORM, "wished": teacher_id})
    assert answer.status == 303, answer.text
    shown = await browser.get(answer.location)
    assert "申请已报送" in shown.text and "无星级" in shown.text and cast.BACKBONE_TEACHER.name in shown.text
    [mine] = await service.list_applications(platform, XINGTAI, ApplicationFilter())
    assert mine.courses == ["工学一体化课程教学实施", "数控加工示范课", "工业机器人示范课"]
    assert (await browser.get(address)).location == answer.location, (
        "an item that is taken leads to what took it"
    )
    assert "待审核" in (await browser.get(f"/admin/plans/{plan.id}")).text


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"name": ""}, ["name"]),
        ({"courses": []}, ["courses"]),
        ({"class_hours": "79"}, ["class_hours"]),
        ({"class_hours": "八十"}, ["class_hours"]),
        ({"places": "41"}, ["places"]),
        ({"ends_on": "2026-04-01"}, ["ends_on"]),
        ({"starts_on": "2027-04-13", "ends_on": "2027-04-24"}, ["starts_on"]),
        ({"venue_stars": ""}, ["venue_stars"]),
        ({"starts_on": "soon", "venue_address": ""}, ["starts_on", "venue_address"]),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    platform: Platform, site: str, changes: Form, places: list[str]
) -> None:
    plan = await approved(platform)
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    address = f"/admin/plans/{plan.id}/items/{plan.items[0].id}/apply"
    answer = await browser.post(address, {**FORM, **changes})
    assert answer.status == 422
    for place in places:
        assert f'href="#field-{place}"' in answer.html
    assert 'value="实训楼 301"' in answer.html
    if "courses" not in changes:
        assert "工业机器人示范课" in answer.html
    assert await platform["applications"].count_documents({}) == 0


async def test_the_pool_is_searched_without_losing_who_is_ticked(platform: Platform, site: str) -> None:
    ticked = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    plan = await approved(platform)
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    address = f"/admin/plans/{plan.id}/items/{plan.items[0].id}/apply"
    found = await browser.get(f"{address}?teacher_q=%E4%B8%8D%E5%AD%98%E5%9C%A8&wished={ticked}")
    assert cast.BACKBONE_TEACHER.name in found.text and "checked" in found.html
    assert cast.SECOND_BACKBONE_TEACHER.name not in found.text


async def test_a_province_resolves_the_venue_with_words_and_approves(platform: Platform, site: str) -> None:
    hotel = {"name": "泰山示例大酒店", "address": "山东省泰安市泰山路 1 号", "stars": 5}
    new = await applied(platform, venue=hotel)
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "待审核的开班申请" in (await browser.get("/admin")).text
    address = f"/admin/applications/{new.id}"
    page = await browser.get(address)
    assert "名称或地址中有“泰山”" in page.text and "5 星级，高于政策上限 3 星" in page.text
    refused = await browser.post(f"{address}/approve", {"seen": "1", "venue_note": "好"})
    assert refused.status == 422 and "请写明核实情况和意见" in refused.text
    assert "data-dialog-show" in refused.html
    answer = await browser.post(f"{address}/approve", {"seen": "1", "venue_note": "已实地核实，为职工学校。"})
    assert answer.location == address
    page = await browser.get(address)
    assert "场地已经核实" in page.text and "打开培训班" in page.text
    done = await service.get_application(platform, HEBEI, new.id)
    assert done.class_id is not None
    overview = await browser.get(f"/admin/classes/{done.class_id}")
    assert "计划和申请" in overview.text and "已实地核实，为职工学校。" in overview.text
    assert f"/admin/plans/{new.plan_id}" in overview.html and address in overview.html


async def test_a_returned_application_comes_back_filled_in(platform: Platform, site: str) -> None:
    new = await applied(platform)
    await service.send_back(platform, HEBEI, new.id, Return(seen=1, reason="请说明场地的门牌号。"))
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "被退回的开班申请" in (await browser.get("/admin")).text
    form = await browser.get(f"/admin/applications/{new.id}/edit")
    assert "请说明场地的门牌号。" in form.text and 'value="2026-04-13"' in form.html
    answer = await browser.post(f"/admin/applications/{new.id}/edit", {**FORM, "seen": "2"})
    assert answer.location == f"/admin/applications/{new.id}"
    assert "修改后重新报送" in (await browser.get(answer.location)).text
    assert (await browser.get(f"/admin/applications/{new.id}/edit")).status == 303


async def test_an_application_is_withdrawn_by_who_made_it(platform: Platform, site: str) -> None:
    new = await applied(platform)
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    await browser.post(f"/admin/applications/{new.id}/withdraw", {"seen": "1", "reason": "计划有变"})
    page = await browser.get(f"/admin/applications/{new.id}")
    assert "已撤回" in page.text and "修改并重新报送" not in page.text


async def test_the_list_is_narrowed_and_leaves_as_a_workbook(platform: Platform, site: str) -> None:
    new = await applied(platform)
    browser = await sign_in(platform, site, cast.CENTRE)
    for query, shown in (
        ("", True),
        ("state=SUBMITTED&level=3&year=2026&month=4&province=13", True),
        ("month=5", False),
        ("q=%E6%89%AC%E5%B7%9E", False),
        ("state=nonsense&way=broken", True),
    ):
        page = await browser.get(f"/admin/applications?{query}")
        assert (new.name in page.text) is shown, query
    answer = await browser.get("/admin/applications/export?level=3")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.body)).worksheets[0].iter_rows(values_only=True))
    assert rows[1][0] == new.name and rows[1][rows[0].index("人数")] == 40


async def test_a_neighbour_finds_no_such_application(platform: Platform, site: str) -> None:
    new = await applied(platform)
    for officer in (cast.YANGZHOU_OFFICER, cast.JIANGSU_OFFICER):
        browser = await sign_in(platform, site, officer)
        assert new.name not in (await browser.get("/admin/applications")).text
        assert (await browser.get(f"/admin/applications/{new.id}")).status == 404
    address = f"/admin/plans/{new.plan_id}/items/{new.item.id}/apply"
    yangzhou = await sign_in(platform, site, cast.CHANGZHOU_OFFICER)
    assert (await yangzhou.get(address)).status == 404
    assert (await yangzhou.post(address, FORM)).status == 404


async def test_a_class_of_an_application_names_its_places(platform: Platform, site: str) -> None:
    new = await applied(platform)
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    made = await classes.get_class(platform, XINGTAI, done.class_id or "")
    assert made.places == 40
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "批准人数 40 人" in (await browser.get(f"/admin/classes/{made.id}")).text
