"""报名 and 审核: classes that take applications, my applications, and the word of the backbone teacher (article 4.4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.classes import ClassAnswer, ClassHandler
from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from server.accounts.binding import AlreadyBound, RealName
from server.accounts.codes import PersonalCodeWrong
from server.accounts.consents import ConsentOutdated
from server.accounts.rules import IdNumberInvalid
from server.admissions import applying
from server.admissions import service as admissions
from server.admissions.applying import (
    AlreadyEnrolled,
    ApplicationDraft,
    OpenClass,
    PhoneWaits,
    RealNameNeeded,
    TeachesThisClass,
)
from server.admissions.documents import Applicant
from server.admissions.rules import NotInThisState, NotOpen, State
from server.admissions.service import ClassIsOver, Verdict
from server.certificates import service as certificates
from server.classes.documents import OpenClassFilter, TrainingClass
from server.classes.enrolment import DatesClash
from server.kernel.permissions import Permission
from server.kernel.reasons import OptionalReason
from server.kernel.web import Route
from server.wechat.content import ContentRefused
from server.wechat.errors import WeChatCodeInvalid, WeChatUnavailable

# ---- search and apply


class OpenClassQuery(Paging):
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    level: Annotated[str, Field(pattern=r"^[G123]$")] = ""
    major: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""
    month: Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")] = ""
    """In which the class begins, "2026-03"."""


class OpenClassItem(ClassAnswer):
    province_code: str
    enrolment_opens: datetime
    enrolment_closes: datetime
    places: int
    admitted: int
    waiting: int
    """How many wait for a place."""


class QuestionItem(Response):
    key: str
    """What names the answer in `answers`."""
    title: str
    options: list[str]
    """One of them is the answer; none: words, or nothing."""


class OpenClassAnswer(OpenClassItem):
    questions: list[QuestionItem]
    """需求调查, answered with the application."""
    reporting: str
    to_bring: str


class ApplicationRequest(Request):
    work_unit: Annotated[str, Field(min_length=2, max_length=60)]
    post: Annotated[str, Field(min_length=1, max_length=40)]
    years_of_teaching: Annotated[int, Field(ge=0, le=60)]
    major_taught: Annotated[str, Field(min_length=1, max_length=40)]
    answers: Annotated[
        dict[Annotated[str, Field(max_length=10)], Annotated[str, Field(max_length=1000)]],
        Field(max_length=60, default_factory=dict),
    ]
    real_name: RealName | None = None
    """Of a phone that is bound to nobody yet: it speaks for this person, with the consent that was given, as far as it proves to."""


class ApplicationAnswer(Response):
    id: str
    class_id: str
    class_name: str
    state: State
    state_title: str
    reason: str
    """Why it was refused; empty otherwise."""
    applied_at: datetime


class MyApplicationItem(ApplicationAnswer):
    starts_on: date
    ends_on: date
    place: str
    institution_name: str


def open_class_fields(seen: OpenClass, facts: dict[str, object]) -> dict[str, object]:
    """`facts`: the fields of ClassAnswer."""
    item = seen.item
    return facts | {
        "province_code": item.province_code,
        "enrolment_opens": item.enrolment_opens,
        "enrolment_closes": item.enrolment_closes,
        "places": item.places,
        "admitted": item.admitted,
        "waiting": seen.waiting,
    }


def application_fields(one: Applicant) -> dict[str, object]:
    return {
        "id": one.id,
        "class_id": one.class_id,
        "class_name": one.class_name,
        "state": one.state,
        "state_title": one.state.label,
        "reason": one.reason(),
        "applied_at": one.applied_at,
    }


def application_answer(one: Applicant) -> ApplicationAnswer:
    return ApplicationAnswer.model_validate(application_fields(one))


class OpenClasses(ClassHandler):
    @operation(
        Permission.PHONE,
        summary="The classes of the country that take applications now, newest first",
        query=OpenClassQuery,
        answers={200: Page[OpenClassItem]},
    )
    async def get(self) -> None:
        wanted = self.query(OpenClassQuery)
        narrowed = OpenClassFilter(wanted.province, wanted.level, wanted.major, wanted.month)
        found = await applying.open_classes(self.platform, narrowed, before=wanted.cursor, limit=wanted.limit)
        items = [
            OpenClassItem.model_validate(open_class_fields(one, await self.facts(one.item))) for one in found
        ]
        cursor = found[-1].item.id if len(found) == wanted.limit else None
        self.answer(Page[OpenClassItem](items=items, next=cursor))


class OneOpenClass(ClassHandler):
    @operation(
        Permission.PHONE,
        summary="One of them, with the questions that an application answers",
        answers={200: OpenClassAnswer},
    )
    async def get(self, class_id: str) -> None:
        seen = await applying.open_class(self.platform, class_id)
        asked = seen.admission
        self.answer(
            OpenClassAnswer.model_validate(
                open_class_fields(seen, await self.facts(seen.item))
                | {
                    "questions": asked.questions if asked else [],
                    "reporting": asked.reporting if asked else "",
                    "to_bring": asked.to_bring if asked else "",
                }
            )
        )


class Apply(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Apply for a class; sent again, it answers the same",
        body=ApplicationRequest,
        largest=512 * 2**10,
        answers={201: ApplicationAnswer, 200: ApplicationAnswer},
        problems=(
            ContentRefused,
            NotOpen,
            RealNameNeeded,
            AlreadyEnrolled,
            TeachesThisClass,
            DatesClash,
            ConsentOutdated,
            IdNumberInvalid,
            AlreadyBound,
            PersonalCodeWrong,
            PhoneWaits,
            WeChatCodeInvalid,
            WeChatUnavailable,
        ),
        rate="20/hour",
        rate_by="phone",
    )
    async def post(self, class_id: str) -> None:
        draft = ApplicationDraft.model_validate(self.body(ApplicationRequest).model_dump())
        applied, new = await applying.apply(self.platform, self.actor, class_id, draft)
        self.answer(application_answer(applied), status=201 if new else 200)


def my_application_item(one: Applicant, item: TrainingClass) -> MyApplicationItem:
    told = item.model_dump(include={"starts_on", "ends_on", "place", "institution_name"})
    return MyApplicationItem.model_validate(application_fields(one) | told)


class MyApplications(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY,
        summary="My applications, newest first",
        query=Paging,
        answers={200: Page[MyApplicationItem]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found, cursor = await applying.my_applications(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        items = [my_application_item(one, item) for one, item in found]
        self.answer(Page[MyApplicationItem](items=items, next=cursor))


class MyApplication(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY, summary="One of my applications", answers={200: MyApplicationItem}
    )
    async def get(self, applicant_id: str) -> None:
        found = await applying.my_application(self.platform, self.actor, applicant_id)
        self.answer(my_application_item(*found))


class Withdraw(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY,
        summary="Take my application back; an admitted one only before the class begins",
        answers={200: ApplicationAnswer},
        problems=(NotInThisState,),
    )
    async def post(self, applicant_id: str) -> None:
        self.answer(application_answer(await applying.withdraw(self.platform, self.actor, applicant_id)))


# ---- backbone teachers review


class ApplicantQuery(Paging):
    state: State | None = None


class StepItem(Response):
    at: datetime
    who: str
    title: str
    reason: str


class ApplicantItem(ApplicationAnswer):
    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    post: str
    years_of_teaching: int
    major_taught: str
    answers: dict[str, str]
    warnings: list[str]
    """What reviewers should think of: another class in the same days, a second certificate of the level and 专业大类."""
    history: list[StepItem]


class ReviewRequest(Request):
    agree: bool
    reason: OptionalReason = ""
    """Needed when it is refused."""


class TaughtHandler(ApiHandler):
    async def told(self, training_class: TrainingClass, found: list[Applicant]) -> list[ApplicantItem]:
        clashing = await admissions.clashes(self.platform, training_class, found)
        known = await admissions.known_as(self.platform, found)
        holders = await certificates.holders(
            self.platform, sorted(known.values()), training_class.level, training_class.major_name
        )
        return [
            ApplicantItem.model_validate(
                application_fields(one)
                | one.model_dump(
                    include={
                        "person_id",
                        "name",
                        "id_number_masked",
                        "work_unit",
                        "post",
                        "years_of_teaching",
                        "major_taught",
                        "answers",
                    }
                )
                | {
                    "warnings": admissions.warnings(
                        training_class, clashing.get(one.person_id), known[one.person_id] in holders
                    ),
                    "history": [
                        StepItem(at=step.at, who=step.actor_name, title=action.label, reason=step.reason)
                        for step, action in one.steps
                    ],
                }
            )
            for one in found
        ]


class TaughtApplications(TaughtHandler):
    @operation(
        Permission.ADMISSIONS_REVIEW,
        summary="Who applied for a class that I teach, newest first (article 4.4)",
        query=ApplicantQuery,
        answers={200: Page[ApplicantItem]},
    )
    async def get(self, class_id: str) -> None:
        wanted = self.query(ApplicantQuery)
        training_class = await admissions.reviewed_class(self.platform, self.actor, class_id)
        found = await admissions.applicants(
            self.platform, class_id, wanted.state, before=wanted.cursor, limit=wanted.limit
        )
        cursor = found[-1].id if len(found) == wanted.limit else None
        self.answer(Page[ApplicantItem](items=await self.told(training_class, found), next=cursor))


class Review(TaughtHandler):
    @operation(
        Permission.ADMISSIONS_REVIEW,
        summary="Agree to an application for a class that I teach, or refuse it; sent again, it answers the same",
        body=ReviewRequest,
        answers={200: ApplicantItem},
        problems=(NotInThisState, ClassIsOver),
    )
    async def post(self, class_id: str, applicant_id: str) -> None:
        verdict = Verdict.model_validate(self.body(ReviewRequest).model_dump())
        reviewed = await admissions.review(self.platform, self.actor, class_id, applicant_id, verdict)
        training_class = await admissions.reviewed_class(self.platform, self.actor, class_id)
        [item] = await self.told(training_class, [reviewed])
        self.answer(item)


_ID = r"[0-9a-f]{24}"
_TEACHING = rf"/api/v1/teaching/classes/(?P<class_id>{_ID})"
ROUTES: list[Route] = [
    (r"/api/v1/open-classes", OpenClasses),
    (rf"/api/v1/open-classes/(?P<class_id>{_ID})", OneOpenClass),
    (rf"/api/v1/open-classes/(?P<class_id>{_ID})/applications", Apply),
    (r"/api/v1/my-applications", MyApplications),
    (rf"/api/v1/my-applications/(?P<applicant_id>{_ID})", MyApplication),
    (rf"/api/v1/my-applications/(?P<applicant_id>{_ID})/withdraw", Withdraw),
    (rf"{_TEACHING}/applications", TaughtApplications),
    (rf"{_TEACHING}/applications/(?P<applicant_id>{_ID})/review", Review),
]
