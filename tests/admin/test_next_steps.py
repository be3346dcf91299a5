"""What the home page and the page of a class say comes next, from the first plan to the last certificate (指南第四条)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.applications import service as applications
from server.applications.service import Approval
from server.attendance import service as attendance
from server.classes import service as classes
from server.interruptions import service as interruptions
from server.interruptions.requests import Postponement, Suspension
from server.interruptions.rules import Ground
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review
from server.plans import service as plans
from server.progress import service as progress
from server.reopenings import service as reopenings
from server.reopenings.service import Asked
from server.selection import service as selection
from server.surveys import opening
from server.surveys import service as surveys
from server.wechat.simulator import Simulator
from tests import cast, certifying, planning, scheming, selecting, stage
from tests.admin.browserless import Browser, sign_in
from tests.assessing import assess_everybody, release
from tests.stage import ClassInSession
from tests.surveying import answer

HEBEI = planning.HEBEI
TYPHOON = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


async def home(browser: Browser) -> str:
    """The home page; the officer signs in again where the clock has jumped over the end of the session."""
    page = await browser.get("/admin")
    if page.status != 200:
        mine = cast.XINGTAI_OFFICER
        await browser.post("/admin/login", {"username": mine.username, "password": mine.password})
        page = await browser.get("/admin")
    return page.text


# ---- hours that a 暂停 has cancelled


@pytest.fixture
async def cancelled(platform: Platform, wechat: Simulator) -> ClassInSession:
    """The class of the stage, taught by its scheme; a 暂停 has cancelled the ten hours of its last day."""
    held = await stage.class_in_session(platform, wechat)
    await scheming.approved(platform, held)
    last = date(2026, 3, 26)
    wanted = Suspension.model_validate(TYPHOON | {"first": last, "last": last, "ends_on": date(2026, 3, 31)})
    asked = await interruptions.suspend(platform, held.officer, held.id, wanted)
    await interruptions.approve(platform, HEBEI, asked.id, Review(seen=1))
    return held


async def unscheduled(platform: Platform, held: ClassInSession) -> int:
    found = await classes.get_class(platform, held.officer, held.id)
    return (await attendance.unscheduled(platform, [found])).get(held.id, 0)


async def test_cancelled_hours_are_named_from_the_approval_on_until_they_are_arranged(
    platform: Platform, cancelled: ClassInSession, mine: Browser
) -> None:
    owed = await unscheduled(platform, cancelled)
    words, page = f"{owed} 课时尚未安排：申请延期补上", f"/admin/classes/{cancelled.id}"
    assert owed > 0 and words in await home(mine)
    overview = await mine.get(page)
    assert words in overview.text and f"{page}/changes/postpone" in overview.html
    results = await mine.get(f"{page}/results")
    assert f"{owed} 课时尚未安排" in results.text and f"{page}/changes/postpone" in results.html

    sessions = await interruptions.sessions_to_place(platform, cancelled.officer, cancelled.id)
    gone = [one for one in sessions if one.cancelled_at]
    wanted = Postponement.model_validate(
        TYPHOON
        | {
            "starts_on": date(2026, 3, 16),
            "ends_on": date(2026, 4, 1),
            "moves": {one.id: one.starts_at + timedelta(days=4) for one in gone},
        }
    )
    asked = await interruptions.postpone(platform, cancelled.officer, cancelled.id, wanted)
    assert f"{owed} 课时尚未安排，变更正在办理" in await home(mine)
    await interruptions.approve(platform, HEBEI, asked.id, Review(seen=1))
    assert "尚未安排" not in await home(mine)
    assert "尚未安排" not in (await mine.get(f"{page}/results")).text


async def test_the_survey_does_not_open_by_itself_while_cancelled_hours_are_unscheduled(
    platform: Platform, clock: FixedClock, cancelled: ClassInSession, mine: Browser
) -> None:
    clock.set(certifying.on_last_day(cancelled) + timedelta(days=2))
    assert await opening.open_due(platform) == 0
    assert (await surveys.my_surveys(platform, cancelled.trainees[0].actor))[0] == []
    await home(mine)
    page = await mine.get(f"/admin/classes/{cancelled.id}/survey")
    assert "评价不会自动开放" in page.text and "发起评价" in page.text
    await platform["classes"].update_one({"_id": cancelled.id}, {"$set": {"condition": "TERMINATED"}})
    assert await opening.open_due(platform) == 1, "of a class that was terminated nothing is owed"


# ---- certificates, surveys, invitations


async def test_home_and_the_class_say_how_many_certificates_may_be_issued(
    platform: Platform, wechat: Simulator, mine: Browser
) -> None:
    passed = await certifying.passed_class(platform, wechat, trainees=2)
    assert "2 人可以核发证书" in await home(mine)
    assert "2 人可以核发证书" in (await mine.get(f"/admin/classes/{passed.id}")).text
    await certifying.issued(platform, passed)
    assert "可以核发证书" not in await home(mine)


async def test_home_says_that_few_have_answered_a_survey_that_ends_soon(
    platform: Platform, clock: FixedClock, wechat: Simulator, mine: Browser
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=6)
    session = await stage.teaching_session(platform, opened)
    clock.set(session.ends_at)
    await stage.come(platform, opened.id)
    await opening.open_due(platform)
    survey = await surveys.survey_of_class(platform, opened.id)
    assert survey is not None
    await answer(platform, survey, opened.trainees[:2])
    assert "人作答" not in await home(mine)
    clock.set(survey.closes_at - timedelta(hours=20))
    assert "满意度评价只有 2 / 6 人作答" in await home(mine)
    await answer(platform, survey, opened.trainees[2:])
    assert "人作答" not in await home(mine)


async def test_home_says_why_results_are_open_again(
    platform: Platform, wechat: Simulator, mine: Browser
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await assess_everybody(platform, opened, [85])
    await release(platform, opened)
    asked = await reopenings.request(platform, opened.officer, opened.id, Asked(reason="漏计一次补签。"))
    await reopenings.approve(platform, HEBEI, asked.id, Review(seen=1))
    assert "成绩已重新开放，核定后重新公布（漏计一次补签。）" in await home(mine)
    found = await classes.get_class(platform, opened.officer, opened.id)
    steps = await progress.steps_of_class(platform, opened.officer, found)
    [again] = [one for one in steps if one.key == "release"]
    assert again.since == beijing_date(platform.clock.now()) and not again.blocked_by
    assert "成绩重新开放的申请：已同意" in await home(mine)
    await release(platform, opened)
    assert "核定后重新公布" not in await home(mine)


# ---- the first plan and the first application, and what was decided


async def test_the_first_steps_follow_the_plan_and_the_application(
    platform: Platform, clock: FixedClock, mine: Browser
) -> None:
    assert "编制年度计划，报省级管理部门审核" in await home(mine)
    plan = await planning.drafted(platform)
    assert "计划正在编制" in await home(mine)
    plan = await plans.submit(platform, planning.XINGTAI, plan.id, len(plan.history))
    assert "计划已报送，等待" in await home(mine)
    wanted = Return(seen=len(plan.history), reason="四月项目人数偏多。")
    plan = await plans.send_back(platform, HEBEI, plan.id, wanted)
    assert "计划被退回" in await home(mine)
    plan = await plans.submit(platform, planning.XINGTAI, plan.id, len(plan.history))
    plan = await plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history)))
    page = await mine.get("/admin")
    assert (
        "2026 年培训计划第 1 版已批准，可以申请开班" in page.text and f"/admin/plans/{plan.id}" in page.html
    )
    assert "编制年度培训计划 （已完成）" in page.text and "从已批准计划的项目申请开班" in page.text
    new = await planning.applied(platform, plan)
    assert f"“{new.name}”已报送，等待省级管理部门审核" in await home(mine)
    await applications.approve(platform, HEBEI, new.id, Approval(seen=1))
    page = await mine.get("/admin")
    assert f"“{new.name}”已批准开班" in page.text and "从这里开始" not in page.text
    clock.advance(timedelta(days=7))
    assert "近期审核结果" not in await home(mine), "said for seven days"


async def test_a_province_reads_at_home_that_its_recommendation_was_accepted(
    platform: Platform, site: str
) -> None:
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "近期审核结果" not in await home(province)
    nominee = await selecting.accepted(platform)
    found = await selection.nominee(platform, HEBEI, nominee.id)
    assert f"对{found.name}老师的选拔推荐已通过" in await home(province)
