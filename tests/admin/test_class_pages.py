"""The pages of training classes over HTTP."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import openpyxl
import pytest

from admin.handlers.classes import together
from server.audit_told import Told
from server.classes.documents import TrainingClass
from server.institutions.rules import Level
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import sign_in
from tests.assessing import clock_of

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft())


def sheet(content: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))


# ---- The list


async def test_an_institution_sees_its_own_classes_and_a_neighbour_none(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    listed = await mine.get("/admin/classes")
    assert opened.name in listed.text and "今天起" in listed.text and "0 天" not in listed.text
    assert opened.name not in (await neighbour.get("/admin/classes")).text
    overview = await mine.get(f"/admin/classes/{opened.id}")
    assert overview.status == 200 and "进行中" in overview.text and "机械类" in overview.text
    assert "今天起" in overview.text and "（含）以前办完" in overview.text
    for path in ("", "/roster", "/roster/export", "/roster/template", "/invitations"):
        assert (await neighbour.get(f"/admin/classes/{opened.id}{path}")).status == 404


async def test_the_list_pages_forwards_and_back(platform: Platform, site: str) -> None:
    for number in range(45):
        await stage.open_class(platform, XINGTAI, stage.class_draft(name=f"三级教师培训班 {number:02}"))
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
    told = dict(zip(head, row, strict=True))
    assert (
        told["名称"] == opened.name and told["培训时间"] == "2026-03-16 至 2026-03-27" and told["课时"] == 80
    )
    assert len(sheet((await browser.get("/admin/classes/export?level=2")).body)) == 1


# ---- Who oversees


async def test_who_only_oversees_sees_the_class_and_no_button(
    platform: Platform, site: str, wechat: Simulator
) -> None:
    session = await stage.class_in_session(platform, wechat, trainees=1)
    for officer in (cast.CENTRE, cast.HEBEI_OFFICER):
        browser = await sign_in(platform, site, officer)
        overview = await browser.get(f"/admin/classes/{session.id}")
        roster = await browser.get(f"/admin/classes/{session.id}/roster")
        assert cast.BACKBONE_TEACHER.name in overview.text and "与名册一致" in roster.text
        for words in ("上传并检查", "解除绑定"):
            assert words not in overview.text + roster.text
        person = session.trainees[0].actor.id
        for path in ("/roster", "/invitations", f"/roster/{person}/phone/release"):
            assert (await browser.post(f"/admin/classes/{session.id}{path}")).status == 403


# ---- The home page


async def test_the_home_page_of_an_institution_leads_from_nothing_to_what_waits(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    fresh = await browser.get("/admin")
    assert "还没有培训班" in fresh.text and "/admin/plans" in fresh.html
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    await stage.open_class(
        platform,
        XINGTAI,
        stage.class_draft(
            name="四月二级班", level=Level.TWO, starts_on=date(2026, 4, 1), ends_on=date(2026, 4, 9)
        ),
    )
    home = await browser.get("/admin")
    assert "还没有导入参训教师名册" in home.text and "邀请骨干教师承担授课，还没有人接受邀请" in home.text
    assert f"/admin/classes/{opened.id}/roster" in home.html and "四月二级班" in home.text


async def test_the_home_page_of_a_fresh_platform_tells_the_centre_what_to_do_first(
    platform: Platform, site: str
) -> None:
    browser = await sign_in(platform, site, cast.CENTRE)
    fresh = await browser.get("/admin")
    for step in ("分配用户账号", "登记骨干教师", "核定平台政策"):
        assert step in fresh.text
    await stage.sign_up(platform, cast.HEBEI_OFFICER)
    assert "分配用户账号 （已完成）" in (await browser.get("/admin")).text


async def test_the_home_page_of_a_province_shows_where_its_own_classes_hang(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    hebei = await sign_in(platform, site, cast.HEBEI_OFFICER)
    jiangsu = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    page = await hebei.get("/admin")
    assert opened.name in page.text and "没有等您办理的事" in page.text and "等谁办理" in page.text
    empty = (await jiangsu.get("/admin")).text
    assert "没有等您办理的事" in empty and "没有等别人办理的事" in empty and "下级逾期事项" not in empty


async def test_who_waits_asks_again_on_the_page_and_is_refused_in_words_the_second_time(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    item = {"item": f"class:{opened.id}:roster-import"}
    clock_of(platform).advance(timedelta(days=1))
    hebei = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert item["item"] in (await hebei.get("/admin")).html
    done = await hebei.post("/admin/urgings", item)
    assert (done.status, done.location) == (303, "/admin")
    page = await hebei.get("/admin")
    assert "已催办邢台技师学院：还没有导入参训教师名册。" in page.text and "今天已催办" in page.text
    again = await hebei.post("/admin/urgings", item)
    assert again.status == 409 and "这件事今天已经催办过" in again.text
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "已催办 1 次（最近 2026-03-17，河北省级管理部门）" in (await mine.get("/admin")).text
    assert (await mine.post("/admin/urgings", item)).status == 403


# ---- What was done


def test_what_one_person_did_to_many_at_once_is_one_line_of_the_record() -> None:
    def told(minute: int, title: str, detail: str) -> Told:
        at = datetime(2026, 3, 16, 8, minute, tzinfo=UTC)
        return Told("id", at, "邢试丁", title, detail, "class", sealed=True)

    history = [
        told(31, "办理报到", "丙"),
        told(30, "办理报到", "乙"),
        told(30, "办理报到", "甲"),
        told(30, "修改名册", ""),
        told(30, "办理报到", "丁"),
    ]
    lines = [(f"{one.at:%M}", one.title, one.detail) for one in together(history)]
    assert lines == [
        ("31", "办理报到", "丙"),
        ("30", "办理报到", "乙；甲"),
        ("30", "修改名册", ""),
        ("30", "办理报到", "丁"),
    ]
