"""The simulated WeChat, flagged content and the code of a class in a real browser, on an office screen and on a phone."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.admissions import service as admissions
from server.kernel.platform import Platform
from server.wechat import content
from server.wechat.content import Scene
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import enrolment_draft
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite

pytestmark = pytest.mark.browser

OPENID = "phone-of-qian"
SHOTS = os.environ.get("SCREENSHOTS")


def shoot(page: Page, name: str) -> None:
    """Keeps a picture where SCREENSHOTS names a folder."""
    if SHOTS:
        wide = "wide" if page.viewport_size and page.viewport_size["width"] > 600 else "phone"
        page.screenshot(path=Path(SHOTS) / f"wechat-{name}-{wide}.png", full_page=True)


async def fill(platform: Platform, wechat: Simulator) -> None:
    for kind, data in (
        ("enrolled", {"thing1": "汽车维修三级教师培训班", "date2": "2026-03-16", "thing3": "实训楼 301"}),
        ("certificate-issued", {"thing1": "汽车维修三级教师培训班", "character_string2": "13009202603300X", "thing3": "邢台技师学院"}),
    ):  # fmt: skip
        wechat.world.grant(OPENID, f"simulated-{kind}")
        await platform.wechat.send_subscribe_message(
            OPENID, f"simulated-{kind}", "pages/inbox/inbox?message=5f3c2a9d8e7b6a5c4d3e2f10", data
        )
    wechat.world.give_code("phone-of-zhou")
    await platform.wechat.begin_face(OPENID, "number-1", "王试", "1")
    wechat.world.fail("/wxa/msg_sec_check", 45009)
    wechat.world.hold()
    wechat.world.refuse(OPENID, "simulated-enrolled")
    wechat.world.pushes.append(
        {
            "event": "wxa_media_check",
            "openid": OPENID,
            "at": platform.clock.now().isoformat(),
            "tries": 3,
            "status": None,
        }
    )


def test_the_simulated_phones_are_shown(live: LiveSite, page: Page) -> None:
    live.do(fill(live.platform, live.wechat))
    page.goto(f"{live.address}/simulator")
    expect(page.get_by_role("heading", name="模拟微信")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    shoot(page, "phones")
    page.get_by_role("link", name=OPENID).click()
    expect(page.get_by_role("heading", name="证书已核发")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    shoot(page, "phone")
    page.get_by_role("button", name="再允许一条录取通知").click()
    expect(page.get_by_text("微信一侧已多允许一条")).to_be_visible()
    page.goto(f"{live.address}/simulator/phones/nobody")
    expect(page.get_by_text("没有消息")).to_be_visible()


async def flag(platform: Platform, wechat: Simulator) -> str:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    writer = held.trainees[0].actor
    words = "教学设计的第二部分含存疑内容，其余按任务分析、教学目标、教学过程展开。" * 4
    screened = await content.screen(platform, writer, Scene.LOG, {"text": words})
    subject = content.of_class(held.training_class, "submission:1", "学习成果《汽车维修课程教学设计》")
    await content.note_alone(platform, writer, screened, subject)
    closes = platform.clock.now() + timedelta(days=2)
    await admissions.open_enrolment(platform, held.officer, held.id, enrolment_draft(platform, closes=closes))
    return held.id


def test_flagged_content_is_looked_at(live: LiveSite, page: Page) -> None:
    class_id = live.do(flag(live.platform, live.wechat))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/content-checks")
    assert_fits(page)
    assert_accessible(page)
    shoot(page, "checks")
    page.get_by_role("link", name="学习成果").click()
    assert_fits(page)
    assert_accessible(page)
    shoot(page, "check")
    page.get_by_role("button", name="确有违规").first.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    shoot(page, "check-dialog")
    dialog.get_by_label("说明").fill("已要求学员改写第二部分。")
    dialog.get_by_role("button", name="确有违规").click()
    expect(page.get_by_text("没有需要查看的内容")).to_be_visible()
    shoot(page, "checks-empty")
    page.goto(f"{live.address}/admin/classes/{class_id}/enrolment")
    code = page.get_by_role("img", name="小程序码")
    expect(code).to_be_visible()
    assert code.evaluate("picture => picture.naturalWidth") >= 280
    assert_fits(page)
    shoot(page, "code")
