"""The selection of backbone teachers (articles 7 and 9): a province recommends, the centre reviews, a 师资研修中心 trains and reports,
the centre registers the list with one decision."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import LEVELS, MAJOR_OPTIONS, PROVINCE_OPTIONS
from admin.paging import Way
from admin.spreadsheet import send_file
from server.classes.rules import Stage
from server.kernel import downloads
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.selection import decision as papers
from server.selection import registration, rules, training
from server.selection import service as selection
from server.selection.documents import Nominee, NomineeFilter
from server.selection.registration import DecisionDraft, ListReturn, Report
from server.selection.rules import Action, ListAction, ListState, State
from server.selection.service import PAPER_LARGEST, NomineeDraft, Return, Review, Withdrawal
from server.selection.training import EnrolDraft, Release

PAGE_SIZE = 20
CANDIDATES_SHOWN = 50
PDF = "application/pdf"


# ---- recommendations


class ListQuery(BaseModel):
    state: State | None = None
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"state": self.state or "", "province": self.province, "major": self.major}


class Recommendations(PageHandler):
    @allow(Permission.SELECTION_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/selection", query.conditions, query.way)
        found = await selection.list_nominees(
            self.platform,
            self.actor,
            NomineeFilter(query.state, query.province, query.major),
            before=way.cursor,
            limit=PAGE_SIZE + 1,
        )
        rows = found[:PAGE_SIZE]
        own = self.actor.province_code is not None
        self.render_page(
            "selection/list.html",
            rows=rows,
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            numbers=await selection.numbers(self.platform, self.actor),
            state_options=[(one.value, one.label) for one in State if own or one is not State.DRAFT],
            provinces=[] if own else PROVINCE_OPTIONS,
            majors=MAJOR_OPTIONS,
            may_recommend=holds(self.actor, Permission.SELECTION_RECOMMEND),
            may_read_lists=holds(self.actor, Permission.SELECTION_READ_LISTS),
        )


class FormPage(PageHandler):
    async def show(self, amended: Nominee | None, outcome: dict[str, Any]) -> None:
        """The form; of an amended recommendation it asks for the ID number again, which no page shows."""
        self.render_page(
            "selection/form.html",
            amended=amended,
            conditions=await selection.conditions(self.platform),
            majors=MAJOR_OPTIONS,
            levels=LEVELS,
            **outcome,
        )


class Begin(FormPage):
    @allow(Permission.SELECTION_RECOMMEND)
    async def get(self) -> None:
        await self.show(None, NO_ERRORS)

    @allow(Permission.SELECTION_RECOMMEND)
    async def post(self) -> None:
        try:
            new = await selection.begin(self.platform, self.actor, self.form(NomineeDraft))
        except Problem as problem:
            return await self.show(None, self.refuse(problem))
        self.flash("草稿已保存。请上传推荐材料，核对后报送部指导中心。")
        return self.see_other(f"/admin/selection/{new.id}")


class Amend(FormPage):
    @allow(Permission.SELECTION_RECOMMEND)
    async def get(self, nominee_id: str) -> None:
        found = await selection.nominee(self.platform, self.actor, nominee_id)
        await self.show(found, NO_ERRORS)

    @allow(Permission.SELECTION_RECOMMEND)
    async def post(self, nominee_id: str) -> None:
        try:
            draft, seen = self.form(NomineeDraft), self.form(Review).seen
            await selection.amend(self.platform, self.actor, nominee_id, draft, seen)
        except NotFound:
            raise
        except Problem as problem:
            found = await selection.nominee(self.platform, self.actor, nominee_id)
            return await self.show(found, self.refuse(problem))
        self.flash("推荐内容已修改，核对后请报送部指导中心。")
        return self.see_other(f"/admin/selection/{nominee_id}")


class NomineePage(PageHandler):
    async def show(self, nominee_id: str, outcome: dict[str, Any], wrong: str = "") -> None:
        """`wrong`: which of the forms came back."""
        found = await selection.nominee(self.platform, self.actor, nominee_id)
        recommends = holds(self.actor, Permission.SELECTION_RECOMMEND)
        decides = holds(self.actor, Permission.SELECTION_DECIDE)
        self.render_page(
            "selection/one.html",
            nominee=found,
            age=await selection.age(self.platform, found),
            conditions=await selection.conditions(self.platform),
            steps=[(step, Action(step.action).label) for step in found.history],
            papers_most=rules.PAPERS_MOST,
            largest=PAPER_LARGEST,
            may_amend=recommends and (found.state, Action.AMEND) in rules.TRANSITIONS,
            may_submit=recommends and (found.state, Action.SUBMIT) in rules.TRANSITIONS,
            may_withdraw=recommends and (found.state, Action.WITHDRAW) in rules.TRANSITIONS,
            may_review=decides and found.state is State.SUBMITTED,
            **outcome | {"wrong": wrong},
        )


class OneNominee(NomineePage):
    @allow(Permission.SELECTION_READ)
    async def get(self, nominee_id: str) -> None:
        await self.show(nominee_id, NO_ERRORS)


class AddPaper(NomineePage):
    @allow(Permission.SELECTION_RECOMMEND, rate="60/minute")
    async def post(self, nominee_id: str) -> None:
        try:
            uploads = self.request.files.get("paper")
            if not uploads:
                raise Invalid(fields=[FieldError("paper", "请先选择文件。")])
            await selection.add_paper(
                self.platform, self.actor, nominee_id, uploads[0].filename, uploads[0].body
            )
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(nominee_id, self.refuse(problem), "paper")
        self.flash("材料已上传。")
        return self.see_other(f"/admin/selection/{nominee_id}")


class RemovePaper(NomineePage):
    @allow(Permission.SELECTION_RECOMMEND)
    async def post(self, nominee_id: str, paper_id: str) -> None:
        try:
            await selection.remove_paper(self.platform, self.actor, nominee_id, paper_id)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(nominee_id, self.refuse(problem), "paper")
        self.flash("材料已删去。")
        return self.see_other(f"/admin/selection/{nominee_id}")


class Paper(PageHandler):
    @allow(Permission.SELECTION_READ)
    async def get(self, nominee_id: str, paper_id: str) -> None:
        file = await selection.paper(self.platform, self.actor, nominee_id, paper_id)
        await downloads.send(self, file)


class ActOnNominee(NomineePage):
    """One step of the table; each has its own address, permission and form."""

    async def act(self, nominee_id: str, name: str, said: str) -> None:
        try:
            await self.take(name, nominee_id)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(nominee_id, self.refuse(problem), name)
        self.flash(said)
        return self.see_other(f"/admin/selection/{nominee_id}")

    async def take(self, name: str, nominee_id: str) -> None:
        match name:
            case "submit":
                await selection.submit(self.platform, self.actor, nominee_id)
            case "withdraw":
                wanted = self.form(Withdrawal)
                await selection.withdraw(self.platform, self.actor, nominee_id, wanted)
            case "accept":
                await selection.accept(self.platform, self.actor, nominee_id, self.form(Review))
            case _:
                await selection.send_back(self.platform, self.actor, nominee_id, self.form(Return))


class Submit(ActOnNominee):
    @allow(Permission.SELECTION_RECOMMEND)
    async def post(self, nominee_id: str) -> None:
        await self.act(nominee_id, "submit", "推荐已报送部指导中心。审核结果会显示在首页和这里。")


class Withdraw(ActOnNominee):
    @allow(Permission.SELECTION_RECOMMEND)
    async def post(self, nominee_id: str) -> None:
        await self.act(nominee_id, "withdraw", "推荐已撤回。")


class Accept(ActOnNominee):
    @allow(Permission.SELECTION_DECIDE)
    async def post(self, nominee_id: str) -> None:
        await self.act(nominee_id, "accept", "已列为候选人，师资研修中心可以编入骨干班。")


class SendBack(ActOnNominee):
    @allow(Permission.SELECTION_DECIDE)
    async def post(self, nominee_id: str) -> None:
        await self.act(nominee_id, "return", "已退回，省级管理部门会看到理由，可以修改后重新报送。")


# ---- the 师资研修中心


class CandidateQuery(BaseModel):
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"province": self.province, "major": self.major}


class Candidates(PageHandler):
    @allow(Permission.SELECTION_ENROL)
    async def get(self) -> None:
        await self._show(NO_ERRORS)

    @allow(Permission.SELECTION_ENROL)
    async def post(self) -> None:
        try:
            draft = self.form(EnrolDraft)
            held = await training.enrol(self.platform, self.actor, draft)
        except Problem as problem:
            return await self._show(self.refuse(problem))
        self.flash(f"已将 {len(set(draft.nominee_ids))} 名候选人编入“{held.name}”，并已告知本人。")
        return self.see_other(f"/admin/selection/classes/{held.id}")

    async def _show(self, outcome: dict[str, Any]) -> None:
        query = self.query(CandidateQuery)
        way = Way.read("/admin/selection/candidates", query.conditions, query.way)
        found = await training.candidates(
            self.platform,
            self.actor,
            major=query.major,
            province_code=query.province,
            before=way.cursor,
            limit=CANDIDATES_SHOWN + 1,
        )
        rows = found[:CANDIDATES_SHOWN]
        held = await training.backbone_classes(self.platform, self.actor)
        today = beijing_date(self.platform.clock.now())
        self.render_page(
            "selection/candidates.html",
            rows=rows,
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > CANDIDATES_SHOWN else None,
            classes=[(one, one.stage_on(today)) for one in held],
            class_options=[
                (one.id, f"{one.name}（{one.major_name}，{one.starts_on} 开班）")
                for one in held
                if one.stage_on(today) is not Stage.FINISHED
            ],
            majors=MAJOR_OPTIONS,
            provinces=PROVINCE_OPTIONS,
            **outcome,
        )


class ClassPage(PageHandler):
    async def show(self, backbone_class_id: str, outcome: dict[str, Any], wrong: str = "") -> None:
        seen = await registration.class_selection(self.platform, self.actor, backbone_class_id)
        self.render_page(
            "selection/class.html",
            seen=seen,
            training_class=seen.training_class,
            provinces=PROVINCE_OPTIONS,
            **outcome | {"wrong": wrong},
        )


class ClassSelection(ClassPage):
    @allow(Permission.SELECTION_ENROL)
    async def get(self, backbone_class_id: str) -> None:
        await self.show(backbone_class_id, NO_ERRORS)


class ReportList(ClassPage):
    @allow(Permission.SELECTION_ENROL)
    async def post(self, backbone_class_id: str) -> None:
        try:
            new = await registration.report(self.platform, self.actor, backbone_class_id, self.form(Report))
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(backbone_class_id, self.refuse(problem), "report")
        self.flash(f"已向部指导中心报送 {len(new.passed)} 名合格教师。")
        return self.see_other(f"/admin/selection/lists/{new.id}")


class Conclude(ClassPage):
    """Where nobody passed, there is no list: who failed is noted all the same."""

    @allow(Permission.SELECTION_ENROL)
    async def post(self, backbone_class_id: str) -> None:
        try:
            failed = await registration.conclude(self.platform, self.actor, backbone_class_id)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(backbone_class_id, self.refuse(problem), "conclude")
        self.flash(f"已记录 {failed} 名候选人未通过选拔，所在省份可以再次推荐。")
        return self.see_other(f"/admin/selection/classes/{backbone_class_id}")


class ReleaseNominee(ClassPage):
    @allow(Permission.SELECTION_ENROL)
    async def post(self, backbone_class_id: str, nominee_id: str) -> None:
        try:
            wanted = self.form(Release)
            found = await training.release(self.platform, self.actor, backbone_class_id, nominee_id, wanted)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(backbone_class_id, self.refuse(problem), nominee_id)
        self.flash(f"{found.name}已退出本班，仍是候选人。")
        return self.see_other(f"/admin/selection/classes/{backbone_class_id}")


# ---- lists and decisions


class ListsQuery(BaseModel):
    state: ListState | None = None
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"state": self.state or ""}


class Lists(PageHandler):
    @allow(Permission.SELECTION_READ_LISTS)
    async def get(self) -> None:
        query = self.query(ListsQuery)
        way = Way.read("/admin/selection/lists", query.conditions, query.way)
        found = await registration.list_lists(
            self.platform, self.actor, state=query.state, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        enrols = holds(self.actor, Permission.SELECTION_ENROL)
        self.render_page(
            "selection/lists.html",
            rows=rows,
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            state_options=[(one.value, one.label) for one in ListState],
            may_enrol=enrols,
        )


class ListPage(PageHandler):
    async def show(self, list_id: str, outcome: dict[str, Any], wrong: str = "") -> None:
        found = await registration.pass_list(self.platform, self.actor, list_id)
        self.render_page(
            "selection/passed.html",
            found=found,
            decision=await registration.decision(self.platform, found.decision_id or ""),
            already=await registration.in_pool_already(self.platform, found.passed),
            steps=[(step, ListAction(step.action).label) for step in found.history],
            may_register=holds(self.actor, Permission.SELECTION_DECIDE)
            and found.state is ListState.SUBMITTED,
            may_resubmit=holds(self.actor, Permission.SELECTION_ENROL) and found.state is ListState.RETURNED,
            **outcome | {"wrong": wrong},
        )


class OneList(ListPage):
    @allow(Permission.SELECTION_READ_LISTS)
    async def get(self, list_id: str) -> None:
        await self.show(list_id, NO_ERRORS)


class RegisterList(ListPage):
    @allow(Permission.SELECTION_DECIDE)
    async def post(self, list_id: str) -> None:
        try:
            draft = self.form(DecisionDraft)
            decision = await registration.register(self.platform, self.actor, list_id, draft)
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(list_id, self.refuse(problem), "register")
        new = [one for one in decision.registered if not one.already]
        before = len(decision.registered) - len(new)
        said = f"，{before} 人此前已在库" if before else ""
        self.flash(f"{decision.number}：已登记 {len(new)} 名骨干教师入库{said}。")
        return self.see_other(f"/admin/selection/lists/{list_id}")


class ReturnList(ListPage):
    @allow(Permission.SELECTION_DECIDE)
    async def post(self, list_id: str) -> None:
        try:
            await registration.send_back(self.platform, self.actor, list_id, self.form(ListReturn))
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(list_id, self.refuse(problem), "return")
        self.flash("名单已退回，师资研修中心会看到理由，可以核对后重新报送。")
        return self.see_other(f"/admin/selection/lists/{list_id}")


class ResubmitList(ListPage):
    @allow(Permission.SELECTION_ENROL)
    async def post(self, list_id: str) -> None:
        try:
            await registration.resubmit(self.platform, self.actor, list_id, self.form(Report))
        except NotFound:
            raise
        except Problem as problem:
            return await self.show(list_id, self.refuse(problem), "resubmit")
        self.flash("名单已按现在的证书重新报送。")
        return self.see_other(f"/admin/selection/lists/{list_id}")


class DecisionPaper(PageHandler):
    @allow(Permission.SELECTION_READ_LISTS, rate="60/minute")
    async def get(self, list_id: str) -> None:
        _, decision = await registration.decision_of_list(self.platform, self.actor, list_id)
        send_file(self, f"登记决定-{decision.number}.pdf", await papers.pdf(decision), PDF)


_ID = "[0-9a-f]{24}"
_ONE = rf"/admin/selection/(?P<nominee_id>{_ID})"
_CLASS = rf"/admin/selection/classes/(?P<backbone_class_id>{_ID})"
_LIST = rf"/admin/selection/lists/(?P<list_id>{_ID})"
ROUTES: list[Route] = [
    (r"/admin/selection", Recommendations),
    (r"/admin/selection/new", Begin),
    (r"/admin/selection/candidates", Candidates),
    (_CLASS, ClassSelection),
    (rf"{_CLASS}/report", ReportList),
    (rf"{_CLASS}/conclude", Conclude),
    (rf"{_CLASS}/(?P<nominee_id>{_ID})/release", ReleaseNominee),
    (r"/admin/selection/lists", Lists),
    (_LIST, OneList),
    (rf"{_LIST}/register", RegisterList),
    (rf"{_LIST}/return", ReturnList),
    (rf"{_LIST}/resubmit", ResubmitList),
    (rf"{_LIST}/decision.pdf", DecisionPaper),
    (_ONE, OneNominee),
    (rf"{_ONE}/amend", Amend),
    (rf"{_ONE}/papers", AddPaper),
    (rf"{_ONE}/papers/(?P<paper_id>{_ID})", Paper),
    (rf"{_ONE}/papers/(?P<paper_id>{_ID})/remove", RemovePaper),
    (rf"{_ONE}/submit", Submit),
    (rf"{_ONE}/withdraw", Withdraw),
    (rf"{_ONE}/accept", Accept),
    (rf"{_ONE}/return", SendBack),
]
