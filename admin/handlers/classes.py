"""Training classes: the list, one class at a glance with its whole life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Annotated

from admin.handler import PageHandler
from admin.lists import Filter, LevelCode, Listing, MajorCode, ProvinceCode, Query, Words, Year, fetched_by
from server.admissions import arrival
from server.admissions import service as admissions
from server.applications import service as applications
from server.applications.documents import Application
from server.assessment import service as assessment
from server.attendance import service as attendance
from server.audit_words import Told, tell
from server.backbone import service as backbone
from server.certificates import service as certificates
from server.classes import facts
from server.classes import service as classes
from server.classes.documents import ClassFilter, TrainingClass
from server.classes.rules import Stage
from server.classes.service import ClassRow
from server.corrections import service as corrections
from server.interruptions import service as interruptions
from server.invitations import service as invitations
from server.kernel import audit
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.progress import service as progress
from server.schemes import standing as scheme_standing
from server.surveys import service as surveys

LIFE: tuple[Callable[[Platform, Actor, TrainingClass], Awaitable[list[LifeStep]]], ...] = (
    applications.life,
    invitations.life,
    scheme_standing.life,
    admissions.life,
    facts.life,
    arrival.life,
    attendance.life,
    assessment.life,
    surveys.life,
    certificates.life,
)
"""Each chapter's part of the life of a class, in the order in which a class goes through it."""


class ClassQuery(Query):
    q: Annotated[Words, Filter("名称或培训机构")] = ""
    stage: Annotated[Stage | None, Filter("状态")] = None
    year: Annotated[Year, Filter("年份")] = None
    level: LevelCode = ""
    major: MajorCode = ""
    province: ProvinceCode = ""


SHEET = Sheet[ClassRow](
    "培训班",
    [
        Column("名称", 36, lambda row: row.item.name),
        Column("级别", 10, lambda row: row.item.level.label),
        Column("专业大类", 14, lambda row: row.item.major_name),
        Column("培训机构", 30, lambda row: row.item.institution_name),
        Column("培训时间", 26, lambda row: f"{row.item.starts_on} 至 {row.item.ends_on}"),
        Column("课时", 8, lambda row: row.item.class_hours),
        Column("地点", 24, lambda row: row.item.place),
        Column("授课骨干教师", 24, lambda row: "、".join(teacher.name for teacher in row.item.teachers)),
        Column("学员", 8, lambda row: row.trainees),
        Column("状态", 10, lambda row: row.standing.label),
    ],
    file="培训班列表",
)
CLASSES = Listing(
    "/admin/classes",
    "classes/list.html",
    Permission.CLASSES_READ,
    ClassQuery,
    fetched_by(classes.list_classes, ClassFilter),
    sheet=SHEET,
    cursor=lambda row: row.item.id,
)


class Overview(PageHandler):
    @allow(Permission.CLASSES_READ)
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        teachers = [
            (teacher, await backbone.teacher_in_pool(self.platform, teacher.person_id))
            for teacher in training_class.teachers
        ]
        glance = await classes.class_at_a_glance(self.platform, training_class)
        self.render_page(
            "classes/overview.html",
            training_class=training_class,
            next_steps=await progress.steps_of_class(self.platform, self.actor, training_class),
            life=[step for part in LIFE for step in await part(self.platform, self.actor, training_class)],
            corrections=await corrections.made_in_class(self.platform, self.actor, class_id),
            befell=await interruptions.changes_of_class(self.platform, self.actor, class_id),
            application=await application_of(self, training_class),
            glance=glance,
            teachers=teachers,
            history=together(await tell(self.platform, await audit.of_subject(self.platform, class_id))),
        )


def together(history: Sequence[Told]) -> list[Told]:
    """What one person did to several people within one minute is one line: thirty arrivals would hide everything else."""
    lines = []
    for _, same in groupby(history, key=lambda one: (one.title, one.who, f"{one.at:%Y%m%d%H%M}")):
        first, *others = same
        details = "；".join(filter(None, (one.detail for one in (first, *others))))
        lines.append(replace(first, detail=details))
    return lines


async def application_of(page: PageHandler, training_class: TrainingClass) -> Application | None:
    """The application whose approval made the class; classes of before the applications have none."""
    if training_class.application_id is None:
        return None
    return await applications.get_application(page.platform, page.actor, training_class.application_id)


ROUTES: list[Route] = [*CLASSES.routes, (r"/admin/classes/(?P<class_id>[0-9a-f]{24})", Overview)]
