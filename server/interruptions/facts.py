"""What other pages and chapters ask about classes that do not run as they were planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.attendance import work
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.institutions import service as institutions
from server.interruptions import revoking, rules, store
from server.interruptions.documents import ClassChange
from server.interruptions.rules import Kind, State
from server.interruptions.service import course_of
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Problem
from server.kernel.identity import INSTITUTION_ROLES, Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Owed, Waiting, counted

CLASSES_OFFERED = 500


@dataclass(frozen=True)
class LaterClasses:
    """Where the people of a class could finish: who gives such classes, and those of the one that was chosen."""

    institutions: list[tuple[str, str]]
    """Code and name, the own one first."""
    chosen: str
    classes: list[tuple[str, str]]
    """Id, and name with days: nothing else of another institution's class is shown."""


async def later_classes(scope: Scope, training_class: TrainingClass, institution_code: str) -> LaterClasses:
    """The later classes of this level and 专业大类 that an institution gives, the own one where none is named."""
    today = beijing_date(scope.platform.clock.now())
    everybody = [one.person_id for one in await classes.trainees(scope, training_class.id)]
    held_to = await work.last_day_of(scope, training_class.id, everybody)
    found = []
    for one in await classes.to_finish_in(scope, training_class, CLASSES_OFFERED):
        try:
            rules.check_later_class(course_of(training_class, today), course_of(one, today), held_to)
        except rules.NotLater:
            continue
        found.append(one)
    own = {training_class.institution_code: training_class.institution_name}
    others = {one.institution_code: one.institution_name for one in found}
    chosen = institution_code or training_class.institution_code
    return LaterClasses(
        list((own | others).items()),
        chosen,
        [
            (one.id, f"{one.name}（{one.starts_on} 至 {one.ends_on}）")
            for one in found
            if one.institution_code == chosen
        ],
    )


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


async def unsettled(scope: Scope, class_ids: Sequence[str]) -> dict[str, ClassChange]:
    """By class id the change that is not settled: it waits, or has come back."""
    return {one.class_id: one for one in await store.unsettled(scope, class_ids)}


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


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """Who asks an institution to finish in its classes."""
    if not actor.roles & INSTITUTION_ROLES or actor.institution_code is None:
        return []
    count, at = await store.asked_of(platform, actor.institution_code)
    today = beijing_date(platform.clock.now())
    days = (await policies.on(platform, today)).review_days
    href = f"/admin/changes?state={State.ASKED}"
    return counted("请求转入本单位培训班的学员", href, count, at and beijing_date(at), days, today)


async def owed(scope: Scope, actor: Actor) -> list[Owed]:
    """Which institutions are asked that, by whoever oversees them, or for a class in the actor's jurisdiction."""
    below = await institutions.codes_in_reach(scope, actor) if actor.institution_code is None else []
    return await store.owed(scope, actor.jurisdiction, below)
