"""What other pages and chapters ask about classes that do not run as they were planned."""

from __future__ import annotations

from datetime import datetime

from server.attendance import work
from server.classes import service as classes
from server.classes.documents import ClassFilter, TrainingClass
from server.interruptions import revoking, rules, store
from server.interruptions.documents import ClassChange
from server.interruptions.rules import Kind, State
from server.interruptions.service import course_of
from server.kernel.clock import beijing_date
from server.kernel.errors import Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope

CLASSES_OFFERED = 100


async def later_classes(
    platform: Platform, actor: Actor, training_class: TrainingClass
) -> list[TrainingClass]:
    """Classes of the actor's own institution in which the people of this one could finish; others are named by their number."""
    narrowed = ClassFilter(level=training_class.level.value, major=training_class.major)
    rows = await classes.list_classes(platform, actor, narrowed, limit=CLASSES_OFFERED)
    today = beijing_date(platform.clock.now())
    everybody = [one.person_id for one in await classes.trainees(platform, training_class.id)]
    held_to = await work.last_day_of(platform, training_class.id, everybody)
    found = []
    for row in rows:
        try:
            rules.check_later_class(course_of(training_class, today), course_of(row.item, today), held_to)
        except rules.NotLater:
            continue
        found.append(row.item)
    return found


async def may_be_revoked(platform: Platform, actor: Actor, change: ClassChange) -> bool:
    """Whether the actor's institution could ask now that this approved change is undone."""
    if actor.institution_code != change.institution_code:
        return False
    training_class = await classes.get_class(platform, actor, change.class_id)
    waits = await store.waiting_of(platform, change.class_id)
    if training_class.frozen or (waits is not None and waits.open):
        return False
    try:
        await revoking.check(platform, training_class, change)
        await revoking.moves_back(platform, change)
    except Problem:
        return False
    return True


async def adjusted_by(scope: Scope, class_id: str) -> list[str]:
    """What moved or ended a class that the caller has fetched already, each in a line, oldest first: why its sessions are not held as its
    scheme was approved."""
    done = [
        one
        for one in reversed(await store.of_class(scope, class_id))
        if one.state in (State.APPROVED, State.DONE) and one.kind is not Kind.REVOKE
    ]
    return [f"{beijing_date(one.history[-1].at)} {one.kind.label}：{one.words}" for one in done]


async def fell_to_force_majeure(
    scope: Scope, institution_code: str, since: datetime
) -> list[tuple[str, str]]:
    """(class, what became of it), of those that 不可抗力 kept an institution from holding: a fact of a base's case (article 5.3)."""
    found = await store.fell_to_force_majeure(scope, institution_code, since)
    return [(one.class_name, f"{beijing_date(one.filed_at)} {one.kind.label}：{one.reason}") for one in found]
