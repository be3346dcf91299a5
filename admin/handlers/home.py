"""The home page: what waits for whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from admin.handler import PageHandler
from server import jobs
from server.accounts import staff
from server.admissions import arrival
from server.admissions import service as admissions
from server.applications import service as applications
from server.backbone import service as backbone
from server.certificates import reconcile
from server.certificates import service as certificates
from server.classes import service as classes
from server.classes.rules import NextStep, Stage
from server.corrections import service as corrections
from server.identities import service as identities
from server.institutions import service as institutions
from server.interruptions import service as interruptions
from server.invitations import service as invitations
from server.kernel import policies
from server.kernel.identity import Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.waiting import Waiting
from server.kernel.web import Route, allow
from server.messages import delivery as messages
from server.plans import service as plans
from server.qualification import service as qualification
from server.reopenings import service as reopenings
from server.schemes import standing as scheme_standing
from server.selection import service as selection
from server.venues import service as venues
from server.wechat import content

STEP_PAGES = {
    NextStep.CONFIRM_ROSTER: "/roster",
    NextStep.IMPORT_ROSTER: "/roster",
    NextStep.ASSIGN_TEACHERS: "/invitations",
    NextStep.ASSIGN_ASSESSORS: "/invitations",
    NextStep.RELEASE_RESULTS: "/results",
}
"""Where each step is taken, below the address of the class."""


WAITING: tuple[Callable[[Platform, Actor], Awaitable[list[Waiting]]], ...] = (
    plans.waiting,
    applications.waiting,
    venues.waiting,
    invitations.waiting,
    interruptions.waiting,
    admissions.waiting,
    arrival.waiting,
    scheme_standing.waiting,
    institutions.waiting,
    corrections.waiting,
    identities.waiting,
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
        may_manage = holds(self.actor, Permission.CLASSES_MANAGE)
        counts = await classes.count_by_stage(self.platform, self.actor)
        current = await classes.current_classes(self.platform, self.actor)
        first_done = await self._first_steps_done() if Role.NATIONAL_CENTRE in self.actor.roles else []
        self.render_page(
            "home.html",
            counts=counts,
            certificates=await certificates.count(self.platform, self.actor),
            running=[one for one in current if one.stage is Stage.ONGOING],
            waiting=[(one.item, step) for one in current for step in one.next_steps] if may_manage else [],
            step_pages=STEP_PAGES,
            waits=[one for ask in WAITING for one in await ask(self.platform, self.actor)],
            first_steps_done=[] if all(first_done) else first_done,
            institutions=await institutions.list_institutions(self.platform, self.actor),
        )

    async def _first_steps_done(self) -> list[bool]:
        """Which of the first things on a platform that nobody has used yet the centre has done: accounts, pool, policies."""
        return [
            await staff.any_beside_the_centre(self.platform),
            bool(await backbone.list_pool(self.platform, self.actor, limit=1)),
            bool(await policies.versions(self.platform)),
        ]


ROUTES: list[Route] = [(r"/admin", Home)]
