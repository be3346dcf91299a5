"""The pool of backbone teachers (骨干教师库, article 9.1): searched, exported, one teacher's page, and the centre's suspension."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import Filter, Listing, MajorCode, Options, ProvinceCode, Query, Words, Year
from admin.options import PROVINCE_OPTIONS
from admin.rendering import province_name
from admin.steps import shows, step
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter, PoolMember
from server.backbone.rules import TASKS_SOUGHT, PoolStatus, Proof, Sought, mark, tasks_mark
from server.backbone.service import StatusDraft
from server.identities import service as identities
from server.identities.service import Digits, PoolPhone
from server.institutions.rules import MAJORS
from server.kernel.clock import beijing_date
from server.kernel.identity import Role
from server.kernel.numbers import AS_CERTIFICATE_NUMBER
from server.kernel.permissions import Permission, holds
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.selection import entry, pool
from server.selection.entry import Registration

TASKS = [*((str(least), f"至少 {least} 次") for least in TASKS_SOUGHT), ("none", "没有任务")]
SATISFACTION = [
    (Sought.MET.value, "不低于 2 分"),
    (Sought.GOOD.value, "不低于 2.5 分"),
    (Sought.BELOW.value, "低于 2 分"),
    (Sought.UNRATED.value, "没有可公布的结果"),
]


def years_kept(page: PageHandler) -> Options:
    """Newest first; that is the one that counts until another is chosen."""
    return [(year, f"{year} 年") for year in pool.years_until(page.today)]


class PoolQuery(Query):
    q: Annotated[Words, Filter("姓名或工作单位", hint="可输入几个词，用空格隔开")] = ""
    number: Annotated[
        str, Field(max_length=60), AS_CERTIFICATE_NUMBER, Filter("证书编号", hint="15 位，完整输入")
    ] = ""
    province: Annotated[ProvinceCode, Filter("省份", PROVINCE_OPTIONS)] = ""
    major: MajorCode = ""
    status: Annotated[PoolStatus | None, Filter("状态")] = None
    year: Annotated[Year, Filter("年度", years_kept, blank=None)] = None
    tasks: Annotated[str, Field(pattern=r"^([0-9]{1,2}|none)$"), Filter("该年授课和考核", TASKS)] = ""
    satisfaction: Annotated[Sought | None, Filter("该年满意度", SATISFACTION)] = None

    def year_on(self, page: Desk) -> int:
        """Whose figures are shown and searched."""
        return self.year or page.today.year

    def wanted(self, page: Desk) -> PoolFilter:
        year = self.year_on(page)
        marks = []
        if self.tasks == "none":
            marks.append(mark(year, Sought.NO_TASK))
        elif self.tasks:
            marks.append(tasks_mark(year, int(self.tasks)))
        if self.satisfaction:
            marks.append(mark(year, self.satisfaction))
        return PoolFilter(
            words=self.q,
            province_code=self.province,
            major=self.major,
            certificate_number=self.number,
            status=self.status,
            marks=tuple(marks),
        )


def shows_number_of(page: Desk, member: PoolMember) -> bool:
    """Whether the masked ID number is shown: to the centre, and to the teacher's own province."""
    own = Role.PROVINCE in page.actor.roles and page.actor.province_code == member.province_code
    return own or Role.NATIONAL_CENTRE in page.actor.roles


async def fetch(page: Desk, query: PoolQuery, before: str | None, limit: int) -> list[PoolMember]:
    return await backbone.list_pool(page.platform, page.actor, query.wanted(page), before=before, limit=limit)


async def around(page: PageHandler, query: PoolQuery, rows: Sequence[PoolMember]) -> dict[str, Any]:
    return {
        "year": query.year_on(page),
        "shows_number": any(shows_number_of(page, one) for one in rows),
        "shows_number_of": partial(shows_number_of, page),
    }


def sheet(page: Desk, query: PoolQuery) -> Sheet[PoolMember]:
    year = query.year_on(page)
    return Sheet(
        "骨干教师库",
        [
            Column("姓名", 14, lambda one: one.name),
            Column("证件号", 22, lambda one: one.id_number_masked if shows_number_of(page, one) else ""),
            Column("工作单位", 32, lambda one: one.work_unit),
            Column("省份", 10, lambda one: province_name(one.province_code)),
            Column("专业大类", 30, lambda one: "、".join(MAJORS[code].name for code in one.majors)),
            Column("证书编号", 20, lambda one: one.certificate_number or ""),
            Column("登记依据", 24, lambda one: one.proof.label),
            Column(f"{year} 年授课", 12, lambda one: one.figures_of(year).teaching),
            Column(f"{year} 年考核", 12, lambda one: one.figures_of(year).assessment),
            Column(f"{year} 年满意度", 14, lambda one: one.figures_of(year).mean),
            Column("状态", 12, lambda one: one.status.label),
            Column("登记日期", 12, lambda one: beijing_date(one.registered_at)),
        ],
    )


POOL = Listing(
    "/admin/backbone",
    "backbone/list.html",
    Permission.BACKBONE_READ,
    PoolQuery,
    fetch,
    around,
    sheet,
    page_size=30,
)
PROOFS = [
    (Proof.LEDGER.value, Proof.LEDGER.label, "填写编号，平台在证书台账中核对本人和有效状态"),
    (Proof.PAPER.value, Proof.PAPER.label, "填写证明的编号或文号和日期，入库后如此注明"),
]


