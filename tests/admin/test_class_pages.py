"""The pages of training classes over HTTP."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest

from server.classes import service as classes
from server.classes.documents import ClassFilter, TrainingClass
from server.institutions.rules import Level
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Form, sign_in

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
FORM: dict[str, Any] = {
    "name": "2026 年第 1 期三级教师培训班",
    "level": "3",
    "major": "01",
    "courses": ["工学一体化课程教学实施", "教学场所使用管理", "数控加工示范课\r\n工业机器人示范课\r\n"],
    "class_hours": "80",
    "starts_on": "2026-03-16",
    "ends_on": "2026-03-27",
    "place": "实训楼 301",
}


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await classes.open_class(platform, XINGTAI, stage.class_draft())


def sheet(content: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))


# ---- The list


async def test_an_institution_sees_its_own_classes_and_a_neighbour_none(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert opened.name in (await mine.get("/admin/classes")).text
    assert opened.name not in (await neighbour.get("/admin/classes")).text
    overview = await mine.get(f"/admin/classes/{opened.id}")
    assert overview.status == 200 and "进行中" in overview.text and "机械类" in overview.text
    for path in ("", "/roster", "/roster/export", "/roster/template", "/teachers"):
        assert (await neighbour.get(f"/admin/classes/{opened.id}{path}")).status == 404


async def test_the_list_pages_forwards_and_back(platform: Platform, site: str) -> None:
    for number in range(45):
        await classes.open_class(platform, XINGTAI, stage.class_draft(name=f"三级教师培训班 {number:02}"))
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)

    def link(page: str, rel: str) -> str | None:
        before, found, _ = page.partition(f'" rel="{rel}"')
        return before.rpartition('href="')[2].replace("&amp;", "&") if found else None

    seen: list[int] = []
    pages: list[str] = []
    href: str | None = "/admin/classes?q=%E4%B8%89%E7%BA%A7"
    while href:
        shown = await browser.get(href)
        pages.append(href)
        seen += [number for number in range(45) if f"培训班 {number:02}" in shown.text]
        previous, href = link(shown.html, "prev"), link(shown.html, "next")
        assert previous == (pages[-2] if len(pages) > 1 else None)
    assert len(pages) == 3 and sorted(seen) == list(range(45))


async def test_the_list_is_narrowed_and_says_when_nothing_fits(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    browser = await sign_in(platform, site, cast.CENTRE)
    for query, shown in (
        ("level=3", True),
        ("level=2", False),
        ("major=01&stage=ONGOING", True),
        ("stage=FINISHED", False),
        ("province=32", False),
        ("level=nonsense&way=broken", True),
    ):
        page = await browser.get(f"/admin/classes?{query}")
        assert page.status == 200
        assert (opened.name in page.text) is shown, query
        assert ("没有符合条件的培训班" in page.text) is not shown, query


async def test_the_list_leaves_as_a_workbook(platform: Platform, site: str, opened: TrainingClass) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    answer = await browser.get("/admin/classes/export?level=3")
    assert "attachment" in answer.headers["Content-Disposition"]
    head, row = sheet(answer.body)
    assert head[0] == "名称" and row[0] == opened.name and row[4] == "2026-03-16" and row[6] == 80
    assert len(sheet((await browser.get("/admin/classes/export?level=2")).body)) == 1


# ---- A new class


async def test_an_institution_opens_a_class(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    form = await browser.get("/admin/classes/new")
    assert "可承担：二级、三级培训" in form.text and "教学场所使用管理" in form.text
    answer = await browser.post("/admin/classes/new", FORM)
    assert answer.status == 303
    overview = await browser.get(answer.location)
    assert (
        "已开设" in overview.text
        and "还没有安排骨干教师" in overview.text
        and "开设培训班（邢试丁）" in overview.text
    )
    opened = await classes.get_class(platform, XINGTAI, answer.location.rpartition("/")[2])
    assert opened.courses == [
        "工学一体化课程教学实施",
        "教学场所使用管理",
        "数控加工示范课",
        "工业机器人示范课",
    ]
    assert opened.ends_on == date(2026, 3, 27)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"name": ""}, ["name"]),
        ({"major": ""}, ["major"]),
        ({"courses": []}, ["courses"]),
        ({"class_hours": "79"}, ["class_hours"]),
        ({"class_hours": "八十"}, ["class_hours"]),
        ({"ends_on": "2026-03-01"}, ["ends_on"]),
        ({"starts_on": "soon", "place": ""}, ["starts_on", "place"]),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    platform: Platform, site: str, changes: Form, places: list[str]
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    answer = await browser.post("/admin/classes/new", {**FORM, **changes})
    assert answer.status == 422
    for place in places:
        assert f'href="#field-{place}"' in answer.html
    if "place" not in changes:
        assert 'value="实训楼 301"' in answer.html
    if "courses" not in changes:
        assert "工业机器人示范课" in answer.text
    assert await classes.list_classes(platform, XINGTAI, ClassFilter()) == []


async def test_a_level_that_is_not_ours_is_refused_with_the_article(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    answer = await browser.post("/admin/classes/new", {**FORM, "level": "1"})
    assert answer.status == 403
    assert "第四条" in answer.text and "师资研修中心" in answer.text and FORM["name"] in answer.html


async def test_the_courses_follow_the_level(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "示范课设计与实施" in (await browser.get("/admin/classes/new?level=2")).text
    backbone = await browser.get("/admin/classes/new?level=G")
    assert "骨干教师培训的课程标准待核" in backbone.text
    assert (await browser.get("/admin/classes/new?level=nonsense")).status == 200


# ---- Teachers


async def test_a_teacher_is_assigned_from_the_pool_and_taken_off(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    mechanic = await stage.register_backbone(platform, cast.BACKBONE_TEACHER, ("01",))
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER, ("03",))
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}"
    own_major = await browser.get(f"{home}/teachers")
    assert cast.BACKBONE_TEACHER.name in own_major.text
    assert cast.SECOND_BACKBONE_TEACHER.name not in own_major.text
    assert cast.SECOND_BACKBONE_TEACHER.name in (await browser.get(f"{home}/teachers?major=all")).text
    answer = await browser.post(f"{home}/teachers/{mechanic}/assign")
    assert answer.location == home
    assert cast.BACKBONE_TEACHER.name in (await browser.get(home)).text
    assert "已安排" in (await browser.get(f"{home}/teachers")).text
    await browser.post(f"{home}/teachers/{mechanic}/unassign")
    overview = await browser.get(home)
    assert "还没有安排骨干教师" in overview.text
    assert f"取消教师安排（邢试丁） {cast.BACKBONE_TEACHER.name}" in overview.text


async def test_who_only_oversees_sees_the_class_and_no_button(
    platform: Platform, site: str, wechat: Simulator
) -> None:
    session = await stage.class_in_session(platform, wechat, trainees=1)
    for officer in (cast.CENTRE, cast.HEBEI_OFFICER):
        browser = await sign_in(platform, site, officer)
        overview = await browser.get(f"/admin/classes/{session.id}")
        roster = await browser.get(f"/admin/classes/{session.id}/roster")
        assert cast.BACKBONE_TEACHER.name in overview.text and "与名册一致" in roster.text
        for words in ("安排教师", "取消安排", "上传并检查", "解除绑定"):
            assert words not in overview.text + roster.text
        person = session.trainees[0].actor.id
        for path in ("/roster", f"/teachers/{person}/assign", f"/roster/{person}/release"):
            assert (await browser.post(f"/admin/classes/{session.id}{path}")).status == 403
        assert (await browser.post("/admin/classes/new", FORM)).status == 403


# ---- The home page


async def test_the_home_page_of_an_institution_leads_from_nothing_to_what_waits(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    fresh = await browser.get("/admin")
    assert "还没有培训班" in fresh.text and "/admin/classes/new" in fresh.html
    opened = await classes.open_class(platform, XINGTAI, stage.class_draft())
    await classes.open_class(
        platform,
        XINGTAI,
        stage.class_draft(
            name="四月二级班", level=Level.TWO, starts_on=date(2026, 4, 1), ends_on=date(2026, 4, 9)
        ),
    )
    home = await browser.get("/admin")
    assert "还没有导入参训教师名册" in home.text and "还没有安排骨干教师" in home.text
    assert f"/admin/classes/{opened.id}/roster" in home.html
    assert "未开班的培训班 1 个" in home.text and "进行中的培训班 1 个" in home.text


async def test_the_home_page_of_a_fresh_platform_tells_the_centre_what_to_do_first(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.CENTRE)
    fresh = await browser.get("/admin")
    for step in ("分配用户账号", "登记骨干教师", "核定平台政策"):
        assert step in fresh.text
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    assert "分配用户账号 （已完成）" in (await browser.get("/admin")).text


async def test_the_home_page_of_a_province_counts_its_own_classes(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    hebei = await sign_in(platform, site, cast.HEBEI_OFFICER)
    jiangsu = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    assert opened.name in (await hebei.get("/admin")).text
    assert "管理范围内还没有培训班" in (await jiangsu.get("/admin")).text
