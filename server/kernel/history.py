"""The steps of a document that is reviewed: who did what, when, and why."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from server.kernel.unit_of_work import UnitOfWork


class Step(BaseModel):
    """One step of a document's life; `action` is the code of the chapter's own Action."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: datetime
    actor_id: str
    actor_name: str
    action: str
    reason: str = ""
    office: str = ""
    """Of a member of staff (kernel.offices); empty of anybody else, and of what was done before it was noted."""


def step(unit: UnitOfWork, action: str, reason: str = "") -> Step:
    """What the actor of this unit of work does now."""
    actor = unit.actor
    office = actor.office if actor.kind == "account" else ""
    return Step(
        at=unit.now, actor_id=actor.id, actor_name=actor.name, action=action, reason=reason, office=office
    )
