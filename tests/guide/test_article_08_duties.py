"""第八条（四）: 每年承担授课任务不少于2次 …… 积极承担考核任务 …… 为参训教师提供后续指导服务。"""

from datetime import UTC, date, datetime

import pytest

from server.attendance import rolls, work
from server.attendance import store as attendance_store
from server.attendance.rolls import LateRegistration
from server.backbone.owed import YEARLY_TEACHING, required_tasks
from server.classes.rules import Kind
from server.duties import rules
from server.duties import service as duties
from server.duties.rules import Standing, State
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.surveys import tallies as survey_tallies
from server.wechat.simulator import Simulator
from tests import stage
from tests.dutiful import (
    another_class,
    assessed,
    class_in_session,
    class_that_is_over,
    guidance_draft,
    logged,
    rated,
)
from tests.surveying import clock_of


def test_4_1_two_teaching_tasks_are_owed_of_a_year() -> None:
    """第八条（四）1: 每年承担授课任务不少于2次。"""
    assert YEARLY_TEACHING == 2
    assert required_tasks(date(2025, 1, 1), [], 2026) == 2
    assert rules.standing(2, 1, None, over=True) is Standing.SHORT
    assert rules.standing(2, 2, True, over=True) is Standing.FULFILLED


def test_4_1_two_tasks_do_not_make_up_for_a_mean_below_two() -> None:
    """第八条（四）1: 且年度满意度平均分不少于2分（满分3分）。"""
    assert rules.standing(2, 3, False, over=True) is Standing.BELOW_MARK


async def test_4_1_the_year_gathers_tasks_and_satisfaction(platform: Platform, wechat: Simulator) -> None:
    """第八条（四）1: a task counts once its class is over, and 考核 is none of the two."""
    held = await class_in_session(platform, wechat, trainees=5)
    await another_class(platform, held, date(2026, 4, 13), Kind.ASSESSMENT)
    last = await another_class(platform, held, date(2026, 5, 11), name="第二个授课班")
    await rated(platform, held, 2)
    await survey_tallies.tally_closed(platform)
    clock_of(platform).set(datetime(2026, 5, 21, 4, tzinfo=UTC))  # its last day
    year = await duties.my_year(platform, held.teacher.actor)
    assert (year.teaching_done, year.teaching_planned, year.standing) == (1, 1, Standing.OWING)
    clock_of(platform).set(datetime(2026, 5, 22, 4, tzinfo=UTC))
    year = await duties.my_year(platform, held.teacher.actor)
    assert (year.teaching_done, year.standing, year.meets_mark) == (2, Standing.FULFILLED, True)
    assert last in [one.class_id for one in year.tasks]


async def test_4_1_only_own_sessions_that_were_held_count(platform: Platform, wechat: Simulator) -> None:
    """第八条（四）1: 承担授课任务: who accepted and held no session of a class has not taught it."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    clock_of(platform).set(datetime(2026, 4, 1, tzinfo=UTC))
    year = await duties.my_year(platform, held.teacher.actor)
    assert (year.teaching_done, year.teaching_planned, len(year.tasks)) == (0, 0, 1)
    assert year.tasks[0].progress_on(year.today).label == "没有履行"


async def test_4_1_a_session_in_an_empty_room_is_no_teaching(platform: Platform, wechat: Simulator) -> None:
    """第八条（四）1: nobody came, and the daily work finds it; who was there and is registered by hand makes it one."""
    held = await class_in_session(platform, wechat, trainees=1)
    [session] = await attendance_store.sessions_of_class(platform, held.id)
    clock_of(platform).set(datetime(2026, 4, 1, tzinfo=UTC))
    await work.reconcile(platform)
    year = await duties.my_year(platform, held.teacher.actor)
    assert (year.teaching_done, [one.progress_on(year.today).label for one in year.tasks]) == (
        0,
        ["没有履行"],
    )
    there = LateRegistration(person_id=held.trainees[0].actor.id, reason="签到屏故障，现场点名在场")
    await rolls.register_late(platform, held.officer, held.id, session.id, there)
    await work.reconcile(platform)
    assert (await duties.my_year(platform, held.teacher.actor)).teaching_done == 1


async def test_4_2_assessment_tasks_stand_beside_the_teaching(platform: Platform, wechat: Simulator) -> None:
    """第八条（四）2: 积极承担考核任务。"""
    held = await class_in_session(platform, wechat, trainees=0)
    await stage.teach(platform, held.officer, held.id, held.teacher, Kind.ASSESSMENT)
    await assessed(platform, held.officer, held.id, held.teacher.actor.person_id)
    clock_of(platform).set(datetime(2026, 4, 1, tzinfo=UTC))
    year = await duties.my_year(platform, held.teacher.actor)
    assert (year.teaching_done, year.assessment_done) == (1, 1)


async def test_4_6_guidance_after_the_class_is_logged_by_the_teacher_and_confirmed_by_the_trainee(
    platform: Platform, wechat: Simulator
) -> None:
    """第八条（四）6: 为参训教师提供后续指导服务。"""
    held = await class_that_is_over(platform, wechat)
    guidance = await logged(platform, held)
    assert guidance.state is State.WAITING
    await duties.confirm(platform, held.trainees[0].actor, guidance.id)
    year = await duties.my_year(platform, held.teacher.actor)
    assert year.guidance[State.CONFIRMED] == 1


async def test_4_6_what_is_given_during_the_class_is_no_follow_up(
    platform: Platform, wechat: Simulator
) -> None:
    """第八条（四）6: 后续, after the last day of the class."""
    held = await class_that_is_over(platform, wechat)
    last_day = guidance_draft(held, held.trainees[0], given_on=held.training_class.ends_on)
    with pytest.raises(Invalid):
        await duties.log_guidance(platform, held.teacher.actor, last_day)


async def test_in_october_who_owes_tasks_of_the_year_is_told(platform: Platform, wechat: Simulator) -> None:
    """第八条（四）1: told while the year can still be saved, once."""
    held = await class_that_is_over(platform, wechat)
    clock_of(platform).set(datetime(2026, 10, 1, 4, tzinfo=UTC))
    assert [await duties.warn_of_duties(platform) for _ in range(2)] == [1, 0]
    [told] = await platform["outbox"].find({"template": "duty-warning"}).to_list(None)
    assert told["person_id"] == held.teacher.actor.id
