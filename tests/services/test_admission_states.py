"""Random actors and actions on the real database: no application leaves the table, no place is counted twice, nothing goes unaudited."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect

from server.admissions import applying, places, store
from server.admissions import service as admissions
from server.admissions.documents import Applicant
from server.admissions.rules import STEPS, Action, State
from server.admissions.service import Verdict
from server.classes import service as classes
from server.kernel.errors import Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import AGREE, agree, apply, draft_of, open_class
from tests.examples import examples

NO = Verdict(agree=False, reason="名额有限")
MOST = 60


def followed_the_table(applied: Applicant) -> bool:
    state = State.APPLIED
    for one in applied.history[1:]:
        state = STEPS.transitions[state, Action(one.action)]
    return state is applied.state and applied.open == state.open


@examples(4)
@given(chance=st.randoms(use_true_random=False))
async def test_random_actors_never_leave_the_table_and_never_overfill_the_class(
    platform: Platform, wechat: Simulator, chance: random.Random
) -> None:
    await stage.clear(platform)
    opened = await open_class(platform, wechat, places=2)
    people = [cast.person(one) for one in range(31, 36)]
    phones = [(await apply(platform, wechat, opened.id, one))[0] for one in people]
    province, stranger = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.YANGZHOU_OFFICER)

    async def review(actor: Actor, verdict: Verdict, applied: Applicant) -> object:
        return await admissions.review(platform, actor, opened.id, applied.id, verdict)

    async def withdraw(_: Actor, __: Verdict, applied: Applicant) -> object:
        whose = next(one for one in phones if one.actor.person_id == applied.person_id)
        return await applying.withdraw(platform, chance.choice([whose, phones[0]]).actor, applied.id)

    async def again(_: Actor, __: Verdict, applied: Applicant) -> object:
        number = next(n for n, one in enumerate(phones) if one.actor.person_id == applied.person_id)
        return await applying.apply(platform, phones[number].actor, opened.id, draft_of(people[number]))

    acts: list[Callable[[Actor, Verdict, Applicant], Awaitable[object]]] = [
        review,
        review,
        review,
        withdraw,
        again,
    ]
    for _ in range(MOST):
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


async def test_a_database_that_goes_away_before_the_end_leaves_nothing_half_done(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await open_class(platform, wechat, places=1)
    phone, first = await apply(platform, wechat, opened.id, cast.person(31))
    _, second = await apply(platform, wechat, opened.id, cast.person(32))
    for applied in (first, second):
        await agree(platform, opened, applied)
    before = await store.applicants(platform, opened.id)
    enrolled = await classes.trainees(platform, opened.id)

    async def cut_off(_: UnitOfWork) -> None:
        raise AutoReconnect("connection closed")

    with monkeypatch.context() as patched:
        patched.setattr(UnitOfWork, "_flush", cut_off)
        with pytest.raises(AutoReconnect):
            await applying.withdraw(platform, phone.actor, first.id)
    assert await store.applicants(platform, opened.id) == before
    assert await classes.trainees(platform, opened.id) == enrolled
    assert (await classes.get_class(platform, opened.officer, opened.id)).admitted == 1
    await applying.withdraw(platform, phone.actor, first.id)
    assert [one.person_id for one in await classes.trainees(platform, opened.id)] == [second.person_id]


async def test_processes_that_do_not_wait_for_each_other_fill_exactly_the_places_too(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "turn", lambda _: asyncio.Lock())
    opened = await open_class(platform, wechat, places=3)
    made = [(await apply(platform, wechat, opened.id, cast.person(seed)))[1] for seed in range(31, 41)]
    for applied in made:
        await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    await asyncio.gather(
        *(admissions.review(platform, opened.teacher.actor, opened.id, applied.id, AGREE) for applied in made)
    )
    assert await store.count_by_state(platform, opened.id) == {State.ADMITTED: 3, State.WAITING: 7}
    assert len(await classes.trainees(platform, opened.id)) == 3
