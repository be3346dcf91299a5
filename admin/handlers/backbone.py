"""The pool of backbone teachers (骨干教师库, article 9.1): searched, exported, one teacher's page, and the centre's suspension."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import MAJOR_OPTIONS, PROVINCE_OPTIONS
from admin.paging import Way
from admin.spreadsheet import Value, stream_workbook
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter, PoolMember
from server.backbone.rules import TASKS_SOUGHT, PoolStatus, Sought, mark, tasks_mark
from server.backbone.service import Registration, StatusDraft
from server.institutions.rules import MAJORS
from server.kernel import downloads
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound, Problem
from server.kernel.identity import Role
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.selection import pool

PAGE_SIZE = 30
STATUSES = [(status.value, status.label) for status in PoolStatus]
TASKS = [*((str(least), f"至少 {least} 次") for least in TASKS_SOUGHT), ("none", "没有任务")]
SATISFACTION = [
    (Sought.MET.value, "不低于 2 分"),
    (Sought.GOOD.value, "不低于 2.5 分"),
    (Sought.BELOW.value, "低于 2 分"),
    (Sought.UNRATED.value, "没有可公布的结果"),
]


class PoolQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    number: Annotated[str, Field(max_length=20)] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    status: PoolStatus | None = None
    year: Annotated[str, Field(pattern=r"^20[0-9]{2}$")] = ""
    tasks: Annotated[str, Field(pattern=r"^([0-9]{1,2}|none)$")] = ""
    satisfaction: Sought | None = None
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "q": self.q,
            "number": self.number,
            "major": self.major,
            "province": self.province,
            "status": self.status or "",
            "year": self.year,
            "tasks": self.tasks,
            "satisfaction": self.satisfaction or "",
        }

    def narrowed(self, this_year: int) -> PoolFilter:
        year = int(self.year or this_year)
        marks = []
        if self.tasks == "none":
            marks.append(mark(year, Sought.NO_TASK))
        elif self.tasks:
            marks.append(tasks_mark(year, int(self.tasks)))
        if self.satisfaction:
            marks.append(mark(year, self.satisfaction))
        return PoolFilter(
            words=self.q.strip(),
            province_code=self.province,
            major=self.major,
            certificate_number="".join(self.number.split()).upper(),
            status=self.status,
            marks=tuple(marks),
        )


class PoolPage(PageHandler):
    def shows_number_of(self, member: PoolMember) -> bool:
        """Whether the masked ID number is shown: to the centre, and to the teacher's own province."""
        own = Role.PROVINCE in self.actor.roles and self.actor.province_code == member.province_code
        return own or Role.NATIONAL_CENTRE in self.actor.roles

    @property
    def this_year(self) -> int:
        return beijing_date(self.platform.clock.now()).year


