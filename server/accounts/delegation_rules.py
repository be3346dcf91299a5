"""Standing in for a colleague on leave (代办). Pure; article 25.1 gives every user an account of their own, and nobody uses another's.

All accounts of one office may do the same, so that nothing is lent: what is lent is the name. Who stands in says for whom, and both names
stand on what is done (server/decisions/0036).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Protocol

from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role

LONGEST = timedelta(days=90)


class Standing(Protocol):
    @property
    def from_id(self) -> str: ...
    @property
    def to_id(self) -> str: ...
    @property
    def from_on(self) -> date: ...
    @property
    def last_on(self) -> date: ...


class DelegationClash(Conflict):
    slug = "delegation-clash"
    title = "与另一项代办冲突"


class NotInForce(Conflict):
    slug = "delegation-over"
    title = "代办不在有效期内"
    default_detail = "这项代办还没有开始、已经到期或已经结束。请刷新页面。"


class NotWhileStandingIn(Forbidden):
    slug = "standing-in"
    title = "正在代人办理"
    default_detail = "代人办理时不能做涉及账号安全和再次委托的操作。请先在“请假代办”中回到本人。"


def check_days(from_on: date, until_on: date, today: date) -> None:
    """Raises Invalid for days gone by, in the wrong order, or more than ninety."""
    wrong = []
    if from_on < today:
        wrong.append(FieldError("from_on", "开始日期不能早于今天。"))
    if until_on < from_on:
        wrong.append(FieldError("until_on", "结束日期不能早于开始日期。"))
    elif until_on - from_on >= LONGEST:
        wrong.append(FieldError("until_on", f"一次最长 {LONGEST.days} 天，到期可以再委托。"))
    if wrong:
        raise Invalid(fields=wrong)


def check_free(new: Standing, others: Iterable[Standing]) -> None:
    """Raises DelegationClash: on no day has anybody two who stand in, or stands in while somebody stands in for them. So there is no
    circle, and nobody passes on what was given to them."""
    for one in others:
        if one.last_on < new.from_on or new.last_on < one.from_on:
            continue
        days = f"{one.from_on} 至 {one.last_on}"
        if one.from_id == new.from_id:
            raise DelegationClash(f"您已委托同事在 {days} 代办。请先结束那一项。")
        if one.to_id == new.from_id:
            raise DelegationClash(f"您在 {days} 代同事办理，其间不能再委托别人。")
        if one.from_id == new.to_id:
            raise DelegationClash(f"这位同事在 {days} 也请人代办，请选择别人。")


def in_force(one: Standing, today: date) -> bool:
    return one.from_on <= today <= one.last_on


def may_end(actor: Actor, one: Standing, role: Role) -> bool:
    """Either of the two, and who oversees their office."""
    if actor.id in (one.from_id, one.to_id):
        return True
    if Role.NATIONAL_CENTRE in actor.roles:
        return role is not Role.NATIONAL_CENTRE
    return Role.PROVINCE in actor.roles and role in INSTITUTION_ROLES


def require_oneself(actor: Actor) -> None:
    """Raises NotWhileStandingIn: what belongs to an account is never done in somebody's place."""
    if actor.stands_for:
        raise NotWhileStandingIn()
