"""第九条（一）: 部指导中心建立骨干教师库，将培训考核合格的骨干教师登记入库，便于培训机构掌握骨干教师信息."""

from __future__ import annotations

from datetime import date

import pytest

from server.backbone import service as backbone
from server.backbone.documents import PoolFilter
from server.backbone.rules import PoolStatus, Proof
from server.backbone.service import StatusDraft
from server.classes.rules import Kind
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft, NotInvitable
from server.kernel.errors import Invalid
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.selection import entry, pool
from server.selection.entry import Registration
from tests import cast, stage
from tests.selecting import CENTRE, SERVED, XINGTAI, registered, through


async def test_the_centre_registers_those_who_passed_with_one_decision(platform: Platform) -> None:
    """将培训考核合格的骨干教师登记入库。"""
    _, new = await through(platform, [SERVED, cast.person(32)])
    decision = await registered(platform, new)
    found = await backbone.list_pool(platform, CENTRE)
    assert {(one.id, one.certificate_number, one.decision_id) for one in found} == {
        (one.person_id, one.certificate_number, decision.id) for one in new.passed
    }


async def test_who_was_trained_before_the_platform_is_registered_directly(platform: Platform) -> None:
    """登记入库: the pool begins with those who hold a certificate on paper, and says on which."""
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    member = await backbone.member_of_pool(platform, teacher)
    assert member.decision_id is None
    assert (member.proof, member.certificate_number) == (Proof.PAPER, None) and member.paper_number


async def test_nobody_is_registered_by_a_number_that_is_not_theirs(platform: Platform) -> None:
    """将培训考核合格的骨干教师登记入库: the number is looked up in the ledger of certificates (article 18)."""
    wanted = Registration(
        name=cast.BACKBONE_TEACHER.name,
        id_number=cast.BACKBONE_TEACHER.id_number,
        province_code=cast.HEBEI,
        work_unit=cast.BACKBONE_TEACHER.unit,
        majors=["01"],
        certificate_number="32017202212G001",
    )
    for number in ("", "32017202212G001"):
        with pytest.raises(Invalid):
            await entry.register(platform, CENTRE, wanted.model_copy(update={"certificate_number": number}))


async def test_institutions_find_whom_they_need_and_see_no_id_number(platform: Platform) -> None:
    """便于培训机构掌握骨干教师信息: 专业大类, unit, province, tasks, satisfaction and status; never the ID number."""
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    [found] = await backbone.list_pool(platform, XINGTAI, PoolFilter(words="邢台", major="01"))
    assert found.id == teacher
    record = await pool.record(platform, XINGTAI, teacher)
    assert not record.masked_number
    assert [year.year for year in record.years] == [2026, 2025, 2024]


async def test_the_centre_manages_who_is_in_the_pool(platform: Platform) -> None:
    """部指导中心对骨干教师实行动态管理: whoever is suspended is not invited."""
    holders = {role for role, held in ROLE_PERMISSIONS.items() if Permission.BACKBONE_MANAGE in held}
    assert [role.value for role in holders] == ["NATIONAL_CENTRE"]
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    held = await stage.open_class(platform, XINGTAI, stage.class_draft())
    wanted = StatusDraft(effective_on=date(2026, 3, 16), reason="接受组织调查")
    assert (await backbone.suspend(platform, CENTRE, teacher, wanted)).status is PoolStatus.SUSPENDED
    with pytest.raises(NotInvitable):
        await invitations.send(
            platform, XINGTAI, held.id, InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher])
        )
