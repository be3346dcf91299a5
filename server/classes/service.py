"""Classes: opened by an institution, taught by backbone teachers, attended by trainees.

`get_class`, `taught_class` and `attended_class` fetch and authorise in one call; the chapters that build on classes begin with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import people, phones
from server.accounts.rules import Evidence
from server.backbone import service as backbone
from server.classes import roster, rules, store
from server.classes.documents import (
    ClassFilter,
    ClassTeacher,
    Enrolment,
    OpenClassFilter,
    RosterImport,
    RosterState,
    StoredRosterRow,
    StoredRowProblem,
    TrainingClass,
    WaitingRoster,
)
from server.classes.roster import Column
from server.classes.rules import NextStep, Stage
from server.institutions import rules as institution_rules
from server.institutions import service as institutions
from server.institutions.rules import Level
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.queries import LookUp
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

PREVIEW_LIFE = timedelta(days=1)
Course = Annotated[str, Field(min_length=2, max_length=40)]


class RosterHasProblems(Conflict):
    slug = "roster-has-problems"
    title = "名册还有问题"
    default_detail = "名册中有问题行，整份名册未导入。请在表格中改正后重新上传。"


class RosterClosed(Conflict):
    slug = "roster-closed"
    title = "名册已定"
    default_detail = "本班成绩已公布，名册不能再增加学员。"


class ResultsReleased(Conflict):
    slug = "results-released"
    title = "成绩已公布"
    default_detail = "本班成绩已公布，学习成果和评分都不能再更改。"


class NoPlaceLeft(Conflict):
    slug = "no-place-left"
    title = "名额已满"


class DatesClash(Conflict):
    slug = "dates-clash"
    title = "培训时间重叠"


class SchemeGoverns(Conflict):
    slug = "scheme-governs"
    title = "按已批准的培训方案执行"
    default_detail = (
        "本班的课次和考核任务由省级审核通过的培训方案确定，不能在这里增减或改动。"
        "需要调整时，请在“培训方案”中修改，经教师签署后重新报备（指南第四条（三））。"
    )


class TeacherNotInPool(Conflict):
    slug = "teacher-not-in-pool"
    title = "不在骨干教师库"
    default_detail = "授课和考核须由骨干教师承担（指南第六条），该教师已不在骨干教师库中。"


class ClassDraft(BaseModel):
    """`courses` are printed on the certificate, in this order (article 17)."""

    name: Annotated[str, Field(title="培训班名称", min_length=4, max_length=60)]
    level: Annotated[Level, Field(title="培训级别")]
    major: Annotated[str, Field(title="专业大类", pattern=r"^[0-9]{2}$")]
    courses: Annotated[list[Course], Field(title="培训课程", min_length=1, max_length=8)]
    class_hours: Annotated[int, Field(title="课时", ge=1, le=2000)]
    starts_on: Annotated[date, Field(title="开始日期")]
    ends_on: Annotated[date, Field(title="结束日期")]
    place: Annotated[str, Field(title="培训地点", min_length=2, max_length=100)]


@dataclass(frozen=True)
class ClassRow:
    """A class in a list, with the number of its trainees and where it stands today."""

    item: TrainingClass
    trainees: int
    stage: Stage


@dataclass(frozen=True)
class CurrentClass:
    """A class that is not done with, and what waits for its institution."""

    item: TrainingClass
    trainees: int
    stage: Stage
    roster: WaitingRoster | None
    next_steps: list[NextStep]


@dataclass(frozen=True)
class Trainee:
    """Somebody on the roster of a class, as the platform knows them."""

    enrolment: Enrolment
    evidence: Evidence
    bound: bool
    """Whether a phone speaks for them."""


async def make_class(
    unit: UnitOfWork,
    draft: ClassDraft,
    *,
    institution_code: str,
    places: int | None = None,
    application_id: str | None = None,
) -> TrainingClass:
    """Makes a class of an institution in the actor's jurisdiction, within the transaction of the use case that decided on it.

    Raises NotQualified (articles 4, 16) when the institution may not train this level and 专业大类 on the first day,
    Invalid for dates, hours below the floor of the level, or a course named twice.
    """
    institution = await institutions.institution(unit, unit.actor, institution_code)
    rules.check_dates(draft.starts_on, draft.ends_on)
    rules.check_courses(draft.courses)
    institution_rules.require_qualified(institution.qualifications, draft.level, draft.major, draft.starts_on)
    in_force = await policies.on(unit, beijing_date(unit.now))
    rules.check_class_hours(draft.level, draft.class_hours, class_hours_floor(in_force, draft.level))
    new = TrainingClass(
        **draft.model_dump(),
        institution_code=institution.id,
        institution_name=institution.name,
        province_code=institution.province_code,
        opened_at=unit.now,
        places=places,
        application_id=application_id,
    )
    await store.insert_class(unit, new)
    unit.audit("classes:open", new.id, name=new.name, level=new.level.value, major=new.major)
    return new


def class_hours_floor(in_force: policies.Policies, level: Level) -> int:
    return {
        Level.BACKBONE: in_force.class_hours_backbone,
        Level.ONE: in_force.class_hours_one,
        Level.TWO: in_force.class_hours_two,
        Level.THREE: in_force.class_hours_three,
    }[level]


async def list_classes(
    platform: Platform, actor: Actor, narrowed: ClassFilter, *, before: str | None = None, limit: int = 20
) -> list[ClassRow]:
    """The classes in the actor's jurisdiction, newest first."""
    today = beijing_date(platform.clock.now())
    found = await store.classes(platform, actor.jurisdiction, narrowed, today, before=before, limit=limit)
    counts = await store.count_enrolments(platform, [one.id for one in found])
    return [ClassRow(one, counts.get(one.id, 0), one.stage_on(today)) for one in found]


