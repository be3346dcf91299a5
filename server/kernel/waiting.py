"""What waits for somebody, and what was decided for somebody: lines of 工作台."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

NEWS_FOR = timedelta(days=7)
"""How long a decision stands on the 工作台 of whoever asked for it."""


@dataclass(frozen=True)
class Item:
    """One thing that waits: `key` names it for whoever asks again (催办), `href` leads to it."""

    key: str
    title: str
    href: str
    since: date
    due: date | None
    institution_name: str
    institution_code: str | None
    province_code: str | None


@dataclass(frozen=True)
class Waiting:
    """`count` things of one kind that wait; `href` leads to them, `overdue` when one is past its day. Where they have names of their own,
    `items` are those that have waited longest."""

    title: str
    href: str
    count: int
    overdue: bool = False
    items: tuple[Item, ...] = ()
    since: date | None = None
    due: date | None = None
    """Where they have the same days, as what is to be reported in a window."""


@dataclass(frozen=True)
class News:
    """A decision that this actor's side had asked for; `href` leads to it. What was returned waits (above) and is no news."""

    title: str
    href: str
    at: datetime
