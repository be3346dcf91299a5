"""The page of a class's satisfaction survey over HTTP."""

import io
from datetime import timedelta

import openpyxl

from server.kernel.platform import Platform
from server.surveys import rules
from server.surveys import service as surveys
from server.surveys.unsealing import unseal_due
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import sign_in
from tests.surveying import answer, answers_to, clock_of, let_it_end, open_survey, short_session

PERIOD = {"opens_at": "2026-03-16T13:00", "closes_at": "2026-03-20T18:00"}


async def test_an_institution_sets_up_the_survey_and_follows_it_to_its_results(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=6)
    await short_session(platform, opened)
    home = f"/admin/classes/{opened.id}/survey"
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "最后一次课结束时自动开放" in (await mine.get(home)).text
    assert (await mine.post(home, PERIOD)).status == 409
    clock_of(platform).advance(timedelta(hours=1))
    await stage.come(platform, opened.id)
    done = await mine.post(home, PERIOD)
    assert (done.status, done.location) == (303, home)
    running = await mine.get(home)
    assert "共 10 题" in running.text and "截止后公布结果" in running.text

    survey = await surveys.survey_of_class(platform, opened.id)
    assert survey is not None
    for phone in opened.trainees:
        answers = answers_to(survey, 3, remark="<b>实训设备</b>")
        await surveys.answer_survey(platform, phone.actor, survey.id, answers)
    assert "实训设备" not in (await mine.get(home)).text
    assert (await mine.get(f"{home}/export")).status == 409
    assert (await mine.post(f"{home}/close")).status == 303
    assert "正在汇总" in (await mine.get(home)).text
    clock_of(platform).advance(timedelta(minutes=1))
    assert "统一开封" in (await mine.get(home)).text
    assert await unseal_due(platform) == []
    over = await mine.get(home)
    assert "3.00 分" in over.text and "&lt;b&gt;实训设备&lt;/b&gt;" in over.html
    assert f"{home}/close" not in over.html
    sheet = openpyxl.load_workbook(io.BytesIO((await mine.get(f"{home}/export")).body)).worksheets[0]
    lines = list(sheet.iter_rows(min_row=2, values_only=True))
    assert lines[0][1:] == ("合计", 3, 6 * len(rules.TEACHER_TOPICS), 0, 0)
    assert [line[1] for line in lines if line[0] == rules.REMARKS] == ["<b>实训设备</b>"] * 6


async def test_a_bad_period_comes_back_with_what_was_typed(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await short_session(platform, opened)
    clock_of(platform).advance(timedelta(hours=1))
    await stage.come(platform, opened.id)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/survey"
    for wrong in (
        {"closes_at": "2026-03-16T11:00"},
        {"closes_at": "不是日期"},
        {"opens_at": "0001-01-01T00:00"},
    ):
        shown = await mine.save(home, PERIOD | wrong)
        assert shown.status == 422 and 'aria-invalid="true"' in shown.html
        assert "2026-03-16T13:00" in shown.html or "0001-01-01T00:00" in shown.html
    await mine.save(home, PERIOD)
    moved = await mine.save(f"{home}/closing", {"closes_at": "2026-03-21T18:00"})
    assert moved.status == 303
    refused = await mine.save(f"{home}/closing", {"closes_at": "2026-03-01T18:00"})
    assert refused.status == 422 and 'value="2026-03-01T18:00"' in refused.html


async def test_a_province_reads_and_cannot_change(platform: Platform, wechat: Simulator, site: str) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    home = f"/admin/classes/{opened.id}/survey"
    running = await province.get(home)
    assert running.status == 200 and "<form" not in running.html.partition("<main")[2]
    assert (await province.post(f"{home}/close")).status == 403
    await let_it_end(platform, survey)
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert (await neighbour.get(home)).status == 404
    assert (await neighbour.post(f"{home}/close")).status == 404


async def test_too_few_answers_are_said_and_not_shown(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=4)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    await let_it_end(platform, survey)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    shown = await mine.get(f"/admin/classes/{opened.id}/survey")
    assert "份数太少，不显示结果" in shown.text and "3.00" not in shown.text
