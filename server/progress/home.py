"""首页 of a phone: today's lessons and what waits for its person, of all their classes at once.

What a class waits for is `rules.next_steps`; here stands what of it is this person's, and what waits for one person alone. How much is
read does not grow with the number of classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.admissions import arrival
from server.admissions.documents import Arrival
from server.assessment import tasks
from server.attendance import service as attendance
from server.attendance.rules import Window
from server.attendance.service import MySession
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import Kind, Stage
from server.duties import rules as guiding
from server.duties import service as duties
from server.invitations import rules as inviting
from server.invitations import service as invitations
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.identity import Actor, Role
from server.kernel.platform import Platform
from server.messages import inbox
from server.progress import service
from server.progress.known import SOON
from server.qualification import service as qualification
from server.reissues import rules as reissuing
from server.reissues import service as reissues
from server.schemes import standing as schemes
from server.surveys import service as surveys

LAST_MESSAGES = 20


@dataclass(frozen=True)
class Todo:
    """One thing that waits for the person."""

    kind: str
    title: str
    about: str
    """The class, or empty."""
    due_at: datetime | None
    target: tuple[str, str]
    """Kind and id of the page where it is done."""


@dataclass(frozen=True)
class Lesson:
    """A session of today."""

    training_class: TrainingClass
    mine: MySession
    teaching: bool


@dataclass(frozen=True)
class Home:
    lessons: list[Lesson]
    todo: list[Todo]
    """What is due first, first; what has no day after it."""
    unread: int


async def home(platform: Platform, actor: Actor) -> Home:
    """Of a phone that is bound to nobody: nothing."""
    if not actor.roles:
        return Home([], [], 0)
    attended, _ = await classes.my_classes(platform, actor)
    teaches = Role.BACKBONE_TEACHER in actor.roles
    taught = await classes.my_teaching(platform, actor) if teaches else []
    today = beijing_date(platform.clock.now())
    held = await _lessons(platform, actor, attended, taught, today, today)
    todo = [
        *await _of_trainee(platform, actor, attended, held),
        *(await _of_teacher(platform, actor, taught, held) if teaches else ()),
        *await _of_person(platform, actor),
    ]
    todo.sort(key=lambda one: (one.due_at is None, one.due_at))
    return Home(held, todo, await inbox.unread(platform, actor))


async def lessons(platform: Platform, actor: Actor, first: date, last: date) -> list[Lesson]:
    """The sessions of all the actor's classes on these days."""
    if not actor.roles:
        return []
    attended, _ = await classes.my_classes(platform, actor)
    taught = await classes.my_teaching(platform, actor) if Role.BACKBONE_TEACHER in actor.roles else []
    return await _lessons(platform, actor, attended, taught, first, last)


async def _lessons(
    platform: Platform,
    actor: Actor,
    attended: Sequence[TrainingClass],
    taught: Sequence[TrainingClass],
    first: date,
    last: date,
) -> list[Lesson]:
    known = {one.id: one for one in (*attended, *taught)}
    own = {one.id for one in taught}
    held = await attendance.on_days(platform, actor.person_id, list(known), first, last)
    return [Lesson(known[one.item.class_id], one, one.item.class_id in own) for one in held]


async def _of_trainee(
    platform: Platform, actor: Actor, attended: Sequence[TrainingClass], lessons: Sequence[Lesson]
) -> list[Todo]:
    today = beijing_date(platform.clock.now())
    going = [one for one in attended if not one.frozen and one.ended_on is None]
    ids = [one.id for one in going]
    rows = await enrolment.mine_in(platform, actor.person_id, ids)
    kept = await arrival.mine_in(platform, actor.person_id, ids)
    found: list[Todo] = []
    for one in going:
        if one.id in rows and one.stage_on(today) is not Stage.FINISHED:
            found += _coming(one, rows[one.id], kept.get(one.id), today)
    came = {one.class_id for one in rows.values() if not one.awaits_arrival}
    for lesson in lessons:
        session = lesson.mine.item
        if (
            session.class_id in came
            and not lesson.teaching
            and lesson.mine.window is Window.OPEN
            and lesson.mine.check_in is None
        ):
            found.append(
                Todo(
                    "check-in",
                    f"现在签到：{session.title}",
                    lesson.training_class.name,
                    session.closes_at,
                    ("session", session.id),
                )
            )
    names = {one.id: one.name for one in going}
    for task in await tasks.due_of_person(platform, actor.person_id, sorted(came)):
        found.append(
            Todo("task", f"提交：{task.title}", names[task.class_id], task.deadline, ("task", task.id))
        )
    asked, _ = await surveys.my_surveys(platform, actor)
    for mine in asked:
        if not mine.answered:
            survey = mine.survey
            found.append(
                Todo("survey", "填写满意度评价", survey.class_name, survey.closes_at, ("survey", survey.id))
            )
    return found


