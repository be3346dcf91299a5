"""A teacher's way into the pool in a real browser: recommended, reviewed, put into the class, reported, registered (articles 7 and 9.1)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.backbone.rules import PoolStatus
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.selection import service as selection
from server.selection.service import Return
from tests import cast, selecting
from tests.assessing import PDF
from tests.browser.conftest import PHONE, WIDE, assert_accessible, assert_fits, opened
from tests.browser.live import LiveSite
from tests.selecting import CENTRE, CHANGZHOU, SERVED

pytestmark = pytest.mark.browser
SECOND, THIRD, FOURTH = cast.person(32), cast.person(33), cast.person(34)
a_page = contextmanager(opened)


def go_to(page: Page, title: str) -> None:
    """To what waits on 工作台 under this title."""
    page.get_by_role("row", name=title).get_by_role("link", name="去办理").click()


def confirm(page: Page, button: str) -> None:
    page.locator("dialog[open]").get_by_role("button", name=button).click()


def test_a_teacher_goes_from_the_recommendation_of_a_province_into_the_pool(
    live: LiveSite, browser: Browser, tmp_path: Path
) -> None:
    today = beijing_date(live.platform.clock.now())
    held = live.do(
        selecting.backbone_class(live.platform, CHANGZHOU, places=10, starts_on=today, ends_on=today)
    )
    with a_page(browser, WIDE) as page:
        recommend(live, page, tmp_path)
    with a_page(browser, WIDE) as centre, a_page(browser, WIDE) as institution:
        live.sign_in(centre, cast.CENTRE)
        go_to(centre, "待审核的骨干教师选拔推荐")
        centre.get_by_role("button", name="列为候选").click()
        expect(centre.get_by_text("已列为候选人，师资研修中心可以编入骨干班")).to_be_visible()

        live.sign_in(institution, cast.CHANGZHOU_OFFICER)
        institution.get_by_role("link", name="人员").first.click()
        institution.get_by_role("link", name="选拔候选人").click()
        institution.get_by_label(SERVED.name).check()
        institution.get_by_role("button", name="编入所选候选人").click()
        expect(institution.get_by_text("已将 1 名候选人编入")).to_be_visible()
        live.do(selecting.certified(live.platform, held))
        institution.reload()
        institution.get_by_role("button", name="报送部指导中心").click()
        expect(institution.get_by_text("已向部指导中心报送 1 名合格教师")).to_be_visible()

        centre.goto(f"{live.address}/admin")
        go_to(centre, "待登记入库的合格教师名单")
        centre.get_by_role("button", name="登记入库").click()
        centre.locator("dialog[open]").get_by_label("文号").fill("部指〔2026〕1号")
        confirm(centre, "登记入库")
        expect(centre.get_by_text("部指〔2026〕1号：已登记 1 名骨干教师入库")).to_be_visible()
        with centre.expect_download() as download:
            centre.get_by_role("link", name="登记决定（PDF）").click()
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
        look_and_suspend(live, centre)


def recommend(live: LiveSite, page: Page, folder: Path) -> None:
    paper = folder / "推荐表.pdf"
    paper.write_bytes(PDF)
    live.sign_in(page, cast.HEBEI_OFFICER)
    page.goto(f"{live.address}/admin/selection")
    page.get_by_role("link", name="推荐第一位教师").click()
    page.get_by_label("姓名").fill(SERVED.name)
    page.get_by_label("身份证号").fill(SERVED.id_number)
    page.get_by_label("工作单位").fill(SERVED.unit)
    page.get_by_label("专业大类").select_option("01")
    page.get_by_label("教龄").fill("12")
    page.get_by_label("职称").fill("高级讲师")
    page.get_by_label("推荐意见").fill("师德良好，工学一体化课程教学经验丰富，同意推荐。")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_text("草稿已保存")).to_be_visible()
    page.locator("input[type=file]").set_input_files(paper)
    page.get_by_role("button", name="上传", exact=True).click()
    expect(page.get_by_text("材料已上传")).to_be_visible()
    page.get_by_role("button", name="报送部指导中心").click()
    confirm(page, "报送")
    expect(page.get_by_text("推荐已报送部指导中心")).to_be_visible()


def look_and_suspend(live: LiveSite, centre: Page) -> None:
    """The centre finds the teacher, looks at the whole number, and suspends them."""
    centre.goto(f"{live.address}/admin/backbone?q={SERVED.name}")
    centre.get_by_role("link", name=SERVED.name).click()
    centre.get_by_role("button", name="查看完整身份证号").click()
    expect(centre.get_by_text(SERVED.id_number)).to_be_visible()
    centre.get_by_role("button", name="暂停").click()
    centre.locator("dialog[open]").get_by_label("理由").fill("接受组织调查")
    confirm(centre, "暂停")
    expect(centre.get_by_text("目前不能邀请")).to_be_visible()
    expect(centre.get_by_text(SERVED.id_number)).to_have_count(0)


# ---- every page, on an office screen and on a phone


@transactional
async def suspended(unit: UnitOfWork, person_id: str) -> PoolMember:
    today = beijing_date(unit.now)
    return await backbone.change_status(unit, person_id, PoolStatus.SUSPENDED, today, "接受组织调查")


async def scenes(platform: Platform) -> dict[str, dict[str, str]]:
    """Officer → name of a scene → its address, with something in every state."""
    first = [await selecting.accepted(platform, one) for one in (SERVED, SECOND)]
    draft = await selecting.drafted(platform, THIRD)
    returned = await selecting.submitted(platform, FOURTH)
    wanted = Return(seen=len(returned.history), reason="推荐表缺少盖章，请补齐后重新报送。")
    await selection.send_back(platform, CENTRE, returned.id, wanted)
    waiting = await selecting.submitted(platform, cast.person(35, "河北省示例市工业机械高级技工学校"))
    today = beijing_date(platform.clock.now())
    held = await selecting.backbone_class(platform, CHANGZHOU, places=10, starts_on=today, ends_on=today)
    await selecting.enrolled(platform, held, first)
    await selecting.certified(platform, held)
    passed = await selecting.reported(platform, held)
    registered = await selecting.registered(platform, passed)
    [one, two] = [each.person_id for each in registered.registered]
    await suspended(platform, CENTRE, two)
    other = await selecting.backbone_class(platform, CHANGZHOU, name="2026年第二期骨干教师培训班")
    free = await selecting.accepted(platform, cast.person(38))
    await selecting.enrolled(platform, other, [await selecting.accepted(platform, cast.person(37))])
    assert free.open
    return {
        cast.CENTRE.username: {
            "recommendations": "/admin/selection",
            "review": f"/admin/selection/{waiting.id}",
            "lists": "/admin/selection/lists",
            "registered": f"/admin/selection/lists/{passed.id}",
            "pool": "/admin/backbone",
            "nobody": "/admin/backbone?q=查无此人",
            "teacher": f"/admin/backbone/{one}",
            "suspended": f"/admin/backbone/{two}",
        },
        cast.HEBEI_OFFICER.username: {
            "own": "/admin/selection",
            "form": "/admin/selection/new",
            "draft": f"/admin/selection/{draft.id}",
            "returned": f"/admin/selection/{returned.id}",
        },
        cast.CHANGZHOU_OFFICER.username: {
            "candidates": "/admin/selection/candidates",
            "class": f"/admin/selection/classes/{held.id}",
            "class-to-come": f"/admin/selection/classes/{other.id}",
            "own-lists": "/admin/selection/lists",
            "pool-of-institution": "/admin/backbone",
            "teacher-of-institution": f"/admin/backbone/{one}",
        },
    }


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_page_fits_the_screen_and_is_accessible(
    live: LiveSite, browser: Browser, viewport: ViewportSize
) -> None:
    of_officers = live.do(scenes(live.platform))
    for officer in (cast.CENTRE, cast.HEBEI_OFFICER, cast.CHANGZHOU_OFFICER):
        with a_page(browser, viewport) as page:
            live.sign_in(page, officer)
            for name, address in of_officers[officer.username].items():
                page.goto(live.address + address)
                keep(page, name, viewport)
                assert_fits(page)
                assert_accessible(page)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_list_to_register_and_its_dialogs_fit_the_screen(
    live: LiveSite, browser: Browser, viewport: ViewportSize
) -> None:
    today = beijing_date(live.platform.clock.now())
    held = live.do(
        selecting.backbone_class(live.platform, CHANGZHOU, starts_on=today, ends_on=today, major="01")
    )
    live.do(selecting.enrolled(live.platform, held, [live.do(selecting.accepted(live.platform))]))
    live.do(selecting.certified(live.platform, held))
    passed = live.do(selecting.reported(live.platform, held))
    with a_page(browser, viewport) as page:
        live.sign_in(page, cast.CENTRE)
        page.goto(f"{live.address}/admin/selection/lists/{passed.id}")
        keep(page, "to-register", viewport)
        assert_fits(page)
        page.get_by_role("button", name="登记入库").click()
        keep(page, "register-dialog", viewport)
        assert_accessible(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="退回名单").click()
        keep(page, "return-dialog", viewport)
        assert_accessible(page)
        page.locator("dialog[open]").get_by_label("理由").fill("请核对工作单位")
        confirm(page, "退回")
        expect(page.get_by_text("名单已退回").first).to_be_visible()


def keep(page: Page, name: str, viewport: ViewportSize) -> None:
    """Where SHOTS names a folder, for somebody to look at."""
    if shots := os.environ.get("SHOTS"):
        Path(shots).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(shots) / f"selection-{name}-{viewport['width']}.png", full_page=True)
