"""The pages of the training scheme over HTTP: the editor without JavaScript, the way to the approval, and the province's list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from admin.handlers.scheme_editor import CRITERIA_END, Typed
from server.assessment import tasks
from server.attendance import timetable
from server.kernel.platform import Platform
from server.schemes import rules, service
from server.schemes.content import Content, CriterionRow
from server.schemes.rules import State
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, Form, sign_in
from tests.assessing import clock_of
from tests.scheming import approved, content, draft, filed, moved, moved_class
from tests.stage import ClassInSession


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await stage.assess(platform, opened)
    return opened


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


@pytest.fixture
async def province(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.HEBEI_OFFICER)


def form_of(made: Content, version: int = 0) -> dict[str, str | list[str]]:
    """The editor's form as a browser sends it, an empty row at the end of each table."""
    typed = Typed.of(made, version)
    form: dict[str, str | list[str]] = {name: str(value) for name, value in typed.values.items()}
    for kind, rows in (("course", typed.courses), ("session", typed.sessions), ("task", typed.tasks)):
        for name in rows[0].keys() - {"criteria"}:
            form[f"{kind}_{name}"] = [row[name] for row in rows] + ["FORMATIVE" if name == "kind" else ""]
    ending = {"title": "", "points": CRITERIA_END}
    criteria = [one for row in typed.tasks for one in (*row["criteria"], ending)] + [ending]
    for name in ending:
        form[f"criterion_{name}"] = [one[name] for one in criteria]
    return form


