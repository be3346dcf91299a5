"""What the tests of dynamic management set the stage with: teachers and bases with a past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.kernel.hearings import Hearing
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.qualification import review, service
from server.qualification.documents import Case, CaseFilter, EarlyWarning, WarningFilter
from server.qualification.service import StatementDraft
from server.surveys.documents import SatisfactionTally
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.cast import Person
from tests.memory import remembered
from tests.services.test_tasks_of_teachers import a_task, keep
from tests.stage import Phone

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)
TODAY = date(2026, 3, 16)
"""The day of the tests' clock."""
XINGTAI_BASE = f"{cast.XINGTAI}-1"
HEARD = Hearing(TODAY, answered=True)
"""Of a status that is set past any case."""


async def registered(
    platform: Platform,
    on: date,
    person: Person = cast.BACKBONE_TEACHER,
    *,
    tasks: tuple[date, ...] = (),
    scores: Mapping[int, float] | None = None,
) -> str:
    """A teacher in the pool since `on`; `tasks` by the last day of a class of twelve days, `scores` by year as a mean of 100 answers."""
    teacher_id = await stage.register_backbone(platform, person)
    at = datetime.combine(on, time(4), UTC)
    await platform["backbone_teachers"].update_one({"_id": teacher_id}, {"$set": {"registered_at": at}})
    if tasks:
        await keep(platform, *(a_task(teacher_id, day - timedelta(days=11)) for day in tasks))
    for year, mean in (scores or {}).items():
        await score(platform, teacher_id, year, mean)
    return teacher_id


async def score(platform: Platform, teacher_id: str, year: int, mean: float) -> None:
    """A hundred answers of a year with this mean, of 1 and 3 points."""
    threes = round((mean - 1) * 50)
    tally = SatisfactionTally(
        teacher_id=teacher_id,
        survey_id=new_id(),
        class_id=new_id(),
        year=year,
        ones=100 - threes,
        twos=0,
        threes=threes,
        responses=25,
    )
    await platform["satisfaction_tallies"].insert_one(tally.to_mongo())


async def base_since(platform: Platform, on: date, code: str = cast.XINGTAI) -> None:
    """The first qualification of a base of annex 1 has stood since `on`, without an end."""
    await platform["institutions"].update_one(
        {"_id": code},
        {"$set": {"qualifications.0.valid_from": on.isoformat(), "qualifications.0.valid_to": None}},
    )


async def cases(platform: Platform, actor: Actor = CENTRE) -> list[Case]:
    """Oldest first."""
    return (await service.list_cases(platform, actor, CaseFilter(), limit=100))[::-1]


async def warnings(platform: Platform, actor: Actor = CENTRE) -> list[EarlyWarning]:
    """Oldest first."""
    return (await service.list_warnings(platform, actor, WarningFilter(), limit=100))[::-1]


@dataclass(frozen=True)
class TeacherCase:
    teacher: Phone
    case: Case


@remembered
async def teacher_case(platform: Platform, wechat: Simulator) -> TeacherCase:
    """A teacher of 河北 without a task since 2023, on the phone, and the case that the review opened."""
    await registered(platform, date(2023, 6, 1))
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    await review.review(platform)
    [case] = await cases(platform)
    return TeacherCase(teacher, case)


@remembered
async def base_case(platform: Platform) -> Case:
    """邢台技师学院 has given no class since 2023, and the review opened a case."""
    await base_since(platform, date(2023, 6, 1))
    await review.review(platform)
    [case] = [one for one in await cases(platform) if one.subject_id == XINGTAI_BASE]
    return case


async def hear_xingtai(platform: Platform) -> Case:
    """邢台 states what there is to say in the case that is open about it, so that the centre may decide."""
    [case] = [one for one in await cases(platform) if one.institution_code == cast.XINGTAI and one.open]
    return await service.state_for_base(platform, XINGTAI, case.id, StatementDraft(text="没有异议。"))


@transactional
async def set_status(unit: UnitOfWork, teacher_id: str, status: PoolStatus, on: date) -> None:
    """Sets a status of the pool past any case."""
    await backbone.change_status(unit, teacher_id, status, on, "请假进修", hearing=HEARD)
