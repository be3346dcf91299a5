"""What phones see of a class that does not run as planned, and of hours that were made up (补课)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from server.attendance.documents import TeachingSession
from server.interruptions import service
from server.interruptions.requests import CallOff, Suspension
from server.interruptions.rules import Ground
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.stage import ClassInSession

TYPHOON: dict[str, Any] = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat)


@pytest.fixture
async def session(platform: Platform, opened: ClassInSession) -> TeachingSession:
    starts = platform.clock.now() + timedelta(hours=2)
    return await stage.teaching_session(
        platform, opened, starts_at=starts, ends_at=starts + timedelta(hours=3)
    )


async def test_a_suspension_reads_on_the_phone_in_plain_words(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    token = opened.trainees[0].token
    running = (await call(site, "GET", f"/classes/{opened.id}", token=token)).json
    assert (running["condition"], running["condition_reason"]) == ("RUNNING", "")
    wanted = Suspension(first=date(2026, 3, 16), last=date(2026, 3, 18), ends_on=date(2026, 3, 30), **TYPHOON)
    asked = await service.suspend(platform, opened.officer, opened.id, wanted)
    await service.approve(platform, stage.actor(cast.HEBEI_OFFICER), asked.id, Review(seen=1))
    seen = (await call(site, "GET", f"/classes/{opened.id}", token=token)).json
    assert (seen["condition"], seen["condition_title"], seen["stage_title"]) == ("SUSPENDED", "暂停", "暂停")
    assert (seen["condition_reason"], seen["ends_on"]) == ("台风登陆，当地停课。", "2026-03-30")
    inbox = (await call(site, "GET", "/inbox", token=token)).json["items"]
    assert "其间不上课、不签到" in inbox[0]["text"]


async def test_a_called_off_class_is_gone_from_the_phone_and_the_inbox_says_why(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    wanted = CallOff(typed=opened.training_class.name, **TYPHOON)
    await service.call_off(platform, opened.officer, opened.id, wanted)
    token = opened.trainees[0].token
    assert (await call(site, "GET", "/classes", token=token)).json["items"] == []
    assert (await call(site, "GET", f"/classes/{opened.id}", token=token)).status == 404
    inbox = (await call(site, "GET", "/inbox", token=token)).json["items"]
    assert "已取消" in inbox[0]["text"] and "台风登陆" in inbox[0]["text"]


async def test_a_teacher_records_hours_made_up_and_the_trainee_reads_them_with_their_word(
    platform: Platform, site: str, clock: FixedClock, opened: ClassInSession, session: TeachingSession
) -> None:
    clock.set(session.ends_at + timedelta(minutes=10))
    mine, other = opened.trainees
    await stage.come(platform, opened.id, other)
    body: dict[str, Any] = {
        "person_id": mine.actor.id,
        "hours": 3,
        "held_on": "2026-03-16",
        "taught": "补上下午的课程",
        "taught_by": cast.BACKBONE_TEACHER.name,
        "nonce": "make-up-0001",
    }
    home = f"/teaching/classes/{opened.id}/make-ups"
    token = opened.teacher.token
    made = await call(site, "POST", home, token=token, body=body)
    assert made.status == 200 and made.json["kind_title"] == "补课"
    again = await call(site, "POST", home, token=token, body=body)
    assert again.json["id"] == made.json["id"]
    reused = await call(site, "POST", home, token=token, body=body | {"taught": "答疑"})
    assert (reused.status, reused.problem) == (409, "nonce-reused")
    more = body | {"hours": 2, "taught": "答疑", "nonce": "make-up-0002"}
    much = await call(site, "POST", home, token=token, body=more)
    assert (much.status, much.json["type"].rsplit("/", 1)[-1]) == (409, "too-many-made-up-hours")
    assert (await call(site, "POST", home, token=mine.token, body=body)).status == 403
    seen = await call(site, "GET", f"/classes/{opened.id}/added-hours", token=mine.token)
    [one] = seen.json["items"]
    assert (one["hours"], one["taught"], one["voided"]) == (3, "补上下午的课程", False)
    assert "person_id" not in one
    nothing = await call(site, "GET", f"/classes/{opened.id}/added-hours", token=other.token)
    assert nothing.json["items"] == []
    void = f"{home}/{made.json['id']}/void"
    voided = await call(site, "POST", void, token=token, body={"reason": "登记错了人"})
    assert voided.status == 200 and voided.json["items"][0]["voided"]
    twice = await call(site, "POST", void, token=token, body={"reason": "登记错了人"})
    assert (twice.status, twice.json["type"].rsplit("/", 1)[-1]) == (409, "make-up-voided")
    late = await call(site, "POST", home, token=token, body=body)
    assert (late.status, late.json["voided"]) == (200, True), "a retry that comes late records nothing anew"
    seen = await call(site, "GET", f"/classes/{opened.id}/added-hours", token=mine.token)
    assert [one["void_reason"] for one in seen.json["items"]] == ["登记错了人"]
