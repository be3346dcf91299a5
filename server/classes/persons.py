"""People as the rosters of one reach know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.classes import person_store, store
from server.classes.documents import Enrolment, TrainingClass
from server.kernel.identity import Actor
from server.kernel.unit_of_work import Scope


@dataclass(frozen=True)
class ClassesOfPerson:
    """What one person has to do with the classes of a reach; each newest first."""

    enrolled: list[tuple[TrainingClass, Enrolment]]
    """Also those that they have left."""
    taught: list[TrainingClass]

    @property
    def all(self) -> list[TrainingClass]:
        return [one for one, _ in self.enrolled] + self.taught


async def people_on_rosters(
    scope: Scope, actor: Actor, words: str, *, before: str | None, limit: int
) -> list[Enrolment]:
    """Of each person on a roster in the actor's reach the newest row, newest first. `words`: parts of the name, the last four digits."""
    return await person_store.people(scope, actor.jurisdiction, words, before=before, limit=limit)


async def known_here(scope: Scope, actor: Actor, person_ids: Sequence[str]) -> set[str]:
    """Those of these people who are or were on a roster in the actor's reach."""
    return {*await person_store.newest_ids(scope, actor.jurisdiction, person_ids)}


async def last_seen(scope: Scope, person_ids: Sequence[str]) -> dict[str, Enrolment]:
    """By person the newest row on any roster, for the centre: who was on none is left out."""
    return await person_store.newest_rows(scope, person_ids)


async def classes_of_person(scope: Scope, actor: Actor, person_id: str) -> ClassesOfPerson:
    """In the actor's reach and nowhere else."""
    rows = await person_store.enrolled(scope, actor.jurisdiction, person_id)
    taught = await person_store.taught(scope, actor.jurisdiction, person_id)
    by_id = await store.classes_by_id(scope, [one.class_id for one in rows])
    return ClassesOfPerson([(by_id[one.class_id], one) for one in rows], taught)
