"""Annual training plans: the list, a version with its history, its form, and what may be decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, LevelCode, Listing, Month, ProvinceCode, Words, Year, fetched_by
from admin.options import LEVELS, MONTHS
from admin.rendering import province_name
from admin.steps import Done, shows, step
from server.applications import service as applications
from server.institutions import service as institutions
from server.institutions.rules import levels_held
from server.kernel import money
from server.kernel.errors import FieldError, Invalid
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, field_errors
from server.plans import service, windows
from server.plans.documents import Plan, PlanFilter
from server.plans.rules import ITEMS_MOST, OPEN, Action, PlanItem, State
from server.plans.service import ItemDraft, PlanDraft

SPARE_ROWS = 3
"""Empty rows of the editor, for who has no JavaScript."""


class PlanQuery(ByAge):
    q: Annotated[Words, Filter("机构或培训班名称")] = ""
    year: Year = None
    state: Annotated[State | None, Filter("状态")] = None
    level: LevelCode = ""
    month: Annotated[Month, Filter("计划月份")] = None
    province: ProvinceCode = ""


async def around(page: PageHandler, query: PlanQuery, rows: Sequence[Plan]) -> dict[str, Any]:
    """This year and the next, as far as the institution has no plan for them; one that it has is opened and adjusted."""
    may_manage = holds(page.actor, Permission.PLANS_MANAGE)
    this_year = page.today.year
    return {
        "may_manage": may_manage,
        "my_reports": await windows.my_reports(page.platform, page.actor),
        "years_to_plan": [
            year
            for year in (this_year, this_year + 1)
            if may_manage
            and not await service.list_plans(page.platform, page.actor, PlanFilter(year=year), limit=1)
        ],
    }


class PlannedClass(NamedTuple):
    plan: Plan
    item: PlanItem


def planned_classes(plans: Sequence[Plan]) -> list[PlannedClass]:
    return [PlannedClass(plan, item) for plan in plans for item in plan.items]


SHEET = Sheet[PlannedClass](
    "培训计划项目",
    [
        Column("计划", 40, lambda row: row.plan.name),
        Column("年度", 8, lambda row: row.plan.year),
        Column("省份", 10, lambda row: province_name(row.plan.province_code)),
        Column("培训机构", 30, lambda row: row.plan.institution_name),
        Column("版本", 8, lambda row: row.plan.version),
        Column("状态", 14, lambda row: row.plan.state.label),
        Column("最近办理", 18, lambda row: row.plan.history[-1].at),
        Column("项目", 36, lambda row: row.item.title),
        Column("级别", 10, lambda row: row.item.level.label),
        Column("专业大类", 14, lambda row: row.item.major_name),
        Column("月份", 8, lambda row: row.item.month),
        Column("人数", 8, lambda row: row.item.places),
        Column("课时", 8, lambda row: row.item.class_hours),
        Column("预算", 14, lambda row: row.item.budget_fen / 100),
    ],
    rows=planned_classes,
)
PLANS = Listing(
    "/admin/plans",
    "plans/list.html",
    Permission.PLANS_READ,
    PlanQuery,
    fetched_by(service.list_plans, PlanFilter),
    around,
    SHEET,
)


# ---- one version


class OnePlan(PageHandler):
    address = "/admin/plans/{plan_id}"
    get = shows(Permission.PLANS_READ)

    async def show(self, plan_id: str, outcome: Outcome = NO_ERRORS) -> None:
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
            reported=await windows.report_of_plan(self.platform, plan),
            applied=await applications.applications_of(self.platform, plan),
            may_amend=may_manage and plan.state in (State.DRAFT, State.RETURNED),
            may_withdraw=may_manage and plan.state is State.SUBMITTED,
            may_revise=may_manage and in_force and open_version is None,
            may_apply=in_force and holds(self.actor, Permission.APPLICATIONS_MANAGE),
            may_review=plan.state is State.SUBMITTED and holds(self.actor, Permission.PLANS_REVIEW),
            **outcome,
        )


def stages(plan: Plan) -> list[tuple[str, str, str]]:
    """The way of a version for `states.steps`: title, state of the step, who and when."""
    submitted, approved, returned = (
        plan.last(action) for action in (Action.SUBMIT, Action.APPROVE, Action.RETURN)
    )
    written = plan.history[0]
    drafting = {State.DRAFT: "current", State.RETURNED: "current", State.DISCARDED: "failed"}.get(
        plan.state, "done"
    )
    unreported = (State.DRAFT, State.RETURNED, State.DISCARDED)
    reporting = "todo" if plan.state in unreported else "done"
    reviewing = {
        State.DRAFT: "todo", State.DISCARDED: "todo", State.RETURNED: "failed", State.SUBMITTED: "current",
    }.get(plan.state, "done")  # fmt: skip
    decided = returned if plan.state is State.RETURNED else approved
    return [
        ("编制", drafting, f"{written.actor_name}" if plan.state is not State.RETURNED else "按退回理由修改"),
        ("报送", reporting, submitted.actor_name if submitted and reporting == "done" else ""),
        ("省级审核", reviewing, decided.actor_name if decided and reviewing in ("done", "failed") else ""),
        ("批准执行", "done" if approved else "todo", plan.state.label if approved else ""),
    ]


class YearQuery(BaseModel):
    year: Annotated[int | None, Field(title="年度", ge=2000, le=2100)] = None
    """None: this year."""
    copied: bool = False
    """With the items of the year before, where there is no version of this year yet."""


class ItemForm(ItemDraft):
    budget_fen: Annotated[int, BeforeValidator(money.fen_of)]


class PlanForm(PlanDraft):
    items: list[ItemForm]  # type: ignore[assignment]  # a list of the subclass, never written to


COLUMNS = tuple(ItemDraft.model_fields)
TITLES = {name: info.title or "" for name, info in ItemDraft.model_fields.items()}


class Editor(PageHandler):
    async def show_rows(
        self,
        year: int,
        version: int,
        items: Sequence[PlanItem],
        outcome: Outcome,
        plan: Plan | None = None,
        copy_year: int | None = None,
        copied: bool = False,
    ) -> None:
        """The rows of a version; `plan` is None before the first saving."""
        code = plan.institution_code if plan else self.actor.institution_code or ""
        institution = await institutions.institution(self.platform, self.actor, code)
        problem = outcome["problem"]
        firsts = [date(year, month, 1) for month, _ in MONTHS]
        possible = {one.value for day in firsts for one in levels_held(institution.qualifications, day)}
        rows = [typed_of(item) for item in items] if problem is None else self.typed_rows()
        self.render_page(
            "plans/form.html",
            plan=plan,
            copied=copied,
            year=year,
            version=version,
            institution=institution,
            rows=rows,
            spare_rows=min(max(SPARE_ROWS - len(rows), 1), ITEMS_MOST - len(rows)),
            rows_most=ITEMS_MOST,
            returned=plan.last(Action.RETURN) if plan and plan.state is State.RETURNED else None,
            held=levels_held(institution.qualifications, self.today),
            copy_year=copy_year,
            offered=[
                (level, title, "" if level in possible else f"{year} 年没有资格") for level, title in LEVELS
            ],
            may_amend=plan is None or plan.state in (State.DRAFT, State.RETURNED),
            problem=problem,
            errors={} if problem is None else {wrong.place: in_words(wrong) for wrong in problem.fields},
        )

    def draft(self) -> PlanForm:
        """The posted form. Raises Invalid with each field's place: `items.0.title`."""
        rows = [{name: typed for name, typed in row.items() if typed} for row in self.typed_rows()]
        try:
            return PlanForm.model_validate({"items": rows})
        except ValidationError as error:
            raise Invalid(fields=field_errors(error)) from None

    def typed_rows(self) -> list[dict[str, str]]:
        return self.rows("item", COLUMNS, besides={"id"})


