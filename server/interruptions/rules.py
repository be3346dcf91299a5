"""Classes that do not run as they were planned (变更): what may be asked for, who decides, and what may become of it. Pure.

Article 4.6 gives a certificate to whoever passed a training of the hours that its scheme promises; article 25.4 lets nothing published
change without a request and its approver. A class that a typhoon cut short therefore has three ways, each approved by the province: it is
suspended or put off and makes its sessions up (暂停, 延期); its people finish in a later class, where the hours held count (转班补学);
or it follows a new version of its scheme (server.schemes), never below the floor of its level. Or it ends (终止培训). Before its first
session the institution calls it off by itself (取消开班).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.attendance.rules import CHECK_INS_SETTLE
from server.classes.rules import check_dates
from server.institutions.rules import Level
from server.kernel import reviews
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

PUT_OFF_MOST = timedelta(days=2 * 366)
"""A class that is put off for longer is another class."""


class Kind(Titled):
    SUSPEND = "SUSPEND", "暂停"
    POSTPONE = "POSTPONE", "延期"
    TRANSFER = "TRANSFER", "转班补学"
    TERMINATE = "TERMINATE", "终止培训"
    CALL_OFF = "CALL_OFF", "取消开班"
    """Done at once by the institution, before the first session; kept here as a fact."""
    REVOKE = "REVOKE", "撤销变更"
    """Of an approved 暂停 or 延期 of which nothing has happened yet."""


class Ground(Titled):
    """Why; a class that fell to 不可抗力 is a fact in a case of dynamic management (article 5.3)."""

    FORCE_MAJEURE = "FORCE_MAJEURE", "不可抗力（台风、疫情、停电等）"
    ENROLMENT = "ENROLMENT", "生源不足"
    OTHER = "OTHER", "其他原因"


class State(Titled):
    ASKED = "ASKED", "待接收机构同意"
    SUBMITTED = "SUBMITTED", "待省级审核"
    RETURNED = "RETURNED", "已退回"
    APPROVED = "APPROVED", "已批准"
    WITHDRAWN = "WITHDRAWN", "已撤回"
    REVOKED = "REVOKED", "批准后撤销"
    DONE = "DONE", "已办理"

    @property
    def open(self) -> bool:
        """Whether it waits: of one class one request at a time."""
        return self in (State.ASKED, State.SUBMITTED)


class Action(Titled):
    FILE = "FILE", "提出申请"
    ACCEPT = "ACCEPT", "同意接收"
    DECLINE = "DECLINE", "不同意接收"
    APPROVE = "APPROVE", "批准"
    RETURN = "RETURN", "退回"
    WITHDRAW = "WITHDRAW", "撤回"
    REPLACE = "REPLACE", "另行申请"
    """A returned request, by the next one of the same class."""
    CALL_OFF = "CALL_OFF", "取消开班"
    REVOKE = "REVOKE", "批准撤销"
    """Of an approved change, by the approval of the request to revoke it."""


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.FILE: By(INSTITUTION_ROLES),
        Action.CALL_OFF: By(INSTITUTION_ROLES),
        Action.ACCEPT: By(INSTITUTION_ROLES, {State.ASKED: State.SUBMITTED}),
        Action.DECLINE: By(INSTITUTION_ROLES, {State.ASKED: State.RETURNED}),
        Action.APPROVE: By(PROVINCE, {State.SUBMITTED: State.APPROVED}),
        Action.RETURN: By(PROVINCE, {State.SUBMITTED: State.RETURNED}),
        Action.WITHDRAW: By(
            INSTITUTION_ROLES,
            dict.fromkeys((State.ASKED, State.SUBMITTED, State.RETURNED), State.WITHDRAWN),
        ),
        Action.REPLACE: By(INSTITUTION_ROLES, {State.RETURNED: State.WITHDRAWN}),
        Action.REVOKE: By(PROVINCE, {State.APPROVED: State.REVOKED}),
    },
    reviews.not_yours(
        "change-not-yours", "培训班的变更由培训机构申请，由省级管理部门审核（指南第四条、第二十五条）。"
    ),
    reviews.not_now("change-state", "变更申请现在不能这样办理", "这份变更申请{state}"),
    reviews.overtaken("change-overtaken", "变更申请已有变动", "这份变更申请"),
    waits=(
        Waits(INSTITUTION_ROLES, State.RETURNED, "被退回的培训班变更，重新申请或撤回"),
        Waits(PROVINCE, State.SUBMITTED, "待审核的培训班变更"),
    ),
)


class ClassBegun(Conflict):
    slug = "class-begun"
    title = "已经开课"
    default_detail = "本班第一个课次已经或即将开始签到，不能再取消开班。如不能继续举办，请申请终止培训，由省级管理部门批准。"


class NameDiffers(Invalid):
    slug = "class-name-differs"
    title = "班名不一致"


class ChangeOpen(Conflict):
    slug = "change-open"
    title = "已有待审核的变更申请"
    default_detail = "一个培训班一次只办理一件变更。请等审核办结，或先撤回原来的申请。"


class CannotBeRevoked(Conflict):
    slug = "change-cannot-be-revoked"
    title = "不能撤销这件变更"


class NotLater(Conflict):
    slug = "not-a-later-class"
    title = "不能转入这个班"


# ---- days


@dataclass(frozen=True)
class Days:
    """The days of a class as they are, and its suspensions so far."""

    starts_on: date
    ends_on: date
    suspended: tuple[tuple[date, date], ...] = ()


def check_suspension(
    first: date, last: date, now: Days, ends_on: date, today: date, *, most_days: int
) -> None:
    """Raises Invalid unless the suspension begins on a day of the class, and not before today, lasts no longer than `most_days` (policy),
    and the class goes on after it."""
    wrong = []
    if not now.starts_on <= first <= now.ends_on:
        said = f"暂停应从培训班日期内开始（{now.starts_on} 至 {now.ends_on}）。"
        wrong.append(FieldError("first", said))
    elif first < today:
        wrong.append(FieldError("first", f"暂停不能早于今天（{today}）：已经过去的日子，上了的课照常有效。"))
    if last < first:
        wrong.append(FieldError("last", "暂停的最后一天不能早于第一天。"))
    elif (last - first).days >= most_days:
        wrong.append(FieldError("last", f"暂停最长 {most_days} 天；更久的请终止培训并转班补学。"))
    if any(before <= last and first <= after for before, after in now.suspended):
        wrong.append(FieldError("first", "与已批准的暂停重叠。"))
    if ends_on < now.ends_on:
        wrong.append(FieldError("ends_on", f"新的结束日期不能早于现在的结束日期（{now.ends_on}）。"))
    elif ends_on <= last:
        wrong.append(FieldError("ends_on", "新的结束日期应在暂停以后。"))
    if wrong:
        raise Invalid(fields=wrong)
    check_dates(now.starts_on, ends_on)


def check_postponement(
    starts_on: date, ends_on: date, now: Days, today: date, *, begun: bool, moved: bool
) -> None:
    """Raises Invalid unless the class ends later, or has not begun and begins later, or sessions get other times (`moved`): what a 暂停 has
    cancelled is made up for on days that the class has by then."""
    wrong = []
    if starts_on != now.starts_on:
        if begun or now.starts_on <= today:
            wrong.append(FieldError("starts_on", "培训班已经开始，开始日期不能再变。"))
        elif starts_on <= now.starts_on:
            wrong.append(FieldError("starts_on", f"延期后的开始日期应晚于 {now.starts_on}。"))
    if ends_on < max(now.ends_on, today):
        wrong.append(FieldError("ends_on", "延期后的结束日期不能早于现在的结束日期，也不能是过去的日子。"))
    elif ends_on > max(now.ends_on, today) + PUT_OFF_MOST:
        wrong.append(FieldError("ends_on", "延期不能超过两年：不能再办的，请申请终止培训。"))
    elif (starts_on, ends_on) == (now.starts_on, now.ends_on) and not moved:
        said = "日期没有变化，也没有改动课次。请填写延期后的结束日期，或安排课次的新时间。"
        wrong.append(FieldError("ends_on", said))
    if wrong:
        raise Invalid(fields=wrong)
    check_dates(starts_on, ends_on)


def check_lengthened(now: Days, ends_on: date, moved: Iterable[date], unplanned: int) -> None:
    """Raises Invalid unless a later last day has something to hold: a session that is moved behind the old one, or hours of the scheme
    that no session has yet. Days without training would stand as 培训时间 on a certificate (article 17)."""
    if ends_on > now.ends_on and unplanned <= 0 and not any(day > now.ends_on for day in moved):
        said = (
            f"没有课次改到 {now.ends_on} 以后，课时也已全部排定，结束日期不能推后。请先安排改到以后的课次。"
        )
        raise Invalid(fields=[FieldError("ends_on", said)])


def check_not_begun(opens: Iterable[datetime], now: datetime) -> None:
    """Raises ClassBegun once the check-in of any session has opened, or is so near that a scan could meet the calling-off."""
    if any(one - CHECK_INS_SETTLE <= now for one in opens):
        raise ClassBegun()


def check_typed(typed: str, name: str) -> None:
    """Raises NameDiffers: what is called off is named by who calls it off."""
    if "".join(typed.split()) != "".join(name.split()):
        raise NameDiffers(fields=[FieldError("typed", f"请输入完整的班名“{name}”以确认。")])


@dataclass(frozen=True)
class InForce:
    """An approved change as whoever would revoke it finds it."""

    kind: Kind
    before: tuple[date, date]
    """First and last day of the class before it."""
    after: tuple[date | None, date | None]
    suspended_from: date | None
    newest: bool
    """No later change of the class has been approved."""


def check_revocable(change: InForce, now: Days, today: date) -> None:
    """Raises CannotBeRevoked unless the class can be as it was before the change: it stands as the change left it, and nothing of the
    change has happened. What was terminated or transferred has happened with its approval."""
    if change.kind not in (Kind.SUSPEND, Kind.POSTPONE):
        raise CannotBeRevoked(f"{change.kind.label}批准后立即执行，不能撤销。")
    if not change.newest or change.after != (now.starts_on, now.ends_on):
        raise CannotBeRevoked("此后培训班又有变更或更正，只能撤销最近的一件；日期仍要改的，请申请延期。")
    if change.suspended_from is not None and change.suspended_from <= today:
        raise CannotBeRevoked("暂停已经开始，不能撤销。需要改期的，请申请延期。")
    starts_on, ends_on = change.before
    if ends_on < today or (starts_on != now.starts_on and starts_on <= today):
        raise CannotBeRevoked(f"原来的日期（{starts_on} 至 {ends_on}）已过，不能恢复。")


# ---- sessions


@dataclass(frozen=True)
class Placed:
    """A session as the rules see it here; `used` once anybody has checked in."""

    id: str
    title: str
    starts_at: datetime
    used: bool
    cancelled: bool


def movable(sessions: Iterable[Placed]) -> list[Placed]:
    """What may be held at another time: whatever nobody has checked in to, also what was cancelled before."""
    return [one for one in sessions if not one.used]


def inside(sessions: Iterable[Placed], first: date, last: date) -> list[Placed]:
    """The sessions that a suspension falls on: to be moved or cancelled. What was held on its days, in the morning before the storm,
    stays held."""
    return [
        one for one in movable(sessions) if not one.cancelled and first <= beijing_date(one.starts_at) <= last
    ]


def check_moves(sessions: Iterable[Placed], moves: Mapping[str, datetime]) -> None:
    """Raises Invalid when a session is to be moved that is none of these, or to where it is."""
    there = {one.id: one for one in sessions}
    for session_id, starts_at in moves.items():
        one = there.get(session_id)
        if one is None or one.used:
            raise Invalid(
                fields=[FieldError("moves", "有的课次已有签到记录或不存在，不能调整。请刷新后重新填写。")]
            )
        if one.starts_at == starts_at and not one.cancelled:
            raise Invalid(fields=[FieldError("moves", f"“{one.title}”的时间没有变化。")])


# ---- 转班补学


@dataclass(frozen=True)
class Course:
    """A class as far as it matters to who would finish in it; `over` when nobody comes into it any more."""

    id: str
    name: str
    level: Level
    major: str
    starts_on: date
    over: bool


def check_later_class(held_in: Course, counts_in: Course, held_to: date | None = None) -> None:
    """Raises NotLater unless it is another class of the same level and 专业大类 that begins no earlier and still takes people.

    `held_to` is the day of the last session that the people concerned came to (article 4.6): a class that ran at the same time is no later
    one, and its hours would be the same hours twice.
    """
    same = (held_in.level, held_in.major) == (counts_in.level, counts_in.major)
    if held_in.id == counts_in.id or not same:
        raise NotLater("只能转入同一级别、同一专业大类的另一个培训班（指南第十六条）。")
    if counts_in.over or counts_in.starts_on < held_in.starts_on:
        raise NotLater(f"“{counts_in.name}”已结束、已取消，或不是以后举办的班，不能转入。")
    if held_to is not None and counts_in.starts_on <= held_to:
        raise NotLater(
            f"“{counts_in.name}”于 {counts_in.starts_on} 开班，而要转入的学员在本班上课到 {held_to}，同期的班不能转入。"
        )
