"""Applications that wait for a class which takes nobody any more are closed, and their teachers told (article 4.4).

A release of results closes them at once; the daily work closes those of classes that have ended, and whatever was left behind.
"""

from __future__ import annotations

from server.admissions import places, store
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Stage
from server.kernel.clock import beijing_date
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

OVER = "培训已经结束。"


async def close_overdue(platform: Platform) -> Counts:
    """Closes what waits for classes that are over or whose results are released."""
    waited_for = await store.classes_under_review(platform)
    found = await classes.classes_of(platform, waited_for)
    closed = 0
    for class_id, training_class in found.items():
        if _takes_nobody(platform, training_class):
            async with places.turn(class_id):
                closed += await _close(platform, system("admissions"), class_id)
    return {"关闭报名": closed}


@transactional
async def _close(unit: UnitOfWork, class_id: str) -> int:
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    closed = 0
    if _takes_nobody(unit, training_class):
        await classes.take_turn(unit, class_id)
        closed = await places.close_all(unit, class_id, OVER)
    if not closed:
        unit.nothing_written()
    return closed


def _takes_nobody(scope: Scope, training_class: TrainingClass) -> bool:
    over = training_class.stage_on(beijing_date(scope.platform.clock.now())) is Stage.FINISHED
    return over or training_class.results_released_at is not None
