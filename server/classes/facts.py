"""What a class says of itself, and how it reads once a correction is approved (article 25.4; decided in server.corrections)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bson.binary import Binary

from server.accounts import people
from server.classes import enrolment, rules, service, store, trained_store
from server.classes.documents import TrainingClass
from server.institutions import rules as institution_rules
from server.institutions import service as institutions
from server.institutions.rules import Qualification, QualificationKind, levels_of
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, State, entry_of
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork


@dataclass(frozen=True)
class ClassFacts:
    name: str
    place: str
    starts_on: date
    ends_on: date

    @property
    def days(self) -> tuple[date, date]:
        return self.starts_on, self.ends_on


async def check_facts(unit: UnitOfWork, training_class: TrainingClass, facts: ClassFacts) -> None:
    """Raises Invalid for dates, NotQualified when the institution may not train this class on its new first day (articles 4, 16), and of
    new days DaysFixed, and DatesClash for people who are in another class then."""
    rules.check_dates(facts.starts_on, facts.ends_on)
    if facts.days != (training_class.starts_on, training_class.ends_on):
        released = training_class.results_released_at is not None
        rules.require_days_open(released=released, put_off=training_class.put_off)
        await enrolment.require_days_free(unit, training_class, *facts.days)
    if facts.starts_on != training_class.starts_on:
        found = await institutions.institution(unit, unit.actor, training_class.institution_code)
        institution_rules.require_qualified(
            found.qualifications, training_class.level, training_class.major, facts.starts_on
        )


async def correct_facts(unit: UnitOfWork, class_id: str, facts: ClassFacts) -> None:
    """Part of an approval: the class reads so from now on. What was printed before stays as it was printed. Raises as `check_facts`."""
    training_class = await service.get_class(unit, unit.actor, class_id)
    service.require_not_ended(training_class)
    await check_facts(unit, training_class, facts)
    await store.set_facts(unit, class_id, facts.name, facts.place, facts.starts_on, facts.ends_on)


async def rename_person(unit: UnitOfWork, person_id: str, name: str) -> None:
    """Part of an approval: the person, every roster and every class that names them. Released results and certificates stay."""
    await people.rename(unit, person_id, name)
    await store.rename_person(unit, person_id, name)


async def renumber_person(unit: UnitOfWork, person_id: str, id_number: Binary, masked: str) -> None:
    """Part of an approval: the same of the ID number. Raises NumberTaken."""
    await people.renumber(unit, person_id, id_number, masked)
    await store.renumber_person(unit, person_id, masked)


async def rename_institution(unit: UnitOfWork, code: str, name: str) -> None:
    """Part of an approval: the classes whose results are not released carry the institution's new name, on their certificates too."""
    await store.rename_institution(unit, code, name)


async def released_of(scope: Scope, code: str) -> list[str]:
    """The ids of an institution's classes whose results are released."""
    return await store.released_of(scope, code)


async def classes_under(
    platform: Platform, actor: Actor, institution_code: str, held: Qualification
) -> list[TrainingClass]:
    """The running and future classes that an institution gives by virtue of a qualification, the first to begin first."""
    today = beijing_date(platform.clock.now())
    found = await store.unfinished_of(platform, actor.jurisdiction, institution_code, today)
    return [one for one in found if one.level in levels_of(held.kind) and one.major in held.majors]


async def last_trained(
    scope: Scope, institution_codes: Sequence[str], kind: QualificationKind
) -> dict[str, date]:
    """By institution the last day of training by a released class of the kind's levels (classes.work); who never gave one is left out.

    Read off an index; ask for some hundred institutions at a time.
    """
    return await trained_store.last_trained(scope, institution_codes, levels_of(kind))


async def name_of_trained(scope: Scope, institution_code: str, kind: QualificationKind, last: date) -> str:
    """The name of the class that `last_trained` speaks of."""
    found = await trained_store.trained_on(scope, institution_code, levels_of(kind), last)
    return found.name if found else ""


async def begun_and_unreleased(
    scope: Scope, institution_codes: Sequence[str], kind: QualificationKind, *, ended_from: date
) -> list[TrainingClass]:
    """The classes of the kind's levels that run, or have ended on that day or later, and are not released."""
    today = beijing_date(scope.platform.clock.now())
    return await trained_store.begun_and_unreleased(
        scope, institution_codes, levels_of(kind), ended_from, today
    )


async def next_classes(
    scope: Scope, institution_codes: Sequence[str], kind: QualificationKind
) -> dict[str, TrainingClass]:
    """By institution the class of the kind's levels that begins next, after today; who has none before it is left out."""
    today = beijing_date(scope.platform.clock.now())
    found: dict[str, TrainingClass] = {}
    for one in await trained_store.classes_to_come(scope, institution_codes, levels_of(kind), today):
        found.setdefault(one.institution_code, one)
    return found


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """名册: imported or enrolled; it is settled when the class has begun."""
    counts = await store.count_enrolments(platform, [training_class.id])
    trainees = counts.get(training_class.id, 0)
    entries = await audit.of_subject(platform, training_class.id)
    who, when = entry_of(entries, "classes:confirm-roster")
    href = f"/admin/classes/{training_class.id}/roster"
    uploaded = not trainees and await service.waiting_rosters(platform, [training_class.id])
    state: State = "done" if trainees else "current" if uploaded else "todo"
    return [LifeStep("名册", state, who, when, href, f"{trainees} 人" if trainees else "")]
