"""Qualifications of bases and teachers, the pool, and the selection for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from server.backbone import service as backbone
from server.backbone.service import StatusDraft
from server.institutions.qualifications import Decision
from server.institutions.requests import RequestDraft
from server.institutions.rules import RequestPurpose
from server.kernel.reviews import Withdrawal as TakenBack
from server.moves import service as moves
from server.moves.service import MoveDraft
from server.qualification import base_requests, opening, review, service
from server.qualification.opening import Intent
from server.qualification.rules import Outcome
from server.qualification.service import DecisionDraft, ReversalDraft, StatementDraft
from server.selection import service as selection
from server.selection import training
from server.selection.service import Withdrawal
from server.selection.training import EnrolDraft, Release
from tests import cast, reviewing, selecting, stage
from tests.acts.walking import World, way_back
from tests.planning import CENTRE, CHANGZHOU, HEBEI

TODAY = reviewing.TODAY
REASON = "复核认为原决定依据不足。"


# ---- bases


def about_xingtai(purpose: RequestPurpose) -> RequestDraft:
    return RequestDraft(
        purpose=purpose,
        institution_code=cast.XINGTAI,
        qualification_number=1,
        reason="两年内未开展工学一体化教师培训。",
    )


@way_back("institutions:submit-request", "institutions:retract-request", keeps={"base_requests"})
async def a_request_about_a_base(world: World) -> AsyncIterator[None]:
    yield
    asked = await base_requests.submit(world.platform, HEBEI, about_xingtai(RequestPurpose.SUSPENSION))
    yield
    await base_requests.retract(world.platform, HEBEI, asked.id)


@way_back("institutions:suspend", "institutions:resume", keeps={"base_requests"})
async def a_suspended_base(world: World) -> AsyncIterator[None]:
    decision = Decision(effective_on=TODAY, reason="经研究同意。")
    before = await world.platform["institutions"].find_one({"_id": cast.XINGTAI})
    assert before is not None
    yield
    asked = await base_requests.submit(world.platform, HEBEI, about_xingtai(RequestPurpose.SUSPENSION))
    await base_requests.carry_out(world.platform, CENTRE, asked.id, decision)
    yield
    asked = await base_requests.submit(world.platform, HEBEI, about_xingtai(RequestPurpose.RESUMPTION))
    await base_requests.carry_out(world.platform, CENTRE, asked.id, decision)


@way_back("qualification:file", "qualification:take-back", keeps={"base_requests", "qualification_cases"})
async def a_request_in_a_bases_case(world: World) -> AsyncIterator[None]:
    """With the request the case ends; a base that goes on giving no class gets another by the next review."""
    await reviewing.base_since(world.platform, date(2023, 6, 1))
    yield
    await review.review(world.platform)
    asked = await base_requests.submit(world.platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))
    yield
    await base_requests.retract(world.platform, HEBEI, asked.id)


@way_back("qualification:open", "qualification:dismiss", keeps={"qualification_cases"})
async def a_training_centre_in_question(world: World) -> AsyncIterator[None]:
    yield
    intent = Intent(reason="两年内没有举办骨干教师培训。")
    case = await opening.about_centre(world.platform, CENTRE, cast.CHANGZHOU, 1, intent)
    yield
    await service.dismiss(world.platform, CENTRE, case.id, REASON)


# ---- teachers of the pool


@way_back("backbone:change-status", "backbone:change-status")
async def a_suspended_teacher(world: World) -> AsyncIterator[None]:
    teacher_id = await stage.register_backbone(world.platform, cast.BACKBONE_TEACHER)
    change = StatusDraft(effective_on=TODAY, reason="本人请假进修。")
    await backbone.suspend(world.platform, CENTRE, teacher_id, change)
    await backbone.resume(world.platform, CENTRE, teacher_id, change)
    yield
    await backbone.suspend(world.platform, CENTRE, teacher_id, change)
    yield
    await backbone.resume(world.platform, CENTRE, teacher_id, change)


@way_back("qualification:decide", "qualification:reverse", keeps={"qualification_cases"})
async def a_decision_on_a_teacher(world: World) -> AsyncIterator[None]:
    await reviewing.registered(world.platform, date(2023, 6, 1))
    teacher = await stage.phone(world.platform, world.wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    yield
    await review.review(world.platform)
    [case] = await reviewing.cases(world.platform)
    await service.state_own(world.platform, teacher.actor, case.id, StatementDraft(text="因病请假一年。"))
    decided = DecisionDraft(outcome=Outcome.CANCELLED, effective_on=TODAY, reason="经研究决定。")
    await service.decide(world.platform, CENTRE, case.id, decided)
    yield
    await service.reverse(world.platform, CENTRE, case.id, ReversalDraft(effective_on=TODAY, reason=REASON))


# ---- selection


@way_back("selection:submit", "selection:withdraw", keeps={"nominees", "files.chunks", "files.files"})
async def a_recommendation(world: World) -> AsyncIterator[None]:
    yield
    nominee = await selecting.submitted(world.platform)
    yield
    await selection.withdraw(world.platform, HEBEI, nominee.id, Withdrawal(reason="本人不愿参加。"))


@way_back("selection:enrol", "selection:release")
async def a_candidate_in_a_class(world: World) -> AsyncIterator[None]:
    held = await selecting.backbone_class(world.platform, CHANGZHOU)
    nominee = await selecting.accepted(world.platform)
    draft = EnrolDraft(class_id=held.id, nominee_ids=[nominee.id])
    await training.enrol(world.platform, CHANGZHOU, draft)  # from now on the platform knows the person
    await training.release(world.platform, CHANGZHOU, held.id, nominee.id, Release(reason=REASON))
    yield
    await training.enrol(world.platform, CHANGZHOU, draft)
    yield
    await training.release(world.platform, CHANGZHOU, held.id, nominee.id, Release(reason=REASON))


@way_back("moves:ask", "moves:withdraw", keeps={"moves"})
async def a_move_that_is_asked_for(world: World) -> AsyncIterator[None]:
    teacher_id = await stage.register_backbone(world.platform, cast.BACKBONE_TEACHER)
    draft = MoveDraft(
        to_unit="江苏省扬州技师学院", to_province=cast.JIANGSU, effective_on=TODAY, reason="组织调动。"
    )
    yield
    asked = await moves.ask(world.platform, HEBEI, teacher_id, draft)
    yield
    await moves.withdraw(world.platform, HEBEI, asked.id, TakenBack(seen=1, reason="本人不再调动。"))
