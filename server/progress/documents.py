"""Who was asked again for what (催办)."""

from __future__ import annotations

from datetime import date, datetime

from server.kernel.mongo import Document
from server.progress.known import Owner


class Urging(Document):
    """One time that somebody was asked to do what waits for them. Unique by item, owner and day; never changed."""

    item: str
    """The key of the line on 工作台 (desk.Line)."""
    owner: Owner | None = None
    """Whose turn it was; what was asked before this was kept may have been asked of anybody."""
    since: date | None = None
    """Since when it had waited."""
    day: date
    title: str
    to: str
    """Who was asked, in words."""
    province_code: str | None
    institution_code: str | None
    """Of what waits."""
    by_id: str
    by: str
    office: str
    """The office of whoever asked, in words."""
    at: datetime

    def is_of(self, owner: Owner, since: date | None) -> bool:
        """Whether it was asked of these, in what they have to do since then: what has come back to them waits anew."""
        if self.owner not in (None, owner):
            return False
        return since is None or self.day > since or self.since == since
