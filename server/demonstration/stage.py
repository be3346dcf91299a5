"""Who plays in the demonstration, and when: every step happens at the moment at which it would have happened."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from server.accounts import binding, phones
from server.accounts.binding import RealName
from server.accounts.fictional import FictionalPerson
from server.accounts.phones import PhoneAuthenticator
from server.backbone.rules import Proof
from server.demonstration.phones import subscribe
from server.kernel.clock import BEIJING, FixedClock, beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.selection import entry
from server.selection.entry import Registration
from server.wechat.world import World

SUBSCRIBED = ("enrolled", "invitation-sent", "results-released", "survey-opened", "certificate-issued")
"""What each phone has agreed to hear of through WeChat, once."""
SEED = 20221130


class Stage:
    """The platform, its staff and the simulated WeChat."""

    def __init__(
        self, platform: Platform, wechat: World, centre: Actor, province: Actor, officer: Actor
    ) -> None:
        self.platform = platform
        self.wechat = wechat
        self.centre = centre
        self.province = province
        self.officer = officer
        self.chance = random.Random(SEED)  # noqa: S311 - the same story each time
        self.now = platform.clock.now()
        self.today = beijing_date(self.now)

    def day(self, days: int, at: time = time(9, 0)) -> datetime:
        """A moment in Beijing so many days from today."""
        return datetime.combine(self.today + timedelta(days=days), at, BEIJING)

    def at(self, moment: datetime) -> Platform:
        """The platform as it was, or will be, at a moment."""
        return dataclasses.replace(self.platform, clock=FixedClock(moment))

    def morning(self, day: date) -> datetime:
        return datetime.combine(day, time(9, 0), BEIJING)

    async def register(
        self, moment: datetime, person: FictionalPerson, unit: str, majors: Sequence[str]
    ) -> str:
        wanted = Registration(
            name=person.name,
            id_number=person.id_number,
            province_code="13",
            work_unit=unit,
            majors=list(majors),
            proof=Proof.PAPER,
            paper_number="人社培示〔2022〕7 号",
            paper_dated_on=date(2022, 12, 20),
            phone=person.phone,
        )
        return (await entry.register(self.at(moment), self.centre, wanted)).id

    async def phone(self, moment: datetime, openid: str, person: FictionalPerson) -> Actor:
        then = self.at(moment)
        session = await phones.log_in(then, self.wechat.give_code(openid))
        authenticator = PhoneAuthenticator(then)
        self.wechat.phone(openid).sim = person.phone
        claimed = RealName(
            name=person.name,
            id_number=person.id_number,
            consent_version="2026-11",
            phone_code=self.wechat.give_code(openid, "phone-number"),
        )
        await binding.bind_real_name(then, await authenticator.actor_of(session.token), claimed)
        actor = await authenticator.actor_of(session.token)
        await subscribe(then, actor, self.wechat.grant, SUBSCRIBED)
        return actor
