"""我的: what waits for a trainee and for a backbone teacher."""

from datetime import UTC, datetime, timedelta

from miniprogram_api.me import WaitingAnswer
from server.admissions import service as admissions
from server.duties import service as duties
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import AGREE, apply, open_class
from tests.api.client import call
from tests.assessing import grade, hand_in, set_task
from tests.dutiful import class_that_is_over, logged
from tests.surveying import clock_of, open_survey

NOTHING = dict.fromkeys(WaitingAnswer.model_fields, 0)


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
    assert await waiting(site, mine) == NOTHING | {"tasks": 1, "surveys": 1}
    assert await waiting(site, teacher) == NOTHING
    submission = await hand_in(platform, mine, task)
    assert await waiting(site, mine) == NOTHING | {"surveys": 1}
    assert await waiting(site, teacher) == NOTHING | {"grades": 1, "grades_early": 1}
    last = await set_task(platform, held, title="教案", deadline=task.deadline + timedelta(days=2))
    early = await hand_in(platform, held.trainees[1], last)
    clock_of(platform).set(task.deadline + timedelta(seconds=1))
    assert await waiting(site, teacher) == NOTHING | {"grades": 2, "grades_early": 1}
    for work in (submission, early):
        await grade(platform, teacher, work)
    assert await waiting(site, teacher) == NOTHING
    assert (await waiting(site, held.trainees[1]))["tasks"] == 0  # too late to be a task of today


async def test_guidance_waits_for_the_trainee_it_names(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_that_is_over(platform, wechat, trainees=2)
    await stage.come(platform, held.id)
    guidance = await logged(platform, held)
    survey = {"surveys": 1}  # it opened by itself when the class was over
    assert await waiting(site, held.trainees[0]) == NOTHING | survey | {"guidance": 1}
    assert await waiting(site, held.trainees[1]) == NOTHING | survey
    await duties.confirm(platform, held.trainees[0].actor, guidance.id)
    assert await waiting(site, held.trainees[0]) == NOTHING | survey


async def test_applications_wait_for_the_teacher_until_the_teacher_has_spoken_or_the_class_is_over(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    first, second = cast.people(2)
    _, applied = await apply(platform, wechat, opened.id, first)
    await apply(platform, wechat, opened.id, second)
    teacher = opened.teacher
    assert await waiting(site, teacher) == NOTHING | {"applications": 2}
    await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    assert await waiting(site, teacher) == NOTHING | {"applications": 2}
    await admissions.review(platform, teacher.actor, opened.id, applied.id, AGREE)
    assert await waiting(site, teacher) == NOTHING | {"applications": 1}
    clock_of(platform).set(datetime(2026, 4, 25, tzinfo=UTC))  # the day after its last
    assert await waiting(site, await stage.phone(platform, wechat, teacher.openid)) == NOTHING
