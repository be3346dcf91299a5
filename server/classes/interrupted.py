"""A class that is suspended, put off, called off or terminated: what its document says then (decided in server.interruptions)."""

from __future__ import annotations

from datetime import date

from server.classes import enrolment, service, store
from server.classes.documents import Enrolment, Suspension, TrainingClass
from server.classes.rules import Condition, check_dates
from server.kernel.clock import beijing_date
from server.kernel.unit_of_work import UnitOfWork


async def postpone(
    unit: UnitOfWork,
    training_class: TrainingClass,
    starts_on: date,
    ends_on: date,
    suspension: Suspension | None = None,
) -> TrainingClass:
    """Part of an approval: the class has these days from now on, and is suspended in between.

    Raises Invalid, DatesClash, ResultsReleased, ClassEnded.
    """
    await service.exclude_release(unit, training_class)
    check_dates(starts_on, ends_on)
    await enrolment.require_days_free(unit, training_class, starts_on, ends_on)
    put_off = starts_on != training_class.starts_on
    changed = training_class.model_copy(
        update={
            "starts_on": starts_on,
            "ends_on": ends_on,
            "planned_starts_on": training_class.planned_first_day
            if put_off
            else training_class.planned_starts_on,
            "planned_ends_on": training_class.planned_ends_on
            or (training_class.ends_on if ends_on != training_class.ends_on else None),
            "suspensions": [*training_class.suspensions, *([suspension] if suspension else [])],
        }
    )
    await store.replace_class(unit, changed)
    return changed


async def take_back(
    unit: UnitOfWork,
    training_class: TrainingClass,
    starts_on: date,
    ends_on: date,
    suspended_from: date | None,
) -> TrainingClass:
    """Part of an approval: the class has the days again that it had, without the suspension that would have begun then.

    Raises DatesClash, ResultsReleased, ClassEnded.
    """
    await service.exclude_release(unit, training_class)
    await enrolment.require_days_free(unit, training_class, starts_on, ends_on)
    first, last = training_class.planned_starts_on, training_class.planned_ends_on
    changed = training_class.model_copy(
        update={
            "starts_on": starts_on,
            "ends_on": ends_on,
            "planned_starts_on": None if first == starts_on else first,
            "planned_ends_on": None if last == ends_on else last,
            "suspensions": [one for one in training_class.suspensions if one.first != suspended_from],
        }
    )
    await store.replace_class(unit, changed)
    return changed


async def call_off(unit: UnitOfWork, training_class: TrainingClass, reason: str) -> list[Enrolment]:
    """Part of a use case: nobody is of the class any more; returns who was. Raises ResultsReleased, ClassEnded."""
    await service.exclude_release(unit, training_class)
    enrolled = await enrolment.leave_all(unit, training_class)
    await _end(unit, training_class, Condition.CALLED_OFF, reason, admitted=0, teachers=[])
    return enrolled


async def terminate(unit: UnitOfWork, training_class: TrainingClass, reason: str) -> TrainingClass:
    """Part of an approval: the class ends with this day; its people and what was held stay. Raises ResultsReleased, ClassEnded."""
    await service.exclude_release(unit, training_class)
    last = min(training_class.ends_on, max(training_class.starts_on, beijing_date(unit.now)))
    return await _end(unit, training_class, Condition.TERMINATED, reason, ends_on=last)


async def _end(
    unit: UnitOfWork, training_class: TrainingClass, condition: Condition, reason: str, **changes: object
) -> TrainingClass:
    closes = training_class.enrolment_closes
    ended = training_class.model_copy(
        update={
            **changes,
            "condition": condition,
            "condition_reason": reason,
            "ended_on": beijing_date(unit.now),
            "enrolment_closes": min(closes, unit.now) if closes else None,
        }
    )
    await store.replace_class(unit, ended)
    return ended
