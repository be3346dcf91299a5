"""Class applications (article 4.2): an institution applies for an item of its approved plan; its province's approval makes the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.applications import rules, store
from server.applications.documents import Application, ApplicationFilter, Venue, WishedTeacher
from server.applications.rules import Action, OnlyDates, State
from server.backbone import service as backbone
from server.classes import rules as class_rules
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.service import ClassDraft, Course
from server.institutions import rules as institution_rules
from server.institutions import service as institutions
from server.kernel import history, policies
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.plans import service as plans
from server.plans.documents import Plan
from server.plans.rules import Action as PlanAction
from server.plans.rules import PlanItem
from server.plans.rules import State as PlanState
from server.venues import rules as venues

WISHED_MOST = 12


class ItemTaken(Conflict):
    slug = "plan-item-taken"
    title = "这个计划项目已经申请"
    default_detail = "一个计划项目同时只能有一份开班申请。请打开已有的申请办理；撤回后可以重新申请。"


class NotInPlan(Conflict):
    slug = "not-in-plan"
    title = "不在已批准的计划中"
    default_detail = (
        "开班申请须依据已批准的年度培训计划（指南第四条）。请先把项目列入计划并报省级管理部门批准。"
    )


class VenueDraft(BaseModel):
    name: Annotated[str, Field(title="场地名称", min_length=2, max_length=40)]
    address: Annotated[str, Field(title="场地地址", min_length=4, max_length=57)]
    stars: Annotated[int | None, Field(title="星级", ge=1, le=5)] = None


class ApplicationDraft(BaseModel):
    """Level and 专业大类 are those of the plan's item. `courses` are printed on the certificate, in this order (article 17)."""

    name: Annotated[str, Field(title="培训班名称", min_length=4, max_length=60)]
    starts_on: Annotated[date, Field(title="开始日期")]
    ends_on: Annotated[date, Field(title="结束日期")]
    places: Annotated[int, Field(title="人数", ge=1, le=2000)]
    class_hours: Annotated[int, Field(title="课时", ge=1, le=2000)]
    courses: Annotated[list[Course], Field(title="培训课程", min_length=1, max_length=8)]
    venue: Annotated[VenueDraft, Field(title="场地")]
    wished: Annotated[list[str], Field(title="希望邀请的骨干教师", max_length=WISHED_MOST)] = []
    """Person ids of members of the pool."""


class NewDates(Review):
    """What an application that came back for other dates is filed again with."""

    starts_on: Annotated[date, Field(title="开始日期")]
    ends_on: Annotated[date, Field(title="结束日期")]


class Approval(Review):
    venue_note: Annotated[str, Field(title="场地核实意见", max_length=500)] = ""
    """Needed when the venue is flagged (article 11)."""


@dataclass(frozen=True)
class PlannedItem:
    """An item of a plan in force, and the application that holds it, if any."""

    plan: Plan
    item: PlanItem
    taken_by: Application | None


# ---- the institution


async def apply(
    platform: Platform, actor: Actor, plan_id: str, item_id: str, draft: ApplicationDraft
) -> Application:
    """Hands in an application for an item of the actor's plan in force.

    Raises NotInPlan, ItemTaken, NotQualified (articles 4, 16), or Invalid for dates outside the plan's year, hours below the floor of the
    level, more places than planned, a course named twice or a teacher who is not in the pool.
    """
    try:
        return await _apply(platform, actor, plan_id, item_id, draft)
    except DuplicateKeyError:
        raise ItemTaken() from None


@transactional
async def _apply(unit: UnitOfWork, plan_id: str, item_id: str, draft: ApplicationDraft) -> Application:
    rules.STEPS.require_right(Action.SUBMIT, unit.actor.roles)
    planned = await planned_item(unit, unit.actor, plan_id, item_id)
    if planned.taken_by is not None:
        raise ItemTaken()
    said = await _checked(unit, planned.plan, planned.item, draft)
    new = Application(
        **said,
        institution_code=planned.plan.institution_code,
        institution_name=planned.plan.institution_name,
        province_code=planned.plan.province_code,
        state=State.SUBMITTED,
        history=[history.step(unit, Action.SUBMIT)],
    )
    await store.insert(unit, new)
    await plans.take_item(unit, planned.plan, item_id)
    unit.audit("applications:submit", new.id, name=new.name, item=item_id)
    return new


@transactional
async def resubmit(unit: UnitOfWork, application_id: str, draft: ApplicationDraft, seen: int) -> Application:
    """Hands in a returned application again, changed. Raises as `apply`, and OnlyDates, NotInThisState, NotYours, Overtaken."""
    found = await get_application(unit, unit.actor, application_id)
    rules.STEPS.after(found.state, Action.RESUBMIT, unit.actor.roles)
    if found.only_dates:
        raise OnlyDates()
    plan, item = await item_in_force(unit, found)
    said = await _checked(unit, plan, item, draft)
    unit.audit("applications:resubmit", found.id, name=draft.name)
    changes = {**said, "venue_note": ""}
    return await take(unit, rules.STEPS, found, Action.RESUBMIT, seen=seen, changes=changes)


