"""How the scheme of a class stands: for the life of the class, and for who has to do something about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.classes import service as classes
from server.classes.documents import ClassTeacher, TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.schemes import store
from server.schemes.rules import State


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """培训方案 (article 4.3): done once a version is in force; classes of before the applications may do without."""
    newest = await store.newest(platform, training_class.id)
    in_force = next(
        (one for one in await store.versions(platform, training_class.id) if one.state is State.APPROVED),
        None,
    )
    if newest is None and training_class.application_id is None:
        return []
    approval = in_force.history[-1] if in_force else None
    return [
        LifeStep(
            "培训方案",
            "done" if in_force else "current" if newest else "todo",
            approval.actor_name if approval else "",
            approval.at if approval else None,
            f"/admin/classes/{training_class.id}/scheme",
            f"第 {in_force.version} 版" if in_force else newest.state.label if newest else "",
        )
    ]


@dataclass(frozen=True)
class Newest:
    """How the newest version of a scheme stands."""

    id: str
    state: State
    since: date
    """When its last step was taken."""
    by_teacher: bool
    unsigned: tuple[ClassTeacher, ...]
    """The teachers of the class who have not signed it."""
    signed_on: date | None = None
    """When somebody last signed it."""


async def signatures_waiting(platform: Platform, actor: Actor) -> int:
    """How many schemes of the classes of this backbone teacher wait for the teacher's signature (article 4.3)."""
    taught = [one.id for one in await classes.my_teaching(platform, actor) if not one.frozen]
    return await store.count_unsigned(platform, taught, actor.person_id)


async def of_classes(scope: Scope, found: Sequence[TrainingClass]) -> dict[str, Newest]:
    """By class id, of classes that the caller has fetched already; one without a scheme is left out."""
    there = {one.id: one for one in found}
    newest = {}
    for row in await store.newest_of(scope, list(there)):
        teachers = there[row["class_id"]].teachers
        newest[row["class_id"]] = Newest(
            row["_id"],
            State(row["state"]),
            beijing_date(row["since"]),
            bool(row.get("saved_by_teacher")),
            tuple(one for one in teachers if one.person_id not in row.get("signed", ())),
            beijing_date(row["signed_at"]) if row.get("signed_at") else None,
        )
    return newest
