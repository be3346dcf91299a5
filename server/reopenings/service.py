"""The institution asks to open released results again, with a reason; with the approval of its province it is done (article 13)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel
from pymongo.errors import DuplicateKeyError

from server.assessment import service as assessment
from server.certificates import issue as certificates
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.reopenings import rules, store
from server.reopenings.documents import Reopening, ReopeningFilter
from server.reopenings.rules import Action, State

PAGE = "/admin/reopenings"


class Asked(BaseModel):
    reason: Reason


# ---- asking and deciding


async def request(platform: Platform, actor: Actor, class_id: str, wanted: Asked) -> Reopening:
    """Asks the province to open the results of a class again. Raises NotFound, NotReleased, CertificatesIssued, AlreadyAsked."""
    try:
        return await _request(platform, actor, class_id, wanted)
    except DuplicateKeyError:
        raise rules.AlreadyAsked() from None


@transactional
async def _request(unit: UnitOfWork, class_id: str, wanted: Asked) -> Reopening:
    rules.STEPS.require_right(Action.REQUEST, unit.actor.roles)
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await _require_may_reopen(unit, training_class)
    assert training_class.results_released_at is not None
    new = Reopening(
        class_id=class_id,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        institution_name=training_class.institution_name,
        province_code=training_class.province_code,
        reason=wanted.reason,
        released_at=training_class.results_released_at,
        history=[step(unit, Action.REQUEST, wanted.reason)],
    )
    await store.insert(unit, new)
    unit.audit("reopenings:request", new.id, class_id=class_id, reason=new.reason)
    return new


@transactional
async def approve(unit: UnitOfWork, reopening_id: str, wanted: Review) -> Reopening:
    """Opens the results again: what was released is kept as history, everybody is told, and the class is as before its release.

    Raises CertificatesIssued, NotReleased, and what the procedure says. Certificates that are issued at the same moment and this both
    write the class: one of the two sees the other.
    """
    found = await reopening(unit, unit.actor, reopening_id)
    closed = {"open": State.APPROVED.open}
    approved = await take(
        unit, rules.STEPS, found, Action.APPROVE, wanted.comment, seen=wanted.seen, changes=closed
    )
    training_class = await classes.get_class(unit, unit.actor, found.class_id)
    await _require_may_reopen(unit, training_class)
    for one in await assessment.withdraw_release(unit, training_class):
        unit.notify(
            one.person_id,
            "results-reopened",
            class_id=training_class.id,
            class_name=training_class.name,
            reason=found.reason,
        )
    for teacher in training_class.who(Kind.ASSESSMENT):
        unit.notify(
            teacher.person_id,
            "results-reopened-to-teacher",
            class_id=training_class.id,
            class_name=training_class.name,
            reason=found.reason,
        )
    unit.audit("reopenings:approve", found.id, class_id=found.class_id)
    unit.audit("assessment:reopen", found.class_id, reopening=found.id, reason=found.reason)
    return approved


@transactional
async def decline(unit: UnitOfWork, reopening_id: str, wanted: Return) -> Reopening:
    """The results stand as they were released; the institution reads why."""
    found = await reopening(unit, unit.actor, reopening_id)
    declined = await take(
        unit,
        rules.STEPS,
        found,
        Action.DECLINE,
        wanted.reason,
        seen=wanted.seen,
        changes={"open": State.DECLINED.open},
    )
    unit.audit("reopenings:decline", found.id, class_id=found.class_id, reason=wanted.reason)
    return declined


@transactional
async def retract(unit: UnitOfWork, reopening_id: str) -> Reopening:
    """The institution takes its request back."""
    found = await reopening(unit, unit.actor, reopening_id)
    retracted = await take(unit, rules.STEPS, found, Action.RETRACT, changes={"open": State.RETRACTED.open})
    unit.audit("reopenings:retract", found.id, class_id=found.class_id)
    return retracted


async def _require_may_reopen(scope: Scope, training_class: TrainingClass) -> None:
    rules.check_may_reopen(
        released=training_class.results_released_at is not None,
        certified=await certificates.any_issued(scope, training_class.id),
    )


# ---- reading


async def reopening(scope: Scope, actor: Actor, reopening_id: str) -> Reopening:
    """A request in the actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, reopening_id)
    if found is None:
        raise NotFound("没有这件申请，或不在您的管理范围内。")
    return found


async def latest_of(platform: Platform, actor: Actor, class_id: str) -> Reopening | None:
    """The newest request of a class in the actor's jurisdiction."""
    return await store.latest_of(platform, actor.jurisdiction, class_id)


async def reopened(scope: Scope, class_ids: Sequence[str]) -> dict[str, Reopening]:
    """By class id how the results were last opened again, of classes whose results the caller knows to be unreleased."""
    return {one.class_id: one for one in await store.approved(scope, class_ids)}


async def waiting_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, Reopening]:
    """By class id the request that waits for the province."""
    return {one.class_id: one for one in await store.waiting_of(scope, class_ids)}


async def hindrance(platform: Platform, training_class: TrainingClass) -> str:
    """Why the results of a class that the caller has fetched cannot be opened again, in Chinese; empty when they can."""
    try:
        await _require_may_reopen(platform, training_class)
    except Conflict as refusal:
        return refusal.detail
    return ""


async def list_reopenings(
    platform: Platform,
    actor: Actor,
    narrowed: ReopeningFilter,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[Reopening]:
    """The requests in the actor's jurisdiction, newest first."""
    return await store.reopenings(platform, actor.jurisdiction, narrowed, before=before, limit=limit)
