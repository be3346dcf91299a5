"""Places of a class: opened for applications, taken, given back, and who has arrived (article 4.4).

Whoever enrols people, by roster, by application or by selection, does it here: one count of places, one check of clashing days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.accounts import people
from server.classes import service, store
from server.classes.documents import Enrolment, OpenClassFilter, TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork


class NoPlaceLeft(Conflict):
    slug = "no-place-left"
    title = "名额已满"


class DatesClash(Conflict):
    slug = "dates-clash"
    title = "培训时间重叠"


async def open_classes(
    platform: Platform, narrowed: OpenClassFilter, *, before: str | None = None, limit: int = 20
) -> list[TrainingClass]:
    """The classes of the country that take applications now, newest first."""
    return await store.open_for_enrolment(
        platform, narrowed, platform.clock.now(), before=before, limit=limit
    )


async def class_open_to_all(scope: Scope, class_id: str) -> TrainingClass:
    """A class that was ever opened for applications, for whoever asks. Raises NotFound for any other."""
    found = (await store.classes_by_id(scope, [class_id])).get(class_id)
    if found is None or found.enrolment_opens is None:
        raise NotFound("没有这个培训班，或它没有开放报名。")
    return found


async def set_enrolment(
    unit: UnitOfWork, training_class: TrainingClass, opens: datetime, closes: datetime, places: int
) -> None:
    """Part of admissions' use case: opens a class for applications. Raises NoPlaceLeft for fewer places than are taken."""
    taken = (await store.count_enrolments(unit, [training_class.id])).get(training_class.id, 0)
    if places < taken:
        raise NoPlaceLeft(f"本班已有 {taken} 名学员，名额不能少于这个人数。")
    await store.set_enrolment(unit, training_class.id, opens, closes, places, taken)


async def overlapping_classes(
    scope: Scope, training_class: TrainingClass, person_ids: Sequence[str]
) -> dict[str, TrainingClass]:
    """By person: another class of theirs that has a day in common with this one."""
    return await store.other_classes(
        scope, person_ids, training_class.id, training_class.starts_on, training_class.ends_on
    )


async def enrol(unit: UnitOfWork, training_class: TrainingClass, newcomers: Sequence[Enrolment]) -> None:
    """Part of a chapter's use case: enrols these people, each taking a place, all or nobody, and tells them.

    Of two use cases that enrol one person at once the second sees the first. Raises NoPlaceLeft, DatesClash.
    """
    service.require_not_ended(training_class)
    ids = [one.person_id for one in newcomers]
    await people.touch(unit, ids)
    clashing = await overlapping_classes(unit, training_class, ids)
    for one in newcomers:
        if other := clashing.get(one.person_id):
            raise DatesClash(
                f"{one.name}已在“{other.name}”（{other.starts_on} 至 {other.ends_on}）中，时间重叠。"
            )
    if not await store.take_places(unit, training_class.id, len(newcomers)):
        raise NoPlaceLeft(
            f"本班名额 {training_class.places} 人，已录取 {training_class.admitted} 人，放不下了。"
        )
    await store.insert_enrolments(unit, newcomers)
    for one in newcomers:
        unit.notify(one.person_id, "enrolled", **_news(training_class))


async def leave(unit: UnitOfWork, class_id: str, person_id: str) -> None:
    """Part of a use case (admissions, selection): takes a person out of a class again, whose place becomes free. Raises NotFound."""
    if not await store.delete_enrolment(unit, class_id, person_id):
        raise NotFound("该学员不在本班名册中。")
    await store.give_back_place(unit, class_id)


async def leave_all(unit: UnitOfWork, training_class: TrainingClass) -> list[Enrolment]:
    """Part of a calling-off (interruptions): nobody stays enrolled; returns who was. The class itself is written by the caller."""
    enrolled = await store.enrolments(unit, training_class.id)
    await store.delete_enrolments(unit, training_class.id)
    return enrolled


async def awaited_arrivals(platform: Platform, actor: Actor) -> list[tuple[TrainingClass, int]]:
    """The running classes in the actor's jurisdiction in which somebody has not arrived (报到), with how many."""
    return await store.awaited_arrivals(platform, actor.jurisdiction, beijing_date(platform.clock.now()))


async def set_arrival(unit: UnitOfWork, class_id: str, person_id: str, at: datetime | None) -> bool:
    """Part of admissions' use case: notes the arrival (报到) of a trainee, or takes it back with None.

    False when it was so already.
    """
    return await store.set_arrival(unit, class_id, person_id, at, unit.actor.name if at else None)


def _news(training_class: TrainingClass) -> dict[str, str]:
    """What a message about a class says of it."""
    return {
        "class_id": training_class.id,
        "class_name": training_class.name,
        "starts_on": training_class.starts_on.isoformat(),
        "ends_on": training_class.ends_on.isoformat(),
        "place": training_class.place,
        "institution": training_class.institution_name,
    }
