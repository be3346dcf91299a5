"""A case that somebody opens about a qualification: the province by asking to withdraw a base, the centre about a 师资研修中心.

What the daily review opens by itself is in `review`. Either way nothing falls by it: it asks whom it is about (kernel.hearings).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from server.institutions import qualifications
from server.institutions.rules import QualificationAction, act_on_qualification
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.qualification import rules, store, training
from server.qualification.documents import Case, Fact
from server.qualification.examination import base_id
from server.qualification.rules import Action, Rule, State, Subject


class CaseOpen(Conflict):
    slug = "case-open"
    title = "已在听取陈述"
    default_detail = "取消该资格的事项已经立案。请在“动态管理”中查看，待对方陈述或期满后作出决定。"


class Intent(BaseModel):
    """Why the centre means to withdraw a qualification: whom it is about reads it before anything is decided."""

    reason: Annotated[Reason, Field(title="拟取消的依据和理由")]


async def about_centre(
    platform: Platform, actor: Actor, code: str, number: int, wanted: Intent, seen: str = ""
) -> Case:
    """The centre means to withdraw a 师资研修中心, which may state its case first (article 5.1).

    Raises NotFound, Forbidden, QualificationFixed for a base or for what is withdrawn already, CaseOpen.
    """
    try:
        return await _about_centre(platform, actor, code, number, wanted, seen)
    except store.AlreadyThere:
        raise CaseOpen() from None


@transactional
async def _about_centre(unit: UnitOfWork, code: str, number: int, wanted: Intent, seen: str) -> Case:
    found, held = await qualifications.qualification(unit, unit.actor, code, number)
    act_on_qualification(held, QualificationAction.WITHDRAW, unit.actor.roles, requested=False)
    await require_seen(unit, found, seen, what=found.name)
    state = rules.steps_of(Subject.CENTRE).after(None, Action.OPEN, unit.actor.roles)
    told = ("部指导中心的理由", wanted.reason)
    return await about(unit, code, number, Rule.CENTRE_IN_QUESTION, new_id(), told, state)


async def about(
    unit: UnitOfWork,
    code: str,
    number: int,
    rule: Rule,
    key: str,
    told: tuple[str, str],
    state: State,
    request_id: str | None = None,
) -> Case:
    """Part of a use case: opens the case, in `state`, with what speaks for it (`told`). Raises AlreadyThere for a second one."""
    today = beijing_date(unit.now)
    school, held = await qualifications.qualification(unit, unit.actor, code, number)
    days = (await policies.on(unit, today)).statement_days
    facts = [
        ("资格起始", str(held.valid_from)),
        ("最近一次开展培训", await training.in_words(unit, code, held.kind)),
        told,
    ]
    new = Case(
        subject=rule.subject,
        subject_id=base_id(code, number),
        name=school.name,
        unit_name="",
        province_code=school.province_code,
        institution_code=code,
        qualification_number=number,
        rule=rule,
        key=key,
        first=held.valid_from,
        last=today,
        facts=[Fact(title=title, value=value) for title, value in facts],
        opened_on=today,
        state_until=today + timedelta(days=days),
        state=state,
        request_id=request_id,
        history=[step(unit, Action.OPEN, told[1])],
    )
    await store.insert_cases(unit, [new])
    unit.audit("qualification:open", new.id, about=new.subject_id, rule=rule.label, key=key)
    return new
