"""Dynamic management (动态管理): when a backbone teacher or a training base is to be looked at, and what becomes of a case.

Articles 5 and 9.1 of the guide. The rules propose and never punish: each verdict opens a case at most, which somebody decides.
What the guide leaves open is decided here:

- 两年 is reckoned as periods of the civil law are (民法典 articles 201 and 202): the day on which it begins is not counted, and the last
  day is the one of the same date two years later (for 29 February the end of that month). A task on that last day is in time; a verdict
  holds from the day after.
- A task or a class counts on each of its days that has come, so that nobody is at rest while the class runs. Either kind of task counts.
- Days on which a title is suspended (or was cancelled, until that is reversed) are not among the two years.
- A year's satisfaction is judged from 15 April of the next year, when the surveys of its last classes have closed (they are open for
  92 days at most). A year without answers says nothing: it neither warns nor breaks nor continues a row of bad years.
- A decision that leaves the title settles what was before it: the two years begin anew on its day, the years judged do not count again.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest

from server.backbone import rules as pool
from server.backbone.rules import PoolStatus
from server.kernel import hearings, reviews
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.hearings import Hearing
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import CENTRE, NOBODY, PROVINCE, By, Procedure
from server.kernel.titled import Titled
from server.surveys.rules import SATISFACTION_MARK

IDLE_MONTHS = 24
"""两年内未承担…任务, 两年内未开展…培训 (articles 9.1 and 5.3)."""
EARLY_MONTHS = (6, 3)
"""How long before the two years are full somebody is warned."""
JUDGED_FROM = (4, 15)
"""Month and day of the next year from which on a year's satisfaction is judged."""


class Subject(Titled):
    TEACHER = "TEACHER", "骨干教师"
    BASE = "BASE", "教师培训基地"
    CENTRE = "CENTRE", "师资研修中心"


class Rule(Titled):
    """Why somebody is looked at."""

    NO_TASK = "NO_TASK", "两年内未承担授课及考核任务"
    LOW_SATISFACTION = "LOW_SATISFACTION", "培训满意度未达标"
    NO_CLASS = "NO_CLASS", "两年内未开展培训"
    ASKED_FOR = "ASKED_FOR", "省级管理部门申请取消"
    """No verdict of ours: the province asks to withdraw a base that no case is open about, and its request opens one."""
    CENTRE_IN_QUESTION = "CENTRE_IN_QUESTION", "部指导中心拟取消资格"
    """Neither: a 师资研修中心 is the ministry's own affair (article 5.1), and is heard like everybody else."""

    @property
    def article(self) -> str:
        return _ARTICLES[self.subject]

    @property
    def subject(self) -> Subject:
        return _SUBJECTS.get(self, Subject.TEACHER)


_SUBJECTS = {
    Rule.NO_CLASS: Subject.BASE,
    Rule.ASKED_FOR: Subject.BASE,
    Rule.CENTRE_IN_QUESTION: Subject.CENTRE,
}
_ARTICLES = {
    Subject.TEACHER: "第九条（一）",
    Subject.BASE: "第五条（三）",
    Subject.CENTRE: "第五条（一）",
}


class Grade(Titled):
    """How far it has come: two early warnings, one bad year, and what opens a case."""

    SIX_MONTHS = "SIX_MONTHS", "提前 6 个月预警"
    THREE_MONTHS = "THREE_MONTHS", "提前 3 个月预警"
    BAD_YEAR = "BAD_YEAR", "年度未达标提醒"
    CASE = "CASE", "立案"


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both counted; `last` None: no end is known."""

    first: date
    last: date | None


@dataclass(frozen=True)
class Score:
    """The satisfaction of a year: the points of all `answers` together, 3 each at most."""

    points: int
    answers: int

    @property
    def below_mark(self) -> bool:
        """年度满意度平均分不少于2分 (article 8.4.1), on the exact mean. Without an answer there is no mean, and nothing is below."""
        return self.points < SATISFACTION_MARK * self.answers


@dataclass(frozen=True)
class History:
    """What the rules read of one subject."""

    subject: str
    """A person's id, or that of a base's qualification."""
    since: date
    """The teacher's registration, or the first day of the base's qualification."""
    active: Sequence[Span] = ()
    """The tasks accepted, of either kind, or the classes given; each has its last day. What has not begun yet does not count."""
    suspensions: Sequence[Span] = ()
    """In any order; they may overlap."""
    satisfaction: Mapping[int, Score] = field(default_factory=dict)
    """Of a teacher, by calendar year."""
    settled_on: date | None = None
    """When a decision last left the title after a case of idleness."""
    settled_year: int | None = None
    """The last year that a decided case of satisfaction was about."""


@dataclass(frozen=True)
class Verdict:
    """What a rule finds in a history on some day: about whom, by which rule, over which period, and how far it has come.

    `key` names the period for good: a case or warning is made once for subject, rule, key and grade. `last` of an early warning is the
    day on which the two years will be full as things stand.
    """

    subject: str
    rule: Rule
    grade: Grade
    first: date
    last: date
    key: str


# ---- two years without


def plus_months(day: date, months: int) -> date:
    """The same date so many months later (or earlier); the end of the month where that month has no such date."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def full_on(since: date, suspensions: Sequence[Span]) -> date | None:
    """The last day of the two years that begin on `since`, days of suspension not counted; None while a suspension has no end."""
    full = plus_months(since, IDLE_MONTHS)
    counted_to = since
    for span in sorted(suspensions, key=lambda one: one.first):
        first = max(span.first, counted_to + timedelta(days=1))
        if first > full:
            break
        if span.last is None:
            return None
        if span.last >= first:
            full += span.last - first + timedelta(days=1)
            counted_to = span.last
    return full


