"""Who has received a certificate (领取登记)."""

from __future__ import annotations

from datetime import date, datetime

from server.kernel.mongo import Document
from server.stock.rules import How


class Handover(Document):
    """That a printed certificate left its issuer. Never deleted: an entry that was wrong stays with the reason; one of a certificate stands
    at a time."""

    certificate_id: str
    class_id: str
    person_id: str
    institution_code: str
    province_code: str
    how: How
    on: date
    recipient: str = ""
    """Who came for it in the holder's place."""
    reason: str = ""
    """Why the holder did not come."""
    carrier: str = ""
    tracking: str = ""
    at: datetime
    """When it was entered."""
    by: str
    """By name."""
    confirmed_at: datetime | None = None
    """When its holder said on the phone that it has arrived; else it rests on the signature on the register."""
    current: bool = True
    cancelled_at: datetime | None = None
    cancelled_by: str = ""
    cancel_reason: str = ""

    @property
    def words(self) -> str:
        """To whom, and how."""
        more = (self.recipient, self.carrier, self.tracking, self.reason)
        return "，".join(one for one in (self.how.label, *more) if one)
