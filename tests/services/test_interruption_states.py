"""Anybody does anything to a class that does not run as planned, in any order: what is promised of it always holds."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.attendance import added, timetable
from server.attendance import service as attendance
from server.attendance.added import MakeUp, Voiding
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import AddedKind, TeachingSession
from server.classes import service as classes
from server.classes.rules import Condition
from server.interruptions import service
from server.interruptions.documents import ChangeFilter
from server.interruptions.requests import CallOff, Postponement, Revocation, Suspension, Termination, Transfer
from server.interruptions.rules import Ground, State
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.stage import ClassInSession

MOST = 40
HEBEI, JIANGSU = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.JIANGSU_OFFICER)
XINGTAI, YANGZHOU = stage.actor(cast.XINGTAI_OFFICER), stage.actor(cast.YANGZHOU_OFFICER)
WHY: dict[str, Any] = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


class Life:
    """A class of two people over four weeks, and a later one of the same institution."""

    def __init__(self, platform: Platform, clock: FixedClock, opened: ClassInSession, later_id: str) -> None:
        self.platform, self.clock, self.opened, self.later_id = platform, clock, opened, later_id
        self.check_ins = 0

    async def latest(self, actor: Actor) -> str:
        changes = await service.list_changes(self.platform, actor, ChangeFilter(), limit=1)
        return changes[0].id if changes else "0" * 24

    def moves(self, chance: random.Random, sessions: list[TeachingSession]) -> dict[str, Any]:
        return {
            one.id: one.starts_at + timedelta(days=chance.randrange(0, 20))
            for one in sessions
            if chance.random() < 0.4
        }

    async def suspend(self, actor: Actor, chance: random.Random) -> object:
        first = beijing_date(self.clock.now()) + timedelta(days=chance.randrange(-2, 6))
        last = first + timedelta(days=2)
        there = await timetable.all_sessions(self.platform, self.opened.id)
        hit = [one for one, used in there if not used and first <= beijing_date(one.starts_at) <= last]
        wanted = Suspension(
            first=first,
            last=last,
            ends_on=date(2026, 3, 27) + timedelta(days=chance.randrange(0, 20)),
            moves=self.moves(chance, hit),
            **WHY,
        )
        return await service.suspend(self.platform, actor, self.opened.id, wanted)

    async def postpone(self, actor: Actor, chance: random.Random) -> object:
        ends_on = date(2026, 3, 27) + timedelta(days=chance.randrange(0, 20))
        there = await timetable.all_sessions(self.platform, self.opened.id)
        moves = self.moves(chance, [one for one, used in there if not used])
        wanted = Postponement(starts_on=date(2026, 3, 16), ends_on=ends_on, moves=moves, **WHY)
        return await service.postpone(self.platform, actor, self.opened.id, wanted)

    async def transfer(self, actor: Actor, chance: random.Random) -> object:
        ids = [one.actor.id for one in self.opened.trainees]
        wanted = Transfer(class_id=self.later_id, person_ids=ids, **WHY)
        return await service.transfer(self.platform, actor, self.opened.id, wanted)

    async def terminate(self, actor: Actor, chance: random.Random) -> object:
        return await service.terminate(self.platform, actor, self.opened.id, Termination(**WHY))

    async def call_off(self, actor: Actor, chance: random.Random) -> object:
        typed = self.opened.training_class.name
        return await service.call_off(self.platform, actor, self.opened.id, CallOff(typed=typed, **WHY))

    async def approve(self, actor: Actor, chance: random.Random) -> object:
        seen = Review(seen=chance.choice((1, 1, 2)))
        return await service.approve(self.platform, actor, await self.latest(actor), seen)

    async def send_back(self, actor: Actor, chance: random.Random) -> object:
        wanted = Return(seen=1, reason="请再核对。")
        return await service.send_back(self.platform, actor, await self.latest(actor), wanted)

    async def withdraw(self, actor: Actor, chance: random.Random) -> object:
        return await service.withdraw(self.platform, actor, await self.latest(actor), Review(seen=1))

    async def revoke(self, actor: Actor, chance: random.Random) -> object:
        changes = await service.list_changes(
            self.platform, actor, ChangeFilter(state=State.APPROVED), limit=3
        )
        found = chance.choice(changes) if changes else None
        wanted = Revocation(seen=len(found.history) if found else 1, reason="照常上课。")
        return await service.revoke(self.platform, actor, found.id if found else "0" * 24, wanted)

    async def make_up(self, actor: Actor, chance: random.Random) -> object:
        wanted = MakeUp(
            person_id=chance.choice(self.opened.trainees).actor.id,
            hours=chance.randrange(1, 6),
            held_on=beijing_date(self.clock.now()),
            taught="补上缺的课",
            taught_by=cast.BACKBONE_TEACHER.name,
        )
        return await added.make_up(self.platform, actor, self.opened.id, wanted)

    async def void(self, actor: Actor, chance: random.Random) -> object:
        there = await added.of_class(self.platform, actor, self.opened.id)
        added_id = there[-1].id if there else "0" * 24
        await added.void(self.platform, actor, self.opened.id, added_id, Voiding(reason="登记错了人"))
        return None

    async def check_in(self, chance: random.Random) -> None:
        """Somebody scans whatever is on the screen of some session, cancelled or not."""
        there = await timetable.all_sessions(self.platform, self.opened.id)
        session, _ = chance.choice(there)
        if chance.random() < 0.7 and session.opens_at >= self.clock.now():
            self.clock.set(session.opens_at + timedelta(minutes=10))
        scan = Scan(stage.code_of(self.platform, session), f"{chance.randrange(10**9)}")
        desk = CheckInDesk(self.platform)
        try:
            done = await desk.check_in(chance.choice(self.opened.trainees).actor, scan)
        except Problem:
            return
        self.check_ins += done.new

    async def check_promises(self) -> None:
        found = await classes.get_class(self.platform, XINGTAI, self.opened.id)
        known = await classes.trainees(self.platform, self.opened.id)
        assert len(known) == (0 if found.condition is Condition.CALLED_OFF else 2)
        assert not (found.condition is Condition.CALLED_OFF and self.check_ins)
        # No check-in is lost: each stands, in a session that is not cancelled.
        held = await attendance.sessions_of_class(self.platform, XINGTAI, self.opened.id)
        assert sum(row.checked_in for row in held.rows) == self.check_ins
        for row in held.rows:
            day = beijing_date(row.item.starts_at)
            assert found.starts_on <= day <= found.ends_on
            assert row.checked_in or not any(one.covers(day) for one in found.suspensions)
        assert found.planned_first_day == date(2026, 3, 16)
        # Nobody has more hours than were held.
        reckoned = await attendance.hours_of_class(self.platform, found)
        assert all(hours <= reckoned.held for hours in reckoned.attended.values())
        # What counts in the later class was held here, once.
        credited = await added.of_class(self.platform, XINGTAI, self.later_id)
        assert len({one.person_id for one in credited}) == len(credited)
        for one in credited:
            assert one.kind is AddedKind.CREDITED
            assert one.hours <= reckoned.attended[one.person_id]
        if credited:
            assert found.condition is Condition.TERMINATED


Act = Callable[[Life, Actor, random.Random], Awaitable[object]]
OF_THE_PROVINCE: tuple[Act, ...] = (Life.approve, Life.approve, Life.send_back)
OF_THE_INSTITUTION: tuple[Act, ...] = (
    Life.suspend,
    Life.suspend,
    Life.postpone,
    Life.postpone,
    Life.transfer,
    Life.terminate,
    Life.call_off,
    Life.withdraw,
    Life.revoke,
    Life.make_up,
    Life.make_up,
    Life.void,
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
async def test_whatever_anybody_does_in_any_order_no_promise_of_an_interrupted_class_is_broken(
    platform: Platform, clock: FixedClock, wechat: Simulator, seed: int
) -> None:
    chance = random.Random(seed)
    await stage.clear(platform)
    clock.set(stage.LONG_AGO.replace(month=3, day=14))
    opened = await stage.class_in_session(platform, wechat)
    later = stage.class_draft(
        name="2026年5月三级教师培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)
    )
    life = Life(platform, clock, opened, (await stage.open_class(platform, XINGTAI, later)).id)
    for day in (16, 18, 19, 25):
        nine = stage.LONG_AGO.replace(month=3, day=day, hour=1)
        await stage.teaching_session(
            platform, opened, title=f"{day} 日", starts_at=nine, ends_at=nine + timedelta(hours=3)
        )
    for _ in range(MOST):
        if chance.random() < 0.15:
            await life.check_in(chance)
        else:
            if chance.random() < 0.15:
                clock.advance(timedelta(hours=chance.randrange(1, 30)))
            decides = chance.random() < 0.4
            act = chance.choice(OF_THE_PROVINCE if decides else OF_THE_INSTITUTION)
            anybody = chance.choice((HEBEI, JIANGSU, XINGTAI, YANGZHOU))
            actor = anybody if chance.random() < 0.15 else HEBEI if decides else XINGTAI
            entries = await platform["audit"].count_documents({})
            try:
                await act(life, actor, chance)
            except (Problem, ValueError):  # a refusal writes nothing
                assert await platform["audit"].count_documents({}) == entries
        await life.check_promises()
