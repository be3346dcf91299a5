"""How many clicks the tasks of an office take, counted in the browser on the real platform."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from server.kernel.clock import FixedClock
from tests import cast, stage
from tests.browser.clicks import at_most
from tests.browser.conftest import assert_looks_right
from tests.browser.live import LiveSite
from tests.certifying import issued, passed_class
from tests.printed import open_pdf

pytestmark = pytest.mark.browser
APRIL = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


def at_the_class(live: LiveSite, page: Page, class_id: str) -> None:
    live.sign_in(page, cast.XINGTAI_OFFICER)
    page.goto(f"{live.address}/admin/classes/{class_id}")


def open_tab(page: Page, path: str) -> None:
    """By the rail of the class; its phase is folded out where it is not."""
    link = page.locator(f".rail a[href$='/{path}']")
    if not link.is_visible():
        page.locator(".rail details").filter(has=page.locator(f"a[href$='/{path}']")).locator(
            "summary"
        ).click()
    link.click()
    page.wait_for_url(f"**/{path}")


def test_arrivals_take_a_click_a_person_and_two_to_get_there(
    live: LiveSite, clock: FixedClock, wide_page: Page
) -> None:
    opened = live.do(stage.open_class(live.platform, XINGTAI, stage.class_draft(**APRIL)))
    people = cast.people(5)
    live.do(stage.enrol(live.platform, cast.XINGTAI_OFFICER, opened.id, people))
    at_the_class(live, wide_page, opened.id)
    with at_most(wide_page, 2 + len(people)):
        open_tab(wide_page, "arrivals")
        field = wide_page.get_by_label("学员", exact=True)
        for number, person in enumerate(people, start=1):
            expect(field).to_be_focused()
            clock.advance(timedelta(seconds=20))
            wide_page.keyboard.type(person.name if number % 2 else person.id_number[-4:])
            wide_page.keyboard.press("Enter")
            card = wide_page.get_by_role("region", name=f"{person.name}的报到")
            expect(card.get_by_role("button", name="办理报到")).to_be_focused()
            if number == 1:
                assert_looks_right(wide_page)
            card.get_by_role("button", name="办理报到").click()
            expect(wide_page.get_by_text(f"已报到 {number} / {len(people)}")).to_be_visible()
    expect(wide_page.get_by_text(f"刚刚报到：{people[-1].name}")).to_be_visible()
    expect(field).to_be_focused()
    wide_page.keyboard.type("无此人")
    wide_page.keyboard.press("Enter")
    expect(wide_page.get_by_text("名册中没有“无此人”")).to_be_visible()


def test_a_network_that_is_gone_loses_nobody_at_the_desk(live: LiveSite, wide_page: Page) -> None:
    page = wide_page
    opened = live.do(stage.open_class(live.platform, XINGTAI, stage.class_draft(**APRIL)))
    live.do(stage.enrol(live.platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE]))
    at_the_class(live, page, opened.id)
    gone: list[bool] = []  # from the beginning on its way: a page that is open may send past who comes later
    page.route("**/arrivals/*", lambda route: route.abort() if gone else route.continue_())
    page.goto(f"{live.address}/admin/classes/{opened.id}/arrivals")
    expect(page.get_by_label("学员", exact=True)).to_be_focused()
    page.keyboard.type(cast.TRAINEE.name)
    page.keyboard.press("Enter")
    confirm = page.get_by_role("button", name="办理报到")
    expect(confirm).to_be_focused()
    gone.append(True)
    page.keyboard.press("Enter")
    expect(page.get_by_text("网络不通")).to_be_visible()
    gone.clear()
    expect(confirm).to_be_enabled()
    confirm.press("Enter")
    expect(page.get_by_text("已报到 1 / 1")).to_be_visible()


def test_a_teacher_is_invited_to_teach_and_to_assess_in_four(live: LiveSite, wide_page: Page) -> None:
    page = wide_page
    opened = live.do(stage.open_class(live.platform, XINGTAI, stage.class_draft(**APRIL)))
    for teacher in (cast.BACKBONE_TEACHER, cast.SECOND_BACKBONE_TEACHER):
        live.do(stage.register_backbone(live.platform, teacher))
    at_the_class(live, page, opened.id)
    wanted = cast.BACKBONE_TEACHER.name
    with at_most(page, 4):
        open_tab(page, "invitations")
        page.get_by_label("姓名或工作单位").click()
        page.keyboard.type(wanted)
        expect(page.get_by_label(cast.SECOND_BACKBONE_TEACHER.name)).to_have_count(0)
        page.get_by_label(wanted).click()
        page.get_by_role("button", name="发出邀请函").click()
        expect(page.get_by_text(f"已向{wanted}发出授课和考核邀请函")).to_be_visible()


def test_a_name_is_put_right_after_the_import_in_two(live: LiveSite, wide_page: Page) -> None:
    page = wide_page
    opened = live.do(stage.open_class(live.platform, XINGTAI, stage.class_draft(**APRIL)))
    live.do(stage.enrol(live.platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE]))
    at_the_class(live, page, opened.id)
    page.goto(f"{live.address}/admin/classes/{opened.id}/roster")
    with at_most(page, 2):
        page.get_by_role("link", name="修改").first.click()
        expect(page.get_by_label("姓名")).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type("林试改")
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_role("rowheader", name="林试改")).to_be_visible()


def test_the_certificates_of_a_class_are_printed_in_two(live: LiveSite, wide_page: Page) -> None:
    page = wide_page
    opened = live.do(passed_class(live.platform, live.wechat, 3))
    found = live.do(issued(live.platform, opened))
    at_the_class(live, page, opened.id)
    with at_most(page, 2):
        open_tab(page, "certificates")
        with page.expect_download() as download:
            page.get_by_role("link", name="打印全部证书").click()
    book = open_pdf(download.value.path().read_bytes())
    in_order = sorted(one.printed.serial for one in found)
    assert [serial in one.extract_text() for serial, one in zip(in_order, book.pages, strict=True)] == [
        True
    ] * 3


def test_where_it_hangs_across_a_province_is_one_click_away(
    live: LiveSite, clock: FixedClock, wide_page: Page
) -> None:
    """From wherever the province is: what waits for whom, for how long, whose day has passed."""
    page = wide_page
    opened = live.do(stage.open_class(live.platform, XINGTAI, stage.class_draft(**APRIL)))
    clock.advance(timedelta(days=30))
    live.sign_in(page, cast.HEBEI_OFFICER)
    page.goto(f"{live.address}/admin/institutions")
    with at_most(page, 1):
        page.get_by_role("link", name="工作台").first.click()
        line = page.get_by_role("row", name=opened.name).first
        expect(line).to_contain_text(opened.institution_name)
        expect(line).to_contain_text("30 天")
        expect(line).to_contain_text("已逾期")
