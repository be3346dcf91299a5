"""Duties of a backbone teacher (article 8.4): where somebody stands in a calendar year, and follow-up guidance.

每年承担授课任务不少于 2 次，且年度满意度平均分不少于 2 分（满分 3 分）: how many of a year is for `backbone.owed` to say.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from server.invitations.rules import task_days
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.identity import Role
from server.kernel.reviews import By, Procedure
from server.kernel.titled import Titled

WARNING_MONTH = 10
"""From the first of October on, whoever still owes tasks of the year can be told."""
EARLIEST_YEAR = 2022
"""The year of the guide's trial."""


# ---- where somebody stands in a year


class Standing(Titled):
    """Where a teacher stands in a year."""

    OWING = "OWING", "尚欠授课任务"
    SHORT = "SHORT", "授课任务不足"
    BELOW_MARK = "BELOW_MARK", "满意度未达标"
    FULFILLED = "FULFILLED", "已达到要求"
    NOTHING_OWED = "NOTHING_OWED", "本年无授课要求"

    @property
    def tone(self) -> str:
        """As the pages know it."""
        return _STANDING_TONES[self]


_STANDING_TONES = {
    Standing.OWING: "warning",
    Standing.SHORT: "danger",
    Standing.BELOW_MARK: "danger",
    Standing.FULFILLED: "success",
    Standing.NOTHING_OWED: "neutral",
}


def standing(required: int, done: int, meets_mark: bool | None, *, over: bool) -> Standing:
    """Both halves of article 8.4.1. A year without any answer that may be shown (`meets_mark` None) is not held against anybody.

    What is still owed is a warning while the year runs, and a shortcoming once it is `over`.
    """
    if done < required:
        return Standing.SHORT if over else Standing.OWING
    if meets_mark is False:
        return Standing.BELOW_MARK
    return Standing.FULFILLED if required or done else Standing.NOTHING_OWED


def year_is_over(year: int, today: date) -> bool:
    return today > task_days(year)[1]


def is_to_be_warned(today: date, required: int, done: int, planned: int) -> bool:
    """From October on, whoever owes tasks for which nothing is planned is told while the year can still be saved."""
    return today.month >= WARNING_MONTH and done + planned < required


# ---- follow-up guidance (为参训教师提供后续指导服务, article 8.4.6)


class Way(Titled):
    """How guidance was given."""

    TELEPHONE = "TELEPHONE", "电话"
    ONLINE = "ONLINE", "线上"
    VISIT = "VISIT", "到校"
    WRITTEN = "WRITTEN", "书面"


class State(Titled):
    WAITING = "WAITING", "待学员确认"
    CONFIRMED = "CONFIRMED", "学员已确认"
    DISPUTED = "DISPUTED", "学员有异议"

    @property
    def tone(self) -> str:
        return {"WAITING": "warning", "CONFIRMED": "success", "DISPUTED": "danger"}[self]


class Action(StrEnum):
    LOG = "LOG"
    CONFIRM = "CONFIRM"
    DISPUTE = "DISPUTE"


class GuidanceSettled(Conflict):
    slug = "guidance-settled"
    title = "这条指导记录已办结"
    default_detail = "您已确认过这条指导记录，不能再提出异议。如有出入，请与指导教师联系。"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.LOG: By(frozenset({Role.BACKBONE_TEACHER})),
        Action.CONFIRM: By(
            frozenset({Role.TRAINEE}), dict.fromkeys((State.WAITING, State.DISPUTED), State.CONFIRMED)
        ),
        Action.DISPUTE: By(frozenset({Role.TRAINEE}), {State.WAITING: State.DISPUTED}),
    },
    lambda _: Forbidden("后续指导由授课的骨干教师登记，由受指导的参训教师确认（指南第八条）。"),
    lambda *_: GuidanceSettled(),
)
"""The trainee has the last word, and may come round after talking to the teacher; what was confirmed stays."""


def check_day(given_on: date, class_ends_on: date, today: date) -> None:
    """后续指导 comes after the class, and is logged once it was given. Raises Invalid."""
    if given_on > today:
        raise Invalid(fields=[FieldError("given_on", "指导日期不能晚于今天，请在指导之后登记。")])
    if given_on <= class_ends_on:
        words = f"后续指导应在培训班结束（{class_ends_on.isoformat()}）之后，培训期间的指导属于授课任务。"
        raise Invalid(fields=[FieldError("given_on", words)])
