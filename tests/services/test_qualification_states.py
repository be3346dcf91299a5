"""Random people do random things to cases on the real database: no step but the tables', none without its audit entry.

Each example is a story: a list of (who, what). After every act the case is where the table says, or where it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.institutions import requests
from server.institutions.qualifications import Decision as BaseDecision
from server.institutions.requests import RequestDraft
from server.institutions.rules import RequestPurpose, RequestState
from server.kernel.clock import FixedClock
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.identity import Actor, Jurisdiction, Reach, Role
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.qualification import base_requests, review, service
from server.qualification.documents import Case
from server.qualification.rules import Action, Outcome, State, Subject, steps_of
from server.qualification.service import DecisionDraft, ReversalDraft, StatementDraft
from tests import cast, reviewing, stage
from tests.conftest import NOON
from tests.examples import examples
from tests.reviewing import CENTRE, HEBEI, JIANGSU, TODAY, XINGTAI, YANGZHOU

OFFICERS = {"centre": CENTRE, "hebei": HEBEI, "jiangsu": JIANGSU, "xingtai": XINGTAI, "yangzhou": YANGZHOU}
REASON = "经核实，依据充分。"


async def refusal_of(act: Awaitable[Any]) -> Problem | None:
    try:
        await act
    except Problem as problem:
        return problem
    return None


async def entries(platform: Platform, case: Case) -> int:
    return await platform["audit"].count_documents({"subject": case.id})


async def present(platform: Platform, case: Case) -> Case:
    return await service.case(platform, CENTRE, case.id)


# ---- a teacher's case


def on_the_phone(person_id: str) -> Actor:
    """The person as a bound phone speaks for them, without the way through WeChat."""
    roles = frozenset({Role.TRAINEE, Role.BACKBONE_TEACHER})
    return Actor(person_id, "师试", "person", roles, Jurisdiction.nothing(), reach=Reach(everywhere=True))


TEACHERS_ACTS = [Action.STATE, Action.DECIDE, Action.DISMISS, Action.REVERSE]
teachers_who = st.sampled_from([*OFFICERS, "teacher", "other", "teacher", "teacher", "centre", "centre"])


def teachers_act(
    platform: Platform, actor: Actor, case: Case, action: Action, outcome: Outcome
) -> Awaitable[Any]:
    match action:
        case Action.STATE if actor.kind == "person":
            said = StatementDraft(text=f"第 {len(case.statements) + 1} 次陈述。")
            return service.state_own(platform, actor, case.id, said)
        case Action.STATE:
            return service.state_for_base(platform, actor, case.id, StatementDraft(text="代为陈述。"))
        case Action.DECIDE:
            wanted = DecisionDraft(outcome=outcome, effective_on=TODAY, reason=REASON)
            return service.decide(platform, actor, case.id, wanted)
        case Action.DISMISS:
            return service.dismiss(platform, actor, case.id, REASON)
        case _:
            return service.reverse(platform, actor, case.id, ReversalDraft(effective_on=TODAY, reason=REASON))


@examples(20)
@given(
    st.lists(
        st.tuples(
            teachers_who,
            st.sampled_from([*TEACHERS_ACTS, Action.DECIDE]),
            st.sampled_from([Outcome.KEPT, Outcome.WARNED, Outcome.CANCELLED]),
        ),
        min_size=3,
        max_size=10,
    )
)
async def test_a_teachers_case_goes_only_where_its_table_says(
    platform: Platform, story: list[tuple[str, Action, Outcome]]
) -> None:
    await stage.clear(platform)
    teacher = await reviewing.registered(platform, date(2023, 6, 1))
    await review.review(platform)
    [case] = await reviewing.cases(platform)
    other = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    people = OFFICERS | {"teacher": on_the_phone(teacher), "other": on_the_phone(other)}
    table, may = steps_of(Subject.TEACHER).transitions, steps_of(Subject.TEACHER).may_act
    for name, action, outcome in story:
        actor, before = people[name], await entries(platform, case)
        refused = await refusal_of(teachers_act(platform, actor, case, action, outcome))
        now = await present(platform, case)
        reach = name in ("centre", "hebei") or (name == "teacher" and action is Action.STATE)
        burdens = action is Action.DECIDE and outcome.adverse and case.state is State.OPEN
        nothing = action is Action.REVERSE and case.decision is not None and not case.decision.outcome.adverse
        allowed = reach and actor.roles & may(action) and (case.state, action) in table
        if allowed and not burdens and not nothing:
            assert refused is None and now.state is table[case.state, action]
            assert now.history[:-1] == case.history and now.history[-1].actor_id == actor.id
            assert now.decisions[: len(case.decisions)] == case.decisions
            assert await entries(platform, case) == before + 1
        else:
            assert refused is not None and now == case and await entries(platform, case) == before
            if not reach:
                assert isinstance(refused, NotFound)
            elif not actor.roles & may(action):
                assert isinstance(refused, Forbidden)
        assert now.open == now.state.open == (now.settled_on is None)
        case = now
        member = await backbone.teacher_in_pool(platform, case.subject_id)
        lost = case.state is State.DECIDED and case.decisions[-1].outcome is Outcome.CANCELLED
        assert member is not None and (member.status is PoolStatus.CANCELLED) == lost


# ---- a base's case, and the request of the province

BASES_ACTS = [Action.STATE, Action.FILE, Action.WITHDRAW, Action.TAKE_BACK, Action.DISMISS]
bases_who = st.sampled_from([*OFFICERS, "hebei", "hebei", "centre", "xingtai"])


async def request_of(platform: Platform) -> str:
    """The request that stands, or an id of none."""
    found = await requests.list_requests(platform, CENTRE, limit=1)
    return found[0].id if found else "0" * 24


async def bases_act(platform: Platform, actor: Actor, case: Case, action: Action) -> None:
    match action:
        case Action.STATE:
            said = StatementDraft(text=f"第 {len(case.statements) + 1} 次陈述。")
            await service.state_for_base(platform, actor, case.id, said)
        case Action.FILE:
            draft = RequestDraft(
                purpose=RequestPurpose.WITHDRAWAL,
                institution_code=cast.XINGTAI,
                qualification_number=1,
                reason="两年内未开展培训，申请取消。",
            )
            await base_requests.submit(platform, actor, draft)
        case Action.WITHDRAW:
            wanted = BaseDecision(effective_on=TODAY, reason=REASON)
            await base_requests.carry_out(platform, actor, await request_of(platform), wanted)
        case Action.TAKE_BACK:
            await base_requests.retract(platform, actor, await request_of(platform))
        case _:
            await service.dismiss(platform, actor, case.id, REASON)


@pytest.fixture
async def annex_1(platform: Platform) -> AsyncIterator[Row]:
    """The base as annex 1 has it, and again when the test is over, whether or not it has failed."""
    untouched = await platform["institutions"].find_one({"_id": cast.XINGTAI})
    assert untouched is not None
    yield untouched
    await platform["institutions"].replace_one({"_id": cast.XINGTAI}, untouched)


UNHEARD = [("hebei", Action.DISMISS), ("hebei", Action.FILE), ("centre", Action.WITHDRAW)]
"""The province ends the case, asks all the same, the centre agrees: the base would lose its title without a word."""


@examples(20)
@given(st.lists(st.tuples(bases_who, st.sampled_from(BASES_ACTS)), min_size=3, max_size=8))
@example(UNHEARD)
@example([("hebei", Action.FILE), ("hebei", Action.TAKE_BACK), *UNHEARD[1:]])
async def test_a_bases_case_follows_the_request_of_its_province(
    platform: Platform, clock: FixedClock, annex_1: Row, story: list[tuple[str, Action]]
) -> None:
    clock.set(NOON)
    await stage.clear(platform)
    await platform["institutions"].replace_one({"_id": cast.XINGTAI}, annex_1)
    case = await reviewing.base_case(platform)
    table, may = steps_of(Subject.BASE).transitions, steps_of(Subject.BASE).may_act
    for name, action in story:
        actor, before = OFFICERS[name], await entries(platform, case)
        refused = await refusal_of(bases_act(platform, actor, case, action))
        now = await present(platform, case)
        in_reach = name in ("centre", "hebei", "xingtai")
        allowed = in_reach and actor.roles & may(action) and (case.state, action) in table
        # Nothing is carried out that was not asked for, although the table knows requests older than their case.
        asked = action is not Action.WITHDRAW or case.state is State.FILED
        heard = action is not Action.WITHDRAW or bool(case.statements)
        if allowed and asked and heard:
            assert refused is None and now.state is table[case.state, action]
            assert await entries(platform, case) == before + 1
        else:
            assert now == case and await entries(platform, case) == before
        case = now
    decided = case.state is State.DECIDED
    settled = {one.state for one in await requests.list_requests(platform, CENTRE)}
    assert decided == (RequestState.APPROVED in settled)
    assert (case.state is State.FILED) <= (RequestState.SUBMITTED in settled)
    for one in await reviewing.cases(platform):
        stated_or_over = one.statements or one.state_until < TODAY
        assert stated_or_over or one.state is not State.DECIDED
