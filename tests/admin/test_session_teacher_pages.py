"""The pages of a class whose teacher has left it, and what a session under a scheme offers, over HTTP."""

from __future__ import annotations

import re

import pytest

from server.attendance import timetable
from server.attendance.documents import TeachingSession
from server.invitations import service as invitations
from server.invitations.service import Refusal
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, Form, sign_in
from tests.scheming import approved
from tests.stage import ClassInSession, Phone

GOVERNED = "时间由培训方案（第 1 版）确定，调整请申请暂停、延期或报新一版方案"


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    """A class with a scheme that names its teacher in every session."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await approved(platform, opened)
    return opened


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


async def sessions_of(platform: Platform, opened: ClassInSession) -> list[TeachingSession]:
    return [one for one, _ in await timetable.timetable_of_class(platform, opened.id)]


async def replaced(platform: Platform, wechat: Simulator, opened: ClassInSession) -> Phone:
    """The teacher has left, and somebody else has accepted."""
    seen = await invitations.invitations_of_class(platform, opened.officer, opened.id)
    for letter in seen.invitations:
        await invitations.cancel(platform, opened.officer, opened.id, letter.id, Refusal(reason="突发疾病"))
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, second)
    return second


def typed(html: str) -> Form:
    """What the form of a session holds as it is shown: its inputs, and what is chosen in its lists."""
    form = html.partition('aria-label="课次"')[2].partition("</form>")[0]
    inputs = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form)
    chosen = re.findall(r'<select[^>]*name="(\w+)".*?<option value="([^"]*)" selected', form, re.DOTALL)
    return {name: value for name, value in [*inputs, *chosen] if name != "_xsrf"}


async def test_class_page_sessions_and_home_lead_to_naming_a_teacher_for_all_sessions_in_one_step(
    platform: Platform, wechat: Simulator, opened: ClassInSession, mine: Browser
) -> None:
    home = f"/admin/classes/{opened.id}"
    assert "已不在本班" not in (await mine.get(home)).text
    second = await replaced(platform, wechat, opened)
    sessions = await sessions_of(platform, opened)
    words = f"{len(sessions)} 次课的授课教师已不在本班"
    for page in (home, f"{home}/sessions"):
        seen = await mine.get(page)
        assert words in seen.text and f'href="{home}/sessions/teachers"' in seen.html, page
    front = await mine.get("/admin")
    assert f"{words}，请另行指定" in front.text and f"{home}/sessions/teachers" in front.html
    named = f"{sessions[0].teacher_name}（已不在本班）"
    assert named in (await mine.get(f"{home}/sessions")).text
    form = await mine.get(f"{home}/sessions/teachers")
    assert f"现为{named}" in form.text and form.html.count(" checked") == len(sessions)

    chosen: Form = {"session_ids": [one.id for one in sessions], "teacher_id": second.actor.id}
    refused = await mine.post(f"{home}/sessions/teachers", chosen)
    assert refused.status == 422 and "理由：必填" in refused.text
    assert refused.html.count(" checked") == len(sessions)
    done = await mine.post(f"{home}/sessions/teachers", {**chosen, "reason": "突发疾病，由其代课"})
    assert done.location == f"{home}/sessions"
    assert f"已指定 {len(sessions)} 次课的授课教师" in (await mine.get(done.location)).text
    assert "已不在本班" not in (await mine.get(home)).text
    one = await mine.get(f"{home}/sessions/{sessions[0].id}")
    assert "突发疾病，由其代课" in one.text and sessions[0].teacher_name in one.text
    assert "每次课的授课教师都在本班" in (await mine.get(f"{home}/sessions/teachers")).text
    single = await mine.get(f"{home}/sessions/teachers?session={sessions[0].id}")
    assert single.html.count('name="session_ids"') == 1
    every = await mine.get(f"{home}/sessions/teachers?all=1")
    assert every.html.count('name="session_ids"') == len(sessions) and " checked" not in every.html


async def test_the_form_of_a_session_shows_who_is_named_and_changes_the_room_without_choosing(
    platform: Platform, wechat: Simulator, opened: ClassInSession, mine: Browser
) -> None:
    await replaced(platform, wechat, opened)
    [first, *_] = await sessions_of(platform, opened)
    one = f"/admin/classes/{opened.id}/sessions/{first.id}"
    form = await mine.get(f"{one}/edit")
    assert f"{first.teacher_name}（已不在本班）" in form.text
    assert "本班授课教师共同承担" not in form.text, "the scheme names a teacher for each session"
    values = typed(form.html)
    assert values["teacher_id"] == first.teacher_id
    answer = await mine.post(f"{one}/edit", {**values, "place": "实训楼 302"})
    assert answer.location == one, answer.text
    [now, *_] = await sessions_of(platform, opened)
    assert (now.place, now.teacher_id, now.times) == ("实训楼 302", first.teacher_id, first.times)


async def test_a_session_under_a_scheme_offers_what_can_be_done_and_leads_to_the_rest(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    [first, *_] = await sessions_of(platform, opened)
    home = f"/admin/classes/{opened.id}"
    one = f"{home}/sessions/{first.id}"
    for page in (f"{home}/sessions", one, f"{one}/edit"):
        seen = await mine.get(page)
        assert GOVERNED in seen.text, page
        for way in ("changes/suspend", "changes/postpone", "scheme"):
            assert f'href="{home}/{way}"' in seen.html, (page, way)
    shown = await mine.get(one)
    assert f"{one}/edit" in shown.html and "取消课次" not in shown.text
    form = await mine.get(f"{one}/edit")
    for name in ("title", "course", "starts_at", "ends_at", "hours"):
        [tag] = re.findall(rf'<(?:input|select)[^>]*name="{name}"[^>]*>', form.html)
        assert 'type="hidden"' in tag, name
    assert (await mine.post(f"{one}/edit", typed(form.html))).location == one
    later = await mine.post(f"{one}/edit", {**typed(form.html), "hours": "4"})
    assert later.status == 409 and "按已批准的培训方案执行" in later.text


async def test_without_a_scheme_a_session_is_cancelled_and_moved_as_before(
    platform: Platform, wechat: Simulator, mine: Browser
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, opened)
    one = f"/admin/classes/{opened.id}/sessions/{session.id}"
    seen = await mine.get(one)
    assert "取消课次" in seen.text and "时间由培训方案" not in seen.text
    assert "本班授课教师共同承担" in (await mine.get(f"{one}/edit")).text
