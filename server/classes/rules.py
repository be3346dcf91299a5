"""Rules of a training class: what it must say before it opens (articles 4 and 17)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Literal

from server.institutions.rules import Level
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.titled import Titled

LONGEST_DAYS = 366


class Kind(Titled):
    """What a backbone teacher does in a class: 承担授课及考核任务 (articles 6 and 8.4). Each is a right and a task of its own."""

    TEACHING = "TEACHING", "授课"
    ASSESSMENT = "ASSESSMENT", "考核"


class NotArrived(Forbidden):
    slug = "not-arrived"
    title = "还没有报到"
    default_detail = "您还没有报到。请带身份证到培训机构报到处核对身份、签署承诺书，报到后即可签到、提交学习成果和填写评价。"


class NotYourPart(Forbidden):
    slug = "not-your-part"
    title = "不在您承担的任务内"


_PARTS = {
    Kind.TEACHING: "出示签到码、登记考勤由承担授课的骨干教师办理（指南第六条）。您在本班承担考核。",
    Kind.ASSESSMENT: "评分由承担考核的骨干教师办理（指南第六条）。您在本班承担授课，可以查看学习成果。",
}


def require_part(kinds: Collection[Kind], asked: Kind) -> None:
    """授课 and 考核 are two rights (article 6): the first shows codes and keeps the roll, the second grades. Raises NotYourPart."""
    if asked not in kinds:
        raise NotYourPart(_PARTS[asked])


class Stage(Titled):
    """How far a class is in its calendar."""

    NOT_STARTED = "NOT_STARTED", "未开班"
    ONGOING = "ONGOING", "进行中"
    FINISHED = "FINISHED", "已结束"


Standing = Literal["before", "under way", "after"]
"""Where a day lies to those of a class, whatever befell it."""


class Condition(Titled):
    """What befell a class beside its calendar."""

    RUNNING = "RUNNING", "正常"
    SUSPENDED = "SUSPENDED", "暂停"
    """It begins and ends with days of its own, and is never stored: see TrainingClass.condition_on."""
    CALLED_OFF = "CALLED_OFF", "已取消"
    """By the institution before the first session: as if there had been no class."""
    TERMINATED = "TERMINATED", "已终止"
    """Later, with the province's approval: what was held stays, and nothing follows."""

    @property
    def ended(self) -> bool:
        return self in (Condition.CALLED_OFF, Condition.TERMINATED)


ENDED = [one for one in Condition if one.ended]


def stage(starts_on: date, ends_on: date, today: date) -> Stage:
    """Where `today` lies; the first and the last day belong to the class."""
    if today < starts_on:
        return Stage.NOT_STARTED
    return Stage.ONGOING if today <= ends_on else Stage.FINISHED


def calendar_words(starts_on: date, ends_on: date, *, ended: bool) -> Iterator[tuple[str, str]]:
    """What the calendar of a class is found by: the months and years in which it starts, runs and ends; of one that was ended, that."""
    if ended:
        yield "stage", "ended"
        return
    for name, day in (("starts", starts_on), ("ends", ends_on)):
        yield name, f"{day:%Y}"
        yield name, f"{day:%Y-%m}"
    for month in range(_months(starts_on), _months(ends_on) + 1):
        yield "runs", _month(month)


def stage_words(stage: Stage, today: date) -> list[tuple[str, str]]:
    """The calendar words of which a class in this stage has at least one, few of the other classes have any, and none twice: whole years,
    and the months of this one."""
    this = _months(today)
    first, last = this - this % 12, this - this % 12 + 11
    match stage:
        case Stage.NOT_STARTED:
            years = range(today.year + 1, today.year + YEARS_AHEAD + 1)
            return [("starts", _month(one)) for one in range(this, last + 1)] + [
                ("starts", f"{one}") for one in years
            ]
        case Stage.ONGOING:
            return [("runs", _month(this))]
        case Stage.FINISHED:
            years = range(FIRST_YEAR, today.year)
            over = [("ends", _month(one)) for one in range(first, this + 1)] + [
                ("ends", f"{one}") for one in years
            ]
            return [*over, ("stage", "ended")]


YEARS_AHEAD, FIRST_YEAR = 10, 2000
"""No class is planned further ahead, and none is older."""


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month(months: int) -> str:
    return f"{months // 12}-{months % 12 + 1:02}"


STANDARD_COURSES: dict[Level, tuple[str, ...]] = {
    Level.THREE: ("工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"),
    Level.TWO: ("学习任务分析与策划", "学习任务考核设计", "教学资源开发", "示范课设计与实施"),
    Level.ONE: ("课程标准转化", "考核方案设计", "教师教学工作指导"),
    Level.BACKBONE: (),
}
"""The courses of each level in 《工学一体化教师培训标准》. Those of the 骨干教师 training are 待核: the institution writes them itself."""


class RosterAction(Titled):
    """What is done to one row of a roster."""

    EDIT = "EDIT", "修改名册信息"
    LEAVE = "LEAVE", "退训"
    RETURN = "RETURN", "撤销退训"


def check_dates(starts_on: date, ends_on: date) -> None:
    """Raises Invalid unless the class ends on or after the day it begins, and within a year."""
    if ends_on < starts_on:
        raise Invalid(fields=[FieldError("ends_on", "结束日期不能早于开始日期。")])
    if (ends_on - starts_on).days > LONGEST_DAYS:
        raise Invalid(fields=[FieldError("ends_on", "培训班最长一年，请核对日期。")])


class DaysFixed(Conflict):
    slug = "class-days-fixed"
    title = "培训时间不能更正"


def require_days_open(*, released: bool, put_off: bool) -> None:
    """Whether a correction (article 25.4) may give a class other days. A release states them for good, for certificates are of these days
    (article 17); and what the province approved as 暂停 or 延期 is undone as such and not beside it. Raises DaysFixed."""
    if released:
        raise DaysFixed(
            "本班成绩已公布，培训时间随成绩封存。还没有核发证书的，请先申请重新开放成绩；已核发证书的，不能再更正。"
        )
    if put_off:
        raise DaysFixed(
            "本班现在的日期是已批准的暂停或延期定下的，不能用更正改变。要恢复原来的日期，请申请撤销变更；还要改期，请申请延期。"
        )


def check_class_hours(level: Level, class_hours: int, floor: int) -> None:
    """Raises Invalid when the hours are below the floor of the level (《培训标准》, policy)."""
    if class_hours < floor:
        raise Invalid(
            fields=[
                FieldError("class_hours", f"{level.label}培训不低于 {floor} 课时，现为 {class_hours} 课时。")
            ]
        )


def check_name_typed(name: str, typed: str) -> None:
    """Raises Invalid unless the name of the class was typed; widths, capitals and spaces do not count (app.js compares the same way)."""
    if _bare(typed) != _bare(name):
        raise Invalid(fields=[FieldError("typed", f"输入的名称与本班不一致，请输入“{name}”。")])


def _bare(words: str) -> str:
    return "".join(unicodedata.normalize("NFKC", words).split()).upper()


def check_courses(courses: Sequence[str]) -> None:
    """Raises Invalid when a course stands twice: a certificate prints each course once (article 17)."""
    if len(set(courses)) != len(courses):
        raise Invalid(fields=[FieldError("courses", "课程名称有重复，请核对。")])
