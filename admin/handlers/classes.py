"""Training classes: the list, a new class, one class and its teachers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator

from admin.audit_words import tell
from admin.handler import NO_ERRORS, PageHandler
from admin.options import LEVELS, MAJOR_OPTIONS, PROVINCE_OPTIONS
from admin.paging import Way
from admin.spreadsheet import send_workbook
from server.backbone import service as backbone
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.classes.rules import STANDARD_COURSES, Stage
from server.classes.service import ClassDraft
from server.institutions import service as institutions
from server.institutions.rules import Level, levels_held
from server.kernel import audit, policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 20
EXPORTED_MOST = 5_000
POOL_PAGE = 30


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    level: Annotated[str, Field(pattern=r"^[G123]$")] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    stage: Stage | None = None
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "q": self.q,
            "level": self.level,
            "major": self.major,
            "province": self.province,
            "stage": self.stage or "",
        }

    @property
    def narrowed(self) -> ClassFilter:
        return ClassFilter(self.q.strip(), self.level, self.major, self.province, self.stage)


class ClassList(PageHandler):
    @allow(Permission.CLASSES_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/classes", query.conditions, query.way)
        found = await classes.list_classes(
            self.platform, self.actor, query.narrowed, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "classes/list.html",
            rows=rows,
            query=query,
            export=way.export("/admin/classes/export"),
            previous=way.previous,
            next=way.next(rows[-1].item.id) if len(found) > PAGE_SIZE else None,
            levels=LEVELS,
            stages=[(stage.value, stage.title) for stage in Stage],
            majors=MAJOR_OPTIONS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_manage=holds(self.actor, Permission.CLASSES_MANAGE),
        )


class Export(PageHandler):
    @allow(Permission.CLASSES_READ, rate="30/minute")
    async def get(self) -> None:
        found = await classes.list_classes(
            self.platform, self.actor, self.query(ListQuery).narrowed, limit=EXPORTED_MOST
        )
        today = beijing_date(self.platform.clock.now())
        await send_workbook(
            self,
            f"培训班列表-{today}.xlsx",
            "培训班",
            [
                ("名称", 36),
                ("级别", 10),
                ("专业大类", 14),
                ("培训机构", 30),
                ("开始日期", 12),
                ("结束日期", 12),
                ("课时", 8),
                ("地点", 24),
                ("授课骨干教师", 24),
                ("学员人数", 10),
                ("状态", 10),
            ],
            [
                (
                    row.item.name,
                    row.item.level.title,
                    row.item.major_name,
                    row.item.institution_name,
                    row.item.starts_on,
                    row.item.ends_on,
                    row.item.class_hours,
                    row.item.place,
                    "、".join(teacher.name for teacher in row.item.teachers),
                    row.trainees,
                    row.item.stage_on(today).title,
                )
                for row in found
            ],
        )


class NewClassForm(ClassDraft):
    @field_validator("courses", mode="before")
    @classmethod
    def _one_a_line(cls, given: list[str]) -> list[str]:
        return one_a_line(given)


def one_a_line(given: list[str]) -> list[str]:
    """The courses that were ticked, and those written into the text field, one a line."""
    return [line.strip() for text in given for line in text.splitlines() if line.strip()]


class NewClass(PageHandler):
    @allow(Permission.CLASSES_MANAGE)
    async def get(self) -> None:
        await self._show(self.get_query_argument("level", ""), NO_ERRORS)

    @allow(Permission.CLASSES_MANAGE)
    async def post(self) -> None:
        try:
            opened = await classes.open_class(self.platform, self.actor, self.form(NewClassForm))
        except Problem as problem:
            return await self._show(self.get_body_argument("level", ""), self.refuse(problem))
        self.flash(f"已开设“{opened.name}”。接下来请导入参训教师名册，并安排骨干教师。")
        return self.see_other(f"/admin/classes/{opened.id}")

    async def _show(self, level: str, outcome: dict[str, Any]) -> None:
        today = beijing_date(self.platform.clock.now())
        in_force = await policies.on(self.platform, today)
        institution = await institutions.institution(
            self.platform, self.actor, self.actor.institution_code or ""
        )
        held = levels_held(institution.qualifications, today)
        chosen = Level(level) if level in {one.value for one in Level} else (held or [Level.THREE])[-1]
        standard = STANDARD_COURSES[chosen]
        typed = one_a_line(self.get_body_arguments("courses"))
        self.render_page(
            "classes/new.html",
            institution=institution,
            held=held,
            level=chosen,
            levels=LEVELS,
            majors=MAJOR_OPTIONS,
            floors=[(one.title, classes.class_hours_floor(in_force, one)) for one in held],
            standard=standard,
            ticked=[course for course in standard if course in typed] if outcome["problem"] else standard,
            written=[course for course in typed if course not in standard],
            **outcome,
        )


class Overview(PageHandler):
    @allow(Permission.CLASSES_READ)
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        teachers = [
            (teacher, await backbone.teacher_in_pool(self.platform, teacher.person_id))
            for teacher in training_class.teachers
        ]
        self.render_page(
            "classes/overview.html",
            training_class=training_class,
            tab="overview",
            glance=await classes.class_at_a_glance(self.platform, training_class),
            teachers=teachers,
            history=await tell(self.platform, await audit.of_subject(self.platform, class_id, limit=30)),
            may_manage=holds(self.actor, Permission.CLASSES_MANAGE),
        )


EVERY_MAJOR = "all"


class PoolQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    major: Annotated[str, Field(pattern=rf"^([0-9]{{2}}|{EVERY_MAJOR})$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""


class ChooseTeachers(PageHandler):
    """The pool, narrowed to the class's own 专业大类 at first, to assign from."""

    @allow(Permission.CLASSES_MANAGE)
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        query = self.query(PoolQuery)
        major = query.major or training_class.major
        conditions = {"q": query.q, "province": query.province, "major": major}
        way = Way.read(f"/admin/classes/{class_id}/teachers", conditions, query.way)
        found = await backbone.list_pool(
            self.platform,
            self.actor,
            words=query.q.strip(),
            major="" if major == EVERY_MAJOR else major,
            province_code=query.province,
            before=way.cursor,
            limit=POOL_PAGE + 1,
        )
        members = found[:POOL_PAGE]
        self.render_page(
            "classes/teachers.html",
            training_class=training_class,
            tab="teachers",
            members=members,
            assigned={teacher.person_id for teacher in training_class.teachers},
            query=query,
            major=major,
            majors=[(EVERY_MAJOR, "全部"), *MAJOR_OPTIONS],
            provinces=PROVINCE_OPTIONS,
            previous=way.previous,
            next=way.next(members[-1].id) if len(found) > POOL_PAGE else None,
        )


