"""Rules of assessment (考核): what a task may be, how work is graded, and what makes a result.

The guide asks for 过程性考核 and 终结性考核 (article 4.6), fair (article 8.4.2), of one's own work and never changed against the rules
(article 13). Weights, pass mark and needed attendance are policy, in force on the first day of the class. Everything is reckoned in
integers: points as given, percentages in tenths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError, Forbidden, Invalid
from server.kernel.titled import Titled

POINTS_MOST = 100
CRITERIA_MOST = 20


class TaskKind(Titled):
    """Article 4.6: 培训机构应组织参训教师进行过程性考核和终结性考核."""

    FORMATIVE = "FORMATIVE", "过程性考核"
    SUMMATIVE = "SUMMATIVE", "终结性考核"


class Criterion(BaseModel):
    """One thing that is looked at, and the points it can bring."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    """Stable within the task: c1, c2, …"""
    title: Annotated[str, Field(min_length=2, max_length=60)]
    points: Annotated[int, Field(ge=1, le=POINTS_MOST)]


class GradingOneself(Forbidden):
    slug = "grading-oneself"
    title = "不能给自己评分"
    default_detail = "考核须公平公正（指南第八条），不能评阅自己的学习成果。请由本班其他骨干教师评分。"


class OwnWorkNotDeclared(Invalid):
    slug = "own-work-not-declared"
    title = "请先作出承诺"
    default_detail = "学习成果须本人独立完成，不准请他人代劳，不准抄袭（指南第十三条）。请勾选承诺后再提交。"


def check_criteria(criteria: Sequence[Criterion]) -> None:
    """Raises Invalid for a title that stands twice: the teacher could not tell the two apart."""
    titles = [criterion.title for criterion in criteria]
    for number, title in enumerate(titles):
        if title in titles[:number]:
            raise Invalid(fields=[FieldError(f"criteria.{number}", f"评分项“{title}”重复，请合并或改名。")])


def check_deadline(
    deadline: datetime, now: datetime, *, furthest: datetime, previous: datetime | None = None
) -> None:
    """Raises Invalid for a deadline that has passed, lies beyond `furthest`, or would shorten the time before `previous`."""
    if deadline <= now:
        raise Invalid(fields=[FieldError("deadline", "截止时间须晚于现在。")])
    if deadline > furthest:
        raise Invalid(fields=[FieldError("deadline", "截止时间太远，请核对年份。")])
    if previous is not None and deadline <= previous:
        raise Invalid(fields=[FieldError("deadline", "只能延长，新的截止时间须晚于原截止时间。")])


def is_late(submitted_at: datetime, deadline: datetime) -> bool:
    """Late is what the server received after the deadline; it is accepted and marked."""
    return submitted_at > deadline


def check_own_work(declared: bool) -> None:
    """Article 13: 自己完成培训要求的学习成果. Raises OwnWorkNotDeclared."""
    if not declared:
        raise OwnWorkNotDeclared(fields=[FieldError("own_work", "请承诺学习成果由本人独立完成。")])


def check_not_oneself(grader_id: str, person_id: str) -> None:
    """Article 8.4.2: 确保考核公平公正. Raises GradingOneself."""
    if grader_id == person_id:
        raise GradingOneself()


def check_scores(criteria: Sequence[Criterion], scores: Mapping[str, int]) -> None:
    """Raises Invalid unless every criterion, and nothing else, has from nothing to all of its points."""
    known = {criterion.key for criterion in criteria}
    wrong = [FieldError(f"scores.{key}", "任务中没有这个评分项。") for key in scores if key not in known]
    for criterion in criteria:
        place = f"scores.{criterion.key}"
        if criterion.key not in scores:
            wrong.append(FieldError(place, f"请给“{criterion.title}”评分。"))
        elif not 0 <= scores[criterion.key] <= criterion.points:
            wrong.append(FieldError(place, f"“{criterion.title}”应为 0 至 {criterion.points} 分。"))
    if wrong:
        raise Invalid(fields=wrong)


def check_change_reason(reason: str) -> None:
    """A grade is not changed in silence (article 13: 严禁违规修改参训教师成绩). Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid(fields=[FieldError("reason", "已有评分，修改须写明理由，修改前后的分数会留存。")])


# ---- the result


class Verdict(Titled):
    """What the assessment says of one person. Until everything that it rests on is due, nobody is 不合格."""

    PENDING = "PENDING", "待评定"
    PASSED = "PASSED", "合格"
    FAILED = "FAILED", "不合格"


@dataclass(frozen=True)
class Work:
    """What one person's work on one task brought; 0 points when nothing was handed in."""

    kind: TaskKind
    maximum: int
    points: int


@dataclass(frozen=True)
class AssessmentPolicy:
    formative_weight: int
    """Percent; the summative assessment has the rest."""
    pass_mark: int
    """Of 100."""
    attendance_needed: int
    """Percent of the class hours."""


