"""What the national centre does to a qualification: confirm, suspend, resume, withdraw (article 5). Every version is kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from server.institutions import rules, store
from server.institutions.documents import Institution, QualificationVersion
from server.institutions.rules import (
    Qualification,
    QualificationAction,
    QualificationFixed,
    QualificationKind,
    QualificationStatus,
)
from server.institutions.service import institution
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.mongo import Scope, UnitOfWork, transactional

Reason = Annotated[str, Field(title="依据和理由", min_length=2, max_length=500)]


class Confirmation(BaseModel):
    """The majors and validity of a qualification of annex 1, as the centre has confirmed them. `valid_to` is for a base only."""

    majors: Annotated[list[str], Field(title="专业大类", min_length=1, max_length=15)]
    valid_from: Annotated[date, Field(title="起始日期")]
    valid_to: Annotated[date | None, Field(title="截止日期")] = None
    reason: Reason


class Decision(BaseModel):
    effective_on: Annotated[date, Field(title="生效日期")]
    reason: Reason


async def qualification(
    scope: Scope, actor: Actor, code: str, number: int
) -> tuple[Institution, Qualification]:
    """A qualification of an institution in the actor's jurisdiction. Raises NotFound."""
    found = await institution(scope, actor, code)
    if not 1 <= number <= len(found.qualifications):
        raise NotFound("该培训机构没有这项资格。")
    return found, found.qualifications[number - 1]


@transactional
async def confirm(unit: UnitOfWork, code: str, number: int, wanted: Confirmation) -> Institution:
    """核定 of a qualification that was entered from annex 1 (待核). Raises QualificationFixed when it is confirmed already, Invalid."""
    found, held = await qualification(unit, unit.actor, code, number)
    status = rules.act_on_qualification(held, QualificationAction.CONFIRM, unit.actor.roles, requested=False)
    if not found.awaits_confirmation(number):
        raise QualificationFixed("该资格已经核定。需要增加专业大类时，由省级管理部门申请增补。")
    rules.check_majors(wanted.majors)
    rules.check_validity(wanted.valid_from, wanted.valid_to)
    if wanted.valid_to is None and held.kind is QualificationKind.TRAINING_BASE:
        raise Invalid(fields=[FieldError("valid_to", "请填写教师培训基地资格的截止日期。")])
    after = held.model_copy(
        update={
            "majors": tuple(sorted(set(wanted.majors))),
            "valid_from": wanted.valid_from,
            "valid_to": wanted.valid_to,
            "status": status,
        }
    )
    changed = with_version(
        unit, found, number, QualificationAction.CONFIRM, after, wanted.reason, wanted.valid_from
    ).model_copy(update={"to_confirm": False})
    await store.replace_institution(unit, changed)
    unit.audit(
        "institutions:confirm",
        code,
        number=number,
        majors=[*after.majors],
        valid_to=str(wanted.valid_to or ""),
        reason=wanted.reason,
    )
    return changed


@transactional
async def decide(
    unit: UnitOfWork, code: str, number: int, action: QualificationAction, wanted: Decision
) -> Institution:
    """The centre suspends, resumes or withdraws a 师资研修中心's qualification of its own accord.

    Raises QualificationFixed for a base (the province asks first: requests.approve), or for a step that the table does not have.
    """
    return await carry_out(unit, code, number, action, wanted)


async def carry_out(
    unit: UnitOfWork,
    code: str,
    number: int,
    action: QualificationAction,
    wanted: Decision,
    *,
    request_id: str | None = None,
) -> Institution:
    """Part of a use case: the action from `effective_on`, on the request of the province when there is one."""
    found, held = await qualification(unit, unit.actor, code, number)
    status = rules.act_on_qualification(held, action, unit.actor.roles, requested=request_id is not None)
    rules.check_effective(action, wanted.effective_on, beijing_date(unit.now))
    since = None if status is QualificationStatus.ACTIVE else wanted.effective_on
    if held.status is not QualificationStatus.ACTIVE and status is not QualificationStatus.ACTIVE:
        since = min(wanted.effective_on, held.status_since or wanted.effective_on)
    after = held.model_copy(update={"status": status, "status_since": since})
    changed = with_version(
        unit, found, number, action, after, wanted.reason, wanted.effective_on, request_id=request_id
    )
    await store.replace_institution(unit, changed)
    unit.audit(
        f"institutions:{action.lower()}",
        code,
        number=number,
        effective_from=wanted.effective_on.isoformat(),
        reason=wanted.reason,
    )
    return changed


def with_version(
    unit: UnitOfWork,
    found: Institution,
    number: int,
    action: QualificationAction,
    after: Qualification,
    reason: str,
    effective_on: date,
    *,
    request_id: str | None = None,
) -> Institution:
    """The institution with qualification `number` (one more than it has: a new one) as it is from now on, and its new version."""
    before = found.qualifications[number - 1] if number <= len(found.qualifications) else None
    version = QualificationVersion(
        **step(unit, action, reason).model_dump(),
        number=number,
        effective_on=effective_on,
        before=before,
        after=after,
        request_id=request_id,
    )
    held = [*found.qualifications]
    held[number - 1 : number] = [after]
    return found.model_copy(update={"qualifications": held, "versions": [*found.versions, version]})
