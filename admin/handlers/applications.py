"""Class applications: the list, one with its review, and its form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import Filter, LevelCode, Listing, Month, ProvinceCode, Query, Words, Year, fetched_by
from admin.steps import Done, shows, step
from server.applications import service
from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import Action, State
from server.applications.service import WISHED_MOST, ApplicationDraft, Approval, NewDates, VenueDraft
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter, PoolMember
from server.backbone.rules import PoolStatus
from server.classes import service as classes
from server.classes.rules import STANDARD_COURSES
from server.kernel import policies
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.plans.documents import Plan
from server.plans.rules import PlanItem

POOL_SHOWN = 40
NO_RATING = 0
STARS = [(NO_RATING, "没有星级（学校、实训基地等）"), *((stars, f"{stars} 星级") for stars in range(1, 6))]


class ApplicationQuery(Query):
    q: Annotated[Words, Filter("名称或培训机构")] = ""
    state: Annotated[State | None, Filter("状态")] = None
    level: LevelCode = ""
    year: Year = None
    month: Annotated[Month, Filter("开班月份")] = None
    province: ProvinceCode = ""


SHEET = Sheet[Application](
    "开班申请",
    [
        Column("培训班名称", 36, lambda one: one.name),
        Column("培训机构", 30, lambda one: one.institution_name),
        Column("级别", 10, lambda one: one.level.label),
        Column("专业大类", 14, lambda one: one.major_name),
        Column("培训时间", 26, lambda one: f"{one.starts_on} 至 {one.ends_on}"),
        Column("人数", 8, lambda one: one.places),
        Column("课时", 8, lambda one: one.class_hours),
        Column("场地", 40, lambda one: one.venue.place),
        Column("星级", 10, lambda one: one.venue.rating),
        Column("场地待核实", 40, lambda one: "；".join(flag.words for flag in one.venue_flags)),
        Column("核实意见", 40, lambda one: one.venue_note),
        Column("状态", 10, lambda one: one.state.label),
    ],
)


async def around(page: PageHandler, query: ApplicationQuery, rows: Sequence[Application]) -> dict[str, Any]:
    """Those that wait too long are marked; the list has them at its head."""
    return {"overdue_since": await service.overdue_since(page.platform)}


APPLICATIONS = Listing(
    "/admin/applications",
    "applications/list.html",
    Permission.APPLICATIONS_READ,
    ApplicationQuery,
    fetched_by(service.list_applications, ApplicationFilter),
    around,
    SHEET,
)


# ---- one application


class OneApplication(PageHandler):
    address = "/admin/applications/{application_id}"
    get = shows(Permission.APPLICATIONS_READ)

    async def show(self, application_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.get_application(self.platform, self.actor, application_id)
        may_manage = holds(self.actor, Permission.APPLICATIONS_MANAGE)
        self.render_page(
            "applications/one.html",
            application=found,
            stages=stages(found),
            may_amend=may_manage and found.state is State.RETURNED and not found.only_dates,
            may_redate=may_manage and found.only_dates,
            overdue=found.overdue(await service.overdue_since(self.platform)),
            begun=found.starts_on < self.today,
            may_withdraw=may_manage and found.state in (State.SUBMITTED, State.RETURNED),
            may_review=found.state is State.SUBMITTED and holds(self.actor, Permission.APPLICATIONS_REVIEW),
            **outcome,
        )


def stages(one: Application) -> list[tuple[str, str, str]]:
    """The way from plan to class for `states.steps`: title, state of the step, who."""
    plan = ("计划批准", "done", f"{one.plan_year} 年第 {one.plan_version} 版")
    asked = ("提出申请", "done", (one.last(Action.RESUBMIT, Action.REDATE) or one.history[0]).actor_name)
    opening = ("开班", "todo", "")
    last = one.history[-1].actor_name
    match one.state:
        case State.SUBMITTED:
            return [plan, asked, ("省级审核", "current", ""), opening]
        case State.RETURNED:
            asked = ("提出申请", "current", "填写新的日期" if one.only_dates else "按退回理由修改")
            return [plan, asked, ("省级审核", "failed", f"{last}退回"), opening]
        case State.APPROVED:
            return [plan, asked, ("省级审核", "done", last), ("开班", "done", str(one.starts_on))]
        case State.WITHDRAWN:
            return [plan, ("提出申请", "failed", f"{last}撤回"), ("省级审核", "todo", ""), opening]
        case State.CALLED_OFF | State.TERMINATED:
            approved = one.last(Action.APPROVE)
            reviewed = ("省级审核", "done", approved.actor_name if approved else "")
            return [plan, asked, reviewed, ("开班", "failed", one.state.label)]


@step(OneApplication, Permission.APPLICATIONS_REVIEW)
async def approve(page: OneApplication, application_id: str) -> str:
    done = await service.approve(page.platform, page.actor, application_id, page.form(Approval))
    return f"已批准，培训班“{done.name}”已建立。"


@step(OneApplication, Permission.APPLICATIONS_REVIEW)
async def send_back(page: OneApplication, application_id: str) -> str:
    await service.send_back(page.platform, page.actor, application_id, page.form(Return))
    return "已退回，培训机构的工作台会提示，理由写在申请页上。"


@step(OneApplication, Permission.APPLICATIONS_REVIEW)
async def send_back_for_dates(page: OneApplication, application_id: str) -> str:
    await service.send_back_for_dates(page.platform, page.actor, application_id, page.form(Return))
    return "已退回改期。培训机构只填写新的日期，其余内容保持原样。"


@step(OneApplication, Permission.APPLICATIONS_MANAGE)
async def redate(page: OneApplication, application_id: str) -> str:
    await service.redate(page.platform, page.actor, application_id, page.form(NewDates))
    return "已按新的日期重新报送省级管理部门。"


@step(OneApplication, Permission.APPLICATIONS_MANAGE)
async def withdraw(page: OneApplication, application_id: str) -> str:
    await service.withdraw(page.platform, page.actor, application_id, page.form(Withdrawal))
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

    def draft(self) -> ApplicationDraft:
        venue = VenueDraft(name=self.venue_name, address=self.venue_address, stars=self.venue_stars or None)
        fields = self.model_dump(exclude={"venue_name", "venue_address", "venue_stars"})
        return ApplicationDraft.model_validate({**fields, "venue": venue})


def values_of(one: Application) -> dict[str, Any]:
    """An application as its form, to be changed."""
    return {
        **one.model_dump(include={"name", "starts_on", "ends_on", "places", "class_hours"}),
        "venue_name": one.venue.name,
        "venue_address": one.venue.address,
        "venue_stars": one.venue.stars or NO_RATING,
    }


class NewApplication(PageHandler):
    get = shows(Permission.APPLICATIONS_MANAGE)

    async def show(self, plan_id: str, item_id: str, outcome: Outcome = NO_ERRORS) -> None:
        planned = await service.planned_item(self.platform, self.actor, plan_id, item_id)
        if planned.taken_by is not None:
            return self.see_other(f"/admin/applications/{planned.taken_by.id}")
        action = f"/admin/plans/{plan_id}/items/{item_id}/apply"
        return await show_form(self, action, planned.plan, planned.item, None, outcome)


class ReturnedApplication(PageHandler):
    address = "/admin/applications/{application_id}"
    get = shows(Permission.APPLICATIONS_MANAGE)

    async def show(self, application_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.get_application(self.platform, self.actor, application_id)
        if outcome["problem"] is None and (found.state is not State.RETURNED or found.only_dates):
            return self.see_other(f"/admin/applications/{application_id}")
        plan, item = await service.item_in_force(self.platform, found)
        return await show_form(self, f"/admin/applications/{application_id}/edit", plan, item, found, outcome)


async def show_form(
    page: PageHandler,
    action: str,
    plan: Plan,
    item: PlanItem,
    application: Application | None,
    outcome: Outcome,
) -> None:
    """The form of an application, new or returned; the list of teachers answers to a search by itself."""
    posted = outcome["problem"] is not None
    if not posted:
        proposed = {"name": item.title, "places": item.places, "class_hours": item.class_hours}
        outcome = outcome | {"values": values_of(application) if application else proposed}
    standard = STANDARD_COURSES[item.level]
    courses = list(standard) if application is None else application.courses
    if posted:
        courses = [one for one in page.get_body_arguments("courses") if one]
    in_force = await policies.on(page.platform, page.today)
    wished = wished_teachers(page, application, posted)
    page.render_page(
        "applications/form.html",
        action=action,
        plan=plan,
        item=item,
        application=application,
        earliest=page.today + timedelta(days=in_force.application_lead_days),
        floor=classes.class_hours_floor(in_force, item.level),
        stars=STARS,
        stars_most=in_force.venue_stars_most,
        standard=standard,
        ticked=[course for course in standard if course in courses],
        written=[course for course in courses if course not in standard],
        teachers=await teachers_offered(page, item, wished),
        wished=wished,
        wished_most=WISHED_MOST,
        teacher_q=page.query(TeacherQuery).teacher_q,
        **outcome,
    )


class TeacherQuery(BaseModel):
    teacher_q: Words = ""


def wished_teachers(page: PageHandler, application: Application | None, posted: bool) -> list[str]:
    """The teachers that are ticked: as posted, as the search of teachers sends them along, or as the application has them."""
    if posted:
        return page.get_body_arguments("wished")[:WISHED_MOST]
    if "teacher_q" in page.request.query_arguments:
        return page.get_query_arguments("wished")[:WISHED_MOST]
    return [one.person_id for one in application.wished] if application else []


async def teachers_offered(page: PageHandler, item: PlanItem, wished: list[str]) -> list[PoolMember]:
    """Those who are ticked, then the pool of the 专业大类 as the search narrows it."""
    ticked = [await backbone.active_teacher(page.platform, person_id) for person_id in wished]
    narrowed = PoolFilter(
        words=page.query(TeacherQuery).teacher_q, major=item.major, status=PoolStatus.ACTIVE
    )
    found = await backbone.list_pool(page.platform, page.actor, narrowed, limit=POOL_SHOWN)
    return [one for one in ticked if one] + [one for one in found if one.id not in wished]


@step(NewApplication, Permission.APPLICATIONS_MANAGE)
async def apply(page: NewApplication, plan_id: str, item_id: str) -> Done:
    draft = page.form(ApplicationForm).draft()
    new = await service.apply(page.platform, page.actor, plan_id, item_id, draft)
    return Done(
        "申请已报送省级管理部门。审核结果会显示在工作台、消息和这里。", f"/admin/applications/{new.id}"
    )


@step(ReturnedApplication, Permission.APPLICATIONS_MANAGE)
async def resubmit(page: ReturnedApplication, application_id: str) -> str:
    seen = page.form(Review).seen
    draft = page.form(ApplicationForm).draft()
    await service.resubmit(page.platform, page.actor, application_id, draft, seen)
    return "已修改并重新报送省级管理部门。"


_ID = "[0-9a-f]{24}"
_APPLICATION = rf"/admin/applications/(?P<application_id>{_ID})"
ROUTES: list[Route] = [
    *APPLICATIONS.routes,
    (rf"/admin/plans/(?P<plan_id>{_ID})/items/(?P<item_id>{_ID})/apply", apply),
    (_APPLICATION, OneApplication),
    (rf"{_APPLICATION}/edit", resubmit),
    (rf"{_APPLICATION}/approve", approve),
    (rf"{_APPLICATION}/return", send_back),
    (rf"{_APPLICATION}/return-for-dates", send_back_for_dates),
    (rf"{_APPLICATION}/dates", redate),
    (rf"{_APPLICATION}/withdraw", withdraw),
]
