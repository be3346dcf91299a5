"""What waits for somebody, and what was decided for somebody: lines of the home page (待办, 近期审核结果)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

NEWS_FOR = timedelta(days=7)
"""How long a decision stands on the home page of whoever asked for it."""


@dataclass(frozen=True)
class Waiting:
    """`count` things of one kind that wait for this actor; `href` leads to them, `overdue` when one is past its day."""

    title: str
    href: str
    count: int
    overdue: bool = False


@dataclass(frozen=True)
class News:
    """A decision that this actor's side had asked for; `href` leads to it. What was returned waits (above) and is no news."""

    title: str
    href: str
    at: datetime
