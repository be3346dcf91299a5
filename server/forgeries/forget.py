"""Settled reports lose what could lead to a person (个人信息保护法 article 47): the contact of who reported, and the picture.

What was reported, what came of it and why stays. What was handed to 司法机关 is evidence and is kept whole.
"""

from __future__ import annotations

from server.forgeries import store
from server.forgeries.documents import Forgery
from server.kernel import policies, reviewed
from server.kernel.clock import beijing_date, months_before
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional

BATCH = 100


async def forget_forgeries(platform: Platform) -> Counts:
    """Empties what was settled longer ago than the policy `forgery_months`."""
    now = platform.clock.now()
    months = (await policies.on(platform, beijing_date(now))).forgery_months
    emptied = 0
    while found := await store.settled_before(platform, months_before(now, months), BATCH):
        await _forget(platform, system("forgeries"), found)
        emptied += len(found)
    return {"清除举报": emptied}


@transactional
async def _forget(unit: UnitOfWork, found: list[Forgery]) -> None:
    for one in found:
        bare = one.model_copy(update={"contact": None, "pictured": False})
        if await reviewed.replace(unit, one, bare):  # else it is being looked into again
            await store.drop_picture(unit, one.id)
    unit.audit("forgeries:forget", "forgeries", taken=len(found))
