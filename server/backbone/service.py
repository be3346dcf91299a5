"""The pool of backbone teachers: kept by the national centre, read by whoever opens a class (article 9.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import people
from server.backbone import rules as pool_rules
from server.backbone import store
from server.backbone.documents import WHOLE_POOL, PoolFilter, PoolMember, StatusStep
from server.backbone.rules import PoolStatus, Proof, YearFigures
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.grams import grams
from server.kernel.hearings import Hearing, check_heard
from server.kernel.history import step
from server.kernel.identity import Actor, system
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

AT_ONCE = 200
"""Members that the daily work reads at once."""
NOT_IN_POOL = "骨干教师库中没有这位教师。"


class AlreadyInPool(Conflict):
    slug = "already-in-pool"
    title = "已在骨干教师库"
    default_detail = "该教师已登记入库，无需重复登记。"


@dataclass(frozen=True)
class Entry:
    """Somebody who is to be a member of the pool, whom the platform knows already."""

    person_id: str
    name: str
    id_number_masked: str
    province_code: str
    work_unit: str
    majors: tuple[str, ...]
    certificate_number: str | None = None
    proof: Proof = Proof.LEDGER
    paper_number: str = ""
    paper_dated_on: date | None = None


async def enter(
    unit: UnitOfWork, entries: Sequence[Entry], *, decision_id: str | None = None
) -> list[PoolMember]:
    """Part of a registration (登记入库, article 9.1): makes these people members, and backbone teachers on their phones.

    Nobody of them is in the pool: the caller has asked `members`. Raises DuplicateKeyError where somebody is by now.
    """
    year = beijing_date(unit.now).year
    nothing_yet = [YearFigures(year=year)]
    new = [
        PoolMember(
            id=one.person_id,
            name=one.name,
            id_number_masked=one.id_number_masked,
            province_code=one.province_code,
            work_unit=one.work_unit,
            majors=list(one.majors),
            certificate_number=one.certificate_number,
            proof=one.proof,
            paper_number=one.paper_number,
            paper_dated_on=one.paper_dated_on,
            registered_at=unit.now,
            registered_by=unit.actor.name,
            decision_id=decision_id,
            figures=nothing_yet,
            marks=pool_rules.marks(nothing_yet),
            grams=grams(one.name, one.work_unit),
        )
        for one in entries
    ]
    await store.insert_all(unit, new)
    for member in new:
        await people.set_backbone(unit, member.id, True)
        unit.audit("backbone:register", member.id, majors=list(member.majors), proof=member.proof.label)
        unit.notify(member.id, "pool-registered", effective_on=beijing_date(unit.now).isoformat())
    return new


async def needed(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people who are in the pool or were: its history is kept (article 9.1)."""
    return set(await members(scope, person_ids))


async def members(scope: Scope, person_ids: Sequence[str]) -> dict[str, PoolMember]:
    """Those of these people who were ever registered."""
    return await store.members_by_id(scope, person_ids)


# ---- suspension by the centre


class StatusDraft(BaseModel):
    effective_on: Annotated[date, Field(title="生效日期")]
    reason: Reason


@transactional
async def suspend(unit: UnitOfWork, person_id: str, wanted: StatusDraft) -> PoolMember:
    """暂停 of a member with a reason, and tells them. Raises NotFound, StatusNotPossible, Invalid."""
    return await _decide(unit, person_id, PoolStatus.SUSPENDED, wanted)


@transactional
async def resume(unit: UnitOfWork, person_id: str, wanted: StatusDraft) -> PoolMember:
    """恢复 of a suspended member. A cancellation, also one to come, is reversed by its case (qualification). Raises as `suspend`."""
    member = await store.member(unit, person_id)
    if member and pool_rules.cancelled_from(member.history, beijing_date(unit.now)):
        raise pool_rules.StatusNotPossible(
            "已决定取消该骨干教师的资格，须由动态管理的个案撤销，不能在这里恢复。"
        )
    return await _decide(unit, person_id, PoolStatus.ACTIVE, wanted)


async def _decide(unit: UnitOfWork, person_id: str, status: PoolStatus, wanted: StatusDraft) -> PoolMember:
    changed = await change_status(unit, person_id, status, wanted.effective_on, wanted.reason)
    unit.notify(
        person_id,
        "pool-status",
        status=status.label,
        effective_on=wanted.effective_on.isoformat(),
        reason=wanted.reason,
    )
    return changed


async def teacher_in_pool(scope: Scope, person_id: str) -> PoolMember | None:
    """Whoever was ever registered, whatever their status is now."""
    return await store.member(scope, person_id)


async def active_teacher(scope: Scope, person_id: str) -> PoolMember | None:
    """A member who may be invited, recommended and set to teach: neither suspended nor cancelled."""
    member = await store.member(scope, person_id)
    return member if member and member.active else None


# ---- status


async def change_status(
    unit: UnitOfWork,
    person_id: str,
    status: PoolStatus,
    effective_on: date,
    reason: str,
    *,
    case_id: str | None = None,
    hearing: Hearing | None = None,
) -> PoolMember:
    """Part of a decision of the centre: the member's status is `status` from `effective_on` on (today or later).

    In force at once when that day is today: the phone's role follows. Else `apply_due` does it on the day. The caller has checked who
    decides. Raises NotFound, StatusNotPossible, Invalid for a day that has passed; Unheard or TooEarly for a cancellation without its
    hearing.
    """
    member = await store.member(unit, person_id)
    if member is None:
        raise NotFound(NOT_IN_POOL)
    today = beijing_date(unit.now)
    if status is PoolStatus.CANCELLED:
        check_heard(hearing, today)
    pool_rules.check_change(member.history, status, effective_on, today)
    decided = StatusStep(
        **step(unit, status, reason).model_dump(), status=status, effective_on=effective_on, case_id=case_id
    )
    unit.audit(
        "backbone:change-status",
        person_id,
        status=status.label,
        effective_on=effective_on.isoformat(),
        reason=reason,
    )
    return await _bring_up_to(unit, member, today, [decided])