async def current_classes(platform: Platform, actor: Actor, limit: int = 100) -> list[CurrentClass]:
    """The classes in the actor's jurisdiction that are not over or not released, newest first."""
    now = platform.clock.now()
    found = await store.current_classes(platform, actor.jurisdiction, beijing_date(now), limit=limit)
    return await _with_next_steps(platform, found)


async def class_at_a_glance(platform: Platform, training_class: TrainingClass) -> CurrentClass:
    """The same of one class that the caller has fetched already."""
    [glance] = await _with_next_steps(platform, [training_class])
    return glance


async def _with_next_steps(platform: Platform, found: Sequence[TrainingClass]) -> list[CurrentClass]:
    now = platform.clock.now()
    ids = [one.id for one in found]
    counts = await store.count_enrolments(platform, ids)
    rosters = await store.waiting_rosters(platform, ids, now)
    current = []
    for one in found:
        stage = one.stage_on(beijing_date(now))
        steps = rules.next_steps(
            stage,
            trainees=counts.get(one.id, 0),
            teachers=len(one.teachers),
            roster_waits=one.id in rosters,
            released=one.results_released_at is not None,
        )
        current.append(CurrentClass(one, counts.get(one.id, 0), stage, rosters.get(one.id), steps))
    return current


async def count_by_stage(platform: Platform, actor: Actor) -> dict[Stage, int]:
    """How many classes of the actor's jurisdiction are in each stage today."""
    today = beijing_date(platform.clock.now())
    return await store.count_by_stage(platform, actor.jurisdiction, today)


