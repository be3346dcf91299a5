"""Duties of backbone teachers (article 8.4): each one's year at a glance, follow-up guidance, and the warning of October.

The year is reckoned when it is asked for, from the tasks (invitations), the tallies (surveys) and the guidance; nothing of it is kept.
Who manages the teachers sees it: the centre all, a province those of its own. An institution learns what it needs to choose from the
recommendation and the pool, and sees nobody's year.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.backbone import owed
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter, PoolMember
from server.backbone.rules import PoolStatus
from server.classes import service as classes
from server.classes.rules import Kind
from server.classes.work import Progress
from server.duties import rules, store
from server.duties.documents import DutyWarning, Guidance
from server.duties.rules import Action, Standing, State, Way
from server.invitations import engagements
from server.invitations.rules import Task
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, NotFound, require_same
from server.kernel.history import step
from server.kernel.identity import Actor, Role, system
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import take
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.surveys import tallies as survey_tallies
from server.surveys.rules import Tally
from server.wechat import content
from server.wechat.content import Scene, Screened

BATCH = 200
"""Members of the pool whose years are reckoned at once."""
LOOKED_AT_MOST = 2_000
"""Members that a page of a narrowed list looks at, at most; the next page goes on from there."""
GUIDANCE_SHOWN = 50

DocumentId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
Plain = StringConstraints(strip_whitespace=True)


class GuidanceDraft(BaseModel):
    """`nonce` makes the same guidance, sent again over a bad network, one entry."""

    class_id: Annotated[DocumentId, Field(title="培训班")]
    trainee_id: Annotated[DocumentId, Field(title="参训教师")]
    given_on: Annotated[date, Field(title="指导日期", strict=True)]
    way: Annotated[Way, Field(title="指导方式")]
    about: Annotated[str, Plain, Field(title="指导内容", min_length=4, max_length=500)]
    minutes: Annotated[int, Field(title="时长（分钟）", ge=5, le=480)]
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")]


class Objection(BaseModel):
    reason: Reason


@dataclass(frozen=True)
class DutyYear:
    """A teacher's calendar year as article 8.4 asks about it, as of `today`."""

    teacher: PoolMember
    year: int
    today: date
    tasks: list[Task]
    """All that was accepted for the year, by the end of the class, also what lapsed."""
    tally: Tally | None
    """Of the classes whose results may be shown; None where there is none."""
    guidance: dict[State, int]
    """How much follow-up guidance is in each state."""

    def _count(self, kind: Kind, progress: Progress) -> int:
        return sum(one.kind is kind and one.progress_on(self.today) is progress for one in self.tasks)

    @property
    def required(self) -> int:
        """授课 tasks owed of this year."""
        registered_on = beijing_date(self.teacher.registered_at)
        return owed.required_tasks(registered_on, self.teacher.history, self.year)

    @property
    def teaching_done(self) -> int:
        return self._count(Kind.TEACHING, Progress.DONE)

    @property
    def teaching_planned(self) -> int:
        """Accepted, and not over yet."""
        return self._count(Kind.TEACHING, Progress.PLANNED)

    @property
    def missing(self) -> int:
        return max(0, self.required - self.teaching_done)

    @property
    def assessment_done(self) -> int:
        return self._count(Kind.ASSESSMENT, Progress.DONE)

    @property
    def assessment_planned(self) -> int:
        return self._count(Kind.ASSESSMENT, Progress.PLANNED)

    @property
    def meets_mark(self) -> bool | None:
        return self.tally.meets_mark if self.tally and self.tally.answers else None

    @property
    def over(self) -> bool:
        return rules.year_is_over(self.year, self.today)

    @property
    def standing(self) -> Standing:
        return rules.standing(self.required, self.teaching_done, self.meets_mark, over=self.over)

    @property
    def to_be_warned(self) -> bool:
        return rules.is_to_be_warned(self.today, self.required, self.teaching_done, self.teaching_planned)


@dataclass(frozen=True)
class DutyFilter:
    """What a list is narrowed to; what is empty matches everything."""

    year: int
    words: str = ""
    """Part of a name or of a work unit."""
    province_code: str = ""
    standing: Standing | None = None


@dataclass(frozen=True)
class DutyPage:
    rows: list[DutyYear]
    next: str | None
    """The cursor of the following page."""
    looked_at: int
    """How many teachers this page has looked at to find its rows."""


