"""The satisfaction survey of a class: set it up, watch how many have answered, see the results when it is over."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from pydantic import BaseModel

from admin.handler import NO_ERRORS, PageHandler
from admin.moments import BeijingMoment, as_typed
from server.classes.documents import TrainingClass
from server.kernel.clock import BEIJING
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.surveys import rules
from server.surveys import service as surveys
from server.surveys.service import SurveyDraft

USUAL_DAYS = 7
"""What the form proposes: open from now until so many days after the class ends."""


class PeriodForm(BaseModel):
    opens_at: BeijingMoment
    closes_at: BeijingMoment


class ClosingForm(BaseModel):
    closes_at: BeijingMoment


def proposed_period(training_class: TrainingClass, now: datetime) -> dict[str, str]:
    last_day = max(training_class.ends_on, now.astimezone(BEIJING).date()) + timedelta(days=USUAL_DAYS)
    return {
        "opens_at": as_typed(now),
        "closes_at": as_typed(datetime.combine(last_day, time(18), tzinfo=BEIJING)),
    }


class SurveyPage(PageHandler):
    async def show(self, class_id: str, **context: Any) -> None:
        seen = await surveys.class_survey(self.platform, self.actor, class_id)
        proposed = (
            {"closes_at": as_typed(seen.survey.closes_at)}
            if seen.survey
            else proposed_period(seen.training_class, self.platform.clock.now())
        )
        context["values"] = proposed | context["values"]
        self.render_page(
            "surveys/survey.html",
            training_class=seen.training_class,
            tab="survey",
            seen=seen,
            results_at=rules.settled_at(seen.survey.closes_at) if seen.survey else None,
            scale=rules.SCALE,
            teacher_topics=rules.TEACHER_TOPICS,
            organisation_topics=rules.ORGANISATION_TOPICS,
            remarks=rules.REMARKS,
            mark=rules.SATISFACTION_MARK,
            may_manage=holds(self.actor, Permission.SURVEYS_MANAGE),
            **context,
        )


class ClassSurvey(SurveyPage):
    @allow(Permission.SURVEYS_READ)
    async def get(self, class_id: str) -> None:
        await self.show(class_id, **NO_ERRORS)

    @allow(Permission.SURVEYS_MANAGE)
    async def post(self, class_id: str) -> None:
        try:
            draft = SurveyDraft.model_validate(self.form(PeriodForm).model_dump())
            survey = await surveys.open_survey(self.platform, self.actor, class_id, draft)
        except Problem as problem:
            return await self.show(class_id, **self.refuse(problem))
        self.flash(f"满意度评价已发起，共 {len(survey.questions)} 题，已通知本班参训教师。")
        return self.see_other(f"/admin/classes/{class_id}/survey")


class MoveClosing(SurveyPage):
    @allow(Permission.SURVEYS_MANAGE)
    async def post(self, class_id: str) -> None:
        try:
            wanted = self.form(ClosingForm)
            await surveys.move_closing(self.platform, self.actor, class_id, wanted.closes_at)
        except Problem as problem:
            return await self.show(class_id, **self.refuse(problem))
        self.flash("截止时间已修改。")
        return self.see_other(f"/admin/classes/{class_id}/survey")


class CloseSurvey(SurveyPage):
    @allow(Permission.SURVEYS_MANAGE)
    async def post(self, class_id: str) -> None:
        try:
            await surveys.close_survey(self.platform, self.actor, class_id)
        except Problem as problem:
            return await self.show(class_id, **self.refuse(problem))
        self.flash("评价已截止，一分钟后公布结果。")
        return self.see_other(f"/admin/classes/{class_id}/survey")


ROUTES: list[Route] = [
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})/survey", ClassSurvey),
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})/survey/closing", MoveClosing),
    (r"/admin/classes/(?P<class_id>[0-9a-f]{24})/survey/close", CloseSurvey),
]
