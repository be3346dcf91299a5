"""The invitations of a class over HTTP: recommended, sent, withdrawn, cancelled, and the letter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.classes.documents import TrainingClass
from server.invitations import rules
from server.invitations import service as invitations
from server.invitations.service import Refusal
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in
from tests.printed import text_of

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
TEACHER, OTHER = cast.BACKBONE_TEACHER, cast.SECOND_BACKBONE_TEACHER


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    april = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}
    return await stage.open_class(platform, XINGTAI, stage.class_draft(**april))


async def test_an_institution_invites_from_the_recommendation_and_reads_the_answers(
    platform: Platform, wechat: Simulator, site: str, opened: TrainingClass
) -> None:
    first = await stage.register_backbone(platform, TEACHER)
    second = await stage.register_backbone(platform, OTHER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/invitations"
    page = await mine.get(home)
    assert "还没有邀请骨干教师" in page.text and "2026 年授课 0 次，不足 2 次" in page.text
    form = {"teacher_ids": [first, second], "kinds": "TEACHING", "message": "<b>食宿统一安排</b>"}
    sent = await mine.post(home, form)
    assert (sent.status, sent.location) == (303, home)
    page = await mine.get(home)
    assert f"已向{TEACHER.name}、{OTHER.name}发出授课邀请函" in page.text
    assert page.text.count("待回复") == 2 and "已邀请授课" in page.text

    teacher = await stage.phone(platform, wechat, "openid-teacher", TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", OTHER)
    [letter] = await invitations.my_invitations(platform, teacher.actor)
    [declined] = await invitations.my_invitations(platform, other.actor)
    await invitations.accept(platform, teacher.actor, letter.id)
    await invitations.decline(platform, other.actor, declined.id, Refusal(reason="外出学习"))
    page = await mine.get(home)
    assert "已接受" in page.text and "已谢绝" in page.text and "外出学习" in page.text
    overview = await mine.get(f"/admin/classes/{opened.id}")
    assert TEACHER.name in overview.text and f"谢绝邀请（{OTHER.name}）" in overview.text

    shown = await mine.get(f"{home}/{letter.id}")
    assert f"尊敬的{TEACHER.name}老师" in shown.text and "&lt;b&gt;食宿统一安排&lt;/b&gt;" in shown.html
    paper = await mine.get(f"{home}/{letter.id}/pdf")
    assert paper.headers["Content-Type"] == "application/pdf"
    assert f"尊敬的{TEACHER.name}老师" in text_of(paper.body)


async def test_a_form_that_is_refused_comes_back_open_with_what_was_chosen(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    teacher = await stage.register_backbone(platform, TEACHER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/invitations"
    nobody = await mine.post(home, {"kinds": "TEACHING"})
    assert nobody.status == 422 and "骨干教师：" in nobody.text
    wrong = await mine.post(home, {"teacher_ids": teacher, "kinds": "DINNER", "message": "请到校"})
    assert wrong.status == 422 and "请到校" in wrong.html
    assert f'value="{teacher}" checked' in wrong.html
    await mine.post(home, {"teacher_ids": teacher, "kinds": "TEACHING"})
    twice = await mine.post(home, {"teacher_ids": teacher, "kinds": "TEACHING"})
    assert twice.status == 409 and "已有一封待回复的授课邀请函" in twice.text
    stranger = await mine.post(home, {"teacher_ids": "f" * 24, "kinds": "TEACHING"})
    assert stranger.status == 409 and "第六条" in stranger.text


async def test_withdrawing_and_cancelling_need_a_reason(
    platform: Platform, wechat: Simulator, site: str, opened: TrainingClass
) -> None:
    teacher_id = await stage.register_backbone(platform, TEACHER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/invitations"
    await mine.post(home, {"teacher_ids": teacher_id, "kinds": "TEACHING"})
    teacher = await stage.phone(platform, wechat, "openid-teacher", TEACHER)
    [letter] = await invitations.my_invitations(platform, teacher.actor)
    assert (await mine.post(f"{home}/{letter.id}/withdraw")).status == 422
    gone = await mine.post(f"{home}/{letter.id}/withdraw", {"reason": "日期有变"})
    assert (gone.status, gone.location) == (303, home)
    page = await mine.get(home)
    assert "已撤回" in page.text and "日期有变" in page.text
    again = await mine.post(f"{home}/{letter.id}/withdraw", {"reason": "再撤一次"})
    assert again.status == 409 and "已撤回这封邀请函" in again.text

    await stage.teach(platform, XINGTAI, opened.id, teacher)
    accepted, _ = await invitations.my_invitations(platform, teacher.actor)
    done = await mine.post(f"{home}/{accepted.id}/cancel", {"reason": "另换他人"})
    assert done.status == 303 and "已取消安排" in (await mine.get(home)).text
    assert "还没有骨干教师接受邀请" in (await mine.get(f"/admin/classes/{opened.id}")).text


async def test_the_search_finds_somebody_of_the_major_only(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    await stage.register_backbone(platform, TEACHER)
    await stage.register_backbone(platform, OTHER, ("03",))
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/invitations"
    everybody = await mine.get(home)
    assert TEACHER.name in everybody.text and OTHER.name not in everybody.text
    assert TEACHER.name not in (await mine.get(f"{home}?province=32")).text
    assert "没有符合条件的骨干教师" in (await mine.get(f"{home}?q=无此人")).text


async def test_who_oversees_reads_and_a_neighbour_finds_nothing(
    platform: Platform, wechat: Simulator, site: str, opened: TrainingClass
) -> None:
    await stage.register_backbone(platform, TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-teacher", TEACHER)
    letter = await stage.teach(platform, XINGTAI, opened.id, teacher)
    home = f"/admin/classes/{opened.id}/invitations"
    for officer in (cast.HEBEI_OFFICER, cast.CENTRE):
        reader = await sign_in(platform, site, officer)
        page = await reader.get(home)
        assert TEACHER.name in page.text and "<form" not in page.html.partition("<main")[2]
        assert (await reader.get(f"{home}/{letter}")).status == 200
        assert (await reader.post(home, {"kinds": "TEACHING"})).status == 403
    for officer in (cast.YANGZHOU_OFFICER, cast.JIANGSU_OFFICER):
        neighbour = await sign_in(platform, site, officer)
        for path in (home, f"{home}/{letter}", f"{home}/{letter}/pdf"):
            assert (await neighbour.get(path)).status == 404
        refused = await neighbour.post(f"{home}/{letter}/cancel", {"reason": "不相干的人"})
        assert refused.status == (403 if officer is cast.JIANGSU_OFFICER else 404)


async def sign_in_again(site: str, officer: cast.Officer = cast.XINGTAI_OFFICER) -> Browser:
    """With an account that is there already: days later a log-in has expired."""
    browser = Browser(site)
    await browser.post("/admin/login", {"username": officer.username, "password": officer.password})
    return browser


async def test_a_class_that_is_over_invites_nobody_and_the_home_page_says_what_is_missing_before(
    platform: Platform, site: str, opened: TrainingClass
) -> None:
    teacher = await stage.register_backbone(platform, TEACHER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/invitations"
    await mine.post(home, {"teacher_ids": teacher, "kinds": "ASSESSMENT"})
    assert isinstance(platform.clock, FixedClock)
    platform.clock.advance(timedelta(days=8))
    await invitations.follow_up(platform)
    mine = await sign_in_again(site)
    start = await mine.get("/admin")
    assert "考核邀请无人接受，请另邀骨干教师" in start.text and home in start.html
    assert "过期未复" in (await mine.get(home)).text
    platform.clock.set(rules.end_of(opened.ends_on))
    mine = await sign_in_again(site)
    over = await mine.get(home)
    assert "推荐的骨干教师" not in over.text
    refused = await mine.post(home, {"teacher_ids": teacher, "kinds": "TEACHING"})
    assert refused.status == 409 and "本班已经结束" in refused.text
