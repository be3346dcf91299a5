"""The training scheme of a class: the editor, its versions, signatures and review; and the province's list of schemes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from admin.handler import NO_ERRORS, PageHandler
from admin.moments import BeijingMoment, as_typed
from admin.options import LEVELS, MONTHS, PROVINCE_OPTIONS, years
from admin.paging import Way
from server.assessment.rules import CRITERIA_MOST, TaskKind
from server.attendance.rules import MOST_SESSIONS
from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow, field_errors
from server.schemes import rules, service
from server.schemes.content import (
    COURSES_MOST,
    TASKS_MOST,
    Content,
    CourseRow,
    SessionRow,
    TaskRow,
)
from server.schemes.documents import SchemeFilter
from server.schemes.rules import Action, Change, State
from server.schemes.service import RemarkDraft, ReturnReason, SchemeOfClass, TimetableWish, VersionOutdated

PAGE_SIZE = 20
SPARE_COURSES, SPARE_SESSIONS, SPARE_TASKS = 1, 1, 1
"""Empty rows of the editor, for who has no JavaScript."""
KINDS = [(kind.value, kind.label) for kind in TaskKind]
WEEKDAYS = [(str(number), f"周{name}") for number, name in enumerate("一二三四五六日")]
SECTIONS = {"courses": "课程", "sessions": "课表", "tasks": "考核任务"}
COLUMNS = {
    "title": "名称", "hours": "课时", "teacher_id": "授课教师", "day": "日期", "starts": "上课时间", "ends": "下课时间",
    "course": "课程", "place": "地点", "kind": "类型", "deadline": "截止时间", "instructions": "要求", "criteria": "评分项",
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
    title: Annotated[str, StringConstraints(strip_whitespace=True), Field(min_length=2, max_length=40)]
    course: Annotated[str, Field(max_length=40)] = ""
    hours: Annotated[int, Field(ge=1, le=12)]
    place: Annotated[str, StringConstraints(strip_whitespace=True), Field(min_length=2, max_length=100)]

    def row(self) -> SessionRow:
        starts_at, ends_at = rules.session_at(self.day, self.starts, self.ends)
        return SessionRow(
            title=self.title,
            course=self.course,
            starts_at=starts_at,
            ends_at=ends_at,
            hours=self.hours,
            place=self.place,
        )


class TaskForm(TaskRow):
    deadline: BeijingMoment

    def row(self) -> TaskRow:
        return TaskRow.model_validate(self.model_dump())


class VersionForm(BaseModel):
    version: Annotated[int, Field(ge=0, le=9999)]


class ReturnForm(ReturnReason, VersionForm):
    pass


class AgainstQuery(BaseModel):
    against: Annotated[int | None, Field(ge=1, le=9999)] = None


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    state: State | None = None
    level: Annotated[str, Field(pattern=r"^[G123]$")] = ""
    year: Annotated[int | None, Field(ge=2000, le=2100)] = None
    month: Annotated[int | None, Field(ge=1, le=12)] = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "q": self.q,
            "state": self.state or "",
            "level": self.level,
            "year": str(self.year or ""),
            "month": str(self.month or ""),
            "province": self.province,
        }

    def narrowed(self, usual: Sequence[State]) -> SchemeFilter:
        states = [self.state] if self.state else usual
        return SchemeFilter(states, self.q.strip(), self.level, self.year, self.month, self.province)


# ---- the scheme


class SchemePage(PageHandler):
    """The newest version with all that was said, signed and decided about it, and what may be done next."""

    async def show(self, class_id: str, **context: Any) -> None:
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        self.render_page(
            "schemes/scheme.html",
            training_class=seen.training_class,
            tab="scheme",
            seen=seen,
            stages=stages(seen),
            history=[history_line(version.version, step) for version, step in seen.history],
            changes=service.changes_in(seen) if seen.newest else [],
            may_manage=holds(self.actor, Permission.SCHEMES_MANAGE),
            may_review=holds(self.actor, Permission.SCHEMES_REVIEW),
            State=State,
            **context,
        )

    @allow(Permission.SCHEMES_READ)
    async def get(self, class_id: str) -> None:
        await self.show(class_id, **NO_ERRORS)


def stages(seen: SchemeOfClass) -> list[tuple[str, str, str | None]]:
    """The way of the newest version for `states.steps`."""
    state = seen.newest.state if seen.newest else None
    order = (None, State.DRAFT, State.SIGNING, State.SUBMITTED, State.APPROVED)
    reached = order.index(State.DRAFT if state is State.RETURNED else state)
    signed = sum(one.signature is not None for one in seen.signatures)
    steps = [
        ("机构与教师起草", f"第 {seen.newest.version} 版" if seen.newest else None),
        ("教师签署", f"{signed} / {len(seen.signatures)} 人" if seen.newest else None),
        ("省级审核", "已退回" if state is State.RETURNED else None),
        ("按方案执行", f"现行第 {seen.in_force} 版" if seen.in_force else None),
    ]
    current = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4}[reached]
    marks = ["done" if n < current else "current" if n == current else "todo" for n in range(4)]
    if state is State.RETURNED:
        marks[2] = "failed"
    return [(title, mark, detail) for (title, detail), mark in zip(steps, marks, strict=True)]


def history_line(version: int, step: Any) -> tuple[datetime, str, str | None, str]:
    """A line of `states.timeline` before its moment is written out."""
    tone = {Action.APPROVE: "success", Action.RETURN: "warning"}.get(step.action, "info")
    title = f"{step.actor_name}：{Action(step.action).label}（第 {version} 版）"
    return step.at, title, f"理由：{step.reason}" if step.reason else None, tone


class StepPage(SchemePage):
    """A button of the scheme's page: it names the version that was looked at."""

    async def act(self, class_id: str) -> str:
        """Does it, and returns the words for the next page."""
        raise NotImplementedError

    async def take(self, class_id: str) -> None:
        try:
            done = await self.act(class_id)
        except Problem as problem:
            return await self.show(class_id, **self.refuse(problem))
        self.flash(done)
        return self.see_other(f"/admin/classes/{class_id}/scheme")


