"""Random actors and actions on the real database: no application leaves the table, no place is counted twice, nothing goes unaudited."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from server.admissions import service as admissions
from server.admissions import store
from server.admissions.documents import Applicant
from server.admissions.rules import TRANSITIONS, Action, State
from server.admissions.service import Verdict
from server.classes import service as classes
from server.kernel.errors import Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import AGREE, apply, draft_of, open_class

NO = Verdict(agree=False, reason="名额有限")
STEPS = 60


def followed_the_table(applied: Applicant) -> bool:
    state = State.APPLIED
    for one in applied.history[1:]:
        state = TRANSITIONS[state, Action(one.action)]
    return state is applied.state and applied.open == state.open


@pytest.mark.parametrize("seed", range(4))
async def test_random_actors_never_leave_the_table_and_never_overfill_the_class(
    platform: Platform, wechat: Simulator, seed: int
) -> None:
    chance = random.Random(seed)
    opened = await open_class(platform, wechat, places=2)
    people = [cast.person(one) for one in range(31, 36)]
    phones = [(await apply(platform, wechat, opened.id, one))[0] for one in people]
    province, stranger = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.YANGZHOU_OFFICER)

    async def review(actor: Actor, verdict: Verdict, applied: Applicant) -> object:
        return await admissions.review(platform, actor, opened.id, applied.id, verdict)

    async def withdraw(_: Actor, __: Verdict, applied: Applicant) -> object:
        whose = next(one for one in phones if one.actor.person_id == applied.person_id)
        return await admissions.withdraw(platform, chance.choice([whose, phones[0]]).actor, applied.id)

    async def again(_: Actor, __: Verdict, applied: Applicant) -> object:
        number = next(n for n, one in enumerate(phones) if one.actor.person_id == applied.person_id)
        return await admissions.apply(platform, phones[number].actor, opened.id, draft_of(people[number]))

    acts: list[Callable[[Actor, Verdict, Applicant], Awaitable[object]]] = [
        review,
        review,
        review,
        withdraw,
        again,
    ]
    for _ in range(STEPS):
        everybody = await store.applicants(platform, opened.id)
        audited = await platform["audit"].count_documents({})
        actor = chance.choice([opened.officer, opened.teacher.actor, opened.officer, province, stranger])
        try:
            await chance.choice(acts)(actor, chance.choice([AGREE, AGREE, NO]), chance.choice(everybody))
        except Problem:
            assert await store.applicants(platform, opened.id) == everybody
        now = await store.applicants(platform, opened.id)
        if now != everybody:
            assert await platform["audit"].count_documents({}) > audited
        assert all(followed_the_table(one) for one in now)
        admitted = {one.person_id for one in now if one.state is State.ADMITTED}
        enrolled = {one.person_id for one in await classes.trainees(platform, opened.id)}
        counted = (await classes.get_class(platform, opened.officer, opened.id)).admitted
        assert admitted == enrolled and counted == len(enrolled) <= 2
        if any(one.state is State.WAITING for one in now):
            assert counted == 2
