"""Class hours of a person that no check-in gave: made up one by one (补课), or held in an interrupted class (转班补学; article 4.6).

A made-up hour is recorded by the class's staff or by its teaching teacher, is never more than was missed, and fits into its day. Of 补课
only the day is recorded, so that a day is what it is measured by. Both stand beside the
check-ins with their own word, count with them, and can be voided with a reason until the results are released; what is void stays readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.attendance import rules, service, store
from server.attendance.documents import AddedHours, AddedKind
from server.attendance.hours import (
    check_day_of_make_up,
    check_made_up,
    credited,
    held,
    taught_together,
)
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import NotArrived
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound, require_same
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import UnitOfWork, transactional


class AlreadyVoided(Conflict):
    slug = "make-up-voided"
    title = "课时记录已撤销"


class MakeUp(BaseModel):
    """补课: who made up how many hours, when, what was taught, and by whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: Annotated[str, Field(title="学员", pattern=r"^[0-9a-f]{24}$")]
    hours: Annotated[int, Field(title="课时", ge=1, le=200)]
    held_on: Annotated[date, Field(title="补课日期")]
    taught: Annotated[str, Field(title="补课内容", min_length=2, max_length=200)]
    taught_by: Annotated[str, Field(title="授课教师", min_length=2, max_length=60)]
    nonce: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")] = None


_VOIDED = {
    AddedKind.MADE_UP: ("attendance:void-make-up", "make-up-voided"),
    AddedKind.CREDITED: ("attendance:void-credit", "credit-voided"),
}
"""What the trail notes, and what the person is told."""