def _coming(one: TrainingClass, row: Enrolment, kept: Arrival | None, today: date) -> Iterator[Todo]:
    """The next of notice, pledge and arrival (article 10)."""
    due, notice = _end_of(one.starts_on), ("admission-notice", one.id)
    if kept is None or kept.notice_opened_at is None:
        yield Todo("admission-notice", "打开入学通知", one.name, due, notice)
    elif kept.pledged_at is None and not kept.pledge_on_paper:
        yield Todo("pledge", "签署承诺书", one.name, due, notice)
    if row.awaits_arrival and today >= one.starts_on - SOON:
        yield Todo("arrival", "持身份证原件报到", one.name, due, ("class", one.id))


async def _of_teacher(
    platform: Platform, actor: Actor, taught: Sequence[TrainingClass], lessons: Sequence[Lesson]
) -> list[Todo]:
    found = [
        Todo(
            "invitation",
            f"答复{one.kind.label}邀请",
            one.class_name,
            one.reply_by,
            ("invitation", one.id),
        )
        for one in await invitations.my_invitations(platform, actor)
        if one.state is inviting.State.SENT and one.reply_by > platform.clock.now()
    ]
    going = [one for one in taught if not one.frozen and one.ended_on is None]
    by_id = {one.id: one for one in going}
    unsigned = {
        class_id
        for class_id, newest in (await schemes.of_classes(platform, going)).items()
        if any(one.person_id == actor.person_id for one in newest.unsigned)
    }
    for class_id, steps in (await service.steps_of(platform, actor, going)).items():
        item = by_id[class_id]
        mine = {
            "scheme-sign": class_id in unsigned,
            "applicants-teachers": Kind.TEACHING in item.kinds_of(actor.person_id),
            "grade": Kind.ASSESSMENT in item.kinds_of(actor.person_id),
        }
        for step in steps:
            if mine.get(step.key):
                kind, target = _TEACHERS[step.key]
                due = _end_of(step.due) if step.due else None
                found.append(Todo(kind, step.title, item.name, due, (target, class_id)))
    for lesson in lessons:
        session = lesson.mine.item
        if lesson.teaching and lesson.mine.window is Window.OPEN:
            found.append(
                Todo(
                    "session-code",
                    f"出示签到码：{session.title}",
                    lesson.training_class.name,
                    session.closes_at,
                    ("taught-session", session.id),
                )
            )
    for case in await qualification.to_state(platform, actor):
        due = _end_of(case.state_until)
        found.append(Todo("statement", "陈述情况（动态管理）", "", due, ("qualification-case", case.id)))
    return found


_TEACHERS = {
    "scheme-sign": ("scheme", "taught-scheme"),
    "applicants-teachers": ("applicants", "taught-applications"),
    "grade": ("grading", "taught-tasks"),
}
"""By key of a step of `rules`: kind, and kind of the target, whose id is the class's."""


async def _of_person(platform: Platform, actor: Actor) -> list[Todo]:
    found = [
        Todo("guidance", f"确认跟踪指导：{one.teacher_name}", one.class_name, None, ("guidance", one.id))
        for one in await duties.guidance_received(platform, actor)
        if one.state is guiding.State.WAITING
    ]
    today = beijing_date(platform.clock.now())
    for asked in await reissues.my_reissues(platform, actor):
        unheard = asked.state is reissuing.State.HEARING and asked.agrees is None
        if unheard and asked.until is not None and today <= asked.until:
            found.append(
                Todo(
                    "hearing",
                    "陈述情况（拟撤销证书）",
                    asked.class_name,
                    _end_of(asked.until),
                    ("certificate-request", asked.id),
                )
            )
    told, _ = await inbox.my_inbox(platform, actor, limit=LAST_MESSAGES)
    for message in told:
        if message.kind == NEW_CERTIFICATE and not message.read:
            target = ("certificate", message.data.get("certificate_id", ""))
            found.append(Todo("certificate", "查看新的合格证书", "", None, target))
    return found


NEW_CERTIFICATE = "certificate-issued"


def _end_of(day: date) -> datetime:
    """The last second of a day in Beijing."""
    return datetime.combine(day + timedelta(days=1), time(), BEIJING) - timedelta(seconds=1)
