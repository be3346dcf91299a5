"""代办 while on leave: a colleague of the same office stands in on dated days, and both names stand on what is done (article 25.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import delegation_rules as rules
from server.accounts import delegation_store, staff, store
from server.accounts.delegation_rules import NotInForce
from server.accounts.documents import Account, AccountFilter, Delegation
from server.kernel import offices
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Forbidden, Invalid, NotFound
from server.kernel.identity import Actor, Jurisdiction
from server.kernel.offices import Said, Topic
from server.kernel.platform import Platform
from server.kernel.reasons import ShortReason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

PAGE = "/admin/delegations"
COLLEAGUES_MOST = 200


class DelegationDraft(BaseModel):
    to_id: Annotated[str, Field(title="代办人", pattern=r"^[0-9a-f]{24}$")]
    from_on: Annotated[date, Field(title="开始日期")]
    until_on: Annotated[date, Field(title="结束日期")]
    reason: Annotated[ShortReason, Field(title="事由")]


async def colleagues(platform: Platform, actor: Actor) -> list[Account]:
    """Who could stand in: the other accounts of the own office that are in use."""
    wanted = AccountFilter(deactivated=False)
    found = await store.accounts(platform, staff.unit_of(actor), wanted, limit=COLLEAGUES_MOST)
    return [one for one in found if one.id != actor.id]


@transactional
async def delegate(unit: UnitOfWork, draft: DelegationDraft) -> Delegation:
    """The actor lets a colleague stand in. Raises Invalid, DelegationClash, NotWhileStandingIn.

    Both accounts are written, so that of two that would clash the second sees the first.
    """
    actor, today = unit.actor, beijing_date(unit.now)
    rules.require_oneself(actor)
    rules.check_days(draft.from_on, draft.until_on, today)
    mine = await store.account(unit, actor.id)
    to = await store.account(unit, draft.to_id, staff.unit_of(actor))
    if mine is None or to is None or to.id == mine.id or not to.active:
        raise Invalid(fields=[FieldError("to_id", "请选择本单位在用账号的一位同事。")])
    for one in sorted((mine.id, to.id)):
        if not await store.change_account(unit, one, {"$inc": {"version": 1}}, deactivated_at=None):
            raise Forbidden()
    new = Delegation(
        from_id=mine.id,
        from_name=mine.name,
        to_id=to.id,
        to_name=to.name,
        role=mine.role,
        province_code=mine.province_code,
        institution_code=mine.institution_code,
        from_on=draft.from_on,
        until_on=draft.until_on,
        last_on=draft.until_on,
        reason=draft.reason,
        made_at=unit.now,
    )
    rules.check_free(new, await delegation_store.of_accounts(unit, [mine.id, to.id], draft.from_on))
    await delegation_store.insert(unit, new)
    unit.audit(
        "accounts:delegate", new.id, from_on=str(new.from_on), until=str(new.until_on), reason=new.reason
    )
    words = f"{new.from_name}请您在 {new.from_on} 至 {new.until_on} 代办，事由：{new.reason}"
    unit.tell(Said(offices.account(to.id), Topic.DELEGATED, words, PAGE))
    return new


@transactional
async def end(unit: UnitOfWork, delegation_id: str, reason: str) -> Delegation:
    """Ends a delegation before its last day: by either of the two, or by who oversees their office. Raises NotFound, Forbidden, NotInForce,
    NotWhileStandingIn."""
    rules.require_oneself(unit.actor)
    found, today = await _in_reach(unit, unit.actor, delegation_id), beijing_date(unit.now)
    if not rules.may_end(unit.actor, found, found.role):
        raise Forbidden("代办由双方之一，或上级管理部门结束。")
    if found.ended_at is not None or found.last_on < today:
        raise NotInForce()
    ended = found.model_copy(
        update={
            "last_on": today - timedelta(days=1),
            "ended_at": unit.now,
            "ended_by": unit.actor.name,
            "end_reason": reason,
        }
    )
    if not await delegation_store.end(unit, ended, found.last_on):
        raise NotInForce()
    unit.audit("accounts:end-delegation", found.id, reason=reason)
    words = f"{found.from_name}请{found.to_name}代办已提前结束，理由：{reason}"
    for one in {found.from_id, found.to_id} - {unit.actor.id}:
        unit.tell(Said(offices.account(one), Topic.DELEGATED, words, PAGE))
    return ended


# ---- standing in


@transactional
async def stand_in(unit: UnitOfWork, delegation_id: str) -> Delegation:
    """From now on this log-in acts in the colleague's place. Raises NotFound for a delegation to somebody else, NotInForce."""
    found = await _in_reach(unit, unit.actor, delegation_id)
    if found.to_id != unit.actor.id:
        raise NotFound("没有这项代办。")
    if not await _holds(unit, found):
        raise NotInForce()
    await delegation_store.set_standing(unit, unit.actor.session_id or "", unit.actor.id, found.id)
    unit.audit("accounts:stand-in", found.id)
    return found


@transactional
async def step_back(unit: UnitOfWork) -> None:
    """From now on this log-in acts for its own user alone."""
    await delegation_store.set_standing(unit, unit.actor.session_id or "", unit.actor.id, None)
    unit.audit("accounts:step-back", unit.actor.id)


async def _holds(scope: Scope, found: Delegation) -> bool:
    """Reckoned at each request: today is one of its days, and both still work in the same office."""
    if not rules.in_force(found, beijing_date(scope.platform.clock.now())):
        return False
    both = [await store.account(scope, one) for one in (found.from_id, found.to_id)]
    return all(one is not None and one.active and one.unit == found.unit for one in both)


async def standing_in(scope: Scope, actor: Actor, delegation_id: str) -> Actor:
    """The actor of a log-in that stands in; the actor alone once that does not hold any more. It lends no right: the actor's own are those
    of the office, less what belongs to accounts (permissions.NOT_IN_ANOTHERS_PLACE)."""
    found = await delegation_store.delegation(scope, delegation_id, Jurisdiction.everything())
    if found is None or found.to_id != actor.id or not await _holds(scope, found):
        return actor
    return replace(actor, name=f"{actor.name}（代{found.from_name}）", stands_for=found.from_id)


# ---- reading


async def _in_reach(scope: Scope, actor: Actor, delegation_id: str) -> Delegation:
    found = await delegation_store.delegation(scope, delegation_id, actor.jurisdiction)
    if found is None:
        raise NotFound("没有这项代办，或不在您的管理范围内。")
    return found


async def list_delegations(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[Delegation]:
    """Those of the actor's office and of the offices below it, newest first."""
    return await delegation_store.delegations(platform, actor.jurisdiction, before=before, limit=limit)


async def offered(platform: Platform, actor: Actor) -> list[Delegation]:
    """In whose place the actor may act today."""
    today = beijing_date(platform.clock.now())
    found = await delegation_store.of_accounts(platform, [actor.id], today)
    return [one for one in found if one.to_id == actor.id and rules.in_force(one, today)]


def may_end(actor: Actor, one: Delegation, today: date) -> bool:
    return one.last_on >= today and one.ended_at is None and rules.may_end(actor, one, one.role)
