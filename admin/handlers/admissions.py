"""Enrolment of a class: opening it, reviewing who applied, what they need, and the reception desk (articles 4.4 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.downloads import download, file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import EXPORT_RATE, Filter, Query, one_page
from admin.moments import BeijingMoment, as_typed, proposed
from admin.steps import ReasonForm, batch, shows, step
from server.admissions import arrival, arrival_sheet, needs, rules
from server.admissions import service as admissions
from server.admissions.documents import Applicant, ClassAdmission
from server.admissions.needs import NoteDraft, TemplateDraft
from server.admissions.rules import Question, State
from server.admissions.service import INSTITUTION_REVIEWS, EnrolmentDraft, Verdict
from server.certificates import service as certificates
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import BEIJING
from server.kernel.downloads import Download
from server.kernel.permissions import Permission, holds
from server.kernel.reasons import Reason
from server.kernel.seen import Saving
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route

PAGE_SIZE = 50
OPTIONS_END = "｜"
USUAL_PLACES = 40
USUAL_LEAD = timedelta(days=3)
"""What the form proposes: enrolment closes so long before the class begins."""


class ApplicantQuery(Query):
    state: Annotated[State | None, Filter("状态")] = None


class Enrolment(PageHandler):
    """The tab 报名."""

    address = "/admin/classes/{class_id}/enrolment"
    get = shows(Permission.ADMISSIONS_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await admissions.class_enrolment(self.platform, self.actor, class_id)
        query = self.query(ApplicantQuery)
        listed = await one_page(
            self,
            self.address.format(class_id=class_id),
            query,
            lambda before, limit: admissions.applicants(
                self.platform, class_id, query.state, before=before, limit=limit
            ),
            size=PAGE_SIZE,
        )
        typed = {"questions": questions_of(self)} if "places" in outcome["values"] else {}
        proposed = proposal(seen.training_class, seen.admission, self.platform.clock.now())
        self.render_page(
            "admissions/enrolment.html",
            training_class=seen.training_class,
            seen=seen,
            warnings=await warnings(self, seen.training_class, listed["rows"]),
            reviewable=INSTITUTION_REVIEWS,
            centre_questions=(await needs.current_template(self.platform))[1],
            places_most=rules.PLACES_MOST,
            **listed,
            **outcome | {"values": proposed | outcome["values"] | typed},
        )


def questions_of(page: PageHandler) -> str:
    """The rows of the form as the services read them: a line each, the options behind it. A mark ends the options of each question."""
    options: list[list[str]] = [[]]
    for text in page.get_body_arguments("question_option"):
        if text == OPTIONS_END:
            options.append([])
        elif text:
            options[-1].append(text)
    titles = page.get_body_arguments("question_title")
    lines = (OPTIONS_END.join([title, *of_it]) for title, of_it in zip(titles, options, strict=False))
    return "\n".join(line for line in lines if line)


def proposal(item: TrainingClass, admission: ClassAdmission | None, now: datetime) -> dict[str, Any]:
    """What the form of the settings says until it is typed over."""
    last = datetime.combine(item.starts_on, time(18), tzinfo=BEIJING) - USUAL_LEAD
    return {
        "opens": as_typed(item.enrolment_opens) if item.enrolment_opens else proposed(now),
        "closes": as_typed(item.enrolment_closes)
        if item.enrolment_closes
        else proposed(max(last, now + timedelta(days=1))),
        "places": item.places or USUAL_PLACES,
        "reporting": admission.reporting if admission else f"{item.starts_on} 8:30 前，{item.place}",
        "to_bring": admission.to_bring if admission else rules.USUAL_THINGS,
        "questions": "\n".join(one.line for one in admission.own_questions) if admission else "",
    }


async def warnings(page: PageHandler, item: TrainingClass, found: list[Applicant]) -> dict[str, list[str]]:
    """What reviewers should know, by person."""
    clashing = await admissions.clashes(page.platform, item, found)
    known = await admissions.known_as(page.platform, found)
    holding = await certificates.holders(page.platform, sorted(known.values()), item.level, item.major_name)
    return {one: admissions.warnings(item, clashing.get(one), as_ in holding) for one, as_ in known.items()}


class EnrolmentForm(EnrolmentDraft):
    opens: Annotated[BeijingMoment, Field(title="报名开始")]
    closes: Annotated[BeijingMoment, Field(title="报名截止")]
    to_bring: Annotated[str, Field(title="需携带的物品", min_length=2, max_length=500)]


@step(Enrolment, Permission.ADMISSIONS_MANAGE)
async def save_settings(page: Enrolment, class_id: str) -> str:
    wanted, seen = page.form(EnrolmentForm), page.form(Saving).seen
    wanted = wanted.model_copy(update={"questions": questions_of(page)})
    await admissions.open_enrolment(page.platform, page.actor, class_id, wanted, seen)
    return "报名设置已保存，教师可在小程序中按所设时间报名。"


async def called(page: PageHandler, applicant_id: str, class_id: str) -> str:
    return (await admissions.applicant(page.platform, page.actor, class_id, applicant_id)).name


@batch(Enrolment, Permission.ADMISSIONS_MANAGE, "已同意 {} 份报名，录取还是候补见“状态”。", called)
async def agree_to_several(page: Enrolment, applicant_id: str, _: BaseModel, class_id: str) -> None:
    await admissions.review(page.platform, page.actor, class_id, applicant_id, Verdict(agree=True))


@batch(Enrolment, Permission.ADMISSIONS_MANAGE, "已记录不同意 {} 份报名。", called, ReasonForm)
async def refuse_several(page: Enrolment, applicant_id: str, form: ReasonForm, class_id: str) -> None:
    refusal = Verdict(agree=False, reason=form.reason)
    await admissions.review(page.platform, page.actor, class_id, applicant_id, refusal)


SHEET = Sheet[Applicant](
    "报名名单",
    [
        Column("姓名", 14, lambda one: one.name),
        Column("证件号", 22, lambda one: one.id_number_masked),
        Column("工作单位", 30, lambda one: one.work_unit),
        Column("职务/职称", 16, lambda one: one.post),
        Column("任教年限", 10, lambda one: one.years_of_teaching),
        Column("任教专业", 18, lambda one: one.major_taught),
        Column("报名时间", 18, lambda one: f"{one.applied_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"),
        Column("状态", 12, lambda one: one.state.label),
        Column("理由", 30, lambda one: one.reason()),
    ],
    numbered=True,
)


def sheet_with(questions: Sequence[Question]) -> Sheet[Applicant]:
    """With the answers to each question that the class asks."""

    def answers_to(question: Question) -> Column[Applicant]:
        return Column(question.title, 24, lambda one: one.answers.get(question.key, ""))

    return replace(SHEET, columns=[*SHEET.columns, *map(answers_to, questions)])


@download(Permission.ADMISSIONS_READ, rate=EXPORT_RATE)
async def export(page: PageHandler, class_id: str) -> Download:
    seen = await admissions.class_enrolment(page.platform, page.actor, class_id)
    found = await admissions.applicants(page.platform, class_id)
    sheet = sheet_with(seen.admission.questions if seen.admission else [])
    return await sheet.download(found[::-1], seen.training_class.name)


class OneApplicant(PageHandler):
    address = Enrolment.address
    get = shows(Permission.ADMISSIONS_READ)

    async def show(self, class_id: str, applicant_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await admissions.applicant(self.platform, self.actor, class_id, applicant_id)
        seen = await admissions.class_enrolment(self.platform, self.actor, class_id)
        self.render_page(
            "admissions/applicant.html",
            training_class=seen.training_class,
            applicant=found,
            questions=seen.admission.questions if seen.admission else [],
            warnings=(await warnings(self, seen.training_class, [found]))[found.person_id],
            may_review=holds(self.actor, Permission.ADMISSIONS_MANAGE) and found.state in INSTITUTION_REVIEWS,
            **outcome,
        )


@step(OneApplicant, Permission.ADMISSIONS_MANAGE)
async def review(page: OneApplicant, class_id: str, applicant_id: str) -> str:
    verdict = page.form(Verdict)
    reviewed = await admissions.review(page.platform, page.actor, class_id, applicant_id, verdict)
    return f"{reviewed.name}的报名：{reviewed.state.label}。"


# ---- needs analysis


class ClassNeeds(PageHandler):
    address = "/admin/classes/{class_id}/needs"
    get = shows(Permission.ADMISSIONS_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page(
            "admissions/needs.html",
            training_class=await classes.get_class(self.platform, self.actor, class_id),
            needs=await needs.needs_of_class(self.platform, class_id),
            **outcome,
        )


@step(ClassNeeds, Permission.ADMISSIONS_MANAGE)
async def note(page: ClassNeeds, class_id: str) -> str:
    await needs.add_note(page.platform, page.actor, class_id, page.form(NoteDraft))
    return "调整说明已记录。"


class NeedsTemplate(PageHandler):
    address = "/admin/needs"
    get = shows(Permission.ADMISSIONS_READ)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        version, questions = await needs.current_template(self.platform)
        lines = "\n".join(one.line for one in questions)
        self.render_page(
            "admissions/template.html",
            version=version,
            questions=questions,
            versions=await needs.templates(self.platform),
            **outcome | {"values": {"questions": questions_of(self) or lines} | outcome["values"]},
        )


class TemplateForm(BaseModel):
    reason: Annotated[Reason, Field(title="修改说明")]


@step(NeedsTemplate, Permission.ADMISSIONS_TEMPLATE)
async def publish_template(page: NeedsTemplate) -> str:
    form, seen = page.form(TemplateForm), page.form(Saving).seen
    wanted = TemplateDraft(questions=questions_of(page), reason=form.reason)
    new = await needs.set_template(page.platform, page.actor, wanted, seen)
    return f"第 {new.version} 版问卷已发布，此后开放报名的培训班使用新问卷。"


# ---- the reception desk


class Sought(BaseModel):
    """Posted and not asked for: what is typed at the desk stands in no address."""

    sought: Annotated[str, Field(title="学员", max_length=60)] = ""
    """A name, digits, or somebody's personal code: never kept."""


