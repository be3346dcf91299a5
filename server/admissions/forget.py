"""Applications that led nowhere are emptied of what they say of a person (个人信息保护法 article 47: 处理目的已实现、无法实现).

That somebody applied and how it was decided stays, for the statistics and the trail; name, number, unit and the answers to the needs
questionnaire go. An application that led into a class is part of the class's records and is kept (article 25).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.admissions import store
from server.kernel import policies
from server.kernel.clock import beijing_date, months_before
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

BATCH = 200


async def forget_applicants(platform: Platform) -> Counts:
    """Empties what was rejected or withdrawn longer ago than the policy `applicant_months`."""
    months = (await policies.on(platform, beijing_date(platform.clock.now()))).applicant_months
    before = months_before(platform.clock.now(), months)
    emptied = 0
    while ids := await store.closed_before(platform, before, BATCH):
        emptied += await _forget(platform, system("admissions"), ids, before)
    return {"清除报名": emptied}


@transactional
async def _forget(unit: UnitOfWork, ids: Sequence[str], before: datetime) -> int:
    emptied = await store.empty_applicants(unit, ids, before, unit.now)
    unit.audit("admissions:forget", "applicants", applicants=emptied)
    return emptied


async def needed(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people with an application that still says something of them."""
    return await store.people_with_applications(scope, person_ids)
