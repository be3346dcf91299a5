"""Duties for the tests: a class that is over, guidance that was logged, a teacher's year, through the platform's services."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from server.attendance import timetable
from server.classes.rules import Kind
from server.duties import service as duties
from server.duties.documents import Guidance
from server.duties.rules import Way
from server.duties.service import GuidanceDraft
from server.invitations import engagements
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.wechat.simulator import Simulator
from tests import stage
from tests.memory import remembered
from tests.stage import ClassInSession, Phone
from tests.surveying import answer, clock_of, let_it_end, open_survey

A_WEEK_AFTER = datetime(2026, 4, 3, 4, tzinfo=UTC)
"""The class of stage.class_draft ended on 2026-03-27."""


async def class_in_session(platform: Platform, wechat: Simulator, trainees: int = 2) -> ClassInSession:
    """The class of the stage, with a session that its teacher holds on the second day."""
    held = await stage.class_in_session(platform, wechat, trainees=trainees)
    await stage.teaching_session(platform, held)
    return held


@transactional
async def assessed(unit: UnitOfWork, class_id: str, teacher_id: str) -> None:
    """Notes that the teacher graded in this class today, without the work of its trainees."""
    await engagements.note_assessed(unit, class_id, teacher_id)
    unit.audit("assessment:grade", class_id)


@remembered
async def class_that_is_over(platform: Platform, wechat: Simulator, trainees: int = 1) -> ClassInSession:
    """The class of 邢台 of March 2026, a week after its last day."""
    held = await class_in_session(platform, wechat, trainees=trainees)
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
    """A further task of the teacher's, in a class of the same institution, and own work in it: the class's id."""
    period = {"starts_on": starts_on, "ends_on": starts_on + timedelta(days=days), "name": name}
    new = await stage.open_class(platform, held.officer, stage.class_draft(**period))
    await stage.teach(platform, held.officer, new.id, held.teacher, kind)
    if kind is Kind.ASSESSMENT:
        await assessed(platform, held.officer, new.id, held.teacher.actor.person_id)
    else:
        nine = datetime.combine(starts_on, time(1), UTC)
        session = stage.session_draft(starts_at=nine, ends_at=nine + timedelta(hours=3))
        await timetable.add_session(platform, held.officer, new.id, session)
    return new.id


async def rated(platform: Platform, held: ClassInSession, points: int) -> None:
    """All trainees of the class rate it so; the survey is over, and not reckoned up yet."""
    survey = await open_survey(platform, held)
    await answer(platform, survey, held.trainees, points)
    await let_it_end(platform, survey)
