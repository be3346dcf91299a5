"""The yearly check of certificates (article 18: 省级管理部门应对……证书制作和发放情况进行监督): questions, steps, conclusions. Pure.

The guide names the duties and no form of the check; that there is one a year and how a shortcoming is mended is server/decisions/0046.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

from server.kernel import reviews
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

FIRST_YEAR = 2024
"""Before that there was no guide to hold anybody to."""
NOTE_LONGEST = 300
LONGEST = timedelta(days=366)
"""That a shortcoming may be left unmended."""


class Duty(Titled):
    """What article 18 (1) has institutions do with certificates, in its order."""

    PRINTING = "PRINTING", "印制"
    KEEPING = "KEEPING", "保存"
    ASKING = "ASKING", "申领"
    PRINTED = "PRINTED", "打印"
    ISSUING = "ISSUING", "核发"
    REGISTERING = "REGISTERING", "登记"
    QUERIES = "QUERIES", "查询"
    REISSUING = "REISSUING", "补发"
    STATISTICS = "STATISTICS", "统计"


QUESTIONS = {
    Duty.PRINTING: "空白证书按统一的样式印制，每张有号码，来源清楚。",
    Duty.KEEPING: "空白证书和未领取的证书专柜存放、专人保管，盘点账实相符。",
    Duty.ASKING: "空白证书按需申领，发放、退回和作废都有登记。",
    Duty.PRINTED: "打印用的号码逐张登记，打坏的收回作废。",
    Duty.ISSUING: "只向考核合格的学员核发，课时和考核结果与证书一致。",
    Duty.REGISTERING: "每张证书由本人领取或邮寄，领取登记完整。",
    Duty.QUERIES: "公开查询和验证的问题及时核实答复，伪造举报按期办结。",
    Duty.REISSUING: "补发、换发和撤销有申请、有依据，原证书的去向清楚。",
    Duty.STATISTICS: "台账与统计按期核查，不符的查明原因并更正。",
}
"""What is looked at of each."""


class Answer(Titled):
    GOOD = "GOOD", "符合"
    BAD = "BAD", "不符合"
    NONE = "NONE", "不涉及"


class Item(BaseModel):
    """What was found of one duty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    duty: Duty
    answer: Answer | None = None
    note: str = ""


class State(Titled):
    CHECKING = "CHECKING", "检查中"
    PASSED = "PASSED", "合格"
    TO_MEND = "TO_MEND", "限期整改"
    ANSWERED = "ANSWERED", "已报整改情况"
    MENDED = "MENDED", "整改后合格"
    DROPPED = "DROPPED", "已撤销"

    @property
    def open(self) -> bool:
        return self in (State.CHECKING, State.TO_MEND, State.ANSWERED)


class Action(Titled):
    BEGIN = "BEGIN", "开始检查"
    RECORD = "RECORD", "记录检查情况"
    PASS = "PASS", "结论：合格"
    ORDER = "ORDER", "结论：限期整改"
    ANSWER = "ANSWER", "报告整改情况"
    ACCEPT = "ACCEPT", "整改合格"
    RETURN = "RETURN", "退回整改"
    REOPEN = "REOPEN", "重新检查"
    DROP = "DROP", "撤销检查"


_CONCLUDED = (State.PASSED, State.TO_MEND, State.ANSWERED, State.MENDED)
STEPS: Procedure[State, Action] = Procedure(
    {
        Action.BEGIN: By(PROVINCE),
        Action.RECORD: By(PROVINCE, {State.CHECKING: State.CHECKING}),
        Action.PASS: By(PROVINCE, {State.CHECKING: State.PASSED}),
        Action.ORDER: By(PROVINCE, {State.CHECKING: State.TO_MEND}),
        Action.ANSWER: By(INSTITUTION_ROLES, {State.TO_MEND: State.ANSWERED}),
        Action.ACCEPT: By(PROVINCE, {State.ANSWERED: State.MENDED}),
        Action.RETURN: By(PROVINCE, {State.ANSWERED: State.TO_MEND}),
        Action.REOPEN: By(PROVINCE, dict.fromkeys(_CONCLUDED, State.CHECKING)),
        Action.DROP: By(PROVINCE, {State.CHECKING: State.DROPPED}),
    },
    reviews.not_yours(
        "inspection-not-yours", "年度检查由省级管理部门进行，由培训机构报告整改情况（指南第十八条）。"
    ),
    reviews.not_now("inspection-state", "年度检查现在不能这样办理", "这次检查“{state}”"),
    reviews.overtaken("inspection-overtaken", "年度检查已有变动", "这次检查"),
    waits=(
        Waits(INSTITUTION_ROLES, State.TO_MEND, "证书年度检查发现的问题，整改并报告"),
        Waits(PROVINCE, State.ANSWERED, "待复核的证书年度检查整改"),
    ),
)


def blank() -> list[Item]:
    return [Item(duty=one) for one in Duty]


def require_year(year: int, today: date) -> None:
    """Raises Invalid unless there is something of that year to look at."""
    if not FIRST_YEAR <= year <= today.year:
        raise Invalid(fields=[FieldError("year", f"年度应在 {FIRST_YEAR} 至 {today.year} 之间。")])


def require_noted(items: Sequence[Item]) -> None:
    """Raises Invalid for a shortcoming of which nobody says what it is: whoever has to mend it must know."""
    if wrong := [one.duty.label for one in items if one.answer is Answer.BAD and not one.note.strip()]:
        raise Invalid(fields=[FieldError("items", f"{'、'.join(wrong)}：选“不符合”的，请写明问题。")])


def require_passed(items: Sequence[Item]) -> None:
    """Raises Invalid unless every duty was looked at and none falls short."""
    _require_all(items)
    if wrong := [one.duty.label for one in items if one.answer is Answer.BAD]:
        raise Invalid(
            fields=[FieldError("items", f"{'、'.join(wrong)}不符合，结论不能是“合格”：请责令限期整改。")]
        )


def require_ordered(items: Sequence[Item], mend_by: date, today: date) -> None:
    """Raises Invalid unless there is something to be mended, and time for it."""
    _require_all(items)
    if all(one.answer is not Answer.BAD for one in items):
        raise Invalid(fields=[FieldError("items", "没有“不符合”的项目，不需要整改：结论请选“合格”。")])
    require_time(mend_by, today)


def require_time(mend_by: date, today: date) -> None:
    """Raises Invalid unless the last day is still to come."""
    if not today < mend_by <= today + LONGEST:
        raise Invalid(fields=[FieldError("mend_by", f"整改期限应在今天（{today}）以后、一年以内。")])


def _require_all(items: Sequence[Item]) -> None:
    if left := [one.duty.label for one in items if one.answer is None]:
        raise Invalid(fields=[FieldError("items", f"还没有检查：{'、'.join(left)}。请逐项填写后再作结论。")])
