"""Applications for a class that takes nobody any more: closed with a message, none made, and none left hanging (article 4.4)."""

from __future__ import annotations

from datetime import timedelta

from server.admissions import closing
from server.admissions import service as admissions
from server.admissions.rules import State
from server.classes import service as classes
from server.kernel import audit
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import admitting, cast


async def test_what_waits_when_a_class_ends_is_closed_by_the_daily_work_and_the_teacher_is_told(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await admitting.open_class(platform, wechat, places=1)
    applied = [
        (await admitting.apply(platform, wechat, opened.id, one))[1] for one in cast.people(3, first_seed=500)
    ]
    for one in applied[:2]:
        for reviewer in (opened.officer, opened.teacher.actor):
            await admissions.review(platform, reviewer, opened.id, one.id, admitting.AGREE)
    assert await closing.close_overdue(platform) == {"关闭报名": 0}
    clock.advance(timedelta(days=41))  # to the day after its last one
    assert await closing.close_overdue(platform) == {"关闭报名": 2}
    assert await closing.close_overdue(platform) == {"关闭报名": 0}
    found = {one.id: one for one in await admissions.applicants(platform, opened.id)}
    assert [found[one.id].state for one in applied] == [State.ADMITTED, State.CLOSED, State.CLOSED]
    assert not found[applied[1].id].open and found[applied[2].id].history[-1].actor_name == "平台"
    for one in applied[1:]:
        [message] = await platform["outbox"].find({"person_id": one.person_id}).sort("_id", -1).to_list(1)
        assert (message["template"], message["data"]["reason"]) == ("application-closed", closing.OVER)
    assert [one.person_id for one in await classes.trainees(platform, opened.id)] == [applied[0].person_id]
    assert "admissions:close" in [one["action"] for one in await audit.of_subject(platform, applied[2].id)]


async def test_a_class_whose_results_are_released_closes_what_waits(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await admitting.open_class(platform, wechat)
    await admitting.apply(platform, wechat, opened.id, cast.TRAINEE)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"results_released_at": clock.now()}})
    assert await closing.close_overdue(platform) == {"关闭报名": 1}
