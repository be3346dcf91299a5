"""首页: one call says what today is and what waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.admissions import arrival
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import call
from tests.assessing import grade, hand_in, set_task
from tests.surveying import clock_of, open_survey


async def home(site: str, phone: stage.Phone) -> dict[str, Any]:
    answer = await call(site, "GET", "/home", token=phone.token)
    assert answer.status == 200, answer.body
    return dict(answer.json)


def kinds(told: dict[str, Any]) -> list[str]:
    return [one["kind"] for one in told["todo"]]


async def test_an_unbound_phone_is_told_to_bind(platform: Platform, wechat: Simulator, site: str) -> None:
    told = await home(site, await stage.phone(platform, wechat, "openid-nobody"))
    assert (told["person"], told["identity"], told["sessions"], told["unread"]) == (None, "NOBODYS", [], 0)
    [bind] = told["todo"]
    assert (bind["kind"], bind["target"]) == ("real-name", {"kind": "real-name", "id": ""})


async def test_home_leads_a_trainee_and_a_teacher_through_a_day(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    mine, teacher = held.trainees[0], held.teacher
    clock_of(platform).set(session.opens_at + timedelta(minutes=1))
    told = await home(site, mine)
    assert set(kinds(told)) == {"check-in", "admission-notice"}
    [lesson] = told["sessions"]
    assert lesson["id"] == session.id and lesson["class_name"] == held.training_class.name
    assert (lesson["part"], lesson["check_in"], lesson["geofenced"]) == ("attending", None, False)
    assert kinds(await home(site, teacher)) == ["session-code"]
    assert (await home(site, teacher))["sessions"][0]["part"] == "teaching"
    shown = await call(site, "GET", f"/teaching/sessions/{session.id}/code", token=teacher.token)
    scan = {"code": shown.json["code"], "nonce": "scan-0001"}
    assert (await call(site, "POST", "/check-ins", token=mine.token, body=scan)).status == 201
    assert kinds(await home(site, mine)) == ["admission-notice"]
    await arrival.open_notice(platform, mine.actor, held.id)
    [pledge] = (await home(site, mine))["todo"]
    assert (pledge["kind"], pledge["target"]) == ("pledge", {"kind": "admission-notice", "id": held.id})


async def test_what_is_due_comes_in_its_order_and_goes_when_it_is_done(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, held)
    survey = await open_survey(platform, held)
    mine = held.trainees[0]
    await arrival.open_notice(platform, mine.actor, held.id)
    await arrival.sign_pledge(platform, mine.actor, held.id, 1)
    told = await home(site, mine)
    assert sorted(kinds(told)) == ["survey", "task"]
    assert [one["due_at"] for one in told["todo"]] == sorted(one["due_at"] for one in told["todo"])
    targets = {(one["target"]["kind"], one["target"]["id"]) for one in told["todo"]}
    assert targets == {("task", task.id), ("survey", survey.id)}
    work = await hand_in(platform, mine, task)
    assert kinds(await home(site, mine)) == ["survey"]
    clock_of(platform).set(task.deadline + timedelta(seconds=1))
    waiting = (await home(site, held.teacher))["todo"]
    assert [one["kind"] for one in waiting] == ["grading"]
    assert waiting[0]["target"] == {"kind": "taught-tasks", "id": held.id}
    await grade(platform, held.teacher, work)
    assert kinds(await home(site, held.teacher)) == []
