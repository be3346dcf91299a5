"""A teacher looks for a class, applies and withdraws (article 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import binding, phones
from server.accounts.binding import RealName
from server.accounts.people import persons
from server.admissions import places, rules, store
from server.admissions.documents import Applicant, ClassAdmission
from server.admissions.rules import Action, State
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import OpenClassFilter, TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.wechat import content
from server.wechat.content import Scene, Screened


class RealNameNeeded(Conflict):
    slug = "real-name-needed"
    title = "请先填写姓名和身份证号"
    default_detail = "报名要用真实身份。请填写姓名和身份证号，并同意个人信息处理说明后再提交。"


class PhoneWaits(Conflict):
    slug = "phone-waits"
    title = "本机身份待确认"
    default_detail = (
        "本机的身份还待确认，暂时不能报名。请在“我的”里用微信手机号或个人码确认，"
        "或请培训机构工作人员核对身份证后确认本机，再来报名。"
    )


class AlreadyEnrolled(Conflict):
    slug = "already-enrolled"
    title = "您已在本班名册中"
    default_detail = "培训机构已把您列入本班名册，无需再报名。"


class TeachesThisClass(Conflict):
    slug = "teaches-this-class"
    title = "您是本班授课教师"
    default_detail = "授课的骨干教师不能报名参加自己授课的培训班。"


class ApplicationDraft(BaseModel):
    work_unit: Annotated[str, Field(min_length=2, max_length=60)]
    post: Annotated[str, Field(min_length=1, max_length=40)]
    years_of_teaching: Annotated[int, Field(ge=0, le=60)]
    major_taught: Annotated[str, Field(min_length=1, max_length=40)]
    answers: dict[str, str] = Field(default_factory=dict)
    real_name: RealName | None = None
    """Only of somebody whose phone is bound to nobody yet."""


@dataclass(frozen=True)
class OpenClass:
    """A class as somebody sees it who may apply."""

    item: TrainingClass
    waiting: int
    admission: ClassAdmission | None = None


async def open_classes(
    platform: Platform, narrowed: OpenClassFilter, *, before: str | None = None, limit: int = 20
) -> list[OpenClass]:
    """The classes of the country that take applications now, newest first."""
    found = await enrolment.open_classes(platform, narrowed, before=before, limit=limit)
    waiting = await store.count_waiting_lists(platform, [one.id for one in found])
    return [OpenClass(one, waiting.get(one.id, 0)) for one in found]


async def open_class(platform: Platform, class_id: str) -> OpenClass:
    """One of them, with what applicants answer; also after it has closed. Raises NotFound."""
    item = await enrolment.class_open_to_all(platform, class_id)
    waiting = await store.count_waiting_lists(platform, [class_id])
    return OpenClass(item, waiting.get(class_id, 0), await store.class_admission(platform, class_id))


async def apply(
    platform: Platform, actor: Actor, class_id: str, draft: ApplicationDraft
) -> tuple[Applicant, bool]:
    """The actor's application for a class, and whether this request made it; a phone that nobody is bound to yet is bound first.

    Raises NotFound, NotOpen, RealNameNeeded, PhoneWaits, AlreadyEnrolled, TeachesThisClass, DatesClash, ContentRefused, Invalid for
    wrong answers, and what binding.introduce raises.
    """
    seen = await open_class(platform, class_id)
    _require_open(seen.item, platform.clock.now())
    answers = rules.check_answers(seen.admission.questions if seen.admission else [], draft.answers)
    if not actor.roles:
        if draft.real_name is None:
            raise RealNameNeeded()
        actor = phones.actor_now(actor, await binding.introduce(platform, actor, draft.real_name))
    if not actor.reach.own:
        raise PhoneWaits()
    if earlier := await store.open_application(platform, class_id, actor.person_id):
        return earlier, False
    await _require_possible(platform, seen.item, actor.person_id)
    texts = {f"answers.{key}": words for key, words in answers.items()}
    texts |= {"work_unit": draft.work_unit, "post": draft.post, "major_taught": draft.major_taught}
    screened = await content.screen(platform, actor, Scene.PROFILE, texts)
    try:
        async with places.turn(class_id):
            return await _apply(platform, actor, class_id, draft, answers, screened)
    except DuplicateKeyError:  # the same request twice at once: the unique index let one through
        there = await store.open_application(platform, class_id, actor.person_id)
        if there is None:
            raise
        return there, False


@transactional
async def _apply(
    unit: UnitOfWork, class_id: str, draft: ApplicationDraft, answers: dict[str, str], screened: Screened
) -> tuple[Applicant, bool]:
    person_id = unit.actor.person_id
    earlier = await store.open_application(unit, class_id, person_id)
    if earlier is not None:
        unit.nothing_written()
        return earlier, False
    training_class = await enrolment.class_open_to_all(unit, class_id)
    _require_open(training_class, unit.now)
    await classes.exclude_release(unit, training_class, rules.NotOpen)
    await _require_possible(unit, training_class, person_id)
    person = (await persons(unit, [person_id]))[person_id]
    new = Applicant(
        class_id=class_id,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        person_id=person_id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        work_unit=draft.work_unit,
        post=draft.post,
        years_of_teaching=draft.years_of_teaching,
        major_taught=draft.major_taught,
        answers=answers,
        state=State.APPLIED,
        open=True,
        history=[step(unit, Action.APPLY)],
    )
    await store.insert_applicant(unit, new)
    await content.note(unit, screened, content.of_class(training_class, f"application:{new.id}", "报名表"))
    unit.audit("admissions:apply", new.id, class_id=class_id)
    return new, True


async def _require_possible(scope: Scope, training_class: TrainingClass, person_id: str) -> None:
    """Raises TeachesThisClass, LeftBefore, AlreadyEnrolled, DatesClash."""
    if any(teacher.person_id == person_id for teacher in training_class.teachers):
        raise TeachesThisClass()
    if listed := await enrolment.trainee_ever(scope, training_class.id, person_id):
        if listed.left_on:
            raise enrolment.LeftBefore(f"您已于 {listed.left_on} 从本班退训；要继续参加的，请联系培训机构。")
        raise AlreadyEnrolled()
    overlapping = await enrolment.overlapping_classes(scope, training_class, [person_id])
    if other := overlapping.get(person_id):
        raise enrolment.DatesClash(
            f"您已在“{other.name}”中，{other.starts_on} 至 {other.ends_on}，与本班时间重叠，不能同时参加。"
        )


def _require_open(training_class: TrainingClass, now: datetime) -> None:
    if not training_class.recruits_on(beijing_date(now)):
        raise rules.NotOpen()
    rules.require_open(training_class.enrolment_opens, training_class.enrolment_closes, now)


async def my_applications(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> tuple[list[tuple[Applicant, TrainingClass]], str | None]:
    """The actor's own, newest first, each with its class, and the cursor of the next page."""
    whose = actor.person_id if actor.reach.own else ""
    mine = await store.applications_of(platform, whose, before=before, limit=limit)
    found = await classes.classes_of(platform, [one.class_id for one in mine])
    return [(one, found[one.class_id]) for one in mine], mine[-1].id if len(mine) == limit else None


