"""A class that is called off, and requests to change how it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from server.classes import service as classes
from server.interruptions import service
from server.interruptions.documents import ClassChange
from server.interruptions.rules import Ground
from server.interruptions.service import CallOff, Postponement, Suspension, Termination, Transfer
from server.kernel.reviews import Review
from tests import cast, planning, stage
from tests.acts.planning import approved_class
from tests.acts.walking import World, way_back
from tests.planning import XINGTAI
from tests.stage import ClassInSession

TYPHOON: dict[str, Any] = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


@way_back(
    "applications:approve",
    "interruptions:call-off",
    keeps={"applications", "class_changes", "classes", "invitations", "persons", "roster_imports"},
)
async def an_approved_class(world: World) -> AsyncIterator[None]:
    """With its teacher and its people; afterwards the item of the plan can be applied for again, and nobody is enrolled."""
    plan = await planning.approved(world.platform)
    await stage.register_backbone(world.platform, cast.BACKBONE_TEACHER)
    teacher = await stage.phone(world.platform, world.wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    yield
    class_id = await approved_class(world, plan)
    await stage.teach(world.platform, XINGTAI, class_id, teacher)
    await stage.enrol(world.platform, cast.XINGTAI_OFFICER, class_id, cast.people(2))
    yield
    name = (await classes.get_class(world.platform, XINGTAI, class_id)).name
    await service.call_off(
        world.platform,
        XINGTAI,
        class_id,
        CallOff(ground=Ground.ENROLMENT, reason="报名人数不足，不再举办。", typed=name),
    )
    assert await classes.trainees(world.platform, class_id) == []


async def withdrawn(world: World, asked: ClassChange) -> None:
    await service.withdraw(world.platform, XINGTAI, asked.id, Review(seen=len(asked.history)))


async def running(world: World) -> ClassInSession:
    return await stage.class_in_session(world.platform, world.wechat)


@way_back("interruptions:ask-suspend", "interruptions:withdraw", keeps={"class_changes"})
async def a_request_to_suspend(world: World) -> AsyncIterator[None]:
    held = await running(world)
    first, ends_on = held.training_class.starts_on + timedelta(days=2), held.training_class.ends_on
    days = {"first": first, "last": first + timedelta(days=2), "ends_on": ends_on + timedelta(days=4)}
    yield
    wanted = Suspension.model_validate(TYPHOON | days)
    asked = await service.suspend(world.platform, XINGTAI, held.id, wanted)
    yield
    await withdrawn(world, asked)


@way_back("interruptions:ask-postpone", "interruptions:withdraw", keeps={"class_changes"})
async def a_request_to_postpone(world: World) -> AsyncIterator[None]:
    held = await running(world)
    days = {"starts_on": held.training_class.starts_on}
    days["ends_on"] = held.training_class.ends_on + timedelta(days=4)
    yield
    wanted = Postponement.model_validate(TYPHOON | days)
    asked = await service.postpone(world.platform, XINGTAI, held.id, wanted)
    yield
    await withdrawn(world, asked)


@way_back("interruptions:ask-transfer", "interruptions:withdraw", keeps={"class_changes"})
async def a_request_to_transfer(world: World) -> AsyncIterator[None]:
    held = await running(world)
    draft = stage.class_draft(
        name="2026年5月三级教师培训班",
        starts_on=held.training_class.starts_on + timedelta(days=50),
        ends_on=held.training_class.ends_on + timedelta(days=50),
    )
    later = await stage.open_class(world.platform, XINGTAI, draft)
    people = [one.actor.person_id for one in held.trainees]
    yield
    wanted = Transfer.model_validate(TYPHOON | {"class_id": later.id, "person_ids": people})
    asked = await service.transfer(world.platform, XINGTAI, held.id, wanted)
    yield
    await withdrawn(world, asked)


@way_back("interruptions:ask-terminate", "interruptions:withdraw", keeps={"class_changes"})
async def a_request_to_terminate(world: World) -> AsyncIterator[None]:
    held = await running(world)
    yield
    wanted = Termination.model_validate(TYPHOON)
    asked = await service.terminate(world.platform, XINGTAI, held.id, wanted)
    yield
    await withdrawn(world, asked)