class Send(StepPage):
    async def act(self, class_id: str) -> str:
        version = self.form(VersionForm).version
        await service.send_for_signature(self.platform, self.actor, class_id, version)
        return f"第 {version} 版已送本班授课教师签署，已通知教师。"

    @allow(Permission.SCHEMES_MANAGE)
    async def post(self, class_id: str) -> None:
        await self.take(class_id)


class File(StepPage):
    async def act(self, class_id: str) -> str:
        version = self.form(VersionForm).version
        await service.file(self.platform, self.actor, class_id, version)
        return f"第 {version} 版已报送省级管理部门审核。"

    @allow(Permission.SCHEMES_MANAGE)
    async def post(self, class_id: str) -> None:
        await self.take(class_id)


class Approve(StepPage):
    async def act(self, class_id: str) -> str:
        version = self.form(VersionForm).version
        made = await service.approve(self.platform, self.actor, class_id, version)
        return f"第 {version} 版已审核通过：新安排课次 {len(made.sessions_make)} 个，布置任务 {len(made.tasks_make)} 项。"

    @allow(Permission.SCHEMES_REVIEW)
    async def post(self, class_id: str) -> None:
        await self.take(class_id)


class Return(StepPage):
    async def act(self, class_id: str) -> str:
        wanted = self.form(ReturnForm)
        await service.send_back(self.platform, self.actor, class_id, wanted.version, wanted)
        return "方案已退回，培训机构会看到退回理由。"

    @allow(Permission.SCHEMES_REVIEW)
    async def post(self, class_id: str) -> None:
        await self.take(class_id)


class Remarks(StepPage):
    async def act(self, class_id: str) -> str:
        await service.remark(self.platform, self.actor, class_id, self.form(RemarkDraft))
        return "意见已发布，本班授课教师在小程序中可以看到。"

    @allow(Permission.SCHEMES_MANAGE)
    async def post(self, class_id: str) -> None:
        await self.take(class_id)


class VersionPage(PageHandler):
    """One version, and what it changes in another."""

    @allow(Permission.SCHEMES_READ)
    async def get(self, class_id: str, version: str) -> None:
        compared = await service.compared_version(
            self.platform, self.actor, class_id, int(version), self.query(AgainstQuery).against
        )
        self.render_page(
            "schemes/version.html",
            training_class=compared.training_class,
            tab="scheme",
            compared=compared,
            others=[(one.version, f"第 {one.version} 版（{one.state.label}）") for one in compared.others],
        )


# ---- the editor


