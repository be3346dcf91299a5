"""Training classes: the list, one class at a glance with its whole life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Annotated, Literal

from admin.handler import PageHandler
from admin.lists import Filter, LevelCode, Listing, MajorCode, ProvinceCode, Query, Words, Year, fetched_by
from server.admissions import arrival
from server.admissions import service as admissions
from server.applications import service as applications
from server.applications.documents import Application
from server.assessment import service as assessment
from server.attendance import rolls
from server.attendance import service as attendance
from server.audit_told import Told
from server.audit_words import tell
from server.backbone import service as backbone
from server.certificates import service as certificates
from server.classes import facts
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Stage
from server.corrections import service as corrections
from server.interruptions import service as interruptions
from server.invitations import service as invitations
from server.kernel import audit
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.spreadsheets import Column, Sheet, Value
from server.kernel.web import Route, allow
from server.progress import desk, lines
from server.progress.known import Owner, Phase, Step
from server.progress.lines import Line, LineFilter, Place
from server.schemes import standing as scheme_standing
from server.surveys import service as surveys

LIFE: dict[Phase, tuple[Callable[[Platform, Actor, TrainingClass], Awaitable[list[LifeStep]]], ...]] = {
    Phase.PREPARE: (applications.life, invitations.life, scheme_standing.life),
    Phase.ENROL: (admissions.life, facts.life, arrival.life),
    Phase.TEACH: (attendance.life,),
    Phase.ASSESS: (assessment.life,),
    Phase.CLOSE: (surveys.life, certificates.life),
}
"""Each chapter's part of the life of a class, in the order in which a class goes through it."""


class ClassQuery(Query):
    q: Annotated[Words, Filter("名称或培训机构")] = ""
    place: Annotated[Place | None, Filter("环节", blank="在办的")] = None
    owner: Annotated[Owner | None, Filter("卡在谁")] = None
    overdue: Annotated[Literal["", "1"], Filter("期限", [("1", "已逾期")])] = ""
    year: Year = None
    level: LevelCode = ""
    major: MajorCode = ""
    province: ProvinceCode = ""
    stage: Stage | None = None
    """Of links from before the list went by 环节."""


def of_class(value: Callable[[TrainingClass], Value]) -> Callable[[Line], Value]:
    return lambda line: value(line.training_class) if line.training_class else ""


def of_step(value: Callable[[Step], Value | None]) -> Callable[[Line], Value]:
    return lambda line: (value(line.step) or "") if line.step else ""


SHEET = Sheet[Line](
    "培训班",
    [
        Column("名称", 36, lambda line: line.name),
        Column("级别", 10, lambda line: line.level.label if line.level else ""),
        Column("专业大类", 14, lambda line: line.major_name),
        Column("培训机构", 30, lambda line: line.institution_name),
        Column("培训时间", 24, lambda line: line.when),
        Column("环节", 10, lambda line: line.place),
        Column("接下来", 36, of_step(lambda step: step.title)),
        Column("卡在谁", 26, of_step(lambda step: step.who)),
        Column("已等", 8, lambda line: "" if line.waited is None else line.waited),
        Column("等待开始", 12, of_step(lambda step: step.since)),
        Column("期限", 12, of_step(lambda step: step.due)),
        Column("是否逾期", 10, lambda line: "已逾期" if line.overdue else ""),
        Column("课时", 8, of_class(lambda one: one.class_hours)),
        Column("地点", 24, of_class(lambda one: one.place)),
        Column("骨干教师", 24, of_class(lambda one: "、".join(teacher.name for teacher in one.teachers))),
        Column("学员人数", 10, lambda line: "" if line.trainees is None else line.trainees),
    ],
    file="培训班列表",
)
CLASSES = Listing(
    "/admin/classes",
    "classes/list.html",
    Permission.CLASSES_READ,
    ClassQuery,
    fetched_by(lines.lines, LineFilter),
    sheet=SHEET,
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
            waits=await desk.of_class(self.platform, self.actor, training_class),
            sessions=await rolls.sessions_of_today(self.platform, training_class),
            life={
                phase: [
                    step for part in parts for step in await part(self.platform, self.actor, training_class)
                ]
                for phase, parts in LIFE.items()
            },
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
