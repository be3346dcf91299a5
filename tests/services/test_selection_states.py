"""Random officers do random things to a recommendation on the real database: no step but the table's, none without its audit entry.

Each example is a story: a list of (who, what). After every act the recommendation is where the table says, or where it was; the class holds
the teacher exactly while the recommendation says so, and the pool holds them exactly once it is registered.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.classes.documents import TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.selection import registration, rules, training
from server.selection import service as selection
from server.selection.documents import Nominee, PassList
from server.selection.registration import DecisionDraft, Report
from server.selection.rules import Action, State
from server.selection.service import Return, Withdrawal
from server.selection.training import EnrolDraft, Release
from tests import stage
from tests.assessing import clock_of
from tests.conftest import NOON
from tests.examples import examples
from tests.selecting import (
    CENTRE,
    CHANGZHOU,
    HEBEI,
    JIANGSU,
    XINGTAI,
    backbone_class,
    certified,
    drafted,
    nominee_draft,
)

OFFICERS = {
    "centre": CENTRE,
    "hebei": HEBEI,
    "jiangsu": JIANGSU,
    "changzhou": CHANGZHOU,
    "xingtai": XINGTAI,
}
# Those whose act it is come up more often: a story should get somewhere.
who = st.sampled_from([*OFFICERS, "hebei", "centre", "changzhou", "changzhou"])
ACTS = [
    Action.AMEND,
    Action.SUBMIT,
    Action.ACCEPT,
    Action.ACCEPT,
    Action.RETURN,
    Action.WITHDRAW,
    Action.ENROL,
    Action.ENROL,
    Action.RELEASE,
]


@dataclass(frozen=True)
class Counted:
    entries: int
    enrolled: int
    in_pool: int


async def counted(platform: Platform) -> Counted:
    names = ("audit", "enrolments", "backbone_teachers")
    return Counted(*[await platform[name].count_documents({}) for name in names])


async def refusal_of(act: Awaitable[Any]) -> Problem | None:
    try:
        await act
    except Problem as problem:
        return problem
    return None


def act(
    platform: Platform, officer: Actor, one: Nominee, action: Action, held: TrainingClass
) -> Awaitable[Any]:
    seen = len(one.history)
    match action:
        case Action.AMEND:
            return selection.amend(platform, officer, one.id, nominee_draft(post=f"讲师{seen}"), seen)
        case Action.SUBMIT:
            return selection.submit(platform, officer, one.id)
        case Action.ACCEPT:
            return selection.accept(platform, officer, one.id, Review(seen=seen))
        case Action.RETURN:
            return selection.send_back(platform, officer, one.id, Return(seen=seen, reason="请补充材料"))
        case Action.WITHDRAW:
            return selection.withdraw(platform, officer, one.id, Withdrawal())
        case Action.ENROL:
            return training.enrol(platform, officer, EnrolDraft(class_id=held.id, nominee_ids=[one.id]))
        case _:
            return training.release(platform, officer, held.id, one.id, Release(reason="本人因病退出"))


@examples(20)
@given(st.lists(st.tuples(who, st.sampled_from(ACTS)), min_size=4, max_size=18))
async def test_a_recommendation_goes_only_where_its_table_says(
    platform: Platform, story: list[tuple[str, Action]]
) -> None:
    await stage.clear(platform)
    held = await backbone_class(platform, CHANGZHOU, places=1)
    one = await drafted(platform)
    for name, action in story:
        officer, before = OFFICERS[name], await counted(platform)
        refused = await refusal_of(act(platform, officer, one, action, held))
        now = await selection.nominee(platform, HEBEI, one.id)
        after = await counted(platform)
        entitled = bool(officer.roles & rules.STEPS.may_act(action)) and name != "jiangsu"
        if entitled and (one.state, action) in rules.STEPS.transitions:
            assert refused is None
            assert now.state is rules.STEPS.transitions[one.state, action]
            assert [*one.history, now.history[-1]] == now.history
            assert now.history[-1].actor_id == officer.id
            assert after.entries > before.entries
        else:
            assert refused is not None and now == one and after == before
            if not entitled:
                assert isinstance(refused, Forbidden | NotFound)
        assert after.enrolled == (1 if now.state is State.ENROLLED else 0)
        assert (now.class_id == held.id) is (now.state is State.ENROLLED)
        assert now.open is now.state.open
        assert after.in_pool == 0
        one = now


LIST_ACTS = ["report", "return", "resubmit", "register"]


@examples(20)
@given(st.lists(st.tuples(who, st.sampled_from(LIST_ACTS)), min_size=3, max_size=12))
async def test_a_list_goes_only_where_its_table_says_and_fills_the_pool_once(
    platform: Platform, story: list[tuple[str, str]]
) -> None:
    await stage.clear(platform)
    clock_of(platform).set(NOON)
    held = await backbone_class(platform, CHANGZHOU)
    one = await drafted(platform)
    one = await selection.submit(platform, HEBEI, one.id)
    one = await selection.accept(platform, CENTRE, one.id, Review(seen=len(one.history)))
    await training.enrol(platform, CHANGZHOU, EnrolDraft(class_id=held.id, nominee_ids=[one.id]))
    await certified(platform, held)
    for number, (name, action) in enumerate(story):
        officer, before = OFFICERS[name], await counted(platform)
        lists = await registration.list_lists(platform, CENTRE)
        found = lists[0] if lists else None
        refused = await refusal_of(list_act(platform, officer, held, found, action, number))
        after = await counted(platform)
        now = await registration.list_lists(platform, CENTRE)
        if refused is not None:
            assert now == lists and after == before
        else:
            assert officer.roles & rules.LIST_STEPS.may_act(rules.ListAction(action.upper()))
            assert after.entries > before.entries
        nominee = await selection.nominee(platform, HEBEI, one.id)
        registered = bool(now) and now[0].state is rules.ListState.REGISTERED
        expected = State.REGISTERED if registered else State.REPORTED if now else State.ENROLLED
        assert nominee.state is expected
        assert after.in_pool == (1 if registered else 0)
        assert len(now) <= 1


async def list_act(
    platform: Platform,
    officer: Actor,
    held: TrainingClass,
    found: PassList | None,
    action: str,
    number: int,
) -> None:
    list_id, seen = (found.id, len(found.history)) if found else ("0" * 24, 0)
    today = beijing_date(platform.clock.now())
    match action:
        case "report":
            await registration.report(platform, officer, held.id, Report())
        case "return":
            wanted = Return(reason="请核对名单", seen=seen)
            await registration.send_back(platform, officer, list_id, wanted)
        case "resubmit":
            await registration.resubmit(platform, officer, list_id, Report())
        case _:
            draft = DecisionDraft(number=f"部指〔2026〕{number}号", decided_on=today, seen=seen)
            await registration.register(platform, officer, list_id, draft)
