"""People of whom the platform needs nothing any more (个人信息保护法 article 47, article 25 (4) of the guide).

A person is made when a name and number first arrive, also by an application that leads nowhere. Once no chapter needs them and some
months have passed, they go: name, number, phone, bindings, messages, verifications. What they did stays in the audit trail, which
the law wants kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from server.accounts import real_name_store, store
from server.kernel import outbox, policies
from server.kernel.clock import beijing_date, months_before
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

Need = Callable[[Scope, Sequence[str]], Awaitable[set[str]]]
"""A chapter's answer to: whom of these people do you need?"""
BATCH = 200


async def forget_persons(platform: Platform, *, needed_by: Sequence[Need]) -> Counts:
    """Removes everybody whom nobody needs, who is older here than the policy `person_months`, and whom no phone speaks for."""
    months = (await policies.on(platform, beijing_date(platform.clock.now()))).person_months
    before = months_before(platform.clock.now(), months)
    last, forgotten = "", 0
    while ids := await store.persons_older_than(platform, before, after=last, limit=BATCH):
        last = ids[-1]
        if unneeded := await _unneeded(platform, ids, needed_by):
            forgotten += await _forget(platform, system("accounts"), unneeded, needed_by)
    return {"清除人员": forgotten}


async def _unneeded(scope: Scope, ids: Sequence[str], needed_by: Sequence[Need]) -> list[str]:
    left = set(ids) - await store.signed_in(scope, ids, scope.platform.machine.now())
    for need in needed_by:
        if left:
            left -= await need(scope, sorted(left))
    return sorted(left)


@transactional
async def _forget(unit: UnitOfWork, ids: Sequence[str], needed_by: Sequence[Need]) -> int:
    """Looks again in its own transaction, which an enrolment of the same person meanwhile makes fail and try again."""
    gone = await _unneeded(unit, ids, needed_by)
    if not gone:
        unit.nothing_written()
        return 0
    await store.delete_persons(unit, gone)
    await real_name_store.delete_of(unit, gone)
    await outbox.delete_of(unit, gone)
    unit.audit("accounts:forget", "persons", people=len(gone))
    return len(gone)
