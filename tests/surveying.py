"""Surveys for the tests: set up, answered and over, through the services of the platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.surveys import service as surveys
from server.surveys.documents import Survey
from server.surveys.rules import SETTLING, QuestionKind
from server.surveys.service import SurveyDraft
from tests.stage import ClassInSession, Phone


def clock_of(platform: Platform) -> FixedClock:
    assert isinstance(platform.clock, FixedClock)
    return platform.clock


async def open_survey(platform: Platform, opened: ClassInSession, days: int = 7) -> Survey:
    """Opens the survey of a class from now on."""
    now = platform.clock.now()
    draft = SurveyDraft(opens_at=now, closes_at=now + timedelta(days=days))
    return await surveys.open_survey(platform, opened.officer, opened.id, draft)


def answers_to(survey: Survey, points: int = 3, remark: str = "") -> dict[str, int | str]:
    answers: dict[str, int | str] = {
        one.key: points for one in survey.questions if one.kind is QuestionKind.SCALE
    }
    [text] = [one.key for one in survey.questions if one.kind is QuestionKind.TEXT]
    return answers | {text: remark}


async def answer(platform: Platform, survey: Survey, phones: Sequence[Phone], points: int = 3) -> None:
    for phone in phones:
        await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey, points))


def let_it_end(platform: Platform, survey: Survey) -> None:
    """Lets the time pass until results may be shown."""
    clock_of(platform).set(survey.closes_at + SETTLING)
