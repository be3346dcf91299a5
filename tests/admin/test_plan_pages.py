"""The pages of annual plans over HTTP: the editor with its rows, the review, the history and the workbook."""

from __future__ import annotations

import io
from typing import Any

import openpyxl

from server.kernel.platform import Platform
from server.plans import service
from server.plans.documents import Plan
from server.plans.rules import State
from tests import cast
from tests.admin.browserless import Browser, sign_in
from tests.planning import HEBEI, XINGTAI, YEAR, approved, begun, drafted, item, submitted

ROW = {
    "item_id": "",
    "item_level": "3",
    "item_major": "01",
    "item_title": "机械类三级教师培训班",
    "item_month": "4",
    "item_places": "40",
    "item_class_hours": "80",
    "item_budget_fen": "120,000.50",
}
EMPTY = dict.fromkeys(ROW, "")


def form(*rows: dict[str, str], seen: int = 1) -> dict[str, Any]:
    """The editor as a browser sends it: each column as often as there are rows."""
    return {"seen": str(seen)} | {name: [row[name] for row in rows] for name in ROW}


async def saved(platform: Platform, plan: Plan) -> Plan:
    return await service.get_plan(platform, XINGTAI, plan.id)


async def test_an_institution_plans_its_year(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "还没有培训计划" in (await browser.get("/admin/plans")).text
    new = f"/admin/plans/new?year={YEAR}"
    editor = await browser.get(new)
    assert await platform["plans"].count_documents({}) == 0, "nothing is made by opening a page"
    assert "目前可承担二级、三级培训" in editor.text and editor.html.count('name="item_title"') == 3
    second = ROW | {"item_title": "信息类二级教师培训班", "item_level": "2", "item_major": "03"}
    answer = await browser.post(new, form(ROW, EMPTY, second))
    assert answer.status == 303, answer.text
    page = await browser.get(answer.location)
    assert "已保存 2 个项目" in page.text and "80 人" in page.text and "120,000.50 元" in page.text
    assert "报送审核" in page.text
    assert (await browser.post(f"{answer.location}/submit", {"seen": "1"})).status == 303
    page = await browser.get(answer.location)
    assert "待审核" in page.text and "修改计划" not in page.text
    assert (await browser.get(new)).location == answer.location


async def test_what_is_wrong_stands_at_its_row_and_nothing_typed_is_lost(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    plan = await begun(platform)
    wrong = ROW | {"item_places": "", "item_budget_fen": "十二万", "item_title": "信息类三级教师培训班"}
    answer = await browser.post(f"/admin/plans/{plan.id}/edit", form(ROW, wrong))
    assert answer.status == 422
    assert "项目 2 人数：必填。" in answer.text and "项目 2 预算：请填写金额" in answer.text
    assert 'href="#field-items-1-places"' in answer.html and 'id="field-items-1-places"' in answer.html
    assert 'value="十二万"' in answer.html and 'value="信息类三级教师培训班"' in answer.html
    assert (await saved(platform, plan)).items == plan.items


async def test_a_level_that_is_not_ours_is_refused_at_its_row_with_the_article(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    plan = await begun(platform)
    answer = await browser.post(f"/admin/plans/{plan.id}/edit", form(ROW | {"item_level": "1"}))
    assert answer.status == 422
    assert "项目 1 级别：按《管理指南》第四条、第十六条" in answer.text and "师资研修中心" in answer.text


async def test_an_item_that_is_emptied_is_taken_out_and_the_others_keep_their_ids(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    plan = await drafted(platform, [item(), item(title="另一个三级教师培训班")])
    kept = ROW | {"item_id": plan.items[1].id, "item_title": "另一个三级教师培训班"}
    gone = EMPTY | {"item_id": plan.items[0].id}
    await browser.post(f"/admin/plans/{plan.id}/edit", form(gone, kept, seen=len(plan.history)))
    assert [one.id for one in (await saved(platform, plan)).items] == [plan.items[1].id]


async def test_a_page_that_lay_open_too_long_does_not_overwrite(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    plan = await drafted(platform)
    answer = await browser.post(f"/admin/plans/{plan.id}/edit", form(ROW, seen=1))
    assert answer.status == 409 and "计划已有变动" in answer.text


async def test_a_province_approves_in_its_own_words_or_returns(platform: Platform, site: str) -> None:
    plan = await submitted(platform)
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)
    home = await browser.get("/admin")
    address = f"/admin/plans/{plan.id}"
    assert f"待审核的培训计划：{plan.name}" in home.text and f'href="{address}"' in home.html
    page = await browser.get(address)
    assert "批准计划" in page.text and "退回修改" in page.text and "修改计划" not in page.text
    seen = str(len(plan.history))
    short = await browser.post(f"{address}/return", {"seen": seen, "reason": "不行"})
    assert short.status == 422 and "退回理由：至少 4 个字符。" in short.text and "不行" in short.html
    returned = await browser.post(f"{address}/return", {"seen": seen, "reason": "四月项目人数偏多。"})
    assert returned.location == address
    assert (await saved(platform, plan)).state is State.RETURNED
    institution = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "被退回的培训计划" in (await institution.get("/admin")).text
    page = await institution.get(address)
    assert "理由：四月项目人数偏多。" in page.text and "修改计划" in page.text
    await institution.post(f"{address}/submit", {"seen": str(len(plan.history) + 1)})
    await browser.post(f"{address}/approve", {"seen": str(len(plan.history) + 2)})
    page = await browser.get(address)
    assert "冀试乙 批准" in page.text and "已批准" in page.text
    late = await browser.post(f"{address}/approve", {"seen": seen})
    assert late.status == 409 and "已批准，不能批准" in late.text


async def test_an_approved_plan_is_adjusted_by_a_new_version_that_shows_the_difference(
    platform: Platform, site: str
) -> None:
    first = await approved(platform)
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get(f"/admin/plans/{first.id}")
    assert "调整计划" in page.text and "修改计划" not in page.text and "编制第 2 版" in page.text
    row = ROW | {"item_id": first.items[0].id, "item_places": "50", "item_budget_fen": "120000"}
    answer = await browser.post(f"/admin/plans/new?year={YEAR}", form(row))
    page = await browser.get(answer.location)
    assert "与第 1 版的差异" in page.text and "人数：40 人" in page.text and "人数：50 人" in page.text
    assert "正在调整，新版批准前仍按这一版执行" in (await browser.get(f"/admin/plans/{first.id}")).text


async def test_who_oversees_reads_and_takes_the_items_along(platform: Platform, site: str) -> None:
    plan = await approved(platform)
    for officer in (cast.CENTRE, cast.HEBEI_OFFICER):
        browser = await sign_in(platform, site, officer)
        assert plan.name in (await browser.get("/admin/plans?year=2026&state=APPROVED")).text
        page = await browser.get(f"/admin/plans/{plan.id}")
        for words in ("调整计划", "修改计划", "申请开班"):
            assert words not in page.text.replace("开班申请", "")
        answer = await browser.get("/admin/plans/export?year=2026")
        rows = list(openpyxl.load_workbook(io.BytesIO(answer.body)).worksheets[0].iter_rows(values_only=True))
        told = dict(zip(rows[0], rows[1], strict=True))
        assert (told["计划"], told["培训机构"], told["预算"]) == (plan.name, "邢台技师学院", 120_000)
        assert "没有符合条件的计划" in (await browser.get("/admin/plans?state=DRAFT")).text


async def test_a_neighbour_finds_no_such_plan(platform: Platform, site: str) -> None:
    plan = await approved(platform)
    for officer in (cast.YANGZHOU_OFFICER, cast.JIANGSU_OFFICER):
        browser: Browser = await sign_in(platform, site, officer)
        assert plan.name not in (await browser.get("/admin/plans")).text
        assert (await browser.get(f"/admin/plans/{plan.id}")).status == 404
    assert HEBEI.province_code != cast.JIANGSU
