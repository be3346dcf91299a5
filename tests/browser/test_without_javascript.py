"""What an office needs on the day of a class works in a browser that runs no script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from server.kernel.clock import FixedClock
from server.wechat.simulator import Simulator
from tests import assessing, cast, stage
from tests.browser.conftest import PATIENCE_MS
from tests.browser.live import LiveSite
from tests.stage import ClassInSession

pytestmark = pytest.mark.browser
PERSON = cast.people(1)[0]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


async def with_work(live: LiveSite, wechat: Simulator) -> ClassInSession:
    opened = await stage.class_in_session(live.platform, wechat, trainees=1)
    await stage.teaching_session(live.platform, opened)
    task = await assessing.set_task(live.platform, opened)
    await assessing.hand_in(live.platform, opened.trainees[0], task, "我的教学设计")
    return opened


def test_somebody_arrives_a_cell_of_the_matrix_opens_and_no_whole_number_is_sent(
    live: LiveSite, clock: FixedClock, page: Page
) -> None:
    opened = live.do(with_work(live, live.wechat))
    home = f"{live.address}/admin/classes/{opened.id}"
    live.sign_in(page, cast.XINGTAI_OFFICER)

    page.goto(f"{home}/arrivals")
    page.get_by_label("学员", exact=True).fill(PERSON.name)
    page.get_by_role("button", name="查找").click()
    page.get_by_role("button", name="办理报到").click()
    expect(page.get_by_text("已报到 1 / 1")).to_be_visible()

    page.goto(f"{home}/results")
    page.locator(".matrix td a").first.click()
    expect(page.get_by_text("我的教学设计")).to_be_visible()

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    field = page.get_by_label("搜索人员、培训班、证书、机构")
    for typed in (PERSON.id_number, PERSON.phone, PERSON.name):
        field.fill(typed)
        field.press("Enter")
    expect(page.locator("main").get_by_role("link", name=PERSON.name).first).to_be_visible()
    searches = [url for url in asked if "/admin/search" in url]
    assert len(searches) == 1 and PERSON.id_number not in searches[0] and PERSON.phone not in searches[0]
