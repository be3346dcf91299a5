"""Who did what to a reviewed document, and why: one step of its history (article 25.4, 谁发布，谁负责)."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from server.kernel.mongo import UnitOfWork


class Step(BaseModel):
    """`action` is the value of the chapter's own StrEnum of actions; `reason` is empty where none is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    actor_id: str
    actor_name: str
    action: str
    reason: str = ""


def step(unit: UnitOfWork, action: str, reason: str = "") -> Step:
    """A step that the actor of this unit of work takes now."""
    return Step(
        at=unit.now, actor_id=unit.actor.id, actor_name=unit.actor.name, action=action, reason=reason
    )
