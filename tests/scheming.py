"""Training schemes for the tests: a complete one for the class of the stage, and the way to its approval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from server.assessment.rules import TaskKind
from server.attendance import timetable
from server.attendance.rules import HalfDay
from server.interruptions import service as interruptions
from server.interruptions.documents import ClassChange
from server.interruptions.requests import Suspension
from server.interruptions.rules import Ground
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.schemes import rules, service
from server.schemes.content import Content, CourseRow, CriterionRow, SessionRow, TaskRow
from server.schemes.documents import SchemeVersion
from tests import cast, stage
from tests.memory import remembered
from tests.stage import ClassInSession

PROVINCE = stage.actor(cast.HEBEI_OFFICER)
FIRST_DAY, LAST_DAY = date(2026, 3, 17), date(2026, 3, 27)
"""The days of the timetable: the class of the stage begins on the 16th, at whose noon the clock stands."""
HALF_DAYS = (HalfDay("上午", time(8, 30), time(12, 15), 5), HalfDay("下午", time(14), time(17, 45), 5))
COURSES = (("工学一体化课程教学实施", 30), ("工学一体化课程考核实施", 30), ("教学场所使用管理", 20))


def task(title: str, kind: TaskKind, **changes: object) -> TaskRow:
    row = TaskRow(
        title=title,
        instructions="结合所在院校的一个学习任务完成。",
        kind=kind,
        deadline=datetime(2026, 3, 27, 9, 0, tzinfo=UTC),
        criteria=(CriterionRow(title="任务描述", points=60), CriterionRow(title="教学策划", points=40)),
    )
    return row.model_copy(update=changes)


TASKS = (task("教学设计", TaskKind.FORMATIVE), task("说课答辩", TaskKind.SUMMATIVE))


def content(teacher_id: str, **changes: object) -> Content:
    """80 class hours of three courses, all by one teacher, eight days of two sessions, and two tasks."""
    courses = tuple(CourseRow(title=title, hours=hours, teacher_id=teacher_id) for title, hours in COURSES)
    made = Content(
        objectives="能独立实施一门工学一体化课程的教学与考核。",
        courses=courses,
        sessions=rules.spread(FIRST_DAY, LAST_DAY, range(5), HALF_DAYS, courses, "实训楼 301"),
        tasks=TASKS,
        places="实训楼 301，数控车床 20 台",
        materials="《工学一体化课程教学实施》讲义",
        formative_weight=40,
    )
    return made.model_copy(update=changes)


def moved(sessions: Sequence[SessionRow], number: int, days: int) -> tuple[SessionRow, ...]:
    """The timetable with one session on another day."""
    away = timedelta(days=days)
    rows = list(sessions)
    row = rows[number]
    rows[number] = row.model_copy(update={"starts_at": row.starts_at + away, "ends_at": row.ends_at + away})
    return tuple(rows)


@remembered
async def draft(platform: Platform, held: ClassInSession, **changes: object) -> SchemeVersion:
    """Saves the scheme of the class as its next version."""
    await stage.assess(platform, held)
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    before = seen.newest.version if seen.newest else 0
    return await service.save(
        platform, held.officer, held.id, content(held.teacher.actor.id, **changes), before
    )


@remembered
async def filed(platform: Platform, held: ClassInSession, **changes: object) -> int:
    """Drafted, signed by the teacher and filed with the province: the version's number."""
    version = (await draft(platform, held, **changes)).version
    await service.send_for_signature(platform, held.officer, held.id, version)
    await service.sign(platform, held.teacher.actor, held.id, version)
    await service.file(platform, held.officer, held.id, version)
    return version


@remembered
async def approved(
    platform: Platform, held: ClassInSession, province: Actor = PROVINCE, **changes: object
) -> int:
    """The whole way: the class follows this version."""
    version = await filed(platform, held, **changes)
    await service.approve(platform, province, held.id, version)
    return version


async def moved_class(platform: Platform, held: ClassInSession) -> ClassChange:
    """A class that is suspended on the 17th: its two sessions of that day are held on the 30th."""
    there = [one for one, _ in await timetable.all_sessions(platform, held.id)][:2]
    wanted = Suspension(
        ground=Ground.FORCE_MAJEURE,
        reason="台风登陆，当地停课。",
        first=FIRST_DAY,
        last=FIRST_DAY,
        ends_on=date(2026, 3, 31),
        moves={one.id: one.starts_at + timedelta(days=13) for one in there},
    )
    asked = await interruptions.suspend(platform, held.officer, held.id, wanted)
    return await interruptions.approve(platform, PROVINCE, asked.id, Review(seen=1))
