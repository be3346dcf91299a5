"""Who was asked again for what (催办)."""

from __future__ import annotations

from datetime import date, datetime

from server.kernel.mongo import Document


class Urging(Document):
    """One time that an office was asked to do what waits for it. Unique by item and day; never changed."""

    item: str
    """The key of the line on 工作台 (desk.Line)."""
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