class Voiding(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason


# ---- reading


async def of_class(platform: Platform, actor: Actor, class_id: str) -> list[AddedHours]:
    """For staff, those that were voided included, in the order in which they were recorded. Raises NotFound outside their jurisdiction."""
    await classes.get_class(platform, actor, class_id)
    return await store.added_of_class(platform, class_id)


async def of_taught_class(platform: Platform, actor: Actor, class_id: str) -> list[AddedHours]:
    """The same for a teacher of the class."""
    await classes.taught_class(platform, actor, class_id)
    return await store.added_of_class(platform, class_id)


async def mine(platform: Platform, actor: Actor, class_id: str) -> list[AddedHours]:
    """The actor's own in a class that they attend. Raises NotFound."""
    await classes.attended_class(platform, actor, class_id)
    return await store.added_of_class(platform, class_id, person_id=actor.person_id)


# ---- 补课


@transactional
async def make_up(unit: UnitOfWork, class_id: str, wanted: MakeUp) -> AddedHours:
    """Records hours that a person made up, by staff of the institution; the same again changes nothing.

    Raises TooManyHours beyond what the person missed, ResultsReleased, ClassEnded, NotFound, Invalid for a day or a teacher.
    """
    return await _make_up(unit, await classes.get_class(unit, unit.actor, class_id), wanted)


@transactional
async def make_up_as_teacher(unit: UnitOfWork, class_id: str, wanted: MakeUp) -> AddedHours:
    """The same by a teacher of the class. Raises NonceReused for a nonce of the class under which something else was recorded."""
    return await _make_up(unit, await classes.taught_class(unit, unit.actor, class_id), wanted)


async def _make_up(unit: UnitOfWork, training_class: TrainingClass, wanted: MakeUp) -> AddedHours:
    await classes.exclude_release(unit, training_class)  # and two who record at once come one after the other
    of_class = await store.added_of_class(unit, training_class.id)
    if wanted.nonce and (known := next((one for one in of_class if one.nonce == wanted.nonce), None)):
        require_same(_says(known, wanted))
        unit.nothing_written()
        return known
    trainee = await classes.trainee(unit, training_class.id, wanted.person_id)
    if trainee.awaits_arrival:
        raise NotArrived("该学员还没有报到，没有缺课，不需要补课。")
    there = [one for one in of_class if one.person_id == wanted.person_id]
    if same := next((one for one in there if one.voided_at is None and _says(one, wanted)), None):
        unit.nothing_written()
        return same
    called = await classes.teachers_called(unit, training_class)
    teacher_id = next((one for one, name in called.items() if name == wanted.taught_by), None)
    if teacher_id is None:
        raise Invalid(fields=[FieldError("taught_by", "请从本班的授课骨干教师中选择（指南第六条）。")])
    if not training_class.starts_on <= wanted.held_on <= beijing_date(unit.now):
        said = f"补课日期应在开班（{training_class.starts_on}）以后，不晚于今天。"
        raise Invalid(fields=[FieldError("held_on", said)])
    hours = await service.hours_of_class(unit, training_class)
    check_made_up(wanted.hours, held=hours.held, attended=hours.attended.get(wanted.person_id, 0))
    await _check_day(unit, training_class, wanted, teacher_id, there)
    said_of_it = wanted.model_dump() | {"taught_by_id": teacher_id}
    new = _added(unit, training_class, AddedKind.MADE_UP, **said_of_it)
    await store.insert_added(unit, [new])
    unit.notify(wanted.person_id, "hours-made-up", **_news(training_class, new))
    unit.audit("attendance:make-up", training_class.id, added=new.id, **_facts(new))
    return new


async def _check_day(
    unit: UnitOfWork,
    training_class: TrainingClass,
    wanted: MakeUp,
    teacher_id: str,
    there: list[AddedHours],
) -> None:
    """Raises Invalid for a day before anything was missed, TooManyHours for one into which the hours do not fit, beside the sessions
    that person and teacher had on it and what they made up."""
    sessions = await store.sessions_of_class(unit, training_class.id)
    came = await store.attended(unit, [one.id for one in sessions])
    mine = {session_id for session_id, person_id in came if person_id == wanted.person_id}
    was_held = held(sessions, {session_id for session_id, _ in came}, unit.now)
    missed = min(beijing_date(one.ends_at) for one in was_held if one.id not in mine)
    if wanted.held_on < missed:
        raise Invalid(fields=[FieldError("held_on", f"该学员 {missed} 第一次缺课，补课不能早于这一天。")])
    begins = rules.at(wanted.held_on, time(0))
    that_day = [one for one in sessions if beijing_date(one.starts_at) == wanted.held_on]
    taught = {
        one.id: one.hours
        for one in [
            *(one for one in that_day if one.teacher_id in ("", teacher_id)),
            *await store.sessions_of_teacher(unit, teacher_id, begins, begins + timedelta(days=1)),
        ]
    }
    given = [
        (one.class_id + one.taught, one.hours)
        for one in await store.made_up_by(unit, teacher_id, wanted.held_on)
    ]
    beside = [one for one in given if one[0] != training_class.id + wanted.taught]
    check_day_of_make_up(
        wanted.hours,
        of_person=sum(one.hours for one in that_day if one.id in mine)
        + sum(
            one.hours
            for one in there
            if one.kind is AddedKind.MADE_UP and one.voided_at is None and one.held_on == wanted.held_on
        ),
        of_teacher=sum(taught.values()) + taught_together(beside),
        most=(await policies.on(unit, wanted.held_on)).make_up_hours_a_day,
    )


def _says(one: AddedHours, wanted: MakeUp) -> bool:
    said = set(MakeUp.model_fields) - {"nonce"}
    return one.model_dump(include=said) == wanted.model_dump(include=said)


@transactional
async def void(unit: UnitOfWork, class_id: str, added_id: str, wanted: Voiding) -> None:
    """Takes hours beside the check-ins back, by staff of the institution, until the results are released. They stay readable and count
    no more; hours that were credited to the wrong class can then be credited to another one.

    Raises AlreadyVoided, ResultsReleased, ClassEnded, NotFound.
    """
    await _void(
        unit, await classes.get_class(unit, unit.actor, class_id), added_id, wanted, frozenset(_VOIDED)
    )


@transactional
async def void_as_teacher(unit: UnitOfWork, class_id: str, added_id: str, wanted: Voiding) -> None:
    """The same of 补课 by a teacher of the class; what another class held was counted by its approval, and is staff's to take back."""
    training_class = await classes.taught_class(unit, unit.actor, class_id)
    await _void(unit, training_class, added_id, wanted, frozenset({AddedKind.MADE_UP}))


async def _void(
    unit: UnitOfWork,
    training_class: TrainingClass,
    added_id: str,
    wanted: Voiding,
    kinds: frozenset[AddedKind],
) -> None:
    await classes.exclude_release(unit, training_class)
    there = {one.id: one for one in await store.added_of_class(unit, training_class.id)}
    found = there.get(added_id)
    if found is None or found.kind not in kinds:
        raise NotFound("没有这条课时记录。")
    if not await store.void_added(unit, added_id, unit.now, unit.actor.name, wanted.reason):
        raise AlreadyVoided(f"这条{found.kind.label}记录已经撤销，不再计入课时。")
    noted, told = _VOIDED[found.kind]
    unit.notify(found.person_id, told, **_news(training_class, found), reason=wanted.reason)
    unit.audit(noted, training_class.id, added=added_id, reason=wanted.reason, **_facts(found))


# ---- 转班补学


async def credit(
    unit: UnitOfWork, held_in: TrainingClass, counts_in: TrainingClass, hours_of: Mapping[str, int]
) -> dict[str, int]:
    """Part of an approval (interruptions): what these people held in one class counts in the other, never more than they are missing of
    what is owed there.

    Returns what counts, by person.
    """
    there = await service.hours_of_class(unit, counts_in)
    counted = {
        person_id: credited(held, there.owed - there.attended.get(person_id, 0))
        for person_id, held in hours_of.items()
    }
    new = [
        _added(
            unit,
            counts_in,
            AddedKind.CREDITED,
            person_id=person_id,
            hours=hours,
            held_on=beijing_date(unit.now),
            taught=held_in.name,
            taught_by=held_in.institution_name,
            from_class=held_in.id,
        )
        for person_id, hours in counted.items()
        if hours
    ]
    if new:
        await store.insert_added(unit, new)
    for one in new:
        unit.audit("attendance:credit", counts_in.id, added=one.id, **_facts(one))
    return counted


def _added(unit: UnitOfWork, training_class: TrainingClass, kind: AddedKind, **said: object) -> AddedHours:
    return AddedHours.model_validate(
        {
            **said,
            "class_id": training_class.id,
            "institution_code": training_class.institution_code,
            "province_code": training_class.province_code,
            "kind": kind,
            "recorded_at": unit.now,
            "recorded_by": unit.actor.name,
        }
    )


def _facts(one: AddedHours) -> dict[str, str | int]:
    return {
        "person_id": one.person_id,
        "hours": one.hours,
        "held_on": one.held_on.isoformat(),
        "taught": one.taught,
        "taught_by": one.taught_by,
    }


def _news(training_class: TrainingClass, one: AddedHours) -> dict[str, str]:
    return {
        "class_id": training_class.id,
        "class_name": training_class.name,
        "hours": str(one.hours),
        "title": one.taught,
    }
