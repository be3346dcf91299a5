"""The way through a class on its own pages: the next action, and the phases with what was done, by whom and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from server.applications import service as applications
from server.applications.service import Approval
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import assessing, cast, certifying, stage
from tests.admin.browserless import sign_in
from tests.planning import HEBEI, applied

PHASES = "筹备 招生 教学 考核 结业".split()
PAGES = "培训计划 开班申请 教师邀请 培训方案 报名 名册 报到 课次签到 学习成果 成绩 满意度 证书".split()


def rail(html: str) -> str:
    """As it stands at the side; on a phone it is folded at the head of the page, the same once more."""
    found = re.search(r'(?s)<nav class="rail".*?</nav>', html)
    assert found is not None
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split())


def open_phases(html: str) -> list[str]:
    aside = html.partition('<nav class="rail"')[2].partition("</nav>")[0]
    folded = aside.split('<details class="rail-phase"')[1:]
    return [phase for phase, part in zip(PHASES, folded, strict=True) if part.startswith(" open")]


async def test_a_fresh_class_shows_its_whole_way_and_who_has_brought_it_here(
    platform: Platform, site: str
) -> None:
    new = await applied(platform)
    done = await applications.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert done.class_id is not None
    home = f"/admin/classes/{done.class_id}"
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get(home)
    words = rail(page.html)
    places = [words.find(title) for title in PAGES]
    assert -1 not in places and places == sorted(places), words
    assert f"开班申请 ：已完成 {cast.HEBEI_OFFICER.name}" in words and "报名 ：未开始" in words
    assert open_phases(page.html) == ["筹备"] and "名册 ：未开始" in words, (
        "nobody is in it, nothing is uploaded"
    )
    assert "环节：筹备" in page.text
    assert "接下来由您办理" in page.text and 'href="/admin/classes">' in page.html
    results = await browser.get(f"{home}/results")
    assert open_phases(results.html) == ["筹备", "考核"], "the phase it is in, and that of the page"
    province = await (await sign_in(platform, site, cast.HEBEI_OFFICER)).get(home)
    assert "在等 邢台技师学院" in province.text and "接下来由您办理" not in province.text
    await stage.enrol(platform, cast.XINGTAI_OFFICER, done.class_id, [cast.TRAINEE])
    filled = rail((await browser.get(home)).html)
    assert "报名 ：" not in filled and "名册 ：已完成" in filled, "a roster has filled it: nobody applies"


async def test_a_class_of_today_shows_its_session_its_code_and_who_is_missing(
    platform: Platform, site: str, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat)
    session = await stage.teaching_session(platform, held)
    assessing.clock_of(platform).set(session.ends_at)
    await stage.come(platform, held.id, held.trainees[0])
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get(f"/admin/classes/{held.id}")
    today = page.text.partition("今天的课次")[2].partition("资料")[0]
    assert open_phases(page.html) == ["教学"] and "环节：教学" in page.text
    assert session.title in today and f"/sessions/{session.id}" in page.html
    missing = today.partition("未到：")[2]
    assert held.trainees[1].actor.name in missing and held.trainees[0].actor.name not in missing
    assert "不合格" not in page.text, "nothing is due yet"
    assessing.clock_of(platform).set(session.starts_at + timedelta(days=1))
    page = await browser.get(f"/admin/classes/{held.id}")
    assert "今天的课次" not in page.text


async def test_a_class_that_awaits_grades_and_one_that_is_done_with_say_so(
    platform: Platform, site: str, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat)
    clock = assessing.clock_of(platform)
    clock.set(datetime(2026, 3, 30, 1, 0, tzinfo=UTC))
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get(f"/admin/classes/{held.id}")
    assert open_phases(page.html) == ["教学", "考核"] and "环节：未举办" in page.text  # nobody was taught
    assert "去办理" in page.text
    await certifying.release(platform, held.id)
    page = await browser.get(f"/admin/classes/{held.id}")
    assert open_phases(page.html) == ["结业"]
    assert "证书 ：进行中" in rail(page.html) or "证书 ：未开始" in rail(page.html)