class Editor(PageHandler):
    async def show(
        self,
        class_id: str,
        seen: SchemeOfClass,
        typed: Typed,
        problem: Problem | None = None,
        came_between: Sequence[Change] = (),
    ) -> None:
        """`came_between`: what a colleague has saved since the version that was edited."""
        context = NO_ERRORS if problem is None else self.refuse(problem)
        self.render_page(
            "schemes/editor.html",
            training_class=seen.training_class,
            tab="scheme",
            seen=seen,
            typed=typed,
            row_errors=row_errors(problem),
            came_between=came_between,
            teachers=[(one.person_id, one.name) for one in seen.signatures],
            kinds=KINDS,
            weekdays=WEEKDAYS,
            most={"courses": COURSES_MOST, "sessions": MOST_SESSIONS, "tasks": TASKS_MOST},
            **context | {"values": typed.values},
        )

    @allow(Permission.SCHEMES_MANAGE)
    async def get(self, class_id: str) -> None:
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        content = await service.content_to_edit(self.platform, seen)
        version = seen.newest.version if seen.newest else 0
        await self.show(class_id, seen, Typed.of(content, version))

    @allow(Permission.SCHEMES_MANAGE)
    async def post(self, class_id: str) -> None:
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        typed = Typed.posted(self)
        try:
            based_on = self.form(VersionForm).version
            if self.get_body_argument("generate", ""):
                content = typed.content(seen.frame.formative_weight, but_sessions=True)
                drawn = service.with_timetable(content, seen.training_class, self.form(TimetableWish))
                return await self.show(class_id, seen, Typed.of(drawn, based_on, typed.values))
            content = typed.content(seen.frame.formative_weight)
            saved = await service.save(self.platform, self.actor, class_id, content, based_on)
        except VersionOutdated as problem:
            return await self._beside_the_newest(class_id, typed, problem)
        except Problem as problem:
            return await self.show(class_id, seen, typed, problem)
        self.flash(f"方案第 {saved.version} 版已保存。")
        return self.see_other(f"/admin/classes/{class_id}/scheme")

    async def _beside_the_newest(self, class_id: str, typed: Typed, problem: VersionOutdated) -> None:
        """What was typed stays, beside what came between; saved once more, it is the version after that."""
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        came_between = service.changes_in(seen, self.form(VersionForm).version) if seen.newest else []
        typed.values["version"] = str(seen.newest.version if seen.newest else 0)
        await self.show(class_id, seen, typed, problem, came_between)


COURSE_FIELDS = ("title", "hours", "teacher_id")
SESSION_FIELDS = ("day", "starts", "ends", "title", "course", "hours", "place")
TASK_FIELDS = ("title", "kind", "deadline", "criteria", "instructions")
CHOSEN = frozenset({"kind", "course", "teacher_id"})
"""Fields with a value from the start: a row in which nothing else stands is empty."""


class Typed:
    """What stands in the editor: texts, and rows of texts."""

    def __init__(
        self,
        values: dict[str, Any],
        courses: list[dict[str, str]],
        sessions: list[dict[str, str]],
        tasks: list[dict[str, str]],
    ) -> None:
        self.values = values
        self.courses = courses
        self.sessions = sessions
        self.tasks = tasks

    @classmethod
    def of(cls, content: Content, version: int, values: dict[str, Any] | None = None) -> Typed:
        texts = {name: getattr(content, name) for name in TEXTS}
        return cls(
            {**(values or {}), **texts, "version": str(version)},
            [course_typed(row) for row in content.courses],
            [session_typed(row) for row in content.sessions],
            [task_typed(row) for row in content.tasks],
        )

    @classmethod
    def posted(cls, handler: PageHandler) -> Typed:
        return cls(
            handler.typed(),
            rows_posted(handler, "course", COURSE_FIELDS),
            rows_posted(handler, "session", SESSION_FIELDS),
            rows_posted(handler, "task", TASK_FIELDS),
        )

    def content(self, formative_weight: int, *, but_sessions: bool = False) -> Content:
        """The draft. Raises Invalid with the place of each wrong field: `sessions.3.day`."""
        wrong: list[FieldError] = []
        courses = parsed("courses", CourseRow, self.courses, wrong)
        sessions = [] if but_sessions else parsed("sessions", SessionForm, self.sessions, wrong)
        tasks = parsed("tasks", TaskForm, [task_parts(row) for row in self.tasks], wrong)
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