async def _bring_up_to(
    unit: UnitOfWork, member: PoolMember, today: date, new: Sequence[StatusStep]
) -> PoolMember:
    """Adds these decisions and makes what is in force today the member's status, and the role of their phones."""
    history = [*member.history, *new]
    status = pool_rules.status_on(history, today)
    changed = member.model_copy(
        update={
            "history": history,
            "status": status,
            "status_since": pool_rules.in_force_since(history, today),
            "due_on": pool_rules.next_change(history, today),
        }
    )
    await store.set_status(unit, changed, new)
    if changed.active is not member.active:
        await people.set_backbone(unit, member.id, changed.active)
    return changed


async def apply_due(platform: Platform) -> int:
    """The daily work: decided statuses whose day has come take effect; returns how many.

    Each in a transaction of its own that looks again, so that two schedulers do each once.
    """
    job = system("apply-pool-status")
    done = 0
    while ids := await store.due(platform, beijing_date(platform.clock.now()), AT_ONCE):
        for person_id in ids:
            done += await _apply(platform, job, person_id)
    return done


@transactional
async def _apply(unit: UnitOfWork, person_id: str) -> bool:
    today = beijing_date(unit.now)
    member = await store.member(unit, person_id)
    if member is None or member.due_on is None or member.due_on > today:
        unit.nothing_written()
        return False
    changed = await _bring_up_to(unit, member, today, [])
    unit.audit("backbone:apply-status", person_id, status=changed.status.label)
    return changed.status is not member.status


# ---- reading


async def list_pool(
    platform: Platform,
    actor: Actor,
    narrowed: PoolFilter = WHOLE_POOL,
    *,
    before: str | None = None,
    limit: int = 50,
) -> list[PoolMember]:
    """The pool, people known last first. It shows no ID number in whole to anybody."""
    return await store.members(platform, narrowed, before=before, limit=limit)


async def member_of_pool(platform: Platform, person_id: str) -> PoolMember:
    """Raises NotFound for somebody who was never registered."""
    return await require_member(platform, person_id)


async def require_member(scope: Scope, person_id: str) -> PoolMember:
    """The same within a use case. Raises NotFound."""
    member = await store.member(scope, person_id)
    if member is None:
        raise NotFound(NOT_IN_POOL)
    return member


async def look_at_id_number(platform: Platform, actor: Actor, person_id: str) -> str:
    """The whole ID number of a member, for the centre that keeps the pool: the look is noted. Raises NotFound."""
    member = await member_of_pool(platform, person_id)
    person = (await people.persons(platform, [member.id]))[member.id]
    await _note(platform, actor, "backbone:look-at-id-number", member.id, {})
    return (await people.id_numbers(platform, [person]))[member.id]


@transactional
async def _note(unit: UnitOfWork, action: str, subject: str, facts: Mapping[str, str]) -> None:
    """An entry in the trail: a whole ID number was shown, or the list left the platform."""
    unit.audit(action, subject, **facts)


# ---- the figures of the years, which other chapters reckon up


async def next_ids(platform: Platform, after: str, limit: int) -> list[str]:
    """The pool in the order of the ids, part by part, for the daily work; "" begins."""
    return await store.ids_after(platform, after, limit)


async def keep_figures(platform: Platform, figures: Mapping[str, Sequence[YearFigures]]) -> int:
    """Keeps these years of these members, newest first, with what they are searched by; returns how many have changed.

    Reckoned from what other chapters hold, so that it is no use case of its own and may be done again at any time.
    """
    return await store.set_figures(platform, figures) if figures else 0


async def renumber(unit: UnitOfWork, person_id: str, id_number_masked: str) -> None:
    """Part of an approved correction of a person's ID number: the pool shows it so, if they are in it."""
    await store.renumber(unit, person_id, id_number_masked)


async def follow_certificate(unit: UnitOfWork, person_id: str, before: str, after: str) -> None:
    """Part of a 换发: who is in the pool by a certificate of the ledger is in it by the one that takes its place."""
    await store.follow_certificate(unit, person_id, before, after)


async def relocate(unit: UnitOfWork, person_id: str, work_unit: str, province_code: str) -> None:
    """Part of a move (moves): the pool has the teacher there from now on, if they are in it. Tasks and certificates stay as they were."""
    member = await store.member(unit, person_id)
    if member:
        found_by = grams(member.name, work_unit)
        there = {"work_unit": work_unit, "province_code": province_code, "grams": found_by}
        await store.relocate(unit, member.model_copy(update=there))


async def rename(unit: UnitOfWork, person_id: str, name: str) -> None:
    """Part of an approved correction of a person's name: the pool reads so too, if they are in it."""
    member = await store.member(unit, person_id)
    if member:
        renamed = {"name": name, "grams": grams(name, member.work_unit)}
        await store.rename(unit, member.model_copy(update=renamed))