async def get_class(scope: Scope, actor: Actor, class_id: str) -> TrainingClass:
    """A class in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.class_in_reach(scope, actor.jurisdiction, class_id)
    if found is None:
        raise NotFound("没有这个培训班，或不在您的管理范围内。")
    return found


async def taught_class(scope: Scope, actor: Actor, class_id: str) -> TrainingClass:
    """A class that the actor teaches as a backbone teacher. Raises NotFound for any other."""
    found = await store.class_taught_by(scope, actor.person_id, class_id)
    if found is None:
        raise NotFound("没有这个培训班，或您不是它的授课教师。")
    return found


async def attended_class(scope: Scope, actor: Actor, class_id: str) -> TrainingClass:
    """A class in which the actor is enrolled. Raises NotFound for any other."""
    if await store.enrolment(scope, class_id, actor.person_id) is None:
        raise NotFound("没有这个培训班，或您不在它的名册中。")
    return (await store.classes_by_id(scope, [class_id]))[class_id]


async def my_classes(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> tuple[list[TrainingClass], str | None]:
    """The classes that the actor attends, latest enrolment first, and the cursor of the next page."""
    mine = await store.enrolments_of(platform, actor.person_id, before=before, limit=limit)
    found = await store.classes_by_id(platform, [one.class_id for one in mine])
    return [found[one.class_id] for one in mine], mine[-1].id if len(mine) == limit else None


async def my_teaching(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[TrainingClass]:
    """The classes that the actor teaches, newest first."""
    return await store.classes_taught_by(platform, actor.person_id, before=before, limit=limit)


async def my_open_teaching(platform: Platform, actor: Actor) -> list[str]:
    """Ids of the classes that the actor teaches and that still take people: not ended, their results not released."""
    today = beijing_date(platform.clock.now())
    return await store.taught_and_not_over(platform, actor.person_id, today)


async def trainees(scope: Scope, class_id: str) -> list[Enrolment]:
    """Everybody in a class that the caller has fetched already, in the order of the roster."""
    return await store.enrolments(scope, class_id)


async def trainee(scope: Scope, class_id: str, person_id: str) -> Enrolment:
    """One person of a class that the caller has fetched already. Raises NotFound."""
    found = await store.enrolment(scope, class_id, person_id)
    if found is None:
        raise NotFound("该学员不在本班名册中。")
    return found


async def trainee_list(platform: Platform, class_id: str) -> list[Trainee]:
    """Everybody in such a class with what the platform knows of them."""
    enrolled = await store.enrolments(platform, class_id)
    ids = [one.person_id for one in enrolled]
    persons = await people.persons(platform, ids)
    bound = await people.bound_person_ids(platform, ids)
    return [
        Trainee(one, Evidence(persons[one.person_id].evidence), one.person_id in bound) for one in enrolled
    ]


async def is_enrolled(scope: Scope, class_id: str, person_id: str) -> bool:
    return await store.enrolment(scope, class_id, person_id) is not None


async def exclude_release(unit: UnitOfWork, training_class: TrainingClass) -> None:
    """Lets no release of results overlap with this use case; `training_class` was read in the same transaction.

    Raises ResultsReleased.
    """
    if training_class.results_released_at is not None:
        raise ResultsReleased()
    await store.touch(unit, training_class.id)


async def release_results(unit: UnitOfWork, class_id: str) -> None:
    """Freezes the results of a class that the caller has fetched in its reach. Raises ResultsReleased when they are already."""
    if not await store.set_results_released(unit, class_id, unit.now):
        raise ResultsReleased()


def require_no_scheme(training_class: TrainingClass) -> None:
    """Sessions and tasks of a class with an approved scheme change by a new version of it only. Raises SchemeGoverns."""
    if training_class.scheme_version is not None:
        raise SchemeGoverns()


async def follow_scheme(
    unit: UnitOfWork, class_id: str, *, version: int, courses: Sequence[str], class_hours: int
) -> None:
    """Part of an approval (schemes): the class follows this version of its scheme from now on."""
    await store.set_scheme(unit, class_id, version, courses, class_hours)


async def add_teacher(unit: UnitOfWork, class_id: str, person_id: str) -> None:
    """Part of an acceptance (invitations): a backbone teacher of the pool teaches and grades this class from now on (article 6).

    Again, it changes nothing. Raises TeacherNotInPool.
    """
    teacher = await backbone.active_teacher(unit, person_id)
    if teacher is None:
        raise TeacherNotInPool()
    await store.add_teacher(unit, class_id, ClassTeacher(person_id=person_id, name=teacher.name))


async def remove_teacher(unit: UnitOfWork, class_id: str, person_id: str) -> None:
    """Part of a cancellation (invitations): the teacher leaves the class; what they graded stays."""
    await store.remove_teacher(unit, class_id, person_id)


async def open_classes(
    platform: Platform, narrowed: OpenClassFilter, *, before: str | None = None, limit: int = 20
) -> list[TrainingClass]:
    """The classes of the country that take applications now, newest first."""
    return await store.open_for_enrolment(
        platform, narrowed, platform.clock.now(), before=before, limit=limit
    )


async def class_open_to_all(scope: Scope, class_id: str) -> TrainingClass:
    """A class that was ever opened for applications, for whoever asks. Raises NotFound for any other."""
    found = (await store.classes_by_id(scope, [class_id])).get(class_id)
    if found is None or found.enrolment_opens is None:
        raise NotFound("没有这个培训班，或它没有开放报名。")
    return found


def unreleased(scope: Scope, *, ended_from: date) -> AsyncIterator[TrainingClass]:
    """The classes of the country that have begun, ended on that day or later (or run), and whose results are not released."""
    return store.unreleased(scope, ended_from, beijing_date(scope.platform.clock.now()))


async def classes_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, TrainingClass]:
    """Classes whose ids the caller's own documents have named."""
    return await store.classes_by_id(scope, class_ids)


