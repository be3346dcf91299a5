"""The life of a class as a story: what each of several people does to it, in any order, through the services.

Two classes of one institution: one in March that has begun, and a later one in which its people could finish. Both owe 24 class hours
and have three sessions of eight.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from server.assessment import tasks
from server.assessment.rules import TaskKind
from server.attendance import store, timetable
from server.attendance.check_in import CheckInDesk
from server.attendance.documents import TeachingSession
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import BEIJING
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import assessing, cast, stage
from tests.assessing import clock_of
from tests.memory import remembered
from tests.stage import ClassInSession, Phone

HOURS, SESSIONS = 8, 3
OWED = HOURS * SESSIONS
LENGTH = timedelta(minutes=45 * HOURS)
WHY = "已核对，情况属实。"
DAY = timedelta(days=1)
T = TypeVar("T")


class NothingToDo(Exception):
    """What the story says cannot be said of how things stand: there is no such session, paper or request."""


@dataclass
class Life:
    platform: Platform
    classes: tuple[ClassInSession, ClassInSession]
    """That of March, and the later one."""
    phones: list[Phone]
    desk: CheckInDesk
    people: dict[str, Actor]
    newcomers: list[cast.Person] = field(default_factory=lambda: cast.people(2, first_seed=140))

    @property
    def now(self) -> datetime:
        return self.platform.clock.now()

    def wait_until(self, moment: datetime) -> None:
        """Time never goes back."""
        clock_of(self.platform).set(max(moment, self.now))

    async def sessions(self, held: ClassInSession) -> list[TeachingSession]:
        return await store.sessions_of_class(self.platform, held.id)

    async def present(self, held: ClassInSession) -> TrainingClass:
        return (await classes.classes_of(self.platform, [held.id]))[held.id]


async def begin(platform: Platform, wechat: Simulator) -> Life:
    """The first day at noon: three people in the class of March, their work handed in and graded, and nobody in the later one."""
    await stage.clear(platform)
    clock_of(platform).set(datetime(2026, 3, 16, 4, 0, tzinfo=UTC))
    march, april = await two_classes(platform, wechat)
    people = {
        "institution": march.officer,
        "province": stage.actor(cast.HEBEI_OFFICER),
        "teacher": march.teacher.actor,
        "trainee": march.trainees[0].actor,
        "neighbour": stage.actor(cast.YANGZHOU_OFFICER),
    }
    return Life(platform, (march, april), march.trainees, CheckInDesk(platform), people)


@remembered
async def two_classes(platform: Platform, wechat: Simulator) -> tuple[ClassInSession, ClassInSession]:
    march = await stage.class_in_session(platform, wechat, trainees=3)
    april = await later_class(platform, march)
    for held in (march, april):
        await platform["classes"].update_one({"_id": held.id}, {"$set": {"class_hours": OWED}})
        starts_on = held.training_class.starts_on
        for number in range(1, SESSIONS + 1):
            await add_session(platform, held, starts_on + number * DAY)
        for kind in TaskKind:
            due = datetime.combine(held.training_class.ends_on, time(8), BEIJING)
            await assessing.set_task(platform, held, kind, deadline=due)
    await hand_in_and_grade(platform, march, march.trainees)
    return march, april


async def later_class(platform: Platform, march: ClassInSession) -> ClassInSession:
    draft = stage.class_draft(
        name="2026年4月三级教师培训班", starts_on=date(2026, 4, 13), ends_on=date(2026, 4, 24)
    )
    opened = await stage.open_class(platform, march.officer, draft)
    await stage.teach(platform, march.officer, opened.id, march.teacher)
    return ClassInSession(
        await classes.get_class(platform, march.officer, opened.id), march.officer, march.teacher, []
    )


async def add_session(
    platform: Platform, held: ClassInSession, day: date, actor: Actor | None = None
) -> None:
    starts_at = datetime.combine(day, time(9), BEIJING)
    draft = stage.session_draft(
        title=f"{day:%m月%d日}", starts_at=starts_at, ends_at=starts_at + LENGTH, hours=HOURS
    )
    await timetable.add_session(platform, actor or held.officer, held.id, draft)


async def hand_in_and_grade(platform: Platform, held: ClassInSession, phones: Sequence[Phone]) -> None:
    """By those of the phones whose people are in the class."""
    there = {one.person_id for one in await classes.trainees(platform, held.id)}
    for task in await tasks.tasks_of_class(platform, held.id):
        for phone in phones:
            if phone.actor.person_id in there:
                work = await assessing.hand_in(platform, phone, task)
                await assessing.grade(platform, held.teacher, work)


# ---- the acts: who does it, to which class, and a throw of dice for everything else


@dataclass(frozen=True)
class Move:
    actor: Actor
    held: ClassInSession
    dice: int

    def one_of(self, some: Sequence[T]) -> T:
        if not some:
            raise NothingToDo
        return some[self.dice % len(some)]


Act = Callable[[Life, Move], Awaitable[object]]
ACTS: dict[str, tuple[str, Act]] = {}
"""Name → whose it is by right, and the act. `who` of a story may be somebody else."""


def act(whose: str) -> Callable[[Act], Act]:
    def register(function: Act) -> Act:
        ACTS[function.__name__] = whose, function
        return function

    return register
