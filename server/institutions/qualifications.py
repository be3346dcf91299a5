"""What the national centre does to a qualification: confirm, suspend, resume, withdraw (article 5). Every version is kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from server.institutions import rules, store
from server.institutions.annex1 import PROVINCES
from server.institutions.documents import Institution, QualificationVersion
from server.institutions.rules import (
    CODE,
    Level,
    Qualification,
    QualificationAction,
    QualificationFixed,
    QualificationKind,
    QualificationStatus,
)
from server.institutions.service import institution
from server.kernel import reasons
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from server.kernel.hearings import Hearing, check_heard
from server.kernel.history import step
from server.kernel.identity import Actor, Role
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

Reason = Annotated[reasons.Reason, Field(title="依据和理由")]


class CodeTaken(Conflict):
    slug = "code-taken"
    title = "培训机构号已使用"


class CentreDraft(BaseModel):
    """A 师资研修中心 to publish: an institution by its code, or a school that has none yet by name, province and a new code."""

    code: Annotated[str, Field(title="培训机构号", pattern=r"^[0-9]{3}$")]
    name: Annotated[str, Field(title="院校全称", max_length=40)] = ""
    province_code: Annotated[str, Field(title="省份", max_length=2)] = ""
    majors: Annotated[list[str], Field(title="专业大类", min_length=1, max_length=15)]
    valid_from: Annotated[date, Field(title="起始日期")]
    valid_to: Annotated[date | None, Field(title="截止日期")] = None
    reason: Reason


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
async def confirm(
    unit: UnitOfWork, code: str, number: int, wanted: Confirmation, seen: str = ""
) -> Institution:
    """核定 of a qualification that was entered from annex 1 (待核). Raises QualificationFixed when it is confirmed already, Invalid."""
    found, held = await qualification(unit, unit.actor, code, number)
    status = rules.act_on_qualification(held, QualificationAction.CONFIRM, unit.actor.roles, requested=False)
    if not found.awaits_confirmation(number):
        raise QualificationFixed("该资格已经核定。需要增加专业大类时，由省级管理部门申请增补。")
    await require_seen(unit, found, seen, what=found.name)
    rules.check_majors(wanted.majors)
    rules.check_validity(wanted.valid_from, wanted.valid_to)
    rules.check_still_valid(wanted.valid_to, beijing_date(unit.now))
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
async def publish_centre(unit: UnitOfWork, wanted: CentreDraft) -> Institution:
    """师资研修中心由我部统一公布 (article 5.1): the centre enters and publishes one of its own accord.

    Raises CodeTaken when a new school's code was given before, Invalid.
    """
    if Role.NATIONAL_CENTRE not in unit.actor.roles:
        raise Forbidden("师资研修中心由我部统一公布（指南第五条）。")
    rules.check_majors(wanted.majors)
    rules.check_not_past("valid_from", wanted.valid_from, beijing_date(unit.now))
    rules.check_validity(wanted.valid_from, wanted.valid_to)
    name = "".join(wanted.name.split())
    if name:
        found = await enter_institution(unit, wanted.code, name, wanted.province_code)
    else:
        found = await institution(unit, unit.actor, wanted.code)
    rules.check_not_held_yet(found.qualifications, wanted.majors, wanted.valid_from, Level.ONE)
    granted = Qualification(
        kind=QualificationKind.TRAINING_CENTRE,
        majors=tuple(sorted(set(wanted.majors))),
        valid_from=wanted.valid_from,
        valid_to=wanted.valid_to,
    )
    number = len(found.qualifications) + 1
    published = with_version(
        unit, found, number, QualificationAction.PUBLISH, granted, wanted.reason, wanted.valid_from
    )
    await store.replace_institution(unit, published)
    unit.audit(
        "institutions:publish-centre",
        published.id,
        name=published.name,
        majors=[*granted.majors],
        valid_to=str(wanted.valid_to or ""),
        reason=wanted.reason,
    )
    return published


async def enter_institution(unit: UnitOfWork, code: str, name: str, province_code: str) -> Institution:
    """Part of a use case: a school as an institution without any qualification yet, in the register of codes.

    Raises CodeTaken: a code is never given twice, also not after a withdrawal. Raises Invalid for a code, name or province that is none.
    """
    if not CODE.fullmatch(code):
        raise Invalid(fields=[FieldError("code", "培训机构号是 001 至 999 的三位数字。")])
    if province_code not in {province.code for province in PROVINCES}:
        raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    taken = await store.codes(unit)
    if code in taken:
        message = f"{code} 已使用过，培训机构号不重复使用。下一个可用的是 {rules.next_code(taken)}。"
        raise CodeTaken(message, fields=[FieldError("code", message)])
    if await store.institution_named(unit, name):
        raise Invalid(fields=[FieldError("name", f"{name}已是培训机构，请从列表中选择。")])
    new = Institution(id=code, institution_code=code, province_code=province_code, name=name)
    await store.insert_institution(unit, new)
    return new


@transactional
async def decide(
    unit: UnitOfWork, code: str, number: int, action: QualificationAction, wanted: Decision, seen: str = ""
) -> Institution:
    """The centre suspends or resumes a 师资研修中心's qualification of its own accord.

    Raises QualificationFixed for a base (the province asks first), or for a step that the table does not have; Unheard for a withdrawal,
    which is decided in a case (qualification).
    """
    found, _ = await qualification(unit, unit.actor, code, number)
    await require_seen(unit, found, seen, what=found.name)
    return await carry_out(unit, code, number, action, wanted)


async def carry_out(
    unit: UnitOfWork,
    code: str,
    number: int,
    action: QualificationAction,
    wanted: Decision,
    *,
    request_id: str | None = None,
    hearing: Hearing | None = None,
) -> Institution:
    """Part of a use case: the action from `effective_on`, on the request of the province when there is one.

    Raises as `decide`; TooEarly for a withdrawal while whom it is about may still answer.
    """
    found, held = await qualification(unit, unit.actor, code, number)
    status = rules.act_on_qualification(held, action, unit.actor.roles, requested=request_id is not None)
    rules.check_effective(action, wanted.effective_on, beijing_date(unit.now))
    if action is QualificationAction.WITHDRAW:
        check_heard(hearing, beijing_date(unit.now))
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
