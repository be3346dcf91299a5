"""工作台: what waits for whom, and 催办."""

from __future__ import annotations

from admin import first_steps
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.steps import Done, shows, step
from server import jobs
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.messages import office_inbox
from server.progress import desk, service, urging
from server.progress.urging import Urge


class Home(PageHandler):
    address = "/admin"
    get = shows(Permission.ACCOUNTS_OWN)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page(
            "home.html",
            desk=await desk.desk(self.platform, self.actor, also=(jobs.waiting,)),
            news=await office_inbox.news(self.platform, self.actor),
            first_steps=await first_steps.of(self.platform, self.actor),
            office=await service.office_in_words(self.platform, self.actor),
            **outcome,
        )


@step(Home, Permission.PROGRESS_URGE, rate="60/minute")
async def urge(page: Home) -> Done:
    wanted = page.form(Urge)
    done = await urging.urge(page.platform, page.actor, wanted)
    return Done(f"已催办{done.to}：{done.title}。", wanted.back)


ROUTES: list[Route] = [(r"/admin", Home), (r"/admin/urgings", urge)]