@dataclass(frozen=True)
class Outcome:
    """Percentages in tenths: 855 is 85.5."""

    formative: int
    summative: int
    total: int
    attendance_ok: bool
    passed: bool
    reason: str
    """Why not passed; empty for who passed."""


ATTENDANCE_SHORT = "出勤不足"
BELOW_THE_MARK = "总评未达合格线"


def outcome(
    works: Iterable[Work], *, hours_attended: int, hours_total: int, policy: AssessmentPolicy
) -> Outcome:
    """The result of one person (articles 4.6, 16): weighted mean of both kinds, and enough attendance to be assessed at all.

    Within a kind each task counts by its maximum. Rounding happens once for each figure shown, half up to a tenth, so the total
    is not the total of rounded parts. The pass mark is compared with the total as shown.
    """
    formative_points, formative_maximum = _sums(works := list(works), TaskKind.FORMATIVE)
    summative_points, summative_maximum = _sums(works, TaskKind.SUMMATIVE)
    weight = policy.formative_weight
    weighted = (
        weight * formative_points * summative_maximum + (100 - weight) * summative_points * formative_maximum
    )
    total = tenths_half_up(weighted, 100 * formative_maximum * summative_maximum)
    attendance_ok = attends_enough(hours_attended, hours_total, policy.attendance_needed)
    reached = total >= 10 * policy.pass_mark
    return Outcome(
        formative=tenths_half_up(formative_points, formative_maximum),
        summative=tenths_half_up(summative_points, summative_maximum),
        total=total,
        attendance_ok=attendance_ok,
        passed=attendance_ok and reached,
        reason=ATTENDANCE_SHORT if not attendance_ok else "" if reached else BELOW_THE_MARK,
    )


def _sums(works: Iterable[Work], kind: TaskKind) -> tuple[int, int]:
    """Points and maximum of a kind; a kind without a task brings nothing, out of one."""
    chosen = [work for work in works if work.kind is kind]
    return sum(work.points for work in chosen), sum(work.maximum for work in chosen) or 1


def tenths_half_up(numerator: int, denominator: int) -> int:
    """The share as a percentage in tenths, half up: 1 of 3 is 333 (33.3 %), 1 of 16 is 63 (6.25 % becomes 6.3)."""
    return (2 * 1000 * numerator + denominator) // (2 * denominator)


def attends_enough(hours_attended: int, hours_total: int, needed_percent: int) -> bool:
    """Whether the attendance lets somebody be assessed. Exact: 90 % of 80 hours are 72, and 71 are not enough."""
    return 100 * hours_attended >= needed_percent * hours_total


def verdict(outcome: Outcome, *, due: bool) -> Verdict:
    if not due:
        return Verdict.PENDING
    return Verdict.PASSED if outcome.passed else Verdict.FAILED


def is_open(deadline: datetime, now: datetime) -> bool:
    """Whether a task can still be handed in on time."""
    return now < deadline


NAMED_MOST = 10


def listed(names: Sequence[str]) -> str:
    """The first of them, and that there are more."""
    return "、".join(names[:NAMED_MOST]) + ("等" if len(names) > NAMED_MOST else "")


def hours_obstacles(*, held: int, owed: int, unfinished: int, empty: Sequence[str] = ()) -> list[str]:
    """Why the results of a class may not be released yet as to its teaching: it holds what its approved scheme promised, and its paper
    states, before anybody is assessed by it (articles 4.3, 4.6, 17). Empty when it has."""
    found = []
    if unfinished:
        found.append(f"还有 {unfinished} 个课次没有结束。")
    if held < owed:
        found.append(f"本班应完成 {owed} 课时，已完成 {held} 课时，还差 {owed - held} 课时。")
        if empty:
            found.append(f"没有人签到的课次不计入已完成课时：{listed(empty)}。确已上课的，请补签并写明原因。")
    return found


def kinds_needed(policy: AssessmentPolicy) -> list[TaskKind]:
    """The kinds of assessment that a class must have before it has results: each whose weight is not nothing."""
    return [
        kind
        for kind, weight in (
            (TaskKind.FORMATIVE, policy.formative_weight),
            (TaskKind.SUMMATIVE, 100 - policy.formative_weight),
        )
        if weight
    ]


def grading_from(deadline: datetime, ends_on: date) -> datetime:
    """From when on what was handed in for a task waits for its grade: its deadline or the end of the last day of the class, whichever
    comes first."""
    return min(deadline, datetime.combine(ends_on + timedelta(days=1), time(), BEIJING))


def grading_is_late(deadline: datetime, ends_on: date, now: datetime, days: int) -> bool:
    """Whether what was handed in for a task should have been graded: `days` full days later (article 8 (4) 2)."""
    return now >= grading_from(deadline, ends_on) + timedelta(days=days)