class NewVersion(Editor):
    """The rows of a version that is not there yet: it is made when they are saved."""

    address = "/admin/plans/new"
    get = shows(Permission.PLANS_MANAGE)

    @property
    def year(self) -> int:
        return self.query(YearQuery).year or self.today.year

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        before, version = await service.plan_of_year(self.platform, self.actor, self.year)
        if before is not None and before.state in OPEN and outcome["problem"] is None:
            address = f"/admin/plans/{before.id}"
            return self.see_other(address if before.state is State.SUBMITTED else f"{address}/edit")
        last, _ = await service.plan_of_year(self.platform, self.actor, self.year - 1)
        items = before.items if before else []
        copy = last.year if last and not before and not self.query(YearQuery).copied else None
        if last and not before and copy is None:
            items = [one.model_copy(update={"id": ""}) for one in last.items]
        return await self.show_rows(
            self.year,
            version,
            items,
            outcome,
            copy_year=copy,
            copied=bool(last and not before and copy is None),
        )


class PlanEditor(Editor):
    address = "/admin/plans/{plan_id}"
    get = shows(Permission.PLANS_MANAGE)

    async def show(self, plan_id: str, outcome: Outcome = NO_ERRORS) -> None:
        plan = await service.get_plan(self.platform, self.actor, plan_id)
        await self.show_rows(plan.year, plan.version, plan.items, outcome, plan)


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


