"""Annual training plans: the list, a version with its history, its form, and what may be decided on it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from admin.handler import NO_ERRORS, PageHandler
from admin.options import LEVELS, MAJOR_OPTIONS, MONTHS, PROVINCE_OPTIONS, years
from admin.paging import Way
from admin.rendering import province_name
from admin.spreadsheet import send_workbook
from server.applications import service as applications
from server.institutions import service as institutions
from server.institutions.rules import levels_held
from server.kernel import money
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow, field_errors
from server.plans import service
from server.plans.documents import Plan, PlanFilter
from server.plans.rules import ITEMS_MOST, OPEN, Action, PlanItem, State
from server.plans.service import ItemDraft, PlanDraft, Return, Review

PAGE_SIZE = 20
EXPORTED_MOST = 2_000
SPARE_ROWS = 3
"""Empty rows of the editor, for who has no JavaScript."""
STATES = [(state.value, state.label) for state in State]
TONES = {
    Action.APPROVE: "success",
    Action.RETURN: "warning",
    Action.SUBMIT: "info",
    Action.SUPERSEDE: "neutral",
}


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    year: Annotated[int | None, Field(ge=2000, le=2100)] = None
    state: State | None = None
    level: Annotated[str, Field(pattern=r"^[G123]$")] = ""
    month: Annotated[int | None, Field(ge=1, le=12)] = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {
            "q": self.q,
            "year": str(self.year or ""),
            "state": self.state or "",
            "level": self.level,
            "month": str(self.month or ""),
            "province": self.province,
        }

    @property
    def narrowed(self) -> PlanFilter:
        return PlanFilter(self.q.strip(), self.year, self.state, self.level, self.month, self.province)


class PlanList(PageHandler):
    @allow(Permission.PLANS_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/plans", query.conditions, query.way)
        found = await service.list_plans(
            self.platform, self.actor, query.narrowed, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        this_year = beijing_date(self.platform.clock.now()).year
        self.render_page(
            "plans/list.html",
            rows=rows,
            query=query,
            state_options=STATES,
            years=years(self.platform.clock.now()),
            levels=LEVELS,
            months=MONTHS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_manage=holds(self.actor, Permission.PLANS_MANAGE),
            years_to_plan=await self._years_to_plan(this_year),
            export=way.export("/admin/plans/export"),
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
        )

    async def _years_to_plan(self, this_year: int) -> list[int]:
        """This year and the next, as far as the institution has no plan for them; one that it has is opened and adjusted."""
        if not holds(self.actor, Permission.PLANS_MANAGE):
            return []
        return [
            year
            for year in (this_year, this_year + 1)
            if not await service.list_plans(self.platform, self.actor, PlanFilter(year=year), limit=1)
        ]


class Export(PageHandler):
    @allow(Permission.PLANS_READ, rate="30/minute")
    async def get(self) -> None:
        found = await service.list_plans(
            self.platform, self.actor, self.query(ListQuery).narrowed, limit=EXPORTED_MOST
        )
        await send_workbook(
            self,
            f"培训计划项目-{beijing_date(self.platform.clock.now())}.xlsx",
            "培训计划项目",
            [
                ("年度", 8),
                ("省份", 10),
                ("培训机构", 30),
                ("版本", 8),
                ("状态", 14),
                ("名称", 36),
                ("级别", 10),
                ("专业大类", 14),
                ("月份", 8),
                ("人数", 8),
                ("课时", 8),
                ("预算（元）", 14),
            ],
            [
                (
                    plan.year,
                    province_name(plan.province_code),
                    plan.institution_name,
                    plan.version,
                    plan.state.label,
                    item.title,
                    item.level.label,
                    item.major_name,
                    item.month,
                    item.places,
                    item.class_hours,
                    item.budget_fen / 100,
                )
                for plan in found
                for item in plan.items
            ],
        )


class BeginForm(BaseModel):
    year: Annotated[int, Field(title="年度")]


class BeginPlan(PageHandler):
    """Leads to the version that is on its way: a new one, or the one that a colleague began."""

    @allow(Permission.PLANS_MANAGE)
    async def post(self) -> None:
        plan = await service.begin(self.platform, self.actor, self.form(BeginForm).year)
        address = f"/admin/plans/{plan.id}"
        self.see_other(address if plan.state is State.SUBMITTED else f"{address}/edit")


# ---- one version


class PlanPage(PageHandler):
    async def show(self, plan_id: str, **context: Any) -> None:
        record = await service.plan_record(self.platform, self.actor, plan_id)
        plan = record.plan
        may_manage = holds(self.actor, Permission.PLANS_MANAGE)
        in_force = plan.state is State.APPROVED
        open_version = next((one for one in record.versions if one.state in OPEN), None)
        self.render_page(
            "plans/one.html",
            plan=plan,
            record=record,
            open_version=open_version,
            stages=stages(plan),
            history=history_of(plan),
            applied=await applications.applications_of(self.platform, plan),
            may_amend=may_manage and plan.state in (State.DRAFT, State.RETURNED),
            may_revise=may_manage and in_force and open_version is None,
            may_apply=in_force and holds(self.actor, Permission.APPLICATIONS_MANAGE),
            may_review=plan.state is State.SUBMITTED and holds(self.actor, Permission.PLANS_REVIEW),
            **context,
        )

    @allow(Permission.PLANS_READ)
    async def get(self, plan_id: str) -> None:
        await self.show(plan_id, **NO_ERRORS)


def stages(plan: Plan) -> list[tuple[str, str, str]]:
    """The way of a version for `states.steps`: title, state of the step, who and when."""
    submitted, approved, returned = (
        plan.last(action) for action in (Action.SUBMIT, Action.APPROVE, Action.RETURN)
    )
    written = plan.history[0]
    drafting = {State.DRAFT: "current", State.RETURNED: "current"}.get(plan.state, "done")
    reporting = "todo" if plan.state in (State.DRAFT, State.RETURNED) else "done"
    reviewing = {State.DRAFT: "todo", State.RETURNED: "failed", State.SUBMITTED: "current"}.get(
        plan.state, "done"
    )
    decided = returned if plan.state is State.RETURNED else approved
    return [
        ("编制", drafting, f"{written.actor_name}" if plan.state is not State.RETURNED else "按退回理由修改"),
        ("报送", reporting, submitted.actor_name if submitted and reporting == "done" else ""),
        ("省级审核", reviewing, decided.actor_name if decided and reviewing in ("done", "failed") else ""),
        ("批准执行", "done" if approved else "todo", plan.state.label if approved else ""),
    ]


def history_of(plan: Plan) -> list[tuple[Any, str, str, str]]:
    """The steps for `states.timeline`, newest first; of several savings in a row only the last."""
    told = []
    for number, step in enumerate(plan.history):
        action = Action(step.action)
        following = plan.history[number + 1] if number + 1 < len(plan.history) else None
        if action is Action.AMEND and following is not None and following.action == Action.AMEND:
            continue
        words = f"理由：{step.reason}" if step.reason else ""
        told.append((step.at, f"{step.actor_name} {action.label}", words, TONES.get(action, "neutral")))
    return told[::-1]


class ItemForm(ItemDraft):
    budget_fen: Annotated[int, BeforeValidator(money.fen_of)]


class PlanForm(PlanDraft):
    items: list[ItemForm]  # type: ignore[assignment]  # a list of the subclass, never written to


COLUMNS = tuple(ItemDraft.model_fields)
TITLES = {name: info.title or "" for name, info in ItemDraft.model_fields.items()}


class EditPlan(PageHandler):
    @allow(Permission.PLANS_MANAGE)
    async def get(self, plan_id: str) -> None:
        await self.show(plan_id)

    @allow(Permission.PLANS_MANAGE)
    async def post(self, plan_id: str) -> None:
        try:
            seen = self.form(Review).seen
            plan = await service.amend(self.platform, self.actor, plan_id, self.draft(), seen)
        except Problem as problem:
            return await self.show(plan_id, problem)
        self.flash(f"已保存 {len(plan.items)} 个项目。核对无误后，请报送省级管理部门审核。")
        return self.see_other(f"/admin/plans/{plan.id}")

    def draft(self) -> PlanForm:
        """The posted form. Raises Invalid with each field's place: `items.0.title`."""
        rows = [{name: typed for name, typed in row.items() if typed} for row in self.typed_rows()]
        try:
            return PlanForm.model_validate({"items": rows})
        except ValidationError as error:
            raise Invalid(fields=field_errors(error)) from None

    def typed_rows(self) -> list[dict[str, str]]:
        """The rows of the editor in which anything was typed."""
        lines = zip(*(self.get_body_arguments(f"item_{name}") for name in COLUMNS), strict=False)
        rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
        return [row for row in rows if any(typed for name, typed in row.items() if name != "id")]

    async def show(self, plan_id: str, problem: Problem | None = None) -> None:
        plan = await service.get_plan(self.platform, self.actor, plan_id)
        institution = await institutions.institution(self.platform, self.actor, plan.institution_code)
        rows = [typed_of(item) for item in plan.items] if problem is None else self.typed_rows()
        if problem is not None:
            self.set_status(problem.status)
        self.render_page(
            "plans/form.html",
            plan=plan,
            rows=rows,
            spare_rows=min(max(SPARE_ROWS - len(rows), 1), ITEMS_MOST - len(rows)),
            rows_most=ITEMS_MOST,
            returned=plan.last(Action.RETURN) if plan.state is State.RETURNED else None,
            levels=LEVELS,
            majors=MAJOR_OPTIONS,
            months=[(month, f"{month} 月") for month in range(1, 13)],
            held=levels_held(institution.qualifications, beijing_date(self.platform.clock.now())),
            may_amend=plan.state in (State.DRAFT, State.RETURNED),
            problem=problem,
            errors={} if problem is None else {wrong.place: in_words(wrong) for wrong in problem.fields},
        )


