"""Institutions and what each is qualified for."""

from __future__ import annotations

from admin.handler import PageHandler
from server.institutions import service as institutions
from server.institutions.rules import levels_held
from server.kernel.clock import beijing_date
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow


class InstitutionList(PageHandler):
    @allow(Permission.INSTITUTIONS_READ)
    async def get(self) -> None:
        found = await institutions.list_institutions(self.platform, self.actor)
        self.render_page("institutions/list.html", institutions=found)


class OneInstitution(PageHandler):
    @allow(Permission.INSTITUTIONS_READ)
    async def get(self, code: str) -> None:
        found = await institutions.institution(self.platform, self.actor, code)
        today = beijing_date(self.platform.clock.now())
        self.render_page(
            "institutions/one.html",
            institution=found,
            levels=levels_held(found.qualifications, today),
            may_allocate=holds(self.actor, Permission.ACCOUNTS_ALLOCATE),
        )


ROUTES: list[Route] = [
    (r"/admin/institutions", InstitutionList),
    (r"/admin/institutions/(?P<code>[0-9]{3})", OneInstitution),
]
