"""Enrolment by application: an institution opens a class, teachers apply, institution and backbone teacher agree (article 4.4).

Whoever has both agreements waits for a place and takes it at once where there is one; a place that is given back goes to the first on the
waiting list in the same transaction. What a class asks beside (需求分析) is `needs`, notice, pledge and 报到 are `arrival`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from weakref import WeakValueDictionary

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import phones
from server.accounts.people import persons
from server.accounts.phones import RealName
from server.admissions import needs, rules, store
from server.admissions.documents import Applicant, ClassAdmission
from server.admissions.rules import Action, State
from server.applications import service as applications
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import Enrolment, EnrolmentSource, OpenClassFilter, TrainingClass
from server.classes.rules import Stage
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.history import Step, step
from server.kernel.identity import INSTITUTION_ROLES, Actor
from server.kernel.life import LifeStep, entry_of
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Waiting
from server.wechat import codes, content
from server.wechat.content import Scene, Screened

INSTITUTION_REVIEWS = (State.APPLIED, State.TEACHER_AGREED)
"""What waits for the institution."""
TEACHER_REVIEWS = (State.APPLIED, State.INSTITUTION_AGREED)
"""What waits for the backbone teacher of the class."""
CLASSES_SHOWN = 5
PLATFORM = "平台"

ENROLMENT_PAGE = "pages/open-class/open-class"
"""Of the mini-program; the scene is the id of the class."""


class RealNameNeeded(Conflict):
    slug = "real-name-needed"
    title = "请先填写姓名和身份证号"
    default_detail = "报名要用真实身份。请填写姓名和身份证号，并同意个人信息处理说明后再提交。"


class AlreadyEnrolled(Conflict):
    slug = "already-enrolled"
    title = "您已在本班名册中"
    default_detail = "培训机构已把您列入本班名册，无需再报名。"


class TeachesThisClass(Conflict):
    slug = "teaches-this-class"
    title = "您是本班授课教师"
    default_detail = "授课的骨干教师不能报名参加自己授课的培训班。"


class ClassIsOver(Conflict):
    slug = "class-is-over"
    title = "培训班已经结束"
    default_detail = "培训班已经结束，不能再开放报名或审核报名。"


class EnrolmentDraft(BaseModel):
    """What an institution says when it opens a class. `questions`: a line each, see rules.read_questions."""

    opens: datetime
    closes: datetime
    places: Annotated[int, Field(title="名额", ge=1, le=rules.PLACES_MOST)]
    reporting: Annotated[str, Field(title="报到时间和地点", min_length=2, max_length=500)]
    to_bring: Annotated[str, Field(min_length=2, max_length=500)] = rules.USUAL_THINGS
    questions: Annotated[str, Field(title="本班补充的题目", max_length=5000)] = ""


class ApplicationDraft(BaseModel):
    work_unit: Annotated[str, Field(min_length=2, max_length=60)]
    post: Annotated[str, Field(min_length=1, max_length=40)]
    years_of_teaching: Annotated[int, Field(ge=0, le=60)]
    major_taught: Annotated[str, Field(min_length=1, max_length=40)]
    answers: dict[str, str] = Field(default_factory=dict)
    real_name: RealName | None = None
    """Only of somebody whose phone is bound to nobody yet."""


class Verdict(BaseModel):
    agree: Annotated[bool, Field(title="审核意见")]
    reason: Annotated[str, Field(title="理由", max_length=500)] = ""


@dataclass(frozen=True)
class OpenClass:
    """A class as somebody sees it who may apply."""

    item: TrainingClass
    waiting: int
    admission: ClassAdmission | None = None


@dataclass(frozen=True)
class ClassEnrolment:
    """The enrolment of a class as its institution, its province and its teachers see it."""

    training_class: TrainingClass
    admission: ClassAdmission | None
    counts: dict[State, int]

    @property
    def to_review(self) -> int:
        """Applications that still need somebody's word."""
        reviewed = (State.APPLIED, State.INSTITUTION_AGREED, State.TEACHER_AGREED)
        return sum(self.counts.get(state, 0) for state in reviewed)


_TURNS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def _turn(class_id: str) -> asyncio.Lock:
    """Who changes the people of one class in this process waits for the one before: their transactions would only collide.

    Between processes the transactions themselves decide.
    """
    return _TURNS.setdefault(class_id, asyncio.Lock())


# ---- the institution opens a class


async def open_enrolment(platform: Platform, actor: Actor, class_id: str, draft: EnrolmentDraft) -> None:
    """Opens a class of the actor's for applications, or changes window, places and words; more places move the list up.

    Raises ClassIsOver, NoPlaceLeft for fewer places than are taken, Invalid, also for more than the province approved.
    """
    async with _turn(class_id):
        await _open_enrolment(platform, actor, class_id, draft)


