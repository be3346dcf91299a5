"""When a teacher or trainee changes unit or province (调动). Pure.

The guide says who answers for whom (articles 9.1 and 25) and not how that changes. Asked by a province or unit of either side,
confirmed by the provinces of both, dated: what was done and certified before that day stays where it was; supervision and what is
open go with the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from server.kernel import reviews
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.folding import folded
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import NOBODY, PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

AHEAD_MOST = timedelta(days=180)


class State(Titled):
    ASKED = "ASKED", "待确认"
    CONFIRMED = "CONFIRMED", "已确认，待生效"
    DONE = "DONE", "已生效"
    DECLINED = "DECLINED", "不予确认"
    WITHDRAWN = "WITHDRAWN", "已撤回"

    @property
    def open(self) -> bool:
        return self in (State.ASKED, State.CONFIRMED)


class Action(Titled):
    ASK = "ASK", "提出调动"
    AGREE = "AGREE", "确认，待另一省确认"
    CONFIRM = "CONFIRM", "确认，到期生效"
    TAKE_EFFECT = "TAKE_EFFECT", "确认，即日生效"
    APPLY = "APPLY", "到期生效"
    DECLINE = "DECLINE", "不予确认"
    WITHDRAW = "WITHDRAW", "撤回"


SETTLING = (Action.TAKE_EFFECT, Action.APPLY)
ASKERS = INSTITUTION_ROLES | PROVINCE

STEPS: Procedure[State, Action] = Procedure(
    {
        Action.ASK: By(ASKERS),
        Action.AGREE: By(PROVINCE, {State.ASKED: State.ASKED}),
        Action.CONFIRM: By(PROVINCE, {State.ASKED: State.CONFIRMED}),
        Action.TAKE_EFFECT: By(PROVINCE, {State.ASKED: State.DONE}),
        Action.APPLY: By(NOBODY, {State.CONFIRMED: State.DONE}),
        Action.DECLINE: By(PROVINCE, {State.ASKED: State.DECLINED}),
        Action.WITHDRAW: By(ASKERS, {State.ASKED: State.WITHDRAWN, State.CONFIRMED: State.WITHDRAWN}),
    },
    reviews.not_yours("move-not-yours", "调动由调出、调入的单位或省提出，由两省的省级管理部门确认。"),
    reviews.not_now("move-settled", "这件调动现在不能这样办理", "这件调动{state}"),
    reviews.overtaken("move-overtaken", "调动已有变动", "这件调动"),
    waits=(Waits(PROVINCE, State.ASKED, "待确认的人员调动"),),
)
"""What was declined or withdrawn is asked anew; what has taken effect is undone by a move back."""


class MoveOpen(Conflict):
    slug = "move-open"
    title = "已有一件没有办结的调动"
    default_detail = "这位教师已有一件没有办结的调动。请等它办结，或由提出的一方撤回。"


class AskedToday(Conflict):
    slug = "move-asked-today"
    title = "今天不能再次提出"
    default_detail = "本单位提出的这位教师的调动今天已经撤回或未获确认，请明天再提出。"


class NotYourMove(Forbidden):
    slug = "move-not-yours"
    title = "这一步不由您办理"


def whose_turn(provinces: Iterable[str], asking: str | None) -> list[str]:
    """The provinces that still have to confirm: both sides, one where both are the same, less the one that asks for itself."""
    return sorted({one for one in provinces if one != asking})


def next_step(pending: Iterable[str], province: str, effective_on: date, today: date) -> Action:
    """What a province's confirmation does: the last one brings it about, on the day or, when that has come, at once."""
    if any(one != province for one in pending):
        return Action.AGREE
    return Action.CONFIRM if effective_on > today else Action.TAKE_EFFECT


def check_move(before: tuple[str, str], after: tuple[str, str], effective_on: date, today: date) -> None:
    """Unit and province, before and after. Raises Invalid for what moves nobody, and for a day gone by or too far ahead."""
    wrong = []
    if folded(before[0]) == folded(after[0]) and before[1] == after[1]:
        wrong.append(FieldError("to_unit", "与现在的单位和省份相同，没有要调动的。"))
    if effective_on < today:
        wrong.append(FieldError("effective_on", "生效日期不能早于今天：以前的证书和任务仍归原单位。"))
    elif effective_on > today + AHEAD_MOST:
        wrong.append(FieldError("effective_on", f"生效日期最晚到 {today + AHEAD_MOST}。"))
    if wrong:
        raise Invalid(fields=wrong)


def check_place(unit: str, lies_in: str, said: str) -> None:
    """Raises Invalid for a unit that is an institution of another province than is said: that one would not be asked (article 25)."""
    if lies_in != said:
        raise Invalid(fields=[FieldError("to_province", f"{unit}不在这个省份，请核对调入单位和省份。")])


def check_pause(closed_on: Iterable[date], today: date) -> None:
    """`closed_on`: when requests of this office for this person were withdrawn or declined. Raises AskedToday: whoever was asked is not
    asked again on the same day."""
    if today in closed_on:
        raise AskedToday()


def gives_way(state: State, pending: Iterable[str], taken: Iterable[str], province: str) -> bool:
    """Whether what somebody else has asked gives way to what the person's province does itself: it waits for that province, and nobody
    has confirmed it."""
    return state is State.ASKED and province in pending and Action.AGREE not in taken


def whose_moves(*, province: bool) -> str:
    """Which moves an office may ask for: said before it writes one, and when it asks for another."""
    if province:
        return "您只能提出调入或调出本省的调动；其他的请有关省的省级管理部门提出。"
    return "您只能提出调入或调出本单位的调动；其他的请省级管理部门提出。"


def check_side(sides: Iterable[str], mine: str, *, province: bool) -> None:
    """Raises NotYourMove for who asks for a person that neither comes to them nor leaves them."""
    if mine not in sides:
        raise NotYourMove(whose_moves(province=province))
