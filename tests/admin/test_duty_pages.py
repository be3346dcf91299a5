"""The pages of duties over HTTP: the list by year, its workbook, and one teacher's year."""

from __future__ import annotations

import io

import openpyxl

from server.duties import service as duties
from server.duties.service import Objection
from server.kernel.platform import Platform
from server.surveys import tallies as survey_tallies
from server.wechat.simulator import Simulator
from tests import cast
from tests.admin.browserless import sign_in
from tests.dutiful import class_that_is_over, logged, rated
from tests.stage import class_in_session
from tests.surveying import clock_of


async def test_the_province_finds_who_still_owes_and_opens_the_year(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_that_is_over(platform, wechat)
    guidance = await logged(platform, held)
    await duties.dispute(platform, held.trainees[0].actor, guidance.id, Objection(reason="当天没有接到电话"))
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)
    page = await browser.get("/admin/duties?standing=OWING")
    teacher = cast.BACKBONE_TEACHER
    assert teacher.name in page.text and "1 / 2 次" in page.text and "暂无结果" in page.text
    assert 'name="province"' not in page.html  # a province has one
    one = await browser.get(f"/admin/duties/{held.teacher.actor.id}?year=2026")
    for words in (
        "2026 年授课任务还差 1 次",
        held.training_class.name,
        "已完成",
        "学员有异议",
        "异议：当天没有接到电话",
        teacher.unit,
    ):
        assert words in one.text, words
    assert teacher.id_number not in one.html
    before = await browser.get(f"/admin/duties/{held.teacher.actor.id}?year=2025")
    assert "2025 年没有授课要求" in before.text and "这一年没有接受过任务" in before.text


async def test_the_year_shows_the_mean_with_the_number_of_answers(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_in_session(platform, wechat, trainees=5)
    await rated(platform, held, 1)
    await survey_tallies.tally_closed(platform)
    browser = await sign_in(platform, site, cast.CENTRE)
    assert "1.00 分 （20 个评分）" in (await browser.get("/admin/duties")).text
    one = await browser.get(f"/admin/duties/{held.teacher.actor.id}")
    assert "20 个评分，低于 2 分（满分 3 分）" in one.text


async def test_the_workbook_has_a_row_a_teacher_and_no_id_number(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_that_is_over(platform, wechat)
    await logged(platform, held)
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)
    file = await browser.get("/admin/duties/export?year=2026")
    assert file.status == 200 and "attachment" in file.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(file.body)).active
    assert sheet is not None
    heading, row = [[cell.value for cell in line] for line in sheet.iter_rows()]
    told = dict(zip(heading, row, strict=True))
    assert (told["骨干教师"], told["应授课"], told["授课"], told["尚欠"], told["指导（待确认）"]) == (
        cast.BACKBONE_TEACHER.name,
        2,
        1,
        1,
        1,
    )
    assert told["履职状态"] == "尚欠授课任务" and "身份证号" not in heading
    empty = await browser.get("/admin/duties/export?year=2026&standing=FULFILLED")
    nothing = openpyxl.load_workbook(io.BytesIO(empty.body)).active
    assert nothing is not None and nothing.max_row == 1


async def test_empty_lists_say_what_to_do(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "管理范围内还没有骨干教师" in (await browser.get("/admin/duties")).text
    assert "清除条件" in (await browser.get("/admin/duties?q=无此人")).text
    old = await browser.get("/admin/duties?year=1999&standing=NONSENSE&province=x")  # an old link
    assert old.status == 200 and "2026 年履职情况" in old.text


async def test_a_neighbour_and_an_institution_see_no_year(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_that_is_over(platform, wechat)
    address = f"/admin/duties/{held.teacher.actor.id}"
    neighbour = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    assert (await neighbour.get(address)).status == 404
    page = await neighbour.get("/admin/duties?province=13")
    assert cast.BACKBONE_TEACHER.name not in page.text
    institution = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert (await institution.get(address)).status == (await institution.get("/admin/duties")).status == 403
    assert "履职情况" not in (await institution.get("/admin/backbone")).text


async def test_who_was_warned_is_told_on_the_page(platform: Platform, wechat: Simulator, site: str) -> None:
    held = await class_that_is_over(platform, wechat)
    clock_of(platform).set(clock_of(platform).now().replace(month=10, day=8))
    await duties.warn_of_duties(platform)
    browser = await sign_in(platform, site, cast.CENTRE)
    assert "已于 2026-10-08 提醒本人" in (await browser.get(f"/admin/duties/{held.teacher.actor.id}")).text


async def test_the_pool_leads_to_the_year_of_whoever_may_see_it(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_that_is_over(platform, wechat)
    teacher_id = held.teacher.actor.id
    link = f'href="/admin/duties/{teacher_id}?year=2026"'
    for officer, sees in (
        (cast.CENTRE, True),
        (cast.HEBEI_OFFICER, True),
        (cast.JIANGSU_OFFICER, False),
        (cast.XINGTAI_OFFICER, False),
    ):
        browser = await sign_in(platform, site, officer)
        page = await browser.get(f"/admin/backbone/{teacher_id}")
        assert page.status == 200 and (link in page.html) is sees, officer.username
