"""Classes: opened by an institution, taught by backbone teachers, attended by trainees.

`get_class`, `taught_class` and `attended_class` fetch and authorise in one call; the chapters that build on classes begin with them. Who
comes into a class and leaves it is `enrolment`, the roster that an institution uploads `roster_import`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import people
from server.accounts.rules import Evidence
from server.backbone import service as backbone
from server.classes import going_store, in_hand_store, roster_store, rules, store, trained_store
from server.classes.documents import (
    ClassFilter,
    ClassTeacher,
    Enrolment,
    EnrolmentSource,
    TrainingClass,
    WaitingRoster,
)
from server.classes.rules import Kind, Stage
from server.classes.work import Days
from server.institutions import rules as institution_rules
from server.institutions import service as institutions
from server.institutions.rules import Level
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor, Reach
from server.kernel.platform import Platform
from server.kernel.queries import LookUp
from server.kernel.titled import Titled
from server.kernel.unit_of_work import Scope, UnitOfWork

RELEASED_LATELY = timedelta(days=366)
Course = Annotated[str, Field(min_length=2, max_length=40)]


class ResultsReleased(Conflict):
    slug = "results-released"
    title = "成绩已公布"
    default_detail = "本班成绩已公布，名册、课次、考勤、学习成果和评分都不能再更改。"


class ClassEnded(Conflict):
    slug = "class-ended"
    title = "培训班已取消或终止"
    default_detail = "本班已经取消或终止，不再签到、评分、公布成绩和核发证书，名册和课次也不再变动。"


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
    standing: Titled
    """Its stage in a word, or what befell it."""


@dataclass(frozen=True)
class CurrentClass:
    """A class that is not done with."""

    item: TrainingClass
    trainees: int
    stage: Stage
    roster: WaitingRoster | None


@dataclass(frozen=True)
class Trainee:
    """Somebody on the roster of a class, as the platform knows them."""

    enrolment: Enrolment
    evidence: Evidence
    reach: Reach | None
    """How far their phone is proved to be theirs; None where they have none, and nowhere for one that waits to be confirmed."""

    @property
    def bound(self) -> bool:
        """Whether a phone speaks for them in this class."""
        return self.reach is not None and self.reach.opens(self.enrolment.institution_code)

    @property
    def waits(self) -> bool:
        """待确认: they have a phone, which nothing proves to be theirs in this class."""
        return self.reach is not None and not self.bound


async def teachers_called(scope: Scope, training_class: TrainingClass) -> dict[str, str]:
    """Id → what to call each of its teachers: two of one name are told apart."""
    return await people.called(scope, {one.person_id: one.name for one in training_class.teachers})


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
    return [
        ClassRow(one, counts.get(one.id, 0), one.stage_on(today), one.standing_on(today)) for one in found
    ]


async def unreleased_in_reach(
    platform: Platform,
    actor: Actor,
    narrowed: ClassFilter,
    standing: rules.Standing | None,
    *,
    after: str | None,
    limit: int,
) -> list[TrainingClass]:
    """The classes in the actor's jurisdiction whose results are not released, the first to begin first; ended ones are not among them."""
    today = beijing_date(platform.clock.now())
    return await in_hand_store.unreleased(
        platform, actor.jurisdiction, narrowed, today, standing, after=after, limit=limit
    )


async def released_in_reach(
    platform: Platform, actor: Actor, narrowed: ClassFilter, *, after: str | None, limit: int
) -> list[TrainingClass]:
    """Those of a year ago or later whose results are released, the last first."""
    now = platform.clock.now()
    return await in_hand_store.released_since(
        platform,
        actor.jurisdiction,
        narrowed,
        beijing_date(now),
        now - RELEASED_LATELY,
        after=after,
        limit=limit,
    )


async def current_classes(platform: Platform, actor: Actor, limit: int = 100) -> list[CurrentClass]:
    """The classes in the actor's jurisdiction that are not over or not released, newest first."""
    return await _at_a_glance(platform, await unfinished(platform, actor, limit))


async def released_lately(platform: Platform, actor: Actor, limit: int = 100) -> list[TrainingClass]:
    """The classes in the actor's jurisdiction whose results were released within a year, the latest first."""
    since = platform.clock.now() - RELEASED_LATELY
    return await going_store.released_since(platform, actor.jurisdiction, since, limit=limit)


async def unreleased_in(platform: Platform, actor: Actor, limit: int = 100) -> list[TrainingClass]:
    """The classes in the actor's jurisdiction whose results are not released, the first to end first."""
    return await going_store.unreleased_in(platform, actor.jurisdiction, limit=limit)


async def any_class(platform: Platform, actor: Actor) -> bool:
    """Whether there is or was a class in the actor's jurisdiction."""
    return await going_store.any_class(platform, actor.jurisdiction)


async def to_finish_in(scope: Scope, held_in: TrainingClass, limit: int) -> list[TrainingClass]:
    """The classes of the whole country in which the people of this one could finish, the first to begin first: for who shows their names
    and days, and nothing else of them."""
    today = beijing_date(scope.platform.clock.now())
    return await trained_store.to_finish_in(
        scope, held_in.level.value, held_in.major, held_in.starts_on, today, limit
    )


