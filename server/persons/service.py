"""One person, as one office may know them: what its own classes say, and nothing of anybody else's.

An institution sees who is or was in its classes, with these classes; a province those of its own, and who belongs to it by now (调动); the
centre everybody. Whoever came from elsewhere comes without the classes, certificates and marks of there: these stay with the offices
that were responsible for them, and are not even named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter

from server.accounts import people
from server.accounts.documents import Person
from server.accounts.rules import last_four
from server.assessment import submissions
from server.assessment.documents import Result
from server.assessment.submissions import WorkOnTask
from server.attendance import rolls
from server.attendance.rolls import Attended
from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.certificates import service as certificates
from server.certificates.documents import Certificate
from server.classes import persons as rosters
from server.classes import service as classes
from server.classes.belonging import belonging, units_of
from server.classes.documents import Enrolment, TrainingClass
from server.corrections import service as corrections
from server.corrections.documents import Correction
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.messages import delivery
from server.messages.delivery import Told
from server.progress import facts
from server.progress.known import stands


@dataclass(frozen=True)
class PersonRow:
    """Somebody in a list."""

    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    seen_on: date | None
    """When they came onto the last roster."""
    cursor: str


@dataclass(frozen=True)
class Attendance:
    """One person in one class."""

    training_class: TrainingClass
    place: str
    """环节."""
    enrolment: Enrolment
    sessions: list[Attended]
    work: list[WorkOnTask]
    result: Result | None
    certificate: Certificate | None

    @property
    def came(self) -> int:
        return sum(one.check_in is not None and one.check_in.attended for one in self.sessions)

    def held_at(self, now: datetime) -> int:
        return sum(one.held_at(now) for one in self.sessions)


@dataclass(frozen=True)
class PersonRecord:
    person: Person
    id_number_masked: str
    """Of who is on no roster here the last four digits alone."""
    work_unit: str
    attended: list[Attendance]
    """Newest first."""
    taught: list[tuple[TrainingClass, str]]
    certificates: list[Certificate]
    corrections: list[Correction]
    member: PoolMember | None
    """In the pool, which every office may read."""
    messages: list[Told] | None
    """None for who does not see what is sent."""


MESSAGES_SHOWN = 20
CERTIFICATES_SHOWN = 100
AT_ONCE = 50


async def list_people(
    platform: Platform, actor: Actor, words: str, *, before: str | None = None, limit: int = 20
) -> list[PersonRow]:
    """The people in the actor's reach, those known last first. `words`: parts of the name, the last four digits of the number."""
    if Role.NATIONAL_CENTRE in actor.roles:
        everybody = await people.everybody(platform, words, before=before, limit=limit)
        seen = await rosters.last_seen(platform, [one.id for one in everybody])
        rows = [_row(seen.get(one.id), one) for one in everybody]
    else:
        found = await rosters.people_on_rosters(platform, actor, words, before=before, limit=limit)
        rows = [_row(one) for one in found]
        rows += await _moved_here(platform, actor, words, before=before, limit=limit)
        rows = sorted(rows, key=attrgetter("cursor"), reverse=True)[:limit]
    units = await units_of(platform, {one.person_id: one.work_unit for one in rows})
    return [replace(one, work_unit=units[one.person_id]) for one in rows]


def _row(seen: Enrolment | None, known: Person | None = None) -> PersonRow:
    """A person by the newest row of a roster, or by what is known without one, or by both: then the person is who is paged by."""
    unit, day = (seen.work_unit, beijing_date(seen.enrolled_at)) if seen else ("", None)
    if known is not None:
        return PersonRow(known.id, known.name, known.id_number_masked, unit, day, known.id)
    assert seen is not None
    return PersonRow(seen.person_id, seen.name, seen.id_number_masked, unit, day, seen.id)


async def _moved_here(
    platform: Platform, actor: Actor, words: str, *, before: str | None, limit: int
) -> list[PersonRow]:
    """Who belongs to the actor's province since a move and is on no roster there: known last first, by the last four digits alone."""
    found: list[PersonRow] = []
    while Role.PROVINCE in actor.roles and len(found) < limit:
        batch = await people.moved_to(
            platform, actor.province_code or "", words, before=before, limit=AT_ONCE
        )
        listed = await rosters.known_here(platform, actor, [one.id for one in batch])
        found += [
            replace(_row(None, one), id_number_masked=last_four(one.id_number_masked))
            for one in batch
            if one.id not in listed
        ]
        if len(batch) < AT_ONCE:
            break
        before = batch[-1].id
    return found


async def person(platform: Platform, actor: Actor, person_id: str) -> PersonRecord:
    """Raises NotFound for whom no class in the actor's reach knows and who does not belong to the actor's province."""
    known = (await people.persons(platform, [person_id])).get(person_id)
    there = await rosters.classes_of_person(platform, actor, person_id)
    whole = Role.NATIONAL_CENTRE in actor.roles
    if known is None or not (there.all or whole or await _belongs(platform, actor, person_id)):
        raise NotFound("没有这个人，或不在您的管理范围内。")
    ids = [one.id for one, _ in there.enrolled]
    places = await _stand(platform, there.all)
    sessions = await rolls.of_person(platform, person_id, ids)
    work = await submissions.of_person(platform, person_id, ids)
    papers = await certificates.of_person(platform, actor, person_id, limit=CERTIFICATES_SHOWN)
    by_class = {one.class_id: one for one in sorted(papers, key=lambda one: (one.current, one.id))}
    attended = [
        Attendance(
            training_class,
            places[training_class.id],
            enrolment,
            sessions[training_class.id],
            work.tasks[training_class.id],
            work.results.get(training_class.id),
            by_class.get(training_class.id),
        )
        for training_class, enrolment in there.enrolled
    ]
    sees_messages = holds(actor, Permission.MESSAGES_MANAGE)
    member = await backbone.teacher_in_pool(platform, person_id)
    said = next((one.work_unit for _, one in there.enrolled), "")
    masked = known.id_number_masked
    return PersonRecord(
        known,
        masked if attended or whole else last_four(masked),
        (await units_of(platform, {person_id: said}))[person_id],
        attended,
        [(one, places[one.id]) for one in there.taught],
        papers,
        await corrections.of_person(platform, actor, person_id),
        member,
        await delivery.sent_to(platform, person_id, MESSAGES_SHOWN) if sees_messages else None,
    )


async def _belongs(platform: Platform, actor: Actor, person_id: str) -> bool:
    """Whether the actor's province answers for this person (server/decisions/0027)."""
    if Role.PROVINCE not in actor.roles:
        return False
    return (await belonging(platform, person_id)).province_code == actor.province_code


@dataclass(frozen=True)
class Opens:
    """What a correction is about, as far as its reader may look at it: the province that decides may know neither."""

    the_class: bool
    person: bool


async def opens(platform: Platform, actor: Actor, found: Correction) -> Opens:
    person_id = found.person_id or ""
    there = await rosters.known_here(platform, actor, [person_id])
    return Opens(
        bool(found.class_id) and await _sees_class(platform, actor, found.class_id or ""),
        bool(person_id) and (bool(there) or await _belongs(platform, actor, person_id)),
    )


async def _sees_class(platform: Platform, actor: Actor, class_id: str) -> bool:
    try:
        await classes.get_class(platform, actor, class_id)
    except NotFound:
        return False
    return True


async def _stand(platform: Platform, found: Sequence[TrainingClass]) -> dict[str, str]:
    """By class id its 环节."""
    today = beijing_date(platform.clock.now())
    gathered = await facts.gather(platform, found)
    return {class_id: stands(known, today) for class_id, known in gathered.items()}
