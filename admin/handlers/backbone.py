"""The pool of backbone teachers (骨干教师库)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import MAJOR_OPTIONS, PROVINCE_OPTIONS
from admin.paging import Way
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter
from server.backbone.service import Registration
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 30


class PoolQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""


class Pool(PageHandler):
    @allow(Permission.BACKBONE_READ)
    async def get(self) -> None:
        query = self.query(PoolQuery)
        conditions = {"q": query.q, "major": query.major, "province": query.province}
        way = Way.read("/admin/backbone", conditions, query.way)
        found = await backbone.list_pool(
            self.platform,
            self.actor,
            PoolFilter(words=query.q.strip(), major=query.major, province_code=query.province),
            before=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        members = found[:PAGE_SIZE]
        self.render_page(
            "backbone/list.html",
            members=members,
            query=query,
            narrowed=any(conditions.values()),
            previous=way.previous,
            next=way.next(members[-1].id) if len(found) > PAGE_SIZE else None,
            majors=MAJOR_OPTIONS,
            provinces=PROVINCE_OPTIONS,
            may_register=holds(self.actor, Permission.BACKBONE_REGISTER),
        )


class Register(PageHandler):
    @allow(Permission.BACKBONE_REGISTER)
    async def get(self) -> None:
        self.render_page("backbone/new.html", majors=MAJOR_OPTIONS, provinces=PROVINCE_OPTIONS, **NO_ERRORS)

    @allow(Permission.BACKBONE_REGISTER)
    async def post(self) -> None:
        try:
            member = await backbone.register(self.platform, self.actor, self.form(Registration))
        except Problem as problem:
            return self.render_page(
                "backbone/new.html", majors=MAJOR_OPTIONS, provinces=PROVINCE_OPTIONS, **self.refuse(problem)
            )
        self.flash(f"已登记 {member.name}（{member.id_number_masked}）入库。")
        return self.see_other("/admin/backbone")


ROUTES: list[Route] = [(r"/admin/backbone", Pool), (r"/admin/backbone/new", Register)]
