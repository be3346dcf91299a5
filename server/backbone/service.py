"""The pool of backbone teachers: kept by the national centre, read by whoever opens a class (article 9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people, rules
from server.accounts.rules import Evidence
from server.backbone import rules as pool_rules
from server.backbone import store
from server.backbone.documents import PoolMember, StatusStep
from server.backbone.rules import PoolStatus
from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor, system
from server.kernel.mongo import Scope, UnitOfWork, transactional
from server.kernel.platform import Platform

AT_ONCE = 200
"""Members that the daily work reads at once."""


class AlreadyInPool(Conflict):
    slug = "already-in-pool"
    title = "已在骨干教师库"
    default_detail = "该教师已登记入库，无需重复登记。"


class Registration(BaseModel):
    name: Annotated[str, Field(title="姓名", min_length=1, max_length=60)]
    id_number: Annotated[str, Field(title="身份证号", min_length=1, max_length=60)]
    province_code: Annotated[str, Field(title="省份", pattern=r"^[0-9]{2}$")]
    work_unit: Annotated[str, Field(title="工作单位", min_length=2, max_length=60)]
    majors: Annotated[list[str], Field(title="专业大类", min_length=1, max_length=15)]


async def register(platform: Platform, actor: Actor, wanted: Registration) -> PoolMember:
    """登记入库 of a teacher who passed the 骨干教师 training.

    Raises NameInvalid, IdNumberInvalid, NameDiffers, AlreadyInPool, or Invalid for an unknown province or 专业大类.
    """
    name = rules.normalise_name(wanted.name)
    rules.check_name(name)
    number = rules.normalise_id_number(wanted.id_number)
    rules.check_id_number(number, today=beijing_date(platform.clock.now()))
    if wanted.province_code not in {province.code for province in PROVINCES}:
        raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    if not set(wanted.majors) <= MAJORS.keys():
        raise Invalid(fields=[FieldError("majors", "请选择列表中的专业大类。")])
    [sealed] = await people.seal(platform, [people.Identity(name, number)])
    try:
        return await _register(platform, actor, sealed, wanted)
    except DuplicateKeyError:
        raise AlreadyInPool() from None


@transactional
async def _register(unit: UnitOfWork, sealed: people.SealedIdentity, wanted: Registration) -> PoolMember:
    [person] = await people.ensure(unit, [sealed], Evidence.ROSTER_MATCHED)
    new = PoolMember(
        id=person.id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        province_code=wanted.province_code,
        work_unit=wanted.work_unit,
        majors=sorted(set(wanted.majors)),
        registered_at=unit.now,
        registered_by=unit.actor.name,
    )
    await store.insert(unit, new)
    await people.set_backbone(unit, person.id, True)
    unit.audit("backbone:register", person.id, majors=list(new.majors))
    return new


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
) -> PoolMember:
    """Part of a decision of the centre: the member's status is `status` from `effective_on` on (today or later).

    In force at once when that day is today: the phone's role follows. Else `apply_due` does it on the day. The caller has checked who
    decides. Raises NotFound, StatusNotPossible, Invalid for a day that has passed.
    """
    member = await store.member(unit, person_id)
    if member is None:
        raise NotFound("骨干教师库中没有这位教师。")
    today = beijing_date(unit.now)
    pool_rules.check_change(member.history, status, effective_on, today)
    decided = StatusStep(
        **step(unit, status, reason).model_dump(), status=status, effective_on=effective_on, case_id=case_id
    )
    unit.audit(
        "backbone:change-status",
        person_id,
        status=status.title,
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
    unit.audit("backbone:apply-status", person_id, status=changed.status.title)
    return changed.status is not member.status


# ---- reading


async def list_pool(
    platform: Platform,
    actor: Actor,
    *,
    words: str = "",
    major: str = "",
    province_code: str = "",
    before: str | None = None,
    status: PoolStatus | None = None,
    limit: int = 50,
) -> list[PoolMember]:
    """The pool, people known last first. It shows no ID number in whole to anybody.

    `words` is part of a name or of a work unit; what is empty matches everything.
    """
    return await store.members(
        platform,
        words=words,
        major=major,
        province_code=province_code,
        status=status,
        before=before,
        limit=limit,
    )


async def rename(unit: UnitOfWork, person_id: str, name: str) -> None:
    """Part of an approved correction of a person's name: the pool reads so too, if they are in it."""
    await store.rename(unit, person_id, name)
