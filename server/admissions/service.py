"""Enrolment by application: an institution opens a class, teachers apply, institution and backbone teacher agree (article 4.4).

Here the class is opened and applications are reviewed; teachers apply in `applying`, who gets a place is `places`. What a class asks
beside (需求分析) is `needs`, notice, pledge and 报到 are `arrival`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import people
from server.admissions import needs, places, rules, store
from server.admissions.documents import Applicant, ClassAdmission
from server.admissions.rules import Action, State
from server.applications import service as applications
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, entry_of
from server.kernel.platform import Platform
from server.kernel.reasons import OptionalReason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.wechat import codes

INSTITUTION_REVIEWS = (State.APPLIED, State.TEACHER_AGREED)
"""What waits for the institution."""
TEACHER_REVIEWS = (State.APPLIED, State.INSTITUTION_AGREED)
"""What waits for the backbone teacher of the class."""

ENROLMENT_PAGE = "pages/open-class/open-class"
"""Of the mini-program; the scene is the id of the class."""


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


class Verdict(BaseModel):
    agree: Annotated[bool, Field(title="审核意见")]
    reason: OptionalReason = ""


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


# ---- the institution opens a class


async def open_enrolment(
    platform: Platform, actor: Actor, class_id: str, draft: EnrolmentDraft, seen: str = ""
) -> None:
    """Opens a class of the actor's for applications, or changes window, places and words; more places move the list up.

    Raises ClassIsOver, NoPlaceLeft for fewer places than are taken, Invalid, also for more than the province approved.
    """
    async with places.turn(class_id):
        await _open_enrolment(platform, actor, class_id, draft, seen)


@transactional
async def _open_enrolment(unit: UnitOfWork, class_id: str, draft: EnrolmentDraft, seen: str) -> None:
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await _require_running(unit, training_class)
    rules.check_window(draft.opens, draft.closes, training_class.ends_on, unit.now)
    own = rules.read_questions(draft.questions, prefix="c")
    before = await store.class_admission(unit, class_id)
    await require_seen(unit, before, seen, draft, subject=class_id, what="报名设置")
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
    await places.fill_places(unit, class_id)


async def _require_approved_places(unit: UnitOfWork, training_class: TrainingClass, places: int) -> None:
    """What a province approved is not exceeded (article 25). Raises Invalid."""
    if training_class.application_id is None:
        return
    approved = await applications.get_application(unit, unit.actor, training_class.application_id)
    if places > approved.places:
        words = f"省级管理部门批准的开班人数为 {approved.places} 人，名额不能超过这个人数。"
        raise Invalid(fields=[FieldError("places", words)])


async def _require_running(unit: UnitOfWork, training_class: TrainingClass) -> None:
    if not training_class.recruits_on(beijing_date(unit.now)):
        raise ClassIsOver()
    await classes.exclude_release(unit, training_class, ClassIsOver)


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
    known = await people.known_as(platform, [one.person_id for one in found if one.state.open])
    clashing = await enrolment.overlapping_classes(platform, training_class, sorted(known.values()))
    return {one: clashing[as_] for one, as_ in known.items() if as_ in clashing}


async def known_as(platform: Platform, found: Sequence[Applicant]) -> dict[str, str]:
    """Applicant's person → who they are known as, where they have only claimed to be somebody: what others know is of that one."""
    return await people.known_as(platform, [one.person_id for one in found])


def warnings(
    training_class: TrainingClass, other: TrainingClass | None, holds_certificate: bool
) -> list[str]:
    """What the reviewers of an application should know: `other` is a class of the same days, from clashes()."""
    found = []
    if other is not None:
        found.append(f"{enrolment.clash_words(training_class, other)}，不能录取。")
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
    async with places.turn(class_id):
        return await _review(platform, actor, class_id, applicant_id, verdict)


@transactional
async def _review(unit: UnitOfWork, class_id: str, applicant_id: str, verdict: Verdict) -> Applicant:
    training_class = await reviewed_class(unit, unit.actor, class_id)
    found = await _applicant(unit, class_id, applicant_id)
    action = _word(unit.actor, verdict)
    if any(one.action == action for one in found.history):
        unit.nothing_written()
        return found
    rules.check_reason(verdict.agree, verdict.reason)
    await _require_running(unit, training_class)
    moved = await places.move(unit, found, action, verdict.reason)
    if moved.state is not State.WAITING:
        return moved
    await places.fill_places(unit, class_id)
    return await _applicant(unit, class_id, applicant_id)


def _word(actor: Actor, verdict: Verdict) -> Action:
    if actor.kind == "person":
        return Action.TEACHER_AGREES if verdict.agree else Action.TEACHER_REJECTS
    return Action.INSTITUTION_AGREES if verdict.agree else Action.INSTITUTION_REJECTS


# ---- the life of a class, and what waits for whom


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """报名和审核 (article 4.4), from the opening until the closing has passed and nobody waits for a word."""
    href = f"/admin/classes/{training_class.id}/enrolment"
    if training_class.enrolment_closes is None:
        # A class that a roster has filled never opens to applicants: it has no such step.
        filled = not training_class.application_id or await classes.trainees(platform, training_class.id)
        return [] if filled else [LifeStep("报名", "todo", href=href)]
    seen = await class_enrolment(platform, actor, training_class.id)
    entries = await audit.of_subject(platform, training_class.id, limit=100)
    who, when = entry_of(entries, "admissions:open")
    over = platform.clock.now() >= training_class.enrolment_closes and not seen.to_review
    words = f"{sum(seen.counts.values())} 人报名，{seen.counts.get(State.ADMITTED, 0)} 人录取"
    return [LifeStep("报名", "done" if over else "current", who, when, href, words)]


async def to_review(
    scope: Scope, class_ids: Sequence[str], states: Collection[State]
) -> dict[str, tuple[int, date]]:
    """By class id how many applications are in one of these states, and since when the oldest is."""
    found: dict[str, tuple[int, date]] = {}
    for class_id, state, count, at in await store.to_review(scope, class_ids):
        if state in states:
            before, since = found.get(class_id, (0, beijing_date(at)))
            found[class_id] = (before + count, min(since, beijing_date(at)))
    return found


async def reviews_waiting(platform: Platform, actor: Actor) -> int:
    """How many applications for the classes of this backbone teacher wait for the teacher's word (article 4.4)."""
    taught = await classes.my_open_teaching(platform, actor)
    return await store.count_in_states(platform, taught, TEACHER_REVIEWS)
