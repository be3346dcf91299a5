"""第四条（二）骨干教师选择: 培训机构应……向服务平台推荐的骨干教师发邀请函.

With it 第六条 (由骨干教师承担授课和考核) and 第八条（四）1 (每年授课不少于 2 次).
"""

from __future__ import annotations

import pytest

from server.backbone.owed import YEARLY_TEACHING
from server.classes import service as classes
from server.classes.rules import Kind
from server.invitations import recommendation
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft, NotInvitable
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


async def test_the_platform_recommends_backbone_teachers_of_the_classs_major(platform: Platform) -> None:
    """服务平台推荐的骨干教师: those registered for the 专业大类, with the reasons beside each name."""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft(major="01"))
    fitting = await stage.register_backbone(platform, cast.BACKBONE_TEACHER, ("01", "02"))
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER, ("03",))
    seen = await invitations.invitations_of_class(platform, XINGTAI, opened.id)
    [recommended] = await recommendation.recommend(platform, XINGTAI, seen)
    assert recommended.person_id == fitting and recommended.reasons


async def test_whoever_owes_the_yearly_duty_is_recommended_first(
    platform: Platform, wechat: Simulator
) -> None:
    """第八条（四）1: 每年承担授课任务不少于 2 次."""
    assert YEARLY_TEACHING == 2
    held = await stage.class_in_session(platform, wechat, trainees=0)  # BACKBONE_TEACHER has taught once
    fresh = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    later = stage.class_draft(name="五月三级教师培训班", starts_on="2026-05-11", ends_on="2026-05-22")
    opened = await stage.open_class(platform, XINGTAI, later)
    seen = await invitations.invitations_of_class(platform, XINGTAI, opened.id)
    order = [one.person_id for one in await recommendation.recommend(platform, XINGTAI, seen)]
    assert order == [fresh, held.teacher.actor.id]


async def test_the_institution_sends_the_letter_and_the_teacher_decides(
    platform: Platform, wechat: Simulator
) -> None:
    """向……骨干教师发邀请函: nobody teaches a class who did not accept."""
    may_send = {role for role in Role if Permission.INVITATIONS_SEND in ROLE_PERMISSIONS[role]}
    may_answer = {role for role in Role if Permission.INVITATIONS_ANSWER in ROLE_PERMISSIONS[role]}
    assert may_send == INSTITUTION_ROLES and may_answer == {Role.BACKBONE_TEACHER}
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher.actor.id])
    [sent] = await invitations.send(platform, XINGTAI, opened.id, draft)
    assert (await classes.get_class(platform, XINGTAI, opened.id)).teachers == []
    await invitations.accept(platform, teacher.actor, sent.id)
    [taught_by] = (await classes.get_class(platform, XINGTAI, opened.id)).teachers
    assert taught_by.name == cast.BACKBONE_TEACHER.name


async def test_only_backbone_teachers_teach_and_assess(platform: Platform) -> None:
    """第六条: 由骨干教师承担师培训授课和考核任务."""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    [trainee] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    for kind in Kind:
        draft = InvitationDraft(kinds=[kind], teacher_ids=[trainee])
        with pytest.raises(NotInvitable, match="第六条"):
            await invitations.send(platform, XINGTAI, opened.id, draft)
