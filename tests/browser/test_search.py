"""The search box in the head and the page of a person: one's history in two clicks, from anywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import cast
from tests.browser.clicks import at_most
from tests.browser.conftest import assert_looks_right
from tests.browser.live import LiveSite
from tests.certifying import issued, passed_class

pytestmark = pytest.mark.browser


def test_one_persons_history_is_two_clicks_away_and_no_whole_number_gets_into_an_address(
    live: LiveSite, wide_page: Page
) -> None:
    page, whom = wide_page, cast.people(1)[0]
    opened = live.do(passed_class(live.platform, live.wechat, 1))
    [paper] = live.do(issued(live.platform, opened))
    live.sign_in(page, cast.XINGTAI_OFFICER)
    box = page.get_by_label("搜索人员、培训班、证书、机构")
    with at_most(page, 2):
        box.click()
        page.keyboard.type(f"{whom.name} {whom.id_number}")
        page.keyboard.press("Enter")
        page.locator("#found-people").get_by_role("link", name=whom.name).click()
        expect(page.get_by_role("heading", level=1, name=whom.name)).to_be_visible()
    attended = page.get_by_role("table", name="参加的培训班")
    expect(attended.get_by_role("link", name=opened.training_class.name)).to_be_visible()
    expect(attended).to_contain_text("合格")
    expect(
        page.get_by_role("table", name="证书").get_by_role("link", name=paper.printed.number)
    ).to_be_visible()
    assert_looks_right(page)
    page.go_back()
    assert_looks_right(page)
    assert whom.id_number not in page.url and whom.id_number[-4:] in page.url
    page.locator("body").press("/")
    expect(box).to_be_focused()
    page.keyboard.type("/")
    expect(box).to_have_value("/")
    # Of the list too, which asks by itself: half a number never, a whole one by its last digits, however it is written.
    page.clock.install()
    page.goto(f"{live.address}/admin/people")
    field, half = page.get_by_label("姓名或证件号后四位"), whom.id_number[:17]
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    field.press_sequentially(half)
    page.clock.run_for(1_000)
    expect(field).to_have_value(half)
    field.press_sequentially(whom.id_number[17])
    expect(field).to_have_value(whom.id_number[-4:])
    page.clock.run_for(1_000)
    page.wait_for_url(f"**q={whom.id_number[-4:]}*")
    field.fill(f"{half[:6]} {half[6:14]}-{half[14:]}")
    field.press("Enter")
    page.clock.run_for(1_000)
    page.wait_for_url(f"**q={half[-4:]}*")
    assert not [one for one in sent if half[:14] in one.replace("+", "").replace("-", "")], (
        "no part of a number by which somebody is known"
    )
