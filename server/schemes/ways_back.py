"""A scheme taken back from the province or its teachers while it waits, a draft that is given up, and what ends with its class."""

from __future__ import annotations

from pydantic import BaseModel

from server.classes import service as classes
from server.kernel import reasons
from server.kernel.reviewed import take
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.schemes import rules, service, store
from server.schemes.documents import SchemeVersion
from server.schemes.rules import Action, State


class Reason(BaseModel):
    reason: reasons.Reason


@transactional
async def withdraw(unit: UnitOfWork, class_id: str, version: int, why: Reason) -> SchemeVersion:
    """Takes a scheme back: from the province before it has decided, the signatures stay; from the teachers, it is a draft again."""
    _, scheme = await service.step_to(unit, class_id, version, Action.WITHDRAW)
    changes: dict[str, object] = {"signatures": []} if scheme.state is State.SIGNING else {}
    taken = await take(unit, rules.STEPS, scheme, Action.WITHDRAW, why.reason, changes=changes)
    await _tell_of_end(unit, scheme, "撤回", why.reason)
    unit.audit("schemes:withdraw", class_id, version=version, reason=why.reason)
    return taken


@transactional
async def discard(unit: UnitOfWork, class_id: str, version: int, why: Reason) -> None:
    """Gives a draft or returned version up: the one before it that counts is the newest again, and what is in force stays."""
    _, scheme = await service.step_to(unit, class_id, version, Action.DISCARD)
    await take(unit, rules.STEPS, scheme, Action.DISCARD, why.reason)
    await store.bring_back(unit, scheme)
    await _tell_of_end(unit, scheme, "废弃", why.reason)
    unit.audit("schemes:discard", class_id, version=version, reason=why.reason)


async def close(unit: UnitOfWork, class_id: str, reason: str) -> None:
    """Part of a use case that ends a class (interruptions): its scheme waits for nobody any more."""
    scheme = await store.newest(unit, class_id)
    if scheme is not None and rules.STEPS.has(scheme.state, Action.CLOSE):
        await take(unit, rules.STEPS, scheme, Action.CLOSE, reason)


async def _tell_of_end(unit: UnitOfWork, scheme: SchemeVersion, outcome: str, reason: str) -> None:
    [training_class] = (await classes.classes_of(unit, [scheme.class_id])).values()
    for teacher in training_class.teachers:
        unit.notify(
            teacher.person_id, "scheme-withdrawn", outcome=outcome, reason=reason, **service.news(scheme)
        )
