"""The home page: what waits for whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from admin import first_steps
from admin.first_steps import FirstStep
from admin.handler import PageHandler
from server import jobs
from server.applications import service as applications
from server.certificates import reconcile
from server.certificates import service as certificates
from server.classes import service as classes
from server.classes.rules import Stage
from server.corrections import service as corrections
from server.identities import service as identities
from server.institutions import service as institutions
from server.interruptions import service as interruptions
from server.kernel.identity import Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.waiting import Waiting
from server.kernel.web import Route, allow
from server.messages import delivery as messages
from server.messages import office_inbox
from server.moves import service as moves
from server.plans import service as plans
from server.progress import service as progress
from server.qualification import service as qualification
from server.reopenings import service as reopenings
from server.selection import service as selection
from server.venues import service as venues
from server.wechat import content

WAITING: tuple[Callable[[Platform, Actor], Awaitable[list[Waiting]]], ...] = (
    plans.waiting,
    applications.waiting,
    venues.waiting,
    interruptions.waiting,
    institutions.waiting,
    corrections.waiting,
    identities.waiting,
    moves.waiting,
    reopenings.waiting,
    qualification.waiting,
    reconcile.waiting,
    messages.waiting,
    content.waiting,
    selection.waiting,
    jobs.waiting,
)
"""Each chapter's answer to: what waits for this actor?"""


class Home(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        counts = await classes.count_by_stage(self.platform, self.actor)
        current = await classes.current_classes(self.platform, self.actor)
        self.render_page(
            "home.html",
            counts=counts,
            certificates=await certificates.count(self.platform, self.actor),
            running=[one for one in current if one.stage is Stage.ONGOING],
            next_steps=await progress.mine(self.platform, self.actor),
            waits=[one for ask in WAITING for one in await ask(self.platform, self.actor)],
            news=await office_inbox.news(self.platform, self.actor),
            first_steps=await self._first_steps(any_class=any(counts.values())),
            institutions=await institutions.list_institutions(self.platform, self.actor),
        )

    async def _first_steps(self, *, any_class: bool) -> list[FirstStep]:
        if Role.NATIONAL_CENTRE in self.actor.roles:
            return await first_steps.of_centre(self.platform, self.actor)
        if any_class or not holds(self.actor, Permission.CLASSES_MANAGE):
            return []
        return await first_steps.of_institution(self.platform, self.actor)


ROUTES: list[Route] = [(r"/admin", Home)]
