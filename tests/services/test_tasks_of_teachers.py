"""The tasks of backbone teachers as article 8 counts them, on a real database and off one index."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from server.attendance import timetable, work
from server.classes.rules import Kind
from server.classes.work import Progress, at_work_until
from server.institutions.rules import Level
from server.invitations import engagements, rules, store
from server.invitations.documents import Invitation
from server.invitations.rules import State
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Invalid
from server.kernel.mongo import CODEC, Row, new_id
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage

NINE, TEN = "9" * 24, "a" * 24


def a_task(teacher_id: str, starts_on: date, days: int = 11, **changes: Any) -> Invitation:
    fields: dict[str, Any] = {
        "class_id": new_id(),
        "class_name": f"{starts_on:%Y-%m}培训班",
        "institution_code": cast.XINGTAI,
        "institution_name": "邢台技师学院",
        "province_code": cast.HEBEI,
        "level": Level.THREE,
        "major": "01",
        "starts_on": starts_on,
        "ends_on": starts_on + timedelta(days=days),
        "class_hours": 80,
        "place": "实训楼",
        "teacher_id": teacher_id,
        "teacher_name": "师试",
        "teacher_unit": "示例市技师学院",
        "kind": Kind.TEACHING,
        "message": "",
        "state": State.ACCEPTED,
        "sent_at": stage.LONG_AGO,
        "reply_by": stage.LONG_AGO,
        "remind_at": None,
        "history": [],
        "work_first": starts_on,
        "work_last": starts_on + timedelta(days=days),
    }
    return Invitation(**(fields | changes))


async def keep(platform: Platform, *tasks: Invitation) -> None:
    await platform["invitations"].insert_many([one.to_mongo() for one in tasks])


async def test_only_what_was_accepted_and_is_over_is_done(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    await stage.teaching_session(platform, opened)
    teacher = opened.teacher.actor.id
    everything = (date(2020, 1, 1), date(2030, 1, 1))
    assert await engagements.tasks_done(platform, [teacher], *everything) == []
    clock.advance(timedelta(days=(opened.training_class.ends_on - date(2026, 3, 1)).days + 40))
    [done] = await engagements.tasks_done(platform, [teacher, NINE], *everything)
    assert (done.teacher_id, done.kind, done.class_id, done.ends_on, done.year) == (
        teacher,
        Kind.TEACHING,
        opened.id,
        date(2026, 3, 27),
        2026,
    )


async def test_who_held_no_session_of_a_class_that_is_over_has_done_no_task_in_it(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    teacher = opened.teacher.actor.id
    session = await stage.teaching_session(platform, opened)
    assert await engagements.last_days(platform, [teacher]) == {teacher: date(2026, 3, 16)}, "it runs"
    await timetable.cancel_session(platform, opened.officer, opened.id, session.id, "教师临时有事")
    clock.advance(timedelta(days=60))
    everything = (date(2020, 1, 1), date(2030, 1, 1))
    assert await engagements.tasks_done(platform, [teacher], *everything) == []
    [task] = await engagements.tasks_of_year(platform, [teacher], 2026)
    assert task.progress_on(date(2026, 5, 15)) is Progress.LAPSED
    assert await engagements.last_days(platform, [teacher]) == {}


async def test_a_substitute_works_and_who_is_replaced_does_not(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    first = opened.teacher.actor.id
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, second)
    session = await stage.teaching_session(platform, opened, teacher_id=first)
    changed = stage.session_draft(teacher_id=second.actor.id)
    await timetable.change_session(platform, opened.officer, opened.id, session.id, changed)
    with pytest.raises(Invalid):
        await stage.teaching_session(platform, opened, teacher_id=NINE)
    clock.advance(timedelta(days=30))
    everything = (date(2020, 1, 1), date(2030, 1, 1))
    done = await engagements.tasks_done(platform, [first, second.actor.id], *everything)
    assert [one.teacher_id for one in done] == [second.actor.id]


async def test_a_teacher_who_comes_after_the_timetable_is_found_by_the_daily_work(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    await stage.teaching_session(platform, opened)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, second)
    assert [await work.reconcile(platform) for _ in range(2)] == [1, 0]
    tasks = await engagements.tasks_of_year(platform, [second.actor.id], 2026)
    assert [one.work_last for one in tasks] == [date(2026, 3, 17)]


async def test_the_database_reckons_idleness_as_the_rule_does(platform: Platform, clock: FixedClock) -> None:
    chance = random.Random(9)
    today = beijing_date(clock.now())
    expected: dict[str, date] = {}
    for number in range(60):
        teacher, best = f"{number:024x}", []
        for _ in range(chance.randrange(4)):
            one = a_task(
                teacher,
                today + timedelta(days=chance.randrange(-900, 30)),
                chance.randrange(60),
                kind=chance.choice(list(Kind)),
                closed=chance.random() < 0.5,
            )
            if chance.random() < 0.5:
                one = one.model_copy(update={"work_first": None, "work_last": None})
            await keep(platform, one)
            best.append(
                at_work_until(
                    one.starts_on,
                    one.ends_on,
                    closed=one.closed,
                    work_last=one.work_last,
                    today=today,
                    release_days=30,
                )
            )
        if any(best):
            expected[teacher] = max(day for day in best if day)
    assert await engagements.last_days(platform, [f"{number:024x}" for number in range(60)]) == expected


async def test_what_was_declined_cancelled_or_never_answered_is_no_task(
    platform: Platform, clock: FixedClock
) -> None:
    begun = date(2025, 5, 6)
    await keep(
        platform, *(a_task(NINE, begun, state=state) for state in State if state is not State.ACCEPTED)
    )
    assert await engagements.tasks_done(platform, [NINE], date(2020, 1, 1), date(2030, 1, 1)) == []
    assert await engagements.tasks_of_year(platform, [NINE], 2025) == []


async def test_the_days_asked_for_are_those_of_the_end_and_both_count(platform: Platform) -> None:
    await keep(platform, a_task(NINE, date(2024, 12, 27), 11))  # ends on 2025-01-07
    ended = date(2025, 1, 7)
    day = timedelta(days=1)
    for first, last, found in (
        (ended, ended, 1),
        (ended - day, ended, 1),
        (ended + day, ended + day, 0),
        (ended - 2 * day, ended - day, 0),
    ):
        assert len(await engagements.tasks_done(platform, [NINE], first, last)) == found


async def test_a_year_holds_what_begins_in_it_done_or_not(platform: Platform, clock: FixedClock) -> None:
    this = clock.now().year
    over_the_turn = a_task(NINE, date(this - 1, 12, 30), 20)
    longest = a_task(NINE, date(this - 1, 12, 31), 366)
    ahead = a_task(NINE, date(this, 12, 1), kind=Kind.ASSESSMENT)
    others = a_task(TEN, date(this - 1, 6, 1))
    await keep(platform, over_the_turn, longest, ahead, others)
    before = await engagements.tasks_of_year(platform, [NINE], this - 1)
    assert [one.class_id for one in before] == [over_the_turn.class_id, longest.class_id]
    assert [one.class_id for one in await engagements.tasks_of_year(platform, [NINE], this)] == [
        ahead.class_id
    ]


def stages(plan: Any) -> list[str]:
    if isinstance(plan, dict):
        own = [plan["stage"]] if isinstance(plan.get("stage"), str) else []
        return own + [name for value in plan.values() for name in stages(value)]
    return [name for value in plan for name in stages(value)] if isinstance(plan, list) else []


async def test_both_questions_are_answered_by_the_index_alone(platform: Platform) -> None:
    teachers = [f"{n:024x}" for n in range(40)]
    begun = [date(year, month, 3) for year in range(2022, 2027) for month in (2, 5, 9)]
    await keep(platform, *(a_task(teacher, day) for teacher in teachers for day in begun))
    asked = teachers[:10]
    first, last = rules.task_days(2025)
    for days in (
        {"ends_on": {"$gte": first, "$lte": last}},
        {"starts_on": {"$gte": first, "$lte": last}, "ends_on": {"$gte": first, "$lte": date(2027, 1, 1)}},
    ):
        plan: Row = await platform["invitations"].database.command(
            "explain",
            {
                "find": "invitations",
                "filter": {"teacher_id": {"$in": asked}, "state": State.ACCEPTED, **days},
                "projection": store.SHOWN,
                "sort": dict(store.BY_END),
            },
            verbosity="executionStats",
            codec_options=CODEC,
        )
        assert plan["executionStats"]["totalDocsExamined"] == 0
        assert not {"COLLSCAN", "FETCH", "SORT"} & set(stages(plan["queryPlanner"]["winningPlan"]))
        assert plan["executionStats"]["nReturned"] == 30
