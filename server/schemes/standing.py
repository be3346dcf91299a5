"""How the scheme of a class stands: for the life of the class, and for who has to do something about it."""

from __future__ import annotations

from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.waiting import Waiting
from server.schemes import store
from server.schemes.documents import SchemeFilter
from server.schemes.rules import State

LISTED_MOST = 200


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


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """Returned, unsigned and unfiled schemes for an institution; submitted ones for a province. Overdue: the class has begun."""
    lines: list[tuple[str, list[State], bool | None]]
    if holds(actor, Permission.SCHEMES_REVIEW):
        lines = [("培训方案待审核", [State.SUBMITTED], None)]
    elif holds(actor, Permission.SCHEMES_MANAGE):
        lines = [
            ("培训方案被退回，待修改", [State.RETURNED], None),
            ("授课教师修改了培训方案，待查看和送签", [State.DRAFT], True),
            ("培训方案草稿，待送教师签署", [State.DRAFT], False),
            ("培训方案签署中，签齐后报送", [State.SIGNING], None),
        ]
    else:
        return []
    today = beijing_date(platform.clock.now())
    found = []
    for title, states, by_teacher in lines:
        schemes = [
            one
            for one in await store.schemes(
                platform, actor.jurisdiction, SchemeFilter(states), limit=LISTED_MOST
            )
            if by_teacher is None or one.saved_by_teacher is by_teacher
        ]
        if schemes:
            begun = await classes.classes_of(platform, [one.class_id for one in schemes])
            href = f"/admin/classes/{schemes[0].class_id}/scheme" if len(schemes) == 1 else "/admin/schemes"
            found.append(
                Waiting(title, href, len(schemes), any(one.starts_on <= today for one in begun.values()))
            )
    return found