class Arrivals(PageHandler):
    address = "/admin/classes/{class_id}/arrivals"
    get = shows(Permission.ADMISSIONS_READ)

    async def show(
        self, class_id: str, person_id: str = "", outcome: Outcome = NO_ERRORS, *, words: str = ""
    ) -> None:
        desk = await arrival.desk(self.platform, self.actor, class_id, words=words, person_id=person_id)
        released = desk.training_class.results_released_at is not None
        self.render_page(
            "admissions/arrivals.html",
            training_class=desk.training_class,
            desk=desk,
            words=words,
            may_manage=holds(self.actor, Permission.ADMISSIONS_MANAGE) and not released,
            **outcome,
        )


@step(Arrivals, Permission.ADMISSIONS_MANAGE)
async def find_arrival(page: Arrivals, class_id: str) -> None:
    await page.show(class_id, words=page.form(Sought).sought)


class ArrivalCard(Arrivals):
    get = shows(Permission.ADMISSIONS_MANAGE)


class ArrivalForm(BaseModel):
    pledge_on_paper: bool = False
    phone_digits: Annotated[str, Field(title="手机核对码", max_length=20)] = ""


@step(ArrivalCard, Permission.ADMISSIONS_MANAGE)
async def confirm_arrival(page: ArrivalCard, class_id: str, person_id: str) -> str:
    form = page.form(ArrivalForm)
    await arrival.confirm_arrival(
        page.platform,
        page.actor,
        class_id,
        person_id,
        pledge_on_paper=form.pledge_on_paper,
        phone_digits=form.phone_digits,
    )
    return "已办理报到，现在可以签到。"