class Newcomer(PageHandler):
    address = "/admin/backbone"
    get = shows(Permission.BACKBONE_REGISTER)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page("backbone/new.html", proofs=PROOFS, **outcome)


@step(Newcomer, Permission.BACKBONE_REGISTER)
async def register(page: Newcomer) -> str:
    member = await entry.register(page.platform, page.actor, page.form(Registration))
    return f"已登记 {member.name}（{member.id_number_masked}）入库。"


# ---- one teacher


class Teacher(PageHandler):
    address = "/admin/backbone/{teacher_id}"
    get = shows(Permission.BACKBONE_READ)

    async def show(self, teacher_id: str, outcome: Outcome = NO_ERRORS, *, id_number: str = "") -> None:
        """`id_number`: the whole one, when it was asked for."""
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
            may_suspend=manages and record.member.status is PoolStatus.ACTIVE,
            may_resume=manages and record.member.status is PoolStatus.SUSPENDED,
            confirms=oversees and holds(self.actor, Permission.IDENTITIES_OVERSEE),
            answers=await identities.answers_for(self.platform, self.actor, teacher_id),
            phone=await identities.phone_of(self.platform, teacher_id),
            sees_duties=oversees and holds(self.actor, Permission.DUTIES_READ),
            sees_cases=oversees and holds(self.actor, Permission.QUALIFICATION_READ),
            **outcome,
        )


class IdNumber(Teacher):
    """The whole ID number, shown once and noted; it is in no address and in no cache."""

    @allow(Permission.BACKBONE_IDENTIFY)
    async def get(self, teacher_id: str) -> None:
        self.see_other(f"/admin/backbone/{teacher_id}")

    @allow(Permission.BACKBONE_IDENTIFY, rate="30/minute")
    async def post(self, teacher_id: str) -> None:
        number = await backbone.look_at_id_number(self.platform, self.actor, teacher_id)
        self.set_header("Cache-Control", "no-store")
        await self.show(teacher_id, id_number=number)


class ManagedTeacher(Teacher):
    """The same for who decides on it."""

    get = shows(Permission.BACKBONE_MANAGE)


@step(ManagedTeacher, Permission.BACKBONE_MANAGE)
async def suspend(page: ManagedTeacher, teacher_id: str) -> str:
    draft = page.form(StatusDraft)
    return told("暂停", await backbone.suspend(page.platform, page.actor, teacher_id, draft))


@step(ManagedTeacher, Permission.BACKBONE_MANAGE)
async def resume(page: ManagedTeacher, teacher_id: str) -> str:
    draft = page.form(StatusDraft)
    return told("恢复", await backbone.resume(page.platform, page.actor, teacher_id, draft))


# ---- the phone of a teacher


class OverseenTeacher(Teacher):
    """The same for who confirms a teacher's phone."""

    get = shows(Permission.IDENTITIES_OVERSEE)


class KeptTeacher(Teacher):
    """The same for who may answer for a teacher."""

    get = shows(Permission.IDENTITIES_DECIDE)


@step(OverseenTeacher, Permission.IDENTITIES_OVERSEE, rate="60/minute")
async def confirm_phone(page: OverseenTeacher, teacher_id: str) -> str:
    await identities.confirm_teacher(page.platform, page.actor, teacher_id, page.form(Digits))
    return "已确认本机，可以行使骨干教师的权利，并已通知本人。"


@step(OverseenTeacher, Permission.IDENTITIES_OVERSEE)
async def doubt_phone(page: OverseenTeacher, teacher_id: str) -> str:
    await identities.take_back_teacher(page.platform, page.actor, teacher_id, page.form(identities.Reason))
    return "已撤销手机确认，并通知本人。"


@step(OverseenTeacher, Permission.IDENTITIES_OVERSEE)
async def set_phone(page: OverseenTeacher, teacher_id: str) -> str:
    await identities.set_pool_phone(page.platform, page.actor, teacher_id, page.form(PoolPhone))
    return "已登记手机号，本人用这个号码的微信可以自行证明身份。"


@step(KeptTeacher, Permission.IDENTITIES_DECIDE)
async def release_phone(page: KeptTeacher, teacher_id: str) -> str:
    await identities.release_teacher(page.platform, page.actor, teacher_id, page.form(identities.Reason))
    return "已解除绑定，原手机和本人已收到通知。"


def told(what: str, member: PoolMember) -> str:
    when = "即日起生效" if member.due_on is None else f"{member.due_on} 起生效"
    return f"已办理{what}，{when}，并已告知{member.name}本人。"


_ONE = r"/admin/backbone/(?P<teacher_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *POOL.routes,
    (r"/admin/backbone/new", register),
    (_ONE, Teacher),
    (rf"{_ONE}/id-number", IdNumber),
    (rf"{_ONE}/suspend", suspend),
    (rf"{_ONE}/resume", resume),
    (rf"{_ONE}/phone", confirm_phone),
    (rf"{_ONE}/phone/take-back", doubt_phone),
    (rf"{_ONE}/phone/number", set_phone),
    (rf"{_ONE}/phone/release", release_phone),
]
