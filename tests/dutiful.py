"""Duties for the tests: a class that is over, guidance that was logged, a teacher's year, through the platform's services."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from server.classes.rules import Kind
from server.duties import service as duties
from server.duties.documents import Guidance
from server.duties.rules import Way
from server.duties.service import GuidanceDraft
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.memory import remembered
from tests.stage import ClassInSession, Phone
from tests.surveying import answer, clock_of, let_it_end, open_survey

A_WEEK_AFTER = datetime(2026, 4, 3, 4, tzinfo=UTC)
"""The class of stage.class_draft ended on 2026-03-27."""


@remembered
async def class_that_is_over(platform: Platform, wechat: Simulator, trainees: int = 1) -> ClassInSession:
    """The class of 邢台 of March 2026, a week after its last day."""
    held = await stage.class_in_session(platform, wechat, trainees=trainees)
    clock_of(platform).set(A_WEEK_AFTER)
    return held


def guidance_draft(held: ClassInSession, trainee: Phone, **changes: object) -> GuidanceDraft:
    draft: dict[str, object] = {
        "class_id": held.id,
        "trainee_id": trainee.actor.id,
        "given_on": date(2026, 4, 2),
        "way": Way.ONLINE,
        "about": "帮助修改学习任务设计，讨论过程性考核的评分点。",
        "minutes": 40,
        "nonce": "guidance-1",
    }
    return GuidanceDraft.model_validate(draft | changes)


async def logged(platform: Platform, held: ClassInSession, number: int = 1) -> Guidance:
    """Guidance of the class's teacher for its first trainee."""
    draft = guidance_draft(held, held.trainees[0], nonce=f"guidance-{number}")
    guidance, _ = await duties.log_guidance(platform, held.teacher.actor, draft)
    return guidance


async def another_class(
    platform: Platform,
    held: ClassInSession,
    starts_on: date,
    kind: Kind = Kind.TEACHING,
    *,
    days: int = 10,
    name: str = "另一个培训班",
) -> str:
    """A further task of the teacher's, in a class of the same institution: the class's id."""
    period = {"starts_on": starts_on, "ends_on": starts_on + timedelta(days=days), "name": name}
    new = await stage.open_class(platform, held.officer, stage.class_draft(**period))
    await stage.teach(platform, held.officer, new.id, held.teacher, kind)
    return new.id


async def rated(platform: Platform, held: ClassInSession, points: int) -> None:
    """All trainees of the class rate it so; the survey is over, and not reckoned up yet."""
    survey = await open_survey(platform, held)
    await answer(platform, survey, held.trainees, points)
    let_it_end(platform, survey)
