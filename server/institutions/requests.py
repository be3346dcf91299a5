"""What a province asks of the centre about its 教师培训基地 (articles 5.2 and 5.3), and what the centre decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from server.institutions import qualifications, rules, store
from server.institutions.documents import BaseRequest, Institution
from server.institutions.qualifications import Decision, Reason
from server.institutions.rules import (
    Qualification,
    QualificationAction,
    QualificationKind,
    RequestAction,
    RequestPurpose,
    RequestState,
)
from server.institutions.service import institution
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.hearings import Hearing
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional


class RequestOpen(Conflict):
    slug = "request-open"
    title = "该院校已有未办结的申请"
    default_detail = "同一所院校一次办理一件申请。请先等部指导中心办结，或撤回原来的申请。"


class RequestDraft(BaseModel):
    """`institution_name` is for a new base, `institution_code` for the others, `qualification_number` for what is to be
    suspended, resumed or withdrawn; `majors` for what is to be granted."""

    purpose: Annotated[RequestPurpose, Field(title="申请事项")]
    institution_name: Annotated[str, Field(title="院校名称", max_length=40)] = ""
    institution_code: Annotated[str, Field(title="培训机构", max_length=3)] = ""
    qualification_number: Annotated[int | None, Field(title="资格", ge=1, le=99)] = None
    majors: Annotated[list[str], Field(title="专业大类", max_length=15)] = Field(default_factory=list)
    reason: Annotated[Reason, Field(min_length=10, max_length=2000)]


class Grant(BaseModel):
    """The centre's approval of a new base (`code` given by the centre) or of an addition."""

    code: Annotated[str, Field(title="培训机构号", max_length=3)] = ""
    majors: Annotated[list[str], Field(title="核准的专业大类", min_length=1, max_length=15)]
    valid_from: Annotated[date, Field(title="起始日期")]
    valid_to: Annotated[date, Field(title="截止日期")]
    reason: Annotated[Reason, Field(title="专家审核意见和公布依据")]


@dataclass(frozen=True)
class Proposal:
    """What the centre's form is filled in with: the next free code and the usual validity (policy `base_validity_years`)."""

    code: str
    valid_from: date
    valid_to: date


# ---- The province


async def submit(unit: UnitOfWork, draft: RequestDraft) -> BaseRequest:
    """Part of a use case (qualification.base_requests): files a request.

    Raises Invalid for what does not fit the purpose, QualificationFixed, NotFound; the unique index refuses a school's second one.
    """
    rules.REQUEST_STEPS.require_right(RequestAction.SUBMIT, unit.actor.roles)
    new = BaseRequest(
        **await _checked(unit, draft),
        purpose=draft.purpose,
        province_code=unit.actor.province_code or "",
        history=[step(unit, RequestAction.SUBMIT)],
        submitted_at=unit.now,
    )
    await store.insert_request(unit, new)
    unit.audit("institutions:submit-request", new.id, purpose=new.purpose.label, name=new.institution_name)
    return new


@transactional
async def resubmit(
    unit: UnitOfWork, request_id: str, draft: RequestDraft, *, seen: int | None = None
) -> BaseRequest:
    """Files a declined request again, amended; its purpose and its school stay. Raises as `submit`, and NotInThisState."""
    found = await request(unit, unit.actor, request_id)
    rules.REQUEST_STEPS.after(found.state, RequestAction.RESUBMIT, unit.actor.roles)
    same = {
        "purpose": found.purpose,
        "institution_code": found.institution_code or "",
        "institution_name": found.institution_name,
        "qualification_number": found.qualification_number,
    }
    amended = await _checked(unit, draft.model_copy(update=same))
    return await _settle(unit, found, RequestAction.RESUBMIT, changes=amended, seen=seen)


async def retract(unit: UnitOfWork, request_id: str) -> BaseRequest:
    """Part of a use case (qualification.base_requests): takes a request back that is not approved. Raises NotInThisState."""
    found = await request(unit, unit.actor, request_id)
    return await _settle(unit, found, RequestAction.RETRACT)


async def _checked(unit: UnitOfWork, draft: RequestDraft) -> dict[str, object]:
    """What a draft says of a request, checked against what the institution holds today."""
    today = beijing_date(unit.now)
    name = "".join(draft.institution_name.split())
    if draft.purpose is RequestPurpose.NEW_BASE:
        if len(name) < 4:
            raise Invalid(fields=[FieldError("institution_name", "请填写院校全称。")])
        if await store.institution_named(unit, name):
            raise Invalid(
                fields=[FieldError("institution_name", f"{name}已是培训机构，请改为申请增补资格。")]
            )
        rules.check_majors(draft.majors)
        return {"institution_name": name, "majors": sorted(set(draft.majors)), "reason": draft.reason}
    school = await _own_institution(unit, draft.institution_code)
    facts: dict[str, object] = {
        "institution_code": school.id,
        "institution_name": school.name,
        "reason": draft.reason,
    }
    if draft.purpose is RequestPurpose.ADDITION:
        rules.check_majors(draft.majors)
        rules.check_not_held_yet(school.qualifications, draft.majors, today)
        return facts | {"majors": sorted(set(draft.majors))}
    _check_may_be_asked(school, draft)
    return facts | {"qualification_number": draft.qualification_number}


async def _own_institution(unit: UnitOfWork, code: str) -> Institution:
    try:
        return await institution(unit, unit.actor, code)
    except NotFound:
        raise Invalid(fields=[FieldError("institution_code", "请选择本省的培训机构。")]) from None


