"""Surveys for the tests: set up, answered and over, through the services of the platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from server.attendance import timetable, work
from server.classes import service as classes
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from server.surveys.documents import Survey
from server.surveys.opening import SurveyDraft
from server.surveys.rules import SETTLING, QuestionKind
from server.surveys.unsealing import unseal_due
from tests import stage
from tests.stage import ClassInSession, Phone


def clock_of(platform: Platform) -> FixedClock:
    assert isinstance(platform.clock, FixedClock)
    return platform.clock


async def open_survey(platform: Platform, opened: ClassInSession, days: int = 7) -> Survey:
    """Opens the survey of a class as soon as its last session has ended: the clock moves there. A class without one gets a short one."""
    last = await work.last_end(platform, opened.id)
    if last is None:
        await short_session(platform, opened)
        last = await work.last_end(platform, opened.id)
    assert last is not None
    clock_of(platform).set(max(platform.clock.now(), last))
    await stage.come(platform, opened.id)
    now = platform.clock.now()
    draft = SurveyDraft(opens_at=now, closes_at=now + timedelta(days=days))
    return await survey_opening.open_survey(platform, opened.officer, opened.id, draft)


async def short_session(platform: Platform, opened: ClassInSession) -> None:
    """A session of an hour that begins now, or on the first day of the class."""
    first = datetime.combine(opened.training_class.starts_on, time(1), UTC)
    starts_at = max(platform.clock.now(), first)
    draft = stage.session_draft(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), hours=1)
    await timetable.add_session(platform, opened.officer, opened.id, draft)


async def past_survey(platform: Platform, class_id: str) -> None:
    """The class has had its survey, which is over, and nobody answered it."""
    if await surveys.survey_of_class(platform, class_id):
        return
    now = platform.clock.now()
    found = (await classes.classes_of(platform, [class_id]))[class_id]
    over = Survey(
        class_id=class_id,
        class_name=found.name,
        institution_code=found.institution_code,
        province_code=found.province_code,
        year=found.ends_on.year,
        teacher_ids=[],
        questions=[],
        opens_at=now - timedelta(days=4),
        closes_at=now - timedelta(hours=1),
        smallest_group=5,
        created_at=now - timedelta(days=4),
        created_by="平台",
    )
    await platform["surveys"].insert_one(over.to_mongo())


def answers_to(survey: Survey, points: int = 3, remark: str = "") -> dict[str, int | str]:
    answers: dict[str, int | str] = {
        one.key: points for one in survey.questions if one.kind is QuestionKind.SCALE
    }
    [text] = [one.key for one in survey.questions if one.kind is QuestionKind.TEXT]
    return answers | {text: remark}


async def answer(platform: Platform, survey: Survey, phones: Sequence[Phone], points: int = 3) -> None:
    for phone in phones:
        await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey, points))


async def let_it_end(platform: Platform, survey: Survey) -> None:
    """Lets the time pass until results may be shown, and the scheduled work unseal them."""
    clock_of(platform).set(survey.closes_at + SETTLING)
    assert await unseal_due(platform) == []