@transactional
async def redate(unit: UnitOfWork, application_id: str, dates: NewDates) -> Application:
    """Hands in a returned application again with other dates; all the rest of it stays. Raises as `resubmit`."""
    found = await get_application(unit, unit.actor, application_id)
    rules.STEPS.after(found.state, Action.REDATE, unit.actor.roles)
    plan, item = await item_in_force(unit, found)
    same = found.model_dump(include={"name", "places", "class_hours", "courses", "venue"})
    draft = ApplicationDraft(**same, starts_on=dates.starts_on, ends_on=dates.ends_on)
    changes = await _checked(unit, plan, item, draft) | {"wished": found.wished, "venue_note": ""}
    unit.audit("applications:redate", found.id, starts_on=str(dates.starts_on), ends_on=str(dates.ends_on))
    return await take(unit, rules.STEPS, found, Action.REDATE, seen=dates.seen, changes=changes)


@transactional
async def withdraw(unit: UnitOfWork, application_id: str, wanted: Withdrawal) -> Application:
    """Gives up an application that is not approved; its item can be applied for again."""
    found = await get_application(unit, unit.actor, application_id)
    unit.audit("applications:withdraw", found.id, name=found.name, reason=wanted.reason)
    withdrawn = await take(unit, rules.STEPS, found, Action.WITHDRAW, wanted.reason, seen=wanted.seen)
    await plans.give_item_back(unit, found.institution_code, found.plan_year, found.item.id)
    return withdrawn


async def _checked(
    unit: UnitOfWork, plan: Plan, item: PlanItem, draft: ApplicationDraft
) -> dict[str, object]:
    """The fields of an application that stands the rules of today."""
    today = beijing_date(unit.now)
    in_force = await policies.on(unit, today)
    institution = await institutions.institution(unit, unit.actor, plan.institution_code)
    class_rules.check_dates(draft.starts_on, draft.ends_on)
    rules.check_lead(draft.starts_on, today, in_force.application_lead_days)
    rules.check_year(draft.starts_on, plan.year)
    rules.check_places(draft.places, item.places)
    class_rules.check_courses(draft.courses)
    floor = classes.class_hours_floor(in_force, item.level)
    class_rules.check_class_hours(item.level, draft.class_hours, floor)
    institution_rules.require_qualified(institution.qualifications, item.level, item.major, draft.starts_on)
    venue = Venue(**draft.venue.model_dump())
    return {
        **draft.model_dump(exclude={"venue", "wished"}),
        "plan_id": plan.id,
        "plan_year": plan.year,
        "plan_version": plan.version,
        "item": item,
        "level": item.level,
        "major": item.major,
        "venue": venue,
        "venue_flags": venues.venue_flags(venue.name, venue.address, venue.stars, in_force.venue_stars_most),
        "warnings": rules.warnings(draft.starts_on, item.month),
        "wished": await _wished(unit, draft.wished),
    }


async def _wished(unit: UnitOfWork, person_ids: Sequence[str]) -> list[WishedTeacher]:
    wished = []
    for person_id in dict.fromkeys(person_ids):
        teacher = await backbone.active_teacher(unit, person_id)
        if teacher is None:
            message = "有一位教师已不在骨干教师库或已暂停，请重新选择。"
            raise Invalid(fields=[FieldError("wished", message)])
        wished.append(WishedTeacher(person_id=person_id, name=teacher.name))
    return wished


# ---- the province


@transactional
async def approve(unit: UnitOfWork, application_id: str, approval: Approval) -> Application:
    """Approves an application and makes its class, in one transaction.

    Raises Invalid for a flagged venue without words about it (article 11), StartPassed, NotInPlan when the plan has changed meanwhile,
    and what classes.service.make_class raises: the law of today holds, not that of the day of the application.
    """
    found = await get_application(unit, unit.actor, application_id)
    rules.STEPS.after(found.state, Action.APPROVE, unit.actor.roles)
    rules.check_not_begun(found.starts_on, beijing_date(unit.now))
    venues.check_resolved(found.venue_flags, approval.venue_note)
    _, item = await item_in_force(unit, found)
    rules.check_places(found.places, item.places)
    made = await classes.make_class(
        unit,
        ClassDraft(
            name=found.name,
            level=found.level,
            major=found.major,
            courses=found.courses,
            class_hours=found.class_hours,
            starts_on=found.starts_on,
            ends_on=found.ends_on,
            place=found.venue.place,
        ),
        institution_code=found.institution_code,
        places=found.places,
        application_id=found.id,
    )
    note = approval.venue_note.strip() if found.venue_flags else ""
    unit.audit("applications:approve", found.id, class_id=made.id, flags=len(found.venue_flags), reason=note)
    changes = {"venue_note": note, "class_id": made.id}
    said = "；".join(one for one in (note, approval.comment) if one)
    return await take(unit, rules.STEPS, found, Action.APPROVE, said, seen=approval.seen, changes=changes)