async def set_enrolment(
    unit: UnitOfWork, training_class: TrainingClass, opens: datetime, closes: datetime, places: int
) -> None:
    """Part of admissions' use case: opens a class for applications. Raises NoPlaceLeft for fewer places than are taken."""
    taken = (await store.count_enrolments(unit, [training_class.id])).get(training_class.id, 0)
    if places < taken:
        raise NoPlaceLeft(f"本班已有 {taken} 名学员，名额不能少于这个人数。")
    await store.set_enrolment(unit, training_class.id, opens, closes, places, taken)


async def overlapping_classes(
    scope: Scope, training_class: TrainingClass, person_ids: Sequence[str]
) -> dict[str, TrainingClass]:
    """By person: another class of theirs that has a day in common with this one."""
    return await store.other_classes(
        scope, person_ids, training_class.id, training_class.starts_on, training_class.ends_on
    )


async def enrol(unit: UnitOfWork, training_class: TrainingClass, newcomers: Sequence[Enrolment]) -> None:
    """Part of a chapter's use case: enrols these people, each taking a place, all or nobody, and tells them.

    Of two use cases that enrol one person at once the second sees the first. Raises NoPlaceLeft, DatesClash.
    """
    ids = [one.person_id for one in newcomers]
    await people.touch(unit, ids)
    clashing = await overlapping_classes(unit, training_class, ids)
    for one in newcomers:
        if other := clashing.get(one.person_id):
            raise DatesClash(
                f"{one.name}已在“{other.name}”（{other.starts_on} 至 {other.ends_on}）中，时间重叠。"
            )
    if not await store.take_places(unit, training_class.id, len(newcomers)):
        raise NoPlaceLeft(
            f"本班名额 {training_class.places} 人，已录取 {training_class.admitted} 人，放不下了。"
        )
    await store.insert_enrolments(unit, newcomers)
    for one in newcomers:
        unit.notify(one.person_id, "enrolled", **news(training_class))


async def leave(unit: UnitOfWork, class_id: str, person_id: str) -> None:
    """Part of a use case (admissions, selection): takes a person out of a class again, whose place becomes free. Raises NotFound."""
    if not await store.delete_enrolment(unit, class_id, person_id):
        raise NotFound("该学员不在本班名册中。")
    await store.give_back_place(unit, class_id)


async def take_turn(unit: UnitOfWork, class_id: str) -> None:
    """Makes this transaction conflict with any other that changes who is in the same class."""
    await store.touch(unit, class_id)