@transactional
async def _open_enrolment(unit: UnitOfWork, class_id: str, draft: EnrolmentDraft) -> None:
    await classes.take_turn(unit, class_id)
    training_class = await classes.get_class(unit, unit.actor, class_id)
    _require_running(training_class, unit.now)
    rules.check_window(draft.opens, draft.closes, training_class.ends_on, unit.now)
    own = rules.read_questions(draft.questions, prefix="c")
    before = await store.class_admission(unit, class_id)
    if before is not None and await store.count_by_state(unit, class_id):
        if before.own_questions != own:
            raise Invalid(
                fields=[FieldError("questions", "已经有人报名，题目不能再改，以免前后答的不是同一份问卷。")]
            )
        version, questions = before.template_version, before.questions
    else:
        version, asked = await needs.current_template(unit)
        questions = [*asked, *own]
    await _require_approved_places(unit, training_class, draft.places)
    await enrolment.set_enrolment(unit, training_class, draft.opens, draft.closes, draft.places)
    await store.put_class_admission(
        unit,
        ClassAdmission(
            id=class_id,
            institution_code=training_class.institution_code,
            province_code=training_class.province_code,
            template_version=version,
            questions=questions,
            to_bring=draft.to_bring,
            reporting=draft.reporting,
            notes=before.notes if before else [],
        ),
    )
    unit.audit("admissions:open", class_id, places=draft.places, questions=len(questions))
    await _fill_places(unit, class_id)


async def _require_approved_places(unit: UnitOfWork, training_class: TrainingClass, places: int) -> None:
    """What a province approved is not exceeded (article 25). Raises Invalid."""
    if training_class.application_id is None:
        return
    approved = await applications.get_application(unit, unit.actor, training_class.application_id)
    if places > approved.places:
        words = f"省级管理部门批准的开班人数为 {approved.places} 人，名额不能超过这个人数。"
        raise Invalid(fields=[FieldError("places", words)])


def _require_running(training_class: TrainingClass, now: datetime) -> None:
    if training_class.results_released_at or training_class.stage_on(beijing_date(now)) is Stage.FINISHED:
        raise ClassIsOver()


# ---- a teacher applies


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

    Raises NotFound, NotOpen, RealNameNeeded, AlreadyEnrolled, TeachesThisClass, DatesClash, ContentRefused, Invalid for
    wrong answers, and what phones.introduce raises.
    """
    seen = await open_class(platform, class_id)
    rules.require_open(seen.item.enrolment_opens, seen.item.enrolment_closes, platform.clock.now())
    answers = rules.check_answers(seen.admission.questions if seen.admission else [], draft.answers)
    texts = {f"answers.{key}": words for key, words in answers.items()}
    texts |= {"work_unit": draft.work_unit, "post": draft.post, "major_taught": draft.major_taught}
    screened = await content.screen(platform, actor, Scene.PROFILE, texts)
    if not actor.roles:
        if draft.real_name is None:
            raise RealNameNeeded()
        actor = await phones.introduce(platform, actor, draft.real_name)
    try:
        return await _apply(platform, actor, class_id, draft, answers, screened)
    except DuplicateKeyError:  # the same request twice at once: the unique index let one through
        earlier = await store.open_application(platform, class_id, actor.person_id)
        if earlier is None:
            raise
        return earlier, False


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
    rules.require_open(training_class.enrolment_opens, training_class.enrolment_closes, unit.now)
    if any(teacher.person_id == person_id for teacher in training_class.teachers):
        raise TeachesThisClass()
    if await classes.is_enrolled(unit, class_id, person_id):
        raise AlreadyEnrolled()
    if other := (await enrolment.overlapping_classes(unit, training_class, [person_id])).get(person_id):
        raise enrolment.DatesClash(
            f"您已在“{other.name}”中，{other.starts_on} 至 {other.ends_on}，与本班时间重叠，不能同时参加。"
        )
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


async def my_applications(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> tuple[list[tuple[Applicant, TrainingClass]], str | None]:
    """The actor's own, newest first, each with its class, and the cursor of the next page."""
    mine = await store.applications_of(platform, actor.person_id, before=before, limit=limit)
    found = await classes.classes_of(platform, [one.class_id for one in mine])
    return [(one, found[one.class_id]) for one in mine], mine[-1].id if len(mine) == limit else None


async def withdraw(platform: Platform, actor: Actor, applicant_id: str) -> Applicant:
    """Takes the actor's own application back; who was admitted gives the place to the first on the waiting list.

    Withdrawn again, it answers the same. Raises NotFound, NotInThisState.
    """
    mine = await _mine(platform, actor, applicant_id)
    async with _turn(mine.class_id):
        return await _withdraw(platform, actor, applicant_id)


