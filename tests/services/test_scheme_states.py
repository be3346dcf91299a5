"""Anybody does anything to a scheme, on the real database: it never leaves its table, and nothing is written without an audit entry."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st

from server.attendance import timetable
from server.classes import service as classes
from server.kernel.errors import Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.schemes import service, ways_back
from server.schemes.rules import STEPS, Action, State
from server.schemes.service import ReturnReason
from server.schemes.ways_back import Reason
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.examples import examples
from tests.scheming import PROVINCE, content
from tests.stage import ClassInSession

MOST = 60
Attempt = Callable[[Actor, int], Awaitable[object]]


def attempts(platform: Platform, held: ClassInSession, chance: random.Random) -> dict[Action, Attempt]:
    """Each action by some actor on some version."""

    async def save(actor: Actor, version: int) -> object:
        goal = f"目标 {chance.randrange(10**9)}"
        keep = service.save_as_teacher if actor.kind == "person" else service.save
        return await keep(platform, actor, held.id, content(held.teacher.actor.id, objectives=goal), version)

    return {
        Action.SAVE: save,
        Action.SEND: lambda actor, version: service.send_for_signature(platform, actor, held.id, version),
        Action.SIGN: lambda actor, version: service.sign(platform, actor, held.id, version),
        Action.FILE: lambda actor, version: service.file(platform, actor, held.id, version),
        Action.APPROVE: lambda actor, version: service.approve(platform, actor, held.id, version),
        Action.RETURN: lambda actor, version: service.send_back(
            platform, actor, held.id, version, ReturnReason(reason="请再补充")
        ),
        Action.WITHDRAW: lambda actor, version: ways_back.withdraw(
            platform, actor, held.id, version, Reason(reason="还要修改")
        ),
        Action.DISCARD: lambda actor, version: ways_back.discard(
            platform, actor, held.id, version, Reason(reason="不再使用")
        ),
    }


@examples(4)
@given(chance=st.randoms(use_true_random=False))
async def test_random_people_never_lead_a_scheme_out_of_its_table(
    platform: Platform, wechat: Simulator, chance: random.Random
) -> None:
    await stage.clear(platform)
    held = await stage.class_in_session(platform, wechat, trainees=0)
    others = map(stage.actor, (cast.CENTRE, cast.YANGZHOU_OFFICER))
    everybody = [held.officer, held.teacher.actor, PROVINCE, *others]
    tries = attempts(platform, held, chance)
    state: State | None = None
    version, in_force = 0, None
    standing: dict[int, State] = {}
    """Version → state of all that count; the last of them is the newest."""
    for _ in range(MOST):
        onwards = [
            action
            for known, action in STEPS.transitions
            if known is state and action not in (Action.SAVE, Action.CLOSE)
        ]
        anything = [one for one in Action if one is not Action.CLOSE]  # comes with the end of the class
        action = chance.choice(onwards if onwards and chance.random() < 0.75 else anything)
        able = [one for one in everybody if one.roles & STEPS.may_act(action)]
        actor = held.teacher.actor if action is Action.SIGN else chance.choice(able + everybody[:1])
        named = max(0, version - chance.choice((0, 0, 0, 1)))
        entries = await platform["audit"].count_documents({})
        try:
            changed = await tries[action](actor, named)
        except Problem:
            assert await platform["audit"].count_documents({}) == entries
        else:
            assert actor.roles & STEPS.may_act(action) and named == version
            if changed is not False:  # signed again: nothing happens
                after = STEPS.transitions[state, action]
                seen = await service.scheme_of_class(platform, held.officer, held.id)
                if action is Action.SAVE and state in (State.DRAFT, State.SIGNING):
                    del standing[version]
                if action is Action.APPROVE and in_force:
                    del standing[in_force]
                if action is Action.DISCARD:
                    del standing[version]
                elif seen.newest:
                    standing[seen.newest.version] = after
                state = standing[max(standing)] if standing else None
                assert await platform["audit"].count_documents({}) == entries + 1
        seen = await service.scheme_of_class(platform, held.officer, held.id)
        version = seen.newest.version if seen.newest else 0
        assert (seen.newest.state if seen.newest else None) is state
        if action is Action.APPROVE and state is State.APPROVED:
            in_force = version
        training_class = await classes.get_class(platform, held.officer, held.id)
        assert training_class.scheme_version == in_force
        approved = [one.version for one in seen.versions if one.state is State.APPROVED]
        assert approved == ([in_force] if in_force else [])
        sessions = await timetable.timetable_of_class(platform, held.id)
        assert len(sessions) == (16 if in_force else 0)