def enrolled_pairs(person_ids: Collection[str]) -> LookUp[dict[tuple[str, str], bool]]:
    """(class, person) of every enrolment of these people, and whether it still awaits their arrival: for the path of check-ins."""
    return store.enrolled_pairs(person_ids)


async def awaited_arrivals(platform: Platform, actor: Actor) -> list[tuple[TrainingClass, int]]:
    """The running classes in the actor's jurisdiction in which somebody has not arrived (报到), with how many."""
    return await store.awaited_arrivals(platform, actor.jurisdiction, beijing_date(platform.clock.now()))


async def set_arrival(unit: UnitOfWork, class_id: str, person_id: str, at: datetime | None) -> bool:
    """Part of admissions' use case: notes the arrival (报到) of a trainee, or takes it back with None.

    False when it was so already.
    """
    return await store.set_arrival(unit, class_id, person_id, at, unit.actor.name if at else None)


def news(training_class: TrainingClass) -> dict[str, str]:
    """What a message about a class says of it."""
    return {
        "class_id": training_class.id,
        "class_name": training_class.name,
        "starts_on": training_class.starts_on.isoformat(),
        "ends_on": training_class.ends_on.isoformat(),
        "place": training_class.place,
        "institution": training_class.institution_name,
    }


@transactional
async def release_binding(unit: UnitOfWork, class_id: str, person_id: str, reason: str) -> None:
    """Releases the phone of a trainee of one's own class, with a reason. Raises NotFound for anybody else's."""
    await get_class(unit, unit.actor, class_id)
    await trainee(unit, class_id, person_id)
    await phones.release_binding(unit, person_id, reason)
    unit.audit("classes:release-binding", class_id, person_id=person_id, reason=reason)


async def preview_roster(
    platform: Platform, actor: Actor, class_id: str, file_name: str, content: bytes
) -> RosterImport:
    """Reads an xlsx roster and keeps what it found for a day; nothing is imported.

    Raises RosterUnreadable when the file as a whole cannot be read, RosterClosed.
    """
    training_class = await get_class(platform, actor, class_id)
    _require_open_roster(training_class)
    now = platform.clock.now()
    in_force = await policies.on(platform, beijing_date(now))
    read = await asyncio.to_thread(
        roster.read_roster, content, today=beijing_date(now), rows_most=in_force.roster_rows
    )
    identities = [people.Identity(row.name, row.id_number, row.phone) for row in read.rows]
    sealed = await people.seal(platform, identities)
    problems = [
        StoredRowProblem(row=p.row, letters=p.letters, column=p.column.title, name=p.name, message=p.message)
        for p in read.problems
    ]
    problems += await _known_problems(platform, training_class, read, sealed)
    preview = RosterImport(
        class_id=class_id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        file_name=file_name[:200],
        state=RosterState.PREVIEW,
        skipped=[f"第 {line.row} 行：{line.text}" for line in read.skipped],
        rows=[
            StoredRosterRow(
                row=row.row,
                name=one.name,
                id_number=one.id_number,
                id_number_masked=one.id_number_masked,
                phone=one.phone,
                work_unit=row.work_unit,
                post=row.post,
                major_taught=row.major,
            )
            for row, one in zip(read.rows, sealed, strict=True)
        ],
        problems=sorted(problems, key=lambda problem: problem.row),
        created_at=now,
        created_by=actor.name,
        expires_at=now + PREVIEW_LIFE,
    )
    await _keep_preview(platform, actor, preview)
    return preview


@transactional
async def _keep_preview(unit: UnitOfWork, preview: RosterImport) -> None:
    await store.insert_roster_import(unit, preview)
    unit.audit(
        "classes:preview-roster", preview.class_id, rows=len(preview.rows), problems=len(preview.problems)
    )


