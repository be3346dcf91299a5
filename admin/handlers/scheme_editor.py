"""The editor of a training scheme: what is typed, row by row, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from itertools import zip_longest
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from admin.handler import NO_ERRORS, PageHandler
from admin.lists import named
from admin.moments import BeijingMoment, as_typed, clock_typed
from server.assessment.rules import CRITERIA_MOST, POINTS_MOST, TaskKind
from server.attendance.rules import MOST_SESSIONS
from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow, field_errors
from server.schemes import rules, service
from server.schemes.content import (
    COURSES_MOST,
    TASKS_MOST,
    Content,
    CourseRow,
    SessionRow,
    TaskRow,
    Text,
    TimetableWish,
)
from server.schemes.difference import Change
from server.schemes.rules import Frame
from server.schemes.service import SchemeOfClass, VersionOutdated

KINDS = named(TaskKind)
SECTIONS = {"courses": "课程", "sessions": "课表", "tasks": "考核任务"}
COLUMNS = {
    "title": "名称", "hours": "课时", "teacher_id": "授课教师", "day": "日期", "starts": "上课时间", "ends": "下课时间",
    "course": "课程", "place": "地点", "assessor_id": "考核教师", "kind": "类型", "deadline": "截止时间",
    "instructions": "要求", "criteria": "评分项",
}  # fmt: skip
TEXTS = {"objectives": "培训目标", "places": "场地设备", "materials": "教材教具"}


def _this_century(day: date) -> date:
    if not 2000 <= day.year <= 2100:
        raise ValueError("请填写 2000 年至 2100 年之间的日期。")
    return day


class SessionForm(BaseModel):
    """A row of the timetable as it is typed: the day and two clock times of Beijing."""

    day: Annotated[date, AfterValidator(_this_century)]
    starts: time
    ends: time
    title: Annotated[Text, Field(min_length=2, max_length=40)]
    course: Annotated[str, Field(max_length=40)] = ""
    hours: Annotated[int, Field(ge=1, le=12)]
    place: Annotated[Text, Field(min_length=2, max_length=100)]
    teacher_id: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")] = ""

    def row(self) -> SessionRow:
        starts_at, ends_at = rules.session_at(self.day, self.starts, self.ends)
        rest = self.model_dump(exclude={"day", "starts", "ends"})
        return SessionRow(**rest, starts_at=starts_at, ends_at=ends_at)


class TaskForm(TaskRow):
    deadline: BeijingMoment

    def row(self) -> TaskRow:
        return TaskRow.model_validate(self.model_dump())


class CopyQuery(BaseModel):
    copy_of: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")] = ""


class VersionForm(BaseModel):
    version: Annotated[int, Field(ge=0, le=9999)]


def offered(everybody: Mapping[str, str], may: Mapping[str, str], why_not: str) -> list[tuple[str, str, str]]:
    """Those who may be chosen, and the others with the reason why not."""
    return [(who, name, "" if who in may else why_not) for who, name in everybody.items()]


# ---- the page


class Editor(PageHandler):
    async def show(
        self,
        class_id: str,
        seen: SchemeOfClass,
        typed: Typed,
        problem: Problem | None = None,
        came_between: Sequence[Change] = (),
        drawn: Content | None = None,
        copied: bool = False,
    ) -> None:
        """`came_between`: what a colleague has saved since the version that was edited; `drawn`: with the timetable just generated."""
        context = NO_ERRORS if problem is None else self.refuse(problem)
        frame = seen.frame
        self.render_page(
            "schemes/editor.html",
            training_class=seen.training_class,
            seen=seen,
            typed=typed,
            row_errors=row_errors(problem),
            came_between=came_between,
            drawn=drawn,
            copied=copied,
            hours_short=rules.hours_short(drawn) if drawn else 0,
            teachers=offered(frame.teachers, frame.teaching, "只承担考核"),
            assessors=offered(frame.teachers, frame.assessors, "不承担考核"),
            earlier=[] if seen.newest else await service.earlier_schemes(self.platform, seen),
            kinds=KINDS,
            most={"courses": COURSES_MOST, "sessions": MOST_SESSIONS, "tasks": TASKS_MOST},
            criteria_most=CRITERIA_MOST,
            points_most=POINTS_MOST,
            criteria_end=CRITERIA_END,
            **context | {"values": typed.values},
        )

    @allow(Permission.SCHEMES_MANAGE)
    async def get(self, class_id: str) -> None:
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        copy = self.query(CopyQuery).copy_of
        content = (
            await service.copied(self.platform, seen, copy)
            if copy
            else await service.content_to_edit(self.platform, seen)
        )
        version = seen.newest.version if seen.newest else 0
        await self.show(class_id, seen, Typed.of(content, version), copied=bool(copy))

    @allow(Permission.SCHEMES_MANAGE)
    async def post(self, class_id: str) -> None:
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        typed, send = Typed.posted(self), bool(self.get_body_argument("send", ""))
        try:
            based_on = self.form(VersionForm).version
            if self.get_body_argument("generate", ""):
                content = typed.content(seen.frame.formative_weight, but_sessions=True)
                drawn = service.with_timetable(content, seen, self.form(TimetableWish))
                return await self.show(class_id, seen, Typed.of(drawn, based_on, typed.values), drawn=drawn)
            content = typed.content(seen.frame.formative_weight)
            if send:
                saved = await service.save_and_send(self.platform, self.actor, class_id, content, based_on)
                self.flash(f"方案第 {saved.version} 版已保存，并送本班授课教师签署。")
                return self.see_other(f"/admin/classes/{class_id}/scheme")
            saved = await service.save(self.platform, self.actor, class_id, content, based_on)
        except VersionOutdated as problem:
            return await self._beside_the_newest(class_id, typed, problem)
        except Problem as problem:
            if send and isinstance(problem, Invalid):
                problem = typed.all_that_is_wrong(problem, seen.frame)
            return await self.show(class_id, seen, typed, problem)
        self.flash(f"方案第 {saved.version} 版已保存。")
        return self.see_other(f"/admin/classes/{class_id}/scheme")

    async def _beside_the_newest(self, class_id: str, typed: Typed, problem: VersionOutdated) -> None:
        """What was typed stays, beside what came between; saved once more, it is the version after that."""
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        came_between = service.changes_in(seen, self.form(VersionForm).version) if seen.newest else []
        typed.values["version"] = str(seen.newest.version if seen.newest else 0)
        await self.show(class_id, seen, typed, problem, came_between)


# ---- what stands in it


Rows = list[dict[str, Any]]
COURSE_FIELDS = ("title", "hours", "teacher_id")
SESSION_FIELDS = ("day", "starts", "ends", "title", "course", "hours", "place", "teacher_id")
TASK_FIELDS = ("title", "kind", "deadline", "instructions", "assessor_id")
CRITERION_FIELDS = ("title", "points")
CRITERIA_END = "end"
"""In the place of points: the criteria of one task end here, and those of the next begin."""
CHOSEN = frozenset({"kind", "course", "teacher_id", "assessor_id"})
"""Fields with a value from the start: a row in which nothing else stands is empty."""


@dataclass
class Typed:
    """What stands in the editor: texts, and rows of texts."""

    values: dict[str, Any]
    courses: Rows
    sessions: Rows
    tasks: Rows

    @classmethod
    def of(cls, content: Content, version: int, values: dict[str, Any] | None = None) -> Typed:
        texts = {name: getattr(content, name) for name in TEXTS}
        return cls(
            {**(values or {}), **texts, "version": str(version)},
            [as_texts(row, COURSE_FIELDS) for row in content.courses],
            [session_typed(row) for row in content.sessions],
            [task_typed(row) for row in content.tasks],
        )

    @classmethod
    def posted(cls, handler: PageHandler) -> Typed:
        return cls(
            handler.typed(),
            handler.rows("course", COURSE_FIELDS, CHOSEN),
            handler.rows("session", SESSION_FIELDS, CHOSEN),
            tasks_posted(handler),
        )

    def content(self, formative_weight: int, *, but_sessions: bool = False) -> Content:
        """The draft. Raises Invalid with the place of each wrong field: `sessions.3.day`."""
        wrong: list[FieldError] = []
        courses = parsed("courses", CourseRow, self.courses, wrong)
        sessions = [] if but_sessions else parsed("sessions", SessionForm, self.sessions, wrong)
        tasks = parsed("tasks", TaskForm, self.tasks, wrong)
        for name, most in (("courses", COURSES_MOST), ("sessions", MOST_SESSIONS), ("tasks", TASKS_MOST)):
            if len(getattr(self, name)) > most:
                wrong.append(FieldError(name, f"{SECTIONS[name]}：最多 {most} 行。"))
        if wrong:
            raise Invalid(fields=wrong)
        try:
            return Content(
                **{name: str(self.values.get(name, "")) for name in TEXTS},
                courses=tuple(courses),
                sessions=tuple(sorted((one.row() for one in sessions), key=lambda row: row.starts_at)),
                tasks=tuple(one.row() for one in tasks),
                formative_weight=formative_weight,
            )
        except ValidationError as error:
            raise Invalid(
                fields=[
                    FieldError(one.place, f"{TEXTS.get(one.place, '方案')}：{one.message}")
                    for one in field_errors(error)
                ]
            ) from None

    def all_that_is_wrong(self, problem: Invalid, frame: Frame) -> Invalid:
        """In one round: beside the rows that cannot be read, what the readable rest lacks in the other sections."""
        unread = {one.place.split(".")[0] for one in problem.fields}
        readable: dict[str, Any] = {name: [] for name in SECTIONS if name in unread}
        values = {**self.values, **dict.fromkeys(unread & set(TEXTS), "")}
        try:
            content = replace(self, **readable, values=values).content(frame.formative_weight)
            lacking = rules.shortcomings(rules.written(content, frame), frame)
        except Invalid:
            return problem
        known = {one.message for one in problem.fields}
        more = [one for one in lacking if one.place not in unread and one.message not in known]
        if "courses" in unread:  # what the timetable is measured by cannot be read
            more = [one for one in more if one.place != "sessions"]
        return Invalid(fields=[*problem.fields, *more])


def tasks_posted(handler: PageHandler) -> Rows:
    """The tasks, each with its criteria: their fields follow one another, and a mark ends those of one task."""
    criteria: list[list[dict[str, str]]] = [[]]
    for one in handler.rows("criterion", CRITERION_FIELDS):
        if one["points"] == CRITERIA_END:
            criteria.append([])
        else:
            criteria[-1].append(one)
    columns = [handler.get_body_arguments(f"task_{name}") for name in TASK_FIELDS]
    tasks = [dict(zip(TASK_FIELDS, cells, strict=True)) for cells in zip_longest(*columns, fillvalue="")]
    rows = [task | {"criteria": of_it} for task, of_it in zip(tasks, criteria, strict=False)]
    return [row for row in rows if any(value for name, value in row.items() if name not in CHOSEN)]


def parsed(
    section: str, model: type[Any], rows: Sequence[dict[str, Any]], wrong: list[FieldError]
) -> list[Any]:
    """The rows as `model`; what is wrong is added to `wrong` in words that name row and column."""
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(model.model_validate(given(row)))
        except ValidationError as error:
            told = field_errors(error)
            inner = any(one.place.startswith("criteria.") for one in told)
            for one in told:
                if inner and one.place == "criteria":  # none of its criteria counts, which is said of each
                    continue
                column = column_of(one.place)
                where = f"{SECTIONS[section]}第 {number + 1} 行{column}"
                wrong.append(FieldError(f"{section}.{number}", f"{where}：{one.message}"))
    return found


def as_texts(row: BaseModel, names: Sequence[str]) -> dict[str, str]:
    return {name: str(value) for name, value in row.model_dump(include=set(names), mode="json").items()}


def session_typed(row: SessionRow) -> dict[str, str]:
    day = f"{row.starts_at.astimezone(BEIJING):%Y-%m-%d}"
    times = {"day": day, "starts": clock_typed(row.starts_at), "ends": clock_typed(row.ends_at)}
    return times | as_texts(row, SESSION_FIELDS)


def task_typed(row: TaskRow) -> dict[str, Any]:
    criteria = [as_texts(one, CRITERION_FIELDS) for one in row.criteria]
    return as_texts(row, TASK_FIELDS) | {"deadline": as_typed(row.deadline), "criteria": criteria}


def given(row: dict[str, Any]) -> dict[str, Any]:
    """What was filled in of a row, and of the criteria in it."""
    return {
        name: [given(one) for one in value] if isinstance(value, list) else value
        for name, value in row.items()
        if value != ""
    }


def column_of(place: str) -> str:
    """What a field of a row is called: `deadline`, or `criteria.0.points`."""
    match place.split("."):
        case ["criteria", number, part]:
            return f"评分项 {int(number) + 1} 的{'分值' if part == 'points' else '名称'}"
        case [name, *_]:
            return COLUMNS.get(name, "")
    return ""


def row_errors(problem: Problem | None) -> dict[str, dict[int, str]]:
    """Section → row → what is wrong with it."""
    found: dict[str, dict[int, str]] = {name: {} for name in SECTIONS}
    for one in problem.fields if problem else ():
        section, _, number = one.place.partition(".")
        if section in found and number.isdigit():
            there = found[section].get(int(number))
            found[section][int(number)] = f"{there} {one.message}" if there else one.message
    return found


ROUTES: list[Route] = [(r"/admin/classes/(?P<class_id>[0-9a-f]{24})/scheme/edit", Editor)]
