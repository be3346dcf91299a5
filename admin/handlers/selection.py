"""The selection of backbone teachers (articles 7 and 9): a province recommends, the centre reviews, a 师资研修中心 trains and reports,
the centre registers the list with one decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, MajorCode, Options, ProvinceCode, Query, fetched_by, named
from admin.rendering import province_name
from admin.steps import Done, shows, step
from server.classes.rules import Stage
from server.kernel.permissions import Permission, holds
from server.kernel.reviews import Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import UPLOAD_BODY, Route
from server.selection import registration, rules, training
from server.selection import service as selection
from server.selection.documents import Nominee, NomineeFilter, PassList
from server.selection.registration import DecisionDraft, Report
from server.selection.rules import Action, ListState, State
from server.selection.service import PAPER_LARGEST, NomineeDraft, Return, Withdrawal
from server.selection.training import EnrolDraft, Release

# ---- recommendations


def states_seen(page: PageHandler) -> Options:
    """A draft is its province's own."""
    return [one for one in named(State) if page.actor.province_code or one[0] != State.DRAFT]


class NomineeQuery(ByAge):
    state: Annotated[State | None, Filter("状态", states_seen)] = None
    province: ProvinceCode = ""
    major: MajorCode = ""


async def around_recommendations(
    page: PageHandler, query: NomineeQuery, rows: Sequence[Nominee]
) -> dict[str, Any]:
    return {
        "numbers": await selection.numbers(page.platform, page.actor),
        "of_all_provinces": page.actor.province_code is None,
    }


