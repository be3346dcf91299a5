"""A report of a forged certificate, and the picture that came with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict

from server.forgeries.rules import Action, State
from server.kernel import offices
from server.kernel.clock import beijing_date
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Document
from server.kernel.offices import Said, Topic
from server.kernel.policies import Policies
from server.kernel.reviewed import Reviewed


class Referral(BaseModel):
    """Papers that were handed to 司法机关."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: date
    authority: str
    document_number: str


class Forgery(Found, Reviewed):
    """Who reported it is not known here; how to reach them only if they said so. Never deleted."""

    collection = "forgeries"
    actions = Action

    institution_code: str
    """Who is said to have issued the certificate; empty where nobody can tell."""
    institution_name: str
    province_code: str
    certificate_number: str
    """As it stands on the paper, if the reporter could read it."""
    certificate_id: str
    """Of the certificate that has this number here; empty where none has."""
    description: str
    pictured: bool
    contact: Binary | None
    """Encrypted: what the reporter gave to be reached by."""
    receipt: str
    """HMAC of the code with which the reporter asks how it stands."""
    received_at: datetime
    reply: str = ""
    """What the reporter is told about the conclusion."""
    referral: Referral | None = None
    state: State = State.RECEIVED
    open: bool = True
    """As its state says (State.open)."""

    @property
    def named(self) -> str:
        return f"{'证书 ' + self.certificate_number if self.certificate_number else '没有写明编号的证书'}的伪造举报"

    @property
    def address(self) -> str:
        return f"/admin/forgeries/{self.id}"

    @property
    def offices(self) -> list[str]:
        """Whoever works on it."""
        if not self.institution_code:
            return [offices.CENTRE]
        return [offices.institution(self.institution_code), offices.province(self.province_code)]

    def tells(self, taken: Step) -> Sequence[Said]:
        """No content: who reads the inbox need not be who may read the report."""
        words = f"{self.named}：{self.called(taken)}"
        return [Said(office, Topic.REPORTED, words, self.address) for office in self.offices]

    def names(self) -> Iterable[str]:
        return (self.institution_name, self.certificate_number)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state),)


class ForgeryPicture(Document):
    """Drawn anew from what was sent: no more than what is seen is kept. `id` is the report's."""

    content: bytes
    """JPEG."""


@dataclass(frozen=True)
class ForgeryFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    """Part of the name of the institution, or of the number."""
    state: State | None = None
    province_code: str = ""


@dataclass(frozen=True)
class Standing:
    """What whoever has the code sees: that, when and how, and nothing of who."""

    number: str
    received_on: date
    steps: list[tuple[datetime, str]]
    state: State
    reply: str


def standing(found: Forgery) -> Standing:
    return Standing(
        number=found.certificate_number,
        received_on=beijing_date(found.received_at),
        steps=[(taken.at, found.called(taken)) for taken in reversed(found.history)],
        state=found.state,
        reply=found.reply,
    )


def dated(found: Forgery, terms: Policies) -> tuple[date, date]:
    """Since when it waits, and until when it is to be done."""
    since = beijing_date(found.history[-1].at)
    return since, since + timedelta(days=terms.forgery_days)
