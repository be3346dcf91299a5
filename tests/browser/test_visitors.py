"""A visitor of a demonstration holds people's phones, one after the other, and brings each matter to its end by clicking."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from server.assessment import tasks
from server.assessment.rules import TaskKind
from server.assessment.tasks import CriterionDraft, TaskDraft
from tests import stage
from tests.browser.conftest import assert_accessible, assert_fits
from tests.browser.live import LiveSite

pytestmark = pytest.mark.browser


def test_a_visitor_checks_in_and_hands_in_as_a_trainee_and_grades_as_the_teacher(
    live: LiveSite, demonstrated: str, phone_page: Page
) -> None:
    held = live.do(stage.class_in_session(live.platform, live.wechat, trainees=1))
    live.do(stage.assess(live.platform, held))
    now = live.platform.clock.now()
    open_now = {"opens_at": now - timedelta(minutes=20), "closes_at": now + timedelta(hours=1)}
    begins = {"starts_at": now, "late_after": now + timedelta(minutes=5), "ends_at": now + timedelta(hours=3)}
    session = live.do(stage.teaching_session(live.platform, held, **open_now, **begins))
    draft = TaskDraft(
        title="教学设计",
        kind=TaskKind.FORMATIVE,
        deadline=now + timedelta(days=2),
        criteria=[CriterionDraft(title="任务分析", points=100)],
    )
    live.do(tasks.create_task(live.platform, held.officer, held.id, draft))
    trainee, teacher, page = held.trainees[0].actor.name, held.teacher.actor.name, phone_page

    def be(name: str) -> None:
        page.goto(f"{demonstrated}/simulator")
        page.locator("details.company:not([open]) summary").evaluate_all(
            "all => all.forEach(one => one.click())"
        )
        page.get_by_role("link", name=f"{name}的旧版手机页").click()

    be(trainee)
    page.get_by_role("link", name="我的培训").click()
    page.get_by_role("link", name=held.training_class.name).click()
    page.get_by_role("button", name="扫教室屏幕上的二维码").click()
    expect(page.get_by_role("status").first).to_contain_text("签到成功")
    page.get_by_role("link", name="教学设计").click()
    page.get_by_label("说明").fill("本人独立完成。")
    page.get_by_label("本人独立完成").check()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("status").first).to_contain_text("已提交第 1 版")

    be(teacher)
    page.get_by_role("link", name="我的授课").click()
    page.get_by_role("link", name=held.training_class.name).click()
    page.get_by_role("link", name=session.title).click()
    expect(page.locator("[data-code]")).to_contain_text("GX1:")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="教学设计").click()
    page.get_by_role("link", name=trainee).click()
    page.get_by_label("任务分析").fill("88")
    page.get_by_role("button", name="评分").click()
    expect(page.get_by_role("status").first).to_contain_text("已评 88 分")