def idle_since(history: History, today: date) -> date:
    """The last day on which something was done, or from which on the two years count anyway."""
    done = [min(span.last or today, today) for span in history.active if span.first <= today]
    settled = [history.settled_on] if history.settled_on and history.settled_on <= today else []
    return max([history.since, *done, *settled])


def idleness(history: History, rule: Rule, today: date) -> Verdict | None:
    """NO_TASK or NO_CLASS: two years are over, or will be within six or three months."""
    since = idle_since(history, today)
    full = full_on(since, history.suspensions)
    if full is None:
        return None
    grade = _grade(full, today)
    return Verdict(history.subject, rule, grade, since, full, since.isoformat()) if grade else None


def _grade(full: date, today: date) -> Grade | None:
    if today > full:
        return Grade.CASE
    early, late = (plus_months(full, -months) for months in EARLY_MONTHS)
    if today >= late:
        return Grade.THREE_MONTHS
    return Grade.SIX_MONTHS if today >= early else None


# ---- satisfaction


def last_judged_year(today: date) -> int:
    month, day = JUDGED_FROM
    return today.year - 1 if today >= date(today.year, month, day) else today.year - 2


def satisfaction(history: History, today: date, bad_years: int) -> Verdict | None:
    """LOW_SATISFACTION: the newest judged year with answers is below the mark; so many in a row (policy) make a case."""
    after = max(history.since.year - 1, history.settled_year or 0)
    years = [
        year
        for year in sorted(history.satisfaction, reverse=True)
        if after < year <= last_judged_year(today) and history.satisfaction[year].answers
    ]
    row: list[int] = []
    for year in years:
        if not history.satisfaction[year].below_mark or len(row) == bad_years:
            break
        row.append(year)
    if not row:
        return None
    grade = Grade.CASE if len(row) == bad_years else Grade.BAD_YEAR
    first, last = date(row[-1], 1, 1), date(row[0], 12, 31)
    return Verdict(history.subject, Rule.LOW_SATISFACTION, grade, first, last, str(row[0]))


def review_teacher(history: History, today: date, *, bad_years: int) -> list[Verdict]:
    """What article 9.1 finds in a backbone teacher's history today. `bad_years` is the policy `satisfaction_bad_years`."""
    found = (idleness(history, Rule.NO_TASK, today), satisfaction(history, today, bad_years))
    return [verdict for verdict in found if verdict]


def review_base(history: History, today: date) -> list[Verdict]:
    """What article 5.3 finds in the history of a training base today."""
    found = idleness(history, Rule.NO_CLASS, today)
    return [found] if found else []


def away(history: Sequence[pool.Decided]) -> list[Span]:
    """When a member of the pool was suspended or cancelled, by the decisions about the status."""
    days = sorted({one.effective_on for one in history})
    return [
        Span(first, following - timedelta(days=1) if following else None)
        for first, following in zip_longest(days, days[1:])
        if first and pool.status_on(history, first) is not PoolStatus.ACTIVE
    ]


# ---- cases


class State(Titled):
    OPEN = "OPEN", "待陈述"
    STATED = "STATED", "已陈述"
    FILED = "FILED", "省级已申请取消"
    DECIDED = "DECIDED", "已决定"
    DISMISSED = "DISMISSED", "已终止"
    REVERSED = "REVERSED", "决定已撤销"

    @property
    def open(self) -> bool:
        """Whether somebody still has to act."""
        return self in (State.OPEN, State.STATED, State.FILED)


class Action(Titled):
    OPEN = "OPEN", "立案"
    STATE = "STATE", "陈述情况"
    DECIDE = "DECIDE", "作出决定"
    FILE = "FILE", "申请取消基地资格"
    WITHDRAW = "WITHDRAW", "核准取消基地资格"
    TAKE_BACK = "TAKE_BACK", "撤回取消申请"
    DISMISS = "DISMISS", "终止"
    REVERSE = "REVERSE", "撤销决定"