async def my_application(
    platform: Platform, actor: Actor, applicant_id: str
) -> tuple[Applicant, TrainingClass]:
    """One of them. Raises NotFound."""
    mine = await _mine(platform, actor, applicant_id)
    return mine, (await classes.classes_of(platform, [mine.class_id]))[mine.class_id]


async def withdraw(platform: Platform, actor: Actor, applicant_id: str) -> Applicant:
    """Takes the actor's own application back; who was admitted gives the place to the first on the waiting list.

    Withdrawn again, it answers the same. Raises NotFound, NotInThisState.
    """
    mine = await _mine(platform, actor, applicant_id)
    async with places.turn(mine.class_id):
        return await _withdraw(platform, actor, applicant_id)


@transactional
async def _withdraw(unit: UnitOfWork, applicant_id: str) -> Applicant:
    mine = await _mine(unit, unit.actor, applicant_id)
    if mine.state is State.WITHDRAWN:
        unit.nothing_written()
        return mine
    training_class = (await classes.classes_of(unit, [mine.class_id]))[mine.class_id]
    await classes.exclude_release(unit, training_class)
    rules.require_may_withdraw(mine.state, training_class.starts_on, beijing_date(unit.now))
    withdrawn = await places.move(unit, mine, Action.WITHDRAW)
    if mine.state is State.ADMITTED:
        await enrolment.leave(unit, mine.class_id, mine.person_id)
        await places.fill_places(unit, mine.class_id)
    return withdrawn


async def renumber(unit: UnitOfWork, person_id: str, id_number_masked: str) -> None:
    """Part of an approved correction of a person's ID number: their applications show it so."""
    await store.renumber(unit, person_id, id_number_masked)


async def _mine(scope: Scope, actor: Actor, applicant_id: str) -> Applicant:
    found = await store.applicant_of_person(scope, actor.person_id, applicant_id)
    if found is None or not actor.reach.own:
        raise NotFound("没有这份报名。")
    return found
