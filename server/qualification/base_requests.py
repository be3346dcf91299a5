"""A province's requests about its bases (institutions.requests), together with the cases of dynamic management they answer (article 5.3).

由省级管理部门向我部提出申请取消其教师培训基地资格: the case of a base is carried by such a request. It is linked when the request is
filed, decided when the centre carries it out and ended when the province takes it back, each in the same transaction. Where no case is
open the request opens one of its own, so that no base loses its title unheard (kernel.hearings).
"""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from server.institutions import requests
from server.institutions import service as institutions
from server.institutions.documents import BaseRequest
from server.institutions.qualifications import Decision
from server.institutions.requests import RequestDraft, RequestOpen
from server.institutions.rules import RequestPurpose, RequestState
from server.kernel.identity import Actor, system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.qualification import opening, service, store
from server.qualification.documents import Case
from server.qualification.examination import base_id
from server.qualification.rules import Action, Outcome, Rule, State

JOB = system("qualification-review")
MOST_REQUESTS = 1_000
"""More than wait at once: a school has one, and there are fewer than a thousand."""


async def submit(platform: Platform, actor: Actor, draft: RequestDraft) -> BaseRequest:
    """Files a request. Raises Invalid for what does not fit the purpose, RequestOpen, QualificationFixed, NotFound."""
    try:
        return await _submit(platform, actor, draft)
    except DuplicateKeyError:
        raise RequestOpen() from None


@transactional
async def _submit(unit: UnitOfWork, draft: RequestDraft) -> BaseRequest:
    filed = await requests.submit(unit, draft)
    if filed.purpose is RequestPurpose.WITHDRAWAL:
        if case := await open_case(unit, filed):
            await service.move(unit, case, Action.FILE, filed.reason, request_id=filed.id)
        else:
            await _open(unit, filed)
    return filed


async def _open(unit: UnitOfWork, request: BaseRequest) -> None:
    """The hearing of a base that no case is open about."""
    code, number = request.institution_code or "", request.qualification_number or 0
    told = ("省级管理部门的理由", request.reason)
    await opening.about(unit, code, number, Rule.ASKED_FOR, request.id, told, State.FILED, request.id)


async def hear(platform: Platform) -> int:
    """The daily work: opens a hearing for each request to withdraw that has none (one filed before requests opened them)."""
    opened = 0
    waiting = await requests.list_requests(
        platform, JOB, purpose=RequestPurpose.WITHDRAWAL, state=RequestState.SUBMITTED, limit=MOST_REQUESTS
    )
    for one in waiting:
        if await open_case(platform, one) is None:
            opened += await _hear(platform, JOB, one.id)
    return opened


@transactional
async def _hear(unit: UnitOfWork, request_id: str) -> bool:
    found = await requests.request(unit, unit.actor, request_id)
    if found.state is not RequestState.SUBMITTED or await open_case(unit, found):
        unit.nothing_written()
        return False
    await _open(unit, found)
    return True


@transactional
async def carry_out(
    unit: UnitOfWork, request_id: str, wanted: Decision, *, seen: int | None = None
) -> BaseRequest:
    """Approves that a base's qualification is suspended, resumed or withdrawn, and does it; a withdrawal decides the base's open case.

    Raises NotInThisState, QualificationFixed, Invalid, and for a withdrawal TooEarly while the base may still state its case and has
    not, Unheard where nobody has asked it.
    """
    case = await open_case(unit, await requests.request(unit, unit.actor, request_id))
    approved = await requests.carry_out(unit, request_id, wanted, case.hearing if case else None, seen=seen)
    if case:
        decided = await service.decision(unit, Outcome.CANCELLED, wanted.effective_on, wanted.reason)
        await service.move(
            unit,
            case,
            Action.WITHDRAW,
            wanted.reason,
            name=await institutions.name_of(unit, approved.institution_code or ""),
            decisions=[*case.decisions, decided],
            request_id=approved.id,
        )
    return approved


@transactional
async def retract(unit: UnitOfWork, request_id: str) -> BaseRequest:
    """Takes a request back that is not approved; the case it answered ends with it. Raises NotInThisState."""
    taken_back = await requests.retract(unit, request_id)
    if (case := await open_case(unit, taken_back)) and case.request_id == request_id:
        await service.move(unit, case, Action.TAKE_BACK, "省级管理部门撤回了取消资格的申请")
    return taken_back


async def open_case(scope: Scope, request: BaseRequest) -> Case | None:
    """The open case of the base that a request to withdraw is about."""
    if request.purpose is not RequestPurpose.WITHDRAWAL:
        return None
    subject = base_id(request.institution_code or "", request.qualification_number or 0)
    return await store.open_of(scope, subject, request.id)
