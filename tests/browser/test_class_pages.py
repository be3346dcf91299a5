"""The pages of classes, rosters and administration on the real platform in a real browser, wide and on a phone."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import Page, expect

from server.accounts.fictional import roster_of
from server.institutions.rules import Level
from tests import cast, stage
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite
from tests.cast import Person
from tests.stage import ClassInSession

pytestmark = pytest.mark.browser
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def session(live: LiveSite) -> ClassInSession:
    """A class of 邢台 with three bound trainees and one who has no phone yet."""
    opened = live.do(stage.class_in_session(live.platform, live.wechat, trainees=3))
    live.do(stage.enrol(live.platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE]))
    return opened


def looks_right(page: Page) -> None:
    assert_fits(page)
    assert_accessible(page)


def test_a_roster_is_uploaded_previewed_and_imported(live: LiveSite, page: Page) -> None:
    opened = live.do(stage.open_class(live.platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft()))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    looks_right(page)
    page.goto(f"{live.address}/admin/classes/{opened.id}")
    looks_right(page)
    page.get_by_role("navigation", name="培训班的环节").get_by_role("link", name="名册").click()
    looks_right(page)
    content = roster_of([cast.TRAINEE, cast.SECOND_TRAINEE])
    field = page.get_by_label("名册文件（.xlsx）")
    field.set_input_files({"name": "名册.xlsx", "mimeType": XLSX, "buffer": content})
    expect(page.locator("[data-dropzone-files]")).to_contain_text("名册.xlsx")
    page.get_by_role("button", name="上传并检查").click()
    looks_right(page)
    page.get_by_role("button", name="确认导入 2 人").click()
    expect(page.get_by_text("已导入 2 名学员")).to_be_visible()
    looks_right(page)


def test_a_roster_with_problems_shows_each_at_its_row(live: LiveSite, page: Page) -> None:
    officer = stage.actor(cast.XINGTAI_OFFICER)
    opened = live.do(stage.open_class(live.platform, officer, stage.class_draft()))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{opened.id}/roster")
    wrong = Person("虚构人", cast.STRANGER.id_number[:17] + "*", "", "示例市技师学院")
    content = roster_of([cast.TRAINEE, wrong])
    field = page.get_by_label("名册文件（.xlsx）")
    field.set_input_files({"name": "名册.xlsx", "mimeType": XLSX, "buffer": content})
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_role("alert")).to_contain_text("整份都没有导入")
    expect(page.get_by_text("第 18 位不对")).to_be_visible()
    expect(page.get_by_role("button", name="确认导入")).to_have_count(0)
    looks_right(page)


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(live: LiveSite, page: Page) -> None:
    officer = stage.actor(cast.XINGTAI_OFFICER)
    opened = live.do(stage.open_class(live.platform, officer, stage.class_draft()))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{opened.id}/roster")
    field = page.get_by_label("名册文件（.xlsx）")
    field.set_input_files({"name": "照片.xlsx", "mimeType": XLSX, "buffer": bytes(6 * 2**20)})
    assert "超过 5.0 MB 的上限" in field.evaluate("field => field.validationMessage")
    page.get_by_role("button", name="上传并检查").click()
    assert page.url.endswith("/roster") and page.get_by_text("文件已损坏").count() == 0


def test_somebody_leaves_a_class_in_a_dialog_that_asks_for_day_and_reason(live: LiveSite, page: Page) -> None:
    officer = stage.actor(cast.XINGTAI_OFFICER)
    opened = live.do(stage.open_class(live.platform, officer, stage.class_draft()))
    live.do(stage.enrol(live.platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE, cast.SECOND_TRAINEE]))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{opened.id}/roster")
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name="退训").first.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text(f"登记退训：{cast.TRAINEE.name}")
    dialog.get_by_label("理由").fill("工作单位另有任务")
    looks_right(page)
    dialog.get_by_role("button", name="登记退训").click()
    expect(page.get_by_role("link", name="撤销退训")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="添加一人").click()
    looks_right(page)


def test_a_phone_is_released_in_a_dialog_that_asks_for_the_reason(
    live: LiveSite, page: Page, session: ClassInSession
) -> None:
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{session.id}/roster")
    expect(page.get_by_text("3 人已在小程序绑定实名，1 人还没有或待确认")).to_be_visible()
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name="申请解绑").first.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_label("核对的证件和原因")).to_be_focused()
    looks_right(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name="申请解绑").first.click()
    dialog.get_by_label("核对的证件和原因").fill("核对身份证，学员更换手机")
    dialog.get_by_role("button", name="提出申请").click()
    expect(page.get_by_text("申请已交办")).to_be_visible()
    looks_right(page)


def test_the_list_narrows_itself_while_one_types(live: LiveSite, page: Page) -> None:
    officer = stage.actor(cast.XINGTAI_OFFICER)
    for name, level in (("春季三级教师培训班", Level.THREE), ("秋季二级教师培训班", Level.TWO)):
        draft = stage.class_draft(name=name, level=level, ends_on=date(2026, 3, 30))
        live.do(stage.open_class(live.platform, officer, draft))
    live.sign_in(page, cast.CENTRE)
    page.goto(f"{live.address}/admin/classes")
    looks_right(page)
    page.get_by_label("名称或培训机构").fill("秋季")
    expect(page.get_by_role("link", name="春季三级教师培训班")).to_have_count(0)
    expect(page.get_by_role("link", name="秋季二级教师培训班")).to_be_visible()
    page.get_by_label("培训级别").select_option("3")
    expect(page.get_by_text("没有符合条件的培训班")).to_be_visible()
    looks_right(page)


def test_the_centre_sets_up_a_fresh_platform(live: LiveSite, page: Page) -> None:
    live.sign_in(page, cast.CENTRE)
    looks_right(page)
    page.get_by_role("link", name="去分配").click()
    looks_right(page)
    page.get_by_role("main").get_by_role("link", name="分配账号").click()
    page.get_by_label("用户名").fill("xingtai-new")
    page.get_by_label("使用人姓名").fill("邢试新")
    page.get_by_label("用户类别").select_option("TRAINING_BASE")
    page.get_by_label("培训机构").select_option("009")
    looks_right(page)
    page.get_by_role("button", name="分配账号").click()
    expect(page.get_by_text("初始密码只显示这一次")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="已记下，返回").click()
    page.locator("details[data-menu] > summary").first.click()
    page.get_by_role("link", name="重置密码").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("xingtai-new")
    looks_right(page)
    page.keyboard.press("Escape")

    page.goto(f"{live.address}/admin/backbone/new")
    page.get_by_label("姓名").fill(cast.BACKBONE_TEACHER.name)
    page.get_by_label("身份证号").fill(cast.BACKBONE_TEACHER.id_number)
    page.get_by_label("工作单位").fill(cast.BACKBONE_TEACHER.unit)
    page.get_by_label("省份").select_option("13")
    page.get_by_label("01 机械类").check()
    page.get_by_label("平台建立以前的培训证明").check()
    page.get_by_label("证明编号或文号").fill("人社培试〔2022〕7 号")
    page.get_by_label("证明日期").fill("2022-12-20")
    looks_right(page)
    page.get_by_role("button", name="登记入库").click()
    expect(page.get_by_text("入库。")).to_be_visible()

    page.goto(f"{live.address}/admin/policies/pass_mark")
    page.get_by_label("新的数值").fill("65")
    page.get_by_label("理由").fill("按新培训标准")
    looks_right(page)
    page.get_by_role("button", name="核定").click()
    expect(page.get_by_text("已核定“合格分数线（满分 100）”")).to_be_visible()
    page.goto(f"{live.address}/admin")
    expect(page.get_by_text("平台刚刚启用")).to_have_count(0)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/institutions",
        "/admin/institutions/017",
        "/admin/policies",
        "/admin/backbone",
        "/admin/audit",
        "/admin/audit/chain",
        "/admin/rights",
    ],
)
def test_what_is_only_read_looks_right(
    live: LiveSite, page: Page, session: ClassInSession, path: str
) -> None:
    live.sign_in(page, cast.CENTRE)
    page.goto(live.address + path)
    looks_right(page)
