"""A class that is called off, and requests to change how it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from typing import Any

from server.attendance import added, rolls
from server.attendance.added import Voiding
from server.attendance.rolls import LateRegistration
from server.classes import service as classes
from server.interruptions import service
from server.interruptions.documents import ClassChange
from server.interruptions.requests import CallOff, Postponement, Revocation, Suspension, Termination, Transfer
from server.interruptions.rules import Ground
from server.kernel.clock import BEIJING
from server.kernel.reviews import Review
from tests import cast, planning, stage
from tests.acts.planning import approved_class
from tests.acts.walking import World, way_back
from tests.planning import HEBEI, XINGTAI
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


async def approved(world: World, asked: ClassChange) -> ClassChange:
    return await service.approve(world.platform, HEBEI, asked.id, Review(seen=len(asked.history)))


async def undone(world: World, done: ClassChange) -> None:
    why = Revocation(seen=len(done.history), reason="台风已经绕过，照常上课。")
    await approved(world, await service.revoke(world.platform, XINGTAI, done.id, why))


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


# ---- what the province has approved, before anything of it happens


async def suspended(world: World) -> tuple[ClassInSession, Suspension]:
    """A class with a session in the suspension that is moved, and one that is dropped."""
    held = await running(world)
    first = held.training_class.starts_on + timedelta(days=2)
    starts = datetime.combine(first, time(9), BEIJING)
    there = []
    for number in (3, 4):
        day = starts + timedelta(days=number - 3)
        times = {"title": f"第 {number} 天", "starts_at": day, "ends_at": day + timedelta(hours=3)}
        there.append(await stage.teaching_session(world.platform, held, **times))
    ends_on = held.training_class.ends_on + timedelta(days=4)
    days = {"first": first, "last": first + timedelta(days=2), "ends_on": ends_on}
    moves = {there[0].id: there[0].starts_at + timedelta(days=10)}
    return held, Suspension.model_validate(TYPHOON | days | {"moves": moves})


@way_back("interruptions:suspend", "interruptions:revoke", keeps={"class_changes"})
async def a_suspension(world: World) -> AsyncIterator[None]:
    held, wanted = await suspended(world)
    yield
    done = await approved(world, await service.suspend(world.platform, XINGTAI, held.id, wanted))
    yield
    await undone(world, done)


@way_back("interruptions:postpone", "interruptions:revoke", keeps={"class_changes"})
async def a_postponement(world: World) -> AsyncIterator[None]:
    held = await running(world)
    session = await stage.teaching_session(world.platform, held)
    days = {"starts_on": held.training_class.starts_on}
    days["ends_on"] = held.training_class.ends_on + timedelta(days=4)
    moves = {session.id: session.starts_at + timedelta(days=12)}
    yield
    wanted = Postponement.model_validate(TYPHOON | days | {"moves": moves})
    done = await approved(world, await service.postpone(world.platform, XINGTAI, held.id, wanted))
    yield
    await undone(world, done)


@way_back("interruptions:ask-revoke", "interruptions:withdraw", keeps={"class_changes"})
async def a_request_to_revoke(world: World) -> AsyncIterator[None]:
    held, wanted = await suspended(world)
    done = await approved(world, await service.suspend(world.platform, XINGTAI, held.id, wanted))
    yield
    why = Revocation(seen=len(done.history), reason="台风已经绕过，照常上课。")
    asked = await service.revoke(world.platform, XINGTAI, done.id, why)
    yield
    await withdrawn(world, asked)


@way_back("attendance:credit", "attendance:void-credit", keeps={"added_hours", "class_changes"})
async def hours_of_another_class(world: World) -> AsyncIterator[None]:
    """Of a class that was terminated, in a later one in which its people are enrolled already."""
    held = await running(world)
    session = await stage.teaching_session(world.platform, held)
    world.now_is(session.starts_at + timedelta(hours=1))
    for one in held.trainees:
        there = LateRegistration(person_id=one.actor.person_id, reason="手机没电，现场核对身份")
        await rolls.register_late(world.platform, held.officer, held.id, session.id, there)
    world.now_is(session.ends_at + timedelta(minutes=5))
    draft = stage.class_draft(
        name="2026年5月三级教师培训班",
        starts_on=held.training_class.starts_on + timedelta(days=50),
        ends_on=held.training_class.ends_on + timedelta(days=50),
    )
    later = await stage.open_class(world.platform, XINGTAI, draft)
    await stage.enrol(world.platform, cast.XINGTAI_OFFICER, later.id, cast.people(2))
    ended = Termination.model_validate(TYPHOON)
    await approved(world, await service.terminate(world.platform, XINGTAI, held.id, ended))
    people = [held.trainees[0].actor.person_id]
    yield
    wanted = Transfer.model_validate(TYPHOON | {"class_id": later.id, "person_ids": people})
    await approved(world, await service.transfer(world.platform, XINGTAI, held.id, wanted))
    yield
    [credited] = await added.of_class(world.platform, XINGTAI, later.id)
    await added.void(world.platform, XINGTAI, later.id, credited.id, Voiding(reason="应计入另一个班"))
