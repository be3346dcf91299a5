"""Work that waits for a grade too long: the backbone teachers of the class are reminded, weekly (articles 4.6 and 8 (4) 2)."""

from __future__ import annotations

from datetime import timedelta

from server.assessment import service
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.kernel import policies, reminders
from server.kernel.clock import beijing_date
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

REMINDED_FOR = timedelta(days=60)
"""After the class; then the institution, which sees on its home page that results are not released, has to act."""


async def remind_of_grading(platform: Platform) -> Counts:
    """Reminds the teachers of running and of recent classes, not released yet, of what waits for a grade too long."""
    today = beijing_date(platform.clock.now())
    days = (await policies.on(platform, today)).grading_days
    reminded = teachers = 0
    async for one in classes.unreleased(platform, ended_from=today - REMINDED_FOR):
        if one.who(Kind.ASSESSMENT) and await _ungraded(platform, one, days):
            told = await _remind(platform, system("assessment"), one.id, days)
            reminded, teachers = reminded + (told > 0), teachers + told
    return {"培训班": reminded, "提醒": teachers}


async def _ungraded(scope: Scope, training_class: TrainingClass, days: int) -> int:
    """How many works of a class have waited for a grade longer than `days` days."""
    people = await classes.enrolled_of(scope, [training_class.id])
    found = await service.ungraded(scope, [training_class], people, days)
    return found[training_class.id].number if found else 0


@transactional
async def _remind(unit: UnitOfWork, class_id: str, days: int) -> int:
    """How many teachers were told; 0 when they were told this week."""
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    year, week, _ = beijing_date(unit.now).isocalendar()
    count = await _ungraded(unit, training_class, days)
    if not count or not await reminders.mark(unit, f"grading-due:{class_id}:{year}-{week:02}"):
        unit.nothing_written()
        return 0
    assessors = training_class.who(Kind.ASSESSMENT)
    for teacher in assessors:
        unit.notify(
            teacher.person_id,
            "grading-due",
            class_id=class_id,
            class_name=training_class.name,
            count=str(count),
        )
    unit.audit("assessment:remind", class_id, ungraded=count, people=len(assessors))
    return len(assessors)
