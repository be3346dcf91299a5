"""What goes on paper, with room for signatures: 名册, 报到表, 签到表, 成绩单 and 培训方案. A sheet is a template and its filling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from admin.handler import PageHandler
from server.admissions import arrival
from server.assessment import service as assessment
from server.attendance import service as attendance
from server.classes import service as classes
from server.interruptions import facts as interruptions
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow
from server.schemes import comparing

Filling = Callable[..., Awaitable[Mapping[str, Any]]]


def sheet(template: str, permission: Permission, fill: Filling) -> type[PageHandler]:
    """`back` in the template is the page that the sheet was asked for on."""

    class SheetPage(PageHandler):
        @allow(permission)
        async def get(self, **ids: str) -> None:
            back = self.request.path.removesuffix("/print")
            self.render_page(f"sheets/{template}.html", back=back, **await fill(self, **ids))

    return SheetPage


async def roster(page: PageHandler, class_id: str) -> Mapping[str, Any]:
    training_class = await classes.get_class(page.platform, page.actor, class_id)
    trainees = await classes.trainees(page.platform, class_id)
    return {"training_class": training_class, "trainees": trainees}


async def arrivals(page: PageHandler, class_id: str) -> Mapping[str, Any]:
    desk = await arrival.desk(page.platform, page.actor, class_id)
    return {"training_class": desk.training_class, "rows": desk.rows}


async def signing(page: PageHandler, class_id: str, session_id: str = "") -> Mapping[str, Any]:
    return vars(await attendance.signing_sheets(page.platform, page.actor, class_id, session_id))


async def results(page: PageHandler, class_id: str) -> Mapping[str, Any]:
    seen = await assessment.class_results(page.platform, page.actor, class_id)
    return {"training_class": seen.training_class, "seen": seen}


async def scheme(page: PageHandler, class_id: str, version: str) -> Mapping[str, Any]:
    compared = await comparing.compared_version(page.platform, page.actor, class_id, int(version))
    adjusted_by = await interruptions.adjusted_by(page.platform, class_id)
    return {"training_class": compared.training_class, "compared": compared, "adjusted_by": adjusted_by}


_ID = "[0-9a-f]{24}"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
SIGNING = sheet("signing", Permission.ATTENDANCE_READ, signing)
ROUTES: list[Route] = [
    (rf"{_CLASS}/roster/print", sheet("roster", Permission.CLASSES_READ, roster)),
    (rf"{_CLASS}/arrivals/print", sheet("arrivals", Permission.ADMISSIONS_READ, arrivals)),
    (rf"{_CLASS}/sessions/print", SIGNING),
    (rf"{_CLASS}/sessions/(?P<session_id>{_ID})/print", SIGNING),
    (rf"{_CLASS}/results/print", sheet("results", Permission.ASSESSMENT_READ, results)),
    (
        rf"{_CLASS}/scheme/versions/(?P<version>[0-9]{{1,4}})/print",
        sheet("scheme", Permission.SCHEMES_READ, scheme),
    ),
]
