"""Candidates on the way through the 骨干 class of a 师资研修中心 (articles 4.2 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import people
from server.accounts.rules import Evidence
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import ClassFilter, Enrolment, EnrolmentSource, TrainingClass
from server.classes.rules import Stage
from server.institutions.rules import Level
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.selection import rules, store
from server.selection.documents import Nominee
from server.selection.rules import Action
from server.selection.service import move, sealed_identity

NomineeId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
CLASSES_MOST = 50


class CandidateGone(Conflict):
    slug = "candidate-gone"
    title = "候选人已有变化"
    default_detail = "所选教师中有人已被其他班编入，或推荐已撤回，没有编入任何人。请刷新候选名单后再选。"


class AlreadyInClass(Conflict):
    slug = "already-in-class"
    title = "已在本班名册中"


class ClassOver(Conflict):
    slug = "class-over"
    title = "培训班已结束"
    default_detail = "本班已经结束或成绩已公布，名册不能再变动。"


class EnrolDraft(BaseModel):
    class_id: Annotated[str, Field(title="骨干班", pattern=r"^[0-9a-f]{24}$")]
    nominee_ids: Annotated[list[NomineeId], Field(title="候选人", min_length=1, max_length=200)]


class Release(BaseModel):
    reason: Reason


async def candidates(
    platform: Platform,
    actor: Actor,
    *,
    major: str = "",
    province_code: str = "",
    before: str | None = None,
    limit: int = 50,
) -> list[Nominee]:
    """Whom the centre has accepted and nobody has taken into a class, of the whole country, newest first. For a 师资研修中心."""
    rules.STEPS.require_right(Action.ENROL, actor.roles)
    return await store.candidates(
        platform, major=major, province_code=province_code, before=before, limit=limit
    )


async def backbone_classes(platform: Platform, actor: Actor) -> list[TrainingClass]:
    """The latest 骨干 classes in the actor's jurisdiction, newest first."""
    narrowed = ClassFilter(level=Level.BACKBONE.value)
    rows = await classes.list_classes(platform, actor, narrowed, limit=CLASSES_MOST)
    return [one.item for one in rows]


@transactional
async def enrol(unit: UnitOfWork, draft: EnrolDraft) -> TrainingClass:
    """Puts these candidates on the roster of a 骨干 class, all or nobody, each taking a place.

    Raises NotFound for another's class, NotABackboneClass, MajorDiffers, ClassOver, CandidateGone, AlreadyInClass, NameDiffers, DatesClash,
    NoPlaceLeft.
    """
    rules.STEPS.require_right(Action.ENROL, unit.actor.roles)
    training_class = await classes.get_class(unit, unit.actor, draft.class_id)
    rules.require_backbone_class(training_class.level)
    if not training_class.recruits_on(beijing_date(unit.now)):
        raise ClassOver()
    await classes.exclude_release(unit, training_class, ClassOver)  # nor does another roster overlap
    chosen = await store.accepted(unit, draft.nominee_ids)
    if len(chosen) != len(set(draft.nominee_ids)):
        raise CandidateGone()
    for one in chosen:
        rules.require_same_major(one.name, one.major_name, training_class.major_name)
    sealed = [sealed_identity(one) for one in chosen]
    persons = await people.ensure(unit, sealed, Evidence.ROSTER_MATCHED)
    await _require_new(unit, training_class, [person.id for person in persons])
    await enrolment.enrol(
        unit,
        training_class,
        [
            _enrolment(unit, training_class, one, person.id)
            for one, person in zip(chosen, persons, strict=True)
        ],
    )
    for one, person in zip(chosen, persons, strict=True):
        changes = {
            "person_id": person.id,
            "class_id": training_class.id,
            "class_name": training_class.name,
            "institution_code": training_class.institution_code,
        }
        await move(unit, one, Action.ENROL, f"编入“{training_class.name}”", changes)
    unit.audit("selection:enrol-class", training_class.id, candidates=len(chosen))
    return training_class


async def _require_new(unit: UnitOfWork, training_class: TrainingClass, person_ids: Sequence[str]) -> None:
    there = {one.person_id: one.name for one in await classes.trainees(unit, training_class.id)}
    if known := [there[one] for one in person_ids if one in there]:
        raise AlreadyInClass(f"{'、'.join(known)}已在本班名册中，请从选择中去掉。")


def _enrolment(unit: UnitOfWork, training_class: TrainingClass, chosen: Nominee, person_id: str) -> Enrolment:
    return Enrolment(
        class_id=training_class.id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        person_id=person_id,
        name=chosen.name,
        id_number_masked=chosen.id_number_masked,
        work_unit=chosen.work_unit,
        post=chosen.post,
        major_taught=chosen.major_name,
        enrolled_at=unit.now,
        source=EnrolmentSource.SELECTION,
        arrival_required=training_class.arrival_required,
    )


@transactional
async def release(unit: UnitOfWork, class_id: str, nominee_id: str, wanted: Release) -> Nominee:
    """Takes a candidate out of the class again before it has begun, with a reason that the teacher reads; the place is free.

    Raises NotFound, ClassOver once the class has begun, NotInThisState.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    found = await store.nominee_of_class(unit, training_class.id, nominee_id)
    if found is None or found.person_id is None:
        raise NotFound("本班没有这位候选人。")
    if training_class.stage_on(beijing_date(unit.now)) is not Stage.NOT_STARTED:
        raise ClassOver("培训班已经开始，候选人不能再退出名册；未通过的在报送名单时如实列出。")
    await classes.exclude_release(unit, training_class, ClassOver)
    await enrolment.leave(unit, class_id, found.person_id)
    outcome = f"退出“{training_class.name}”，仍为候选人"
    unit.notify(found.person_id, "selection-decided", outcome=outcome, reason=wanted.reason)
    nowhere = {"class_id": None, "class_name": "", "institution_code": None}
    return await move(unit, found, Action.RELEASE, wanted.reason, nowhere)


async def leave_all(unit: UnitOfWork, class_id: str, reason: str) -> int:
    """Part of a calling-off (interruptions): who was put into the class is a candidate again. Returns how many."""
    placed = [one for one in await store.of_class(unit, class_id) if one.person_id is not None]
    nowhere = {"class_id": None, "class_name": "", "institution_code": None}
    for one in placed:
        await move(unit, one, Action.RELEASE, reason, nowhere)
    return len(placed)


async def of_class(platform: Platform, actor: Actor, class_id: str) -> list[Nominee]:
    """The recommended teachers in a class of the actor's. Raises NotFound."""
    await classes.get_class(platform, actor, class_id)
    return await store.of_class(platform, class_id)
