"""Surveys over HTTP, as phones answer them."""

from datetime import timedelta
from typing import Any

import pytest

from server.kernel.platform import Platform
from server.surveys.documents import Survey
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import call
from tests.stage import ClassInSession
from tests.surveying import answer, answers_to, clock_of, let_it_end, open_survey


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=5)


@pytest.fixture
async def survey(platform: Platform, opened: ClassInSession) -> Survey:
    return await open_survey(platform, opened)


async def test_a_trainee_finds_reads_and_answers_the_survey(
    site: str, opened: ClassInSession, survey: Survey
) -> None:
    token = opened.trainees[0].token
    listed = await call(site, "GET", "/surveys", token=token)
    assert listed.status == 200 and listed.json["next"] is None
    [item] = listed.json["items"]
    assert (item["id"], item["state"], item["answered"]) == (survey.id, "OPEN", False)
    read = (await call(site, "GET", f"/surveys/{survey.id}", token=token)).json
    assert [one["points"] for one in read["scale"]] == [3, 2, 1]
    answers: dict[str, Any] = {one["key"]: 3 for one in read["questions"] if one["kind"] == "scale"}
    first = await call(
        site, "POST", f"/surveys/{survey.id}/responses", token=token, body={"answers": answers}
    )
    again = await call(
        site, "POST", f"/surveys/{survey.id}/responses", token=token, body={"answers": answers}
    )
    assert (first.status, again.status) == (201, 200) and first.json == again.json
    assert (await call(site, "GET", f"/surveys/{survey.id}", token=token)).json["answered"] is True


async def test_each_wrong_answer_is_named_at_its_place(
    site: str, opened: ClassInSession, survey: Survey
) -> None:
    body = {"answers": answers_to(survey) | {"q1": 4, "q99": 1}}
    body["answers"].pop("q2")
    answer = await call(
        site, "POST", f"/surveys/{survey.id}/responses", token=opened.trainees[0].token, body=body
    )
    assert (answer.status, answer.problem) == (422, "invalid")
    assert {one["place"] for one in answer.json["errors"]} == {"answers.q1", "answers.q2", "answers.q99"}


@pytest.mark.parametrize("wrong", [{}, {"answers": []}, {"answers": {"q1": True}}, {"answers": {"q1": None}}])
async def test_a_body_of_another_shape_is_refused(
    site: str, opened: ClassInSession, survey: Survey, wrong: Any
) -> None:
    path = f"/surveys/{survey.id}/responses"
    answer = await call(site, "POST", path, token=opened.trainees[0].token, body=wrong)
    assert (answer.status, answer.problem) == (422, "invalid")


async def test_after_the_end_the_refusal_says_when_it_ended(
    platform: Platform, site: str, opened: ClassInSession, survey: Survey
) -> None:
    clock_of(platform).set(survey.closes_at)
    token = opened.trainees[0].token
    body = {"answers": answers_to(survey)}
    answer = await call(site, "POST", f"/surveys/{survey.id}/responses", token=token, body=body)
    assert (answer.status, answer.problem) == (409, "survey-not-open")
    assert "2026-03-23 13:00" in answer.json["detail"]


async def test_a_teacher_sees_the_own_mean_when_the_survey_is_over(
    platform: Platform, site: str, opened: ClassInSession, survey: Survey
) -> None:
    await answer(platform, survey, opened.trainees[:4], points=3)
    await answer(platform, survey, opened.trainees[4:], points=2)
    running = await call(site, "GET", "/teaching/satisfaction", token=opened.teacher.token)
    assert running.json["result"] is None and running.json["classes"][0]["responses"] == 5
    await let_it_end(platform, survey)
    over = await call(site, "GET", "/teaching/satisfaction?year=2026", token=opened.teacher.token)
    assert over.json["result"] == {
        "mean": 2.8,
        "answers": 20,
        "counts": {"3": 16, "2": 4, "1": 0},
        "meets_mark": True,
    }
    assert over.json["classes"][0]["result"] == over.json["result"]
    before = await call(site, "GET", "/teaching/satisfaction?year=2025", token=opened.teacher.token)
    assert before.json == {"year": 2025, "result": None, "classes": []}


async def test_who_is_not_concerned_is_refused(
    platform: Platform, wechat: Simulator, site: str, opened: ClassInSession, survey: Survey
) -> None:
    unbound = await stage.phone(platform, wechat, "openid-nobody")
    trainee = opened.trainees[0]
    path = f"/surveys/{survey.id}"
    assert (await call(site, "GET", path)).problem == "not-signed-in"
    assert (await call(site, "GET", path, token=unbound.token)).problem == "real-name-needed"
    assert (await call(site, "GET", path, token=opened.teacher.token)).problem == "not-found"
    means = await call(site, "GET", "/teaching/satisfaction", token=trainee.token)
    assert (means.status, means.problem) == (403, "forbidden")


async def test_a_survey_that_has_not_begun_is_not_listed(
    platform: Platform, site: str, opened: ClassInSession, survey: Survey
) -> None:
    clock_of(platform).set(survey.opens_at - timedelta(seconds=1))
    listed = await call(site, "GET", "/surveys", token=opened.trainees[0].token)
    assert listed.json == {"items": [], "next": None}
