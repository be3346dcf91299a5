"""履职与后续指导: a backbone teacher's year and the guidance after a class, and what a trainee says to it (article 8.4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from miniprogram_api.screening import flag, screen
from miniprogram_api.surveys import MeanAnswer, mean_answer
from server.classes.rules import Kind
from server.classes.work import Progress
from server.duties import service as duties
from server.duties.documents import Guidance
from server.duties.rules import EARLIEST_YEAR, GuidanceSettled, Standing, State, Way
from server.duties.service import DutyYear, GuidanceDraft, Objection
from server.invitations.rules import Task
from server.kernel.errors import NonceReused, NotFound
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.wechat.content import ContentRefused


class YearQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    year: Annotated[int | None, Field(ge=EARLIEST_YEAR, le=2100)] = None
    """This year when left out."""


class DutyTaskAnswer(Response):
    class_id: str
    class_name: str
    kind: Kind
    kind_title: str
    starts_on: date
    ends_on: date
    done: bool
    """Whether the class is over and own work was done in it: own sessions, or own grades."""
    progress: Progress
    """PLANNED while the class is not over; then DONE, or LAPSED where nothing was done."""
    progress_title: str


class GuidanceCounts(Response):
    confirmed: int
    waiting: int
    disputed: int


class DutyAnswer(Response):
    year: int
    standing: Standing
    standing_title: str
    required: int
    """授课 tasks owed of the year; less than 2 for who was not in the pool all the year."""
    teaching_done: int
    teaching_planned: int
    """Accepted, and the class not over yet."""
    missing: int
    """Still to be done; those planned count when they are done."""
    assessment_done: int
    assessment_planned: int
    satisfaction: MeanAnswer | None
    """null as long as no class of the year has results that may be shown."""
    guidance: GuidanceCounts
    tasks: list[DutyTaskAnswer]


class GuidanceRequest(Request, GuidanceDraft):
    """`nonce` makes the same guidance, sent again over a bad network, one entry."""


class DisputeRequest(Request, Objection):
    """The teacher reads the reason."""


class GuidanceAnswer(Response):
    id: str
    class_id: str
    class_name: str
    teacher_name: str
    trainee_id: str
    trainee_name: str
    given_on: date
    way: Way
    way_title: str
    about: str
    minutes: int
    state: State
    state_title: str
    objection: str
    """The trainee's reason where the state is DISPUTED, else empty."""
    logged_at: datetime


def duty_answer(seen: DutyYear) -> DutyAnswer:
    def task(one: Task) -> DutyTaskAnswer:
        return DutyTaskAnswer(
            class_id=one.class_id,
            class_name=one.class_name,
            kind=one.kind,
            kind_title=one.kind.label,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            done=one.progress_on(seen.today) is Progress.DONE,
            progress=one.progress_on(seen.today),
            progress_title=one.progress_on(seen.today).label,
        )

    return DutyAnswer(
        year=seen.year,
        standing=seen.standing,
        standing_title=seen.standing.label,
        required=seen.required,
        teaching_done=seen.teaching_done,
        teaching_planned=seen.teaching_planned,
        missing=seen.missing,
        assessment_done=seen.assessment_done,
        assessment_planned=seen.assessment_planned,
        satisfaction=mean_answer(seen.tally),
        guidance=GuidanceCounts(
            confirmed=seen.guidance[State.CONFIRMED],
            waiting=seen.guidance[State.WAITING],
            disputed=seen.guidance[State.DISPUTED],
        ),
        tasks=[task(one) for one in seen.tasks],
    )


def guidance_answer(one: Guidance) -> GuidanceAnswer:
    return GuidanceAnswer(
        **one.model_dump(include=_TOLD),
        way_title=one.way.label,
        state_title=one.state.label,
        objection=one.objection,
    )


_TOLD = GuidanceAnswer.model_fields.keys() & Guidance.model_fields.keys()


def guidance_page(found: list[Guidance], limit: int) -> Page[GuidanceAnswer]:
    following = found[-1].id if len(found) == limit else None
    return Page[GuidanceAnswer](items=[guidance_answer(one) for one in found], next=following)


# ---- the teacher


class MyDuties(ApiHandler):
    @operation(
        Permission.DUTIES_OWN,
        summary="My year as a backbone teacher, also a former one: tasks done, planned and owed, satisfaction, guidance",
        query=YearQuery,
        answers={200: DutyAnswer},
        problems=(NotFound,),
    )
    async def get(self) -> None:
        year = self.query(YearQuery).year
        self.answer(duty_answer(await duties.my_year(self.platform, self.actor, year)))


class GivenGuidance(ApiHandler):
    @operation(
        Permission.DUTIES_OWN,
        summary="The follow-up guidance that I logged, last first",
        query=Paging,
        answers={200: Page[GuidanceAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found = await duties.my_guidance(self.platform, self.actor, before=paging.cursor, limit=paging.limit)
        self.answer(guidance_page(found, paging.limit))

    @operation(
        Permission.DUTIES_LOG,
        summary="Log guidance given to a former trainee of a class I taught; sent again, it is logged once",
        body=GuidanceRequest,
        answers={201: GuidanceAnswer, 200: GuidanceAnswer},
        problems=(NotFound, ContentRefused, NonceReused),
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self) -> None:
        asked = self.body(GuidanceRequest)
        logged, new = await duties.log_guidance(self.platform, self.actor, asked)
        self.answer(guidance_answer(logged), status=201 if new else 200)


# ---- the trainee


class ReceivedGuidance(ApiHandler):
    @operation(
        Permission.DUTIES_ANSWER,
        summary="The follow-up guidance that teachers logged as given to me, last first",
        query=Paging,
        answers={200: Page[GuidanceAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found = await duties.guidance_received(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        self.answer(guidance_page(found, paging.limit))


class OneReceived(ApiHandler):
    @operation(
        Permission.DUTIES_ANSWER,
        summary="Guidance that a teacher logged as given to me",
        answers={200: GuidanceAnswer},
    )
    async def get(self, guidance_id: str) -> None:
        self.answer(guidance_answer(await duties.received(self.platform, self.actor, guidance_id)))


class Confirm(ApiHandler):
    @operation(
        Permission.DUTIES_ANSWER,
        summary="Confirm that the guidance was given; sent again, it answers the same",
        answers={200: GuidanceAnswer},
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self, guidance_id: str) -> None:
        self.answer(guidance_answer(await duties.confirm(self.platform, self.actor, guidance_id)))


class Dispute(ApiHandler):
    @operation(
        Permission.DUTIES_ANSWER,
        summary="Dispute it, with a reason that the teacher reads; sent again, it answers the same",
        body=DisputeRequest,
        answers={200: GuidanceAnswer},
        problems=(GuidanceSettled, ContentRefused),
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self, guidance_id: str) -> None:
        asked = self.body(DisputeRequest)
        screened = await screen(self, {"reason": asked.reason}, duties.dispute, guidance_id, asked)
        disputed = await duties.dispute(self.platform, self.actor, guidance_id, asked)
        await flag(self, screened, f"guidance:{guidance_id}", "对后续指导的异议", disputed.class_id)
        self.answer(guidance_answer(disputed))


_ONE = r"/api/v1/guidance/(?P<guidance_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/api/v1/teaching/duties", MyDuties),
    (r"/api/v1/teaching/guidance", GivenGuidance),
    (r"/api/v1/guidance", ReceivedGuidance),
    (_ONE, OneReceived),
    (rf"{_ONE}/confirm", Confirm),
    (rf"{_ONE}/dispute", Dispute),
]
