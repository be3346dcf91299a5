"""The life of a class as a line of steps: what is done, by whom and when, and what comes next. Each chapter tells its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["done", "current", "todo"]


@dataclass(frozen=True)
class LifeStep:
    """One step: `who` did it and `when`, both empty as long as nobody has; `href` is where it is done or read."""

    title: str
    state: State
    who: str = ""
    when: datetime | None = None
    href: str = ""
    detail: str = ""


def entry_of(entries: Sequence[Mapping[str, Any]], *actions: str) -> tuple[str, datetime | None]:
    """Who last did one of these actions, and when, by the audit trail of the document (newest first)."""
    for entry in entries:
        if entry["action"] in actions:
            return entry["actor_name"], entry["at"]
    return "", None
