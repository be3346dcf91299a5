"""A backbone teacher's phone, in a browser: the mini-program's very files on the running platform."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import expect

from server.assessment import submissions
from server.classes.rules import Kind
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft
from server.kernel.clock import FixedClock
from server.schemes import service as schemes
from tests import admitting, assessing, cast, scheming, stage
from tests.browser.conftest import assert_accessible
from tests.browser.live import LiveSite
from tests.browser.test_phone import (
    SIZES,
    Hold,
    held,
    hold,
    press,
    pytestmark,
    seen,
    settled,
)
from tests.stage import ClassInSession

__all__ = ["held", "hold", "pytestmark"]
LATER = {"starts_on": date(2026, 5, 11), "ends_on": date(2026, 5, 22)}
FIRST, SECOND = cast.people(2)


def test_whoever_could_not_scan_is_registered_with_a_reason_that_survives_the_network(
    live: LiveSite, held: ClassInSession, hold: Hold, clock: FixedClock
) -> None:
    session = live.do(stage.teaching_session(live.platform, held))
    clock.set(session.starts_at)
    page = hold(held.teacher.openid, f"pages/session-code/session-code?id={session.id}")
    press(page, "全屏显示")
    expect(page.get_by_role("img", name="签到二维码")).to_be_visible()
    expect(page.get_by_text(FIRST.name)).to_have_count(0)  # no names on the screen of the room
    press(page, "退出全屏")
    press(page, "点名册与补签")
    page.get_by_role("button", name=FIRST.name).click()
    press(page, "补签为迟到")
    press(page, "提交")
    expect(page.get_by_role("alert")).to_contain_text("至少 4 个字")
    page.get_by_role("textbox").fill("手机没电，本人在教室")
    page.context.set_offline(True)
    press(page, "提交")
    expect(page.get_by_text("请检查手机的网络后重试")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("textbox")).to_have_value("手机没电，本人在教室")
    press(page, "提交")
    expect(page.get_by_text("补签理由：手机没电，本人在教室")).to_be_visible()
    expect(page.get_by_text("出勤 0 人，迟到 1 人，未签到 1 人")).to_be_visible()
    assert_accessible(page)


def test_grading_goes_on_to_the_next_keeps_drafts_and_shows_what_was_handed_in_meanwhile(
    live: LiveSite, held: ClassInSession, hold: Hold
) -> None:
    task = live.do(assessing.set_task(live.platform, held))
    one, other = held.trainees
    for trainee in (one, other):
        live.do(assessing.hand_in(live.platform, trainee, task))
    page = hold(held.teacher.openid, f"pages/works/works?task={task.id}")
    press(page, "开始批阅")
    press(page, "提交，下一份")
    expect(page.get_by_text("请打分。")).to_have_count(2)
    press(page, "任务描述 54 分")
    press(page, "任务描述 加 1 分")
    press(page, "教学策划 40 分")
    page.get_by_label("评语").fill("结构清楚")
    press(page, "返回")
    press(page, "开始批阅")  # the points and the words were kept
    expect(page.get_by_label("评语")).to_have_value("结构清楚")
    expect(page.get_by_text("95 / 100 分")).to_be_visible()
    assert_accessible(page)
    press(page, "提交，下一份")
    expect(page.locator(".sheet-title:visible")).to_have_text(SECOND.name)
    press(page, "任务描述 60 分")
    press(page, "教学策划 40 分")
    live.do(assessing.hand_in(live.platform, other, task, text="改过的第二版"))
    press(page, "提交")
    expect(page.get_by_text("改过的第二版")).to_be_visible()
    expect(page.get_by_text("您打的分和评语还在")).to_be_visible()
    press(page, "看以前的版本")
    expect(page.get_by_text("我的学习成果")).to_be_visible()
    press(page, "提交")
    expect(page.get_by_text("2 人中 2 人已提交，2 人已批阅")).to_be_visible()
    work = live.do(submissions.taught_work(live.platform, held.teacher.actor, task.id))
    assert [row.grade.current.points for row in work.rows if row.grade] == [95, 100]


def test_a_letter_is_answered_and_applicants_are_screened(live: LiveSite, hold: Hold) -> None:
    opened = live.do(admitting.open_class(live.platform, live.wechat))
    live.do(admitting.apply(live.platform, live.wechat, opened.id, FIRST))
    page = hold(opened.teacher.openid, f"pages/applicants/applicants?class={opened.id}")
    page.get_by_role("button", name=FIRST.name).click()
    press(page, "不同意")
    page.get_by_role("textbox").fill("任教专业与本班不一致")
    page.get_by_role("dialog").get_by_role("button", name="不同意").click()
    expect(page.get_by_role("button", name=FIRST.name)).to_contain_text("未通过")
    other = live.do(stage.open_class(live.platform, opened.officer, stage.class_draft(**LATER)))
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[opened.teacher.actor.id])
    [sent] = live.do(invitations.send(live.platform, opened.officer, other.id, draft))
    page = hold(opened.teacher.openid, f"pages/invitation/invitation?id={sent.id}")
    press(page, "谢绝")
    page.get_by_role("textbox").fill("本校期末考试，不能外出")
    page.get_by_role("dialog").get_by_role("button", name="谢绝").click()
    expect(page.get_by_text("本校期末考试，不能外出")).to_be_visible()
    assert_accessible(page)


def test_a_scheme_is_written_in_parts_over_what_the_institution_saved_meanwhile_and_signed(
    live: LiveSite, held: ClassInSession, hold: Hold
) -> None:
    first = live.do(scheming.draft(live.platform, held))
    page = hold(held.teacher.openid, f"pages/scheme-part/scheme-part?class={held.id}&part=objectives")
    page.get_by_label("培训目标").fill("教师写的目标")
    live.do(
        schemes.save(
            live.platform,
            held.officer,
            held.id,
            scheming.content(held.teacher.actor.id, places="机构改的场所"),
            first.version,
        )
    )
    press(page, "保存为新的一版")
    expect(page.get_by_text("您在第 1 版上写的还在")).to_be_visible()
    expect(page.get_by_label("培训目标")).to_have_value("教师写的目标")
    press(page, "保存为新的一版")
    expect(page.get_by_role("button", name="保存为新的一版")).to_have_count(0)
    seen_now = live.do(schemes.scheme_of_class(live.platform, held.officer, held.id)).newest
    assert seen_now is not None
    assert (seen_now.content.objectives, seen_now.content.places) == ("教师写的目标", "机构改的场所")
    live.do(schemes.send_for_signature(live.platform, held.officer, held.id, seen_now.version))
    page = hold(held.teacher.openid, f"pages/scheme/scheme?class={held.id}", "tablet")
    press(page, "签署第 3 版")
    press(page, "签署")
    expect(page.get_by_text("您已签署这一版。")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_a_teacher_fits_and_can_be_read(
    live: LiveSite, held: ClassInSession, hold: Hold, size: str
) -> None:
    session = live.do(stage.teaching_session(live.platform, held))
    task = live.do(assessing.set_task(live.platform, held))
    live.do(assessing.hand_in(live.platform, held.trainees[0], task))
    live.do(scheming.draft(live.platform, held))
    page = hold(held.teacher.openid, size=size)
    for path in (
        f"taught/taught?id={held.id}",
        f"roster/roster?class={held.id}",
        f"roll/roll?id={session.id}",
        f"taught-tasks/taught-tasks?class={held.id}",
        f"works/works?task={task.id}",
        f"scheme/scheme?class={held.id}",
        f"scheme-part/scheme-part?class={held.id}&part=sessions",
        "duties/duties",
        "satisfaction/satisfaction",
        "guidance-given/guidance-given",
        "guidance-log/guidance-log",
        "standing/standing",
        "invitations/invitations",
        f"applicants/applicants?class={held.id}",
        f"grading/grading?task={task.id}&person={held.trainees[0].actor.person_id}",
    ):
        page.goto(f"{page.url.partition('#')[0]}#/pages/{path}")
        settled(page)
        seen(page, read=size == "phone")
