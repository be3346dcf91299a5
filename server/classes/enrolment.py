"""Places of a class: opened for applications, taken, given back, and who has arrived (article 4.4).

Whoever enrols people, by roster, by application or by selection, does it here: one count of places, one check of clashing days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server.accounts import people
from server.classes import service, store
from server.classes.documents import Enrolment, OpenClassFilter, TrainingClass
from server.classes.rules import RosterAction, Stage
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.namesakes import Listed, told_apart
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork


class NoPlaceLeft(Conflict):
    slug = "no-place-left"
    title = "名额已满"


class LeftBefore(Conflict):
    slug = "left-before"
    title = "已从本班退训"


class ClassOver(Conflict):
    slug = "roster-class-over"
    title = "培训班已结束"


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


def clash_words(training_class: TrainingClass, other: TrainingClass) -> str:
    """What the staff of a class may know of another class that somebody attends then: of another institution's, that there is one."""
    if other.institution_code != training_class.institution_code:
        return "同期已参加其他培训机构的培训，时间重叠，请与本人核实"
    return f"已在“{other.name}”（{other.starts_on} 至 {other.ends_on}）中，时间重叠"


async def enrol(unit: UnitOfWork, training_class: TrainingClass, newcomers: Sequence[Enrolment]) -> None:
    """Part of a chapter's use case: enrols these people, each taking a place, all or nobody, and tells them.

    Of two use cases that enrol one person at once the second sees the first. Raises NoPlaceLeft, DatesClash, LeftBefore.
    """
    service.require_not_ended(training_class)
    ids = [one.person_id for one in newcomers]
    await people.touch(unit, ids)
    for left in await left_trainees(unit, training_class.id):
        if left.person_id in ids:
            raise LeftBefore(f"{left.name}已于 {left.left_on} 从本班退训；要继续参加的，请在名册页撤销退训。")
    await require_no_clash(unit, training_class, {one.person_id: one.name for one in newcomers})
    if not await store.take_places(unit, training_class.id, len(newcomers)):
        raise NoPlaceLeft(
            f"本班名额 {training_class.places} 人，已录取 {training_class.admitted} 人，放不下了。"
        )
    await store.insert_enrolments(unit, newcomers)
    for one in newcomers:
        unit.notify(one.person_id, "enrolled", **_news(training_class))


def require_not_over(training_class: TrainingClass, today: date) -> None:
    """An institution puts nobody on the roster of a class whose last day is over: what they would be assessed by has been (articles 4.6,
    4.7). It may be put off with the approval of its province, and then goes on. Raises ClassOver."""
    if training_class.stage_on(today) is Stage.FINISHED:
        raise ClassOver(
            f"本班已于 {training_class.ends_on} 结束，名册不能再增加学员。还要继续办班的，请申请延期，经省级管理部门批准后再添加。"
        )


async def require_no_clash(scope: Scope, training_class: TrainingClass, names: Mapping[str, str]) -> None:
    """`names` by person. Raises DatesClash, which says of each of them who is in another class of the same days."""
    clashing = await overlapping_classes(scope, training_class, list(names))
    said = [
        f"{name}{clash_words(training_class, clashing[one])}"
        for one, name in names.items()
        if one in clashing
    ]
    if said:
        raise DatesClash(f"{'；'.join(said)}。")


async def require_days_free(
    unit: UnitOfWork, training_class: TrainingClass, starts_on: date, ends_on: date
) -> None:
    """Part of whatever gives a class other days: nobody of it would sit in two classrooms, also by an enrolment at the same moment.

    Raises DatesClash.
    """
    enrolled = await store.enrolments(unit, training_class.id)
    await people.touch(unit, [one.person_id for one in enrolled])
    listed = [Listed(one.name, one.work_unit, one.id_number_masked) for one in enrolled]
    names = dict(zip((one.person_id for one in enrolled), told_apart(listed), strict=True))
    there = training_class.model_copy(update={"starts_on": starts_on, "ends_on": ends_on})
    await require_no_clash(unit, there, names)


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


async def left_trainees(scope: Scope, class_id: str) -> list[Enrolment]:
    """Who has left a class that the caller has fetched already (退训)."""
    return [one for one in await store.enrolments_ever(scope, class_id) if one.left_on]


