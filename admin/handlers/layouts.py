"""证书样式: how the paper of each level looks, in versions of the centre, and the printers of the institutions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from admin.downloads import download, file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.steps import shows, step
from server.certificates import specimens
from server.institutions.rules import Level
from server.kernel.downloads import Download
from server.kernel.permissions import Permission
from server.kernel.reasons import Reason
from server.kernel.seen import Saving
from server.kernel.web import Route, allow
from server.layouts import service
from server.layouts.documents import Style
from server.layouts.service import NewLayout, Offset


class Layouts(PageHandler):
    address = "/admin/layouts"
    get = shows(Permission.CERTIFICATES_READ)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        levels = await service.overview(self.platform)
        printer = await service.printer(self.platform, self.actor)
        self.render_page("layouts/list.html", levels=levels, printer=printer, **outcome)


@step(Layouts, Permission.CERTIFICATES_ISSUE)
async def printer(page: Layouts) -> str:
    kept = await service.set_printer(page.platform, page.actor, page.form(Offset), page.form(Saving).seen)
    return f"已保存：套打时右移 {kept.right:g} 毫米、下移 {kept.down:g} 毫米。请再打印一次校准页核对。"


class LevelLayouts(PageHandler):
    address = "/admin/layouts/{level}"
    get = shows(Permission.CERTIFICATES_READ)

    async def show(self, level: str, outcome: Outcome = NO_ERRORS, **more: Any) -> None:
        seen = await service.of_level(self.platform, Level(level))
        self.render_page(
            "layouts/level.html", seen=seen, fields=Style.model_fields, **{"preview": "", **outcome, **more}
        )


class SettingForm(BaseModel):
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Reason


@step(LevelLayouts, Permission.LAYOUTS_SET)
async def add(page: LevelLayouts, level: str) -> str | None:
    style = page.form(Style)
    if page.get_body_argument("preview", ""):
        await page.show(level, values=page.typed(), preview=urlencode(style.model_dump(mode="json")))
        return None
    wanted = NewLayout(style=style, **page.form(SettingForm).model_dump())
    layout = await service.add(page.platform, page.actor, Level(level), wanted, page.form(Saving).seen)
    return f"已核定{layout.level.label}证书样式第 {layout.version} 版，自 {layout.effective_from} 起核发的证书使用。"


class VersionForm(BaseModel):
    version: Annotated[int, Field(title="版本", ge=0)]


@step(LevelLayouts, Permission.LAYOUTS_SET)
async def take_back(page: LevelLayouts, level: str) -> str:
    version = page.form(VersionForm).version
    await service.take_back(page.platform, page.actor, Level(level), version)
    return f"已撤回第 {version} 版样式。"


class VersionQuery(BaseModel):
    version: Annotated[int | None, Field(ge=0)] = None


class Preview(PageHandler):
    @allow(Permission.CERTIFICATES_READ, rate="60/minute")
    async def get(self, level: str) -> None:
        version = self.query(VersionQuery).version
        if version is None:
            drawn = await specimens.preview(self.platform, Level(level), self.query(Style))
        else:
            drawn = await specimens.preview_of_version(self.platform, Level(level), version)
        self.set_header("Content-Type", "image/jpeg")
        self.finish(drawn)


@download(Permission.CERTIFICATES_READ, page=LevelLayouts, rate="10/minute")
async def form(page: PageHandler, level: str) -> Download:
    version = page.query(VersionQuery).version or 0
    return await specimens.form(page.platform, Level(level), version)


_LEVEL = r"/admin/layouts/(?P<level>[G123])"
ROUTES: list[Route] = [
    (r"/admin/layouts", Layouts),
    (r"/admin/layouts/printer", printer),
    (
        r"/admin/layouts/calibration\.pdf",
        file_of(specimens.calibration, Permission.CERTIFICATES_READ, rate="10/minute"),
    ),
    (_LEVEL, LevelLayouts),
    (rf"{_LEVEL}/add", add),
    (rf"{_LEVEL}/take-back", take_back),
    (rf"{_LEVEL}/preview\.jpg", Preview),
    (rf"{_LEVEL}/form\.pdf", form),
    (
        r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates/overprint\.pdf",
        file_of(specimens.class_overprint, Permission.CERTIFICATES_ISSUE, rate="10/minute"),
    ),
]