class AssignTeacher(PageHandler):
    @allow(Permission.CLASSES_MANAGE)
    async def post(self, class_id: str, person_id: str) -> None:
        await classes.assign_teacher(self.platform, self.actor, class_id, person_id)
        self.flash("已安排该教师授课和考核，并在小程序中通知本人。")
        self.see_other(f"/admin/classes/{class_id}")


class UnassignTeacher(PageHandler):
    @allow(Permission.CLASSES_MANAGE)
    async def post(self, class_id: str, person_id: str) -> None:
        await classes.unassign_teacher(self.platform, self.actor, class_id, person_id)
        self.flash("已取消对该教师的安排。")
        self.see_other(f"/admin/classes/{class_id}")


_ID = r"[0-9a-f]{24}"
ROUTES: list[Route] = [
    (r"/admin/classes", ClassList),
    (r"/admin/classes/export", Export),
    (r"/admin/classes/new", NewClass),
    (rf"/admin/classes/(?P<class_id>{_ID})", Overview),
    (rf"/admin/classes/(?P<class_id>{_ID})/teachers", ChooseTeachers),
    (rf"/admin/classes/(?P<class_id>{_ID})/teachers/(?P<person_id>{_ID})/assign", AssignTeacher),
    (rf"/admin/classes/(?P<class_id>{_ID})/teachers/(?P<person_id>{_ID})/unassign", UnassignTeacher),
]
