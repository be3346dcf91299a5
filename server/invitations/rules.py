"""Rules of inviting backbone teachers (articles 4.2, 6 and 8): the states of an 邀请函, its days, clashes and reasons to recommend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from server.classes import work
from server.classes.rules import Kind
from server.classes.work import Progress
from server.kernel.clock import BEIJING
from server.kernel.errors import Conflict, Forbidden
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import NOBODY, PROVINCE, By, Procedure
from server.kernel.titled import Titled

REMIND_BEFORE = timedelta(days=2)


class State(Titled):
    SENT = "SENT", "待回复"
    ACCEPTED = "ACCEPTED", "已接受"
    DECLINED = "DECLINED", "已谢绝"
    EXPIRED = "EXPIRED", "过期未复"
    WITHDRAWN = "WITHDRAWN", "已撤回"
    CANCELLED = "CANCELLED", "已取消安排"


class Action(StrEnum):
    SEND = "SEND"
    ACCEPT = "ACCEPT"
    DECLINE = "DECLINE"
    EXPIRE = "EXPIRE"
    WITHDRAW = "WITHDRAW"
    CANCEL = "CANCEL"
    CLOSE = "CLOSE"
    """There is no such class any more."""


class InvitationClosed(Conflict):
    slug = "invitation-closed"
    title = "邀请已办结"


class TeacherBusy(Conflict):
    slug = "teacher-busy"
    title = "时间冲突"


class ClassOver(Conflict):
    slug = "class-over"
    title = "培训班已结束"
    default_detail = "本班已经结束，邀请和安排不能再变更。"


_CLOSED: dict[State | None, str] = {
    State.SENT: "这封邀请函还没有回复。如不再需要，请撤回邀请。",
    State.ACCEPTED: "这封邀请函已被接受。如需变更，由培训机构取消安排。",
    State.DECLINED: "这封邀请函已被谢绝。如情况有变，请由培训机构重新发函。",
    State.EXPIRED: "这封邀请函已过回复期限，自动失效。如仍有意向，请由培训机构重新发函。",
    State.WITHDRAWN: "培训机构已撤回这封邀请函，无需回复。",
    State.CANCELLED: "培训机构已取消这项安排。",
}


_TEACHER = frozenset({Role.BACKBONE_TEACHER})
STEPS: Procedure[State, Action] = Procedure(
    {
        Action.SEND: By(INSTITUTION_ROLES),
        Action.ACCEPT: By(_TEACHER, {State.SENT: State.ACCEPTED}),
        Action.DECLINE: By(_TEACHER, {State.SENT: State.DECLINED}),
        Action.EXPIRE: By(NOBODY, {State.SENT: State.EXPIRED}),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.SENT: State.WITHDRAWN}),
        Action.CANCEL: By(INSTITUTION_ROLES, {State.ACCEPTED: State.CANCELLED}),
        Action.CLOSE: By(
            INSTITUTION_ROLES | PROVINCE, {State.SENT: State.WITHDRAWN, State.ACCEPTED: State.CANCELLED}
        ),
    },
    lambda action: Forbidden(),
    lambda state, action: InvitationClosed(_CLOSED[state]),
)
"""Everything that can become of an invitation once it was sent; it expires by itself when its day is over."""


# ---- days


def end_of(day: date) -> datetime:
    """The midnight in Beijing that ends a day."""
    return datetime.combine(day + timedelta(days=1), time(), BEIJING)


def reply_until(sent_on: date, days: int, starts_on: date, ends_on: date) -> date:
    """The last day on which a reply counts: `days` after the letter (policy), yet before the class begins.

    A class that runs needs its answer at once: until tomorrow, and no later than its last day. Raises ClassOver.
    """
    if sent_on > ends_on:
        raise ClassOver()
    running = min(sent_on + timedelta(days=1), ends_on)
    latest = starts_on - timedelta(days=1) if sent_on < starts_on else running
    return min(sent_on + timedelta(days=days), latest)


def remind_at(sent_at: datetime, reply_by: datetime) -> datetime | None:
    """Two days before the end; None where the whole time to reply is shorter."""
    moment = reply_by - REMIND_BEFORE
    return moment if moment > sent_at else None


def state_at(state: State, reply_by: datetime, now: datetime) -> State:
    """The state by the clock: what nobody answered has expired at `reply_by`, whether or not it was noted yet."""
    return State.EXPIRED if state is State.SENT and now >= reply_by else state


# ---- tasks and their year


def year_of_task(starts_on: date) -> int:
    """The calendar year in which a task counts (每年, article 8.4.1): the one in which its class begins, whenever it ends."""
    return starts_on.year


def task_days(year: int) -> tuple[date, date]:
    """The first and the last day on which the class of a task of this year begins: year_of_task, as a query asks it."""
    return date(year, 1, 1), date(year, 12, 31)


@dataclass(frozen=True)
class Task:
    """What a teacher has accepted: 授课 or 考核 in one class (article 8.4). The first and the last day count."""

    teacher_id: str
    kind: Kind
    class_id: str
    class_name: str
    starts_on: date
    ends_on: date
    work_last: date | None = None
    """The last day of own work in it; None where there is none."""

    @property
    def year(self) -> int:
        return year_of_task(self.starts_on)

    def progress_on(self, today: date) -> Progress:
        return work.progress(self.work_last, self.ends_on, today)


@dataclass(frozen=True)
class DoneTask(Task):
    """A task whose class is over and in which own work was done."""


# ---- clashes


@dataclass(frozen=True)
class Engagement:
    """An accepted task: the class and its days, the first and the last of which count."""

    class_id: str
    class_name: str
    kind: Kind
    starts_on: date
    ends_on: date


def clashes(
    engagements: Iterable[Engagement], class_id: str, starts_on: date, ends_on: date
) -> list[Engagement]:
    """Those that share a day with this class. Teaching and assessing the same class is no clash."""
    return [
        one
        for one in engagements
        if one.class_id != class_id and one.starts_on <= ends_on and one.ends_on >= starts_on
    ]


def require_free(name: str, found: Sequence[Engagement]) -> None:
    """Raises TeacherBusy, naming the class that has the teacher already."""
    if found:
        raise TeacherBusy(f"{name}老师{clash_words(found[0])}，同一时间不能承担两个班的任务。")


def clash_words(one: Engagement) -> str:
    return f"与已接受的“{one.class_name}”（{short_day(one.starts_on)}至{short_day(one.ends_on)}）时间冲突"


def short_day(day: date) -> str:
    return f"{day.month}月{day.day}日"


# ---- reasons


@dataclass(frozen=True)
class Reason:
    """Why somebody stands where they stand in the recommendation. `tone` as the pages know it: success, neutral, danger."""

    text: str
    tone: str = "neutral"


def reasons(
    *,
    year: int,
    begun: bool,
    required: int,
    teaching: tuple[int, int],
    assessment: tuple[int, int],
    major: str,
    same_province: bool,
    wished: bool,
    cancelled: bool,
    clashing: Sequence[Engagement],
) -> list[Reason]:
    """The reasons, weightiest first; `teaching` and `assessment` are the tasks of the year that are done, and those still planned.

    Whoever has less 授课 of either than is `required` of them this year still owes it (article 8.4.1, backbone.owed); of a year that has
    not `begun` nobody owes anything yet.
    """
    owes = begun and sum(teaching) < required
    return [
        *(Reason(clash_words(one), "danger") for one in clashing),
        *([Reason("本班已取消安排", "danger")] if cancelled else []),
        *([Reason("开班申请中的意向教师", "info")] if wished else []),
        Reason(
            f"{year} 年授课 {_times(*teaching)}{f'，不足 {required} 次' if owes else ''}",
            "success" if owes else "neutral",
        ),
        Reason(f"考核 {_times(*assessment)}"),
        Reason("同省" if same_province else "外省"),
        Reason(f"专业对口：{major}"),
    ]


def _times(done: int, planned: int) -> str:
    return f"{done} 次，已安排 {planned} 次" if planned else f"{done} 次"