@transactional
async def _withdraw(unit: UnitOfWork, applicant_id: str) -> Applicant:
    mine = await _mine(unit, unit.actor, applicant_id)
    if mine.state is State.WITHDRAWN:
        unit.nothing_written()
        return mine
    await classes.take_turn(unit, mine.class_id)
    training_class = (await classes.classes_of(unit, [mine.class_id]))[mine.class_id]
    rules.require_may_withdraw(mine.state, training_class.starts_on, beijing_date(unit.now))
    withdrawn = await _move(unit, mine, Action.WITHDRAW)
    if mine.state is State.ADMITTED:
        await enrolment.leave(unit, mine.class_id, mine.person_id)
        await _fill_places(unit, mine.class_id)
    return withdrawn


async def _mine(scope: Scope, actor: Actor, applicant_id: str) -> Applicant:
    found = await store.applicant_of_person(scope, actor.person_id, applicant_id)
    if found is None:
        raise NotFound("没有这份报名。")
    return found


# ---- institution and backbone teacher review


async def class_enrolment(platform: Platform, actor: Actor, class_id: str) -> ClassEnrolment:
    """Of a class in a staff actor's jurisdiction, or of one that the actor teaches. Raises NotFound for any other."""
    training_class = await reviewed_class(platform, actor, class_id)
    counts = await store.count_by_state(platform, class_id)
    return ClassEnrolment(training_class, await store.class_admission(platform, class_id), counts)


async def mini_program_code(platform: Platform, actor: Actor, class_id: str) -> bytes:
    """The picture that opens a class's enrolment in the mini-program, for posters. Raises NotFound, WeChatUnavailable."""
    await classes.get_class(platform, actor, class_id)
    return await codes.mini_program_code(platform, class_id, ENROLMENT_PAGE)


async def reviewed_class(scope: Scope, actor: Actor, class_id: str) -> TrainingClass:
    """A class in a staff actor's jurisdiction, or one that the actor teaches. Raises NotFound for any other."""
    if actor.kind == "person":
        return await classes.taught_class(scope, actor, class_id)
    return await classes.get_class(scope, actor, class_id)


async def applicants(
    platform: Platform,
    class_id: str,
    state: State | None = None,
    *,
    before: str | None = None,
    limit: int = 0,
) -> list[Applicant]:
    """Of a class that the caller has fetched already, newest first; `limit` 0 is all."""
    return await store.applicants(platform, class_id, state=state, before=before, limit=limit)


async def applicant(platform: Platform, actor: Actor, class_id: str, applicant_id: str) -> Applicant:
    """One application for a class that the actor may review. Raises NotFound."""
    await reviewed_class(platform, actor, class_id)
    return await _applicant(platform, class_id, applicant_id)


async def _applicant(scope: Scope, class_id: str, applicant_id: str) -> Applicant:
    found = await store.applicant_of_class(scope, class_id, applicant_id)
    if found is None:
        raise NotFound("没有这份报名，或它不属于本班。")
    return found


async def clashes(
    platform: Platform, training_class: TrainingClass, found: Sequence[Applicant]
) -> dict[str, TrainingClass]:
    """By person: another class of theirs in the same days, which will keep them from being admitted."""
    ids = [one.person_id for one in found if one.state.open]
    return await enrolment.overlapping_classes(platform, training_class, ids)


def warnings(
    training_class: TrainingClass, other: TrainingClass | None, holds_certificate: bool
) -> list[str]:
    """What the reviewers of an application should know: `other` is a class of the same days, from clashes()."""
    found = []
    if other is not None:
        found.append(f"已在“{other.name}”（{other.starts_on} 至 {other.ends_on}）中，时间重叠，不能录取。")
    if holds_certificate:
        level, major = training_class.level.label, training_class.major_name
        found.append(f"已持有{major}{level}培训合格证书，请核实是否需要再次参加。")
    return found


async def review(
    platform: Platform, actor: Actor, class_id: str, applicant_id: str, verdict: Verdict
) -> Applicant:
    """The institution's or a class teacher's word on an application. The second agreement admits, or puts on the waiting list.

    The same word again answers the same. Raises NotFound, NotInThisState, ClassIsOver, Invalid for a refusal without a reason.
    """
    async with _turn(class_id):
        return await _review(platform, actor, class_id, applicant_id, verdict)