async def test_an_institution_drafts_a_scheme_in_the_browser(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    home = f"/admin/classes/{held.id}/scheme"
    empty = await mine.get(home)
    assert "还没有起草培训方案" in empty.text and "教师签署" in empty.text
    editor = await mine.get(f"{home}/edit")
    assert 'value="工学一体化课程教学实施"' in editor.html and held.teacher.actor.name in editor.html
    wanted = content(held.teacher.actor.id)
    done = await mine.post(f"{home}/edit", form_of(wanted))
    assert (done.status, done.location) == (303, home)
    page = await mine.get(home)
    for words in ("第 1 版已保存", "16 个课次，80 课时", "说课答辩", "过程性 40%，终结性 60%", "送教师签署"):
        assert words in page.text, words
    saved = (await service.scheme_of_class(platform, held.officer, held.id)).newest
    assert saved is not None
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert saved.content == rules.written(wanted, seen.frame)
    assert {row.teacher_name for row in saved.content.sessions} == {held.teacher.actor.name}


async def test_a_timetable_is_drawn_from_half_days_and_nothing_is_saved(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    form: Form = {
        **form_of(content(held.teacher.actor.id)),
        "generate": "yes",
        "weekdays": ["0", "1", "2", "3", "4"],
        "morning_ends": "12:15",
        "morning_hours": "5",
        "afternoon_ends": "17:45",
        "afternoon_hours": "5",
        "session_title": ["半句话"],
    }
    page = await mine.post(f"/admin/classes/{held.id}/scheme/edit", form)
    assert page.status == 200
    assert page.html.count('name="session_day" value="2026-') == 16
    assert "半句话" not in page.html
    assert 'name="morning_hours" value="5"' in page.html
    assert 'data-unsaved="drawn"' in page.html, "the browser is told that nothing is saved (drafts.js)"
    assert (await service.scheme_of_class(platform, held.officer, held.id)).newest is None


async def test_what_the_days_do_not_hold_is_said_before_it_is_saved(
    held: ClassInSession, mine: Browser
) -> None:
    """Ten working days of four hours in the morning and four in the afternoon hold 80; four days a week 64."""
    url = f"/admin/classes/{held.id}/scheme/edit"
    wish: Form = {
        **form_of(content(held.teacher.actor.id)),
        "generate": "yes",
        "course_hours": ["32", "32", "16", ""],
        "weekdays": ["0", "1", "2", "3"],
    }
    page = await mine.post(url, wish)
    assert page.status == 200 and "课表还差 16 课时" in page.text
    assert page.html.count('name="session_day" value="2026-') == 16
    whole = await mine.post(url, {**wish, "weekdays": ["0", "1", "2", "3", "4"]})
    assert "课表还差" not in whole.text and "共 80 课时，与各课程课时相符" in whole.text
    short = await mine.post(url, {**wish, "morning_hours": "12"})
    assert short.status == 422 and "上午210 分钟放不下 12 课时：按每课时 45 分钟最多 4 课时" in short.text


async def test_opening_and_saving_changes_nothing_not_even_a_word_or_a_second(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    """学习任务分析 50 stays so, and a session that begins at 08:30:20 does."""
    odd = timedelta(seconds=20)
    made = content(held.teacher.actor.id)
    first, *others = made.sessions
    moved_by_seconds = first.model_copy(
        update={"starts_at": first.starts_at + odd, "ends_at": first.ends_at + odd}
    )
    rated = made.tasks[0].model_copy(
        update={
            "criteria": (
                CriterionRow(title="学习任务分析", points=50),
                CriterionRow(title="得分点 分", points=50),
            )
        }
    )
    wanted = made.model_copy(
        update={"sessions": (moved_by_seconds, *others), "tasks": (rated, made.tasks[1])}
    )
    saved = await service.save(platform, held.officer, held.id, wanted, 0)
    editor = await mine.get(f"/admin/classes/{held.id}/scheme/edit")
    assert 'value="学习任务分析"' in editor.html and 'value="08:30:20"' in editor.html
    assert (await mine.post(f"/admin/classes/{held.id}/scheme/edit", form_of(saved.content, 1))).status == 303
    newest = (await service.scheme_of_class(platform, held.officer, held.id)).newest
    assert newest is not None and newest.version == 1 and newest.content == saved.content


async def test_a_wrong_scheme_comes_back_with_what_was_typed_and_where_it_is_wrong(
    held: ClassInSession, mine: Browser
) -> None:
    url = f"/admin/classes/{held.id}/scheme/edit"
    right = form_of(content(held.teacher.actor.id))
    wrong: list[tuple[Form, str]] = [
        ({"course_hours": ["abc", "30", "20", ""]}, "课程第 1 行课时：应为整数"),
        ({"session_day": ["0001-01-01", *right["session_day"][1:]]}, "课表第 1 行日期：请填写 2000 年"),
        ({"session_starts": ["", *right["session_starts"][1:]]}, "课表第 1 行上课时间：必填"),
        ({"criterion_points": ["", *right["criterion_points"][1:]]}, "考核任务第 1 行评分项 1 的分值：必填"),
        ({"criterion_title": ["", *right["criterion_title"][1:]]}, "考核任务第 1 行评分项 1 的名称：必填"),
        ({"task_deadline": ["", "2026-03-27T17:00", ""]}, "考核任务第 1 行截止时间：必填"),
        ({"version": "7"}, "您看到的不是最新的一版"),
        ({"version": ""}, "必填"),
        ({"course_teacher_id": ["a" * 24, "", "", ""]}, "请从本班的授课教师中选择"),
    ]
    for change, words in wrong:
        answer = await mine.post(url, {**right, **change})
        assert answer.status in (409, 422) and words in answer.text, (change, words, answer.text)
        assert "数控车床" in answer.html and 'value="教学设计"' in answer.html
    kept = await mine.post(url, {**right, "course_hours": ["abc", "30", "20", ""]})
    assert 'value="abc"' in kept.html


async def test_what_a_teacher_saved_meanwhile_stands_beside_what_was_typed(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    home = f"/admin/classes/{held.id}/scheme"
    teacher = held.teacher.actor
    await draft(platform, held)
    await service.save_as_teacher(platform, teacher, held.id, content(teacher.id, materials="教师的讲义"), 1)
    editor = await mine.get(f"{home}/edit")
    assert f"在第 2 版（{teacher.name}（授课教师）" in editor.text
    typed = form_of(content(teacher.id, objectives="机构的目标"), 1)
    late = await mine.post(f"{home}/edit", typed)
    assert late.status == 409 and f"授课教师{teacher.name}刚刚保存了第 2 版" in late.text
    assert "第 2 版所作的修改" in late.text and "教师的讲义" in late.text
    assert "机构的目标" in late.html and 'name="version" value="2"' in late.html
    merged = form_of(content(teacher.id, objectives="机构的目标", materials="教师的讲义"), 2)
    assert (await mine.post(f"{home}/edit", merged)).status == 303
    page = await mine.get(home)
    assert f"{teacher.name}（授课教师）" in page.text and f"{held.officer.name}（培训机构）" in page.text


async def test_the_whole_way_through_the_pages(
    platform: Platform, held: ClassInSession, mine: Browser, province: Browser
) -> None:
    home = f"/admin/classes/{held.id}/scheme"
    await mine.post(f"{home}/edit", form_of(content(held.teacher.actor.id)))
    assert (await mine.post(f"{home}/send", {"version": "1"})).location == home
    early = await mine.post(f"{home}/file", {"version": "1"})
    assert early.status == 409 and "还没有签署这一版方案" in early.text
    await service.sign(platform, held.teacher.actor, held.id, 1)
    assert "报送省级审核" in (await mine.get(home)).text
    assert (await mine.post(f"{home}/file", {"version": "1"})).status == 303

    assert "待审核的培训方案：" in (await province.get("/admin")).text
    assert held.training_class.name in (await province.get("/admin/schemes")).text
    review = await province.get(home)
    assert "新安排 16 个课次" in review.text and f"{home}/approve" in review.html
    silent = await province.post(f"{home}/return", {"version": "1"})
    assert silent.status == 422 and "退回理由：必填" in silent.text
    assert (await province.post(f"{home}/return", {"version": "1", "reason": "请补充场地安排"})).status == 303
    assert "没有待审核的方案" in (await province.get("/admin/schemes")).text

    returned = await mine.get(home)
    assert "请补充场地安排" in returned.text and "被退回" in (await mine.get("/admin")).text
    form = form_of(content(held.teacher.actor.id, places="实训楼 301，备用机房 502"), 1)
    await mine.post(f"{home}/edit", form)
    changed = await mine.get(f"{home}/versions/2")
    assert "备用机房 502" in changed.text and "修改" in changed.text
    await mine.post(f"{home}/send", {"version": "2"})
    await service.sign(platform, held.teacher.actor, held.id, 2)
    await mine.post(f"{home}/file", {"version": "2"})
    done = await province.post(f"{home}/approve", {"version": "2"})
    assert (done.status, done.location) == (303, home)
    assert "新安排课次 16 个，布置任务 2 项" in (await province.get(home)).text
    assert "现行第 2 版" in (await mine.get(home)).text
    assert len(await tasks.tasks_of_class(platform, held.id)) == 2
    trail = await (await sign_in(platform, mine.site, cast.CENTRE)).get("/admin/audit")
    assert "审核通过培训方案" in trail.text and "新安排课次 16 个" in trail.text


async def test_by_hand_nothing_is_added_to_a_class_under_a_scheme(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    await service.approve(platform, stage.actor(cast.HEBEI_OFFICER), held.id, await filed(platform, held))
    listed = await mine.get(f"/admin/classes/{held.id}/tasks")
    assert "任务按已批准的培训方案布置" in listed.text and "/tasks/new" not in listed.html
    refused = await mine.post(
        f"/admin/classes/{held.id}/tasks/new",
        {
            "title": "加一项任务",
            "kind": "FORMATIVE",
            "deadline": "2026-03-20T17:00",
            "criterion_title": ["任务描述"],
            "criterion_points": ["100"],
        },
    )
    assert refused.status == 409 and "经教师签署后重新报备" in refused.text


async def test_a_later_version_says_beforehand_what_changes_and_what_stays(
    platform: Platform, held: ClassInSession, site: str
) -> None:
    await service.approve(platform, stage.actor(cast.HEBEI_OFFICER), held.id, await filed(platform, held))
    sessions = content(held.teacher.actor.id).sessions
    clock_of(platform).set(sessions[0].starts_at + timedelta(hours=1))
    await filed(platform, held, sessions=moved(sessions, 15, 1))
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    page = await province.get(f"/admin/classes/{held.id}/scheme")
    for words in ("新安排 1 个课次", "取消 1 个课次", "保持不变 15 个课次", "现在按第 1 版执行"):
        assert words in page.text, words
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert seen.newest is not None and seen.newest.state is State.SUBMITTED
    assert len(await timetable.timetable_of_class(platform, held.id)) == 16


async def test_who_only_reads_finds_no_buttons(
    platform: Platform, held: ClassInSession, province: Browser, site: str
) -> None:
    await draft(platform, held)
    home = f"/admin/classes/{held.id}/scheme"
    page = await province.get(home)
    assert "/edit" not in page.html and "发布意见" not in page.text
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    for path in (home, f"{home}/edit", f"{home}/versions/1"):
        assert (await neighbour.get(path)).status == 404
    assert held.training_class.name not in (await neighbour.get("/admin/schemes?state=DRAFT")).text
    assert held.training_class.name in (await province.get("/admin/schemes?state=DRAFT")).text


async def test_a_remark_of_the_institution_stands_on_the_page(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    await draft(platform, held)
    home = f"/admin/classes/{held.id}/scheme"
    assert (await mine.post(f"{home}/remarks", {"text": "<b>请</b>核对第二周"})).status == 303
    assert "&lt;b&gt;请&lt;/b&gt;核对第二周" in (await mine.get(home)).html
    assert (await mine.post(f"{home}/remarks", {"text": ""})).status == 422


async def test_the_approved_scheme_shows_what_holds_now_beside_what_was_approved(
    platform: Platform, held: ClassInSession, mine: Browser, province: Browser
) -> None:
    version = await approved(platform, held)
    home = f"/admin/classes/{held.id}/scheme"
    assert "现在的课表" not in (await mine.get(home)).text
    change = await moved_class(platform, held)
    for browser, page in ((mine, home), (province, f"{home}/versions/{version}")):
        seen = (await browser.get(page)).text
        assert "课次时间已经调整，以现在的课表为准" in seen and "2026-03-16 暂停：" in seen
        now, then = seen.split("现在的课表", 1)[1].split("课表（批准时）")
        assert "2026-03-30 08:30" in now and "2026-03-17 08:30" not in now
        assert "2026-03-17 08:30" in then and "2026-03-30 08:30" not in then
    stands = (await service.scheme_of_class(platform, held.officer, held.id)).newest
    assert stands is not None and stands.content.sessions[0].starts_at == change.moves[0].before


async def test_only_the_version_in_force_says_what_holds_now(
    platform: Platform, held: ClassInSession, mine: Browser
) -> None:
    await approved(platform, held)
    await draft(platform, held, objectives="能独立实施两门工学一体化课程的教学与考核。")
    await moved_class(platform, held)
    home = f"/admin/classes/{held.id}/scheme"
    assert "现在的课表" not in (await mine.get(home)).text  # a draft, which is not in force
    assert "现在的课表" in (await mine.get(f"{home}/versions/1")).text
    assert "现在的课表" not in (await mine.get(f"{home}/versions/2")).text
