"""Enrolment of a class: opening it, reviewing who applied, what they need, and the reception desk (articles 4.4 and 10)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.moments import BeijingMoment, as_typed
from admin.paging import Way
from admin.spreadsheet import send_workbook
from server.admissions import arrival, needs, rules
from server.admissions import service as admissions
from server.admissions.documents import Applicant, ClassAdmission
from server.admissions.needs import NoteDraft, TemplateDraft
from server.admissions.rules import State
from server.admissions.service import INSTITUTION_REVIEWS, EnrolmentDraft, Verdict
from server.certificates import service as certificates
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 50
USUAL_PLACES = 40
USUAL_LEAD = timedelta(days=3)
"""What the form proposes: enrolment closes so long before the class begins."""


class EnrolmentForm(BaseModel):
    opens: Annotated[BeijingMoment, Field(title="报名开始")]
    closes: Annotated[BeijingMoment, Field(title="报名截止")]
    places: Annotated[int, Field(title="名额", ge=1, le=rules.PLACES_MOST)]
    reporting: Annotated[str, Field(title="报到时间和地点", min_length=2, max_length=500)]
    to_bring: Annotated[str, Field(title="需携带的物品", min_length=2, max_length=500)]
    questions: Annotated[str, Field(title="本班补充的题目", max_length=5000)] = ""


class ListQuery(BaseModel):
    state: State | None = None
    way: Annotated[str, Field(max_length=2000)] = ""


class ChosenForm(BaseModel):
    applicant_ids: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]], Field(title="报名", max_length=PAGE_SIZE)
    ]


class ReviewForm(BaseModel):
    agree: Annotated[bool, Field(title="审核意见")]
    reason: Annotated[str, Field(title="理由", max_length=500)] = ""


class EnrolmentPage(PageHandler):
    async def show(self, class_id: str, outcome: dict[str, Any]) -> None:
        """The tab 报名, also when its form or a review came back."""
        seen = await admissions.class_enrolment(self.platform, self.actor, class_id)
        query = self.query(ListQuery)
        home = f"/admin/classes/{class_id}/enrolment"
        way = Way.read(home, {"state": query.state or ""}, query.way)
        found = await admissions.applicants(
            self.platform, class_id, query.state, before=way.cursor, limit=PAGE_SIZE + 1
        )
        shown = found[:PAGE_SIZE]
        outcome["values"] = self._proposed(seen.training_class, seen.admission) | outcome["values"]
        self.render_page(
            "admissions/enrolment.html",
            training_class=seen.training_class,
            tab="enrolment",
            seen=seen,
            applicants=shown,
            warnings=await self.warnings(seen.training_class, shown),
            reviewable=INSTITUTION_REVIEWS,
            query=query,
            states_offered=[(state.value, state.label) for state in State],
            centre_questions=(await needs.current_template(self.platform))[1],
            places_most=rules.PLACES_MOST,
            previous=way.previous,
            next=way.next(shown[-1].id) if len(found) > PAGE_SIZE else None,
            may_manage=holds(self.actor, Permission.ADMISSIONS_MANAGE),
            **outcome,
        )

    def _proposed(self, item: TrainingClass, admission: ClassAdmission | None) -> dict[str, Any]:
        now = self.platform.clock.now()
        last = datetime.combine(item.starts_on, time(18), tzinfo=BEIJING) - USUAL_LEAD
        return {
            "opens": as_typed(item.enrolment_opens or now),
            "closes": as_typed(item.enrolment_closes or max(last, now + timedelta(days=1))),
            "places": item.places or USUAL_PLACES,
            "reporting": admission.reporting if admission else f"{item.starts_on} 8:30 前，{item.place}",
            "to_bring": admission.to_bring if admission else rules.USUAL_THINGS,
            "questions": "\n".join(one.line for one in admission.own_questions) if admission else "",
        }

    async def warnings(self, item: TrainingClass, found: list[Applicant]) -> dict[str, list[str]]:
        """What reviewers should know, by person."""
        clashing = await admissions.clashes(self.platform, item, found)
        ids = [one.person_id for one in found]
        holding = await certificates.holders(self.platform, ids, item.level, item.major_name)
        return {one: admissions.warnings(item, clashing.get(one), one in holding) for one in ids}


class Enrolment(EnrolmentPage):
    @allow(Permission.ADMISSIONS_READ)
    async def get(self, class_id: str) -> None:
        await self.show(class_id, dict(NO_ERRORS))

    @allow(Permission.ADMISSIONS_MANAGE)
    async def post(self, class_id: str) -> None:
        try:
            draft = EnrolmentDraft.model_validate(self.form(EnrolmentForm).model_dump())
            await admissions.open_enrolment(self.platform, self.actor, class_id, draft)
        except Problem as problem:
            return await self.show(class_id, self.refuse(problem))
        self.flash("报名设置已保存，教师可在小程序中按所设时间报名。")
        return self.see_other(f"/admin/classes/{class_id}/enrolment")


class AgreeToSeveral(EnrolmentPage):
    @allow(Permission.ADMISSIONS_MANAGE)
    async def post(self, class_id: str) -> None:
        try:
            chosen = self.form(ChosenForm).applicant_ids
            if not chosen:
                raise Invalid(fields=[FieldError("applicant_ids", "请先勾选要同意的报名。")])
            done = [
                await admissions.review(self.platform, self.actor, class_id, one, Verdict(agree=True))
                for one in chosen
            ]
        except Problem as problem:
            return await self.show(class_id, self.refuse(problem))
        counts = [sum(one.state is state for one in done) for state in (State.ADMITTED, State.WAITING)]
        self.flash(f"已同意 {len(done)} 份报名，其中录取 {counts[0]} 人，候补 {counts[1]} 人。")
        return self.see_other(f"/admin/classes/{class_id}/enrolment")


class Export(EnrolmentPage):
    @allow(Permission.ADMISSIONS_READ, rate="30/minute")
    async def get(self, class_id: str) -> None:
        seen = await admissions.class_enrolment(self.platform, self.actor, class_id)
        found = await admissions.applicants(self.platform, class_id)
        asked = seen.admission.questions if seen.admission else []
        columns = [
            ("序号", 6),
            ("姓名", 14),
            ("证件号", 22),
            ("工作单位", 30),
            ("职务/职称", 16),
            ("任教年限", 10),
            ("任教专业", 18),
            ("报名时间", 18),
            ("状态", 12),
            ("理由", 30),
            *((one.title, 24) for one in asked),
        ]
        await send_workbook(
            self,
            f"报名名单-{seen.training_class.name}.xlsx",
            "报名名单",
            columns,
            [
                (
                    number,
                    one.name,
                    one.id_number_masked,
                    one.work_unit,
                    one.post,
                    one.years_of_teaching,
                    one.major_taught,
                    as_typed(one.applied_at).replace("T", " "),
                    one.state.label,
                    one.reason(),
                    *(one.answers.get(question.key, "") for question in asked),
                )
                for number, one in enumerate(reversed(found), start=1)
            ],
        )


class OneApplicant(EnrolmentPage):
    @allow(Permission.ADMISSIONS_READ)
    async def get(self, class_id: str, applicant_id: str) -> None:
        await self._show(class_id, applicant_id, NO_ERRORS)

    @allow(Permission.ADMISSIONS_MANAGE)
    async def post(self, class_id: str, applicant_id: str) -> None:
        await admissions.applicant(self.platform, self.actor, class_id, applicant_id)
        try:
            verdict = Verdict.model_validate(self.form(ReviewForm).model_dump())
            reviewed = await admissions.review(self.platform, self.actor, class_id, applicant_id, verdict)
        except Problem as problem:
            return await self._show(class_id, applicant_id, self.refuse(problem))
        self.flash(f"{reviewed.name}的报名：{reviewed.state.label}。")
        return self.see_other(f"/admin/classes/{class_id}/enrolment")

    async def _show(self, class_id: str, applicant_id: str, outcome: dict[str, Any]) -> None:
        found = await admissions.applicant(self.platform, self.actor, class_id, applicant_id)
        seen = await admissions.class_enrolment(self.platform, self.actor, class_id)
        self.render_page(
            "admissions/applicant.html",
            training_class=seen.training_class,
            tab="enrolment",
            applicant=found,
            questions=seen.admission.questions if seen.admission else [],
            warnings=(await self.warnings(seen.training_class, [found]))[found.person_id],
            may_review=holds(self.actor, Permission.ADMISSIONS_MANAGE) and found.state in INSTITUTION_REVIEWS,
            **outcome,
        )


# ---- needs analysis


class ClassNeeds(PageHandler):
    @allow(Permission.ADMISSIONS_READ)
    async def get(self, class_id: str) -> None:
        await self._show(class_id, NO_ERRORS)

    @allow(Permission.ADMISSIONS_MANAGE)
    async def post(self, class_id: str) -> None:
        try:
            await needs.add_note(self.platform, self.actor, class_id, self.form(NoteDraft))
        except Problem as problem:
            return await self._show(class_id, self.refuse(problem))
        self.flash("调整说明已记录。")
        return self.see_other(f"/admin/classes/{class_id}/needs")

    async def _show(self, class_id: str, outcome: dict[str, Any]) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page(
            "admissions/needs.html",
            training_class=training_class,
            tab="enrolment",
            needs=await needs.needs_of_class(self.platform, class_id),
            may_manage=holds(self.actor, Permission.ADMISSIONS_MANAGE),
            **outcome,
        )


class NeedsTemplate(PageHandler):
    @allow(Permission.ADMISSIONS_READ)
    async def get(self) -> None:
        await self._show(NO_ERRORS)

    @allow(Permission.ADMISSIONS_TEMPLATE)
    async def post(self) -> None:
        try:
            new = await needs.set_template(self.platform, self.actor, self.form(TemplateDraft))
        except Problem as problem:
            return await self._show(self.refuse(problem))
        self.flash(f"第 {new.version} 版问卷已发布，此后开放报名的培训班使用新问卷。")
        return self.see_other("/admin/needs")

    async def _show(self, outcome: dict[str, Any]) -> None:
        version, questions = await needs.current_template(self.platform)
        lines = "\n".join(one.line for one in questions)
        self.render_page(
            "admissions/template.html",
            version=version,
            questions=questions,
            versions=await needs.templates(self.platform),
            may_change=holds(self.actor, Permission.ADMISSIONS_TEMPLATE),
            **outcome | {"values": {"questions": lines} | outcome["values"]},
        )


# ---- the reception desk


class Arrivals(PageHandler):
    @allow(Permission.ADMISSIONS_READ)
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page(
            "admissions/arrivals.html",
            training_class=training_class,
            tab="roster",
            rows=await arrival.class_arrivals(self.platform, class_id),
            on_this_day=self._on_this_day(),
            may_manage=holds(self.actor, Permission.ADMISSIONS_MANAGE)
            and training_class.results_released_at is None,
        )

    def _on_this_day(self) -> Any:
        """Whether a moment lies in today, in Beijing: until then an arrival may be undone."""
        today = beijing_date(self.platform.clock.now())
        return lambda moment: beijing_date(moment) == today


class ArrivalForm(BaseModel):
    pledge_on_paper: bool = False


class UndoForm(BaseModel):
    reason: Annotated[str, Field(title="理由", min_length=2, max_length=500)]


class ArrivalDialog(PageHandler):
    template = ""

    async def show(self, class_id: str, person_id: str, outcome: dict[str, Any]) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        await classes.trainee(self.platform, class_id, person_id)
        rows = await arrival.class_arrivals(self.platform, class_id)
        self.render_page(
            self.template,
            training_class=training_class,
            tab="roster",
            row=next(one for one in rows if one.enrolment.person_id == person_id),
            step_titles=arrival.STEP_TITLES,
            **outcome,
        )


class ConfirmArrival(ArrivalDialog):
    template = "admissions/confirm_arrival.html"

    @allow(Permission.ADMISSIONS_MANAGE)
    async def get(self, class_id: str, person_id: str) -> None:
        await self.show(class_id, person_id, NO_ERRORS)

    @allow(Permission.ADMISSIONS_MANAGE)
    async def post(self, class_id: str, person_id: str) -> None:
        try:
            on_paper = self.form(ArrivalForm).pledge_on_paper
            await arrival.confirm_arrival(
                self.platform, self.actor, class_id, person_id, pledge_on_paper=on_paper
            )
        except Problem as problem:
            return await self.show(class_id, person_id, self.refuse(problem))
        self.flash("已办理报到，现在可以签到。")
        return self.see_other(f"/admin/classes/{class_id}/arrivals")


class UndoArrival(ArrivalDialog):
    template = "admissions/undo_arrival.html"

    @allow(Permission.ADMISSIONS_MANAGE)
    async def get(self, class_id: str, person_id: str) -> None:
        await self.show(class_id, person_id, NO_ERRORS)

    @allow(Permission.ADMISSIONS_MANAGE)
    async def post(self, class_id: str, person_id: str) -> None:
        try:
            reason = self.form(UndoForm).reason
            await arrival.undo_arrival(self.platform, self.actor, class_id, person_id, reason)
        except Problem as problem:
            return await self.show(class_id, person_id, self.refuse(problem))
        self.flash("已撤销报到。核对清楚后可以重新办理。")
        return self.see_other(f"/admin/classes/{class_id}/arrivals")


_ID = r"[0-9a-f]{24}"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
_PERSON = rf"(?P<person_id>{_ID})"
ROUTES: list[Route] = [
    (r"/admin/needs", NeedsTemplate),
    (rf"{_CLASS}/enrolment", Enrolment),
    (rf"{_CLASS}/enrolment/agree", AgreeToSeveral),
    (rf"{_CLASS}/enrolment/export", Export),
    (rf"{_CLASS}/enrolment/(?P<applicant_id>{_ID})", OneApplicant),
    (rf"{_CLASS}/needs", ClassNeeds),
    (rf"{_CLASS}/arrivals", Arrivals),
    (rf"{_CLASS}/arrivals/{_PERSON}", ConfirmArrival),
    (rf"{_CLASS}/arrivals/{_PERSON}/undo", UndoArrival),
]