@transactional
async def send_back(unit: UnitOfWork, application_id: str, wanted: Return) -> Application:
    """Returns an application to its institution with a reason."""
    found = await get_application(unit, unit.actor, application_id)
    unit.audit("applications:return", found.id, reason=wanted.reason)
    return await take(unit, rules.STEPS, found, Action.RETURN, wanted.reason, seen=wanted.seen)


_GIVEN_UP = {Action.CALL_OFF: "applications:call-off", Action.TERMINATE: "applications:terminate"}


async def give_up(unit: UnitOfWork, training_class: TrainingClass, action: Action, reason: str) -> None:
    """Part of a use case (interruptions): the class is called off or terminated, and its item of the plan can be applied for again."""
    if training_class.application_id is None:
        return
    found = await get_application(unit, unit.actor, training_class.application_id)
    await take(unit, rules.STEPS, found, action, reason)
    await plans.give_item_back(unit, found.institution_code, found.plan_year, found.item.id)
    unit.audit(_GIVEN_UP[action], found.id, reason=reason)


@transactional
async def send_back_for_dates(unit: UnitOfWork, application_id: str, wanted: Return) -> Application:
    """Returns an application for other dates and nothing else."""
    found = await get_application(unit, unit.actor, application_id)
    unit.audit("applications:return-for-dates", found.id, reason=wanted.reason)
    return await take(unit, rules.STEPS, found, Action.RETURN_FOR_DATES, wanted.reason, seen=wanted.seen)


async def item_in_force(scope: Scope, found: Application) -> tuple[Plan, PlanItem]:
    """The plan that is in force now, and the application's item in it. Raises NotInPlan when it has none of that level and 专业大类."""
    plan = await plans.plan_in_force(scope, found.institution_code, found.plan_year)
    item = None if plan is None else next((one for one in plan.items if one.id == found.item.id), None)
    if plan is None or item is None or (item.level, item.major) != (found.level, found.major):
        raise NotInPlan(
            "计划调整后，已批准的计划中不再有这个项目，或它的级别、专业大类已改变。请撤回这份申请，按现行计划重新申请。"
        )
    return plan, item


# ---- reading


async def planned_item(scope: Scope, actor: Actor, plan_id: str, item_id: str) -> PlannedItem:
    """An item that can be applied for. Raises NotFound outside the actor's reach, NotInPlan when the version is not in force."""
    plan = await plans.get_plan(scope, actor, plan_id)
    item = next((one for one in plan.items if one.id == item_id), None)
    if item is None:
        raise NotFound("这份计划中没有这个项目。")
    if plan.state is not PlanState.APPROVED:
        raise NotInPlan(f"这一版计划{plan.state.label}，不能据以申请开班（指南第四条）。请打开已批准的一版。")
    taken = await store.holding(scope, plan.institution_code, [item_id])
    return PlannedItem(plan, item, taken.get(item_id))


async def get_application(scope: Scope, actor: Actor, application_id: str) -> Application:
    """An application in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.application(scope, actor.jurisdiction, application_id)
    if found is None:
        raise NotFound("没有这份开班申请，或不在您的管理范围内。")
    return found


async def applications_of(scope: Scope, plan: Plan) -> dict[str, Application]:
    """Item → the application that holds it, for a plan that the caller has fetched in its reach."""
    return await store.holding(scope, plan.institution_code, [item.id for item in plan.items])


async def list_applications(
    platform: Platform,
    actor: Actor,
    narrowed: ApplicationFilter,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[Application]:
    """The applications in the actor's jurisdiction: those that wait too long at the head, then the newest first."""
    filed_by = await overdue_since(platform)
    return await store.applications(
        platform, actor.jurisdiction, narrowed, filed_by=filed_by, before=before, limit=limit
    )


async def undecided(
    platform: Platform, actor: Actor, narrowed: ApplicationFilter, *, after: str | None, limit: int
) -> list[Application]:
    """The applications in the actor's jurisdiction that are filed or returned, the oldest first, later than the id `after`."""
    return await store.undecided(platform, actor.jurisdiction, narrowed, after=after, limit=limit)


async def overdue_since(scope: Scope) -> datetime:
    """What was filed at that moment or before, and still waits, waits too long (policy `review_days`)."""
    today = beijing_date(scope.platform.clock.now())
    days = timedelta(days=(await policies.on(scope, today)).review_days)
    return datetime.combine(today - days, time(), BEIJING) - timedelta(milliseconds=1)


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """How the class came to be: its plan and its application (articles 4.1 and 4.2). Classes of before the applications have none."""
    if training_class.application_id is None:
        return []
    found = await get_application(platform, actor, training_class.application_id)
    plan = await plans.get_plan(platform, actor, found.plan_id)
    planned, approved = plan.last(PlanAction.APPROVE), found.last(Action.APPROVE)
    assert planned is not None and approved is not None, "a class is made by approvals"
    plan_words = f"{found.plan_year} 年第 {found.plan_version} 版"
    return [
        LifeStep("培训计划", "done", planned.actor_name, planned.at, f"/admin/plans/{plan.id}", plan_words),
        LifeStep("开班申请", "done", approved.actor_name, approved.at, f"/admin/applications/{found.id}"),
    ]