def typed_of(item: PlanItem) -> dict[str, Any]:
    """An item as its row in the editor."""
    return {**item.model_dump(), "level": item.level.value, "budget_fen": money.yuan_of(item.budget_fen)}


def in_words(wrong: FieldError) -> str:
    """The message with the item and the field it is about: a list of messages must say which is meant."""
    match wrong.place.split("."):
        case ["items", number, column]:
            return f"项目 {int(number) + 1} {TITLES.get(column, '')}：{wrong.message}"
        case ["items"]:
            return f"计划项目：{wrong.message}"
        case _:
            return wrong.message


class Decision(PlanPage):
    """A page that comes back to the version, with what was wrong if anything was."""

    async def decide(self, plan_id: str) -> str:
        """Takes the step; returns the words that say so."""
        raise NotImplementedError

    async def answer(self, plan_id: str) -> None:
        try:
            said = await self.decide(plan_id)
        except Problem as problem:
            return await self.show(plan_id, **self.refuse(problem))
        self.flash(said)
        return self.see_other(f"/admin/plans/{plan_id}")


class SubmitPlan(Decision):
    @allow(Permission.PLANS_MANAGE)
    async def post(self, plan_id: str) -> None:
        await self.answer(plan_id)

    async def decide(self, plan_id: str) -> str:
        await service.submit(self.platform, self.actor, plan_id, self.form(Review).seen)
        return "已报送省级管理部门。审核结果会显示在首页和这里。"


class ApprovePlan(Decision):
    @allow(Permission.PLANS_REVIEW)
    async def post(self, plan_id: str) -> None:
        await self.answer(plan_id)

    async def decide(self, plan_id: str) -> str:
        plan = await service.approve(self.platform, self.actor, plan_id, self.form(Review))
        return f"已批准{plan.name}第 {plan.version} 版。培训机构可以据此申请开班。"


class ReturnPlan(Decision):
    @allow(Permission.PLANS_REVIEW)
    async def post(self, plan_id: str) -> None:
        await self.answer(plan_id)

    async def decide(self, plan_id: str) -> str:
        await service.send_back(self.platform, self.actor, plan_id, self.form(Return))
        return "已退回，培训机构会在首页看到退回理由。"


_PLAN = r"/admin/plans/(?P<plan_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/admin/plans", PlanList),
    (r"/admin/plans/export", Export),
    (r"/admin/plans/new", BeginPlan),
    (_PLAN, PlanPage),
    (rf"{_PLAN}/edit", EditPlan),
    (rf"{_PLAN}/submit", SubmitPlan),
    (rf"{_PLAN}/approve", ApprovePlan),
    (rf"{_PLAN}/return", ReturnPlan),
]
