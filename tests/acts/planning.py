"""Plans, applications, schemes, corrections and letters: taken back while they wait, discarded, withdrawn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.applications import service as applications
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft, Refusal
from server.kernel.reviews import Withdrawal
from tests import cast, planning, stage
from tests.acts.walking import World, way_back
from tests.planning import XINGTAI

WHY = "填报有误，需要重新核对。"


# ---- 开班申请


@way_back("applications:submit", "applications:withdraw", keeps={"applications"})
async def an_application(world: World) -> AsyncIterator[None]:
    plan = await planning.approved(world.platform)
    yield
    wanted = await planning.applied(world.platform, plan)
    yield
    await applications.withdraw(
        world.platform, XINGTAI, wanted.id, Withdrawal(seen=len(wanted.history), reason=WHY)
    )


# ---- corrections


@way_back("corrections:request", "corrections:retract", keeps={"corrections"})
async def a_request_to_correct(world: World) -> AsyncIterator[None]:
    held = await stage.open_class(world.platform, XINGTAI, stage.class_draft())
    yield
    asked = await corrections.correct_class(world.platform, XINGTAI, held.id, another_place(held))
    yield
    await corrections.retract(world.platform, XINGTAI, asked.id, WHY)


def another_place(held: TrainingClass) -> ClassCorrection:
    days = {"starts_on": held.starts_on, "ends_on": held.ends_on}
    return ClassCorrection(name=held.name, place="实训楼 401", reason="原教室检修。", **days)


# ---- 邀请函


@way_back("invitations:send", "invitations:withdraw", keeps={"invitations"})
async def a_letter(world: World) -> AsyncIterator[None]:
    class_id, teacher_id = await class_and_teacher(world)
    yield
    [sent] = await invitations.send(world.platform, XINGTAI, class_id, letter_to(teacher_id))
    yield
    await invitations.withdraw(world.platform, XINGTAI, class_id, sent.id, Refusal(reason=WHY))


@way_back("invitations:accept", "invitations:cancel", keeps={"invitations"})
async def an_accepted_letter(world: World) -> AsyncIterator[None]:
    class_id, teacher_id = await class_and_teacher(world)
    teacher = await stage.phone(world.platform, world.wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    yield
    [sent] = await invitations.send(world.platform, XINGTAI, class_id, letter_to(teacher_id))
    await invitations.accept(world.platform, teacher.actor, sent.id)
    yield
    await invitations.cancel(world.platform, XINGTAI, class_id, sent.id, Refusal(reason=WHY))


async def class_and_teacher(world: World) -> tuple[str, str]:
    """A class that begins tomorrow, and somebody of the pool."""
    day = world.platform.clock.now().date() + timedelta(days=1)
    draft = stage.class_draft(starts_on=day, ends_on=day + timedelta(days=10))
    held = await stage.open_class(world.platform, XINGTAI, draft)
    return held.id, await stage.register_backbone(world.platform, cast.BACKBONE_TEACHER)


def letter_to(teacher_id: str) -> InvitationDraft:
    return InvitationDraft(kind=Kind.TEACHING, teacher_ids=[teacher_id])