async def unfinished(platform: Platform, actor: Actor, limit: int = 100) -> list[TrainingClass]:
    """The same classes, and nothing else."""
    today = beijing_date(platform.clock.now())
    return await store.current_classes(platform, actor.jurisdiction, today, limit=limit)


async def class_at_a_glance(platform: Platform, training_class: TrainingClass) -> CurrentClass:
    """The same of one class that the caller has fetched already."""
    [glance] = await _at_a_glance(platform, [training_class])
    return glance


async def _at_a_glance(platform: Platform, found: Sequence[TrainingClass]) -> list[CurrentClass]:
    ids, today = [one.id for one in found], beijing_date(platform.clock.now())
    counts = await store.count_enrolments(platform, ids)
    rosters = await waiting_rosters(platform, ids)
    return [
        CurrentClass(one, counts.get(one.id, 0), one.stage_on(today), rosters.get(one.id)) for one in found
    ]


async def waiting_rosters(scope: Scope, class_ids: Sequence[str]) -> dict[str, WaitingRoster]:
    """By class id its latest upload, where nobody has confirmed it yet."""
    return await roster_store.waiting_rosters(scope, class_ids, scope.platform.machine.now())


async def enrolled_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, dict[str, bool]]:
    """By class id everybody who is of it, and whether their arrival (报到) is awaited; of classes that the caller has fetched already."""
    found: dict[str, dict[str, bool]] = {}
    for row in await store.enrolled_of(scope, class_ids):
        awaited = bool(row.get("arrival_required")) and row.get("arrived_at") is None
        found.setdefault(row["class_id"], {})[row["person_id"]] = awaited
    return found


