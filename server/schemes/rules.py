"""Rules of the training scheme (article 4.3: 培训机构应与骨干教师共同设计制订本次培训班的培训方案，并报省级管理部门审核).

A scheme is drafted in versions. Institution and teachers agree on one by signing it, the province approves or returns it, and what is
approved makes the sessions and tasks of the class. A later version goes the same way and never touches what has happened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from server.assessment.rules import TaskKind
from server.attendance.hours import hours_misfit
from server.attendance.rules import LONGEST_SESSION, HalfDay, at, overlapping, timetable, usual_times
from server.institutions.rules import Level
from server.kernel import reviews
from server.kernel.clock import BEIJING
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import PROVINCE, By, Procedure
from server.kernel.titled import Titled
from server.schemes.content import Content, CourseRow, Draft, SessionRow, TaskRow

# ---- the states of a scheme


class State(Titled):
    DRAFT = "DRAFT", "草稿"
    SIGNING = "SIGNING", "教师签署中"
    SUBMITTED = "SUBMITTED", "待省级审核"
    RETURNED = "RETURNED", "已退回"
    APPROVED = "APPROVED", "已通过"
    SUPERSEDED = "SUPERSEDED", "已被新版代替"
    DISCARDED = "DISCARDED", "已废弃"


class Action(Titled):
    SAVE = "SAVE", "保存方案"
    SEND = "SEND", "送教师签署"
    SIGN = "SIGN", "签署"
    FILE = "FILE", "报送省级审核"
    APPROVE = "APPROVE", "审核通过"
    RETURN = "RETURN", "退回修改"
    CLOSE = "CLOSE", "培训班取消或终止"
    """Nobody signs or reviews the scheme of a class that is no more."""
    WITHDRAW = "WITHDRAW", "撤回"
    DISCARD = "DISCARD", "废弃草稿"


LEFT_BEHIND: dict[State, State] = {
    State.DRAFT: State.SUPERSEDED,
    State.SIGNING: State.SUPERSEDED,
    State.RETURNED: State.RETURNED,
    State.APPROVED: State.APPROVED,
}
"""What becomes of the version before when a new one is saved: a return is a fact, and what is approved stays in force."""


GONE = frozenset({State.SUPERSEDED, State.DISCARDED})
"""What counts no more: the newest version of a scheme is the last one that is in another state."""


class SchemeNotInState(Conflict):
    slug = "scheme-not-in-state"
    title = "方案现在不能这样办理"


class NotYourStep(Forbidden):
    slug = "not-your-step"
    title = "这一步不由您办理"
    default_detail = (
        "培训方案由培训机构与授课骨干教师共同起草，由教师签署、省级管理部门审核，请由相应的人员办理。"
    )


class SchemeIncomplete(Invalid):
    slug = "scheme-incomplete"
    title = "方案还不完整"
    default_detail = "方案还不符合报备要求，请按提示修改并保存后再办理。"


class SignaturesMissing(Conflict):
    slug = "signatures-missing"
    title = "还有教师没有签署"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.SAVE: By(
            INSTITUTION_ROLES | {Role.BACKBONE_TEACHER}, dict.fromkeys((None, *LEFT_BEHIND), State.DRAFT)
        ),
        Action.SEND: By(INSTITUTION_ROLES, {State.DRAFT: State.SIGNING, State.RETURNED: State.SIGNING}),
        Action.SIGN: By(frozenset({Role.BACKBONE_TEACHER}), {State.SIGNING: State.SIGNING}),
        Action.FILE: By(INSTITUTION_ROLES, {State.SIGNING: State.SUBMITTED}),
        Action.APPROVE: By(PROVINCE, {State.SUBMITTED: State.APPROVED}),
        Action.RETURN: By(PROVINCE, {State.SUBMITTED: State.RETURNED}),
        Action.CLOSE: By(
            INSTITUTION_ROLES | PROVINCE, {State.SIGNING: State.DRAFT, State.SUBMITTED: State.DRAFT}
        ),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.SUBMITTED: State.SIGNING, State.SIGNING: State.DRAFT}),
        Action.DISCARD: By(
            INSTITUTION_ROLES, {State.DRAFT: State.DISCARDED, State.RETURNED: State.DISCARDED}
        ),
    },
    lambda action: NotYourStep(),
    reviews.refused(
        SchemeNotInState,
        "方案现为“{state}”，不能{action}。请刷新页面，按当前状态办理。",
        unmade="尚未起草",
    ),
)
"""Of the newest version of a scheme; SAVE makes that a new one."""


def check_signed(teachers: Mapping[str, str], signed: Collection[str]) -> None:
    """Raises SignaturesMissing unless every teacher of the class (id → name) has signed this version (article 4.3: 共同设计制订)."""
    if not teachers:
        raise SignaturesMissing("本班还没有授课骨干教师，方案不能报送。请先邀请骨干教师并由其签署。")
    missing = [name for teacher_id, name in teachers.items() if teacher_id not in signed]
    if missing:
        raise SignaturesMissing(f"{'、'.join(missing)}还没有签署这一版方案。请教师在小程序中签署后再报送。")


# ---- what a scheme must say


@dataclass(frozen=True)
class Frame:
    """What the class and the policies of its first day ask of its scheme."""

    level: Level
    hours_floor: int
    formative_weight: int
    first_day: date
    last_day: date
    teachers: Mapping[str, str]
    """Id → name of all its teachers now: they sign."""
    assessors: Mapping[str, str] = field(default_factory=dict)
    """Those of them who assess."""
    only_assess: Collection[str] = ()
    """Ids of those who do not teach."""
    class_hour_minutes: int = 45

    def naming(self, called: Mapping[str, str]) -> Frame:
        """The same with its teachers (by id) as they are called."""
        assessors = {who: called[who] for who in self.assessors}
        return replace(self, teachers={who: called[who] for who in self.teachers}, assessors=assessors)

    @property
    def teaching(self) -> dict[str, str]:
        return {who: name for who, name in self.teachers.items() if who not in self.only_assess}


def written(draft: Draft, frame: Frame) -> Content:
    """The draft with the names of its teachers, its timetable in order. Raises Invalid for somebody who does not teach the class."""
    for number, row in enumerate(draft.courses):
        if row.teacher_id and row.teacher_id not in frame.teaching:
            raise Invalid(fields=[FieldError(f"courses.{number}", "请从本班的授课教师中选择。")])
    if any(row.teacher_id and row.teacher_id not in frame.teaching for row in draft.sessions):
        raise Invalid(fields=[FieldError("sessions", "请从本班的授课教师中选择。")])
    if any(row.assessor_id and row.assessor_id not in frame.assessors for row in draft.tasks):
        raise Invalid(fields=[FieldError("tasks", "请从本班的考核教师中选择。")])
    courses = (
        row.model_copy(update={"teacher_name": frame.teachers.get(row.teacher_id, "")})
        for row in draft.courses
    )
    return Content(
        objectives=draft.objectives,
        courses=tuple(courses),
        sessions=tuple(
            _taught(row, draft, frame) for row in sorted(draft.sessions, key=lambda row: row.starts_at)
        ),
        tasks=tuple(_assessed(row, frame) for row in draft.tasks),
        places=draft.places,
        materials=draft.materials,
        formative_weight=frame.formative_weight,
    )


def _taught(row: SessionRow, draft: Draft, frame: Frame) -> SessionRow:
    """The session with the name of its teacher; where none is given, of the only one who teaches its course."""
    of_course = {one.teacher_id for one in draft.courses if one.title == row.course and one.teacher_id}
    who = row.teacher_id or (of_course.pop() if len(of_course) == 1 else "")
    return row.model_copy(update={"teacher_id": who, "teacher_name": frame.teaching.get(who, "")})


def _assessed(row: TaskRow, frame: Frame) -> TaskRow:
    """The task with the name of its assessor; where none is given, of the only one whom the class has."""
    who = row.assessor_id or (next(iter(frame.assessors)) if len(frame.assessors) == 1 else "")
    return row.model_copy(update={"assessor_id": who, "assessor_name": frame.assessors.get(who, "")})


def shortcomings(content: Content, frame: Frame) -> list[FieldError]:
    """Everything for which the scheme cannot be signed or approved yet, in Chinese; empty when it can."""
    return [
        *_courses_wrong(content, frame),
        *_timetable_wrong(content, frame),
        *_tasks_wrong(content, frame),
        *([] if content.objectives else [FieldError("objectives", "还没有写培训目标。")]),
    ]


def _courses_wrong(content: Content, frame: Frame) -> Iterable[FieldError]:
    if content.course_hours < frame.hours_floor:
        yield FieldError(
            "courses",
            f"按《培训标准》，{frame.level.label}培训不低于 {frame.hours_floor} 课时，方案现为 {content.course_hours} 课时。",
        )
    for row in content.courses:
        if not row.teacher_id:
            yield FieldError(
                "courses",
                f"课程“{row.title}”的 {row.hours} 课时还没有安排授课教师（指南第六条：由骨干教师授课）。",
            )
        elif row.teacher_id not in frame.teaching:
            yield FieldError(
                "courses", f"课程“{row.title}”安排的{row.teacher_name}已不是本班授课教师，请改派。"
            )
    pairs = [(row.title, row.teacher_id) for row in content.courses]
    for title in dict.fromkeys(title for title, who in pairs if who and pairs.count((title, who)) > 1):
        yield FieldError("courses", f"课程“{title}”的同一位教师写了两行，请合并课时。")


def _timetable_wrong(content: Content, frame: Frame) -> Iterable[FieldError]:
    planned, arranged = _hours_by_course(content.courses), _hours_by_course(content.sessions)
    if content.timetable_hours != content.course_hours:
        yield FieldError(
            "sessions",
            f"课表共 {content.timetable_hours} 课时，各课程合计 {content.course_hours} 课时，两者应当相等。",
        )
    for title, hours in planned.items():
        if arranged.get(title, 0) != hours:
            yield FieldError(
                "sessions", f"课程“{title}”应为 {hours} 课时，课表安排了 {arranged.get(title, 0)} 课时。"
            )
    for row in content.sessions:
        name = f"{minute(row.starts_at)}“{row.title}”"
        if row.course not in planned:
            yield FieldError("sessions", f"{name}没有对应的课程，请从方案的课程中选择。")
        yield from _teacher_wrong(row, name, frame)
        if not all(frame.first_day <= _day(moment) <= frame.last_day for moment in row.span):
            yield FieldError("sessions", f"{name}不在培训班日期内（{frame.first_day} 至 {frame.last_day}）。")
        if not row.starts_at < row.ends_at <= row.starts_at + LONGEST_SESSION:
            yield FieldError("sessions", f"{name}的下课时间应晚于上课时间，最长 12 小时。")
        elif words := hours_misfit(row.hours, row.ends_at - row.starts_at, frame.class_hour_minutes):
            yield FieldError("sessions", f"{name}{words}")
    if pair := overlapping(row.span for row in content.sessions):
        yield FieldError("sessions", f"{minute(pair[0])} 和 {minute(pair[1])} 开始的两个课次时间重叠。")


def _teacher_wrong(row: SessionRow, name: str, frame: Frame) -> Iterable[FieldError]:
    """Each session names who teaches it (article 6)."""
    if not row.teacher_id:
        yield FieldError("sessions", f"{name}还没有指定授课教师（该课程有几位教师的，请逐次选择）。")
    elif row.teacher_id not in frame.teaching:
        yield FieldError("sessions", f"{name}指定的{row.teacher_name}已不是本班授课教师，请改派。")


def _hours_by_course(rows: Iterable[CourseRow | SessionRow]) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in rows:
        title = row.title if isinstance(row, CourseRow) else row.course
        total[title] = total.get(title, 0) + row.hours
    return total


def _tasks_wrong(content: Content, frame: Frame) -> Iterable[FieldError]:
    kinds = {row.kind for row in content.tasks}
    for kind in TaskKind:
        if kind not in kinds:
            yield FieldError("tasks", f"还没有{kind.label}任务（指南第四条（六）：过程性考核和终结性考核）。")
    titles = [row.title for row in content.tasks]
    for title in dict.fromkeys(title for title in titles if titles.count(title) > 1):
        yield FieldError("tasks", f"任务“{title}”重名，请改名或合并。")
    for row in content.tasks:
        names = [one.title for one in row.criteria]
        if len(set(names)) != len(names):
            yield FieldError("tasks", f"任务“{row.title}”的评分项有重复，请合并或改名。")
        if not row.assessor_id:
            missing = "请从本班的考核教师中选择" if frame.assessors else "请先邀请骨干教师承担考核"
            yield FieldError("tasks", f"任务“{row.title}”还没有指定考核教师（指南第六条），{missing}。")
        elif row.assessor_id not in frame.assessors:
            yield FieldError(
                "tasks", f"任务“{row.title}”指定的{row.assessor_name}已不是本班考核教师，请改派。"
            )
        if _day(row.deadline) < frame.first_day:
            yield FieldError("tasks", f"任务“{row.title}”的截止时间早于开班日期。")
    if content.formative_weight != frame.formative_weight:
        yield FieldError(
            "tasks",
            f"考核权重已核定为过程性 {frame.formative_weight}%、终结性 {100 - frame.formative_weight}%，"
            "请重新保存方案。",
        )


# ---- what an approval changes in a class that may be under way


@dataclass(frozen=True)
class Held:
    """A session that the class has."""

    id: str
    row: SessionRow
    fixed: bool
    """Its check-in has opened, or somebody has checked in: it stays as it is."""


@dataclass(frozen=True)
class SetTask:
    """A task that the class has."""

    id: str
    row: TaskRow
    in_use: bool


@dataclass(frozen=True)
class Consequences:
    """What the approval of a scheme does to the sessions and tasks of its class at this moment."""

    sessions_stay: list[SessionRow] = field(default_factory=list)
    sessions_move: list[tuple[Held, SessionRow]] = field(default_factory=list)
    """The same teaching under another name, in another room or by another teacher."""
    sessions_make: list[SessionRow] = field(default_factory=list)
    sessions_drop: list[Held] = field(default_factory=list)
    tasks_stay: list[TaskRow] = field(default_factory=list)
    tasks_make: list[TaskRow] = field(default_factory=list)
    tasks_drop: list[SetTask] = field(default_factory=list)
    impossible: list[FieldError] = field(default_factory=list)
    """Why it cannot be approved as it is: it would change what has happened."""

    @property
    def replaces(self) -> bool:
        """Whether the class loses or changes anything that it has."""
        return bool(self.sessions_move or self.sessions_drop or self.tasks_drop)


def consequences(
    content: Content, held: Sequence[Held], given: Sequence[SetTask], now: datetime
) -> Consequences:
    """Sessions that have begun and tasks in use stay, and the scheme must name them as they are; all others follow the scheme.

    A session can be made as long as one can still check in to it, a task as long as its deadline has not passed.
    """
    found = Consequences()
    _compare_sessions(found, content.sessions, held, now)
    _compare_tasks(found, content.tasks, given, now)
    return found


def _compare_sessions(
    found: Consequences, rows: Sequence[SessionRow], held: Sequence[Held], now: datetime
) -> None:
    left = list(held)
    for row in rows:
        there = next((one for one in left if one.row.same_teaching(row)), None)
        if there is None:
            found.sessions_make.append(row)
            if usual_times(row.starts_at, row.ends_at).closes_at <= now:
                found.impossible.append(
                    FieldError(
                        "sessions",
                        f"{minute(row.starts_at)}“{row.title}”的签到时间已过，不能再列入课表，请改期。",
                    )
                )
            continue
        left.remove(there)
        if there.fixed or there.row == row:
            found.sessions_stay.append(there.row)
        else:
            found.sessions_move.append((there, row))
    found.sessions_drop.extend(one for one in left if not one.fixed)
    found.impossible.extend(
        FieldError(
            "sessions",
            f"{minute(one.row.starts_at)}“{one.row.title}”已开始或已有签到，须按原来的时间、课程和课时保留在课表中。",
        )
        for one in left
        if one.fixed
    )


def _compare_tasks(
    found: Consequences, rows: Sequence[TaskRow], given: Sequence[SetTask], now: datetime
) -> None:
    left = list(given)
    for row in rows:
        there = next(
            (one for one in left if one.row == row or (one.in_use and one.row.same_task(row))),
            None,
        )
        if there is not None:
            left.remove(there)
            found.tasks_stay.append(there.row)
            continue
        found.tasks_make.append(row)
        if row.deadline <= now:
            found.impossible.append(
                FieldError("tasks", f"任务“{row.title}”的截止时间已过，请改为以后的时间。")
            )
    found.tasks_drop.extend(one for one in left if not one.in_use)
    found.impossible.extend(
        FieldError("tasks", f"任务“{one.row.title}”已有学员提交或评分，须原样保留在方案中。")
        for one in left
        if one.in_use
    )


# ---- the timetable from weekdays and half days


def spread(
    first_day: date,
    last_day: date,
    weekdays: Collection[int],
    half_days: Sequence[HalfDay],
    courses: Sequence[CourseRow],
    place: str,
) -> tuple[SessionRow, ...]:
    """Sessions one after the other until the hours of the courses are used up, each course in its turn.

    The last session of a course gives what is left of its hours, and ends the earlier. Where the days do not hold all hours, the last
    ones are missing: see `hours_short`. Raises Invalid when nothing comes of it.
    """
    wanted = _hours_by_course(courses)
    if not wanted:
        raise Invalid(fields=[FieldError("courses", "请先填写课程和课时，再生成课表。")])
    rows: list[SessionRow] = []
    queue = iter(wanted.items())
    course, left = next(queue)
    for slot in timetable(first_day, last_day, weekdays, half_days, []):
        if left <= 0:
            course, left = next(queue, ("", 0))
            if not course:
                break
        hours = min(slot.hours, left)
        left -= hours
        minutes = (slot.ends_at - slot.starts_at) // timedelta(minutes=1)
        whole = timedelta(minutes=-(-minutes * hours // slot.hours))
        rows.append(
            SessionRow(
                title=slot.title,
                course=course,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at if hours == slot.hours else slot.starts_at + whole,
                hours=hours,
                place=place,
            )
        )
    return tuple(rows)


def check_half_days(half_days: Iterable[HalfDay], class_hour_minutes: int) -> None:
    """Raises Invalid for a half day whose class hours do not fit its length: the timetable would fail its own check."""
    for one in half_days:
        length = datetime.combine(date.min, one.ends) - datetime.combine(date.min, one.starts)
        if words := hours_misfit(one.hours, length, class_hour_minutes):
            raise Invalid(fields=[FieldError("sessions", f"{one.title}{words}")])


def hours_short(content: Content) -> int:
    """How many hours of the courses the timetable does not hold."""
    return max(content.course_hours - content.timetable_hours, 0)


def shares(hours: int, courses: int, half_day: int) -> list[int]:
    """The hours of a class for so many courses: whole half days each, as even as can be, what is left with the last one."""
    unit = half_day if hours >= half_day * courses else 1
    share, rest = divmod(hours // unit, courses)
    parts = [unit * (share + (number < rest)) for number in range(courses)]
    parts[-1] += hours % unit
    return parts


def session_at(day: date, starts: time, ends: time) -> tuple[datetime, datetime]:
    """Start and end of a session of one day, given in Beijing time."""
    return at(day, starts), at(day, ends)


def _day(moment: datetime) -> date:
    return moment.astimezone(BEIJING).date()


def minute(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"
