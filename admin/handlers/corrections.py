"""Corrections of what was published: the list, the forms of the institution, and the review (article 25.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, LevelCode, Listing, Month, ProvinceCode, Words, Year, fetched_by, named
from admin.steps import Done, ReasonForm, batch, shows, step
from server.attendance import service as attendance
from server.classes import service as classes
from server.corrections import service as corrections
from server.corrections.documents import Correction, CorrectionFilter
from server.corrections.rules import Ground, State, Subject
from server.corrections.service import ClassCorrection, InstitutionCorrection, TraineeCorrection
from server.institutions import service as institutions
from server.kernel.clock import beijing_date
from server.kernel.permissions import Permission, holds
from server.kernel.reasons import OptionalReason
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.persons import service as persons


class CorrectionQuery(ByAge):
    q: Annotated[Words, Filter("对象或培训机构")] = ""
    state: Annotated[State | None, Filter("状态")] = None
    subject: Annotated[Subject | None, Filter("更正事项")] = None
    level: LevelCode = ""
    year: Annotated[Year, Filter("申请年份")] = None
    month: Annotated[Month, Filter("申请月份")] = None
    province: ProvinceCode = ""


SHEET = Sheet[Correction](
    "信息更正",
    [
        Column("对象", 36, lambda one: one.about),
        Column("事项", 12, lambda one: one.subject.label),
        Column(
            "更正内容",
            48,
            lambda one: "；".join(f"{it.title}：{it.before} → {it.after}" for it in one.changes),
        ),
        Column("理由", 40, lambda one: one.reason),
        Column("申请", 14, lambda one: one.history[0].actor_name),
        Column("申请日期", 12, lambda one: beijing_date(one.submitted_at)),
        Column("状态", 12, lambda one: one.state.label),
    ],
)


async def around(page: PageHandler, query: CorrectionQuery, rows: Sequence[Correction]) -> dict[str, Any]:
    return {"reviewable": {one.id for one in rows if corrections.may_review(page.actor, one)}}


CORRECTIONS = Listing(
    "/admin/corrections",
    "corrections/list.html",
    Permission.CORRECTIONS_READ,
    CorrectionQuery,
    fetched_by(corrections.list_corrections, CorrectionFilter),
    around,
    SHEET,
)


async def called(page: PageHandler, row: str) -> str:
    return (await corrections.correction(page.platform, page.actor, row.partition("-")[0])).about


@batch(CORRECTIONS.page, Permission.CORRECTIONS_REVIEW, "已核准并更正 {} 项。", called)
async def approve_several(page: PageHandler, row: str, form: BaseModel) -> None:
    """As each was when the list was read: one that has been changed since is refused."""
    correction_id, _, seen = row.partition("-")
    await corrections.approve(page.platform, page.actor, correction_id, seen=int(seen or 0))


# ---- the three forms


async def show_form(
    page: PageHandler,
    subject: Subject,
    thing: str,
    about: str,
    present: dict[str, Any],
    back: str,
    outcome: Outcome,
    *,
    frozen: bool = False,
) -> None:
    """How the thing reads now (`present`), over it what was asked before and waits or came back, over it what was typed."""
    earlier = await corrections.open_correction(page.platform, page.actor, thing)
    page.render_page(
        "corrections/form.html",
        subject=subject,
        about=about,
        earlier=earlier,
        wanted=present | (earlier.wanted if earlier else {}) | outcome["values"],
        grounds=named(Ground),
        back=back,
        frozen=frozen,
        **outcome,
    )


def filed(correction: Correction) -> Done:
    return Done(
        f"更正申请已报{correction.subject.reviewer.label}审核，核准前原内容不变。",
        f"/admin/corrections/{correction.id}",
    )


class FormOfClass(PageHandler):
    get = shows(Permission.CORRECTIONS_REQUEST)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await classes.get_class(self.platform, self.actor, class_id)
        present = found.model_dump(include={"name", "place", "starts_on", "ends_on"})
        back = f"/admin/classes/{class_id}"
        await show_form(
            self, Subject.CLASS, class_id, found.name, present, back, outcome, frozen=found.frozen
        )


@step(FormOfClass, Permission.CORRECTIONS_REQUEST)
async def correct_class(page: FormOfClass, class_id: str) -> Done:
    wanted = page.form(ClassCorrection)
    return filed(await corrections.correct_class(page.platform, page.actor, class_id, wanted))


class FormOfTrainee(PageHandler):
    get = shows(Permission.CORRECTIONS_REQUEST)

    async def show(self, class_id: str, person_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await classes.get_class(self.platform, self.actor, class_id)
        trainee = await classes.trainee(self.platform, class_id, person_id)
        about = f"{trainee.name}（{trainee.id_number_masked}），{found.name}"
        back = f"/admin/classes/{class_id}/roster"
        await show_form(self, Subject.TRAINEE, person_id, about, {"name": trainee.name}, back, outcome)


@step(FormOfTrainee, Permission.CORRECTIONS_REQUEST)
async def correct_trainee(page: FormOfTrainee, class_id: str, person_id: str) -> Done:
    wanted = page.form(TraineeCorrection)
    return filed(await corrections.correct_trainee(page.platform, page.actor, class_id, person_id, wanted))


class FormOfInstitution(PageHandler):
    get = shows(Permission.CORRECTIONS_REQUEST)

    async def show(self, code: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await institutions.institution(self.platform, self.actor, code)
        back = f"/admin/institutions/{code}"
        await show_form(self, Subject.INSTITUTION, code, found.name, {"name": found.name}, back, outcome)


@step(FormOfInstitution, Permission.CORRECTIONS_REQUEST)
async def correct_institution(page: FormOfInstitution, code: str) -> Done:
    wanted = page.form(InstitutionCorrection)
    return filed(await corrections.correct_institution(page.platform, page.actor, code, wanted))


# ---- one correction


class OneCorrection(PageHandler):
    address = "/admin/corrections/{correction_id}"
    get = shows(Permission.CORRECTIONS_READ)

    async def show(self, correction_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await corrections.correction(self.platform, self.actor, correction_id)
        may_request = holds(self.actor, Permission.CORRECTIONS_REQUEST)
        self.render_page(
            "corrections/one.html",
            correction=found,
            opens=await persons.opens(self.platform, self.actor, found),
            outside=await self._sessions_outside(found),
            may_review=corrections.may_review(self.actor, found),
            may_amend=found.state is State.RETURNED and may_request,
            may_retract=found.open and may_request,
            **outcome,
        )

    async def _sessions_outside(self, found: Correction) -> int:
        """How many sessions lie outside the dates that a class would have: then it cannot be approved."""
        if found.subject is not Subject.CLASS or not found.open:
            return 0
        item = await classes.get_class(self.platform, self.actor, found.thing)
        first, last = (
            date.fromisoformat(found.wanted.get(name, getattr(item, name).isoformat()))
            for name in ("starts_on", "ends_on")
        )
        return len(await attendance.sessions_outside(self.platform, found.thing, first, last))


class ApproveForm(Review):
    reason: Annotated[OptionalReason, Field(title="核实意见")] = ""


@step(OneCorrection, Permission.CORRECTIONS_REVIEW)
async def approve(page: OneCorrection, correction_id: str) -> str:
    wanted = page.form(ApproveForm)
    found = await corrections.approve(
        page.platform, page.actor, correction_id, wanted.reason, seen=wanted.seen
    )
    return f"已核准并更正：{found.about}。"


@step(OneCorrection, Permission.CORRECTIONS_REVIEW)
async def send_back(page: OneCorrection, correction_id: str) -> str:
    wanted = page.form(Return)
    await corrections.return_(page.platform, page.actor, correction_id, wanted.reason, seen=wanted.seen)
    return "已退回培训机构，对方可以修改后重新申请。"


@step(OneCorrection, Permission.CORRECTIONS_REQUEST)
async def retract(page: OneCorrection, correction_id: str) -> str:
    await corrections.retract(page.platform, page.actor, correction_id, page.form(ReasonForm).reason)
    return "已撤回更正申请。"


_ID = r"[0-9a-f]{24}"
_ONE = rf"/admin/corrections/(?P<correction_id>{_ID})"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
ROUTES: list[Route] = [
    *CORRECTIONS.routes,
    (f"{CORRECTIONS.address}/approve", approve_several),
    (rf"{_CLASS}/correct", correct_class),
    (rf"{_CLASS}/roster/(?P<person_id>{_ID})/correct", correct_trainee),
    (r"/admin/institutions/(?P<code>[0-9]{3})/correct", correct_institution),
    (_ONE, OneCorrection),
    (rf"{_ONE}/approve", approve),
    (rf"{_ONE}/return", send_back),
    (rf"{_ONE}/retract", retract),
]