@dataclass(frozen=True)
class DutyRecord:
    """One teacher's year with its guidance, newest first and at most 50."""

    seen: DutyYear
    guidance: list[Guidance]
    warning: DutyWarning | None


# ---- the year


async def year_of(scope: Scope, teacher_id: str, year: int) -> DutyYear:
    """The year of somebody in the pool, whatever their status is now. Raises NotFound."""
    member = await backbone.teacher_in_pool(scope, teacher_id)
    if member is None:
        raise NotFound("骨干教师库中没有这位教师。")
    [found] = await years_of(scope, [member], year)
    return found


async def years_of(scope: Scope, members: Sequence[PoolMember], year: int) -> list[DutyYear]:
    """The year of each of these members, in their order; ask for some hundred at a time. Three questions, whatever their number."""
    ids = [one.id for one in members]
    tallies = await survey_tallies.tallies_of(scope, ids, [year])
    given = await store.counts(scope, ids, year)
    tasks: dict[str, list[Task]] = {teacher_id: [] for teacher_id in ids}
    for task in await engagements.tasks_of_year(scope, ids, year):
        tasks[task.teacher_id].append(task)
    today = beijing_date(scope.platform.clock.now())
    return [
        DutyYear(
            teacher=one,
            year=year,
            today=today,
            tasks=tasks[one.id],
            tally=tallies.get((one.id, year)),
            guidance={state: given.get((one.id, state), 0) for state in State},
        )
        for one in members
    ]


# ---- staff


async def list_years(
    platform: Platform, actor: Actor, wanted: DutyFilter, *, before: str | None = None, limit: int = 50
) -> DutyPage:
    """The year of each teacher in one's reach, registered last first. Raises Forbidden for who manages no teachers.

    Where somebody stands is reckoned, not stored: a list narrowed by it looks at 2,000 teachers at most, and `next` goes on from there,
    so that a page may hold few rows, or none, and still have one after it.
    """
    rows: list[DutyYear] = []
    looked_at = 0
    cursor = before
    while looked_at < LOOKED_AT_MOST:
        batch = await _batch(platform, actor, wanted, cursor, BATCH if wanted.standing else limit + 1)
        for one in await years_of(platform, batch, wanted.year):
            if wanted.standing in (None, one.standing):
                if len(rows) == limit:
                    return DutyPage(rows, rows[-1].teacher.id, looked_at)
                rows.append(one)
            looked_at += 1
            cursor = one.teacher.id
        if not batch:
            return DutyPage(rows, None, looked_at)
    return DutyPage(rows, cursor, looked_at)


async def all_years(platform: Platform, actor: Actor, wanted: DutyFilter) -> AsyncIterator[DutyYear]:
    """The whole list, a batch at a time, for the workbook. Raises Forbidden."""
    cursor: str | None = None
    while batch := await _batch(platform, actor, wanted, cursor, BATCH):
        for one in await years_of(platform, batch, wanted.year):
            if wanted.standing in (None, one.standing):
                yield one
        cursor = batch[-1].id


async def _batch(
    platform: Platform, actor: Actor, wanted: DutyFilter, before: str | None, limit: int
) -> list[PoolMember]:
    return await backbone.list_pool(
        platform,
        actor,
        PoolFilter(words=wanted.words, province_code=_province(actor) or wanted.province_code),
        before=before,
        limit=limit,
    )


async def record_of(platform: Platform, actor: Actor, teacher_id: str, year: int) -> DutyRecord:
    """The year of one teacher in one's reach. Raises NotFound, or Forbidden for who manages no teachers."""
    province = _province(actor)
    seen = await year_of(platform, teacher_id, year)
    if province not in ("", seen.teacher.province_code):
        raise NotFound("骨干教师库中没有这位教师，或不在您的管理范围内。")
    return DutyRecord(
        seen,
        await _told_apart(
            platform, await store.of_teacher(platform, teacher_id, year=year, limit=GUIDANCE_SHOWN)
        ),
        await store.warning(platform, teacher_id, year),
    )


def _province(actor: Actor) -> str:
    """Whose teachers an actor sees: the code of the province, empty for all. Raises Forbidden."""
    if Role.NATIONAL_CENTRE in actor.roles:
        return ""
    if Role.PROVINCE in actor.roles and actor.province_code:
        return actor.province_code
    raise Forbidden("骨干教师的履职情况由省级管理部门和部指导中心查看（指南第八条、第九条）。")


# ---- the teacher