async def _known_problems(
    scope: Scope,
    training_class: TrainingClass,
    read: roster.RosterPreview,
    sealed: Sequence[people.SealedIdentity],
) -> list[StoredRowProblem]:
    """What only the database can tell of a row: in the class already or in another one then, or known under another name."""
    known = await people.known(scope, sealed)
    enrolled = {one.person_id for one in await store.enrolments(scope, training_class.id)}
    clashing = await overlapping_classes(scope, training_class, [person.id for person in known.values()])
    problems = []
    for row, one in zip(read.rows, sealed, strict=True):
        person = known.get(one.id_number)
        if person is None:
            continue
        if person.name != one.name:
            column = Column.NAME
            message = f"证件号 {one.id_number_masked} 已登记为其他姓名，请核对姓名和证件号。"
        elif person.id in enrolled:
            column = Column.ID_NUMBER
            message = f"{one.name}（{one.id_number_masked}）已在本班名册中，请从表格中删去这一行。"
        elif other := clashing.get(person.id):
            column = Column.ID_NUMBER
            message = (
                f"{one.name}（{one.id_number_masked}）已在“{other.name}”中，"
                f"{other.starts_on} 至 {other.ends_on}，与本班时间重叠。"
            )
        else:
            continue
        problems.append(
            StoredRowProblem(
                row=row.row, letters=read.letters[column], column=column.title, name=one.name, message=message
            )
        )
    return problems


async def roster_preview(platform: Platform, actor: Actor, class_id: str, import_id: str) -> RosterImport:
    """An uploaded roster of a class in the actor's jurisdiction. Raises NotFound, also when it has expired."""
    found = await store.roster_import(platform, actor.jurisdiction, import_id)
    if found is None or found.class_id != class_id:
        raise NotFound(_NO_PREVIEW)
    return found


_NO_PREVIEW = "没有这份名册预览，或已超过一天失效。请重新上传。"


async def roster_template(platform: Platform) -> bytes:
    """The xlsx workbook to fill in, for as many people as the policy of today allows."""
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    return await asyncio.to_thread(roster.roster_template, in_force.roster_rows)


@transactional
async def confirm_roster(unit: UnitOfWork, import_id: str) -> RosterImport:
    """Imports a previewed roster, all or nothing, and tells everybody on it; confirmed again, it answers the same.

    Raises RosterHasProblems when a row had a problem or has one by now, NameDiffers, DatesClash, NoPlaceLeft, RosterClosed.
    """
    preview = await store.roster_import(unit, unit.actor.jurisdiction, import_id)
    if preview is None:
        raise NotFound(_NO_PREVIEW)
    if preview.state is RosterState.CONFIRMED:
        unit.nothing_written()
        return preview
    if preview.problems or not preview.rows:
        raise RosterHasProblems()
    await store.touch(unit, preview.class_id)  # two rosters of one class are imported one after the other
    training_class = await get_class(unit, unit.actor, preview.class_id)
    _require_open_roster(training_class)
    sealed = [
        people.SealedIdentity(row.name, row.id_number, row.id_number_masked, row.phone)
        for row in preview.rows
    ]
    enrolled = {one.person_id for one in await store.enrolments(unit, preview.class_id)}
    persons = await people.ensure(unit, sealed, Evidence.ROSTER_MATCHED)
    if enrolled & {person.id for person in persons}:
        raise RosterHasProblems("名册中有人已被他人加入本班，请重新上传核对。")
    await enrol(
        unit,
        training_class,
        [
            Enrolment(
                class_id=preview.class_id,
                institution_code=preview.institution_code,
                province_code=preview.province_code,
                person_id=person.id,
                name=person.name,
                id_number_masked=person.id_number_masked,
                work_unit=row.work_unit,
                post=row.post,
                major_taught=row.major_taught,
                enrolled_at=unit.now,
                arrival_required=training_class.arrival_required,
            )
            for row, person in zip(preview.rows, persons, strict=True)
        ],
    )
    await store.confirm_roster_import(unit, import_id, unit.now)
    unit.audit("classes:confirm-roster", preview.class_id, roster=import_id, trainees=len(persons))
    return preview


def _require_open_roster(training_class: TrainingClass) -> None:
    if training_class.results_released_at is not None:
        raise RosterClosed()
