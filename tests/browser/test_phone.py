"""The mini-program's very files in a browser (`/phone/`), on the running platform: two windows are two phones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from miniprogram_api.phone_page import BUILT
from server.kernel.clock import FixedClock
from tests import assessing, cast, certifying, stage, surveying
from tests.browser.conftest import assert_accessible, assert_fits, new_context
from tests.browser.live import LiveSite
from tests.stage import ClassInSession

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="not built: scripts/test does it"),
]
Hold = Callable[..., Page]
SIZES = {
    "small phone": ViewportSize(width=360, height=740),
    "phone": ViewportSize(width=390, height=844),
    "tablet": ViewportSize(width=768, height=1024),
}


@pytest.fixture
def held(live: LiveSite) -> ClassInSession:
    return live.do(stage.class_in_session(live.platform, live.wechat))


@pytest.fixture
def hold(live: LiveSite, browser: Browser) -> Iterator[Hold]:
    """A phone by its openid, in a browser of its own, at a page of the mini-program."""
    contexts = []

    def open_phone(openid: str, path: str = "pages/home/home", size: str = "phone") -> Page:
        context = new_context(browser, SIZES[size])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"{error}"))
        page.goto(f"{live.address}/phone/?phone={openid}#/{path}")
        return page

    yield open_phone
    for context in contexts:
        context.close()


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def tab(page: Page, words: str) -> None:
    page.get_by_role("navigation").get_by_role("button", name=words).click()


def settled(page: Page) -> None:
    expect(page.get_by_label("正在加载")).to_have_count(0)


def test_somebody_is_refused_under_a_wrong_number_and_bound_under_the_right_one(
    live: LiveSite, held: ClassInSession, hold: Hold
) -> None:
    [someone, other] = cast.people(2, first_seed=300)
    live.do(stage.enrol(live.platform, cast.XINGTAI_OFFICER, held.id, [someone]))
    stage.claim(live.wechat, "openid-new", someone)  # the number of its SIM is the one of the roster
    page = hold("openid-new")
    press(page, "绑定实名")
    press(page, "不用手机号，直接绑定")
    expect(page.get_by_text("请填写姓名。")).to_be_visible()
    page.get_by_label("姓名").fill(someone.name)
    page.get_by_label("身份证号").fill(other.id_number)
    page.get_by_label("同意处理个人信息").check()
    press(page, "不用手机号，直接绑定")
    expect(page.get_by_role("alert").first).to_contain_text("没有")
    assert_accessible(page)
    page.reload()  # the name was kept on the phone, the number was not
    expect(page.get_by_label("姓名")).to_have_value(someone.name)
    expect(page.get_by_label("身份证号")).to_have_value("")
    page.get_by_label("身份证号").fill(someone.id_number)
    page.get_by_text("我已阅读以上内容").click()  # the words tick too
    expect(page.get_by_label("同意处理个人信息")).to_be_checked()
    press(page, "用微信手机号核对并绑定")
    expect(page.get_by_text("用户隐私保护提示")).to_be_visible()
    press(page, "同意")
    expect(page.get_by_text(f"{someone.name}，您好")).to_be_visible()
    tab(page, "我的")
    expect(page.get_by_text("已确认")).to_be_visible()


def test_a_trainee_checks_in_by_the_code_of_the_teachers_phone(
    live: LiveSite, held: ClassInSession, hold: Hold, clock: FixedClock
) -> None:
    session = live.do(stage.teaching_session(live.platform, held))
    clock.set(session.starts_at)
    teacher = hold(held.teacher.openid, f"pages/session-code/session-code?id={session.id}")
    code = teacher.locator(".code-words")
    expect(code).to_be_visible()
    shown = code.inner_text()
    trainee = hold(held.trainees[0].openid)
    trainee.get_by_role("button", name="扫码签到").click()
    clock.advance(timedelta(minutes=1))
    trainee.get_by_label("签到码").fill(shown)
    press(trainee, "用输入的码签到")
    expect(trainee.get_by_role("alert")).to_contain_text("过期")
    expect(code).not_to_have_text(shown)
    trainee.get_by_label("签到码").fill(code.inner_text())
    trainee.context.set_offline(True)
    press(trainee, "用输入的码签到")
    expect(trainee.get_by_role("alert")).to_contain_text("网络不通")
    trainee.context.set_offline(False)
    press(trainee, "重新发送这次扫码")
    expect(trainee.get_by_text("签到成功")).to_be_visible()
    expect(teacher.get_by_text(re.compile("^已签到"))).to_be_visible()
    assert_accessible(trainee)
    assert_accessible(teacher)


def test_the_address_names_the_page_so_that_reload_stays_and_back_leads_back(
    held: ClassInSession, hold: Hold
) -> None:
    page = hold(held.trainees[0].openid)
    tab(page, "培训")
    page.get_by_role("button", name=re.compile(held.training_class.name)).click()
    expect(page).to_have_url(re.compile(r"#/pages/class/class\?id="))
    expect(page.get_by_text("培训机构")).to_be_visible()
    page.reload()
    expect(page.get_by_text("培训机构")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("#/pages/training/training$"))
    page.get_by_role("button", name=re.compile(held.training_class.name)).focus()
    page.keyboard.press("Enter")  # a teacher at a desk has a keyboard
    expect(page.get_by_text("培训机构")).to_be_visible()
    page.get_by_role("button", name="返回", exact=True).click()
    expect(page).to_have_url(re.compile("#/pages/training/training$"))


def seen(page: Page, *, read: bool) -> None:
    settled(page)
    assert_fits(page)
    if read:
        assert_accessible(page)


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_can_be_read(held: ClassInSession, hold: Hold, live: LiveSite, size: str) -> None:
    live.do(stage.teaching_session(live.platform, held))
    page = hold(held.trainees[0].openid, size=size)
    for words in ("首页", "培训", "消息", "我的"):
        tab(page, words)
        seen(page, read=size == "phone")
    whole = (
        "bind",
        "check-in",
        "certificates",
        "open-classes",
        "applications",
        "timetable",
        "surveys",
        "guidance",
    )
    of_class = (f"class/class?id={held.id}", f"notice/notice?class={held.id}", f"tasks/tasks?class={held.id}")
    for path in (
        *(f"{one}/{one}" for one in whole),
        "certificate-requests/certificate-requests",
        *of_class,
        "my-data/my-data",
    ):
        page.goto(f"{page.url.partition('#')[0]}#/pages/{path}")
        seen(page, read=size == "phone")
    page.emulate_media(color_scheme="dark")
    seen(page, read=size == "phone")


def test_a_trainee_signs_the_pledge_hands_in_work_and_answers_the_survey(
    live: LiveSite, held: ClassInSession, hold: Hold
) -> None:
    task = live.do(assessing.set_task(live.platform, held))
    page = hold(held.trainees[0].openid)
    page.get_by_role("button", name=re.compile("打开入学通知")).click()
    press(page, "签署承诺书")
    expect(page.get_by_role("alert")).to_contain_text("勾选")
    page.get_by_label("我已阅读并承诺遵守").check()
    press(page, "签署承诺书")
    expect(page.get_by_text(re.compile("^已于 .* 签署"))).to_be_visible()
    assert_accessible(page)
    tab_at = page.url.partition("#")[0]
    page.goto(f"{tab_at}#/pages/class/class?id={held.id}")
    page.get_by_role("button", name=re.compile("学习任务")).click()
    page.get_by_role("button", name=re.compile(task.title)).click()
    page.get_by_label("内容").fill("工学一体化课程的任务分析")
    page.reload()  # the mini-program was closed: what was typed is there again
    expect(page.get_by_label("内容")).to_have_value("工学一体化课程的任务分析")
    press(page, "提交")
    expect(page.get_by_role("alert")).to_contain_text("声明")
    page.get_by_label("这是本人完成的").check()
    page.context.set_offline(True)
    press(page, "提交")
    expect(page.get_by_text(re.compile("网络不通"))).to_be_visible()
    page.context.set_offline(False)
    press(page, "提交")
    expect(page.get_by_text("第 1 版", exact=True)).to_be_visible()
    assert_accessible(page)
    survey = live.do(surveying.open_survey(live.platform, held))
    page.goto(f"{tab_at}#/pages/survey/survey?id={survey.id}")
    press(page, "提交评价")
    expect(page.get_by_text(re.compile("题没有评分"))).to_be_visible()
    for _ in range(page.get_by_text("请选择。").count()):  # a chosen one asks no more
        asking = page.locator(".field", has=page.get_by_text("请选择。")).first
        asking.get_by_role("button").first.click()
    assert_accessible(page)
    press(page, "提交评价")
    expect(page.get_by_text(re.compile("您已评价"))).to_be_visible()


def test_a_certificate_that_was_not_handed_over_on_paper_is_opened(live: LiveSite, hold: Hold) -> None:
    opened = live.do(certifying.passed_class(live.platform, live.wechat))
    certificate = live.do(certifying.issued(live.platform, opened))[0]
    page = hold(opened.trainees[0].openid, f"pages/certificate/certificate?id={certificate.id}")
    expect(page.get_by_text(certificate.printed.number).first).to_be_visible()
    assert_accessible(page)