async def my_year(platform: Platform, actor: Actor, year: int | None = None) -> DutyYear:
    """The own year of who is in the pool or was, whatever the status is now; this one when none is named. Raises NotFound."""
    _require_proved(actor)
    return await year_of(platform, actor.person_id, year or beijing_date(platform.clock.now()).year)


def _require_proved(actor: Actor) -> None:
    """What somebody does as a teacher of the pool is theirs on a phone that is proved everywhere. Raises NotFound."""
    if not actor.reach.everywhere:
        raise NotFound("您尚未登记入骨干教师库，或本机的骨干教师身份待确认（见“我的”）。")


async def my_guidance(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[Guidance]:
    """What this teacher has logged, last first."""
    if not actor.reach.everywhere:
        return []
    return await _told_apart(
        platform, await store.of_teacher(platform, actor.person_id, before=before, limit=limit)
    )


async def _told_apart(scope: Scope, found: Sequence[Guidance]) -> list[Guidance]:
    """The same with everybody as they are called among their classes: a namesake may stand on another page of the list."""
    names = {one.trainee_id: one.trainee_name for one in found} | {
        one.teacher_id: one.teacher_name for one in found
    }
    for class_id, taught in (
        await classes.classes_of(scope, sorted({one.class_id for one in found}))
    ).items():
        names |= {one.person_id: one.name for one in taught.teachers}
        names |= {one.person_id: one.name for one in await classes.trainees(scope, class_id)}
    called = await people.called(scope, names)
    return [
        one.model_copy(
            update={"trainee_name": called[one.trainee_id], "teacher_name": called[one.teacher_id]}
        )
        for one in found
    ]


async def log_guidance(platform: Platform, actor: Actor, draft: GuidanceDraft) -> tuple[Guidance, bool]:
    """Logs guidance given to a former trainee of a class that the actor taught (article 8.4.6), and asks the trainee to confirm it.

    True with what is new; False, and nothing written, for a nonce that was sent before. Raises NotFound for a class that the actor did not
    teach or a person who was not in it; ContentRefused; Invalid for a day of the class, before it, or to come.
    """
    try:
        texts = await content.kept_by(
            {"about": draft.about}, _log_guidance, platform, actor, draft, content.UNASKED
        )
        screened = await content.screen(platform, actor, Scene.COMMENT, texts)
        return await _log_guidance(platform, actor, draft, screened)
    except DuplicateKeyError:  # the same request twice at once
        there = await store.by_nonce(platform, actor.person_id, draft.nonce)
        assert there is not None
        require_same(_says(there, draft))
        return there, False


def _says(there: Guidance, draft: GuidanceDraft) -> bool:
    return draft.model_dump().items() <= there.model_dump().items()


@transactional
async def _log_guidance(unit: UnitOfWork, draft: GuidanceDraft, screened: Screened) -> tuple[Guidance, bool]:
    rules.STEPS.require_right(Action.LOG, unit.actor.roles)
    there = await store.by_nonce(unit, unit.actor.person_id, draft.nonce)
    if there is not None:
        require_same(_says(there, draft))
        unit.nothing_written()
        return there, False
    taught = await classes.taught_class(unit, unit.actor, draft.class_id)
    trainee = await classes.trainee(unit, taught.id, draft.trainee_id)
    rules.check_day(draft.given_on, taught.ends_on, beijing_date(unit.now))
    new = Guidance(
        teacher_id=unit.actor.person_id,
        teacher_name=unit.actor.name,
        trainee_id=trainee.person_id,
        trainee_name=trainee.name,
        class_id=taught.id,
        class_name=taught.name,
        year=draft.given_on.year,
        given_on=draft.given_on,
        way=draft.way,
        about=draft.about,
        minutes=draft.minutes,
        nonce=draft.nonce,
        logged_at=unit.now,
        history=[step(unit, Action.LOG)],
    )
    await store.insert(unit, new)
    await content.note(unit, screened, content.of_class(taught, f"guidance:{new.id}", "后续指导记录"))
    unit.audit("duties:log-guidance", new.id, class_id=taught.id, person_id=trainee.person_id)
    unit.notify(
        trainee.person_id,
        "guidance-to-confirm",
        guidance_id=new.id,
        class_name=new.class_name,
        teacher_name=new.teacher_name,
        given_on=new.given_on.isoformat(),
    )
    return new, True


# ---- the trainee


async def guidance_received(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[Guidance]:
    """What teachers logged as given to the actor, last first."""
    found = await store.of_trainee(platform, actor.person_id, before=before, limit=limit)
    held = await classes.classes_of(platform, [one.class_id for one in found])
    reached = [one for one in found if actor.reach.opens(held[one.class_id].institution_code)]
    return await _told_apart(platform, reached)


async def received(platform: Platform, actor: Actor, guidance_id: str) -> Guidance:
    """Raises NotFound for guidance of anybody else's."""
    found = await store.given_to(platform, actor.person_id, guidance_id)
    if found is None:
        raise NotFound("没有这条指导记录，或它登记的不是对您的指导。")
    await classes.attended_class(platform, actor, found.class_id)
    return (await _told_apart(platform, [found]))[0]


async def guidance_waiting(platform: Platform, actor: Actor) -> int:
    """How much of it waits for the actor's word."""
    return await store.count_waiting(platform, actor.person_id) if actor.reach.own else 0


@transactional
async def confirm(unit: UnitOfWork, guidance_id: str) -> Guidance:
    """The trainee says that it was so. Sent again, it changes nothing. Raises NotFound."""
    found, _ = await _settle(unit, guidance_id, Action.CONFIRM)
    return found


@transactional
async def dispute(unit: UnitOfWork, guidance_id: str, objection: Objection) -> Guidance:
    """The trainee says that it was not so, with a reason that the teacher reads. Sent again, it changes nothing.

    Raises NotFound; GuidanceSettled once it was confirmed.
    """
    found, new = await _settle(unit, guidance_id, Action.DISPUTE, objection.reason)
    if new:
        unit.notify(
            found.teacher_id,
            "guidance-disputed",
            guidance_id=found.id,
            class_name=found.class_name,
            trainee_name=found.trainee_name,
            given_on=found.given_on.isoformat(),
            reason=objection.reason,
        )
    return found


async def _settle(
    unit: UnitOfWork, guidance_id: str, action: Action, reason: str = ""
) -> tuple[Guidance, bool]:
    found = await store.given_to(unit, unit.actor.person_id, guidance_id)
    if found is None:
        raise NotFound("没有这条指导记录，或它登记的不是对您的指导。")
    await classes.attended_class(unit, unit.actor, found.class_id)
    if found.history[-1].action == action:
        unit.nothing_written()
        return found, False
    settled = await take(unit, rules.STEPS, found, action, reason)
    unit.audit(f"duties:{action.value.lower()}-guidance", found.id, class_id=found.class_id)
    return settled, True


# ---- the platform


async def warn_of_duties(platform: Platform) -> int:
    """The scheduled work: from October on, each teacher who owes tasks with nothing planned for them is told, once a year.

    Returns how many were told.
    Each in a transaction of its own that looks again; the unique row of the teacher and year lets one of two schedulers tell.
    """
    job = system("yearly-duty-warning")
    today = beijing_date(platform.clock.now())
    if today.month < rules.WARNING_MONTH:
        return 0
    told = 0
    cursor: str | None = None
    active = PoolFilter(status=PoolStatus.ACTIVE)
    while members := await backbone.list_pool(platform, job, active, before=cursor, limit=BATCH):
        cursor = members[-1].id
        before = await store.warned(platform, [one.id for one in members], today.year)
        years = await years_of(platform, [one for one in members if one.id not in before], today.year)
        for one in years:
            if one.to_be_warned:
                told += await _warn_once(platform, job, one.teacher.id, today.year)
    return told


async def _warn_once(platform: Platform, job: Actor, teacher_id: str, year: int) -> bool:
    try:
        return await _warn(platform, job, teacher_id, year)
    except DuplicateKeyError:  # another scheduler was first
        return False


@transactional
async def _warn(unit: UnitOfWork, teacher_id: str, year: int) -> bool:
    seen = await year_of(unit, teacher_id, year)
    if not seen.to_be_warned:
        unit.nothing_written()
        return False
    await store.insert_warning(
        unit,
        DutyWarning(
            teacher_id=teacher_id,
            year=year,
            required=seen.required,
            done=seen.teaching_done,
            planned=seen.teaching_planned,
            told_at=unit.now,
        ),
    )
    unit.audit("duties:warn", teacher_id, year=year, required=seen.required, done=seen.teaching_done)
    without_plan = seen.missing - seen.teaching_planned
    unit.notify(teacher_id, "duty-warning", year=str(year), owed=f"还差 {without_plan} 次授课任务没有安排")
    return True
