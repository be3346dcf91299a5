"""Class applications: the list, one with its review, and its form."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator

from admin.handler import NO_ERRORS, PageHandler
from admin.options import LEVELS, MONTHS, PROVINCE_OPTIONS, years
from admin.paging import Way
from admin.spreadsheet import send_workbook
from server.applications import service
from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import Action, State
from server.applications.service import WISHED_MOST, ApplicationDraft, Approval, Return, Review, VenueDraft
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter, PoolMember
from server.backbone.rules import PoolStatus
from server.classes import service as classes
from server.classes.rules import STANDARD_COURSES
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.plans.documents import Plan
from server.plans.rules import PlanItem

PAGE_SIZE = 20
EXPORTED_MOST = 5_000
POOL_SHOWN = 40
STATES = [(state.value, state.label) for state in State]
NO_RATING = 0
STARS = [(NO_RATING, "没有星级（学校、实训基地等）"), *((stars, f"{stars} 星级") for stars in range(1, 6))]
TONES = {Action.APPROVE: "success", Action.RETURN: "warning", Action.WITHDRAW: "neutral"}


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

    @property
    def narrowed(self) -> ApplicationFilter:
        return ApplicationFilter(self.q.strip(), self.state, self.level, self.year, self.month, self.province)


class ApplicationList(PageHandler):
    @allow(Permission.APPLICATIONS_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/applications", query.conditions, query.way)
        found = await service.list_applications(
            self.platform, self.actor, query.narrowed, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "applications/list.html",
            rows=rows,
            query=query,
            state_options=STATES,
            levels=LEVELS,
            years=years(self.platform.clock.now()),
            months=MONTHS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_manage=holds(self.actor, Permission.APPLICATIONS_MANAGE),
            export=way.export("/admin/applications/export"),
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
        )


class Export(PageHandler):
    @allow(Permission.APPLICATIONS_READ, rate="30/minute")
    async def get(self) -> None:
        found = await service.list_applications(
            self.platform, self.actor, self.query(ListQuery).narrowed, limit=EXPORTED_MOST
        )
        await send_workbook(
            self,
            f"开班申请-{beijing_date(self.platform.clock.now())}.xlsx",
            "开班申请",
            [
                ("培训班名称", 36),
                ("培训机构", 30),
                ("级别", 10),
                ("专业大类", 14),
                ("开始日期", 12),
                ("结束日期", 12),
                ("人数", 8),
                ("课时", 8),
                ("场地", 40),
                ("星级", 10),
                ("场地待核实", 40),
                ("核实意见", 40),
                ("状态", 10),
            ],
            [
                (
                    one.name,
                    one.institution_name,
                    one.level.label,
                    one.major_name,
                    one.starts_on,
                    one.ends_on,
                    one.places,
                    one.class_hours,
                    one.venue.place,
                    one.venue.rating,
                    "；".join(flag.words for flag in one.venue_flags),
                    one.venue_note,
                    one.state.label,
                )
                for one in found
            ],
        )


# ---- one application


class ApplicationPage(PageHandler):
    async def show(self, application_id: str, **context: Any) -> None:
        found = await service.get_application(self.platform, self.actor, application_id)
        may_manage = holds(self.actor, Permission.APPLICATIONS_MANAGE)
        self.render_page(
            "applications/one.html",
            application=found,
            stages=stages(found),
            history=history_of(found),
            may_amend=may_manage and found.state is State.RETURNED,
            may_withdraw=may_manage and found.state in (State.SUBMITTED, State.RETURNED),
            may_review=found.state is State.SUBMITTED and holds(self.actor, Permission.APPLICATIONS_REVIEW),
            **context,
        )

    @allow(Permission.APPLICATIONS_READ)
    async def get(self, application_id: str) -> None:
        await self.show(application_id, **NO_ERRORS)


def stages(one: Application) -> list[tuple[str, str, str]]:
    """The way from plan to class for `states.steps`: title, state of the step, who."""
    applied = one.last(Action.RESUBMIT) or one.history[0]
    plan = ("计划批准", "done", f"{one.plan_year} 年第 {one.plan_version} 版")
    match one.state:
        case State.SUBMITTED:
            return [
                plan,
                ("提出申请", "done", applied.actor_name),
                ("省级审核", "current", ""),
                ("开班", "todo", ""),
            ]
        case State.RETURNED:
            returned = one.history[-1]
            return [
                plan,
                ("提出申请", "current", "按退回理由修改"),
                ("省级审核", "failed", f"{returned.actor_name}退回"),
                ("开班", "todo", ""),
            ]
        case State.APPROVED:
            return [
                plan,
                ("提出申请", "done", applied.actor_name),
                ("省级审核", "done", one.history[-1].actor_name),
                ("开班", "done", str(one.starts_on)),
            ]
        case State.WITHDRAWN:
            return [
                plan,
                ("提出申请", "failed", f"{one.history[-1].actor_name}撤回"),
                ("省级审核", "todo", ""),
                ("开班", "todo", ""),
            ]


def history_of(one: Application) -> list[tuple[Any, str, str, str]]:
    """The steps for `states.timeline`, newest first: moment, title, detail, tone."""
    told = []
    for step in reversed(one.history):
        action = Action(step.action)
        label = "场地核实意见" if action is Action.APPROVE else "理由"
        detail = f"{label}：{step.reason}" if step.reason else ""
        told.append((step.at, f"{step.actor_name} {action.label}", detail, TONES.get(action, "info")))
    return told


class Decision(ApplicationPage):
    """A page that comes back to the application, with what was wrong if anything was."""

    async def decide(self, application_id: str) -> str:
        """Takes the step; returns the words that say so."""
        raise NotImplementedError

    async def answer(self, application_id: str) -> None:
        try:
            said = await self.decide(application_id)
        except Problem as problem:
            return await self.show(application_id, **self.refuse(problem))
        self.flash(said)
        return self.see_other(f"/admin/applications/{application_id}")


class Approve(Decision):
    @allow(Permission.APPLICATIONS_REVIEW)
    async def post(self, application_id: str) -> None:
        await self.answer(application_id)

    async def decide(self, application_id: str) -> str:
        done = await service.approve(self.platform, self.actor, application_id, self.form(Approval))
        return f"已批准，培训班“{done.name}”已建立。"


class SendBack(Decision):
    @allow(Permission.APPLICATIONS_REVIEW)
    async def post(self, application_id: str) -> None:
        await self.answer(application_id)

    async def decide(self, application_id: str) -> str:
        await service.send_back(self.platform, self.actor, application_id, self.form(Return))
        return "已退回，培训机构会在首页看到退回理由。"


class Withdraw(Decision):
    @allow(Permission.APPLICATIONS_MANAGE)
    async def post(self, application_id: str) -> None:
        await self.answer(application_id)

    async def decide(self, application_id: str) -> str:
        await service.withdraw(self.platform, self.actor, application_id, self.form(Review))
        return "已撤回。这个计划项目可以重新申请。"


# ---- the form


class ApplicationForm(BaseModel):
    starts_on: Annotated[date, Field(title="开始日期")]
    ends_on: Annotated[date, Field(title="结束日期")]
    places: Annotated[int, Field(title="人数", ge=1, le=2000)]
    class_hours: Annotated[int, Field(title="课时", ge=1, le=2000)]
    name: Annotated[str, Field(title="培训班名称", min_length=4, max_length=60)]
    courses: Annotated[
        list[Annotated[str, Field(min_length=2, max_length=40)]],
        Field(title="培训课程", min_length=1, max_length=8),
    ]
    venue_name: Annotated[str, Field(title="场地名称", min_length=2, max_length=40)]
    venue_address: Annotated[str, Field(title="场地地址", min_length=4, max_length=57)]
    venue_stars: Annotated[int, Field(title="星级", ge=NO_RATING, le=5)]
    wished: Annotated[list[str], Field(title="希望邀请的骨干教师", max_length=WISHED_MOST)] = []

    @field_validator("courses", mode="before")
    @classmethod
    def _one_a_line(cls, given: list[str]) -> list[str]:
        return one_a_line(given)

    def draft(self) -> ApplicationDraft:
        venue = VenueDraft(name=self.venue_name, address=self.venue_address, stars=self.venue_stars or None)
        fields = self.model_dump(exclude={"venue_name", "venue_address", "venue_stars"})
        return ApplicationDraft.model_validate({**fields, "venue": venue})


def one_a_line(given: list[str]) -> list[str]:
    """The courses that were ticked, and those written into the text field, one a line."""
    return [line.strip() for text in given for line in text.splitlines() if line.strip()]


def values_of(one: Application) -> dict[str, Any]:
    """An application as its form, to be changed."""
    return {
        "name": one.name,
        "starts_on": one.starts_on,
        "ends_on": one.ends_on,
        "places": one.places,
        "class_hours": one.class_hours,
        "venue_name": one.venue.name,
        "venue_address": one.venue.address,
        "venue_stars": one.venue.stars or NO_RATING,
    }


class FormPage(PageHandler):
    """The form of an application, new or returned; the list of teachers answers to a search by itself."""

    async def show(
        self,
        action: str,
        plan: Plan,
        item: PlanItem,
        application: Application | None,
        problem: Problem | None,
    ) -> None:
        posted = self.request.method == "POST"
        if problem is not None:
            outcome = self.refuse(problem)
        else:
            proposed = {"name": item.title, "places": item.places, "class_hours": item.class_hours}
            outcome = NO_ERRORS | {"values": values_of(application) if application else proposed}
        standard = STANDARD_COURSES[item.level]
        courses = list(standard) if application is None else application.courses
        if posted:
            courses = one_a_line(self.get_body_arguments("courses"))
        in_force = await policies.on(self.platform, beijing_date(self.platform.clock.now()))
        wished = self._wished(application, posted)
        self.render_page(
            "applications/form.html",
            action=action,
            plan=plan,
            item=item,
            application=application,
            floor=classes.class_hours_floor(in_force, item.level),
            stars=STARS,
            stars_most=in_force.venue_stars_most,
            standard=standard,
            ticked=[course for course in standard if course in courses],
            written=[course for course in courses if course not in standard],
            teachers=await self._teachers(item, wished),
            wished=wished,
            wished_most=WISHED_MOST,
            teacher_q=self.get_query_argument("teacher_q", ""),
            **outcome,
        )

    def _wished(self, application: Application | None, posted: bool) -> list[str]:
        """The teachers that are ticked: as posted, as the search of teachers sends them along, or as the application has them."""
        if posted:
            return self.get_body_arguments("wished")[:WISHED_MOST]
        if "teacher_q" in self.request.query_arguments:
            return self.get_query_arguments("wished")[:WISHED_MOST]
        return [one.person_id for one in application.wished] if application else []

    async def _teachers(self, item: PlanItem, wished: list[str]) -> list[PoolMember]:
        """Those who are ticked, then the pool of the 专业大类 as the search narrows it."""
        ticked = [await backbone.active_teacher(self.platform, person_id) for person_id in wished]
        found = await backbone.list_pool(
            self.platform,
            self.actor,
            PoolFilter(
                words=self.get_query_argument("teacher_q", "").strip()[:60],
                major=item.major,
                status=PoolStatus.ACTIVE,
            ),
            limit=POOL_SHOWN,
        )
        return [one for one in ticked if one] + [one for one in found if one.id not in wished]


class Apply(FormPage):
    @allow(Permission.APPLICATIONS_MANAGE)
    async def get(self, plan_id: str, item_id: str) -> None:
        await self.open(plan_id, item_id)

    @allow(Permission.APPLICATIONS_MANAGE)
    async def post(self, plan_id: str, item_id: str) -> None:
        try:
            draft = self.form(ApplicationForm).draft()
            new = await service.apply(self.platform, self.actor, plan_id, item_id, draft)
        except Problem as problem:
            return await self.open(plan_id, item_id, problem)
        self.flash("申请已报送省级管理部门。审核结果会显示在首页和这里。")
        return self.see_other(f"/admin/applications/{new.id}")

    async def open(self, plan_id: str, item_id: str, problem: Problem | None = None) -> None:
        planned = await service.planned_item(self.platform, self.actor, plan_id, item_id)
        if planned.taken_by is not None:
            return self.see_other(f"/admin/applications/{planned.taken_by.id}")
        action = f"/admin/plans/{plan_id}/items/{item_id}/apply"
        return await self.show(action, planned.plan, planned.item, None, problem)


class Resubmit(FormPage):
    @allow(Permission.APPLICATIONS_MANAGE)
    async def get(self, application_id: str) -> None:
        await self.open(application_id)

    @allow(Permission.APPLICATIONS_MANAGE)
    async def post(self, application_id: str) -> None:
        try:
            seen = self.form(Review).seen
            draft = self.form(ApplicationForm).draft()
            await service.resubmit(self.platform, self.actor, application_id, draft, seen)
        except Problem as problem:
            return await self.open(application_id, problem)
        self.flash("已修改并重新报送省级管理部门。")
        return self.see_other(f"/admin/applications/{application_id}")

    async def open(self, application_id: str, problem: Problem | None = None) -> None:
        found = await service.get_application(self.platform, self.actor, application_id)
        if problem is None and found.state is not State.RETURNED:
            return self.see_other(f"/admin/applications/{application_id}")
        plan, item = await service.item_in_force(self.platform, found)
        return await self.show(f"/admin/applications/{application_id}/edit", plan, item, found, problem)


_ID = "[0-9a-f]{24}"
_APPLICATION = rf"/admin/applications/(?P<application_id>{_ID})"
ROUTES: list[Route] = [
    (rf"/admin/plans/(?P<plan_id>{_ID})/items/(?P<item_id>{_ID})/apply", Apply),
    (r"/admin/applications", ApplicationList),
    (r"/admin/applications/export", Export),
    (_APPLICATION, ApplicationPage),
    (rf"{_APPLICATION}/edit", Resubmit),
    (rf"{_APPLICATION}/approve", Approve),
    (rf"{_APPLICATION}/return", SendBack),
    (rf"{_APPLICATION}/withdraw", Withdraw),
]
