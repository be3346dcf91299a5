"""A message to an office as it is kept."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from server.kernel.mongo import Document
from server.kernel.offices import Topic


class OfficeMessage(Document):
    """A message as it is kept until the policy `message_months` removes it."""

    to: str
    topic: Topic
    words: str
    href: str
    at: datetime
    by: str
    """Whose act it tells of, by name."""
    read_by: list[str] = Field(default_factory=list)
    """Ids of the accounts that have read just this one; those up to an account's mark (`inbox_marks`) are read in any case."""
