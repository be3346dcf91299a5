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
    provinces: tuple[str, ...]
    """Codes: where it is, or whose turn it is."""


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
    """Of the oldest."""


@dataclass(frozen=True)
class Owed:
    """Things of one kind that wait for one office (kernel.offices), as its superior and who waits for them see it: how many, since when,
    and the id of the one that has waited longest."""

    office: str
    count: int
    since: date
    oldest: str


def counted(title: str, href: str, count: int, since: date | None, days: int, today: date) -> list[Waiting]:
    """The line of what has no names: `since` is the day of the oldest, which is to be done in so many days. None of nothing."""
    due = since + timedelta(days=days) if since else None
    return [Waiting(title, href, count, bool(due and today > due), (), since, due)] if count else []


@dataclass(frozen=True)
class News:
    """A decision that this actor's side had asked for; `href` leads to it. What was returned waits (above) and is no news."""

    title: str
    href: str
    at: datetime