SHEET = Sheet[Nominee](
    "选拔推荐",
    [
        Column("姓名", 14, lambda one: one.name),
        Column("证件号", 22, lambda one: one.id_number_masked),
        Column("工作单位", 32, lambda one: one.work_unit),
        Column("省份", 10, lambda one: province_name(one.province_code)),
        Column("专业大类", 14, lambda one: one.major_name),
        Column("职称", 16, lambda one: one.post),
        Column("教龄", 8, lambda one: one.years_of_teaching),
        Column("已持证书", 12, lambda one: one.held_level.label if one.held_level else ""),
        Column("报送时间", 18, lambda one: one.submitted_at),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
RECOMMENDATIONS = Listing(
    "/admin/selection",
    "selection/list.html",
    Permission.SELECTION_READ,
    NomineeQuery,
    fetched_by(selection.list_nominees, NomineeFilter),
    around_recommendations,
    SHEET,
)


class NomineeForm(PageHandler):
    """The form; of an amended recommendation it asks for the ID number again, which no page shows."""

    address = "/admin/selection/{nominee_id}"
    get = shows(Permission.SELECTION_RECOMMEND)

    async def show(self, nominee_id: str | None = None, outcome: Outcome = NO_ERRORS) -> None:
        amended = await selection.nominee(self.platform, self.actor, nominee_id) if nominee_id else None
        self.render_page(
            "selection/form.html",
            amended=amended,
            conditions=await selection.conditions(self.platform),
            **outcome,
        )


@step(NomineeForm, Permission.SELECTION_RECOMMEND)
async def begin(page: NomineeForm) -> Done:
    new = await selection.begin(page.platform, page.actor, page.form(NomineeDraft))
    return Done("草稿已保存。请上传推荐材料，核对后报送部指导中心。", f"/admin/selection/{new.id}")


@step(NomineeForm, Permission.SELECTION_RECOMMEND)
async def amend(page: NomineeForm, nominee_id: str) -> str:
    draft, seen = page.form(NomineeDraft), page.form(Review).seen
    await selection.amend(page.platform, page.actor, nominee_id, draft, seen)
    return "推荐内容已修改，核对后请报送部指导中心。"


class OneNominee(PageHandler):
    address = "/admin/selection/{nominee_id}"
    get = shows(Permission.SELECTION_READ)

    async def show(self, nominee_id: str, paper_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        """The same page whichever paper a step names."""
        found = await selection.nominee(self.platform, self.actor, nominee_id)
        recommends = holds(self.actor, Permission.SELECTION_RECOMMEND)
        decides = holds(self.actor, Permission.SELECTION_DECIDE)
        self.render_page(
            "selection/one.html",
            nominee=found,
            age=await selection.age(self.platform, found),
            conditions=await selection.conditions(self.platform),
            papers_most=rules.PAPERS_MOST,
            largest=PAPER_LARGEST,
            may_amend=recommends and rules.STEPS.has(found.state, Action.AMEND),
            may_submit=recommends and rules.STEPS.has(found.state, Action.SUBMIT),
            may_withdraw=recommends and rules.STEPS.has(found.state, Action.WITHDRAW),
            may_review=decides and found.state is State.SUBMITTED,
            **outcome,
        )


@step(OneNominee, Permission.SELECTION_RECOMMEND, rate="60/minute", body=UPLOAD_BODY)
async def add_paper(page: OneNominee, nominee_id: str) -> str:
    name, content = page.uploaded("paper", "请先选择文件。")
    await selection.add_paper(page.platform, page.actor, nominee_id, name, content)
    return "材料已上传。"


@step(OneNominee, Permission.SELECTION_RECOMMEND)
async def remove_paper(page: OneNominee, nominee_id: str, paper_id: str) -> str:
    await selection.remove_paper(page.platform, page.actor, nominee_id, paper_id)
    return "材料已删去。"


@step(OneNominee, Permission.SELECTION_RECOMMEND)
async def submit(page: OneNominee, nominee_id: str) -> str:
    await selection.submit(page.platform, page.actor, nominee_id)
    return "推荐已报送部指导中心。审核结果会显示在工作台、消息和这里。"


@step(OneNominee, Permission.SELECTION_RECOMMEND)
async def withdraw(page: OneNominee, nominee_id: str) -> str:
    await selection.withdraw(page.platform, page.actor, nominee_id, page.form(Withdrawal))
    return "推荐已撤回。"


@step(OneNominee, Permission.SELECTION_DECIDE)
async def accept(page: OneNominee, nominee_id: str) -> str:
    await selection.accept(page.platform, page.actor, nominee_id, page.form(Review))
    return "已列为候选人，师资研修中心可以编入骨干班。"


@step(OneNominee, Permission.SELECTION_DECIDE)
async def send_back(page: OneNominee, nominee_id: str) -> str:
    await selection.send_back(page.platform, page.actor, nominee_id, page.form(Return))
    return "已退回，省级管理部门会看到理由，可以修改后重新报送。"


# ---- the 师资研修中心


class CandidateQuery(Query):
    major: MajorCode = ""
    province: ProvinceCode = ""


async def own_classes(page: PageHandler, query: CandidateQuery, rows: Sequence[Nominee]) -> dict[str, Any]:
    held = await training.backbone_classes(page.platform, page.actor)
    today = page.today
    return {
        "classes": [(one, one.stage_on(today)) for one in held],
        "class_options": [
            (one.id, f"{one.name}（{one.major_name}，{one.starts_on} 开班）")
            for one in held
            if one.stage_on(today) is not Stage.FINISHED
        ],
    }


CANDIDATES = Listing(
    "/admin/selection/candidates",
    "selection/candidates.html",
    Permission.SELECTION_ENROL,
    CandidateQuery,
    fetched_by(training.candidates),
    own_classes,
    replace(SHEET, title="候选人"),
    page_size=50,
)


@step(CANDIDATES.page, Permission.SELECTION_ENROL)
async def enrol(page: PageHandler) -> Done:
    draft = page.form(EnrolDraft)
    held = await training.enrol(page.platform, page.actor, draft)
    said = f"已将 {len(set(draft.nominee_ids))} 名候选人编入“{held.name}”，并已告知本人。"
    return Done(said, f"/admin/selection/classes/{held.id}")


class ClassSelection(PageHandler):
    address = "/admin/selection/classes/{backbone_class_id}"
    get = shows(Permission.SELECTION_ENROL)

    async def show(self, backbone_class_id: str, nominee_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        """`nominee_id`: who was to be released."""
        seen = await registration.class_selection(self.platform, self.actor, backbone_class_id)
        self.render_page(
            "selection/class.html",
            seen=seen,
            training_class=seen.training_class,
            nominee_id=nominee_id,
            **outcome,
        )


@step(ClassSelection, Permission.SELECTION_ENROL)
async def report(page: ClassSelection, backbone_class_id: str) -> Done:
    new = await registration.report(page.platform, page.actor, backbone_class_id, page.form(Report))
    return Done(f"已向部指导中心报送 {len(new.passed)} 名合格教师。", f"/admin/selection/lists/{new.id}")


@step(ClassSelection, Permission.SELECTION_ENROL)
async def conclude(page: ClassSelection, backbone_class_id: str) -> str:
    """Where nobody passed, there is no list: who failed is noted all the same."""
    failed = await registration.conclude(page.platform, page.actor, backbone_class_id)
    return f"已记录 {failed} 名候选人未通过选拔，所在省份可以再次推荐。"


@step(ClassSelection, Permission.SELECTION_ENROL)
async def release(page: ClassSelection, backbone_class_id: str, nominee_id: str) -> str:
    wanted = page.form(Release)
    found = await training.release(page.platform, page.actor, backbone_class_id, nominee_id, wanted)
    return f"{found.name}已退出本班，仍是候选人。"


# ---- lists and decisions


class PassListQuery(ByAge):
    state: Annotated[ListState | None, Filter("状态")] = None


PASS_SHEET = Sheet[PassList](
    "合格教师名单",
    [
        Column("培训班", 36, lambda one: one.class_name),
        Column("师资研修中心", 30, lambda one: one.institution_name),
        Column("专业大类", 14, lambda one: one.major_name),
        Column("培训时间", 26, lambda one: f"{one.training_from} 至 {one.training_to}"),
        Column("人数", 8, lambda one: len(one.passed)),
        Column("报送时间", 18, lambda one: one.submitted_at),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
PASS_LISTS = Listing(
    "/admin/selection/lists",
    "selection/lists.html",
    Permission.SELECTION_READ_LISTS,
    PassListQuery,
    fetched_by(registration.list_lists),
    sheet=PASS_SHEET,
)


class OnePassList(PageHandler):
    address = "/admin/selection/lists/{list_id}"
    get = shows(Permission.SELECTION_READ_LISTS)

    async def show(self, list_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await registration.pass_list(self.platform, self.actor, list_id)
        self.render_page(
            "selection/passed.html",
            found=found,
            decision=await registration.decision(self.platform, found.decision_id or ""),
            already=await registration.in_pool_already(self.platform, found.passed),
            may_register=holds(self.actor, Permission.SELECTION_DECIDE)
            and found.state is ListState.SUBMITTED,
            may_resubmit=holds(self.actor, Permission.SELECTION_ENROL) and found.state is ListState.RETURNED,
            **outcome,
        )


@step(OnePassList, Permission.SELECTION_DECIDE)
async def register(page: OnePassList, list_id: str) -> str:
    decision = await registration.register(page.platform, page.actor, list_id, page.form(DecisionDraft))
    new = [one for one in decision.registered if not one.already]
    before = len(decision.registered) - len(new)
    said = f"，{before} 人此前已在库" if before else ""
    return f"{decision.number}：已登记 {len(new)} 名骨干教师入库{said}。"


@step(OnePassList, Permission.SELECTION_DECIDE)
async def return_list(page: OnePassList, list_id: str) -> str:
    await registration.send_back(page.platform, page.actor, list_id, page.form(Return))
    return "名单已退回，师资研修中心会看到理由，可以核对后重新报送。"


@step(OnePassList, Permission.SELECTION_ENROL)
async def resubmit(page: OnePassList, list_id: str) -> str:
    await registration.resubmit(page.platform, page.actor, list_id, page.form(Report))
    return "名单已按现在的证书重新报送。"


_ID = "[0-9a-f]{24}"
_ONE = rf"/admin/selection/(?P<nominee_id>{_ID})"
_CLASS = rf"/admin/selection/classes/(?P<backbone_class_id>{_ID})"
_LIST = rf"/admin/selection/lists/(?P<list_id>{_ID})"
ROUTES: list[Route] = [
    *RECOMMENDATIONS.routes,
    (r"/admin/selection/new", begin),
    (CANDIDATES.address, enrol),  # the list is the form
    CANDIDATES.export.route,
    (_CLASS, ClassSelection),
    (rf"{_CLASS}/report", report),
    (rf"{_CLASS}/conclude", conclude),
    (rf"{_CLASS}/(?P<nominee_id>{_ID})/release", release),
    *PASS_LISTS.routes,
    (_LIST, OnePassList),
    (rf"{_LIST}/register", register),
    (rf"{_LIST}/return", return_list),
    (rf"{_LIST}/resubmit", resubmit),
    (
        rf"{_LIST}/decision.pdf",
        file_of(registration.decision_paper, Permission.SELECTION_READ_LISTS, rate="60/minute"),
    ),
    (_ONE, OneNominee),
    (rf"{_ONE}/amend", amend),
    (rf"{_ONE}/papers", add_paper),
    (rf"{_ONE}/papers/(?P<paper_id>{_ID})", file_of(selection.paper, Permission.SELECTION_READ)),
    (rf"{_ONE}/papers/(?P<paper_id>{_ID})/remove", remove_paper),
    (rf"{_ONE}/submit", submit),
    (rf"{_ONE}/withdraw", withdraw),
    (rf"{_ONE}/accept", accept),
    (rf"{_ONE}/return", send_back),
]
