"""Each act and its way back: afterwards everything reads as it did before, but for the trail.

What a document keeps of the way (its history, the trail, messages) is left out of the comparison, and nothing else.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.applications import service as applications
from server.applications.rules import State as ApplicationState
from server.classes import service as classes
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, NotYours, Overtaken, Review, Withdrawal
from server.plans import service as plans
from server.plans.documents import PlanFilter
from server.plans.rules import State as PlanState
from server.plans.service import PlanBegun, PlanDraft
from server.schemes import service as schemes
from server.schemes import ways_back
from server.schemes.rules import SchemeNotInState
from server.schemes.rules import State as SchemeState
from server.schemes.ways_back import Reason
from server.wechat.simulator import Simulator
from tests import planning, scheming, stage
from tests.planning import HEBEI, XINGTAI, YEAR

WHY = Reason(reason="还要修改")
TRAIL = ("audit", "outbox", "reminders")


def giving_up(history: list[Any], reason: str = "还要修改") -> Withdrawal:
    return Withdrawal(seen=len(history), reason=reason)


async def everything(platform: Platform) -> dict[str, list[dict[str, Any]]]:
    """All that the database holds, but for the trail and for what counts the turns of a class."""
    held = {}
    for name in sorted(set(await platform.db.list_collection_names()) - set(TRAIL)):
        if not name.startswith("system."):
            rows = await platform[name].find({}).sort("_id", 1).to_list(None)
            held[name] = [
                {key: value for key, value in row.items() if key not in ("history", "version")}
                if name == "classes"
                else {key: value for key, value in row.items() if key != "history"}
                for row in rows
            ]
    return held


# ---- plans


async def test_a_plan_that_waits_is_taken_back_and_a_draft_given_up(platform: Platform) -> None:
    first = await planning.approved(platform)
    before = await plans.plan_in_force(platform, first.institution_code, YEAR)
    second = await planning.drafted(platform, [planning.item(places=60)])
    drafted = await everything(platform)
    second = await plans.submit(platform, XINGTAI, second.id, len(second.history))
    with pytest.raises(NotYours):
        await plans.withdraw(platform, HEBEI, second.id, giving_up(second.history))
    second = await plans.withdraw(platform, XINGTAI, second.id, giving_up(second.history))
    assert await everything(platform) == drafted
    assert (second.state, second.history[-1].reason) == (PlanState.DRAFT, "还要修改")
    with pytest.raises(NotInThisState):
        await plans.approve(platform, HEBEI, second.id, Review(seen=len(second.history)))
    await plans.discard(platform, XINGTAI, second.id, giving_up(second.history))
    assert await plans.plan_in_force(platform, first.institution_code, YEAR) == before
    assert await plans.list_plans(platform, XINGTAI, PlanFilter()) == [before]
    third = await planning.begun(platform)
    assert (third.version, third.items) == (3, first.items), "it begins where the one in force stands"
    assert (await plans.plan_record(platform, HEBEI, third.id)).before == before


async def test_a_first_plan_given_up_leaves_the_year_to_be_planned(platform: Platform) -> None:
    plan = await planning.begun(platform)
    await plans.discard(platform, XINGTAI, plan.id, giving_up(plan.history))
    assert await plans.list_plans(platform, XINGTAI, PlanFilter(year=YEAR)) == []
    assert await plans.plan_of_year(platform, XINGTAI, YEAR) == (None, 2)
    [kept] = await plans.list_plans(platform, XINGTAI, PlanFilter(state=PlanState.DISCARDED))
    assert kept.id == plan.id


async def test_a_colleague_who_began_first_is_not_overwritten(platform: Platform) -> None:
    await planning.begun(platform)
    with pytest.raises(PlanBegun):
        await plans.begin(platform, XINGTAI, YEAR, PlanDraft(items=[planning.item(places=7)]))


async def test_of_a_withdrawal_and_an_approval_at_once_one_counts(platform: Platform) -> None:
    plan = await planning.submitted(platform)
    answers = await asyncio.gather(
        plans.withdraw(platform, XINGTAI, plan.id, giving_up(plan.history)),
        plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history))),
        return_exceptions=True,
    )
    refused = [one for one in answers if isinstance(one, Exception)]
    assert len(refused) == 1 and isinstance(refused[0], (NotInThisState, Overtaken))
    now = await plans.get_plan(platform, XINGTAI, plan.id)
    assert now.state is (PlanState.APPROVED if isinstance(answers[0], Exception) else PlanState.DRAFT)


# ---- applications


async def test_an_application_taken_back_frees_its_item(platform: Platform) -> None:
    plan = await planning.approved(platform)
    new = await planning.applied(platform, plan)
    await applications.withdraw(platform, XINGTAI, new.id, giving_up(new.history, "改在秋季"))
    assert await applications.applications_of(platform, plan) == {}
    assert (await planning.applied(platform, plan)).state is ApplicationState.SUBMITTED


# ---- schemes


async def test_a_scheme_is_taken_back_from_the_province_and_from_its_teachers(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    version = (await scheming.draft(platform, held)).version
    drafted = await everything(platform)
    await schemes.send_for_signature(platform, held.officer, held.id, version)
    await schemes.sign(platform, held.teacher.actor, held.id, version)
    signed = await everything(platform)
    await schemes.file(platform, held.officer, held.id, version)
    with pytest.raises(SchemeNotInState):
        await ways_back.discard(platform, held.officer, held.id, version, WHY)
    taken = await ways_back.withdraw(platform, held.officer, held.id, version, WHY)
    assert taken.state is SchemeState.SIGNING and await everything(platform) == signed
    with pytest.raises(SchemeNotInState):
        await schemes.approve(platform, scheming.PROVINCE, held.id, version)
    taken = await ways_back.withdraw(platform, held.officer, held.id, version, WHY)
    assert taken.state is SchemeState.DRAFT and await everything(platform) == drafted
    told = await platform["outbox"].find({"template": "scheme-withdrawn"}).to_list(None)
    assert {(one["person_id"], one["data"]["reason"]) for one in told} == {
        (held.teacher.actor.id, "还要修改")
    }


async def test_a_draft_of_a_scheme_given_up_leaves_the_version_in_force_as_the_newest(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    await scheming.draft(platform, held)
    await ways_back.discard(platform, held.officer, held.id, 1, WHY)
    seen = await schemes.scheme_of_class(platform, held.officer, held.id)
    assert (seen.newest, [one.state for one in seen.versions]) == (None, [SchemeState.DISCARDED])
    in_force = await scheming.approved(platform, held)
    assert in_force == 2, "no number is given twice"
    before = await everything(platform)
    later = (await scheming.draft(platform, held, objectives="另一个目标")).version
    await ways_back.discard(platform, held.officer, held.id, later, WHY)
    after = await everything(platform)
    [gone] = [one for one in after["scheme_versions"] if one["version"] == later]
    assert (gone["state"], gone["newest"]) == (SchemeState.DISCARDED, False)
    after["scheme_versions"].remove(gone)
    assert after == before
    newest = (await schemes.scheme_of_class(platform, held.officer, held.id)).newest
    assert newest is not None and newest.version == in_force


# ---- corrections


async def test_a_correction_that_waits_is_taken_back_with_its_reason(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    wanted = ClassCorrection(
        name=held.training_class.name,
        place="图书馆报告厅",
        starts_on=held.training_class.starts_on,
        ends_on=held.training_class.ends_on,
        reason="实训楼检修",
    )
    asked = await corrections.correct_class(platform, held.officer, held.id, wanted)
    back = await corrections.retract(platform, held.officer, asked.id, "检修取消了")
    assert back.history[-1].reason == "检修取消了"
    assert await corrections.open_correction(platform, held.officer, held.id) is None
    assert (await classes.get_class(platform, held.officer, held.id)).place == held.training_class.place
