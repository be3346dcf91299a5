"""Who is in a class: applied, listed, arrived, left, and the phone that speaks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.accounts import phones
from server.accounts.phones import RealName
from server.admissions import applying, arrival
from server.classes import service as classes
from tests import admitting, cast, stage
from tests.acts.walking import World, way_back
from tests.planning import XINGTAI

NEWCOMER = cast.TRAINEE


async def april_class(world: World) -> str:
    """A class that has not begun."""
    return (await stage.open_class(world.platform, XINGTAI, stage.class_draft(**admitting.APRIL))).id


@way_back("admissions:apply", "admissions:withdraw", keeps={"applicants"})
async def an_application_of_a_teacher(world: World) -> AsyncIterator[None]:
    opened = await admitting.open_class(world.platform, world.wechat)
    await stage.enrol(world.platform, cast.XINGTAI_OFFICER, await earlier_class(world), [NEWCOMER])
    phone = await stage.phone(world.platform, world.wechat, "openid-newcomer", NEWCOMER)
    yield
    applied, _ = await applying.apply(world.platform, phone.actor, opened.id, admitting.draft_of(NEWCOMER))
    await admitting.agree(world.platform, opened, applied)
    yield
    await applying.withdraw(world.platform, phone.actor, applied.id)


async def earlier_class(world: World) -> str:
    """A class that is over before April, so that its people are known."""
    return (await stage.open_class(world.platform, XINGTAI, stage.class_draft())).id


@way_back("admissions:confirm-arrival", "admissions:undo-arrival", keeps={"arrivals"})
async def an_arrival(world: World) -> AsyncIterator[None]:
    opened = await admitting.open_class(world.platform, world.wechat)
    [phone] = await admitting.admit(world.platform, world.wechat, opened, [NEWCOMER])
    world.now_is(world.platform.clock.now() + timedelta(days=28))
    person_id = phone.actor.person_id
    yield
    await arrival.confirm_arrival(world.platform, XINGTAI, opened.id, person_id, pledge_on_paper=True)
    yield
    await arrival.undo_arrival(world.platform, XINGTAI, opened.id, person_id, "认错了人")


@way_back("accounts:bind-real-name", "classes:release-binding", keeps={"bindings"})
async def a_bound_phone(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    [person_id] = await stage.enrol(world.platform, cast.XINGTAI_OFFICER, class_id, [NEWCOMER])
    unbound = await stage.phone(world.platform, world.wechat, "openid-newcomer")
    yield
    claimed = RealName(name=NEWCOMER.name, id_number=NEWCOMER.id_number, consent_version="2026-11")
    await phones.bind_real_name(world.platform, unbound.actor, claimed)
    yield
    await classes.release_binding(world.platform, XINGTAI, class_id, person_id, "手机遗失，已核对证件")