@transactional
async def _review(unit: UnitOfWork, class_id: str, applicant_id: str, verdict: Verdict) -> Applicant:
    training_class = await reviewed_class(unit, unit.actor, class_id)
    found = await _applicant(unit, class_id, applicant_id)
    action = _word(unit.actor, verdict)
    if any(one.action == action for one in found.history):
        unit.nothing_written()
        return found
    _require_running(training_class, unit.now)
    rules.check_reason(verdict.agree, verdict.reason)
    await classes.take_turn(unit, class_id)
    moved = await _move(unit, found, action, verdict.reason.strip())
    if moved.state is not State.WAITING:
        return moved
    await _fill_places(unit, class_id)
    return await _applicant(unit, class_id, applicant_id)


def _word(actor: Actor, verdict: Verdict) -> Action:
    if actor.kind == "person":
        return Action.TEACHER_AGREES if verdict.agree else Action.TEACHER_REJECTS
    return Action.INSTITUTION_AGREES if verdict.agree else Action.INSTITUTION_REJECTS


async def _fill_places(unit: UnitOfWork, class_id: str) -> None:
    """Moves the waiting list up as far as there are places, first come first served; the class is held by this transaction."""
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    free = (training_class.places or 0) - training_class.admitted
    while free > 0 and (first := await store.first_waiting(unit, class_id)):
        if await classes.is_enrolled(unit, class_id, first.person_id):  # by a roster, meanwhile
            await _move(unit, first, Action.ADMIT)
            continue
        try:
            await enrolment.enrol(unit, training_class, [_enrolment(unit, training_class, first)])
        except enrolment.DatesClash as clash:
            await _move(unit, first, Action.SKIP, clash.detail)
        else:
            await _move(unit, first, Action.ADMIT)
            free -= 1


def _enrolment(unit: UnitOfWork, training_class: TrainingClass, admitted: Applicant) -> Enrolment:
    return Enrolment(
        class_id=training_class.id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        person_id=admitted.person_id,
        name=admitted.name,
        id_number_masked=admitted.id_number_masked,
        work_unit=admitted.work_unit,
        post=admitted.post,
        major_taught=admitted.major_taught,
        enrolled_at=unit.now,
        source=EnrolmentSource.APPLICATION,
        arrival_required=training_class.arrival_required,
    )


_BY_THE_PLATFORM = (Action.ADMIT, Action.SKIP)
_NEWS = {State.WAITING: "application-waiting", State.REJECTED: "application-rejected"}
"""Who is admitted is told by the enrolment itself."""


async def _move(unit: UnitOfWork, found: Applicant, action: Action, reason: str = "") -> Applicant:
    """Takes an application along the table, with its step, its entry in the trail and the news to its teacher."""
    state = rules.STEPS.after(found.state, action, unit.actor.roles)
    taken = (
        Step(at=unit.now, actor_id="platform", actor_name=PLATFORM, action=action, reason=reason)
        if action in _BY_THE_PLATFORM
        else step(unit, action, reason)
    )
    moved = found.model_copy(
        update={
            "state": state,
            "open": state.open,
            "waiting_since": unit.now if state is State.WAITING else found.waiting_since,
            "history": [*found.history, taken],
        }
    )
    await store.replace_applicant(unit, moved)
    unit.audit(
        "admissions:" + action.lower().replace("_", "-"),
        found.id,
        class_id=found.class_id,
        person_id=found.person_id,
        reason=reason,
    )
    if template := _NEWS.get(state):
        unit.notify(found.person_id, template, class_name=found.class_name, reason=reason)
    return moved


# ---- the life of a class, and what waits for whom


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """报名和审核 (article 4.4), from the opening until the closing has passed and nobody waits for a word."""
    href = f"/admin/classes/{training_class.id}/enrolment"
    if training_class.enrolment_closes is None:
        return [LifeStep("报名", "todo", href=href)] if training_class.application_id else []
    seen = await class_enrolment(platform, actor, training_class.id)
    entries = await audit.of_subject(platform, training_class.id, limit=100)
    who, when = entry_of(entries, "admissions:open")
    over = platform.clock.now() >= training_class.enrolment_closes and not seen.to_review
    words = f"{sum(seen.counts.values())} 人报名，{seen.counts.get(State.ADMITTED, 0)} 人录取"
    return [LifeStep("报名", "done" if over else "current", who, when, href, words)]


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """Applications that wait for the institution's word, by class."""
    if not actor.roles & INSTITUTION_ROLES:
        return []
    found = await store.count_to_review(platform, actor.jurisdiction, INSTITUTION_REVIEWS, CLASSES_SHOWN)
    return [
        Waiting(f"审核报名：{name}", f"/admin/classes/{class_id}/enrolment", count)
        for class_id, name, count in found
    ]


async def reviews_waiting(platform: Platform, actor: Actor) -> int:
    """How many applications for the classes of this backbone teacher wait for the teacher's word (article 4.4)."""
    taught = await classes.my_open_teaching(platform, actor)
    return await store.count_in_states(platform, taught, TEACHER_REVIEWS)
