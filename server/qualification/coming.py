"""What has been agreed already: the class that a warned teacher or base has before it, which answers the warning once it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.classes import facts as class_facts
from server.institutions.rules import QualificationKind
from server.invitations import engagements
from server.kernel.unit_of_work import Scope
from server.qualification.documents import EarlyWarning
from server.qualification.rules import Rule


@dataclass(frozen=True)
class Coming:
    class_name: str
    starts_on: date


async def coming(scope: Scope, given: Sequence[EarlyWarning]) -> dict[str, Coming]:
    """By id of the warning, where it is one of idleness and something is to come; ask for some hundred at a time."""
    teachers = {one.id: one.subject_id for one in given if one.rule is Rule.NO_TASK}
    bases = {one.id: one.institution_code or "" for one in given if one.rule is Rule.NO_CLASS}
    tasks = await engagements.next_tasks(scope, sorted(set(teachers.values())))
    classes = await class_facts.next_classes(
        scope, sorted(set(bases.values())), QualificationKind.TRAINING_BASE
    )
    found = {
        warning_id: Coming(tasks[teacher].class_name, tasks[teacher].starts_on)
        for warning_id, teacher in teachers.items()
        if teacher in tasks
    }
    return found | {
        warning_id: Coming(classes[code].name, classes[code].starts_on)
        for warning_id, code in bases.items()
        if code in classes
    }