class Pool(PoolPage):
    @allow(Permission.BACKBONE_READ)
    async def get(self) -> None:
        query = self.query(PoolQuery)
        way = Way.read("/admin/backbone", query.conditions, query.way)
        found = await backbone.list_pool(
            self.platform,
            self.actor,
            query.narrowed(self.this_year),
            before=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        members = found[:PAGE_SIZE]
        years = pool.years_until(beijing_date(self.platform.clock.now()))
        self.render_page(
            "backbone/list.html",
            members=members,
            query=query,
            year=int(query.year or self.this_year),
            narrowed=any(query.conditions.values()),
            previous=way.previous,
            next=way.next(members[-1].id) if len(found) > PAGE_SIZE else None,
            export=way.export("/admin/backbone/export"),
            majors=MAJOR_OPTIONS,
            provinces=PROVINCE_OPTIONS,
            status_options=STATUSES,
            years=[(str(year), f"{year} 年") for year in years],
            tasks=TASKS,
            satisfaction=SATISFACTION,
            shows_number=any(self.shows_number_of(one) for one in members),
            shows_number_of=self.shows_number_of,
            may_register=holds(self.actor, Permission.BACKBONE_REGISTER),
        )


class Export(PoolPage):
    @allow(Permission.BACKBONE_READ, rate="30/minute")
    async def get(self) -> None:
        query = self.query(PoolQuery)
        rows = backbone.export_pool(self.platform, self.actor, query.narrowed(self.this_year))
        year = int(query.year or self.this_year)
        columns = [
            ("姓名", 14),
            ("证件号", 22),
            ("工作单位", 32),
            ("省份", 10),
            ("专业大类", 30),
            ("证书编号", 20),
            (f"{year}年授课", 12),
            (f"{year}年考核", 12),
            (f"{year}年满意度", 14),
            ("状态", 12),
            ("登记日期", 12),
        ]
        file = await stream_workbook(
            f"骨干教师库-{beijing_date(self.platform.clock.now())}.xlsx",
            "骨干教师库",
            columns,
            rows,
            lambda member: self._cells(member, year),
        )
        await downloads.send(self, file)

    def _cells(self, member: PoolMember, year: int) -> list[Value]:
        figures = member.figures_of(year)
        return [
            member.name,
            member.id_number_masked if self.shows_number_of(member) else "",
            member.work_unit,
            dict(PROVINCE_OPTIONS)[member.province_code],
            "、".join(MAJORS[code].name for code in member.majors),
            member.certificate_number or "",
            figures.teaching,
            figures.assessment,
            figures.mean,
            member.status.label,
            str(beijing_date(member.registered_at)),
        ]


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


class TeacherPage(PoolPage):
    async def show(
        self, teacher_id: str, outcome: dict[str, Any], *, wrong: str = "", id_number: str = ""
    ) -> None:
        """`wrong`: which of the dialogs came back; `id_number`: the whole one, when it was asked for."""
        record = await pool.record(self.platform, self.actor, teacher_id)
        manages = holds(self.actor, Permission.BACKBONE_MANAGE)
        oversees = self.actor.institution_code is None and self.actor.province_code in (
            None,
            record.member.province_code,
        )
        self.render_page(
            "backbone/one.html",
            record=record,
            member=record.member,
            id_number=id_number,
            may_identify=holds(self.actor, Permission.BACKBONE_IDENTIFY),
            may_suspend=manages and record.member.status is PoolStatus.ACTIVE,
            may_resume=manages and record.member.status is PoolStatus.SUSPENDED,
            sees_duties=oversees and holds(self.actor, Permission.DUTIES_READ),
            sees_cases=oversees and holds(self.actor, Permission.QUALIFICATION_READ),
            **outcome | {"wrong": wrong},
        )


class Teacher(TeacherPage):
    @allow(Permission.BACKBONE_READ)
    async def get(self, teacher_id: str) -> None:
        await self.show(teacher_id, NO_ERRORS)


class IdNumber(TeacherPage):
    """The whole ID number, shown once and noted; it is in no address and in no cache."""

    @allow(Permission.BACKBONE_IDENTIFY)
    async def get(self, teacher_id: str) -> None:
        self.see_other(f"/admin/backbone/{teacher_id}")

    @allow(Permission.BACKBONE_IDENTIFY, rate="30/minute")
    async def post(self, teacher_id: str) -> None:
        number = await backbone.look_at_id_number(self.platform, self.actor, teacher_id)
        self.set_header("Cache-Control", "no-store")
        await self.show(teacher_id, NO_ERRORS, id_number=number)


class ChangeStatus(TeacherPage):
    """暂停 and 恢复 by the centre."""

    @allow(Permission.BACKBONE_MANAGE)
    async def get(self, teacher_id: str, change: str) -> None:
        self.see_other(f"/admin/backbone/{teacher_id}")

    @allow(Permission.BACKBONE_MANAGE)
    async def post(self, teacher_id: str, change: str) -> None:
        decide = backbone.suspend if change == "suspend" else backbone.resume
        try:
            member = await decide(self.platform, self.actor, teacher_id, self.form(StatusDraft))
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(teacher_id, self.refuse(problem), wrong=change)
        when = "即日起生效" if member.due_on is None else f"{member.due_on} 起生效"
        self.flash(f"已办理{'暂停' if change == 'suspend' else '恢复'}，{when}，并已告知{member.name}本人。")
        return self.see_other(f"/admin/backbone/{teacher_id}")


_ONE = r"/admin/backbone/(?P<teacher_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/admin/backbone", Pool),
    (r"/admin/backbone/export", Export),
    (r"/admin/backbone/new", Register),
    (_ONE, Teacher),
    (rf"{_ONE}/id-number", IdNumber),
    (rf"{_ONE}/(?P<change>suspend|resume)", ChangeStatus),
]