class Outcome(Titled):
    """What a decision says. REVERSED is the later one that takes an earlier one back."""

    KEPT = "KEPT", "保留资格"
    WARNED = "WARNED", "提醒警示"
    CANCELLED = "CANCELLED", "取消资格"
    REVERSED = "REVERSED", "撤销原决定"

    @property
    def adverse(self) -> bool:
        return self in (Outcome.WARNED, Outcome.CANCELLED)


_TEACHERS_PHONE = frozenset({Role.BACKBONE_TEACHER, Role.TRAINEE})
"""A suspended teacher's phone speaks as a trainee's; whose case it is, the service asks."""
_UNDECIDED = (State.OPEN, State.STATED)
_STEPS: dict[Subject, dict[Action, By[State]]] = {
    Subject.TEACHER: {
        Action.OPEN: By(NOBODY, {None: State.OPEN}),
        Action.STATE: By(_TEACHERS_PHONE, dict.fromkeys(_UNDECIDED, State.STATED)),
        Action.DECIDE: By(CENTRE, dict.fromkeys(_UNDECIDED, State.DECIDED)),
        Action.DISMISS: By(CENTRE, dict.fromkeys(_UNDECIDED, State.DISMISSED)),
        Action.REVERSE: By(CENTRE, {State.DECIDED: State.REVERSED}),
    },
    Subject.BASE: {
        Action.OPEN: By(NOBODY, {None: State.OPEN}),
        Action.STATE: By(
            INSTITUTION_ROLES, {**dict.fromkeys(_UNDECIDED, State.STATED), State.FILED: State.FILED}
        ),
        Action.FILE: By(PROVINCE, dict.fromkeys(_UNDECIDED, State.FILED)),
        Action.WITHDRAW: By(CENTRE, dict.fromkeys((*_UNDECIDED, State.FILED), State.DECIDED)),
        Action.TAKE_BACK: By(PROVINCE, {State.FILED: State.DISMISSED}),
        Action.DISMISS: By(PROVINCE, dict.fromkeys(_UNDECIDED, State.DISMISSED)),
    },
    Subject.CENTRE: {
        Action.OPEN: By(CENTRE, {None: State.OPEN}),
        Action.STATE: By(INSTITUTION_ROLES, dict.fromkeys(_UNDECIDED, State.STATED)),
        Action.DECIDE: By(CENTRE, dict.fromkeys(_UNDECIDED, State.DECIDED)),
        Action.DISMISS: By(CENTRE, dict.fromkeys(_UNDECIDED, State.DISMISSED)),
    },
}
"""部指导中心 … 取消其骨干教师资格 (article 9.1); 由省级管理部门向我部提出申请取消 (article 5.3). WITHDRAW without FILE is a request of
an earlier version that was older than the case: by now a request that finds no case opens one, which begins FILED. A withdrawn
qualification never comes back (institutions.rules), so that the decision on a base or a 师资研修中心 is not reversed: the school is
recommended or published again."""

_OUTCOMES = {
    Subject.TEACHER: (Outcome.KEPT, Outcome.WARNED, Outcome.CANCELLED),
    Subject.CENTRE: (Outcome.KEPT, Outcome.CANCELLED),
}


def outcomes_of(subject: Subject) -> tuple[Outcome, ...]:
    """What the centre may decide in a case by itself; about a base it decides the province's request."""
    return _OUTCOMES.get(subject, ())


class CaseSettled(Conflict):
    slug = "qualification-case-settled"
    title = "动态管理事项当前不能这样办理"


class StatementOver(Conflict):
    slug = "statement-over"
    title = "陈述期限已过"


def steps_of(subject: Subject) -> Procedure[State, Action]:
    """What may become of a case about such a subject."""
    return Procedure(
        _STEPS[subject],
        lambda action: Forbidden(
            f"{subject.label}的动态管理中，“{action.label}”不由您办理（指南第五条、第九条）。"
        ),
        reviews.refused(
            CaseSettled, "该事项目前为“{state}”，不能{action}。请刷新后查看最新状态。", unmade="未立案"
        ),
    )


def check_statement_day(state_until: date, today: date) -> None:
    """Raises StatementOver after the last day on which a case may be stated."""
    if today > state_until:
        raise StatementOver(f"陈述期限已于{state_until}截止。如仍有情况要说明，请直接联系部指导中心。")


def check_heard(outcome: Outcome, hearing: Hearing, today: date) -> None:
    """A warning burdens too, though it takes no title: it waits for the hearing like what does (kernel.hearings). Raises TooEarly."""
    if outcome.adverse:
        hearings.check_heard(hearing, today, outcome.label)


def check_reversal(outcome: Outcome) -> None:
    """Raises CaseSettled for a decision that left everything as it was: there is nothing to take back."""
    if not outcome.adverse:
        raise CaseSettled(f"原决定是“{outcome.label}”，没有可撤销的内容。")


def check_effective(effective_on: date, today: date) -> None:
    """Raises Invalid for a day that has passed."""
    if effective_on < today:
        raise Invalid(fields=[FieldError("effective_on", "生效日期不能早于今天。")])
