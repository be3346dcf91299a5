"""What the platform reminds people of: once each, in time, and nobody whom it does not concern."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.assessment.reminders import remind_of_grading
from server.assessment.rules import grading_is_late
from server.attendance import timetable
from server.attendance.reminders import end_of_tomorrow, remind_of_sessions
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.kernel.clock import BEIJING, FixedClock
from server.kernel.platform import Platform
from server.surveys import service as surveys
from server.surveys.reminders import remind_of_surveys
from server.surveys.rules import reminder_due
from server.wechat.simulator import Simulator
from tests import assessing, cast, scheming, stage, surveying
from tests.stage import ClassInSession


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=BEIJING)


async def told(platform: Platform, template: str) -> list[tuple[str, dict[str, str]]]:
    rows = platform["outbox"].find({"template": template}).sort("_id", 1)
    return [(row["person_id"], row["data"]) async for row in rows]


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    """A class of two trainees from the 16th to the 27th of March."""
    return await stage.class_in_session(platform, wechat)


# ---- sessions


async def test_trainees_and_teachers_hear_the_evening_before_of_the_first_session_of_the_day(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    for hour in (9, 14):
        await stage.teaching_session(
            platform, held, title=f"{hour} 点的课", starts_at=beijing(18, hour), ends_at=beijing(18, hour + 2)
        )
    clock.set(beijing(16, 19))
    assert await remind_of_sessions(platform) == {"培训班": 0, "提醒": 0}
    clock.set(beijing(17, 19))
    assert await remind_of_sessions(platform) == {"培训班": 1, "提醒": 3}
    assert await remind_of_sessions(platform) == {"培训班": 0, "提醒": 0}
    messages = await told(platform, "session-soon")
    everybody = {held.teacher.actor.id, *(phone.actor.id for phone in held.trainees)}
    assert {person for person, _ in messages} == everybody
    _, first = messages[0]
    assert (first["title"], first["starts_at"]) == ("9 点的课等 2 次课", "2026-03-18 09:00")


async def test_a_missed_evening_is_made_good_in_the_morning_for_what_has_not_begun(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    await stage.teaching_session(platform, held, starts_at=beijing(18, 9), ends_at=beijing(18, 11))
    clock.set(beijing(18, 8))
    assert await remind_of_sessions(platform) == {"培训班": 1, "提醒": 3}


async def test_nobody_is_reminded_of_a_cancelled_session(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    session = await stage.teaching_session(platform, held, starts_at=beijing(18, 9), ends_at=beijing(18, 11))
    await timetable.cancel_session(platform, held.officer, held.id, session.id, "教室检修")
    clock.set(beijing(17, 19))
    assert await remind_of_sessions(platform) == {"培训班": 0, "提醒": 0}


async def test_another_time_is_announced_anew_and_a_late_comer_too(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    session = await stage.teaching_session(platform, held, starts_at=beijing(18, 9), ends_at=beijing(18, 11))
    clock.set(beijing(17, 19))
    assert await remind_of_sessions(platform) == {"培训班": 1, "提醒": 3}
    later = stage.session_draft(starts_at=beijing(18, 10), ends_at=beijing(18, 12))
    await timetable.change_session(platform, held.officer, held.id, session.id, later)
    assert await remind_of_sessions(platform) == {"培训班": 1, "提醒": 3}
    [newcomer] = await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [cast.person(300)])
    clock.set(beijing(18, 7))
    assert await remind_of_sessions(platform) == {"培训班": 1, "提醒": 1}
    assert await remind_of_sessions(platform) == {"培训班": 0, "提醒": 0}
    person, data = (await told(platform, "session-soon"))[-1]
    assert (person, data["starts_at"]) == (newcomer, "2026-03-18 10:00")
    clock.set(beijing(18, 10))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [cast.person(301)])
    assert await remind_of_sessions(platform) == {"培训班": 0, "提醒": 0}, "it has begun"


async def test_two_schedulers_at_once_remind_everybody_once(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    await stage.teaching_session(platform, held, starts_at=beijing(18, 9), ends_at=beijing(18, 11))
    clock.set(beijing(17, 19))
    await asyncio.gather(*(remind_of_sessions(platform) for _ in range(3)))
    assert len(await told(platform, "session-soon")) == 3


# ---- what changes is told when it happens


async def test_everybody_hears_at_once_of_a_session_that_moves_or_is_cancelled(
    platform: Platform, held: ClassInSession
) -> None:
    session = await stage.teaching_session(platform, held, starts_at=beijing(18, 9), ends_at=beijing(18, 11))
    same = stage.session_draft(title="改了名", starts_at=beijing(18, 9), ends_at=beijing(18, 11))
    await timetable.change_session(platform, held.officer, held.id, session.id, same)
    assert await told(platform, "session-moved") == [], "the same time and place"
    moved = stage.session_draft(starts_at=beijing(19, 9), ends_at=beijing(19, 11), place="实训楼 402")
    await timetable.change_session(platform, held.officer, held.id, session.id, moved)
    everybody = {held.teacher.actor.id, *(phone.actor.id for phone in held.trainees)}
    messages = await told(platform, "session-moved")
    assert {person for person, _ in messages} == everybody and len(messages) == 3
    told_of = messages[0][1]
    assert (told_of["before"], told_of["starts_at"], told_of["place"]) == (
        "2026-03-18 09:00", "2026-03-19 09:00", "实训楼 402",
    )  # fmt: skip
    await timetable.cancel_session(platform, held.officer, held.id, session.id, "教师出差")
    messages = await told(platform, "session-cancelled")
    assert {(person, data["reason"]) for person, data in messages} == {(one, "教师出差") for one in everybody}


async def test_trainees_hear_of_a_new_version_of_the_scheme_that_moves_or_drops_sessions(
    platform: Platform, held: ClassInSession
) -> None:
    await scheming.approved(platform, held)
    assert await told(platform, "timetable-changed") == [], "nothing was there before"
    content = scheming.content(held.teacher.actor.id)
    await scheming.approved(platform, held, sessions=scheming.moved(content.sessions, 15, 1))
    messages = await told(platform, "timetable-changed")
    assert {person for person, _ in messages} == {phone.actor.id for phone in held.trainees}
    assert messages[0][1]["changes"] == "取消 1 次课，新排 1 次课"


async def test_trainees_hear_of_a_correction_of_dates(platform: Platform, held: ClassInSession) -> None:
    wanted = ClassCorrection(
        name=held.training_class.name,
        place=held.training_class.place,
        starts_on=date(2026, 3, 17),
        ends_on=date(2026, 3, 30),
        reason="教师日程有变",
    )
    asked = await corrections.correct_class(platform, held.officer, held.id, wanted)
    assert await told(platform, "class-corrected") == []
    await corrections.approve(platform, scheming.PROVINCE, asked.id)
    messages = await told(platform, "class-corrected")
    assert {(person, data["ends_on"]) for person, data in messages} == {
        (phone.actor.id, "2026-03-30") for phone in held.trainees
    }


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda one: one.replace(tzinfo=UTC)))  # noqa: DTZ001
def test_tomorrow_ends_at_midnight_in_beijing(now: datetime) -> None:
    end = end_of_tomorrow(now).astimezone(BEIJING)
    assert (end.hour, end.minute, end.second) == (0, 0, 0)
    assert timedelta(days=1) < end - now <= timedelta(days=2)


# ---- surveys


async def test_only_who_has_not_answered_is_reminded_and_only_once(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    survey = await surveying.open_survey(platform, held, days=7)
    first, second = held.trainees
    await surveying.answer(platform, survey, [first])
    clock.advance(timedelta(days=5) - timedelta(seconds=1))
    assert await remind_of_surveys(platform) == {"评价": 0, "提醒": 0}
    clock.advance(timedelta(seconds=1))
    assert await remind_of_surveys(platform) == {"评价": 1, "提醒": 1}
    clock.advance(timedelta(hours=1))
    assert await remind_of_surveys(platform) == {"评价": 0, "提醒": 0}
    [(person, data)] = await told(platform, "survey-open-reminder")
    assert person == second.actor.id
    assert data["class_name"] == held.training_class.name


async def test_a_survey_that_is_over_reminds_nobody(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    await surveying.open_survey(platform, held, days=7)
    clock.advance(timedelta(days=6))
    await surveys.close_survey(platform, held.officer, held.id)
    clock.advance(timedelta(seconds=1))
    assert await remind_of_surveys(platform) == {"评价": 0, "提醒": 0}


@given(st.integers(1, 92 * 24), st.integers(1, 30))
def test_a_reminder_comes_in_the_second_half_and_not_before_its_days(hours: int, days: int) -> None:
    opens = beijing(1, 0)
    closes = opens + timedelta(hours=hours)
    due = reminder_due(opens, closes, timedelta(days=days))
    assert opens < due < closes
    assert due >= opens + (closes - opens) / 2
    assert due >= closes - timedelta(days=days)


# ---- grading


async def test_teachers_are_reminded_weekly_of_work_that_waits_too_long_for_a_grade(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    task = await assessing.set_task(platform, held)  # due on the 19th
    one, other = [await assessing.hand_in(platform, phone, task) for phone in held.trainees]
    await assessing.grade(platform, held.teacher, one)
    clock.set(task.deadline + timedelta(days=7) - timedelta(seconds=1))
    assert await remind_of_grading(platform) == {"培训班": 0, "提醒": 0}
    clock.set(task.deadline + timedelta(days=7))
    assert await remind_of_grading(platform) == {"培训班": 1, "提醒": 1}
    clock.advance(timedelta(days=1))
    assert await remind_of_grading(platform) == {"培训班": 0, "提醒": 0}
    clock.advance(timedelta(days=6))
    assert await remind_of_grading(platform) == {"培训班": 1, "提醒": 1}
    assert [data["count"] for _, data in await told(platform, "grading-due")] == ["1", "1"]
    await assessing.grade(platform, held.teacher, other)
    clock.advance(timedelta(days=7))
    assert await remind_of_grading(platform) == {"培训班": 0, "提醒": 0}


async def test_a_class_long_over_is_not_reminded_of_any_more(
    platform: Platform, clock: FixedClock, held: ClassInSession
) -> None:
    task = await assessing.set_task(platform, held)
    await assessing.hand_in(platform, held.trainees[0], task)
    clock.set(beijing(27, 12) + timedelta(days=61))
    assert await remind_of_grading(platform) == {"培训班": 0, "提醒": 0}


@given(st.integers(-40, 40), st.integers(-40, 40), st.integers(1, 90))
def test_grading_is_late_after_the_earlier_of_deadline_and_class(
    deadline_days: int, now_days: int, days: int
) -> None:
    ends_on = date(2026, 3, 27)
    class_over = beijing(28, 0)
    deadline, now = class_over + timedelta(days=deadline_days), class_over + timedelta(days=now_days)
    expected = now_days >= min(deadline_days, 0) + days
    assert grading_is_late(deadline, ends_on, now, days) is expected
