"""Rules of a class application (开班申请): its states, its dates and places (articles 4.2 and 25); the venue is `server.venues`."""

from __future__ import annotations

from datetime import date, timedelta

from server.kernel import reviews
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled


class State(Titled):
    SUBMITTED = "SUBMITTED", "待审核"
    RETURNED = "RETURNED", "已退回"
    APPROVED = "APPROVED", "已批准"
    WITHDRAWN = "WITHDRAWN", "已撤回"
    CALLED_OFF = "CALLED_OFF", "已取消开班"
    TERMINATED = "TERMINATED", "已终止培训"


HOLDING = frozenset({State.SUBMITTED, State.RETURNED, State.APPROVED})
"""The states in which an application holds its item of the plan: nobody can apply for it a second time."""


class Action(Titled):
    SUBMIT = "SUBMIT", "提出申请"
    RESUBMIT = "RESUBMIT", "修改后重新报送"
    APPROVE = "APPROVE", "批准开班"
    RETURN = "RETURN", "退回修改"
    RETURN_FOR_DATES = "RETURN_FOR_DATES", "退回改期"
    REDATE = "REDATE", "改期后重新报送"
    WITHDRAW = "WITHDRAW", "撤回申请"
    CALL_OFF = "CALL_OFF", "取消开班"
    TERMINATE = "TERMINATE", "终止培训"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.SUBMIT: By(INSTITUTION_ROLES),
        Action.RESUBMIT: By(INSTITUTION_ROLES, {State.RETURNED: State.SUBMITTED}),
        Action.APPROVE: By(PROVINCE, {State.SUBMITTED: State.APPROVED}),
        Action.RETURN: By(PROVINCE, {State.SUBMITTED: State.RETURNED}),
        Action.RETURN_FOR_DATES: By(PROVINCE, {State.SUBMITTED: State.RETURNED}),
        Action.REDATE: By(INSTITUTION_ROLES, {State.RETURNED: State.SUBMITTED}),
        Action.WITHDRAW: By(
            INSTITUTION_ROLES, {State.SUBMITTED: State.WITHDRAWN, State.RETURNED: State.WITHDRAWN}
        ),
        Action.CALL_OFF: By(INSTITUTION_ROLES, {State.APPROVED: State.CALLED_OFF}),
        Action.TERMINATE: By(PROVINCE, {State.APPROVED: State.TERMINATED}),
    },
    reviews.not_yours(
        "application-not-yours", "开班申请由培训机构提出，由省级管理部门审核（指南第四条、第二十五条）。"
    ),
    reviews.not_now("application-state", "申请现在不能这样办理", "这份申请{state}"),
    reviews.overtaken("application-overtaken", "申请已有变动", "这份申请"),
    waits=(
        Waits(INSTITUTION_ROLES, State.RETURNED, "被退回的开班申请，修改后重新报送"),
        Waits(PROVINCE, State.SUBMITTED, "待审核的开班申请"),
    ),
)
"""Every application begins as submitted. What is approved has become a class, and holds its item until that class
is called off or terminated (server.interruptions)."""


def check_year(starts_on: date, plan_year: int) -> None:
    """Raises Invalid unless the class begins in the year of its plan (article 4.1); it may end in the next."""
    if starts_on.year != plan_year:
        message = f"这是 {plan_year} 年的计划项目，开始日期应在 {plan_year} 年内。"
        raise Invalid(fields=[FieldError("starts_on", message)])


def check_places(places: int, planned: int) -> None:
    """Raises Invalid when more people are to come than the plan was approved for (article 25.4)."""
    if places > planned:
        message = f"计划批准 {planned} 人，申请不能超过。如需扩大，请先调整计划并重新报审。"
        raise Invalid(fields=[FieldError("places", message)])


class OnlyDates(Conflict):
    slug = "application-only-dates"
    title = "只需修改日期"
    default_detail = (
        "这份申请退回改期，其余内容保持原样。请打开申请填写新的日期；如要改其他内容，请撤回后重新申请。"
    )


class StartPassed(Conflict):
    slug = "start-passed"
    title = "开始日期已过"


def check_lead(starts_on: date, today: date, days: int) -> None:
    """Raises Invalid unless the class begins at least so many days ahead: invitations, scheme and admission come in between
    (articles 4.2 to 4.4; how many is policy)."""
    earliest = today + timedelta(days=days)
    if starts_on < earliest:
        message = f"开班申请须至少提前 {days} 天提出，开始日期最早为 {earliest}。"
        raise Invalid(fields=[FieldError("starts_on", message)])


def check_not_begun(starts_on: date, today: date) -> None:
    """Raises StartPassed: a class that should have begun already cannot be approved any more (article 4.2)."""
    if starts_on < today:
        raise StartPassed(
            f"申请的开始日期是 {starts_on}，已经过去，不能批准。请“退回改期”，培训机构填写新的日期后再审核。"
        )


def warnings(starts_on: date, planned_month: int) -> list[str]:
    """What the reviewer should notice; nothing of it stops an application."""
    if starts_on.month != planned_month:
        return [f"计划在 {planned_month} 月举办，申请在 {starts_on.month} 月开班。"]
    return []
