"""满意度评价: what a trainee answers, and what a backbone teacher learns of the own teaching."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from server.classes.rules import NotArrived
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.surveys import rules
from server.surveys import service as surveys
from server.surveys.rules import QuestionKind, SurveyState, Tally
from server.surveys.service import MySurvey, RemarkUnchecked, SurveyNotOpen, TaughtClass, TeachersYear
from server.wechat.content import ContentRefused


class SurveyItem(Response):
    id: str
    class_id: str
    class_name: str
    supplement: bool
    """补充评价: it asks only about who taught or assessed after the survey of the class had opened."""
    opens_at: datetime
    closes_at: datetime
    state: SurveyState
    answered: bool


class ScalePoint(Response):
    points: int
    label: str


class SurveyQuestionItem(Response):
    key: str
    """What names the answer in `answers`."""
    kind: QuestionKind
    topic: str
    teacher_name: str | None
    """None: about the organisation, or the class as a whole."""


class SurveyAnswer(SurveyItem):
    scale: list[ScalePoint]
    questions: list[SurveyQuestionItem]


class ResponsesRequest(Request):
    """Each scale question 1 to 3 points; a text at most 1000 characters, and it may be left out."""

    answers: Annotated[
        dict[Annotated[str, Field(max_length=40)], StrictInt | StrictStr], Field(max_length=500)
    ]


class AnsweredAnswer(Response):
    survey_id: str
    answered: bool


class SatisfactionQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    year: Annotated[int | None, Field(ge=2000, le=2100)] = None
    """This year when left out."""


class MeanAnswer(Response):
    mean: float
    """Of 3, two decimals."""
    answers: int
    counts: dict[str, int]
    """How often "3", "2" and "1" points were given."""
    meets_mark: bool
    """At least 2 of 3 (article 8)."""


class TaughtClassItem(Response):
    class_id: str
    class_name: str
    state: SurveyState
    responses: int
    smallest_group: int
    result: MeanAnswer | None
    """null as long as the survey runs, and for good when fewer than the smallest group have answered."""


class SatisfactionAnswer(Response):
    year: int
    result: MeanAnswer | None
    """Over the classes that are shown."""
    classes: list[TaughtClassItem]


def survey_fields(mine: MySurvey) -> dict[str, object]:
    survey = mine.survey
    return {
        "id": survey.id,
        "class_id": survey.class_id,
        "class_name": survey.class_name,
        "supplement": survey.supplement,
        "opens_at": survey.opens_at,
        "closes_at": survey.closes_at,
        "state": mine.state,
        "answered": mine.answered,
    }


def survey_answer(mine: MySurvey) -> SurveyAnswer:
    return SurveyAnswer.model_validate(
        survey_fields(mine)
        | {
            "scale": [ScalePoint(points=points, label=label) for points, label in rules.SCALE.items()],
            "questions": [SurveyQuestionItem.model_validate(one) for one in mine.survey.questions],
        }
    )


def mean_answer(tally: Tally | None) -> MeanAnswer | None:
    if tally is None or not tally.answers:
        return None
    return MeanAnswer(
        mean=float(tally.mean),
        answers=tally.answers,
        counts={str(points): tally.counts[points - 1] for points in rules.SCALE},
        meets_mark=tally.meets_mark,
    )


def satisfaction_answer(year: TeachersYear, now: datetime) -> SatisfactionAnswer:
    def item(taught: TaughtClass) -> TaughtClassItem:
        survey = taught.survey
        return TaughtClassItem(
            class_id=survey.class_id,
            class_name=survey.class_name,
            state=survey.state_at(now),
            responses=taught.responses,
            smallest_group=survey.smallest_group,
            result=mean_answer(taught.tally),
        )

    return SatisfactionAnswer(
        year=year.year, result=mean_answer(year.tally), classes=[item(taught) for taught in year.classes]
    )


class Surveys(ApiHandler):
    @operation(
        Permission.SURVEYS_ANSWER,
        summary="My open surveys, and which of them I have answered; a page covers `limit` of my classes",
        query=Paging,
        answers={200: Page[SurveyItem]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found, cursor = await surveys.my_surveys(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        items = [SurveyItem.model_validate(survey_fields(one)) for one in found]
        self.answer(Page[SurveyItem](items=items, next=cursor))


class OneSurvey(ApiHandler):
    @operation(Permission.SURVEYS_ANSWER, summary="The questions of a survey", answers={200: SurveyAnswer})
    async def get(self, survey_id: str) -> None:
        self.answer(survey_answer(await surveys.my_survey(self.platform, self.actor, survey_id)))


class Responses(ApiHandler):
    @operation(
        Permission.SURVEYS_ANSWER,
        summary="Answer a survey, once and anonymously; sent again, nothing is counted twice",
        body=ResponsesRequest,
        answers={201: AnsweredAnswer, 200: AnsweredAnswer},
        problems=(SurveyNotOpen, NotArrived, ContentRefused, RemarkUnchecked),
        rate="60/hour",
        rate_by="phone",
        anonymous=True,
    )
    async def post(self, survey_id: str) -> None:
        answers = self.body(ResponsesRequest).answers
        first = await surveys.answer_survey(self.platform, self.actor, survey_id, answers)
        self.answer(AnsweredAnswer(survey_id=survey_id, answered=True), status=201 if first else 200)


class Satisfaction(ApiHandler):
    @operation(
        Permission.SURVEYS_OWN_MEANS,
        summary="How my teaching was rated in a year (article 8)",
        query=SatisfactionQuery,
        answers={200: SatisfactionAnswer},
    )
    async def get(self) -> None:
        year = await surveys.my_satisfaction(self.platform, self.actor, self.query(SatisfactionQuery).year)
        self.answer(satisfaction_answer(year, self.platform.clock.now()))


ROUTES: list[Route] = [
    (r"/api/v1/surveys", Surveys),
    (r"/api/v1/surveys/(?P<survey_id>[0-9a-f]{24})", OneSurvey),
    (r"/api/v1/surveys/(?P<survey_id>[0-9a-f]{24})/responses", Responses),
    (r"/api/v1/teaching/satisfaction", Satisfaction),
]