async def stop(unit: UnitOfWork, found: Enrolment, left_on: date, reason: str) -> None:
    """Part of a use case (admissions): the person is of the class no more from that day on; the record stays, the place is free."""
    history = [*found.history, step(unit, RosterAction.LEAVE, reason)]
    await store.replace_enrolment(unit, found.model_copy(update={"left_on": left_on, "history": history}))
    await store.give_back_place(unit, found.class_id)


async def go_on(unit: UnitOfWork, training_class: TrainingClass, found: Enrolment, reason: str) -> None:
    """Part of a use case (admissions): takes a 退训 back. Raises NoPlaceLeft, DatesClash."""
    await people.touch(unit, [found.person_id])
    other = (await overlapping_classes(unit, training_class, [found.person_id])).get(found.person_id)
    if other:
        raise DatesClash(f"{found.name}{clash_words(training_class, other)}。")
    if not await store.take_places(unit, training_class.id, 1):
        raise NoPlaceLeft(f"本班名额 {training_class.places} 人已满，放不下了。")
    history = [*found.history, step(unit, RosterAction.RETURN, reason)]
    await store.replace_enrolment(unit, found.model_copy(update={"left_on": None, "history": history}))


async def put_right(unit: UnitOfWork, changed: Enrolment) -> None:
    """Part of a use case (admissions): the row of the roster reads so from now on."""
    await store.replace_enrolment(
        unit, changed.model_copy(update={"history": [*changed.history, step(unit, RosterAction.EDIT)]})
    )


async def is_known_beside(scope: Scope, class_id: str, person_id: str) -> bool:
    """Whether any class but this knows this person, as a trainee or a teacher."""
    return await store.known_beside(scope, class_id, person_id)


@dataclass(frozen=True)
class Whereabouts:
    """Where a person is and was."""

    enrolments: list[Enrolment]
    """First known first, also those of who has left."""
    runs: frozenset[str]
    """The institutions with a class that is not over and done with, which the person attends or teaches."""


async def whereabouts(scope: Scope, person_id: str) -> Whereabouts:
    """Of anybody, for who has to find out who answers for them (identities)."""
    enrolments = await store.enrolments_of_ever(scope, person_id)
    attended = await store.classes_by_id(scope, [one.class_id for one in enrolments if not one.left_on])
    taught = await store.classes_taught_by(scope, person_id, before=None, limit=0)
    running = [one for one in (*attended.values(), *taught) if not one.frozen]
    return Whereabouts(enrolments, frozenset(one.institution_code for one in running))


async def trainee_ever(scope: Scope, class_id: str, person_id: str) -> Enrolment | None:
    """Somebody of a class that the caller has fetched already, also after they have left."""
    return await store.enrolment_ever(scope, class_id, person_id)


async def on_record(scope: Scope, class_id: str, person_id: str) -> Enrolment:
    """The same. Raises NotFound."""
    found = await trainee_ever(scope, class_id, person_id)
    if found is None:
        raise NotFound("该学员不在本班名册中。")
    return found


async def set_arrival(unit: UnitOfWork, class_id: str, person_id: str, at: datetime | None) -> bool:
    """Part of admissions' use case: notes the arrival (报到) of a trainee, or takes it back with None.

    False when it was so already.
    """
    return await store.set_arrival(unit, class_id, person_id, at, unit.actor.name if at else None)


async def everybody(scope: Scope, training_class: TrainingClass) -> list[str]:
    """The person ids of those who attend or teach a class: who is told when its timetable changes."""
    attending = [one.person_id for one in await store.enrolments(scope, training_class.id)]
    return list(dict.fromkeys([*attending, *(one.person_id for one in training_class.teachers)]))


async def tell_of_correction(unit: UnitOfWork, training_class: TrainingClass) -> None:
    """Part of an approval (corrections): whoever is enrolled hears how the class reads now; its teachers hear of their invitations."""
    for one in await store.enrolments(unit, training_class.id):
        unit.notify(one.person_id, "class-corrected", **_news(training_class))


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


async def mine_in(scope: Scope, person_id: str, class_ids: Sequence[str]) -> dict[str, Enrolment]:
    """By class the rows of one person, who has not left."""
    reach = {"class_id": {"$in": list(class_ids)}}
    found = await store.enrolments_of(scope, person_id, reach, before=None, limit=len(class_ids))
    return {one.class_id: one for one in found}
