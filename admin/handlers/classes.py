"""Training classes: the list, a new class, one class and its teachers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import PageHandler
from admin.paging import Way
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS, Level
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 20
LEVELS = [(level.value, level.title) for level in (Level.THREE, Level.TWO, Level.ONE, Level.BACKBONE)]
PROVINCE_OPTIONS = [(province.code, province.name) for province in PROVINCES]
MAJOR_OPTIONS = [(major.code, f"{major.code} {major.name}") for major in MAJORS.values()]


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    level: Annotated[str, Field(pattern=r"^[G123]?$")] = ""
    major: Annotated[str, Field(pattern=r"^([0-9]{2})?$")] = ""
    province: Annotated[str, Field(pattern=r"^([0-9]{2})?$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"q": self.q, "level": self.level, "major": self.major, "province": self.province}

    @property
    def narrowed(self) -> ClassFilter:
        return ClassFilter(self.q.strip(), self.level, self.major, self.province)


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
            previous=way.previous,
            next=way.next(rows[-1].item.id) if len(found) > PAGE_SIZE else None,
            levels=LEVELS,
            majors=MAJOR_OPTIONS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_manage=holds(self.actor, Permission.CLASSES_MANAGE),
        )


class Overview(PageHandler):
    @allow(Permission.CLASSES_READ)
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page(
            "classes/overview.html",
            training_class=training_class,
            tab="overview",
            trainees=len(await classes.trainees(self.platform, class_id)),
            may_manage=holds(self.actor, Permission.CLASSES_MANAGE),
        )


ROUTES: list[Route] = [
    (r"/admin/classes", ClassList),
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})", Overview),
]
