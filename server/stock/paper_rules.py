"""Blank certificate paper: its own numbers, the fate of a sheet, and how the book is reckoned (article 18: 印制 保存 申领)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from server.kernel import reviews
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

MOST_AT_ONCE = 2_000
"""Sheets of one act, for each is a row: a larger delivery is entered in parts, as its boxes are."""
_NUMBER = re.compile(r"([0-9A-Z-]{0,12}?)([0-9]{1,10})")


class Fate(Titled):
    LEFT = "LEFT", "结存"
    USED = "USED", "已使用"
    SPOILED = "SPOILED", "已作废"
    LOST = "LOST", "遗失"


class Movement(Titled):
    """A line of the book; each changes what is left."""

    PRINTED = "PRINTED", "印制入库"
    RECEIVED = "RECEIVED", "领入"
    SENT = "SENT", "发出"
    USED = "USED", "使用"
    SPOILED = "SPOILED", "作废"
    LOST = "LOST", "遗失"


class State(Titled):
    ASKED = "ASKED", "待发放"
    GIVEN = "GIVEN", "已发放"
    DECLINED = "DECLINED", "不予发放"
    WITHDRAWN = "WITHDRAWN", "已撤回"


class Action(Titled):
    ASK = "ASK", "申领"
    GIVE = "GIVE", "发放"
    DECLINE = "DECLINE", "不予发放"
    WITHDRAW = "WITHDRAW", "撤回"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.ASK: By(INSTITUTION_ROLES),
        Action.GIVE: By(PROVINCE, {State.ASKED: State.GIVEN}),
        Action.DECLINE: By(PROVINCE, {State.ASKED: State.DECLINED}),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.ASKED: State.WITHDRAWN}),
    },
    reviews.not_yours(
        "paper-not-yours", "空白证书由培训机构申领和撤回，由省级管理部门发放（指南第十八条）。"
    ),
    reviews.not_now("paper-not-now", "申领现在不能这样办理", "这份申领{state}"),
    reviews.overtaken("paper-overtaken", "申领已有变动", "这份申领"),
    waits=(Waits(PROVINCE, State.ASKED, "待发放的空白证书"),),
)


class PaperHandedOut(Conflict):
    slug = "paper-handed-out"
    title = "证书已登记领取"
    default_detail = "这张证书已登记领取，它的用纸不能撤回或换号。登记有误的，先撤回领取登记；本人已确认收到的，请申请补发。"


class PaperMissing(Conflict):
    slug = "paper-missing"
    title = "空白证书不足"
    default_detail = "库存的空白证书不够。请先登记入库，或向省级管理部门申领。"


class Counted(Conflict):
    slug = "paper-counted"
    title = "已经盘点"
    default_detail = "这笔登记在最近一次盘点以前，账已核定，不能再撤回。有差错的，请在下次盘点时说明差异。"


class Moved(Conflict):
    slug = "paper-moved"
    title = "纸张已经动用"
    default_detail = "这些号码中已有使用、作废或发出的，这笔登记不能再撤回。请先更正后面的登记。"


def numbers(first: str, quantity: int) -> list[str]:
    """The numbers of a pile, of one width: A0009, A0010. Raises Invalid."""
    found = _NUMBER.fullmatch(first)
    if found is None:
        raise Invalid(
            fields=[FieldError("first", "起始号码由大写字母、数字组成，以数字结尾，例如 HB000101。")]
        )
    prefix, digits = found.groups()
    last = int(digits) + quantity - 1
    if len(str(last)) > len(digits):
        raise Invalid(fields=[FieldError("quantity", f"从 {first} 起号码位数不够 {quantity} 张，请核对。")])
    return [f"{prefix}{number:0{len(digits)}}" for number in range(int(digits), last + 1)]


def runs(taken: Sequence[str]) -> list[tuple[str, str, int]]:
    """First, last and how many of each stretch without a gap: what a line of the book says."""
    found: list[tuple[str, str, int]] = []
    for number in sorted(taken, key=lambda one: (len(one), one)):
        if found and numbers(found[-1][1], 1) and _follows(found[-1][1], number):
            found[-1] = (found[-1][0], number, found[-1][2] + 1)
        else:
            found.append((number, number, 1))
    return found


def _follows(one: str, other: str) -> bool:
    try:
        return numbers(one, 2)[1] == other
    except Invalid:
        return False


@dataclass(frozen=True)
class Book:
    """期初 + 收入 − 发出 − 使用 − 作废 − 遗失 = 结存; `there` is how many sheets the register of sheets has."""

    opening: int
    received: int
    sent: int
    used: int
    spoiled: int
    lost: int
    there: int

    @property
    def left(self) -> int:
        return self.opening + self.received - self.sent - self.used - self.spoiled - self.lost

    @property
    def fits(self) -> bool:
        return self.left == self.there


def book(opening: int, moved: Iterable[tuple[str, int]], there: int) -> Book:
    """`moved`: kind and change, an entry that was taken back with its opposite."""
    sums: dict[str, int] = {}
    for kind, delta in moved:
        sums[kind] = sums.get(kind, 0) + delta
    return Book(
        opening,
        sums.get(Movement.PRINTED, 0) + sums.get(Movement.RECEIVED, 0),
        -sums.get(Movement.SENT, 0),
        -sums.get(Movement.USED, 0),
        -sums.get(Movement.SPOILED, 0),
        -sums.get(Movement.LOST, 0),
        there,
    )


def require_explained(book: int, counted: int, explanation: str) -> None:
    """A difference is explained (账实相符). Raises Invalid."""
    if book != counted and not explanation:
        raise Invalid(
            fields=[FieldError("reason", f"账面 {book} 张，实有 {counted} 张，请说明差异的原因和怎样处理。")]
        )


def require_past(on: date, today: date) -> None:
    if on > today:
        raise Invalid(fields=[FieldError("on", "日期不能晚于今天：收到以后再登记。")])