# ---- the steps


@step(NewVersion, Permission.PLANS_MANAGE)
async def begin(page: NewVersion) -> Done:
    plan = await service.begin(page.platform, page.actor, page.year, page.draft())
    said = f"已保存 {len(plan.items)} 个项目。核对无误后，请报送省级管理部门审核。"
    return Done(said, f"/admin/plans/{plan.id}")


@step(PlanEditor, Permission.PLANS_MANAGE)
async def amend(page: PlanEditor, plan_id: str) -> str:
    seen = page.form(Review).seen
    plan = await service.amend(page.platform, page.actor, plan_id, page.draft(), seen)
    return f"已保存 {len(plan.items)} 个项目。核对无误后，请报送省级管理部门审核。"


@step(OnePlan, Permission.PLANS_MANAGE)
async def submit(page: OnePlan, plan_id: str) -> str:
    await service.submit(page.platform, page.actor, plan_id, page.form(Review).seen)
    return "已报送省级管理部门。审核结果会显示在工作台、消息和这里。"


@step(OnePlan, Permission.PLANS_REVIEW)
async def approve(page: OnePlan, plan_id: str) -> str:
    plan = await service.approve(page.platform, page.actor, plan_id, page.form(Review))
    return f"已批准{plan.name}第 {plan.version} 版。培训机构可以据此申请开班。"


@step(OnePlan, Permission.PLANS_REVIEW)
async def send_back(page: OnePlan, plan_id: str) -> str:
    await service.send_back(page.platform, page.actor, plan_id, page.form(Return))
    return "已退回，培训机构的工作台会提示，理由写在计划页上。"


@step(OnePlan, Permission.PLANS_MANAGE)
async def withdraw(page: OnePlan, plan_id: str) -> str:
    await service.withdraw(page.platform, page.actor, plan_id, page.form(Withdrawal))
    return "已撤回，可以继续修改，改好后重新报送。"


@step(OnePlan, Permission.PLANS_MANAGE)
async def discard(page: OnePlan, plan_id: str) -> Done:
    plan = await service.discard(page.platform, page.actor, plan_id, page.form(Withdrawal))
    return Done(f"第 {plan.version} 版已废弃。", "/admin/plans")


_PLAN = r"/admin/plans/(?P<plan_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *PLANS.routes,
    (r"/admin/plans/new", begin),
    (_PLAN, OnePlan),
    (rf"{_PLAN}/edit", amend),
    (rf"{_PLAN}/submit", submit),
    (rf"{_PLAN}/approve", approve),
    (rf"{_PLAN}/return", send_back),
    (rf"{_PLAN}/withdraw", withdraw),
    (rf"{_PLAN}/discard", discard),
]
