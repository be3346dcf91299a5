"""Changes to what was published (article 25.4): who asks, who approves, and what may become of a request.

如修改已发布的数据信息，按照服务平台及数据信息审核管理要求进行操作: nothing published changes
without a request, its reason and its approver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from server.accounts.rules import mask_id_number
from server.kernel import reviews
from server.kernel.errors import Conflict, Forbidden, Problem
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import By, Procedure
from server.kernel.titled import Titled


class Subject(Titled):
    """What is corrected."""

    CLASS = "CLASS", "培训班信息"
    TRAINEE = "TRAINEE", "参训教师姓名、身份证号和手机号"
    INSTITUTION = "INSTITUTION", "培训机构名称"

    @property
    def reviewer(self) -> Role:
        """The province reviews what its institutions publish, the centre what the centre publishes (articles 25.1, 25.2)."""
        return Role.NATIONAL_CENTRE if self is Subject.INSTITUTION else Role.PROVINCE


class Ground(Titled):
    """Why a person's name, ID number or phone number is not what it was."""

    MISSPELT = "MISSPELT", "名册中写错"
    RENAMED = "RENAMED", "本人依法更名"
    RENUMBERED = "RENUMBERED", "证件号码依法变更"
    PHONE_CHANGED = "PHONE_CHANGED", "本人换了手机号"


class State(Titled):
    SUBMITTED = "SUBMITTED", "待审核"
    RETURNED = "RETURNED", "已退回"
    APPROVED = "APPROVED", "已核准更正"
    RETRACTED = "RETRACTED", "已撤回"

    @property
    def open(self) -> bool:
        return self in (State.SUBMITTED, State.RETURNED)


class Action(Titled):
    REQUEST = "REQUEST", "申请更正"
    APPROVE = "APPROVE", "核准并更正"
    RETURN = "RETURN", "退回"
    RESUBMIT = "RESUBMIT", "修改后重新申请"
    RETRACT = "RETRACT", "撤回"


class NothingToCorrect(Conflict):
    slug = "nothing-to-correct"
    title = "没有要更正的内容"
    default_detail = "填写的内容与现在的一样，没有可更正的。请改动需要更正的栏目后再提交。"


class ChangedMeanwhile(Conflict):
    slug = "changed-meanwhile"
    title = "原内容已经变化"
    default_detail = "申请提交以后，原内容已被改动，不能再按这份申请更正。请退回，由培训机构核对后重新申请。"


class SessionsOutside(Conflict):
    slug = "sessions-outside"
    title = "有课次不在更正后的日期内"


MOST_NAMED = 3


def require_spanned(outside: Sequence[str]) -> None:
    """The days of a class are a fact on its certificates (article 17): they span each of its sessions, held or planned.

    `outside` are those that they do not, in words. Raises SessionsOutside.
    """
    if outside:
        more = f"等 {len(outside)} 个课次" if len(outside) > MOST_NAMED else ""
        raise SessionsOutside(
            f"{'、'.join(outside[:MOST_NAMED])}{more}不在更正后的日期内。培训时间应包含全部课次："
            "没有上的，请先调整或取消；确需改期的，请申请延期。"
        )


def steps_of(subject: Subject) -> Procedure[State, Action]:
    """What may become of a request to correct this: the institution asks and takes back, the province or the centre decides."""
    reviewer = frozenset({subject.reviewer})
    steps: dict[Action, By[State]] = {
        Action.REQUEST: By(INSTITUTION_ROLES),
        Action.APPROVE: By(reviewer, {State.SUBMITTED: State.APPROVED}),
        Action.RETURN: By(reviewer, {State.SUBMITTED: State.RETURNED}),
        Action.RESUBMIT: By(INSTITUTION_ROLES, {State.RETURNED: State.SUBMITTED}),
        Action.RETRACT: By(
            INSTITUTION_ROLES, {State.SUBMITTED: State.RETRACTED, State.RETURNED: State.RETRACTED}
        ),
    }

    def not_yours(action: Action) -> Problem:
        who = subject.reviewer.label if steps[action].who == reviewer else "培训机构"
        return Forbidden(f"{subject.label}的更正，“{action.label}”由{who}办理（指南第二十五条）。")

    return Procedure(
        steps,
        not_yours,
        reviews.not_now(
            "correction-settled",
            "更正申请当前不能这样办理",
            "该申请目前为“{state}”",
            "请刷新后查看最新状态。",
        ),
    )


def told_apart(number: str, other: str) -> str:
    """An ID number masked as everywhere, with the digits in which it is not like the `other`: what a reviewer compares with the card."""
    masked = mask_id_number(number)
    if len(number) != len(other):
        return masked
    return "".join(
        digit if digit != its else hidden for digit, its, hidden in zip(number, other, masked, strict=True)
    )


def differing(present: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The fields whose wanted value is another one than the present. Raises NothingToCorrect when there is none."""
    fields = [field for field, value in wanted.items() if present[field] != value]
    if not fields:
        raise NothingToCorrect()
    return fields


def check_unchanged(present: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Raises ChangedMeanwhile unless what is corrected still reads as it did when the correction was asked for."""
    if any(present[field] != value for field, value in before.items()):
        raise ChangedMeanwhile()
