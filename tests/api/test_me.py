"""我的: what waits for a trainee and for a backbone teacher."""

from datetime import timedelta

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import call
from tests.assessing import grade, hand_in, set_task
from tests.surveying import clock_of, open_survey


async def waiting(site: str, phone: stage.Phone) -> dict[str, int]:
    me = await call(site, "GET", "/me", token=phone.token)
    assert me.status == 200, me.body
    return dict(me.json["waiting"])


async def test_work_waits_for_the_trainee_until_it_is_done_and_then_for_the_teacher(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=2)
    task = await set_task(platform, held)
    await open_survey(platform, held)
    mine, teacher = held.trainees[0], held.teacher
    assert await waiting(site, mine) == {"tasks": 1, "surveys": 1, "grades": 0}
    assert await waiting(site, teacher) == {"tasks": 0, "surveys": 0, "grades": 0}
    submission = await hand_in(platform, mine, task)
    assert await waiting(site, mine) == {"tasks": 0, "surveys": 1, "grades": 0}
    assert await waiting(site, teacher) == {"tasks": 0, "surveys": 0, "grades": 1}
    await grade(platform, teacher, submission)
    assert await waiting(site, teacher) == {"tasks": 0, "surveys": 0, "grades": 0}
    clock_of(platform).set(task.deadline + timedelta(seconds=1))
    assert (await waiting(site, held.trainees[1]))["tasks"] == 0  # too late to be a task of today
