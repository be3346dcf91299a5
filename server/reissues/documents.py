"""A matter about a certificate that was issued: 补发, 换发, 撤销."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict, Field

from server.kernel import offices
from server.kernel.clock import beijing_date
from server.kernel.found import Found
from server.kernel.hearings import Hearing
from server.kernel.history import Step
from server.kernel.offices import Said, Topic
from server.kernel.reviewed import Reviewed, decided
from server.reissues.rules import Action, Kind, State


class Change(BaseModel):
    """One printed field: what the paper says, and what the new one shall say. ID numbers are masked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    title: str
    before: str
    after: str


class Reissue(Found, Reviewed):
    """A matter about one certificate: a request for another in its place, or the hearing before it is revoked. Never deleted; of one
    certificate one is open at a time."""

    collection = "reissues"
    actions = Action

    kind: Kind
    certificate_id: str
    person_id: str
    class_id: str
    class_name: str
    name: str
    """As it is printed."""
    id_number_masked: str
    certificate_number: str
    """证书编号 of the certificate that it is about."""
    institution_code: str
    institution_name: str
    province_code: str
    by_holder: bool
    nonce: str | None = None
    """Of the phone: what is sent twice is one request."""
    reason: str
    changes: list[Change] = Field(default_factory=list)
    """Of a 换发, once it is filed."""
    major: str = ""
    courses: list[str] = Field(default_factory=list)
    """What a 换发 prints of these; name and number are the person's own."""
    number_after: Binary | None = None
    """The ID number that the new paper prints, where it is another: encrypted, as the province approved it."""
    until: date | None = None
    """Of a hearing: the last day on which the holder may state the case."""
    statement: str = ""
    agrees: bool | None = None
    """Whether the holder agrees to the revocation; None as long as nothing was stated."""
    state: State
    open: bool = True
    """As its state says (State.open), for the unique index."""
    made: str | None = None
    """Id of the certificate that was issued in its place."""

    @property
    def asked_at(self) -> datetime:
        return self.history[0].at

    @property
    def hearing(self) -> Hearing | None:
        return Hearing(self.until, self.agrees is not None) if self.until else None

    @property
    def named(self) -> str:
        return f"{self.name}（尾号 {self.id_number_masked[-4:]}）{self.kind.label}，证书 {self.certificate_number}"

    @property
    def address(self) -> str:
        return f"/admin/reissues/{self.id}"

    def names(self) -> Iterable[str]:
        return (self.name, self.class_name, self.institution_name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state), ("kind", self.kind), ("year", beijing_date(self.asked_at).year))

    def tells(self, taken: Step) -> Sequence[Said]:
        """The issuer hears of what the holder says, and of what the province decides."""
        match taken.action:
            case Action.APPROVE | Action.RETURN:
                words = f"{self.name}的证书（{self.certificate_number}）换发：{self.called(taken)}"
                back = taken.action == Action.RETURN
                return decided(self.institution_code, words, self.address, taken, back=back)
            case Action.STATE:
                return [self.said(f"{self.name}就拟撤销的证书（{self.certificate_number}）作了陈述")]
            case Action.WITHDRAW if self.by_holder:
                return [
                    self.said(f"{self.name}撤回了证书（{self.certificate_number}）的申请：{self.kind.label}")
                ]
        return ()

    def said(self, words: str) -> Said:
        return Said(offices.institution(self.institution_code), Topic.ASKED, words, self.address)


@dataclass(frozen=True)
class ReissueFilter:
    """What a list is narrowed to; what is empty matches everything."""

    words: str = ""
    """Parts of the name, the class or the institution."""
    state: State | None = None
    kind: Kind | None = None
    year: int | None = None
    """In which it was asked for."""
    province_code: str = ""
