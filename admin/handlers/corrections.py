"""Corrections of what was published: the list, the forms of the institution, and the review (article 25.4)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import LEVELS, MONTHS, PROVINCE_OPTIONS, years
from admin.paging import Way
from server.attendance import service as attendance
from server.classes import service as classes
from server.corrections import service as corrections
from server.corrections.documents import Correction, CorrectionFilter
from server.corrections.rules import Action, Ground, State, Subject
from server.corrections.service import ClassCorrection, InstitutionCorrection, Reason, TraineeCorrection
from server.institutions import service as institutions
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 20
SUBJECTS = [(subject.value, subject.label) for subject in Subject]
STATES = [(state.value, state.label) for state in State]


class ListQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    state: State | None = None
    subject: Subject | None = None
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
            "subject": self.subject or "",
            "level": self.level,
            "year": str(self.year or ""),
            "month": str(self.month or ""),
            "province": self.province,
        }

    @property
    def narrowed(self) -> CorrectionFilter:
        return CorrectionFilter(
            self.q.strip(), self.state, self.subject, self.level, self.year, self.month, self.province
        )


class CorrectionList(PageHandler):
    @allow(Permission.CORRECTIONS_READ)
    async def get(self) -> None:
        query = self.query(ListQuery)
        way = Way.read("/admin/corrections", query.conditions, query.way)
        found = await corrections.list_corrections(
            self.platform, self.actor, query.narrowed, before=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "corrections/list.html",
            rows=rows,
            query=query,
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
            subjects=SUBJECTS,
            state_options=STATES,
            levels=LEVELS,
            years=years(self.platform.clock.now()),
            months=MONTHS,
            provinces=PROVINCE_OPTIONS if self.actor.province_code is None else [],
            may_request=holds(self.actor, Permission.CORRECTIONS_REQUEST),
        )


class RequestHandler(PageHandler):
    """What the three forms share: what was asked before and waits or came back."""

    async def ask(self, thing: str, subject: Subject, back: str, **context: Any) -> None:
        """Shows the form; `present` in the context is how the thing reads now."""
        earlier = await corrections.open_correction(self.platform, self.actor, thing)
        wanted = {**context.pop("present"), **(earlier.wanted if earlier else {})}
        self.render_page(
            "corrections/form.html",
            subject=subject,
            earlier=earlier,
            wanted=wanted | context["values"],
            grounds=[(ground.value, ground.label) for ground in Ground],
            back=back,
            **context,
        )

    def filed(self, correction: Correction) -> None:
        self.flash(f"更正申请已报{correction.subject.reviewer.label}审核，核准前原内容不变。")
        self.see_other(f"/admin/corrections/{correction.id}")


class CorrectClass(RequestHandler):
    @allow(Permission.CORRECTIONS_REQUEST)
    async def get(self, class_id: str) -> None:
        await self._show(class_id, NO_ERRORS)

    @allow(Permission.CORRECTIONS_REQUEST)
    async def post(self, class_id: str) -> None:
        try:
            wanted = self.form(ClassCorrection)
            self.filed(await corrections.correct_class(self.platform, self.actor, class_id, wanted))
        except Problem as problem:
            await self._show(class_id, self.refuse(problem))

    async def _show(self, class_id: str, outcome: dict[str, Any]) -> None:
        found = await classes.get_class(self.platform, self.actor, class_id)
        present = found.model_dump(include={"name", "place", "starts_on", "ends_on"})
        await self.ask(
            class_id,
            Subject.CLASS,
            f"/admin/classes/{class_id}",
            about=found.name,
            present=present,
            **outcome,
        )


class CorrectTrainee(RequestHandler):
    @allow(Permission.CORRECTIONS_REQUEST)
    async def get(self, class_id: str, person_id: str) -> None:
        await self._show(class_id, person_id, NO_ERRORS)

    @allow(Permission.CORRECTIONS_REQUEST)
    async def post(self, class_id: str, person_id: str) -> None:
        try:
            wanted = self.form(TraineeCorrection)
            filed = await corrections.correct_trainee(self.platform, self.actor, class_id, person_id, wanted)
            self.filed(filed)
        except Problem as problem:
            await self._show(class_id, person_id, self.refuse(problem))

    async def _show(self, class_id: str, person_id: str, outcome: dict[str, Any]) -> None:
        found = await classes.get_class(self.platform, self.actor, class_id)
        trainee = await classes.trainee(self.platform, class_id, person_id)
        await self.ask(
            person_id,
            Subject.TRAINEE,
            f"/admin/classes/{class_id}/roster",
            about=f"{trainee.name}（{trainee.id_number_masked}），{found.name}",
            present={"name": trainee.name},
            **outcome,
        )


class CorrectInstitution(RequestHandler):
    @allow(Permission.CORRECTIONS_REQUEST)
    async def get(self, code: str) -> None:
        await self._show(code, NO_ERRORS)

    @allow(Permission.CORRECTIONS_REQUEST)
    async def post(self, code: str) -> None:
        try:
            wanted = self.form(InstitutionCorrection)
            self.filed(await corrections.correct_institution(self.platform, self.actor, code, wanted))
        except Problem as problem:
            await self._show(code, self.refuse(problem))

    async def _show(self, code: str, outcome: dict[str, Any]) -> None:
        found = await institutions.institution(self.platform, self.actor, code)
        await self.ask(
            code,
            Subject.INSTITUTION,
            f"/admin/institutions/{code}",
            about=found.name,
            present={"name": found.name},
            **outcome,
        )


class OneCorrection(PageHandler):
    @allow(Permission.CORRECTIONS_READ)
    async def get(self, correction_id: str) -> None:
        await self.show(correction_id, NO_ERRORS)

    async def show(self, correction_id: str, outcome: dict[str, Any], wrong: str = "") -> None:
        """`wrong`: which of the forms came back."""
        found = await corrections.correction(self.platform, self.actor, correction_id)
        may_request = holds(self.actor, Permission.CORRECTIONS_REQUEST)
        self.render_page(
            "corrections/one.html",
            correction=found,
            steps=[(step, Action(step.action).label) for step in found.history],
            areas=corrections.areas_named(found),
            outside=await self._sessions_outside(found),
            form_address=address_of_form(found),
            may_review=corrections.may_review(self.actor, found),
            may_amend=found.state is State.RETURNED and may_request,
            may_retract=found.open and may_request,
            **outcome | {"wrong": wrong},
        )

    async def _sessions_outside(self, found: Correction) -> int:
        """How many sessions lie outside the dates that a class would have: the reviewer should know, the institution moves them."""
        if found.subject is not Subject.CLASS or not found.open:
            return 0
        item = await classes.get_class(self.platform, self.actor, found.thing)
        held = await attendance.sessions_of_class(self.platform, self.actor, found.thing)
        first = found.wanted.get("starts_on", item.starts_on.isoformat())
        last = found.wanted.get("ends_on", item.ends_on.isoformat())
        days = [beijing_date(one.starts_at).isoformat() for one in (row.item for row in held.rows)]
        return sum(1 for day in days if not first <= day <= last)


def address_of_form(found: Correction) -> str:
    match found.subject:
        case Subject.CLASS:
            return f"/admin/classes/{found.thing}/correct"
        case Subject.TRAINEE:
            return f"/admin/classes/{found.class_id}/roster/{found.thing}/correct"
        case Subject.INSTITUTION:
            return f"/admin/institutions/{found.thing}/correct"


class Review(OneCorrection):
    """A decision with its words; what is refused comes back into its own form."""

    form_name: ClassVar[str]

    async def decide(self, correction_id: str) -> str:
        """Does it, and returns the words for the next page."""
        raise NotImplementedError

    @allow(Permission.CORRECTIONS_REVIEW)
    async def get(self, correction_id: str) -> None:
        self.see_other(f"/admin/corrections/{correction_id}")

    @allow(Permission.CORRECTIONS_REVIEW)
    async def post(self, correction_id: str) -> None:
        try:
            done = await self.decide(correction_id)
        except (NotFound, Forbidden):
            raise
        except Problem as problem:
            return await self.show(correction_id, self.refuse(problem), self.form_name)
        self.flash(done)
        return self.see_other(f"/admin/corrections/{correction_id}")


class ApproveForm(BaseModel):
    reason: Annotated[str, Field(title="核实意见", max_length=500)] = ""


class Approve(Review):
    form_name = "approve"

    async def decide(self, correction_id: str) -> str:
        reason = self.form(ApproveForm).reason
        found = await corrections.approve(self.platform, self.actor, correction_id, reason)
        return f"已核准并更正：{found.about}。"


class ReturnForm(BaseModel):
    reason: Reason


class Return(Review):
    form_name = "return"

    async def decide(self, correction_id: str) -> str:
        reason = self.form(ReturnForm).reason
        await corrections.return_(self.platform, self.actor, correction_id, reason)
        return "已退回培训机构，对方可以修改后重新申请。"


class Retract(PageHandler):
    @allow(Permission.CORRECTIONS_REQUEST)
    async def post(self, correction_id: str) -> None:
        await corrections.retract(self.platform, self.actor, correction_id)
        self.flash("已撤回更正申请。")
        self.see_other(f"/admin/corrections/{correction_id}")


_ID = r"[0-9a-f]{24}"
_ONE = rf"/admin/corrections/(?P<correction_id>{_ID})"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
ROUTES: list[Route] = [
    (r"/admin/corrections", CorrectionList),
    (rf"{_CLASS}/correct", CorrectClass),
    (rf"{_CLASS}/roster/(?P<person_id>{_ID})/correct", CorrectTrainee),
    (r"/admin/institutions/(?P<code>[0-9]{3})/correct", CorrectInstitution),
    (_ONE, OneCorrection),
    (rf"{_ONE}/approve", Approve),
    (rf"{_ONE}/return", Return),
    (rf"{_ONE}/retract", Retract),
]
