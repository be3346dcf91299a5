"""Rules of the windows in which annual plans are due (报送窗口). Pure.

Article 4.1: 培训机构应在省级管理部门指导下，制定本机构培训计划，按要求报送. When is left open: the centre says a last day for the
country, a province an earlier one for its own. A plan that comes later is taken all the same, and is marked 逾期报送.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.history import Step
from server.kernel.titled import Titled
from server.plans.rules import Action, State, check_year

LONGEST_DAYS = 366


class WindowAction(Titled):
    ANNOUNCE = "ANNOUNCE", "公布报送时间"
    CHANGE = "CHANGE", "调整报送时间"
    WITHDRAW = "WITHDRAW", "撤回报送时间"


class Report(Titled):
    """How far an institution has come with its plan of a year."""

    NONE = "NONE", "未编制"
    DRAFTING = "DRAFTING", "编制中"
    FILED = "FILED", "已报送"
    APPROVED = "APPROVED", "已批准"

    @property
    def outstanding(self) -> bool:
        """Whether it is still the institution's turn."""
        return self in (Report.NONE, Report.DRAFTING)


class WindowStands(Conflict):
    slug = "window-stands"
    title = "报送时间已经公布"
    default_detail = "这一年的报送时间已经公布。请刷新页面，在已公布的时间上调整。"


class WindowOver(Conflict):
    slug = "window-over"
    title = "报送已经截止"
    default_detail = "报送截止日期已过，逾期与否以它为准，不能撤回。可以调整截止日期，说明理由。"


def check_days(year: int, opens_on: date, closes_on: date, today: date, latest: date | None) -> None:
    """Raises Invalid for a year that nobody plans for now, days in the wrong order or gone by, or, of a province, a last day after the
    centre's (`latest`)."""
    check_year(year, today)
    wrong = []
    if opens_on > closes_on:
        wrong.append(FieldError("closes_on", "截止日期不能早于开始日期。"))
    elif (closes_on - opens_on).days > LONGEST_DAYS:
        wrong.append(FieldError("opens_on", "开始和截止相距不能超过一年。"))
    if closes_on < today:
        wrong.append(FieldError("closes_on", "截止日期不能早于今天。"))
    if latest is not None and closes_on > latest:
        wrong.append(FieldError("closes_on", f"不能晚于部指导中心公布的截止日期 {latest}。"))
    if wrong:
        raise Invalid(fields=wrong)


def check_withdrawal(closes_on: date, today: date) -> None:
    """Raises WindowOver once the last day has passed."""
    if today > closes_on:
        raise WindowOver()


def due_on(closings: Iterable[date | None]) -> date | None:
    """The earlier of what the centre and the province say; None where neither says anything."""
    return min((one for one in closings if one is not None), default=None)


def report_of(states: Collection[State]) -> Report:
    """By the states of all versions of the year's plan."""
    if {State.APPROVED, State.SUPERSEDED} & set(states):
        return Report.APPROVED
    if State.SUBMITTED in states:
        return Report.FILED
    return Report.DRAFTING if {State.DRAFT, State.RETURNED} & set(states) else Report.NONE


def filed_on(histories: Iterable[Sequence[Step]]) -> date | None:
    """The first day on which a version was reported to the province and left with it: what was taken back does not count."""
    days = [
        beijing_date(step.at)
        for history in histories
        for step, after in zip(history, [*history[1:], None], strict=True)
        if step.action == Action.SUBMIT and (after is None or after.action != Action.WITHDRAW)
    ]
    return min(days, default=None)


def is_late(filed: date | None, due: date | None, today: date) -> bool:
    """逾期: it came after the last day, or has not come by now."""
    return due is not None and (filed or today) > due