def _check_may_be_asked(school: Institution, draft: RequestDraft) -> None:
    number = draft.qualification_number or 0
    held = school.qualifications[number - 1] if 1 <= number <= len(school.qualifications) else None
    if held is None or held.kind is not QualificationKind.TRAINING_BASE:
        raise Invalid(
            fields=[
                FieldError("qualification_number", "请选择一项教师培训基地资格；师资研修中心由部里办理。")
            ]
        )
    if not rules.QUALIFICATION_STEPS.has(held.status, draft.purpose.action):
        raise Invalid(
            fields=[
                FieldError(
                    "qualification_number", f"该资格目前为“{held.status.label}”，不能{draft.purpose.label}。"
                )
            ]
        )


# ---- The centre


@transactional
async def grant(unit: UnitOfWork, request_id: str, wanted: Grant, *, seen: int | None = None) -> BaseRequest:
    """Approves a new base or an addition and publishes it: the institution (with its code) and its qualification exist from now on.

    Raises NotInThisState, CodeTaken (a code is never given twice, also not after a withdrawal), Invalid.
    """
    found = await request(unit, unit.actor, request_id)
    rules.REQUEST_STEPS.after(found.state, RequestAction.APPROVE, unit.actor.roles)
    if not found.purpose.grants:
        raise NotFound()
    rules.check_majors(wanted.majors, within=found.majors)
    rules.check_not_past("valid_from", wanted.valid_from, beijing_date(unit.now))
    rules.check_validity(wanted.valid_from, wanted.valid_to)
    granted = Qualification(
        kind=QualificationKind.TRAINING_BASE,
        majors=tuple(sorted(set(wanted.majors))),
        valid_from=wanted.valid_from,
        valid_to=wanted.valid_to,
    )
    if found.purpose is RequestPurpose.NEW_BASE:
        school = await qualifications.enter_institution(
            unit, wanted.code, found.institution_name, found.province_code
        )
    else:
        school = await institution(unit, unit.actor, found.institution_code or "")
        rules.check_not_held_yet(school.qualifications, wanted.majors, wanted.valid_from)
    published = qualifications.with_version(
        unit,
        school,
        len(school.qualifications) + 1,
        QualificationAction.PUBLISH,
        granted,
        wanted.reason,
        wanted.valid_from,
        request_id=found.id,
    )
    await store.replace_institution(unit, published)
    unit.audit(
        "institutions:publish",
        published.id,
        name=published.name,
        majors=list(granted.majors),
        valid_to=wanted.valid_to.isoformat(),
        reason=wanted.reason,
    )
    given = {"institution_code": published.id, "qualification_number": len(published.qualifications)}
    return await _settle(unit, found, RequestAction.APPROVE, wanted.reason, given, seen=seen)


async def carry_out(
    unit: UnitOfWork, request_id: str, wanted: Decision, hearing: Hearing | None, *, seen: int | None = None
) -> BaseRequest:
    """Part of a use case (qualification.base_requests): approves that a base's qualification is suspended, resumed or withdrawn, and
    does it.

    Raises NotInThisState, QualificationFixed, Invalid; Unheard or TooEarly for a withdrawal without its hearing.
    """
    found = await request(unit, unit.actor, request_id)
    rules.REQUEST_STEPS.after(found.state, RequestAction.APPROVE, unit.actor.roles)
    if found.purpose.grants:
        raise NotFound()
    await qualifications.carry_out(
        unit,
        found.institution_code or "",
        found.qualification_number or 0,
        found.purpose.action,
        wanted,
        request_id=found.id,
        hearing=hearing,
    )
    return await _settle(unit, found, RequestAction.APPROVE, wanted.reason, seen=seen)


@transactional
async def decline(
    unit: UnitOfWork, request_id: str, reason: Reason, *, seen: int | None = None
) -> BaseRequest:
    """Declines with a reason; the province may amend the request. Raises NotInThisState."""
    found = await request(unit, unit.actor, request_id)
    return await _settle(unit, found, RequestAction.DECLINE, reason, seen=seen)


async def _settle(
    unit: UnitOfWork,
    found: BaseRequest,
    action: RequestAction,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
    *,
    seen: int | None = None,
) -> BaseRequest:
    state = rules.REQUEST_STEPS.after(found.state, action, unit.actor.roles)
    whole = {**(changes or {}), "open": state.open}
    changed = await take(unit, rules.REQUEST_STEPS, found, action, reason, seen=seen, changes=whole)
    unit.audit(f"institutions:{action.lower()}-request", found.id, name=found.institution_name, reason=reason)
    return changed


# ---- Reading


async def request(scope: Scope, actor: Actor, request_id: str) -> BaseRequest:
    """A request in the actor's jurisdiction. Raises NotFound."""
    found = await store.request(scope, actor.jurisdiction, request_id)
    if found is None:
        raise NotFound("没有这件申请，或不在您的管理范围内。")
    return found


async def list_requests(
    platform: Platform,
    actor: Actor,
    *,
    state: RequestState | None = None,
    purpose: RequestPurpose | None = None,
    province_code: str = "",
    before: str | None = None,
    limit: int = 20,
) -> list[BaseRequest]:
    """The requests in the actor's jurisdiction, newest first."""
    return await store.requests(
        platform,
        actor.jurisdiction,
        state=state,
        purpose=purpose,
        province_code=province_code,
        before=before,
        limit=limit,
    )


async def proposal(platform: Platform) -> Proposal:
    today = beijing_date(platform.clock.now())
    years = (await policies.on(platform, today)).base_validity_years
    return Proposal(rules.next_code(await store.codes(platform)), today, rules.base_valid_to(today, years))
