"""What comes next for classes, said once (指南第四条): their page, every list, 工作台, the inbox and reminders read it here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.classes.documents import TrainingClass
from server.institutions import service as institutions
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.unit_of_work import Scope
from server.progress import facts, rules
from server.progress.known import Owner, Step, province_office

_WRITTEN = ("/changes/postpone", "/changes/call-off", "/changes/terminate", "/sessions/teachers")
"""Pages that only the institution opens; anybody else is led to the class."""


async def steps_of(scope: Scope, actor: Actor, found: Sequence[TrainingClass]) -> dict[str, list[Step]]:
    """By class id what waits, in the order in which the actor's office reads it, of classes that the actor has fetched in their reach: also
    of those that are over. As many queries for a hundred classes as for one."""
    today = beijing_date(scope.platform.clock.now())
    gathered = await facts.gather(scope, found)
    office = office_of(actor)
    return {
        class_id: [
            _for(actor, class_id, one) for one in rules.in_order(rules.next_steps(known, today), office)
        ]
        for class_id, known in gathered.items()
    }


async def steps_of_class(scope: Scope, actor: Actor, training_class: TrainingClass) -> list[Step]:
    """The same of one class."""
    return (await steps_of(scope, actor, [training_class]))[training_class.id]


def office_of(actor: Actor) -> Owner:
    """Whose steps are this member of staff's."""
    if Role.NATIONAL_CENTRE in actor.roles:
        return Owner.CENTRE
    return Owner.PROVINCE if Role.PROVINCE in actor.roles else Owner.INSTITUTION


async def office_in_words(scope: Scope, actor: Actor) -> str:
    """The office of a member of staff as others call it."""
    match office_of(actor):
        case Owner.CENTRE:
            return Owner.CENTRE.label
        case Owner.PROVINCE:
            return province_office(facts.PROVINCE_NAMES[actor.province_code or ""])
    return await institutions.name_of(scope, actor.institution_code or "")


def _for(actor: Actor, class_id: str, step: Step) -> Step:
    if step.url.endswith(_WRITTEN) and not holds(actor, Permission.CLASSES_MANAGE):
        return replace(step, url=f"/admin/classes/{class_id}")
    return step
