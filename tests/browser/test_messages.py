"""The centre's pages of messages in a real browser, on an office screen and on a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.kernel.outbox_state import State
from server.messages import delivery as messages
from server.messages import store as message_store
from server.messages.kinds import KINDS
from tests import cast, stage
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite
from tests.messaging import SEND, received, state_of, subscribe, tell
from tests.stage import Phone

pytestmark = pytest.mark.browser


async def ill(live: LiveSite) -> tuple[Phone, list[str]]:
    """Three dead letters of a trainee, two messages of whose fate nobody knows, and one that waits."""
    held = await stage.class_in_session(live.platform, live.wechat, trainees=1)
    await live.platform["outbox"].delete_many({})
    [phone] = held.trainees
    await subscribe(live.platform, live.wechat, phone, 6)
    dead = await tell(live.platform, phone, count=3)
    live.wechat.world.fail(SEND, 40037)
    await messages.deliver(live.platform)
    await tell(live.platform, phone, count=2)
    live.wechat.world.fail(SEND, "disconnect")
    await messages.deliver(live.platform)
    live.wechat.world.heal()
    kind = KINDS["invitation-sent"]
    dates = {"starts_on": "2026-04-01", "ends_on": "2026-04-10", "reply_until": "2026-03-20"}
    await tell(live.platform, phone, kind.name, data=dict.fromkeys(kind.fields, "示例") | dates)
    return phone, dead


def photograph(page: Page, name: str) -> None:
    """Where SHOTS names a folder, for somebody to look at."""
    if folder := os.environ.get("SHOTS"):
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(folder) / f"messages-{name}-{width}.png", full_page=True)


def test_the_centre_deals_with_dead_letters(live: LiveSite, page: Page) -> None:
    phone, dead = live.do(ill(live))
    live.sign_in(page, cast.CENTRE)
    page.goto(f"{live.address}/admin/messages")
    for state in ("dead", "uncertain", "waiting", "sent"):
        page.goto(f"{live.address}/admin/messages?state={state}")
        assert_fits(page)
        photograph(page, f"list-{state}")
    assert_accessible(page)
    page.goto(f"{live.address}/admin/messages?state=dead")
    assert_accessible(page)
    page.get_by_role("link", name="成绩已公布").first.click()
    assert_fits(page)
    assert_accessible(page)
    photograph(page, "one")
    page.get_by_role("button", name="不再发送").click()
    photograph(page, "confirm")
    page.get_by_role("alertdialog").get_by_role("button", name="不再发送").click()
    expect(page.get_by_text("这条消息不再通过微信发送")).to_be_visible()
    assert live.do(state_of(live.platform, dead[-1])) is State.STOPPED
    page.goto(f"{live.address}/admin/messages")
    page.get_by_role("button", name="全部再次发送").click()
    page.get_by_role("alertdialog").get_by_role("button", name="再次发送").click()
    expect(page.get_by_text("已将 2 条消息排入待发送")).to_be_visible()
    live.do(message_store.end_pause(live.platform))
    live.do(messages.deliver(live.platform))
    assert sorted(received(live.wechat, phone)) == dead[:2]


def test_the_centre_sets_a_template(live: LiveSite, page: Page) -> None:
    live.sign_in(page, cast.CENTRE)
    page.goto(f"{live.address}/admin/messages/templates")
    assert_fits(page)
    assert_accessible(page)
    photograph(page, "templates")
    page.goto(f"{live.address}/admin/messages/templates/invitation-sent")
    page.get_by_label("模板字段").fill("thing1 thing2")
    page.get_by_label("理由").fill("换用公共模板")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("应依次填写 4 个字段").first).to_be_visible()
    photograph(page, "template-refused")
    page.get_by_label("模板编号").fill("AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abcde")
    page.get_by_label("模板字段").fill("thing3 thing7 date4 thing9")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已设置“授课考核邀请”的微信模板")).to_be_visible()
    page.goto(f"{live.address}/admin/messages/templates/invitation-sent")
    assert_fits(page)
    assert_accessible(page)
    photograph(page, "template")
