"""What the lists of plans, applications, schemes and corrections are narrowed to."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.applications import service as applications
from server.applications.documents import ApplicationFilter
from server.applications.rules import State as ApplicationState
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.corrections import service as corrections
from server.corrections.documents import CorrectionFilter
from server.corrections.rules import State as CorrectionState
from server.corrections.rules import Subject
from server.corrections.service import ClassCorrection, InstitutionCorrection
from server.institutions.rules import Level
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.plans import service as plans
from server.plans.documents import PlanFilter
from server.plans.rules import State as PlanState
from server.schemes import service as schemes
from server.schemes.documents import SchemeFilter
from server.schemes.rules import State as SchemeState
from server.wechat.simulator import Simulator
from tests import cast, scheming, stage
from tests.finding import gone_astray
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, YANGZHOU, applied, approved, item

EVERY_STATE = list(SchemeState)


@pytest.fixture
async def everything(platform: Platform, wechat: Simulator) -> None:
    """邢台's plan of April and June, its application, its class of March with a scheme, and two corrections."""
    plan = await approved(platform, [item(), item(title="机械类二级教师培训班", level=Level.TWO, month=6)])
    await applied(platform, plan)
    held = await stage.class_in_session(platform, wechat, trainees=0)
    await scheming.draft(platform, held)
    found = held.training_class
    wanted = ClassCorrection(
        name=found.name,
        place="图书馆 201",
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        reason="实训楼检修。",
    )
    await corrections.correct_class(platform, XINGTAI, held.id, wanted)
    renamed = InstitutionCorrection(name="邢台示例技师学院", reason="经批准更名。")
    await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, renamed)


@dataclass(frozen=True)
class Shelf:
    """A list: how many rows of it this actor finds under a condition."""

    count: Callable[[Platform, Actor, dict[str, Any]], Awaitable[int]]
    rows: int


async def count_plans(platform: Platform, actor: Actor, narrowed: dict[str, Any]) -> int:
    return len(await plans.list_plans(platform, actor, PlanFilter(**narrowed)))


async def count_applications(platform: Platform, actor: Actor, narrowed: dict[str, Any]) -> int:
    return len(await applications.list_applications(platform, actor, ApplicationFilter(**narrowed)))


async def count_schemes(platform: Platform, actor: Actor, narrowed: dict[str, Any]) -> int:
    wanted = SchemeFilter(**{"states": EVERY_STATE} | narrowed)
    return len(await schemes.list_schemes(platform, actor, wanted))


async def count_corrections(platform: Platform, actor: Actor, narrowed: dict[str, Any]) -> int:
    return len(await corrections.list_corrections(platform, actor, CorrectionFilter(**narrowed)))


async def count_classes(platform: Platform, actor: Actor, narrowed: dict[str, Any]) -> int:
    return len(await classes.list_classes(platform, actor, ClassFilter(**narrowed)))


PLANS = Shelf(count_plans, 1)
APPLICATIONS = Shelf(count_applications, 1)
SCHEMES = Shelf(count_schemes, 1)
CORRECTIONS = Shelf(count_corrections, 2)
CLASSES = Shelf(count_classes, 1)

EXPECTED: list[tuple[Shelf, dict[str, Any], int]] = [
    (PLANS, {"words": "邢台"}, 1),
    (PLANS, {"words": "二级教师培训班"}, 1),
    (PLANS, {"words": ".*"}, 0),
    (PLANS, {"level": "2"}, 1),
    (PLANS, {"level": "1"}, 0),
    (PLANS, {"month": 6}, 1),
    (PLANS, {"level": "3", "month": 4}, 1),
    (PLANS, {"level": "3", "month": 6}, 0),  # there is no such item, though there are both
    (PLANS, {"year": 2026, "state": PlanState.APPROVED, "province_code": "13"}, 1),
    (PLANS, {"year": 2027}, 0),
    (PLANS, {"province_code": "32"}, 0),
    (APPLICATIONS, {"words": "邢台", "month": 4, "year": 2026}, 1),
    (APPLICATIONS, {"month": 3}, 0),
    (APPLICATIONS, {"level": "3", "state": ApplicationState.SUBMITTED, "province_code": "13"}, 1),
    (SCHEMES, {"words": "邢台", "level": "3"}, 1),
    (SCHEMES, {"words": "常州"}, 0),
    (SCHEMES, {"month": 3}, 1),
    (SCHEMES, {"month": 4}, 0),
    (SCHEMES, {"year": 2026}, 1),
    (SCHEMES, {"year": 2026, "month": 3, "province_code": "13"}, 1),
    (SCHEMES, {"year": 2025, "month": 3}, 0),
    (SCHEMES, {"level": "2"}, 0),
    (SCHEMES, {"states": [SchemeState.SUBMITTED]}, 0),
    (SCHEMES, {"province_code": "32"}, 0),
    (CORRECTIONS, {"words": "邢台"}, 2),
    (CORRECTIONS, {"level": "3"}, 1),
    (CORRECTIONS, {"level": "2"}, 0),
    (CORRECTIONS, {"year": 2026, "month": 3}, 2),
    (CORRECTIONS, {"month": 4}, 0),
    (CORRECTIONS, {"year": 2025}, 0),
    (CORRECTIONS, {"subject": Subject.INSTITUTION, "state": CorrectionState.SUBMITTED}, 1),
    (CORRECTIONS, {"province_code": "32"}, 0),
    (CLASSES, {"words": "邢台", "level": "3", "province_code": "13"}, 1),
]


async def test_a_list_is_narrowed_to_what_is_asked_for(platform: Platform, everything: None) -> None:
    for shelf, narrowed, expected in EXPECTED:
        for actor in (CENTRE, HEBEI, XINGTAI):
            assert await shelf.count(platform, actor, narrowed) == expected, (shelf, narrowed, actor.name)
    assert await gone_astray(platform) == []


async def test_a_neighbour_finds_nothing_whatever_the_condition(platform: Platform, everything: None) -> None:
    for shelf in (PLANS, APPLICATIONS, SCHEMES, CORRECTIONS, CLASSES):
        assert await shelf.count(platform, CENTRE, {}) == shelf.rows
    for (shelf, narrowed, _), actor in itertools.product(EXPECTED, (JIANGSU, YANGZHOU)):
        assert await shelf.count(platform, actor, narrowed) == 0, (shelf, narrowed, actor.name)
