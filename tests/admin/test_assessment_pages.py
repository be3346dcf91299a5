"""The pages of tasks, submissions and results over HTTP."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest

from server.assessment import grading, service, submissions
from server.assessment.documents import Task
from server.assessment.rules import TaskKind
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, Form, enter, sign_in
from tests.assessing import PDF, assess_everybody, attend, clock_of, grade, graded, hand_in, release, set_task
from tests.stage import ClassInSession

TASK: Form = {
    "title": "典型工作任务分析",
    "kind": "FORMATIVE",
    "deadline": "2026-03-20T17:00",
    "instructions": "<b>交一份</b>分析报告",
    "criterion_title": ["任务描述", "", "教学策划"],
    "criterion_points": ["60", "", "40"],
}


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=3)


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


async def the_task(platform: Platform, opened: ClassInSession) -> Task:
    [row] = (await submissions.class_work(platform, opened.officer, opened.id)).tasks
    return row.task


# ---- tasks


async def test_an_institution_sets_a_task_and_changes_it_before_it_is_used(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    home = f"/admin/classes/{opened.id}/tasks"
    assert "还没有布置任务" in (await mine.get(home)).text
    assert (await mine.get(f"{home}/new")).html.count('name="criterion_title"') == 4
    done = await mine.save(f"{home}/new", TASK)
    assert (done.status, done.location) == (303, home)
    listed = await mine.get(home)
    assert "已发布" in listed.text and "2026-03-20 17:00" in listed.text and "0 / 3" in listed.text

    task = await the_task(platform, opened)
    assert [(one.key, one.title, one.points) for one in task.criteria] == [
        ("c1", "任务描述", 60),
        ("c2", "教学策划", 40),
    ]
    assert task.deadline.isoformat() == "2026-03-20T09:00:00+00:00"
    form = await mine.get(f"{home}/{task.id}/edit")
    assert 'value="2026-03-20T17:00"' in form.html and 'value="教学策划"' in form.html
    changed = await mine.save(f"{home}/{task.id}/edit", {**TASK, "title": "工作任务分析"})
    assert changed.location == f"{home}/{task.id}"
    page = await mine.get(f"{home}/{task.id}")
    assert "工作任务分析" in page.text and "&lt;b&gt;交一份&lt;/b&gt;" in page.html
    assert page.text.count("未提交") == 3


async def test_a_wrong_task_comes_back_with_what_was_typed(opened: ClassInSession, mine: Browser) -> None:
    url = f"/admin/classes/{opened.id}/tasks/new"
    rows: Form = {"criterion_title": ["任务描述", "策"], "criterion_points": ["60", "abc"]}
    wrong: list[tuple[Form, str]] = [
        ({"title": "x"}, "名称：至少 2 个字符"),
        ({"kind": ""}, "类型：必填"),
        ({"deadline": "2026-03-16T11:59"}, "须晚于现在"),
        ({"deadline": "0001-01-01T00:00"}, "2000 年至 2100 年"),
        ({"deadline": "不是时间"}, "截止时间："),
        ({"deadline": "2099-01-01T00:00"}, "核对年份"),
        (rows, "第 2 个评分项分值：应为整数"),
        ({"criterion_title": ["任务", "任务"], "criterion_points": ["1", "2"]}, "重复"),
        ({"criterion_title": [""], "criterion_points": [""]}, "请至少填写一个评分项"),
        ({"criterion_title": ["任务描述"], "criterion_points": ["101"]}, "不能大于 100"),
    ]
    for change, words in wrong:
        answer = await mine.save(url, {**TASK, **change})
        assert answer.status == 422 and words in answer.text, (change, answer.text)
        assert "分析报告" in answer.html
    kept = await mine.save(url, {**TASK, **rows})
    assert 'value="abc"' in kept.html and 'value="策"' in kept.html


async def test_a_task_in_use_keeps_all_but_its_deadline(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    task = await set_task(platform, opened)
    home = f"/admin/classes/{opened.id}/tasks/{task.id}"
    await hand_in(platform, opened.trainees[0], task)
    page = await mine.get(home)
    assert f"{home}/edit" not in page.html and f"{home}/withdraw" not in page.html
    for url in (f"{home}/edit", f"{home}/withdraw"):
        assert (await mine.save(url, TASK)).status == 409
    in_silence = await mine.save(f"{home}/extend", {"deadline": "2026-03-25T17:00"})
    assert in_silence.status == 422 and "data-dialog-show" in in_silence.html
    earlier = await mine.save(f"{home}/extend", {"deadline": "2026-03-17T17:00", "reason": "提前收取"})
    assert earlier.status == 422 and "只能延长" in earlier.text
    done = await mine.save(f"{home}/extend", {"deadline": "2026-03-25T17:00", "reason": "停电一天"})
    assert done.status == 303
    assert "停电一天" in (await mine.get(home)).text


async def test_a_task_that_nobody_used_is_withdrawn(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    task = await set_task(platform, opened)
    home = f"/admin/classes/{opened.id}/tasks"
    assert (await mine.post(f"{home}/{task.id}/withdraw")).location == home
    assert (await mine.get(f"{home}/{task.id}")).status == 404


# ---- submissions


async def test_staff_see_each_version_its_files_and_the_history_of_its_grades(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    task = await set_task(platform, opened)
    phone = opened.trainees[0]
    first = await hand_in(platform, phone, task, text="<i>第一版</i>", files=[("成果.pdf", PDF)])
    await grade(platform, opened.teacher, first, 50, 30)
    change = graded(55, 30, comment="补看了附件", reason="漏算附件")
    await grading.grade_submission(platform, opened.teacher.actor, first.id, change)
    await hand_in(platform, phone, task, text="第二版")
    home = f"/admin/classes/{opened.id}/tasks/{task.id}"
    overview = await mine.get(home)
    assert "新版待批阅" in overview.text and overview.text.count("未提交") == 2
    newest = await mine.get(f"{home}/trainees/{phone.actor.person_id}")
    assert "第二版" in newest.text and "80 → 85 分" in newest.text and "修改理由：漏算附件" in newest.text
    older = await mine.get(f"{home}/trainees/{phone.actor.person_id}?version=1")
    assert "&lt;i&gt;第一版&lt;/i&gt;" in older.html and "成果.pdf" in older.text
    unknown = await mine.get(f"{home}/trainees/{phone.actor.person_id}?version=9")
    assert "没有这一版" in unknown.text
    file = await mine.get(f"/admin/classes/{opened.id}/submissions/{first.id}/files/{first.files[0].id}")
    assert file.body == PDF and "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["Content-Disposition"].startswith("attachment")


async def test_a_grade_given_on_site_shows_without_a_submission(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    task = await set_task(platform, opened, TaskKind.SUMMATIVE)
    person_id = opened.trainees[1].actor.person_id
    await grading.grade_trainee(platform, opened.teacher.actor, task.id, person_id, graded(50, 40))
    page = await mine.get(f"/admin/classes/{opened.id}/tasks/{task.id}/trainees/{person_id}")
    assert "现场评分" in page.text and "90 / 100" in page.text and "评阅现场考核：90 分" in page.text


# ---- results


async def test_results_are_released_once_everything_is_graded(
    platform: Platform, opened: ClassInSession, mine: Browser
) -> None:
    home = f"/admin/classes/{opened.id}/results"
    empty = await mine.get(home)
    assert "成绩还不能公布" in empty.text and "过程性考核" in empty.text
    formative, _ = await assess_everybody(platform, opened, [85, 60, 59])
    await enter(platform, mine, cast.XINGTAI_OFFICER)  # a week later
    again = await hand_in(platform, opened.trainees[1], formative, text="又一版")
    waiting = await mine.get(home)
    assert "有 1 份提交待批阅" in waiting.text and f"{home}/release" not in waiting.html
    named = {"typed": opened.training_class.name}
    refused = await mine.post(f"{home}/release", named)
    assert refused.status == 409 and opened.trainees[1].actor.name in refused.text
    among = (await mine.get(f"{home}?only=WAITING")).text
    assert "1 人" in among and opened.trainees[0].actor.name not in among.partition("学员 学习任务")[2]
    early = openpyxl.load_workbook(io.BytesIO((await mine.get(f"{home}/grade-sheet")).body)).worksheets[0]
    told = [[cell for cell in row if cell] for row in early.iter_rows(values_only=True)]
    assert "（未公布）" in str(told[0]) and "尚未公布" in str(told[1])
    assert told[5][4:] == ["待批阅", 60, "未定", 60, "未定", 80, 80, "未定"]

    await grade(platform, opened.teacher, again, 40, 20)
    ready = await mine.get(home)
    assert "可以公布了" in ready.text and f"{home}/release" in ready.html
    for words in ("已完成 80，应完成 80", "满意度评价 还没有发起", "待批阅 0 份", "名册、报名和报到"):
        assert words in ready.text, words
    for typed in ({}, {"typed": "别的培训班"}):
        assert (await mine.post(f"{home}/release", typed)).status == 422
    assert (await mine.post(f"{home}/release", named)).location == home
    shown = await mine.get(home)
    assert "3 人，合格 2 人" in shown.text and "85.0" in shown.text and "总评未达合格线" in shown.text
    assert f"{home}/release" not in shown.html
    assert (await mine.post(f"{home}/release", named)).status == 409
    assert "都已封存" in (await mine.get(f"/admin/classes/{opened.id}/tasks")).text


async def test_the_grade_sheet_reports_the_frozen_results(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    await set_task(platform, opened, title="=1+1")
    await assess_everybody(platform, opened, [85, 60, 59])
    await release(platform, opened)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    answer = await mine.get(f"/admin/classes/{opened.id}/results/grade-sheet")
    assert answer.status == 200 and ".xlsx" in answer.headers["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.body)).active
    assert sheet is not None
    lines = [list(row) for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert lines[0][:5] == ["序号", "姓名", "身份证号", "工作单位", "=1+1（过程性，满分 100）"]
    first = dict(zip(lines[0], lines[1], strict=True))
    assert first["姓名"] == opened.trainees[0].actor.name
    assert "*" in str(first["身份证号"])
    assert first["=1+1（过程性，满分 100）"] == "未交"
    assert (first["总评"], first["考核结果"]) == (68, "合格")
    assert [line[-2] for line in lines[1:4]] == ["合格", "不合格", "不合格"]


async def test_missing_work_and_missing_hours_are_named_before_the_release(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    formative = await set_task(platform, opened)
    summative = await set_task(platform, opened, TaskKind.SUMMATIVE)
    for task in (formative, summative):
        await grade(platform, opened.teacher, await hand_in(platform, opened.trainees[0], task))
    await attend(platform, opened, opened.trainees[:2])
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await mine.get(f"/admin/classes/{opened.id}/results")
    assert "未交 4 项" in page.text and "按 0 分计" in page.text and "出勤不足" in page.text
    assert "应完成 80" in page.text


async def test_nobody_has_failed_in_the_middle_of_a_class(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    await set_task(platform, opened)
    await set_task(platform, opened, TaskKind.SUMMATIVE)
    session = await stage.teaching_session(platform, opened)
    clock_of(platform).set(session.ends_at + timedelta(minutes=1))
    await stage.come(platform, opened.id)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await mine.get(f"/admin/classes/{opened.id}/results")
    assert (
        page.text.count("未定") >= 3
        and "不合格" not in page.text.replace("未交 不合格 查询", "")
        and "出勤不足" not in page.text.replace("出勤不足 0", "")
    )
    for words in ("已完成 4 课时，还差 76 课时", "还有 3 人没有提交"):
        assert words in page.text, words


# ---- who may


async def test_provinces_and_the_centre_read_and_change_nothing(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    task = await set_task(platform, opened)
    home = f"/admin/classes/{opened.id}"
    for officer in (cast.HEBEI_OFFICER, cast.CENTRE):
        theirs = await sign_in(platform, site, officer)
        for path in ("/tasks", f"/tasks/{task.id}", "/results"):
            page = await theirs.get(home + path)
            assert page.status == 200
            for words in ("布置任务", "延长截止时间", "公布成绩"):
                assert words not in page.text
        for path in ("/tasks/new", f"/tasks/{task.id}/edit", "/results/release"):
            assert (await theirs.post(home + path, TASK)).status == 403


async def test_the_neighbour_sees_nothing(platform: Platform, site: str, opened: ClassInSession) -> None:
    task = await set_task(platform, opened)
    submission = await hand_in(platform, opened.trainees[0], task, files=[("成果.pdf", PDF)])
    person_id = opened.trainees[0].actor.person_id
    home = f"/admin/classes/{opened.id}"
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    for path in (
        "/tasks",
        "/tasks/new",
        f"/tasks/{task.id}",
        f"/tasks/{task.id}/edit",
        f"/tasks/{task.id}/trainees/{person_id}",
        f"/submissions/{submission.id}/files/{submission.files[0].id}",
        "/results",
        "/results/grade-sheet",
    ):
        assert (await neighbour.get(home + path)).status == 404, path
    for path in (
        "/tasks/new",
        f"/tasks/{task.id}/edit",
        f"/tasks/{task.id}/extend",
        f"/tasks/{task.id}/withdraw",
        "/results/release",
    ):
        form = {**TASK, "reason": "越权修改"}
        assert (await neighbour.post(home + path, form)).status == 404, path
    other = await stage.open_class(platform, opened.officer, stage.class_draft())
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert (await mine.get(f"/admin/classes/{other.id}/tasks/{task.id}")).status == 404
    assert await service.released_results(platform, opened.id) == {}
