"""How a report of a forged certificate is worked on (article 17: 防伪; article 18: 台账, 查询).

The issuer is heard and does not judge itself: what it finds goes to its province, which concludes. Where nobody can tell who is said to
have issued it, the centre does. A conclusion is reopened with a reason, and an entry that it was handed to 司法机关 can be taken back as
an entry; that the papers lie with them cannot.
"""

from __future__ import annotations

from datetime import date

from server.kernel import reviews
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import CENTRE, NOBODY, PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled


class State(Titled):
    RECEIVED = "RECEIVED", "已收到"
    CHECKING = "CHECKING", "核实中"
    CONFIRMED = "CONFIRMED", "属实"
    UNFOUNDED = "UNFOUNDED", "不属实"
    UNCLEAR = "UNCLEAR", "无法核实"
    REFERRED = "REFERRED", "属实，已移送司法机关"

    @property
    def open(self) -> bool:
        return self in (State.RECEIVED, State.CHECKING)


class Action(Titled):
    REPORT = "REPORT", "举报"
    ANSWER = "ANSWER", "发证机构报告核实情况"
    ASSIGN = "ASSIGN", "转交发证机构和所在省"
    TAKE_UP = "TAKE_UP", "直接核实"
    CONFIRM = "CONFIRM", "认定属实"
    REFUTE = "REFUTE", "认定不属实"
    LEAVE = "LEAVE", "认定无法核实"
    REFER = "REFER", "登记移送司法机关"
    REOPEN = "REOPEN", "重新核实"
    UNREFER = "UNREFER", "撤销移送登记"


class Outcome(Titled):
    """What a conclusion may be."""

    CONFIRM = "CONFIRM", "属实：证书是伪造、变造或冒用的"
    REFUTE = "REFUTE", "不属实：证书是真的，或没有这回事"
    LEAVE = "LEAVE", "无法核实：举报的内容不够，查不清楚"


_JUDGES = PROVINCE | CENTRE
_CONCLUDED: dict[State | None, State] = dict.fromkeys(
    (State.CONFIRMED, State.UNFOUNDED, State.UNCLEAR), State.CHECKING
)
STEPS: Procedure[State, Action] = Procedure(
    {
        Action.REPORT: By(NOBODY),
        Action.ANSWER: By(
            INSTITUTION_ROLES, {State.RECEIVED: State.CHECKING, State.CHECKING: State.CHECKING}
        ),
        Action.ASSIGN: By(CENTRE, {State.RECEIVED: State.RECEIVED, State.CHECKING: State.RECEIVED}),
        Action.TAKE_UP: By(_JUDGES, {State.RECEIVED: State.CHECKING}),
        Action.CONFIRM: By(_JUDGES, {State.CHECKING: State.CONFIRMED}),
        Action.REFUTE: By(_JUDGES, {State.CHECKING: State.UNFOUNDED}),
        Action.LEAVE: By(_JUDGES, {State.CHECKING: State.UNCLEAR}),
        Action.REFER: By(_JUDGES, {State.CONFIRMED: State.REFERRED}),
        Action.REOPEN: By(_JUDGES, _CONCLUDED),
        Action.UNREFER: By(_JUDGES, {State.REFERRED: State.CONFIRMED}),
    },
    reviews.not_yours(
        "forgery-not-yours",
        "发证机构报告核实情况，省级管理部门（发证机构不明的由部指导中心）作出结论、登记移送。",
    ),
    reviews.not_now("forgery-not-now", "举报现在不能这样办理", "这件举报“{state}”"),
    reviews.overtaken("forgery-overtaken", "举报已有变动", "这件举报"),
    waits=(
        Waits(INSTITUTION_ROLES, State.RECEIVED, "待核实的证书举报"),
        Waits(PROVINCE, State.CHECKING, "待作出结论的证书举报"),
    ),
)


def require_day(on: date, received: date, today: date) -> None:
    """Raises Invalid unless the papers were handed over between the report and today."""
    if not received <= on <= today:
        raise Invalid(
            fields=[
                FieldError(
                    "on", f"移送日期应在收到举报的 {received} 至今天之间，还没有移送的请移送后再登记。"
                )
            ]
        )
