"""Rosters as they were sent are emptied some months after they were imported (个人信息保护法 articles 6 and 47: 最小范围).

What they brought stands in the enrolments, which are kept; a second copy of everybody's ID number and phone serves nobody. Previews
that nobody confirmed go after a day by themselves (an index with an end).
"""

from __future__ import annotations

from collections.abc import Sequence

from server.classes import roster_store, store
from server.kernel import policies
from server.kernel.clock import beijing_date, months_before
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

BATCH = 50


async def forget_rosters(platform: Platform) -> Counts:
    """Empties rosters that were imported longer ago than the policy `roster_months`."""
    months = (await policies.on(platform, beijing_date(platform.clock.now()))).roster_months
    before = months_before(platform.clock.now(), months)
    emptied = 0
    while ids := await roster_store.rosters_imported_before(platform, before, BATCH):
        emptied += await _forget(platform, system("classes"), ids)
    return {"清除名册": emptied}


@transactional
async def _forget(unit: UnitOfWork, ids: Sequence[str]) -> int:
    emptied = await roster_store.empty_rosters(unit, ids)
    unit.audit("classes:forget-rosters", "rosters", rosters=emptied)
    return emptied


async def needed(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people who attend or teach a class, or did."""
    return await store.people_of_classes(scope, person_ids)
