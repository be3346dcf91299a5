"""A sheet of blank certificate paper, the lines of its book, and what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar

from server.kernel import offices
from server.kernel.history import Step
from server.kernel.mongo import Document, Row
from server.kernel.offices import Said, Topic
from server.kernel.reviewed import Reviewed, decided
from server.stock.paper_rules import Action, Fate, Movement, State


class BlankPaper(Document):
    """One sheet, by the number that its printer has put on it: unique among those of its source."""

    number: str
    source: str
    """The province whose numbers these are; empty for the centre's."""
    office: str
    """Where it lies or was used (kernel.offices)."""
    institution_code: str
    province_code: str
    state: Fate = Fate.LEFT
    certificate_id: str | None = None
    """Of the certificate that is printed on it."""
    reason: str = ""
    at: datetime
    """When it came to this."""
    by: str


class PaperMovement(Document):
    """A line of an office's book. Never deleted: one that was taken back has its opposite."""

    office: str
    institution_code: str
    province_code: str
    kind: Movement
    source: str
    first: str
    last: str
    quantity: int
    delta: int
    """How many more are left: less than nothing for what goes out, and of what is taken back the other way round."""
    on: date
    other: str = ""
    """From whom, or to whom."""
    document: str = ""
    reason: str = ""
    at: datetime
    by: str
    taken_back: bool = False


class PaperCount(Document):
    """盘点. What was entered before is settled with it."""

    office: str
    institution_code: str
    province_code: str
    at: datetime
    by: str
    book: int
    counted: int
    explanation: str


class PaperRequest(Reviewed):
    """申领 by an institution from its province. Never deleted."""

    collection = "paper_requests"
    actions = Action
    in_hand: ClassVar[Row] = {"state": State.ASKED}

    institution_code: str
    institution_name: str
    province_code: str
    quantity: int
    reason: str
    state: State

    @property
    def named(self) -> str:
        return f"{self.institution_name}申领空白证书 {self.quantity} 张"

    @property
    def address(self) -> str:
        return "/admin/stock"

    def tells(self, taken: Step) -> Sequence[Said]:
        if taken.action in (Action.GIVE, Action.DECLINE):
            words = f"空白证书 {self.quantity} 张的申领：{self.called(taken)}"
            return decided(self.institution_code, words, self.address, taken)
        words = f"{self.named}：{self.called(taken)}"
        return [Said(offices.province(self.province_code), Topic.ASKED, words, self.address)]