async def count_trainees(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """By class id, of classes that the caller has fetched already."""
    return await store.count_enrolments(scope, class_ids)


async def get_class(scope: Scope, actor: Actor, class_id: str) -> TrainingClass:
    """A class in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.class_in_reach(scope, actor.jurisdiction, class_id)
    if found is None:
        raise NotFound("没有这个培训班，或不在您的管理范围内。")
    return found


async def taught_class(scope: Scope, actor: Actor, class_id: str, kind: Kind | None = None) -> TrainingClass:
    """A class in which the actor works as a backbone teacher, of this kind where one is named.

    Raises NotFound for any other, NotYourPart for who does the other kind in it.
    """
    found = await store.class_taught_by(scope, actor.person_id, class_id)
    if found is None:
        raise NotFound("没有这个培训班，或您不是它的授课、考核教师。")
    if kind:
        rules.require_part(found.kinds_of(actor.person_id), kind)
    return found


async def attended_class(
    scope: Scope, actor: Actor, class_id: str, *, applied: bool = False
) -> TrainingClass:
    """A class in which the actor is enrolled and the phone is proved to be theirs. Raises NotFound for any other.

    The one gate of whatever a trainee sees and does in a class. `applied`: what may be read, and pledged, before anybody has seen the card
    of somebody who applied, from the phone that did.
    """
    found = await store.enrolment(scope, class_id, actor.person_id)
    own = found is not None and applied and actor.reach.own and found.source is EnrolmentSource.APPLICATION
    if found is None or not (own or actor.reach.opens(found.institution_code)):
        raise NotFound(NOT_MINE)
    return (await store.classes_by_id(scope, [class_id]))[class_id]


async def require_arrived(scope: Scope, class_id: str, person_id: str, said: str = "") -> None:
    """Raises NotArrived of somebody of a class who has not reported where it asks for that (Enrolment.awaits_arrival).

    Whoever checks in, hands in work, is graded or rates the teaching has come; to read needs no more than to be on the roster.
    """
    if (await trainee(scope, class_id, person_id)).awaits_arrival:
        raise rules.NotArrived(said)


NOT_MINE = "没有这个培训班，或您不在它的名册中。本机身份没有在该机构确认的，请先在“我的”里按提示确认。"


async def my_classes(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> tuple[list[TrainingClass], str | None]:
    """The classes that the actor attends, latest enrolment first, and the cursor of the next page."""
    reach = actor.reach.filter()
    if actor.reach.own:
        reach = {"$or": [reach, {"source": EnrolmentSource.APPLICATION}]}
    mine = await store.enrolments_of(platform, actor.person_id, reach, before=before, limit=limit)
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
    """Everybody in a class that the caller has fetched already, in the order of the roster; who has left (退训) is not of it any more,
    and stands in `enrolment.left_trainees`."""
    return await store.enrolments(scope, class_id)


async def arrived_trainees(scope: Scope, class_id: str) -> list[Enrolment]:
    """Those of them whose arrival is not awaited: who is asked about the teaching."""
    return [one for one in await trainees(scope, class_id) if not one.awaits_arrival]


async def trainee(scope: Scope, class_id: str, person_id: str) -> Enrolment:
    """One person who is of a class that the caller has fetched already. Raises NotFound."""
    found = await store.enrolment(scope, class_id, person_id)
    if found is None:
        raise NotFound("该学员不在本班名册中。")
    return found


async def trainee_list(platform: Platform, class_id: str, *, left_too: bool = False) -> list[Trainee]:
    """Everybody in such a class with what the platform knows of them, `left_too` also those who have left."""
    enrolled = await (store.enrolments_ever if left_too else store.enrolments)(platform, class_id)
    ids = [one.person_id for one in enrolled]
    persons = await people.persons(platform, ids)
    phones = await people.phones_of(platform, ids)
    return [
        Trainee(one, Evidence(persons[one.person_id].evidence), phones.get(one.person_id)) for one in enrolled
    ]


async def is_enrolled(scope: Scope, class_id: str, person_id: str) -> bool:
    return await store.enrolment(scope, class_id, person_id) is not None


async def exclude_release(
    unit: UnitOfWork, training_class: TrainingClass, refusal: type[Conflict] = ResultsReleased
) -> None:
    """The one gate of whatever a release freezes: this use case and a release both write the class, so they never overlap, and two such
    use cases of one class come one after the other. `training_class` was read in the same transaction.

    Raises `refusal` once the results are released, ClassEnded for a class that was called off or terminated.
    """
    require_not_ended(training_class)
    if training_class.frozen:
        raise refusal()
    await store.touch(unit, training_class.id)


def require_not_ended(training_class: TrainingClass) -> None:
    """Raises ClassEnded for a class that was called off or terminated."""
    if training_class.condition.ended:
        raise ClassEnded(
            f"本班已于 {training_class.ended_on} {training_class.condition.label.removeprefix('已')}，"
            "不再签到、评分、公布成绩和核发证书，名册和课次也不再变动。"
        )


async def release_results(unit: UnitOfWork, class_id: str) -> None:
    """Freezes the results of a class that the caller has fetched in its reach. Raises ResultsReleased when they are already."""
    require_not_ended((await store.classes_by_id(unit, [class_id]))[class_id])
    if not await store.set_results_released(unit, class_id, unit.now):
        raise ResultsReleased()


async def reopen_results(unit: UnitOfWork, class_id: str) -> None:
    """Part of an approval (reopenings): the class is as it was before its release."""
    await store.set_results_reopened(unit, class_id)


async def require_name_typed(scope: Scope, actor: Actor, class_id: str, typed: str) -> None:
    """Before an act on a whole class somebody types its name, so that it is not another class. Raises Invalid."""
    training_class = await get_class(scope, actor, class_id)
    rules.check_name_typed(training_class.name, typed)


async def note_training(unit: UnitOfWork, class_id: str, days: Days | None) -> None:
    """Part of a release: the days of sessions that were held and people came to, by which a base has given training (article 5.3)."""
    await trained_store.set_trained(unit, class_id, days)


def require_no_scheme(training_class: TrainingClass) -> None:
    """Sessions and tasks of a class with an approved scheme change by a new version of it only. Raises SchemeGoverns."""
    if training_class.scheme_version is not None:
        raise SchemeGoverns()


async def follow_scheme(
    unit: UnitOfWork, class_id: str, *, version: int, courses: Sequence[str], class_hours: int
) -> None:
    """Part of an approval (schemes): the class follows this version of its scheme from now on."""
    await store.set_scheme(unit, class_id, version, courses, class_hours)


async def add_teacher(unit: UnitOfWork, class_id: str, person_id: str, kind: Kind) -> None:
    """Part of an acceptance (invitations): a backbone teacher of the pool teaches, or assesses, this class from now on (article 6).

    Again, it changes nothing. Raises TeacherNotInPool, ResultsReleased.
    """
    teacher = await backbone.active_teacher(unit, person_id)
    if teacher is None:
        raise TeacherNotInPool()
    await exclude_release(unit, (await store.classes_by_id(unit, [class_id]))[class_id])
    new = ClassTeacher(person_id=person_id, name=teacher.name, kinds=(kind,))
    await store.add_teacher(unit, class_id, new)


async def remove_teacher(unit: UnitOfWork, class_id: str, person_id: str, kind: Kind) -> None:
    """Part of a cancellation (invitations): the teacher does this no more, and without anything else leaves the class.

    What they did stays.
    """
    await store.remove_teacher(unit, class_id, person_id, kind)


def unreleased(scope: Scope, *, ended_from: date) -> AsyncIterator[TrainingClass]:
    """The classes of the country that have begun, ended on that day or later (or run), and whose results are not released."""
    return store.unreleased(scope, ended_from, beijing_date(scope.platform.clock.now()))


async def classes_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, TrainingClass]:
    """Classes whose ids the caller's own documents have named."""
    return await store.classes_by_id(scope, class_ids)


async def take_turn(unit: UnitOfWork, class_id: str) -> None:
    """Makes this transaction conflict with any other that changes who is in the same class."""
    await store.touch(unit, class_id)


def enrolled_pairs(person_ids: Collection[str]) -> LookUp[dict[tuple[str, str], bool]]:
    """(class, person) of every enrolment of these people, and whether it still awaits their arrival: for the path of check-ins."""
    return store.enrolled_pairs(person_ids)
