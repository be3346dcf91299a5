"""Plans, applications, schemes, corrections and letters: taken back while they wait, discarded, withdrawn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.applications import service as applications
from server.applications.service import Approval
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.institutions.rules import Level
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft, Refusal
from server.kernel.clock import beijing_date
from server.kernel.reviews import Withdrawal
from server.layouts import service as layouts
from server.layouts.documents import Style
from server.layouts.service import NewLayout
from server.plans import service as plans
from server.plans import windows
from server.plans.documents import Plan
from server.plans.service import PlanDraft
from server.plans.windows import WindowDraft, WindowWithdrawal
from server.schemes import service as schemes
from server.schemes import ways_back
from server.schemes.ways_back import Reason
from server.venues import service as venues
from server.venues.documents import PlaceCheck
from server.venues.service import Finding, PlaceDraft
from tests import cast, planning, scheming, stage
from tests.acts.walking import World, way_back
from tests.planning import HEBEI, XINGTAI, YEAR

CENTRE = stage.actor(cast.CENTRE)
WHY = "填报有误，需要重新核对。"


def withdrawal(seen: int) -> Withdrawal:
    return Withdrawal(seen=seen, reason=WHY)


# ---- plans


@way_back("plans:begin", "plans:discard", keeps={"plans"})
async def a_plan_that_was_begun(world: World) -> AsyncIterator[None]:
    yield
    plan = await plans.begin(world.platform, XINGTAI, YEAR, PlanDraft(items=[planning.item()]))
    yield
    await plans.discard(world.platform, XINGTAI, plan.id, withdrawal(len(plan.history)))


@way_back("plans:submit", "plans:withdraw")
async def a_filed_plan(world: World) -> AsyncIterator[None]:
    plan = await planning.drafted(world.platform)
    yield
    plan = await plans.submit(world.platform, XINGTAI, plan.id, len(plan.history))
    yield
    await plans.withdraw(world.platform, XINGTAI, plan.id, withdrawal(len(plan.history)))


@way_back("plans:announce-window", "plans:withdraw-window", keeps={"plan_windows"})
async def announced_days(world: World) -> AsyncIterator[None]:
    today = beijing_date(world.platform.clock.now())
    days = {"opens_on": today, "closes_on": today + timedelta(days=10), "words": "请按时报送。"}
    yield
    kept = await windows.announce(world.platform, HEBEI, WindowDraft(year=YEAR, **days))
    yield
    wanted = WindowWithdrawal(year=kept.year, seen=1, reason=WHY)
    await windows.withdraw(world.platform, HEBEI, wanted)


# ---- 证书样式


@way_back("layouts:add", "layouts:take-back")
async def a_layout(world: World) -> AsyncIterator[None]:
    tomorrow = beijing_date(world.platform.clock.now()) + timedelta(days=1)
    wanted = NewLayout(style=Style(title_size=40), effective_from=tomorrow, reason=WHY)
    yield
    kept = await layouts.add(world.platform, CENTRE, Level.THREE, wanted)
    yield
    await layouts.take_back(world.platform, CENTRE, Level.THREE, kept.version)


# ---- 开班申请


@way_back("applications:submit", "applications:withdraw", keeps={"applications"})
async def an_application(world: World) -> AsyncIterator[None]:
    plan = await planning.approved(world.platform)
    yield
    wanted = await planning.applied(world.platform, plan)
    yield
    await applications.withdraw(world.platform, XINGTAI, wanted.id, withdrawal(len(wanted.history)))


async def approved_class(world: World, plan: Plan) -> str:
    """The id of a class that the province has approved, from the first item of the plan."""
    wanted = await planning.applied(world.platform, plan)
    approval = Approval(seen=len(wanted.history))
    class_id = (await applications.approve(world.platform, HEBEI, wanted.id, approval)).class_id
    assert class_id is not None
    return class_id


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


# ---- the scheme


@way_back("schemes:save", "schemes:discard", keeps={"scheme_versions"})
async def a_draft_of_a_scheme(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat, trainees=0)
    await stage.assess(world.platform, held)
    yield
    version = (await scheming.draft(world.platform, held)).version
    yield
    await ways_back.discard(world.platform, XINGTAI, held.id, version, Reason(reason=WHY))


@way_back("schemes:send", "schemes:withdraw")
async def a_scheme_that_waits_for_signatures(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat, trainees=0)
    version = (await scheming.draft(world.platform, held)).version
    yield
    await schemes.send_for_signature(world.platform, XINGTAI, held.id, version)
    await schemes.sign(world.platform, held.teacher.actor, held.id, version)
    yield
    await ways_back.withdraw(world.platform, XINGTAI, held.id, version, Reason(reason=WHY))


@way_back("schemes:file", "schemes:withdraw")
async def a_filed_scheme(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat, trainees=0)
    version = (await scheming.draft(world.platform, held)).version
    await schemes.send_for_signature(world.platform, XINGTAI, held.id, version)
    await schemes.sign(world.platform, held.teacher.actor, held.id, version)
    yield
    await schemes.file(world.platform, XINGTAI, held.id, version)
    yield
    await ways_back.withdraw(world.platform, XINGTAI, held.id, version, Reason(reason=WHY))


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
    return InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher_id])


# ---- places that may be forbidden

DOUBTFUL = PlaceDraft(place="北戴河某某大酒店会议室", reason="本校会议室检修，拟借用。")


@way_back("venues:ask", "venues:withdraw", keeps={"place_checks"})
async def a_place_to_be_looked_at(world: World) -> AsyncIterator[None]:
    held = await stage.open_class(world.platform, XINGTAI, stage.class_draft())
    yield
    asked = await venues.ask(world.platform, XINGTAI, held.id, DOUBTFUL)
    yield
    await venues.withdraw(world.platform, XINGTAI, asked.id, withdrawal(len(asked.history)))


@way_back("venues:resolve", "venues:refuse", keeps={"place_checks"})
async def a_place_that_may_be_used(world: World) -> AsyncIterator[None]:
    """Until the province says otherwise: then nothing more is planned there."""
    held = await stage.open_class(world.platform, XINGTAI, stage.class_draft())
    yield
    asked = await venues.ask(world.platform, XINGTAI, held.id, DOUBTFUL)
    allowed = await venues.allow(world.platform, HEBEI, asked.id, finding("实地看过，不是高档宾馆。", asked))
    yield
    await venues.refuse(world.platform, HEBEI, asked.id, finding("再次核实，属于高档宾馆。", allowed))


def finding(note: str, seen: PlaceCheck) -> Finding:
    return Finding(note=note, seen=len(seen.history))
