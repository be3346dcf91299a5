"""The satisfaction survey of a class: set it up, watch how many have answered, see the results when it is over."""

from __future__ import annotations

from datetime import datetime, time

from pydantic import BaseModel

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import EXPORT_RATE
from admin.moments import BeijingMoment, as_typed, proposed
from admin.steps import shows, step
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import BEIJING
from server.kernel.permissions import Permission
from server.kernel.seen import Saving
from server.kernel.web import Route
from server.surveys import opening as survey_opening
from server.surveys import rules, sheet
from server.surveys import service as surveys
from server.surveys.opening import SurveyDraft


class PeriodForm(SurveyDraft):
    opens_at: BeijingMoment
    closes_at: BeijingMoment


class ClosingForm(BaseModel):
    closes_at: BeijingMoment


def proposed_period(training_class: TrainingClass, now: datetime) -> dict[str, str]:
    last_day = max(training_class.ends_on, now.astimezone(BEIJING).date()) + rules.USUAL
    return {
        "opens_at": proposed(now),
        "closes_at": as_typed(datetime.combine(last_day, time(18), tzinfo=BEIJING)),
    }


class ClassSurvey(PageHandler):
    address = "/admin/classes/{class_id}/survey"
    get = shows(Permission.SURVEYS_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await surveys.class_survey(self.platform, self.actor, class_id)
        usual = (
            {"closes_at": as_typed(seen.survey.closes_at)}
            if seen.survey
            else proposed_period(seen.training_class, self.platform.clock.now())
        )
        self.render_page(
            "surveys/survey.html",
            training_class=seen.training_class,
            seen=seen,
            teachers=list((await classes.teachers_called(self.platform, seen.training_class)).values()),
            scale=rules.SCALE,
            teacher_topics=rules.TEACHER_TOPICS,
            organisation_topics=rules.ORGANISATION_TOPICS,
            remarks=rules.REMARKS,
            mark=rules.SATISFACTION_MARK,
            **outcome | {"values": usual | outcome["values"]},
        )


@step(ClassSurvey, Permission.SURVEYS_MANAGE)
async def open_survey(page: ClassSurvey, class_id: str) -> str:
    survey = await survey_opening.open_survey(page.platform, page.actor, class_id, page.form(PeriodForm))
    return f"满意度评价已发起，共 {len(survey.questions)} 题，已通知本班参训教师。"


@step(ClassSurvey, Permission.SURVEYS_MANAGE)
async def move_closing(page: ClassSurvey, class_id: str) -> str:
    wanted, seen = page.form(ClosingForm).closes_at, page.form(Saving).seen
    await surveys.move_closing(page.platform, page.actor, class_id, wanted, seen)
    return "截止时间已修改。"


@step(ClassSurvey, Permission.SURVEYS_MANAGE)
async def close_survey(page: ClassSurvey, class_id: str) -> str:
    await surveys.close_survey(page.platform, page.actor, class_id)
    return "评价已截止，一分钟后公布结果。"


_SURVEY = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/survey"
ROUTES: list[Route] = [
    (_SURVEY, open_survey),
    (rf"{_SURVEY}/closing", move_closing),
    (rf"{_SURVEY}/close", close_survey),
    (rf"{_SURVEY}/export", file_of(sheet.sheet_of_class, Permission.SURVEYS_READ, rate=EXPORT_RATE)),
]
