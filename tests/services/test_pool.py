"""The pool of backbone teachers: who is in it, in which status, and what follows from that (article 9.1)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.accounts import phones
from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.backbone.rules import PoolStatus, StatusNotPossible
from server.invitations import service as invitations
from server.invitations.rules import Kind
from server.invitations.service import InvitationDraft, NotInvitable
from server.kernel.clock import FixedClock
from server.kernel.identity import Role
from server.kernel.mongo import UnitOfWork, transactional
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage

CENTRE = stage.actor(cast.CENTRE)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
TODAY = date(2026, 3, 16)


@transactional
async def decide(unit: UnitOfWork, person_id: str, status: PoolStatus, day: date = TODAY) -> PoolMember:
    return await backbone.change_status(unit, person_id, status, day, "年度审核决定")


async def status_of(platform: Platform, person_id: str) -> PoolStatus:
    member = await backbone.teacher_in_pool(platform, person_id)
    assert member is not None
    return member.status


async def is_backbone_on_the_phone(platform: Platform, phone: stage.Phone) -> bool:
    actor = await phones.PhoneAuthenticator(platform).actor_of(phone.token)
    return Role.BACKBONE_TEACHER in actor.roles


async def test_a_suspended_teacher_is_not_invited_and_not_recommended(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    opened = await stage.open_class(
        platform, XINGTAI, stage.class_draft(starts_on=date(2026, 4, 13), ends_on=date(2026, 4, 17))
    )
    await decide(platform, CENTRE, teacher, PoolStatus.SUSPENDED)
    seen = await invitations.invitations_of_class(platform, XINGTAI, opened.id)
    assert await invitations.recommend(platform, XINGTAI, seen) == []
    with pytest.raises(NotInvitable, match=r"not-invitable.*暂停"):
        await invitations.send(
            platform, XINGTAI, opened.id, InvitationDraft(kind=Kind.TEACHING, teacher_ids=[teacher])
        )
    await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
    assert [one.person_id for one in await invitations.recommend(platform, XINGTAI, seen)] == [teacher]


async def test_the_role_on_the_phone_follows_the_status(platform: Platform, wechat: Simulator) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    phone = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    assert await is_backbone_on_the_phone(platform, phone)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED)
    assert not await is_backbone_on_the_phone(platform, phone)
    await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
    assert await is_backbone_on_the_phone(platform, phone)


async def test_a_status_of_a_later_day_takes_effect_on_that_day_and_once(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED, TODAY + timedelta(days=2))
    assert await backbone.apply_due(platform) == 0
    assert await status_of(platform, teacher) is PoolStatus.ACTIVE
    clock.advance(timedelta(days=3))
    assert await backbone.apply_due(platform) == 1
    member = await backbone.teacher_in_pool(platform, teacher)
    assert member is not None
    assert (member.status, member.status_since) == (PoolStatus.CANCELLED, TODAY + timedelta(days=2))
    assert await backbone.apply_due(platform) == 0


async def test_a_later_decision_takes_back_what_has_not_taken_effect(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED, TODAY + timedelta(days=2))
    await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
    clock.advance(timedelta(days=3))
    assert await backbone.apply_due(platform) == 0
    assert await status_of(platform, teacher) is PoolStatus.ACTIVE


async def test_a_status_that_is_there_already_is_not_decided_again(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    with pytest.raises(StatusNotPossible):
        await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
