"""The training scheme of a class: its versions, signatures and review; and the province's list of schemes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.handlers.scheme_editor import VersionForm
from admin.lists import Filter, LevelCode, Listing, Month, Options, ProvinceCode, Query, Words, Year, named
from admin.steps import shows, step
from server.interruptions import facts as interruptions
from server.kernel.permissions import Permission, holds
from server.kernel.reasons import OptionalReason
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow
from server.schemes import comparing, remarks, service, ways_back
from server.schemes.documents import SchemeFilter, SchemeVersion
from server.schemes.remarks import RemarkDraft
from server.schemes.rules import GONE, State
from server.schemes.service import ReturnReason, SchemeOfClass
from server.schemes.ways_back import Reason

# ---- the list


def usual(page: Desk) -> tuple[str, Sequence[State]]:
    """What somebody comes for: the province for what it must review, others for all that is on its way."""
    if holds(page.actor, Permission.SCHEMES_REVIEW):
        return "待审核的方案", [State.SUBMITTED]
    return "办理中的方案", [State.DRAFT, State.SIGNING, State.SUBMITTED, State.RETURNED]


def states_offered(page: PageHandler) -> Options:
    words, _ = usual(page)
    return [("", words), *(one for one in named(State) if one[0] not in GONE)]


class SchemeQuery(Query):
    q: Annotated[Words, Filter("培训班或培训机构")] = ""
    state: Annotated[State | None, Filter("状态", states_offered)] = None
    level: LevelCode = ""
    year: Year = None
    month: Annotated[Month, Filter("开班月份")] = None
    province: ProvinceCode = ""


async def fetch(page: Desk, query: SchemeQuery, after: str | None, limit: int) -> Sequence[SchemeVersion]:
    states = [query.state] if query.state else usual(page)[1]
    narrowed = SchemeFilter(states, query.q, query.level, query.year, query.month, query.province)
    return await service.list_schemes(page.platform, page.actor, narrowed, after=after, limit=limit)


async def around(page: PageHandler, query: SchemeQuery, rows: Sequence[SchemeVersion]) -> dict[str, Any]:
    return {"usual": usual(page)[0]}


SHEET = Sheet[SchemeVersion](
    "培训方案",
    [
        Column("培训班", 36, lambda one: one.class_name),
        Column("级别", 10, lambda one: one.level.label),
        Column("开班日期", 12, lambda one: one.starts_on),
        Column("培训机构", 30, lambda one: one.institution_name),
        Column("版本", 8, lambda one: one.version),
        Column("课时", 8, lambda one: one.content.course_hours),
        Column("报送时间", 18, lambda one: one.filed_at),
        Column("状态", 12, lambda one: one.state.label),
        Column("场地待核实", 40, lambda one: "；".join(flag.words for flag in one.venue_flags)),
        Column("核实意见", 40, lambda one: one.venue_note),
    ],
)
SCHEMES = Listing(
    "/admin/schemes",
    "schemes/list.html",
    Permission.SCHEMES_READ,
    SchemeQuery,
    fetch,
    around,
    SHEET,
)


# ---- the scheme of a class


class OneScheme(PageHandler):
    """The newest version with all that was said, signed and decided about it, and what may be done next."""

    address = "/admin/classes/{class_id}/scheme"
    get = shows(Permission.SCHEMES_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await service.scheme_of_class(self.platform, self.actor, class_id)
        self.render_page(
            "schemes/scheme.html",
            training_class=seen.training_class,
            seen=seen,
            stages=stages(seen),
            changes=service.changes_in(seen) if seen.newest else [],
            adjusted_by=await interruptions.adjusted_by(self.platform, class_id),
            State=State,
            **outcome,
        )


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


class AgainstQuery(BaseModel):
    against: Annotated[int | None, Field(ge=1, le=9999)] = None


class VersionPage(PageHandler):
    """One version, and what it changes in another."""

    @allow(Permission.SCHEMES_READ)
    async def get(self, class_id: str, version: str) -> None:
        compared = await comparing.compared_version(
            self.platform, self.actor, class_id, int(version), self.query(AgainstQuery).against
        )
        self.render_page(
            "schemes/version.html",
            training_class=compared.training_class,
            compared=compared,
            adjusted_by=await interruptions.adjusted_by(self.platform, class_id),
            others=[(one.version, f"第 {one.version} 版（{one.state.label}）") for one in compared.others],
        )


# ---- the steps; each names the version that was looked at


class ApproveForm(VersionForm):
    venue_note: Annotated[str, Field(title="场地核实意见", max_length=500)] = ""
    """Needed when a place is flagged (article 11)."""
    comment: Annotated[OptionalReason, Field(title="意见")] = ""


@step(OneScheme, Permission.SCHEMES_MANAGE)
async def send_for_signature(page: OneScheme, class_id: str) -> str:
    version = page.form(VersionForm).version
    await service.send_for_signature(page.platform, page.actor, class_id, version)
    return f"第 {version} 版已送本班授课教师签署，已通知教师。"


@step(OneScheme, Permission.SCHEMES_MANAGE)
async def file(page: OneScheme, class_id: str) -> str:
    version = page.form(VersionForm).version
    await service.file(page.platform, page.actor, class_id, version)
    return f"第 {version} 版已报送省级管理部门审核。"


@step(OneScheme, Permission.SCHEMES_REVIEW)
async def approve(page: OneScheme, class_id: str) -> str:
    wanted = page.form(ApproveForm)
    version = wanted.version
    made = await service.approve(
        page.platform, page.actor, class_id, version, wanted.venue_note, wanted.comment
    )
    return f"第 {version} 版已审核通过：新安排课次 {len(made.sessions_make)} 个，布置任务 {len(made.tasks_make)} 项。"


class ReturnForm(ReturnReason, VersionForm):
    pass


@step(OneScheme, Permission.SCHEMES_REVIEW)
async def send_back(page: OneScheme, class_id: str) -> str:
    wanted = page.form(ReturnForm)
    await service.send_back(page.platform, page.actor, class_id, wanted.version, wanted)
    return "方案已退回，培训机构会看到退回理由。"


class ReasonForm(VersionForm, Reason):
    """Which version, and why."""


@step(OneScheme, Permission.SCHEMES_MANAGE)
async def withdraw(page: OneScheme, class_id: str) -> str:
    wanted = page.form(ReasonForm)
    taken = await ways_back.withdraw(page.platform, page.actor, class_id, wanted.version, wanted)
    return f"已撤回，第 {taken.version} 版现为“{taken.state.label}”。"


@step(OneScheme, Permission.SCHEMES_MANAGE)
async def discard(page: OneScheme, class_id: str) -> str:
    wanted = page.form(ReasonForm)
    await ways_back.discard(page.platform, page.actor, class_id, wanted.version, wanted)
    return f"第 {wanted.version} 版已废弃。"


@step(OneScheme, Permission.SCHEMES_MANAGE)
async def remark(page: OneScheme, class_id: str) -> str:
    await remarks.remark(page.platform, page.actor, class_id, page.form(RemarkDraft))
    return "意见已发布，本班授课教师在小程序中可以看到。"


_SCHEME = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/scheme"
ROUTES: list[Route] = [
    *SCHEMES.routes,
    (_SCHEME, OneScheme),
    (rf"{_SCHEME}/versions/(?P<version>[0-9]{{1,4}})", VersionPage),
    (rf"{_SCHEME}/send", send_for_signature),
    (rf"{_SCHEME}/file", file),
    (rf"{_SCHEME}/approve", approve),
    (rf"{_SCHEME}/return", send_back),
    (rf"{_SCHEME}/withdraw", withdraw),
    (rf"{_SCHEME}/discard", discard),
    (rf"{_SCHEME}/remarks", remark),
]