def rows_posted(handler: PageHandler, kind: str, fields: Sequence[str]) -> list[dict[str, str]]:
    """The rows of one table of the editor in which anything was typed."""
    columns = [handler.get_body_arguments(f"{kind}_{name}") for name in fields]
    rows = [dict(zip(fields, cells, strict=True)) for cells in zip(*columns, strict=False)]
    return [row for row in rows if any(text for name, text in row.items() if name not in CHOSEN)]


def parsed(
    section: str, model: type[Any], rows: Sequence[dict[str, Any]], wrong: list[FieldError]
) -> list[Any]:
    """The rows as `model`; what is wrong is added to `wrong` in words that name row and column."""
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(model.model_validate({name: value for name, value in row.items() if value != ""}))
        except ValidationError as error:
            for one in field_errors(error):
                column = COLUMNS.get(one.place.split(".")[0], "")
                where = f"{SECTIONS[section]}第 {number + 1} 行{column}"
                wrong.append(FieldError(f"{section}.{number}", f"{where}：{one.message}"))
    return found


def course_typed(row: CourseRow) -> dict[str, str]:
    return {"title": row.title, "hours": str(row.hours), "teacher_id": row.teacher_id}


def session_typed(row: SessionRow) -> dict[str, str]:
    starts, ends = row.starts_at.astimezone(BEIJING), row.ends_at.astimezone(BEIJING)
    return {
        "day": f"{starts:%Y-%m-%d}",
        "starts": f"{starts:%H:%M}",
        "ends": f"{ends:%H:%M}",
        "title": row.title,
        "course": row.course,
        "hours": str(row.hours),
        "place": row.place,
    }


def task_typed(row: TaskRow) -> dict[str, str]:
    return {
        "title": row.title,
        "kind": row.kind.value,
        "deadline": as_typed(row.deadline),
        "criteria": "\n".join(f"{one.title} {one.points}" for one in row.criteria),
        "instructions": row.instructions,
    }


def task_parts(row: dict[str, str]) -> dict[str, Any]:
    return row | {"criteria": criteria_of(row["criteria"]), "kind": row["kind"]}


def criteria_of(text: str) -> list[dict[str, str]]:
    """One criterion a line, its points at the end: "任务描述 60". What has no points is refused as a row without a number."""
    lines = [line.replace("分", "").rsplit(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [
        {"title": parts[0], "points": parts[1] if len(parts) > 1 else ""} for parts in lines[:CRITERIA_MOST + 1] if parts
    ]  # fmt: skip


def row_errors(problem: Problem | None) -> dict[str, dict[int, str]]:
    """Section → row → what is wrong with it."""
    found: dict[str, dict[int, str]] = {name: {} for name in SECTIONS}
    for one in problem.fields if problem else ():
        section, _, number = one.place.partition(".")
        if section in found and number.isdigit():
            there = found[section].get(int(number))
            found[section][int(number)] = f"{there} {one.message}" if there else one.message
    return found


# ---- the list


class Schemes(PageHandler):
    @allow(Permission.SCHEMES_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/schemes", query.conditions, query.way)
        found = await service.list_schemes(
            self.platform,
            self.actor,
            query.narrowed(self._usual()),
            after=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "schemes/list.html",
            rows=rows,
            query=query,
            state_options=[(one.value, one.label) for one in State if one is not State.SUPERSEDED],
            levels=LEVELS,
            years=years(self.platform.clock.now()),
            months=MONTHS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            usual="待审核的方案" if holds(self.actor, Permission.SCHEMES_REVIEW) else "办理中的方案",
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
        )

    def _usual(self) -> list[State]:
        """What somebody comes for: the province for what it must review, others for all that is on its way."""
        if holds(self.actor, Permission.SCHEMES_REVIEW):
            return [State.SUBMITTED]
        return [State.DRAFT, State.SIGNING, State.SUBMITTED, State.RETURNED]


_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/scheme"
ROUTES: list[Route] = [
    (_CLASS, SchemePage),
    (rf"{_CLASS}/edit", Editor),
    (rf"{_CLASS}/send", Send),
    (rf"{_CLASS}/file", File),
    (rf"{_CLASS}/approve", Approve),
    (rf"{_CLASS}/return", Return),
    (rf"{_CLASS}/remarks", Remarks),
    (rf"{_CLASS}/versions/(?P<version>[0-9]{{1,4}})", VersionPage),
    (r"/admin/schemes", Schemes),
]
