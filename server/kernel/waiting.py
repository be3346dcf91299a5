"""What waits for somebody: a line of the home page (待办)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """`count` things of one kind that wait for this actor; `href` leads to them, `overdue` when one is past its day."""

    title: str
    href: str
    count: int
    overdue: bool = False
