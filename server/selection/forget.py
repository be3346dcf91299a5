"""Recommendations that were withdrawn are emptied of what they say of a person (个人信息保护法 article 47: 处理目的 … 无法实现).

That a province recommended somebody and took it back stays, for the numbers and the trail; name, number, unit, opinion and papers go.
What led into a class is part of its records and is kept (article 25).
"""

from __future__ import annotations

from server.assessment import submissions
from server.kernel import policies, reviewed
from server.kernel.clock import beijing_date, months_before
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.selection import store
from server.selection.documents import Nominee

BATCH = 100
FORGOTTEN = "已清除"


async def forget_nominees(platform: Platform) -> Counts:
    """Empties what was withdrawn longer ago than the policy `applicant_months`, and lets its papers go."""
    now = platform.clock.now()
    months = (await policies.on(platform, beijing_date(now))).applicant_months
    emptied = 0
    while found := await store.withdrawn_before(platform, months_before(now, months), BATCH):
        await _forget(platform, system("selection"), found)
        emptied += len(found)
    return {"清除推荐": emptied}


@transactional
async def _forget(unit: UnitOfWork, found: list[Nominee]) -> None:
    for one in found:
        await reviewed.replace(unit, one, emptied(one).model_copy(update={"forgotten_at": unit.now}))
        await submissions.let_go(unit, [*(paper.id for paper in one.papers), *one.removed_papers])
    unit.audit("selection:forget", "nominees", nominees=len(found))


def emptied(one: Nominee) -> Nominee:
    """The same without anything of the person."""
    return one.model_copy(
        update={
            "name": FORGOTTEN,
            "id_number": None,
            "id_number_masked": "",
            "work_unit": "",
            "post": "",
            "years_of_teaching": 0,
            "held_level": None,
            "held_number": "",
            "held_confirmed": False,
            "opinion": "",
            "papers": [],
            "removed_papers": [],
            "person_id": None,
            "history": [step.model_copy(update={"reason": ""}) for step in one.history],
        }
    )