class UndoDialog(PageHandler):
    address = Arrivals.address
    get = shows(Permission.ADMISSIONS_MANAGE)

    async def show(self, class_id: str, person_id: str, outcome: Outcome = NO_ERRORS) -> None:
        desk = await arrival.desk(self.platform, self.actor, class_id, person_id=person_id)
        self.render_page(
            "admissions/undo_arrival.html",
            training_class=desk.training_class,
            row=desk.found[0],
            step_titles=arrival.STEP_TITLES,
            **outcome,
        )


@step(UndoDialog, Permission.ADMISSIONS_MANAGE)
async def undo_arrival(page: UndoDialog, class_id: str, person_id: str) -> str:
    await arrival.undo_arrival(page.platform, page.actor, class_id, person_id, page.form(ReasonForm).reason)
    return "已撤销报到。核对清楚后可以重新办理。"


_ID = r"[0-9a-f]{24}"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
_PERSON = rf"(?P<person_id>{_ID})"
ROUTES: list[Route] = [
    (r"/admin/needs", publish_template),
    (rf"{_CLASS}/enrolment", save_settings),
    (rf"{_CLASS}/enrolment/agree", agree_to_several),
    (rf"{_CLASS}/enrolment/refuse", refuse_several),
    (rf"{_CLASS}/enrolment/export", export),
    (rf"{_CLASS}/enrolment/(?P<applicant_id>{_ID})", review),
    (rf"{_CLASS}/needs", note),
    (rf"{_CLASS}/arrivals", find_arrival),
    (
        rf"{_CLASS}/arrivals/export",
        file_of(arrival_sheet.sheet_of_class, Permission.ADMISSIONS_READ, rate=EXPORT_RATE),
    ),
    (rf"{_CLASS}/arrivals/{_PERSON}", confirm_arrival),
    (rf"{_CLASS}/arrivals/{_PERSON}/undo", undo_arrival),
]
