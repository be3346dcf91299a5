"""Training classes: the list, one class at a glance with its whole life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from pydantic import BaseModel, Field

from admin.audit_words import tell
from admin.handler import PageHandler
from admin.options import LEVELS, MAJOR_OPTIONS, PROVINCE_OPTIONS, years
from admin.paging import Way
from admin.spreadsheet import send_workbook
from server.admissions import arrival
from server.admissions import service as admissions
from server.applications import service as applications
from server.applications.documents import Application
from server.assessment import service as assessment
from server.attendance import service as attendance
from server.backbone import service as backbone
from server.certificates import service as certificates
from server.classes import facts
from server.classes import service as classes
from server.classes.documents import ClassFilter, TrainingClass
from server.classes.rules import Stage
from server.corrections import service as corrections
from server.invitations import service as invitations
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.web import Route, allow
from server.schemes import service as schemes
from server.surveys import service as surveys

PAGE_SIZE = 20
EXPORTED_MOST = 5_000

LIFE: tuple[Callable[[Platform, Actor, TrainingClass], Awaitable[list[LifeStep]]], ...] = (
    applications.life,
    invitations.life,
    schemes.life,
    admissions.life,
    facts.life,
    arrival.life,
    attendance.life,
    assessment.life,
    surveys.life,
    certificates.life,
)
"""Each chapter's part of the life of a class, in the order in which a class goes through it."""


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    level: Annotated[str, Field(pattern=r"^[G123]$")] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    stage: Stage | None = None
    year: Annotated[str, Field(pattern=r"^20[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "q": self.q,
            "level": self.level,
            "major": self.major,
            "province": self.province,
            "stage": self.stage or "",
            "year": self.year,
        }

    @property
    def narrowed(self) -> ClassFilter:
        return ClassFilter(self.q.strip(), self.level, self.major, self.province, self.year, self.stage)


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
            stages=[(stage.value, stage.label) for stage in Stage],
            majors=MAJOR_OPTIONS,
            years=years(self.platform.clock.now()),
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
                    row.item.level.label,
                    row.item.major_name,
                    row.item.institution_name,
                    row.item.starts_on,
                    row.item.ends_on,
                    row.item.class_hours,
                    row.item.place,
                    "、".join(teacher.name for teacher in row.item.teachers),
                    row.trainees,
                    row.item.stage_on(today).label,
                )
                for row in found
            ],
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
            life=[step for part in LIFE for step in await part(self.platform, self.actor, training_class)],
            corrections=await corrections.made_in_class(self.platform, self.actor, class_id),
            may_correct=holds(self.actor, Permission.CORRECTIONS_REQUEST),
            application=await self._application(training_class),
            glance=await classes.class_at_a_glance(self.platform, training_class),
            teachers=teachers,
            history=await tell(self.platform, await audit.of_subject(self.platform, class_id, limit=30)),
            may_manage=holds(self.actor, Permission.CLASSES_MANAGE),
        )

    async def _application(self, training_class: TrainingClass) -> Application | None:
        """The application whose approval made the class; classes of before the applications have none."""
        if training_class.application_id is None:
            return None
        return await applications.get_application(self.platform, self.actor, training_class.application_id)


_ID = r"[0-9a-f]{24}"
ROUTES: list[Route] = [
    (r"/admin/classes", ClassList),
    (r"/admin/classes/export", Export),
    (rf"/admin/classes/(?P<class_id>{_ID})", Overview),
]
