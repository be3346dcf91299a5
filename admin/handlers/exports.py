"""My exports (我的导出): what is prepared in the background, how far it is, and the workbook."""

from __future__ import annotations

from admin.downloads import file_of
from admin.handler import PageHandler
from admin.lists import EXPORT_RATE
from server.exports import service
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow


class MyExports(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        self.render_page("exports/list.html", rows=await service.mine(self.platform, self.actor))


class OneExport(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self, export_id: str) -> None:
        self.render_page(
            "exports/one.html", export=await service.export(self.platform, self.actor, export_id)
        )


_ONE = rf"{service.PAGE}/(?P<export_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (service.PAGE, MyExports),
    (_ONE, OneExport),
    (rf"{_ONE}/file", file_of(service.file, Permission.ACCOUNTS_OWN, rate=EXPORT_RATE)),
]
